"""Parquet, ORC and Avro files, and whole files as rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.errors import PySparkException
from pyspark.sql import functions as F

from traintable.addresses import is_remote, literal_path
from traintable.columns import quote
from traintable.config.ingest import IngestConfig
from traintable.config.promise import Promise
from traintable.config.sources import TypedSource
from traintable.contract import typed_rows
from traintable.contract.record_columns import BLOCK, FILE, PATH, PLACE, POSITION
from traintable.contract.rules import Field
from traintable.ingest.drift import apply_drift_policy, declared_fields
from traintable.ingest.listing import ListedFile, name_at
from traintable.ingest.records import SparkRecords, union
from traintable.spark.errors import first_line
from traintable.spark.task_results import UnreadableFile, UnreadableFiles

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

_AT_A_TIME = 16
_PLAIN = re.compile(r"[\w./=-]*", re.ASCII)  # names that stand in an address as they are
_WHOLE_FILE = ("path", "modificationTime", "length", "content")
_SPARKS_NAME = {"binary": "binaryFile"}
_OPTIONS = {"parquet": {"parquet.page.verify-checksum.enabled": "true"}}


@dataclass(frozen=True)
class Schema:
    """What some files say of their columns: the names, and all of it as text."""

    names: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class _Group:
    schema: Schema
    files: Sequence[ListedFile]
    drift: str | None


@dataclass(frozen=True)
class TypedFiles:
    """Files to be read, those of one schema together."""

    spark: SparkSession
    format: str
    groups: Sequence[_Group]
    fields: Sequence[Field]
    root: str

    def rows(self) -> DataFrame:
        """The rows, checked against the contract; costs one pass when computed."""
        return union(map(self._rows, self.groups))

    def counts(self) -> Counter[str]:
        """The rows of each file, of which nothing else is read."""
        counts: Counter[str] = Counter()
        for group in self.groups:
            for row in self._with_places(group, []).groupBy(PATH).count().collect():  # one row a file
                counts[name_at(row[PATH], self.root)] += int(row["count"])
        return counts

    def bad(self) -> DataFrame:
        """The bad rows; costs one pass, and a narrow one for the positions in ORC and Avro files."""
        return union(map(self._bad, self.groups))

    def _bad(self, group: _Group) -> DataFrame:
        bad = typed_rows.bad_records(self._rows(group), group.schema.names)
        if self.format in ("parquet", "binary"):
            return bad.withColumnRenamed(PLACE, POSITION).drop(BLOCK)
        return SparkRecords(self._with_places(group, []), True).with_positions(bad, self.root)

    def _rows(self, group: _Group) -> DataFrame:
        names = group.schema.names
        rows = self._with_places(group, names)
        columns = [
            *(F.col(f"_{i}") for i in range(len(names))),
            _names(group.files, self.root).alias(FILE),
            F.col(BLOCK),
            F.col(PLACE),
        ]
        large = "content" if self.format == "binary" else None
        return typed_rows.check_rows(rows.select(*columns), names, self.fields, drift=group.drift, large=large)

    def _with_places(self, group: _Group, names: Sequence[str]) -> DataFrame:
        """Columns of the files as `_0`, `_1`, ..., and where each row is."""
        reader = self.spark.read.format(_SPARKS_NAME.get(self.format, self.format))
        rows = reader.options(**_OPTIONS.get(self.format, {})).load([literal_path(file.path) for file in group.files])
        block, place = F.col("_metadata.file_block_start"), F.monotonically_increasing_id()
        if self.format == "parquet":
            block, place = F.lit(0).cast("bigint"), F.col("_metadata.row_index") + 1
        elif self.format == "binary":
            block, place = F.lit(0).cast("bigint"), F.lit(1).cast("bigint")
        columns = [rows[quote(name)].alias(f"_{i}") for i, name in enumerate(names)]
        return rows.select(*columns, F.col("_metadata.file_path").alias(PATH), block.alias(BLOCK), place.alias(PLACE))


def _names(files: Sequence[ListedFile], root: str) -> Column:
    """What the file of an address (`_path`) is called in the table."""
    inside = f"{root}/"
    if all(file.path == f"{inside}{file.name}" and _PLAIN.fullmatch(file.path) for file in files):
        return F.substr(PATH, F.locate(inside, F.col(PATH)) + len(inside))
    path = F.url_decode(F.replace(PATH, F.lit("+"), F.lit("%2B")))
    path = F.regexp_replace(path, "^file:/+", "/")
    return F.when(F.startswith(path, F.lit(inside)), F.substr(path, F.lit(len(inside) + 1))).otherwise(path)


def read_typed(spark: SparkSession, files: Sequence[ListedFile], config: IngestConfig, root: str) -> TypedFiles:
    """The files to be read, with columns that nobody has declared dealt with as `load.drift` says.

    Reads what each file says of its columns. Raises UnreadableFiles for those that say nothing that makes sense.
    """
    assert isinstance(config.source, TypedSource)
    kind, columns = config.source.format, config.source_names
    if kind == "binary":
        by_schema = {Schema(tuple(name for name in columns if name in _WHOLE_FILE), ""): list(files)}
    else:
        by_schema = _by_schema(spark, files, kind)
    groups, added = [], dict[str, Promise]()
    for schema, own in by_schema.items():
        drift, more = apply_drift_policy(schema.names, own[0].name, config)
        added.update(more)
        groups.append(_Group(schema, own, drift))
    return TypedFiles(spark, kind, groups, declared_fields(config, added), root)


def _by_schema(spark: SparkSession, files: Sequence[ListedFile], kind: str) -> dict[Schema, list[ListedFile]]:
    """The files by what they say of their columns; raises UnreadableFiles for all that can't be read."""
    by_schema: dict[Schema, list[ListedFile]] = {}
    unreadable: list[UnreadableFile] = []
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        for file, schema in zip(files, pool.map(lambda file: _schema(spark, file, kind), files), strict=True):
            if isinstance(schema, UnreadableFile):
                unreadable.append(schema)
            else:
                by_schema.setdefault(schema, []).append(file)
    if unreadable:
        raise UnreadableFiles(*unreadable)
    return by_schema


def _schema(spark: SparkSession, file: ListedFile, kind: str) -> Schema | UnreadableFile:
    try:
        if kind == "parquet" and not is_remote(file.path):
            with pq.ParquetFile(file.path) as opened:
                arrow_schema = opened.schema_arrow.remove_metadata()
            return Schema(tuple(arrow_schema.names), arrow_schema.to_string(truncate_metadata=False))
        schema = spark.read.format(kind).load(literal_path(file.path)).schema
    except (PySparkException, pa.ArrowException, OSError) as error:
        return UnreadableFile(file.path, first_line(error))
    return Schema(tuple(schema.names), schema.json())
