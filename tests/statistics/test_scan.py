"""One scan equals pandas, to the same last bit under any layout and by whichever way the rows are read."""

from __future__ import annotations

import datetime as dt
import importlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake
from pyspark.sql import functions as F
from scipy import stats

from chunks import INF, NAN, canonical
from traintable.errors import ConfigError
from traintable.spark.plans import data_files, n_partitions
from traintable.statistics import Cost, Statistics, TargetGroups, Wanted, scan
from traintable.statistics.summary import Shape

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession

scanning = importlib.import_module("traintable.statistics.scan")  # the package has a function of that name

N = 1000
NUMBERS = ("x", "large", "whole", "big", "flag", "single", "day", "at", "nothing", "ranged")
BY_LABEL = Wanted(summary=("x",), moments=("large",), values=("ranged",), frequencies=("word",))
WANTED = Wanted(
    summary=NUMBERS,
    moments=("x", "big"),
    shape=("ranged", "single", "flag", "nothing"),
    covariance=("large", "whole", "ranged", "single"),
    values=NUMBERS,
    sketches=True,
    frequencies=("word", "flag", "whole", "label"),
    contingency=(("label", "word"),),
    groups=(("label", "flag", "word"),),
    targets=(TargetGroups("word", "large"), TargetGroups("label", "ranged", "whole")),
    missingness=("x", "single", "day", "word", "tags", "nothing", "ranged"),
    ranges=(("ranged", -1.0, 1.0),),
    classes=(("label", BY_LABEL),),
)


@cache
def table() -> pa.Table:
    """Columns of all kinds, with nulls, NaN and infinities."""
    rng = np.random.default_rng(3)

    def some(values: Any, kind: pa.DataType) -> pa.Array:
        return pa.array(values, kind, mask=rng.random(N) < 0.1)

    x = rng.normal(size=N)
    x[:30] = np.repeat([NAN, INF, -INF], 10)
    x[30:33] = [-0.0, 5e-324, 1e60]
    at = [dt.datetime(2024, 1, 1, tzinfo=dt.timezone.utc) + dt.timedelta(seconds=i / 7) for i in range(N)]
    days = [dt.date(1970, 1, 1) + dt.timedelta(days=int(d)) for d in rng.integers(-1, 2, N)]
    return pa.table(
        {
            "id": pa.array(range(N), pa.int32()),
            "x": some(x, pa.float64()),
            "large": some(rng.normal(size=N) + 1e9, pa.float64()),
            "whole": some(rng.integers(0, 3, N), pa.int32()),
            "big": some(2**53 + rng.integers(0, 9, N), pa.int64()),
            "flag": some(rng.random(N) < 0.3, pa.bool_()),
            "single": some(rng.normal(size=N).astype(np.float32), pa.float32()),
            "exact": some([Decimal(int(v)) / 100 for v in rng.integers(0, 1000, N)], pa.decimal128(10, 2)),
            "day": some(days, pa.date32()),
            "at": some(at, pa.timestamp("us", "UTC")),
            "nothing": pa.nulls(N, pa.float64()),
            "ranged": some(rng.normal(size=N), pa.float64()),
            "word": some(rng.choice(["", "a", "A", "é", "a b", "null", "\U0001f600"], N), pa.string()),
            "label": some(rng.choice(["0", "ü %/:="], N), pa.string()),
            "tags": some([[i] for i in range(N)], pa.list_(pa.int32())),
        }
    )


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame(table()).cache()


@pytest.fixture(scope="module")
def learned(rows: DataFrame) -> Statistics:
    return scan(rows.repartition(7), WANTED)


@pytest.fixture(scope="module")
def folder(rows: DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rows as Parquet, by two columns, and as Delta, by two others."""
    folder = tmp_path_factory.mktemp("a table %")
    rows.coalesce(1).write.partitionBy("label", "flag").parquet(str(folder / "parquet"))
    write_deltalake(folder / "delta", table(), partition_by=["whole", "day"])
    return folder


@contextmanager
def by_tasks() -> Iterator[None]:
    """Even small files are read by tasks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scanning, "_DRIVER_BYTES", -1)
        yield


