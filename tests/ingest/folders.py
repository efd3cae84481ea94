"""A folder of raw files, and the tables that they are landed in."""

from __future__ import annotations

import bz2
import gzip
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from traintable.config.ingest import IngestConfig
from traintable.ingest.job import ingest
from traintable.ingest.recount import recount

PACKED = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".zst": lambda content: pa.compress(content, codec="zstd", asbytes=True),
}


def packed(name: str, content: bytes) -> bytes:
    """Some content as its file's name says that it is packed."""
    pack = PACKED.get(Path(name).suffix)
    return pack(content) if pack else content


class Folder:
    """Raw files of one format below `root`."""

    def __init__(self, root: Path, spark: SparkSession, columns: dict[str, Any], **source: Any) -> None:
        self.root, self.spark, self.columns, self.source = root, spark, columns, source
        (root / "raw").mkdir()

    def put(self, **files: bytes) -> None:
        """Write files, packed as their names say, which have `__` for the dots in them."""
        for name, content in files.items():
            path = self.root / "raw" / name.replace("__", ".")
            path.write_bytes(packed(path.name, content))

    def config(self, **more: Any) -> IngestConfig:
        known = {"name": "test", "root": str(self.root), "columns": self.columns, "output": {"table": "landed"}}
        return IngestConfig.model_validate({**known, "source": {"path": "raw", **self.source}, **more})

    def land(self, **more: Any) -> dict[str, Any]:
        """Land what is new; all that was read is accounted for."""
        result = ingest(self.config(**more), spark=self.spark)
        assert recount(str(self.root / "landed"), spark=self.spark)[-1].ok
        return result

    def rows(self, table: str = "landed") -> list[dict[str, Any]]:
        """The rows of a table as another reader sees them, with the short names of their files."""
        path = self.root / table
        found = DeltaTable(str(path)).to_pyarrow_table().to_pylist() if path.exists() else []
        return [{**row, "_file": row["_file"].removeprefix("raw/")} for row in found]

    def kept(self) -> list[tuple[Any, ...]]:
        """The records in quarantine: file, position, the beginning of the text, reasons."""
        rows = self.rows("landed_quarantine")
        return sorted((row["_file"], row["position"], row["raw"][:40], *row["reasons"]) for row in rows)

    def counts(self) -> Counter[str]:
        """How many records of each file were accepted or kept."""
        return Counter(row["_file"] for table in ("landed", "landed_quarantine") for row in self.rows(table))
