"""Parquet as its writers vary: each encoding and layout is read as Arrow reads it, and what is damaged is reported."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from folders import Folder
from pyspark.sql import SparkSession

UTC = dt.timezone.utc
COLUMNS = {
    "id": "bigint",
    "flag": "boolean",
    "tiny": "tinyint",
    "small": "smallint",
    "whole": "int",
    "single": "float",
    "double": "double",
    "amount": "decimal(9,2)",
    "large": "decimal(38,10)",
    "text": "string",
    "raw": "binary",
    "day": "date",
    "at": "timestamp",
    "local": "timestamp_ntz",
    "list": "array<int>",
    "struct": "struct<a:int,b:string>",
    "structs": "array<struct<a:bigint,b:array<string>>>",
}
TYPES = {
    **{"id": pa.int64(), "flag": pa.bool_(), "tiny": pa.int8(), "small": pa.int16(), "whole": pa.int32()},
    **{"single": pa.float32(), "double": pa.float64(), "amount": pa.decimal128(9, 2), "large": pa.decimal128(38, 10)},
    **{"text": pa.string(), "raw": pa.binary(), "day": pa.date32(), "at": pa.timestamp("us", "UTC")},
    **{"local": pa.timestamp("us"), "list": pa.list_(pa.int32())},
    "struct": pa.struct([("a", pa.int32()), ("b", pa.string())]),
    "structs": pa.list_(pa.struct([("a", pa.int64()), ("b", pa.list_(pa.string()))])),
}


def row(i: int) -> dict[str, Any]:
    """A row, each value of which is null now and then."""
    at = dt.datetime(1900 + 10 * (i % 20), 3, 1, 2, 30, 0, i)
    values: dict[str, Any] = {
        **{
            "flag": i % 2 == 0,
            "tiny": i % 256 - 128,
            "small": -i,
            "whole": -i * 7919,
            "single": i / 4,
            "double": i / 3,
        },
        **{
            "amount": Decimal(i) / 4,
            "large": Decimal(10**27 + i),
            "text": "ä\0" * (i % 5),
            "raw": bytes([255, i % 256]),
        },
        **{"day": at.date(), "at": at.replace(tzinfo=UTC), "local": at, "list": [i, None] * (i % 3)},
        **{"struct": {"a": None, "b": str(i)}, "structs": [{"a": i, "b": ["x", None]}, None, {"a": None, "b": []}]},
    }
    return {"id": i, **{name: None if (i + n) % 7 == 0 else value for n, (name, value) in enumerate(values.items())}}


def table(first: int, n: int) -> pa.Table:
    return pa.Table.from_pylist([row(i) for i in range(first, first + n)], schema=pa.schema(TYPES.items()))


NUMBERS = dict.fromkeys(["id", "whole"], "DELTA_BINARY_PACKED")
VARIANTS: dict[str, dict[str, Any]] = {
    **{f"{codec}.parquet": {"compression": codec} for codec in ("none", "snappy", "gzip", "zstd", "lz4")},
    "plain.parquet": {"use_dictionary": False},
    "delta.parquet": {"use_dictionary": False, "column_encoding": {**NUMBERS, "text": "DELTA_BYTE_ARRAY"}},
    "lengths.parquet": {"use_dictionary": False, "column_encoding": {"text": "DELTA_LENGTH_BYTE_ARRAY"}},
    "pages.parquet": {"data_page_version": "2.0", "data_page_size": 64, "write_page_checksum": True},
    "groups.parquet": {"row_group_size": 3, "write_statistics": False},
    "int96.parquet": {"use_deprecated_int96_timestamps": True},
    "integers.parquet": {"store_decimal_as_integer": True, "use_compliant_nested_type": False},
}


def test_each_way_to_write_parquet(tmp_path: Path, spark: SparkSession) -> None:
    folder = Folder(tmp_path, spark, {name: {"type": kind} for name, kind in COLUMNS.items()}, format="parquet")
    expected = {}
    for number, (name, options) in enumerate(VARIANTS.items()):
        content = table(100 * number, 50)
        pq.write_table(content, tmp_path / "raw" / name, **options)
        expected.update({(name, one["id"]): one for one in content.to_pylist()})
    pq.write_table(table(0, 0), tmp_path / "raw" / "empty.parquet")
    with pq.ParquetWriter(tmp_path / "raw" / "holes.parquet", pa.schema(TYPES.items())) as writer:
        for n in (0, 1, 0, 2):
            writer.write_table(table(5000 + 10 * n, n))
    expected.update({("holes.parquet", one["id"]): one for one in [row(5010), row(5020), row(5021)]})
    result = folder.land()
    assert result.get("unreadable", []) == []
    assert result["rows"] == {"read": len(expected), "accepted": len(expected), "quarantined": 0}
    found = {(one.pop("_file"), one["id"]): one for one in folder.rows()}
    for key, one in expected.items():
        assert found.pop(key) == one, key
    assert found == {}


@pytest.mark.slow
def test_parquet_that_is_damaged_is_reported(tmp_path: Path, spark: SparkSession) -> None:
    folder = Folder(tmp_path, spark, {name: {"type": kind} for name, kind in COLUMNS.items()}, format="parquet")
    pq.write_table(table(0, 50), tmp_path / "raw" / "whole.parquet")
    whole = (tmp_path / "raw" / "whole.parquet").read_bytes()
    start = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")  # of the footer
    folder.put(
        magic__parquet=b"XXXX" + whole[4:-4] + b"XXXX",
        length__parquet=whole[:-8] + b"\xff\xff\xff\x7fPAR1",
        zero__parquet=whole[:-8] + bytes(4) + b"PAR1",
        tail__parquet=whole[:-1],
        footer__parquet=whole[:start] + bytes([255] * 80) + whole[start + 80 :],
        head__parquet=whole[len(whole) // 2 :],
        csv__parquet=b"id,name\n1,a\n",
    )
    split = dict.fromkeys(["single", "double"], "BYTE_STREAM_SPLIT")  # which Spark's reader does not know
    pq.write_table(table(0, 50), tmp_path / "raw" / "split.parquet", use_dictionary=False, column_encoding=split)
    result = folder.land()
    names = ["csv", "footer", "head", "length", "magic", "split", "tail", "zero"]
    assert sorted(result["unreadable"]) == [f"raw/{name}.parquet" for name in names]
    assert result["rows"] == {"read": 50, "accepted": 50, "quarantined": 0}
    assert len(folder.rows()) == 50