def known(statistics: Statistics) -> Any:
    """All that is exact."""
    shape, statistics.shape = statistics.shape, {}
    state = canonical(statistics.to_dict())
    statistics.shape = shape
    return state


def assert_same(found: Statistics, expected: Statistics) -> None:
    assert known(found) == known(expected)
    for name, shape in expected.shape.items():
        for figure in (Shape.skewness, Shape.kurtosis):
            np.testing.assert_allclose(figure(found.shape[name]), figure(shape), rtol=1e-9)


def jobs(spark: SparkSession, work: Callable[[], Any]) -> tuple[Any, int]:
    """What the work gives, and how many jobs Spark has run for it."""
    group = f"{work} {os.urandom(4).hex()}"
    spark.sparkContext.setJobGroup(group, "a test")
    found = work()
    spark.sparkContext.setJobGroup("", "")
    return found, len(spark.sparkContext.statusTracker().getJobIdsForGroup(group))


@cache
def frame() -> pd.DataFrame:
    """The numbers as pandas has them, NaN where there is no value; those out of range are none."""
    columns = {name: table()[name].to_pandas() for name in NUMBERS}
    columns["day"] = pd.Series(table()["day"].cast(pa.int32()).to_pandas() * 86400.0)
    columns["at"] = pd.Series(table()["at"].cast(pa.int64()).to_pandas() / 1e6)
    numbers = pd.DataFrame({name: column.astype("float64") for name, column in columns.items()})
    numbers["ranged"] = numbers["ranged"].where(numbers["ranged"].between(-1, 1))
    return numbers.replace([INF, -INF], NAN)


def word(name: str) -> pd.Series[Any]:
    return pd.Series(table()[name].cast(pa.string()).to_pylist(), dtype=object)


def test_counts_and_extremes_equal_those_of_pandas(learned: Statistics) -> None:
    assert learned.n_rows == learned.gram.n_rows == N
    for name in NUMBERS:
        summary, column = learned.summary[name], frame()[name]
        assert (summary.n_rows, summary.n, summary.n_null) == (N, column.count(), table()[name].null_count)
        assert summary.n_zero == (column == 0).sum()
        if name != "nothing":
            assert (summary.min, summary.max) == (column.min(), column.max())
    infinite = np.isinf(table()["x"].to_pandas()).sum()
    assert learned.summary["x"].n_infinite == infinite > 0
    assert learned.summary["x"].n_nan == sum(v != v for v in table()["x"].to_pylist()) > 0
    assert learned.summary["ranged"].n_outside == (table()["ranged"].to_pandas().abs() > 1).sum() > 0


def test_moments_equal_those_of_pandas_and_scipy(learned: Statistics) -> None:
    numbers = frame()
    centre = numbers[list(WANTED.covariance)].mean()
    near = numbers[list(WANTED.covariance)] - centre.round()  # so that pandas' own rounding does not count
    np.testing.assert_allclose(learned.gram.pairwise().covariance, near.cov(), rtol=1e-9)
    imputed = learned.gram.imputed_covariance(centre.round().to_dict())
    np.testing.assert_allclose(imputed.covariance, near.fillna(0).cov(), rtol=1e-9)
    for name in ("x", "big", "large", "whole"):
        column = numbers[name].dropna()
        shift = float(column.iloc[0])
        mean, variance = learned.mean_and_variance(name)
        assert variance == pytest.approx(np.var(column - shift, ddof=1), rel=1e-9)
        assert mean == pytest.approx(column.mean(), rel=1e-15)
    for name in ("ranged", "single", "flag"):
        column = numbers[name].dropna()
        assert learned.shape[name].skewness() == pytest.approx(stats.skew(column), rel=1e-9)
        assert learned.shape[name].kurtosis() == pytest.approx(stats.kurtosis(column), rel=1e-9)
    assert np.isnan(learned.shape["nothing"].skewness())


