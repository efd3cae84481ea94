"""Extraction from S3: what lands is what lands from a folder of the same files, whatever their names and the faults."""

from __future__ import annotations

import gzip
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from servers.fixtures import S3
from servers.proxy import RESET, UNAVAILABLE, Fault, Request, every
from traintable.config.ingest import IngestConfig
from traintable.ingest.job import ingest

COLUMNS = {"id": {"type": "bigint"}, "name": {}, "x": {"type": "double", "max": 100}}
ODD = ("a [1]+%.csv", "50%25 off#?.csv", "größe/日本 ~!$&'(),;=@.csv", "e\u0301 {x}*.csv")
MONTHS = {"load": {"mode": "interval", "schedule": "monthly"}}


@dataclass(frozen=True)
class Lake:
    """A bucket and a folder that hold the same files, and tables of what was landed from either."""

    s3: S3
    bucket: str
    folder: Path
    spark: SparkSession

    def put(self, name: str, content: str | bytes) -> None:
        raw = content.encode() if isinstance(content, str) else content
        self.s3.client.put_object(Bucket=self.bucket, Key=f"raw/{name}", Body=raw)
        path = self.folder / "raw" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)

    def land(
        self, table: str, path: str, kind: str = "csv", *, interval: str | None = None, **more: Any
    ) -> dict[str, Any]:
        source = {"format": kind, "path": path, **more.pop("source", {})}
        known = {
            "name": "test",
            "root": str(self.folder),
            "columns": COLUMNS,
            "key": ["id"],
            "output": {"table": table},
        }
        config = IngestConfig.model_validate({**known, "source": source, **more})
        return ingest(config, interval=interval, spark=self.spark)

    @property
    def address(self) -> str:
        return f"s3a://{self.bucket}/raw"

    def content(self, table: str) -> tuple[list[Any], list[Any]]:
        """The rows of a table and what was kept apart, as another reader sees them, by their places below `raw`."""
        rows = self.read(table, "_file", "id", "name", "x")
        kept = self.read(f"{table}_quarantine", "_file", "position", "raw", "reasons")
        return rows, kept

    def read(self, table: str, *columns: str) -> list[Any]:
        path = self.folder / table
        rows = DeltaTable(str(path)).to_pyarrow_table().to_pylist() if path.exists() else []
        beneath = re.compile(f"^(?:{re.escape(self.address)}|raw)/")
        assert all(beneath.match(row["_file"]) for row in rows)
        return sorted(([beneath.sub("", row["_file"]), *(row[c] for c in columns[1:])] for row in rows), key=repr)


@pytest.fixture
def lake(s3: S3, spark: SparkSession, tmp_path: Path) -> Lake:
    return Lake(s3, s3.new_bucket(), tmp_path, spark)


def csv_text(seed: int, n: int = 5, *, bad_ratio: float = 0.3) -> str:
    """Records of which some are bad."""
    rng = random.Random(seed)
    numbers = ["bad" if rng.random() < bad_ratio else "2.5" for _ in range(n)]
    return "".join(["id,name,x\n", *(f"{rng.randrange(10**6)},{rng.choice('xé')},{x}\n" for x in numbers)])


def json_text(seed: int, n: int = 5, *, bad_ratio: float = 0.3) -> str:
    rng = random.Random(seed)
    numbers = ["200" if rng.random() < bad_ratio else "1.5" for _ in range(n)]
    return "".join(f'{{"id":{rng.randrange(10**6)},"name":"é","x":{x}}}\n' for x in numbers)


def lists_only(requests: list[Request]) -> bool:
    return bool(requests) and all("list-type=2" in request.query for request in requests)


