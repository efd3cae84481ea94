"""Target encoding equals scikit-learn's on the same folds, and no row's own fold has a part in its value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F
from sklearn.model_selection import PredefinedSplit
from sklearn.preprocessing import TargetEncoder

from prepared import Prepared, crossed, prepare
from traintable.config.plan import Plan
from traintable.errors import ConfigError
from traintable.prepare import fit_plan
from traintable.prepare.target import encodings, totals_by_fold
from traintable.statistics import TargetGroups
from traintable.statistics.chunk import NUMBER, TEXT, Chunk
from traintable.statistics.targets import TargetSums

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

SMOOTHING: dict[str, Any] = {"auto": "auto", "none": 0.0, "some": 2.5, "much": 400.0}
FILLS: dict[str, dict[str, Any]] = {"null": {}, "filled": {"impute": "constant", "fill_value": "b"}}
OPTIONS = {
    f"{smoothing} {fill}": {"encode": "target", "smoothing": SMOOTHING[smoothing], **FILLS[fill]}
    for smoothing in SMOOTHING
    for fill in FILLS
}
N_FOLDS = 4
PLAN = {"features": {"word": {"encode": "target"}}, "label": "late"}
Both = tuple[Prepared, Prepared]


def rows(n: int, seed: int, *, folds: bool) -> pd.DataFrame:
    """Categories of all sizes; "lonely" is in one fold only, and a category of equal labels is among them."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {"id": range(n), "word": rng.choice(["a", "b", "it's", "", None], n, p=[0.4, 0.3, 0.1, 0.1, 0.1])}
    )
    frame["fold"] = pd.array(rng.integers(0, N_FOLDS, n), "Int64")
    frame["number"] = np.where(frame["word"] == "a", 5.0, 1e6) + rng.normal(size=n)
    frame["late"] = (rng.random(n) < np.where(frame["word"] == "a", 0.7, 0.2)).astype(int)
    frame.loc[frame["word"] == "it's", ["late", "number"]] = [1, 7.0]
    frame.loc[frame["fold"] == 1, "word"] = frame.loc[frame["fold"] == 1, "word"].replace("", "lonely")
    return frame if folds else frame.assign(fold=pd.array([None] * n, "Int64"))


TRAIN, TEST = rows(240, seed=1, folds=True), rows(60, seed=2, folds=False)
TEST.loc[:9, "word"] = "never seen"


def read(spark: SparkSession, frame: pd.DataFrame, options: dict[str, Any]) -> tuple[DataFrame, dict[str, Any]]:
    return crossed(spark.createDataFrame(pa.Table.from_pandas(frame, preserve_index=False)), ["word"], options)