def test_quantiles_equal_those_of_numpy(learned: Statistics) -> None:
    shares = np.linspace(0, 1, 11)
    for name in NUMBERS[:-2]:
        found = [learned.values[name].weighted().quantile(q) for q in shares]
        assert found == np.quantile(frame()[name].dropna(), shares).tolist()
        n = len(set(table()[name].drop_null().to_pylist())) if name == "big" else frame()[name].nunique()
        assert learned.values[name].n_distinct() == (n, 0.0)


def test_counts_of_categories_equal_those_of_pandas(learned: Statistics) -> None:
    for name in WANTED.frequencies:
        assert learned.frequencies[name].counts == word(name).value_counts().to_dict()
        assert learned.frequencies[name].n_null == word(name).isna().sum()
    labels, words, counts = learned.contingency["label", "word"].table()
    np.testing.assert_array_equal(counts, pd.crosstab(word("label"), word("word")).loc[labels, words])
    holes = pd.DataFrame({name: pd.isna(frame().get(name, word("word"))) for name in WANTED.missingness})
    holes["tags"] = table()["tags"].is_null().to_pandas()
    patterns = {tuple(holes.columns[list(gone)]): n for gone, n in holes.value_counts().items()}
    assert dict(learned.missingness.most_frequent(99)) == patterns


def test_sums_of_labels_and_statistics_by_class_equal_a_pandas_groupby(learned: Statistics) -> None:
    data = frame().assign(word=word("word"), label=word("label"), whole_word=word("whole"))
    means = data.groupby("word", dropna=False)["large"].agg(["count", "mean"])
    totals = {category: t for category, _, t in learned.targets[TargetGroups("word", "large")].totals()}
    assert len(totals) == len(means)
    for category, row in means.iterrows():
        t = totals[None if pd.isna(category) else category]
        assert t.n == row["count"]
        assert t.total * 2.0**t.exponent / t.n == pytest.approx(row["mean"], rel=1e-15)
    folds = data.dropna(subset="ranged").groupby(["label", "whole_word"], dropna=False).size()
    assert len(list(learned.targets[TargetGroups("label", "ranged", "whole")].totals())) == len(folds)
    assert learned.classes["label"].keys() == set(data["label"].dropna())
    for label, part in data.groupby("label"):
        found = learned.classes["label"][label]
        assert found.n_rows == len(part)
        assert found.summary["x"].n == part["x"].count()
        assert found.mean_and_variance("large")[1] == pytest.approx((part["large"] - 1e9).var(), rel=1e-9)
        assert found.values["ranged"].weighted().quantile(0.5) == part["ranged"].median()
        assert found.frequencies["word"].counts == part["word"].value_counts().to_dict()