def test_csv_by_files_with_odd_names(lake: Lake) -> None:
    for i, name in enumerate(ODD):
        lake.put(name, csv_text(i))
        lake.put(f"{name}.gz", gzip.compress(csv_text(100 + i).encode()))
    lake.put("_hidden/a.csv", "id,name,x\n1,hidden,1\n")
    lake.put("empty.csv", "")
    result = lake.land("from_s3", lake.address)
    assert lake.land("from_folder", "raw")["rows"] == result["rows"]
    assert result["rows"]["read"] == 40
    assert result["rows"]["quarantined"] > 0
    assert lake.content("from_s3") == lake.content("from_folder")
    assert {row[0].removesuffix(".gz") for row in lake.content("from_s3")[0]} == set(ODD)
    with lake.s3.proxy.obeying() as requests:
        assert lake.land("from_s3", lake.address)["status"] == "unchanged"
    assert lists_only(requests)
    lake.put(ODD[0], "id,name,x\n7,corrected,1\n")
    assert lake.land("from_s3", lake.address)["rows"] == {"read": 1, "accepted": 1, "quarantined": 0}
    assert [row for row in lake.content("from_s3")[0] if row[0] == ODD[0]] == [[ODD[0], 7, "corrected", 1.0]]
    lake.s3.client.put_object(Bucket=lake.bucket, Key="raw/a:b.csv", Body=b"id,name,x\n8,no name of a local file,1\n")
    assert lake.land("from_s3", lake.address)["rows"] == {"read": 1, "accepted": 1, "quarantined": 0}
    assert len(lake.content("from_s3")[0]) + len(lake.content("from_s3")[1]) == 37


def test_csv_with_line_ends_within_values(lake: Lake) -> None:
    lake.put("ü [1].csv", 'id,name,x\n1,"two\nlines",1\n2,b,bad\n')
    lake.put("b.csv.gz", gzip.compress(b'id,name,x\n3,"two\r\nlines",1\n'))
    options = {"source": {"multi_line": True}}
    assert lake.land("from_s3", lake.address, **options)["rows"] == {"read": 3, "accepted": 2, "quarantined": 1}
    lake.land("from_folder", "raw", **options)
    assert lake.content("from_s3") == lake.content("from_folder")


def test_json_lines_by_interval(lake: Lake) -> None:
    for month in (1, 2, 3):
        lake.put(f"2026/{month:02}/a b%.json", json_text(month))
        lake.put(f"2026/{month:02}/c.json.gz", gzip.compress(json_text(10 + month).encode()))
    for interval in ("2026-02-01/2026-03-01", "2026-01-01/2026-02-01"):
        with lake.s3.proxy.obeying() as requests:
            result = lake.land("from_s3", f"{lake.address}/%Y/%m/*", "json", interval=interval, **MONTHS)
        assert result["rows"]["read"] == 10
        own = f"raw/{interval[:7].replace('-', '/')}/"
        assert all(prefix.startswith(own) for prefix in prefixes(requests))
        lake.land("from_folder", "raw/%Y/%m/*", "json", interval=interval, **MONTHS)
    assert lake.content("from_s3") == lake.content("from_folder")
    with lake.s3.proxy.obeying() as requests:
        again = lake.land("from_s3", f"{lake.address}/%Y/%m/*", "json", interval="2026-01-01/2026-03-01", **MONTHS)
    assert again["status"] == "unchanged"
    assert lists_only(requests)
    assert prefixes(requests) == ["raw/2026/01/", "raw/2026/02/"]
    lake.put("2026/02/late.json", json_text(20))
    assert (
        lake.land("from_s3", f"{lake.address}/%Y/%m/*", "json", interval="2026-02-01", **MONTHS)["rows"]["read"] == 15
    )


def prefixes(requests: list[Request]) -> list[str]:
    """What was listed, in order."""
    return [parse_qs(request.query)["prefix"][0] for request in requests if "list-type=2" in request.query]


@pytest.fixture
def flaky(lake: Lake) -> Iterator[Callable[[], list[Request]]]:
    """The server answers a third of the requests not at all, or in part; returns what has failed."""
    faults = (UNAVAILABLE, RESET, Fault(reset_after=2_000))
    with lake.s3.proxy.obeying(every(3, *faults, path=lake.bucket)) as requests:
        yield lambda: [request for request in requests if request.fault]


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_what_lands_through_faults_is_what_lands_without(
    lake: Lake, kind: str, flaky: Callable[[], list[Request]]
) -> None:
    text = csv_text if kind == "csv" else json_text
    for i in range(4):
        lake.put(f"{i}.{kind}", text(i, 2_000, bad_ratio=0.002))
        lake.put(f"{i}.{kind}.gz", gzip.compress(text(10 + i, 2_000, bad_ratio=0.002).encode()))
    result = lake.land("from_s3", lake.address, kind)
    assert result["unreadable"] == []
    assert {request.fault for request in flaky()} == {UNAVAILABLE, RESET, Fault(reset_after=2_000)}
    assert lake.land("from_folder", "raw", kind)["rows"] == result["rows"]
    assert lake.content("from_s3") == lake.content("from_folder")
    assert lake.land("from_s3", lake.address, kind)["status"] == "unchanged"
