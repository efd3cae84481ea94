"""Batches of text records as batches of rows of the landed table; of a bad record what it is and why it is bad."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from traintable.columns import quote
from traintable.config.sources import TextSource
from traintable.config.types import spark_type
from traintable.contract.record_columns import BLOCK, FILE, PATH, PLACE, RAW
from traintable.contract.rules import Field, Violation
from traintable.ingest.drift import undeclared_column
from traintable.ingest.formats import csv_lines, json_lines, xml_elements
from traintable.ingest.formats.blocks import Block, Reader, read_block
from traintable.ingest.formats.headers import Header
from traintable.ingest.formats.line_cutter import is_blank

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

WRONG, NAMES = "_wrong", "_names"
# The struct that a bad record has as `_wrong`; null of one that is good, which costs a row as little as can be.
_BAD_RECORD = {
    RAW: pa.string(),
    "_bytes": pa.binary(),
    BLOCK: pa.int64(),
    PLACE: pa.int64(),
    "_reasons": pa.list_(pa.string()),
    "_rules": pa.list_(pa.string()),
}
KEPT_BYTES = 2**16  # of a record that is too long

Read = Callable[[pa.Array], Block]


@dataclass(frozen=True)
class RowReader:
    """How batches of records become batches of rows.

    Attributes
    ----------
    read : the records as columns of `fields`.
    name_of : the name of the file of an address.
    header : the text of the header, which is the first record of each file and is left out; None without one.
    keep_blank : whether records of nothing but blanks are rows.
    refuse_drift : raise ConfigError for a field that nobody has declared.
    max_bytes : what a record may have; of a longer one only the beginning is known, and it is bad.
    """

    read: Read
    fields: Sequence[Field]
    name_of: Callable[[str], str]
    header: str | None
    keep_blank: bool
    refuse_drift: bool
    max_bytes: int

    def rows(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Batches of records (`_raw`, `_path`, `_block`, `_place`) as batches of rows, as `row_schema` says.

        A record that is too long, or is the header again, is bad. Raises ConfigError as `refuse_drift` says.
        """
        last_block: tuple[str, int] | None = None
        for batch in batches:
            records = pa.RecordBatch.from_arrays(batch.columns, names=[RAW, PATH, BLOCK, PLACE])
            if not self.keep_blank:
                records = records.filter(pc.invert(is_blank(records.column(0), self.max_bytes)))
            if not len(records):
                continue
            block = (records.column(1)[-1].as_py(), records.column(2)[-1].as_py())
            if self.header is not None:
                records = records.filter(pc.invert(_is_first(records, last_block)))
            last_block = block
            yield self._rows(records)

    def _rows(self, records: pa.RecordBatch) -> pa.RecordBatch:
        raw, addresses = records.column(0), records.column(1).dictionary_encode()
        is_long = pc.greater(pc.binary_length(raw), self.max_bytes)
        block = self.read(pc.if_else(is_long, "", raw) if pc.any(is_long).as_py() else raw)
        for row in pc.indices_nonzero(is_long).to_pylist():
            block.reasons[row] = [Violation("size", f"at most {self.max_bytes:,} bytes (`source.max_record_bytes`)")]
        names = pa.array([self.name_of(address) for address in addresses.dictionary.to_pylist()], pa.string())
        files = names.take(addresses.indices)
        if self.header is not None:
            for row in pc.indices_nonzero(pc.equal(raw, self.header)).to_pylist():
                block.reasons[row] = [Violation("header", "the names of columns in the first line only")]
        if self.refuse_drift:
            self._refuse_drift(block, files)
        return _with_bad_records(records, files, block, self.max_bytes)

    def _refuse_drift(self, block: Block, files: pa.Array) -> None:
        for row, why in block.reasons.items():
            for reason, _ in why:
                if reason.startswith("drift:"):
                    declared = [field.name for field in self.fields]
                    raise undeclared_column(reason.removeprefix("drift:"), files[row].as_py(), declared)


def row_schema(fields: Sequence[Field]) -> str:
    """The columns of rows, as Spark writes them: those of `fields`, `_file`, and `_wrong`, null of a good row."""
    bad_record = f"struct<{', '.join(f'{name}: {spark_type(kind)}' for name, kind in _BAD_RECORD.items())}>"
    return ", ".join([*(f"{quote(f.name)} {f.spark}" for f in fields), f"{FILE} string", f"{WRONG} {bad_record}"])


