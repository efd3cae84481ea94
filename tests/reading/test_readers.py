"""Readers that know nothing of traintable see the rows that Spark has published, to the bit; none loads them all."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from deltalake import DeltaTable, WriterProperties
from pyspark.sql import SparkSession

from gated_tables import manifest_of, some_rows, write
from servers.install import torch_folder
from traintable.reading import _batches as reading
from traintable.run import Outcome

SCRIPT = Path(__file__).with_name("torch_reader.py")
KEY = ["time_hour", "carrier", "flight"]


def by_deltalake(table: str) -> pa.Table:
    return DeltaTable(table).to_pyarrow_table()


def by_polars(table: str) -> pa.Table:
    return pl.read_delta(table).to_arrow()


def by_polars_lazily(table: str) -> pa.Table:
    parts = (pl.scan_delta(table).filter(pl.col("split") == part) for part in ("train", "validation", "test"))
    return pl.concat(parts).collect().to_arrow()


def by_pandas(table: str) -> pa.Table:
    return pa.Table.from_pandas(DeltaTable(table).to_pandas(), preserve_index=False)


def by_duckdb(table: str) -> pa.Table:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("rows", DeltaTable(table).to_pyarrow_dataset())
        return connection.sql("SELECT * FROM rows WHERE split IS NOT NULL").to_arrow_table()


def by_batches(table: str) -> pa.Table:
    parts = (reading.batches(table, split=part, batch_size=1000) for part in ("train", "validation", "test"))
    return pa.Table.from_batches([batch for part in parts for batch in part])


READERS = (by_deltalake, by_polars, by_polars_lazily, by_pandas, by_duckdb, by_batches)


@pytest.fixture(scope="module")
def spark_rows(spark: SparkSession, published: Outcome) -> pa.Table:
    """The rows as Spark reads them."""
    return spark.read.format("delta").load(published.table).toArrow()


def bits(rows: pa.Table) -> tuple[pa.Table, np.ndarray]:
    """Rows by their key: what is one value each, and the features as the bits that they are."""
    rows = rows.sort_by([(name, "ascending") for name in KEY])
    features = rows["features"].combine_chunks()
    assert features.null_count == 0
    values = features.flatten().to_numpy(zero_copy_only=False)
    assert values.dtype == np.float32
    return rows.drop_columns(["features"]), values.reshape(len(rows), -1).view(np.uint32)


def kind(type_: pa.DataType) -> str:
    """A type without what does not matter: how offsets are kept, and what the element of a list is called."""
    if pa.types.is_list(type_) or pa.types.is_large_list(type_):
        return f"list of {kind(type_.value_type)}"
    return str(type_).removeprefix("large_").replace("string_view", "string").replace("Etc/UTC", "UTC")


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
def test_each_reader_sees_the_same_rows(
    read: Callable[[str], pa.Table], spark_rows: pa.Table, published: Outcome
) -> None:
    rows = read(published.table)
    assert Counter(rows["split"].to_pylist()) == published.rows["published"]
    assert {field.name: kind(field.type) for field in rows.schema} == {
        field.name: kind(field.type) for field in spark_rows.schema
    }
    (single, features), (expected_single, expected_features) = bits(rows), bits(spark_rows)
    assert features.shape == (sum(published.rows["published"].values()), published.details["features"])
    assert np.array_equal(features, expected_features)
    for name in expected_single.schema.names:
        assert single[name].to_pylist() == expected_single[name].to_pylist(), name


def read_by_torch(table: str, split: str, n_workers: int, columns: str, folder: Path) -> dict[str, np.ndarray]:
    """What PyTorch's DataLoader gives, in a process of its own."""
    out = folder / "rows.npz"
    command = [sys.executable, str(SCRIPT), table, split, str(n_workers), columns, str(out)]
    environment = {**os.environ, "TORCH_FOLDER": str(torch_folder()), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    with np.load(out) as found:
        return dict(found)


def test_pytorch_gets_the_rows_that_spark_has_written(spark_rows: pa.Table, published: Outcome, tmp_path: Path) -> None:
    found = read_by_torch(published.table, "test", 2, "time_hour,flight,late,features", tmp_path)
    own = spark_rows.filter(pa.compute.equal(spark_rows["split"], "test"))
    features = own["features"].combine_chunks().flatten().to_numpy().reshape(len(own), -1)
    columns = [own["time_hour"].cast(pa.int64()), own["flight"], own["late"]]
    expected = np.column_stack([*(column.to_numpy() for column in columns), features.view(np.uint32)])
    got = np.column_stack([found["time_hour"], found["flight"], found["late"], found["features"].view(np.uint32)])
    assert np.array_equal(in_order(got), in_order(expected))


def in_order(rows: np.ndarray) -> np.ndarray:
    return rows[np.lexsort(rows.T[::-1])]


N_ROWS, WIDTH, N_GROUPS = 200_000, 400, 40


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A table of 320 MB, uncompressed, whose row groups have 8 MB."""
    table = str(tmp_path_factory.mktemp("large") / "t")
    first = some_rows(N_ROWS // N_GROUPS, width=WIDTH, splits=("train",))

    def parts() -> Iterator[pa.RecordBatch]:
        for i in range(N_GROUPS):
            ids = pa.array(np.arange(len(first)) + i * len(first))
            yield from first.set_column(0, first.schema.field("id"), ids).to_batches()

    manifest = {**manifest_of(first.slice(0, 1)), "rows": {"published": {"train": N_ROWS}}}
    options = WriterProperties(max_row_group_size=len(first), compression="UNCOMPRESSED")
    write(table, pa.RecordBatchReader.from_batches(first.schema, parts()), manifest, writer_properties=options)
    assert sum(path.stat().st_size for path in Path(table).rglob("*.parquet")) > 4 * N_ROWS * WIDTH * 0.9
    return table


def test_workers_of_pytorch_share_a_table_that_none_of_them_loads(large: str, tmp_path: Path) -> None:
    found = read_by_torch(large, "train", 2, "id,features", tmp_path)
    assert np.array_equal(np.sort(found["id"]), np.arange(N_ROWS))
    assert min(Counter(found["worker"].tolist()).values()) > N_ROWS / 3
    assert found["grown"].max() < 4 * N_ROWS * WIDTH / 4
    first = some_rows(N_ROWS // N_GROUPS, width=WIDTH)["features"].combine_chunks().flatten().to_numpy()
    order = np.argsort(found["id"])[: N_ROWS // N_GROUPS]
    assert np.array_equal(found["features"][order].view(np.uint32).ravel(), first.view(np.uint32))


# At the end of a process in which deltalake has read by PyArrow's datasets, their threads may abort it: it ends before.
MEASURED = """
import os
import sys
import pyarrow as pa
from deltalake import DeltaTable
from traintable.reading._batches import batches
table, how = sys.argv[1:]
if how == "whole":
    n = DeltaTable(table).to_pyarrow_table().num_rows
else:
    n = sum(len(batch) for batch in batches(table, 0, split="train", batch_size=4096))
print(n, pa.default_memory_pool().max_memory(), flush=True)
os._exit(0)
"""


def test_batches_hold_a_row_group_at_a_time_and_not_the_table(large: str) -> None:
    held = {}
    for how in ("batches", "whole"):
        command = [sys.executable, "-c", MEASURED, large, how]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        n, held[how] = map(int, done.stdout.split())
        assert n == N_ROWS
    stored = 4 * N_ROWS * WIDTH
    assert held["batches"] < 4 * stored / N_GROUPS
    assert held["whole"] > stored  # so the measure tells
