"""400 columns and a million rows: exact as ever, in few jobs, with a driver that holds no rows."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import functions as F

from traintable.analyse import profile
from traintable.config.plan import Plan
from traintable.prepare import fit_plan
from traintable.statistics import Wanted, scan

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

N_ROWS, N_NUMBERS, N_CATEGORIES = 1_000_000, 380, 20
NUMBERS = tuple(f"x{i}" for i in range(N_NUMBERS))
CATEGORIES = tuple(f"c{i}" for i in range(N_CATEGORIES))


@pytest.fixture(scope="module")
def wide(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> DataFrame:
    folder, rng = tmp_path_factory.mktemp("wide"), np.random.default_rng(11)
    words = pa.array([f"v{i}" for i in range(30)])
    for part in range(8):
        draws = {name: rng.integers(0, 997, N_ROWS // 8) for name in (*NUMBERS, *CATEGORIES)}
        columns = {name: pa.array(draws[name] / 7 + 1e6, mask=draws[name] <= 20) for name in NUMBERS}
        columns |= {name: words.take(pa.array(draws[name] % 30)) for name in CATEGORIES}
        columns["id"] = pa.array(np.arange(N_ROWS // 8) + part * N_ROWS)
        columns["late"] = pa.array((draws["x0"] + rng.integers(0, 300, N_ROWS // 8) > 700).astype(int))
        pq.write_table(pa.table(columns), folder / f"{part}.parquet")
    return spark.read.parquet(str(folder))


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.mark.slow
def test_a_wide_table_is_learned_fitted_and_transformed(wide: DataFrame) -> None:
    before = peak_megabytes()
    found = scan(wide, Wanted.everything(dict(wide.dtypes)))
    assert (found.cost.jobs, found.n_rows) == (1, N_ROWS)
    features = {n: {"scale": "standard"} for n in NUMBERS} | {n: {"encode": "one_hot"} for n in CATEGORIES}
    fitted = fit_plan(wide, Plan.model_validate({"features": features, "reduce": {"columns": NUMBERS[:50], "k": 10}}))
    assert len(fitted.costs) == 1
    assert peak_megabytes() - before < 1500  # the rows are 3 GB
    folder = Path(wide.inputFiles()[0].removeprefix("file://")).parent
    for name in NUMBERS[::100]:
        values = pq.read_table(folder, columns=[name]).column(0).to_pandas().dropna().to_numpy()
        mean, variance = found.mean_and_variance(name)
        np.testing.assert_allclose([mean, variance], [values.mean(), values.var(ddof=1)], rtol=1e-9)
        assert found.values[name].weighted().quantile(0.5) == np.median(values)
    transformed = fitted.model.transform(wide).select(*[F.col("features")[i].alias(f"f{i}") for i in (0, 100, 300)])
    for row in transformed.summary("mean", "stddev").collect():  # standard scale
        expected = {"mean": 0.0, "stddev": 1.0}[row["summary"]]
        assert [float(value) for value in row[1:]] == pytest.approx([expected] * 3, abs=1e-6)


@pytest.mark.slow
def test_a_driver_needs_no_more_for_a_profile_of_more_rows(wide: DataFrame, spark: SparkSession) -> None:
    parts = sorted(wide.inputFiles())
    few = profile(spark.read.parquet(*parts[:2]), label="late", key=["id"])
    of_few = peak_megabytes()
    many = profile(wide, label="late", key=["id"])
    assert [found["rows"] for found in (few.content, many.content)] == [N_ROWS // 4, N_ROWS]
    assert len(many.content["columns"]) == N_NUMBERS + N_CATEGORIES + 2
    assert peak_megabytes() - of_few < 600  # three quarters of the rows are 2.3 GB
