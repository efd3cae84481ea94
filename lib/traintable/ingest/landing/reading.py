"""Text files as rows of the landed table, those that are bad with what they are and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import functions as F

from traintable.columns import quote
from traintable.ingest.landing import csv_lines, json_lines
from traintable.ingest.landing.blocks import Block, read_block
from traintable.ingest.landing.contract import Field
from traintable.ingest.landing.headers import Header
from traintable.ingest.landing.listing import FoundFile
from traintable.ingest.landing.records import BLOCK, PATH, PLACE, POSITION, RAW, lines, multi_line_records, numbered
from traintable.ingest_settings import Source

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

REASONS, RULES, BYTES, NAMES = "_reasons", "_rules", "_bytes", "_names"
WRONG = f"{RAW} string, {BYTES} binary, {PATH} string, {BLOCK} bigint, {PLACE} bigint"
WRONG += f", {REASONS} array<string>, {RULES} array<string>"
DRIFT = "traintable drift: "  # begins what a task says that found a column nobody has declared

Read = Callable[[pa.Array], Block]


@dataclass(frozen=True)
class TextFiles:
    """Text files to be read, by their header (None where their format has none).

    Attributes
    ----------
    refuse_drift : a JSON field that is not declared fails the task that meets it.
    """

    spark: SparkSession
    groups: Mapping[Header | None, Sequence[FoundFile]]
    source: Source
    fields: Sequence[Field]
    refuse_drift: bool = False

    def rows(self) -> DataFrame:
        """The records, each as a row: the columns of `fields`, and what is wrong with it.

        `_path` says of which file a row is. Of a good row the other added columns are null; of a bad one the values
        are, and `_raw` is the record (`_bytes` where it is no text), `_block` and `_place` where it stands, `_reasons`
        what is wrong and `_rules` what was expected. Records of nothing but blanks are none, in CSV and JSON. Costs one
        pass when computed.
        """
        return _union([self._rows(header, self._records(files)) for header, files in self.groups.items()])

    def bad(self) -> DataFrame:
        """The bad records alone, with `position`, the line that each begins at, from 1, and `_names`, its columns.

        Costs two passes.
        """
        return _union([self._bad(header, self._records(files)) for header, files in self.groups.items()])

    def _bad(self, header: Header | None, records: DataFrame) -> DataFrame:
        names = F.array(*[F.lit(name) for name in header.names]) if header else F.lit(None).cast("array<string>")
        found = self._rows(header, records).where(F.col(REASONS).isNotNull()).withColumn(NAMES, names)
        if self.source.multi_line:
            return found.withColumn(POSITION, F.col(PLACE)).drop(BLOCK, PLACE)
        return numbered(found, records)

    def _records(self, files: Sequence[FoundFile]) -> DataFrame:
        if self.source.multi_line:
            return multi_line_records(self.spark, files, quote=self.source.quote, encoding=self.source.encoding)
        return lines(self.spark, files, encoding=self.source.encoding)

    def _rows(self, header: Header | None, records: DataFrame) -> DataFrame:
        is_there = self.source.header and header is not None and header.fault is None
        work = partial(
            _work,
            read=reader(header, self.source, self.fields),
            header=header.text if is_there and header is not None else None,
            keep_blank=self.source.format == "text",
            refuse_drift=self.refuse_drift,
        )
        return records.mapInArrow(work, schema_of(self.fields))


def read_again(records: DataFrame, header: Header | None, source: Source, fields: Sequence[Field]) -> DataFrame:
    """Records that were kept (`_raw`, `_path`, `_block`, `_place`) as rows, as `TextFiles.rows` gives them."""
    work = partial(_work, read=reader(header, source, fields), header=None, keep_blank=True, refuse_drift=False)
    return records.select(RAW, PATH, BLOCK, PLACE).mapInArrow(work, schema_of(fields))


def schema_of(fields: Sequence[Field]) -> str:
    """The columns of rows that were read."""
    return ", ".join([*(f"{quote(f.name)} {f.spark}" for f in fields), WRONG])


def _union(parts: Sequence[DataFrame]) -> DataFrame:
    return reduce(lambda first, more: first.unionByName(more), parts)


def reader(header: Header | None, source: Source, fields: Sequence[Field]) -> Read:
    """How the records of files with this header are read."""
    if header is not None and header.fault is not None:
        return partial(_all_bad, fields=fields, why=("header", f"a header other than {header.fault}"))
    if header is not None and header.drift is not None:
        return partial(_all_bad, fields=fields, why=(f"drift:{header.drift}", "declared columns only"))
    if source.format == "text":
        return lambda raw: read_block(raw, fields, lambda lines: [lines], _no_fault, zone=source.time_zone)
    if source.format == "json":
        parse, explain = partial(json_lines.parse, fields=fields), partial(json_lines.explain, fields=fields)
    else:
        names = header.names if header is not None and source.header else [f.name for f in fields]
        parse = partial(csv_lines.parse, names=names, fields=fields, source=source)
        explain = partial(csv_lines.explain, names=names, fields=fields, source=source)
    return lambda raw: read_block(raw, fields, parse, explain, zone=source.time_zone)


def _no_fault(_: str) -> list[tuple[str, str]]:
    return []


def _all_bad(raw: pa.Array, fields: Sequence[Field], why: tuple[str, str]) -> Block:
    return Block([pa.nulls(len(raw), f.type) for f in fields], {row: [why] for row in range(len(raw))})


def _work(
    batches: Iterable[pa.RecordBatch], read: Read, header: str | None, keep_blank: bool, refuse_drift: bool
) -> Iterator[pa.RecordBatch]:
    """Batches of records as batches of rows; the header, which is the first record of a file, is none."""
    before: tuple[str, int] | None = None
    for batch in batches:
        rows = pa.RecordBatch.from_arrays(batch.columns, names=[RAW, PATH, BLOCK, PLACE])
        if not keep_blank:
            rows = rows.filter(pc.invert(pc.match_substring_regex(rows.column(0).cast(pa.binary()), rb"^\s*$")))
        if not len(rows):
            continue
        last = (rows.column(1)[-1].as_py(), rows.column(2)[-1].as_py())
        if header is not None:
            rows = rows.filter(pc.invert(_is_first(rows, before)))
        before = last
        block = read(rows.column(0))
        if header is not None:
            for row in pc.indices_nonzero(pc.equal(rows.column(0), header)).to_pylist():
                block.reasons[row] = [("header", "the names of columns in the first line only")]
        if refuse_drift:
            _refuse_drift(block, rows)
        yield _rows(rows, block)


def _is_first(rows: pa.RecordBatch, before: tuple[str, int] | None) -> pa.Array:
    """Where a record is the first of its file: that of the first block, which comes after records of another."""
    path, block = rows.column(1), rows.column(2)
    n = len(rows)
    is_new = np.ones(n, bool)
    if n > 1:
        other = pc.or_(pc.not_equal(path[1:], path[:-1]), pc.not_equal(block[1:], block[:-1]))
        is_new[1:] = other.to_numpy(zero_copy_only=False)
    is_new[0] = before != (path[0].as_py(), block[0].as_py())
    return pc.and_(pa.array(is_new), pc.equal(block, 0))


def _refuse_drift(block: Block, rows: pa.RecordBatch) -> None:
    for row, why in block.reasons.items():
        for reason, _ in why:
            if reason.startswith("drift:"):
                raise ValueError(f"{DRIFT}{reason.removeprefix('drift:')!r} in {rows.column(1)[row].as_py()}")


def _rows(records: pa.RecordBatch, block: Block) -> pa.RecordBatch:
    n, bad = len(records), sorted(block.reasons)
    good = np.ones(n, bool)
    good[bad] = False
    empty = pa.array(good)
    columns = [pc.if_else(empty, column, pa.nulls(n, column.type)) for column in block.columns]
    raw, content = _as_text(records.column(0), bad)
    place = [pc.if_else(empty, pa.nulls(n, pa.int64()), records.column(i)) for i in (2, 3)]
    reasons: list[list[str] | None] = [None] * n
    rules: list[list[str] | None] = [None] * n
    for row in bad:
        reasons[row], rules[row] = map(list, zip(*block.reasons[row], strict=True))
    listed = pa.list_(pa.string())
    told: list[Any] = [raw, content, records.column(1), *place, pa.array(reasons, listed), pa.array(rules, listed)]
    return pa.RecordBatch.from_arrays([*columns, *told], names=[str(i) for i in range(len(columns) + len(told))])


def _as_text(raw: pa.Array, bad: Sequence[int]) -> tuple[pa.Array, pa.Array]:
    """Of bad records the text, and the bytes of those that are no text."""
    texts: list[str | None] = [None] * len(raw)
    contents: list[bytes | None] = [None] * len(raw)
    binary = raw.cast(pa.binary(), safe=False)
    for row in bad:
        content = binary[row].as_py()
        try:
            texts[row] = content.decode()
        except UnicodeDecodeError:
            texts[row], contents[row] = content.decode(errors="backslashreplace"), content
    return pa.array(texts, pa.string()), pa.array(contents, pa.binary())