def reader(header: Header | None, source: TextSource, fields: Sequence[Field]) -> Read:
    """How the records of files with this header are read."""
    if header is not None and header.fault is not None:
        return partial(_all_bad, fields=fields, why=Violation("header", f"a header other than {header.fault}"))
    if header is not None and header.drift is not None:
        return partial(_all_bad, fields=fields, why=Violation(f"drift:{header.drift}", "declared columns only"))
    return partial(read_block, fields=fields, reader=_format_reader(header, source, fields), zone=source.time_zone)


def read_again(records: DataFrame, header: Header | None, source: TextSource, fields: Sequence[Field]) -> DataFrame:
    """Records that were quarantined (`_raw`, `_path`, `_block`, `_place`) as rows, as `TextFiles.rows` gives them.

    `_file` is what `_path` was.
    """
    read, max_bytes = reader(header, source, fields), source.max_record_bytes
    rows = RowReader(read, fields, str, header=None, keep_blank=True, refuse_drift=False, max_bytes=max_bytes).rows
    return records.select(RAW, PATH, BLOCK, PLACE).mapInArrow(rows, row_schema(fields))


def _format_reader(header: Header | None, source: TextSource, fields: Sequence[Field]) -> Reader:
    if source.format == "text":
        return Reader(lambda lines: [lines], lambda _: [])
    if source.format == "json":
        return json_lines.reader(fields)
    if source.format == "xml":
        return xml_elements.reader(source.row_tag or "", fields, source.null_value)
    names = header.names if header is not None and source.header else [f.source for f in fields]
    return csv_lines.reader(names, fields, source)


def _all_bad(raw: pa.Array, fields: Sequence[Field], why: Violation) -> Block:
    return Block([pa.nulls(len(raw), f.type) for f in fields], {row: [why] for row in range(len(raw))})


def _is_first(records: pa.RecordBatch, last_block: tuple[str, int] | None) -> pa.Array:
    """Where a record is the first of its file: that of the first block, which comes after records of another block."""
    path, block = records.column(1), records.column(2)
    n = len(records)
    is_new = np.ones(n, bool)
    if n > 1:
        other = pc.or_(pc.not_equal(path[1:], path[:-1]), pc.not_equal(block[1:], block[:-1]))
        is_new[1:] = other.to_numpy(zero_copy_only=False)
    is_new[0] = last_block != (path[0].as_py(), block[0].as_py())
    return pc.and_(pa.array(is_new), pc.equal(block, 0))


def _with_bad_records(records: pa.RecordBatch, files: pa.Array, block: Block, max_bytes: int) -> pa.RecordBatch:
    """The values of a block, `_file` and `_wrong`; of a bad record the values are null."""
    n, bad = len(records), sorted(block.reasons)
    columns, wrong = block.columns, pa.nulls(n, pa.struct(list(_BAD_RECORD.items())))
    if bad:
        is_good = np.ones(n, bool)
        is_good[bad] = False
        columns = [pc.if_else(pa.array(is_good), column, pa.nulls(n, column.type)) for column in columns]
        structs = _bad_record_structs(records.take(pa.array(bad)), [block.reasons[row] for row in bad], max_bytes)
        place = np.full(n, -1)
        place[bad] = np.arange(len(bad))
        wrong = structs.take(pa.array(place, mask=place < 0))
    return pa.RecordBatch.from_arrays([*columns, files, wrong], names=[str(i) for i in range(len(columns) + 2)])


def _bad_record_structs(
    records: pa.RecordBatch, reasons: Sequence[Sequence[Violation]], max_bytes: int
) -> pa.StructArray:
    """What is kept of bad records; of one of more than `max_bytes` its beginning."""
    texts: list[str] = []
    contents: list[bytes | None] = []
    for record in records.column(0).cast(pa.binary(), safe=False):
        content = record.as_py()
        if len(content) > max_bytes:
            content = _whole_characters(content[: min(KEPT_BYTES, max_bytes + 1)])
        try:
            texts.append(content.decode())
            contents.append(None)
        except UnicodeDecodeError:
            texts.append(content.decode(errors="backslashreplace"))
            contents.append(content)
    columns = {
        RAW: texts,
        "_bytes": contents,
        BLOCK: records.column(2),
        PLACE: records.column(3),
        "_reasons": [[reason for reason, _ in why] for why in reasons],
        "_rules": [[rule for _, rule in why] for why in reasons],
    }
    arrays = [pa.array(columns[name], kind) for name, kind in _BAD_RECORD.items()]
    return pa.StructArray.from_arrays(arrays, names=list(_BAD_RECORD))


def _whole_characters(content: bytes) -> bytes:
    """Content that was cut, without a character that it was cut in; what is no UTF-8 stays."""
    try:
        return content[: codecs.utf_8_decode(content, "strict", False)[1]]
    except UnicodeDecodeError:
        return content
