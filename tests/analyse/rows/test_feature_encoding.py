"""Columns as features of an isolation forest."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis_contexts import in_memory, read
from traintable.analyse.rows.feature_encoding import fit_encoder


def frame(n: int = 500) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(
        {
            "x": 1e9 + rng.normal(size=n),
            "holes": np.where(rng.random(n) < 0.2, np.nan, rng.exponential(size=n)),
            "constant": 3.0,
            "nothing": np.nan,
            "sometimes": np.where(rng.random(n) < 0.5, np.nan, 3.0),
            "mostly 0": np.where(rng.random(n) < 0.9, 0.0, rng.normal(size=n)),
            "word": rng.choice(["a", "b", "c"], n, p=[0.6, 0.39, 0.01]),
            "id": [f"id {i}" for i in range(n)],
            "one": "same",
        }
    )
    rows.loc[:9, "word"] = None
    return rows


NUMBERS = ("x", "holes", "constant", "nothing", "sometimes", "mostly 0")


def test_columns_become_what_numpy_makes_of_them() -> None:
    rows = frame()
    encoder = fit_encoder(in_memory(rows, numbers=NUMBERS, categories=("word", "id", "one")))
    assert encoder.columns == ("x", "holes", "sometimes", "mostly 0", "word")
    assert encoder.column_of_feature.tolist() == [0, 1, 1, 2, 2, 3, 4]
    matrix = encoder.transform(read(rows, NUMBERS, ("word",)))
    for place, name in ((0, "x"), (1, "holes")):
        low, middle, high = np.nanquantile(rows[name], [0.25, 0.5, 0.75])
        expected = np.nan_to_num((rows[name].to_numpy() - middle) / (high - low), nan=0.0)
        np.testing.assert_allclose(matrix[:, place], expected, rtol=1e-6, atol=1e-6)
    assert matrix[:, 2].tolist() == rows["holes"].isna().astype(float).tolist()
    np.testing.assert_allclose(matrix[:, 5], rows["mostly 0"] / rows["mostly 0"].std(), rtol=1e-6)
    share = rows["word"].value_counts(normalize=True, dropna=False)
    expected = -np.log(rows["word"].map(share).fillna(rows["word"].isna().mean()))
    np.testing.assert_allclose(matrix[:, 6], expected, rtol=1e-6)


def test_words_that_were_never_seen_are_the_rarest_and_absurd_values_have_a_place() -> None:
    rows = frame()
    encoder = fit_encoder(in_memory(rows, numbers=("x",), categories=("word",)))
    new = pd.DataFrame({"x": [1e308, -1e308, np.inf], "word": ["never", None, "a"]})
    matrix = encoder.transform(read(new, ("x",), ("word",)))
    assert np.isfinite(matrix).all()
    assert matrix[0, 0] > 1e29
    assert matrix[1, 0] < -1e29
    assert matrix[0, 1] == np.float32(np.log(len(rows) + 1))


def test_values_near_the_largest_double_have_a_scale() -> None:
    rows = pd.DataFrame({"x": [-1.7e308, -1e308, 0.0, 1e308, 1.7e308] * 3})
    encoder = fit_encoder(in_memory(rows, numbers=("x",)))
    assert np.isfinite(encoder.transform(read(rows, ("x",), ()))).all()
    assert np.isfinite(encoder.numbers[0].scale)