LAYOUTS: dict[str, Callable[[DataFrame], DataFrame]] = {
    "1 partition": lambda df: df.coalesce(1),
    "9 partitions, most of them empty": lambda df: df.repartition(9, F.col("whole")),
    "sorted the other way": lambda df: df.coalesce(1).orderBy(F.desc("x"), "large"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_layout_gives_the_same_to_the_last_bit(layout: str, rows: DataFrame, learned: Statistics) -> None:
    assert_same(scan(LAYOUTS[layout](rows), WANTED), learned)


def test_the_states_of_many_tasks_are_merged_by_few(
    rows: DataFrame, learned: Statistics, collected: list[list[Row]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "_COLLECTED_STATES", 8)
    monkeypatch.setattr(scanning, "_MERGED_STATES", 4)
    found = scan(rows.repartition(9), WANTED)
    assert_same(found, learned)
    assert [len(states) for states in collected] == [3]  # 9, by 4 at a time
    assert found.cost.bytes > 0


@pytest.mark.parametrize("kind", ["parquet", "delta"])
def test_files_give_the_same_as_spark(
    kind: str, spark: SparkSession, folder: Path, files: DataFrame, learned: Statistics
) -> None:
    df = spark.read.format("delta").load(str(folder / kind)) if kind == "delta" else files
    driver, n_jobs = jobs(spark, lambda: scan(df, WANTED))
    with by_tasks():
        tasks, n_jobs_of_tasks = jobs(spark, lambda: scan(df, WANTED))
    arrow = scan(df.where("id >= 0"), WANTED)
    assert [found.cost.engine for found in (driver, tasks, arrow)] == ["files, driver", "files", "arrow"]
    assert [found.cost.jobs for found in (driver, tasks, arrow)] == [0, 1, 1]
    assert kind == "delta" or (n_jobs, n_jobs_of_tasks) == (0, 1)  # Delta has jobs of its own
    for found in (driver, tasks, arrow):
        assert_same(found, learned)
    partition = ("label", "flag") if kind == "parquet" else ("whole", "day")
    columns = set(WANTED.columns) - {*partition, "tags"}
    groups = [pq.read_metadata(path).row_group(0) for path in (folder / kind).rglob("*.parquet")]
    chunks = [group.column(i) for group in groups for i in range(group.num_columns)]
    n_bytes = sum(chunk.total_compressed_size for chunk in chunks if chunk.path_in_schema in columns)
    assert driver.cost.bytes == tasks.cost.bytes == n_bytes
    assert arrow.cost.bytes > 0


def test_files_are_shared_out_among_tasks(spark: SparkSession, tmp_path: Path) -> None:
    pq.write_table(table(), tmp_path / "a.parquet", row_group_size=100)
    df = spark.read.parquet(str(tmp_path))
    with by_tasks():
        found = scan(df, WANTED)
    assert found.cost.engine == "files"
    assert_same(found, scan(df, WANTED))


X = Wanted(summary=("x",))
FROM_FILES: dict[str, tuple[Callable[[DataFrame], DataFrame], str]] = {
    "the whole": (lambda df: df, "id >= 0"),
    "some columns in another order": (lambda df: df.select("word", "x", "flag", "id"), "id >= 0"),
    "some partitions": (lambda df: df.where("flag AND label IS NOT NULL"), "flag == True and not label.isna()"),
    "a partition of nulls": (lambda df: df.where("flag IS NULL").drop("label"), "flag.isna()"),
    "no partition": (lambda df: df.where("label = 'x'"), "label == 'x'"),
}
FROM_SPARK: dict[str, Callable[[DataFrame], DataFrame]] = {
    "some rows": lambda df: df.where("id < 500"),
    "some rows of some partitions": lambda df: df.where("label = '0' AND id < 500"),
    "some rows by a partition and another column": lambda df: df.where("label = '0' OR id < 500"),
    "a computed column": lambda df: df.withColumn("x", F.col("x") * 2),
    "a renamed column": lambda df: df.drop("x").withColumnRenamed("large", "x"),
    "two columns swapped": lambda df: df.select(F.col("large").alias("x"), F.col("x").alias("large")),
    "a cast": lambda df: df.withColumn("x", F.col("whole").cast("double")),
    "a constant": lambda df: df.withColumn("x", F.lit(1.0)),
    "the first rows": lambda df: df.limit(10),
    "a sample": lambda df: df.sample(0.5, seed=1),
    "different rows": lambda df: df.select("x").distinct(),
    "twice": lambda df: df.union(df),
    "sorted": lambda df: df.orderBy("x"),
    "a join": lambda df: df.join(df.select("id"), "id"),
    "exploded": lambda df: df.select("x", F.explode("tags")),
    "a query for a partition": lambda df: df.where(F.expr("label = (SELECT max(id) FROM range(3))")),
}


@pytest.fixture(scope="module")
def files(spark: SparkSession, folder: Path, rows: DataFrame) -> DataFrame:
    return spark.read.schema(rows.schema).parquet(str(folder / "parquet"))


@pytest.mark.parametrize("case", FROM_FILES)
def test_files_are_read_where_they_are_the_rows(case: str, files: DataFrame) -> None:
    change, condition = FROM_FILES[case]
    found = scan(change(files), X)
    assert found.cost.engine == "files, driver"
    x = table().to_pandas().query(condition)["x"]
    there = x[np.isfinite(x)]
    assert (found.n_rows, found.summary["x"].n) == (len(x), len(there))
    assert found.summary["x"].min == (there.min() if len(there) else INF)


@pytest.mark.parametrize("case", FROM_SPARK)
def test_files_are_left_to_spark_where_the_rows_are_others(case: str, files: DataFrame) -> None:
    assert data_files(files.select("x")) is not None
    assert data_files(FROM_SPARK[case](files).select("x")) is None


def test_a_renamed_column_is_the_one_that_is_learned(files: DataFrame) -> None:
    found = scan(FROM_SPARK["two columns swapped"](files), Wanted(summary=("x", "large")))
    assert found.cost.engine == "arrow"
    assert found.summary["x"].min > 1e8 > found.summary["large"].min
    assert scan(files.select(F.col("large").alias("X")), Wanted(summary=("X",))).summary["X"].min > 1e8
    by_case = scan(files.select("LARGE", "FLAG"), Wanted(summary=("LARGE", "FLAG")))
    assert by_case.summary["LARGE"].min == found.summary["x"].min
    assert by_case.summary["FLAG"].n == table()["flag"].drop_null().length()


def test_settings_that_hide_broken_files_are_left_to_spark(spark: SparkSession, files: DataFrame) -> None:
    spark.conf.set("spark.sql.files.ignoreCorruptFiles", "true")
    try:
        assert data_files(files) is None
    finally:
        spark.conf.unset("spark.sql.files.ignoreCorruptFiles")


def test_the_files_are_those_of_the_folder(folder: Path, files: DataFrame) -> None:
    found = data_files(files.where("label = 'ü %/:='").select("x", "label")) or []
    paths = {str(path): path.stat() for path in (folder / "parquet").glob("label=ü*/*/*.parquet")}
    assert len(found) == len(paths) == 3
    for file in found:
        assert file.bytes == paths[file.path].st_size
        assert file.modified == int(paths[file.path].st_mtime * 1000)
        assert ("label", "ü %/:=") in file.partition


def test_a_decimal_is_a_number_and_all_is_text(rows: DataFrame) -> None:
    names = ("exact", "x", "single", "day", "tags")
    found = scan(rows, Wanted(summary=("exact",), frequencies=names, values=("exact",)))
    exact = table()["exact"].to_pandas().dropna().astype("float64")
    assert (found.summary["exact"].min, found.summary["exact"].max) == (exact.min(), exact.max())
    assert found.values["exact"].weighted().quantile(0.5) == exact.median()
    assert found.frequencies["exact"].counts == word("exact").value_counts().to_dict()
    assert found.frequencies["day"].counts == word("day").value_counts().to_dict()
    assert found.frequencies["x"].counts["Infinity"] == table()["x"].to_pylist().count(INF)
    assert "[7]" in found.frequencies["tags"].counts


def test_neither_deleted_rows_nor_another_column_of_the_name_are_learned(spark: SparkSession, tmp_path: Path) -> None:
    path = str(tmp_path / "t")
    table = f"delta.`{path}`"
    write_deltalake(path, pa.table({"x": [1.0] * 100, "y": np.arange(100.0)}))
    spark.sql(f"ALTER TABLE {table} SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name')")
    spark.sql(f"ALTER TABLE {table} RENAME COLUMN x TO z")
    spark.sql(f"ALTER TABLE {table} RENAME COLUMN y TO x")  # the file goes on calling it y
    found = scan(spark.read.format("delta").load(path), X)
    assert (found.cost.engine, found.n_rows, found.summary["x"].max) == ("arrow", 100, 99.0)
    spark.sql(f"ALTER TABLE {table} SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')")
    spark.sql(f"DELETE FROM {table} WHERE x >= 90")
    assert list(Path(path).rglob("deletion_vector*"))
    found = scan(spark.read.format("delta").load(path), X)
    assert (found.cost.engine, found.n_rows, found.summary["x"].max) == ("arrow", 90, 89.0)


def test_a_column_that_older_files_lack_is_null_in_them(spark: SparkSession, tmp_path: Path) -> None:
    path = str(tmp_path / "t")
    write_deltalake(path, pa.table({"y": [1.0, 2.0]}))
    write_deltalake(path, pa.table({"y": [3.0], "x": [4.0]}), mode="append", schema_mode="merge")
    df = spark.read.format("delta").load(path)
    assert scan(df, Wanted(summary=("y",))).cost.engine == "files, driver"
    with by_tasks():
        found = scan(df, X)
    assert found.cost.engine == "arrow"
    assert (found.n_rows, found.summary["x"].n_null, found.summary["x"].max) == (3, 2, 4.0)


@pytest.mark.parametrize(
    ("stored", "schema", "engine"),
    [
        (pa.int32(), "x int", "files, driver"),
        (pa.int32(), "x bigint", "files, driver"),
        (pa.float32(), "x double", "files, driver"),
        (pa.int32(), "x double", "arrow"),
        (pa.int32(), "x tinyint", "arrow"),
    ],
)
def test_files_of_another_type_than_they_are_read_as(
    stored: pa.DataType, schema: str, engine: str, spark: SparkSession, tmp_path: Path
) -> None:
    pq.write_table(pa.table({"x": pa.array([None, 1, 100], stored)}), tmp_path / "a.parquet")
    found = scan(spark.read.schema(schema).parquet(str(tmp_path)), X)
    assert found.cost.engine == engine
    assert (found.n_rows, found.summary["x"].n_null, found.summary["x"].max) == (3, 1, 100.0)


def test_a_partition_of_any_type_is_a_number_and_a_category(spark: SparkSession, tmp_path: Path) -> None:
    nothing = "__HIVE_DEFAULT_PARTITION__"
    values = {
        "b": ("true", "false", nothing),
        "i": ("7", "-7", nothing),
        "f": ("1.5", "NaN", nothing),
        "d": ("2020-02-29", "1850-01-01", nothing),
        "t": ("2020-02-29 12%3A00%3A01.5", "1969-12-31 23%3A59%3A59.999999", nothing),
    }
    for i in range(3):
        path = tmp_path.joinpath(*(f"{name}={parts[i]}" for name, parts in values.items()))
        path.mkdir(parents=True)
        pq.write_table(pa.table({"x": [float(i)]}), path / "a.parquet")
    schema = "x double, b boolean, i bigint, f double, d date, t timestamp"
    df = spark.read.schema(schema).parquet(str(tmp_path))
    numbers = ("x", "b", "i", "f", "d", "t")
    wanted = Wanted(summary=numbers, values=numbers, frequencies=("b", "i"), missingness=numbers)
    found = scan(df, wanted)
    assert found.cost.engine == "files, driver"
    assert {name: (s.n, s.n_null) for name, s in found.summary.items()} == {
        **dict.fromkeys(numbers, (2, 1)),
        **{"x": (3, 0), "f": (1, 1)},
    }
    assert found.frequencies["b"].counts == {"true": 1, "false": 1}
    assert (found.summary["b"].min, found.summary["b"].max) == (0.0, 1.0)
    assert found.summary["d"].min == (dt.date(1850, 1, 1) - dt.date(1970, 1, 1)).days * 86400.0
    assert (found.summary["t"].min, found.summary["t"].max) == (-1e-6, 1582977601.5)
    assert_same(found, scan(df.where("x >= 0"), wanted))
    alone = Wanted(summary=("d", "t"), frequencies=("b",))  # none of the columns in the file itself
    assert_same(scan(df, alone), scan(df.where("x >= 0"), alone))


def test_what_is_missing_does_not_depend_on_what_else_is_wanted(
    rows: DataFrame, files: DataFrame, learned: Statistics
) -> None:
    for df in (rows, files):
        found = scan(df, Wanted(missingness=WANTED.missingness, ranges=WANTED.ranges))
        assert found.missingness.to_dict() == learned.missingness.to_dict()


def test_batches_are_put_together_to_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning.files, "chunk_rows", lambda n_columns: 10 // n_columns)
    values = [np.full(n, float(i)) for i, n in enumerate([4, 0, 4, 4, 11, 3, 2])]
    batches = [pa.record_batch({"c0": pa.array(part)}) for part in values]
    wanted = Wanted(moments=("x",))
    found = [rows for rows, _ in scanning._chunks(batches, wanted.roles, wanted)]
    assert [rows.n_rows for rows in found] == [12, 11, 5]
    np.testing.assert_array_equal(np.concatenate([r.number("x").values for r in found]), np.concatenate(values))
    assert list(scanning._chunks([], wanted.roles, wanted)) == []


def test_no_rows_give_nothing(rows: DataFrame) -> None:
    learned = scan(rows.where("word = 'no such word'"), WANTED)
    assert learned.n_rows == learned.gram.count("large") == 0
    assert np.isnan(learned.mean_and_variance("x")).all()
    assert learned.frequencies["word"].vocabulary(top_k=5) == []


def test_rows_are_counted_when_nothing_else_is_wanted(rows: DataFrame) -> None:
    found = scan(rows, Wanted())
    assert (found.n_rows, found.gram.n_rows, found.cost) == (N, N, Cost("count", 1, 0))


STRANGE = ("a.b", "c d", "e`f", "c0", "é'\"", "a")


def test_columns_may_have_any_name(spark: SparkSession, tmp_path: Path) -> None:
    wanted = Wanted(moments=STRANGE, frequencies=STRANGE[:3], missingness=STRANGE[-1:])
    columns = pa.table({name: [i, i + 2] for i, name in enumerate(STRANGE)})
    pq.write_table(columns, tmp_path / "a.parquet")
    for df, engine in (
        (spark.createDataFrame(columns), "arrow"),
        (spark.read.parquet(str(tmp_path)), "files, driver"),
    ):
        found = scan(df, wanted)
        assert found.cost.engine == engine
        assert [found.mean_and_variance(name)[0] for name in STRANGE] == [i + 1 for i in range(len(STRANGE))]
        assert found.frequencies["c d"].counts == {"1": 1, "3": 1}


def test_an_unknown_column_is_named_with_the_nearest(rows: DataFrame) -> None:
    with pytest.raises(ConfigError, match=r"statistics: .*'larg'.*'large'"):
        scan(rows, Wanted(summary=("x", "larg")))
    with pytest.raises(ConfigError, match=r"'wrd'.*'word'"):
        scan(rows, Wanted(classes=(("label", Wanted(frequencies=("wrd",))),)))


@pytest.mark.parametrize("name", ["tags", "word"])
def test_a_column_that_is_no_number_is_named(name: str, rows: DataFrame, files: DataFrame) -> None:
    for df in (rows, files):
        with pytest.raises(ConfigError, match=rf"column '{name}': expected a number, found a column of type \w+"):
            scan(df, Wanted(moments=(name,)))


def test_what_a_task_refuses_arrives_as_it_was_said(spark: SparkSession, tmp_path: Path) -> None:
    columns = pa.table({"key": [f"{i}" for i in range(1001)]})
    pq.write_table(columns, tmp_path / "a.parquet")
    wanted = Wanted(classes=(("key", Wanted()),))
    files = spark.read.parquet(str(tmp_path))
    for df in (files, spark.createDataFrame(columns).coalesce(1)):
        with by_tasks(), pytest.raises(ConfigError) as refused:
            scan(df, wanted)
        assert refused.value.where == "column 'key'"
        assert (refused.value.expected, refused.value.found) == ("at most 1,000 classes", "more")
        assert refused.value.remedy
    with pytest.raises(ConfigError, match="1,000 classes"):
        scan(files, wanted)


def test_a_file_that_is_gone_is_left_to_spark_to_complain_of(spark: SparkSession, tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [1.0]}), tmp_path / "a.parquet")
    df = spark.read.parquet(str(tmp_path))
    df.count()
    (tmp_path / "a.parquet").unlink()
    with pytest.raises(Exception, match=r"FAILED_READ_FILE|FILE_NOT_EXIST"):
        scan(df, X)


def test_to_count_partitions_runs_no_shuffle(spark: SparkSession, rows: DataFrame) -> None:
    found, n_jobs = jobs(spark, lambda: n_partitions(rows.repartition(9)))
    assert (found, n_jobs) == (9, 0)
    assert n_partitions(spark.range(10, numPartitions=3).toDF("x")) == 3


CACHED = Wanted(summary=("x",), moments=("x",), values=("x",), frequencies=("w",), missingness=("x", "w"))


def write(folder: Path, name: str, seed: int) -> Path:
    rng = np.random.default_rng(seed)
    path = folder / f"{name}.parquet"
    columns = {"x": pa.array(rng.normal(size=50), mask=rng.random(50) < 0.1), "w": rng.choice(["a", "b"], 50)}
    pq.write_table(pa.table(columns), path)
    return path


def test_only_files_that_were_added_are_read_again(spark: SparkSession, tmp_path: Path) -> None:
    data, cache = tmp_path / "data", str(tmp_path / "cache")
    data.mkdir()

    def rescan(wanted: Wanted = CACHED) -> Statistics:
        """With the cache, and the same as without."""
        df = spark.read.schema("x double, w string").parquet(str(data))
        found = scan(df, wanted, cache=cache)
        assert_same(found, scan(df, wanted))
        return found

    def cost_of(*paths: Path) -> int:
        """What the wanted columns of some files take, which are all they have."""
        groups = [pq.read_metadata(path).row_group(0) for path in paths]
        return sum(group.column(i).total_compressed_size for group in groups for i in range(2))

    a, b = write(data, "a", 1), write(data, "b", 2)
    assert rescan().cost == Cost("files, driver", 0, cost_of(a, b))
    assert rescan().cost == Cost("cache", 0, 0)
    c = write(data, "c", 3)
    added = rescan()
    assert (added.n_rows, added.cost) == (150, Cost("files, driver and cache", 0, cost_of(c)))
    assert rescan().cost == Cost("cache", 0, 0)
    d = write(data, "d", 4)
    with by_tasks():
        assert rescan().cost == Cost("files and cache", 1, cost_of(d))  # of these few bytes, by tasks
    more = CACHED | Wanted(shape=("x",))  # other wants have an entry of their own
    assert rescan(more).cost == Cost("files, driver", 0, cost_of(a, b, c, d))
    assert rescan().cost == Cost("cache", 0, 0)
    write(data, "b", 5)
    os.utime(b, (0, os.stat(a).st_mtime + 10))
    assert rescan().cost == Cost("files, driver", 0, cost_of(a, b, c, d))  # rewritten
    b.unlink()
    gone = rescan()
    assert (gone.n_rows, gone.cost) == (150, Cost("files, driver", 0, cost_of(a, c, d)))
    for entry in (tmp_path / "cache").iterdir():
        entry.write_bytes(entry.read_bytes()[:-20])
    assert rescan().cost == Cost("files, driver", 0, cost_of(a, c, d))  # what was damaged is learned anew, and kept
    assert rescan().cost == Cost("cache", 0, 0)


def test_versions_of_a_delta_table_share_what_is_known(
    spark: SparkSession, learned: Statistics, tmp_path: Path
) -> None:
    path, cache = str(tmp_path / "t"), str(tmp_path / "cache")
    whole = table().select(["x", "whole", "word"])
    wanted = Wanted(moments=("x",), frequencies=("whole", "word"))

    def rescan() -> Statistics:
        return scan(spark.read.format("delta").load(path), wanted, cache=cache)

    write_deltalake(path, whole.slice(0, 600), partition_by=["whole"])
    first = rescan()
    write_deltalake(path, whole.slice(600), mode="append")
    second = rescan()
    assert (first.n_rows, second.n_rows) == (600, N)
    assert second.cost.engine == "files, driver and cache"
    assert 0 < second.cost.bytes < first.cost.bytes
    third = rescan()
    assert third.cost == Cost("cache", 0, 0)
    assert third.sums.mean_and_variance("x") == learned.mean_and_variance("x")
    for name in wanted.frequencies:
        assert third.frequencies[name].to_dict() == learned.frequencies[name].to_dict()


def test_rows_that_are_no_files_are_not_kept_and_a_cache_may_fail(
    rows: DataFrame, spark: SparkSession, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    assert scan(rows, X, cache=str(cache)).n_rows == N
    assert not cache.exists()
    write(tmp_path, "a", 1)
    cache.write_text("in the way")
    df = spark.read.parquet(str(tmp_path / "a.parquet"))
    for _ in range(2):
        assert scan(df, X, cache=str(cache)).cost.engine == "files, driver"
