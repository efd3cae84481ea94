"""Whatever way the rows come, little arrives at the driver, and the same is learned or said of them."""

from __future__ import annotations

import datetime as dt
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from traintable.errors import ConfigError
from traintable.statistics import Wanted, scan

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession

scanning = importlib.import_module("traintable.statistics.scan")

N_FILES, N_COLUMNS, N_ROWS = 20, 100, 300
NAMES = tuple(f"x{i}" for i in range(N_COLUMNS))
WIDE = Wanted(values=NAMES, sketches=True, moments=NAMES)


@pytest.fixture(scope="module")
def matrix() -> Any:
    return np.random.default_rng(0).normal(size=(N_FILES * N_ROWS, N_COLUMNS))


@pytest.fixture(scope="module")
def wide(spark: SparkSession, matrix: Any, tmp_path_factory: pytest.TempPathFactory) -> DataFrame:
    folder = tmp_path_factory.mktemp("wide")
    for i, part in enumerate(np.split(matrix, N_FILES)):
        pq.write_table(pa.table(dict(zip(NAMES, part.T, strict=True))), folder / f"{i}.parquet")
    return spark.read.parquet(str(folder))


@pytest.fixture
def arrived(collected: list[list[Row]]) -> Callable[[], list[int]]:
    """The sizes of the states that have come to the driver so far."""
    return lambda: [len(state) for rows in collected for [state] in rows]


@pytest.mark.parametrize(
    ("engine", "n"), [("files", N_FILES), ("arrow", N_FILES), ("arrow", None)], ids=["files", "arrow", "connect"]
)
def test_little_comes_to_the_driver_however_many_columns_and_tasks_there_are(
    engine: str,
    n: int | None,
    wide: DataFrame,
    matrix: Any,
    arrived: Callable[[], list[int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bound = 3 * WIDE.state_bytes
    monkeypatch.setattr(scanning, "_COLLECTED_BYTES", bound)
    monkeypatch.setattr(scanning, "_MERGED_STATES", 5)
    monkeypatch.setattr(scanning, "_ASSUMED_TASKS", N_FILES)
    monkeypatch.setattr(scanning, "_DRIVER_BYTES", 0)
    monkeypatch.setattr(scanning, "parallelism", lambda spark: N_FILES)
    if n is None:
        monkeypatch.setattr(scanning, "n_partitions", lambda df: None)
    found = scan(wide if engine == "files" else wide.repartition(N_FILES), WIDE)
    assert found.cost.engine == engine
    assert len(arrived()) == 1  # 20, then 4, then 1
    assert sum(arrived()) <= bound
    assert found.n_rows == len(matrix)
    for i in (0, 50, 99):
        assert found.mean_and_variance(NAMES[i])[0] == pytest.approx(matrix[:, i].mean(), abs=1e-15)
        assert found.values[NAMES[i]].weighted().n == len(matrix)
        assert found.values[NAMES[i]].n_distinct() == (len(matrix), 0.0)


def test_the_size_of_a_state_is_known_beforehand(
    wide: DataFrame, arrived: Callable[[], list[int]], matrix: Any
) -> None:
    scan(wide.repartition(2), WIDE)
    assert len(arrived()) == 2
    assert WIDE.state_bytes / 20 < max(arrived()) < WIDE.state_bytes
    many = Wanted(values=tuple(f"x{i}" for i in range(400)), sketches=True)
    assert (many.sketch_size, WIDE.sketch_size, Wanted(values=("x",)).sketch_size) == (512, 2048, 4096)
    assert Wanted(frequencies=many.values, values=tuple(f"y{i}" for i in range(9000))).sketch_size == 256


def bad_text(folder: Path) -> Path:
    raw = [b"good", b"bad \xff\xfe", b"good"]
    text = pa.array(raw, pa.binary()).view(pa.string())
    pq.write_table(pa.table({"t é": text, "x": [1.0, 2.0, 3.0]}), folder / "a.parquet")
    return folder


@pytest.mark.parametrize("way", ["driver", "tasks", "arrow"])
def test_text_that_is_not_utf_8_is_named(
    way: str, spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    df = spark.read.parquet(str(bad_text(tmp_path)))
    if way == "tasks":
        monkeypatch.setattr(scanning, "_DRIVER_BYTES", 0)
    rows = df.where("x > 0") if way == "arrow" else df
    with pytest.raises(ConfigError, match=r"column 't é': expected text in UTF-8.*make_valid_utf8"):
        scan(rows, Wanted(frequencies=("t é",)))
    repaired = scan(df.selectExpr("make_valid_utf8(`t é`) AS t"), Wanted(frequencies=("t",)))
    assert repaired.frequencies["t"].counts["good"] == 2


def test_only_what_is_read_from_files_is_unreadable() -> None:
    def fail() -> Any:
        raise pa.ArrowInvalid("no such thing")

    with pytest.raises(pa.ArrowInvalid):
        scanning._state_batch(fail)
    state = scanning._state_batch(fail, unreadable=(pa.ArrowException,)).column(0)[0].as_py()
    assert state == '{"unreadable":[["","no such thing"]]}'


def test_a_partition_of_nan_is_missing_in_both_engines(spark: SparkSession, tmp_path: Path) -> None:
    for i, value in enumerate(("1.5", "NaN", "Infinity", "__HIVE_DEFAULT_PARTITION__")):
        (tmp_path / f"f={value}").mkdir()
        pq.write_table(pa.table({"x": [float(i)] * (i + 1)}), tmp_path / f"f={value}" / "a.parquet")
    for kind in ("double", "float"):
        df = spark.read.schema(f"x double, f {kind}").parquet(str(tmp_path))
        for wanted in (Wanted(missingness=("f", "x")), Wanted(missingness=("f",), summary=("f",))):
            files, arrow = scan(df, wanted), scan(df.where("x >= 0"), wanted)
            assert [found.cost.engine for found in (files, arrow)] == ["files, driver", "arrow"]
            assert files.to_dict() == arrow.to_dict()
            assert files.missingness.n_missing[0] == 9


def test_a_time_without_a_zone_does_not_depend_on_that_of_the_session(spark: SparkSession) -> None:
    times = [dt.datetime(2024, 3, 31, 2, 30, 0, 1), dt.datetime(1900, 1, 1), None, dt.datetime(2024, 10, 27, 2, 30)]
    texts = [None if t is None else str(t) for t in times]
    df = spark.createDataFrame(pa.table({"t": texts})).selectExpr("CAST(t AS TIMESTAMP_NTZ) AS t").cache()
    assert df.dtypes == [("t", "timestamp_ntz")]
    before = spark.conf.get("spark.sql.session.timeZone")
    seconds = [(t - dt.datetime(1970, 1, 1)).total_seconds() for t in times if t is not None]
    try:
        for zone in ("UTC", "Europe/Berlin", "America/New_York"):
            spark.conf.set("spark.sql.session.timeZone", zone)
            found = scan(df, Wanted(values=("t",)))
            assert found.values["t"].weighted().values.tolist() == sorted(seconds)
    finally:
        spark.conf.set("spark.sql.session.timeZone", str(before))


@pytest.mark.parametrize("name", ["x", "X"])
def test_a_column_that_is_there_twice_is_named(name: str, spark: SparkSession) -> None:
    df = spark.createDataFrame(pa.table({"id": [1, 2], "x": [1.0, 2.0]}))
    both = df.crossJoin(df.selectExpr("id AS other", f"x AS {name}"))
    with pytest.raises(ConfigError, match=r"'x' 2 times.*Drop or rename"):
        scan(both, Wanted(moments=("x",)))