@pytest.fixture(scope="module", params=["late", "number"])
def label(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def encoded(spark: SparkSession, label: str) -> Both:
    """What a plan fitted on TRAIN makes of TRAIN, and of TEST."""
    train, features = read(spark, TRAIN, OPTIONS)
    everything = train.unionByName(read(spark, TEST.assign(id=TEST["id"] + len(TRAIN)), OPTIONS)[0])
    found = prepare(train, {"features": features, "label": label}, everything)
    assert len(found.fitted.costs) == 1
    return Prepared(found.fitted, found.matrix[: len(TRAIN)]), Prepared(found.fitted, found.matrix[len(TRAIN) :])


def oracle(option: str, label: str) -> tuple[TargetEncoder, Any, Any]:
    smoothing, fill = option.split()
    words = [frame[["word"]].fillna("b" if fill == "filled" else "no word").astype(object) for frame in (TRAIN, TEST)]
    kind = "binary" if label == "late" else "continuous"
    cv = PredefinedSplit(TRAIN["fold"].astype(int))
    encoder = TargetEncoder(smooth=SMOOTHING[smoothing], target_type=kind, cv=cv)
    return encoder, *(frame.to_numpy() for frame in words)


@pytest.mark.parametrize("option", OPTIONS)
def test_rows_of_train_get_what_the_other_folds_say(
    option: str, label: str, encoded: tuple[Prepared, Prepared]
) -> None:
    encoder, train, _ = oracle(option, label)
    expected = encoder.fit_transform(train, TRAIN[label])[:, 0]
    np.testing.assert_allclose(encoded[0][f"word {option}"], expected, rtol=1e-9)


@pytest.mark.parametrize("option", OPTIONS)
def test_other_rows_get_what_all_of_train_says(option: str, label: str, encoded: Both) -> None:
    encoder, train, test = oracle(option, label)
    expected = encoder.fit(train, TRAIN[label]).transform(test)[:, 0]
    np.testing.assert_allclose(encoded[1][f"word {option}"], expected, rtol=1e-9)
    assert encoded[1][f"word {option}"][:10] == pytest.approx(TRAIN[label].mean(), rel=1e-12)


def test_labels_of_a_row_s_own_fold_change_nothing_of_its_value(spark: SparkSession) -> None:
    options = {name: OPTIONS[name] for name in ("auto null", "some null", "none filled")}
    found = {}
    for fold in (None, 0, 2):
        changed = TRAIN.assign(late=np.where(TRAIN["fold"] == (-1 if fold is None else fold), 1, TRAIN["late"]))
        train, features = read(spark, changed, options)
        found[fold] = prepare(train, {"features": features, "label": "late"}).matrix
    for fold in (0, 2):
        own = (TRAIN["fold"] == fold).to_numpy(bool)
        np.testing.assert_array_equal(found[fold][own], found[None][own])
        assert (found[fold][~own] != found[None][~own]).mean() > 0.9


WORDS = st.sampled_from([None, "a", "b", "c"])
SOME_ROWS = st.lists(st.tuples(WORDS, st.integers(0, 2), st.floats(-1e6, 1e6)), min_size=4, max_size=30)


def sums(data: list[tuple[str | None, int, float]]) -> TargetSums:
    words, folds, labels = zip(*data, strict=True)
    columns = {(TEXT, "c"): pa.array(words, pa.string()), (TEXT, "f"): pa.array(folds), (NUMBER, "y"): pa.array(labels)}
    found = TargetSums(TargetGroups("c", "y", "f"))
    found.update(Chunk(columns, len(data)))
    return found


@settings(deadline=None, max_examples=150)
@given(SOME_ROWS, st.sampled_from(["auto", 0.0, 3.0]), st.integers(0, 2), st.floats(-1e6, 1e6))
def test_whatever_the_rows_a_fold_is_not_seen_by_its_own_encodings(
    data: list[tuple[str | None, int, float]], smoothing: Any, fold: int, label: float
) -> None:
    if {f for _, f, _ in data} == {fold}:
        return
    changed = [(word, f, label if f == fold else y) for word, f, y in data]
    before, after = (totals_by_fold(sums(rows)).get(str(fold)) for rows in (data, changed))
    assert (before is None) == (after is None)
    if before is not None and after is not None:
        assert encodings(before, smoothing) == encodings(after, smoothing)
        others = [(word, f, y) for word, f, y in data if f != fold]
        expected = encodings(totals_by_fold(sums(others))[None], smoothing)
        assert encodings(before, smoothing) == expected


def test_folds_may_be_any_text(spark: SparkSession) -> None:
    names = {0: "it's", 1: "", 2: "a b", 3: "3"}
    found = [
        prepare(spark.createDataFrame(pa.Table.from_pandas(frame, preserve_index=False)), PLAN).matrix
        for frame in (TRAIN, TRAIN.assign(fold=TRAIN["fold"].map(names)))
    ]
    np.testing.assert_array_equal(*found)


def test_a_fold_that_train_has_not_is_none(spark: SparkSession) -> None:
    train, others = read(spark, TRAIN, {})[0], read(spark, TEST, {})[0]
    found = prepare(train, PLAN, others).matrix
    np.testing.assert_array_equal(prepare(train, PLAN, others.withColumn("fold", F.lit(9))).matrix, found)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fold": pd.array([None] + [1, 2] * 119 + [1], "Int64")}, "rows without"),
        ({"fold": 1}, "one fold only"),
        ({"late": None}, "rows that have a label"),
    ],
)
def test_folds_and_labels_are_needed(change: dict[str, Any], message: str, spark: SparkSession) -> None:
    train = spark.createDataFrame(pa.Table.from_pandas(TRAIN.assign(**change), preserve_index=False))
    with pytest.raises(ConfigError, match=message) as caught:
        prepare(train.selectExpr("* EXCEPT (late)", "CAST(late AS INT) AS late"), PLAN)
    assert "split.k_fold" in caught.value.remedy


def test_the_label_and_the_fold_are_columns_of_train(spark: SparkSession) -> None:
    train = read(spark, TRAIN, {})[0]
    for missing in ("late", "fold"):
        with pytest.raises(ConfigError, match=f"'{missing}'"):
            prepare(train.drop(missing), PLAN)
    with pytest.raises(ConfigError, match=r"prepare\.label"):
        prepare(train, {"features": PLAN["features"]})


def test_rows_without_a_label_are_not_learned_from(spark: SparkSession) -> None:
    train = read(spark, TRAIN, {})[0]
    more = train.selectExpr("* EXCEPT (late)", "CAST(NULL AS BIGINT) AS late").select(*train.columns)
    plan = Plan.model_validate(PLAN)
    found = [fit_plan(df, plan).model.stages[-1].getStatement() for df in (train, train.unionByName(more))]
    assert found[0] == found[1]
