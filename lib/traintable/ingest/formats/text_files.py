"""Text files as rows of the landed table, those that are bad with what they are and why."""

from __future__ import annotations

import codecs
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import functions as F

from traintable.addresses import is_remote
from traintable.columns import quote
from traintable.config.sources import TextSource
from traintable.config.types import spark_type
from traintable.contract.record_columns import BLOCK, FILE, PATH, PLACE, RAW
from traintable.contract.rules import Field, Violation
from traintable.delta.data_files import Written
from traintable.ingest.formats import csv_lines, json_lines, xml_elements
from traintable.ingest.formats.blocks import Block, Reader, read_block
from traintable.ingest.formats.headers import Header, cutter_of
from traintable.ingest.formats.line_cutter import is_blank
from traintable.ingest.formats.local_lines import local_lines, spark_lines
from traintable.ingest.formats.streams import packing
from traintable.ingest.formats.whole_files import WholeFiles
from traintable.ingest.listing import FoundFile, Unreadable
from traintable.ingest.parquet_files import WRITTEN, write_good
from traintable.ingest.records import Records, Work, named, union

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

WRONG, NAMES = "_wrong", "_names"
# What is told of a record that is bad; null of one that is good, which costs a row as little as can be.
_TOLD = {
    RAW: pa.string(),
    "_bytes": pa.binary(),
    BLOCK: pa.int64(),
    PLACE: pa.int64(),
    "_reasons": pa.list_(pa.string()),
    "_rules": pa.list_(pa.string()),
}
DRIFT = "traintable drift: "  # begins what a task says that found a column nobody has declared

KEPT_BYTES = 2**16  # of a record that is too long
_LARGE = 2**26  # bytes of a packed file on S3, from which on it is Spark that unpacks it: no bomb is as large

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
    source: TextSource
    fields: Sequence[Field]
    root: str
    refuse_drift: bool = False

    def rows(self) -> DataFrame:
        """The records, each as a row: the columns of `fields`, and what is wrong with it.

        `_file` is the name of its file. Of a good row `_wrong` is null; of a bad one the values are, and `_wrong` has
        the record (`_raw`, `_bytes` where it is no text), where it stands (`_block`, `_place`), what is wrong
        (`_reasons`) and what was expected (`_rules`). Records of nothing but blanks are none, but in plain text. Costs
        one pass when computed.
        """
        return union(self._rows(header, records) for header, records in self._parts())

    def counts(self) -> Counter[str]:
        """How many records each file has, counted as lines are, without reading them as rows; one cheap pass."""
        counts: Counter[str] = Counter()
        for _, records in self._parts():
            for row in records.counts().collect():  # one row a block
                counts[named(row[PATH], self.root)] += int(row["n"])
        for header, files in self.groups.items():
            for file in files:
                counts[file.name] -= self._has_header(header) and counts[file.name] > 0
        return counts

    def write_good(self, folder: str) -> list[Written]:
        """Write the good rows (the columns of `fields`, `_file`) as Parquet files of a local folder, a file a task.

        Costs one pass, in which no row goes through the JVM.
        """
        schema = self.schema
        found = union(
            records.map(partial(_write_good, work=self._work(header, records), folder=folder, schema=schema), WRITTEN)
            for header, records in self._parts()
        )
        return [Written(*row) for row in found.collect()]  # one row a file that a task has written

    @property
    def schema(self) -> pa.Schema:
        """Of the good rows."""
        return pa.schema([*((f.name, f.type) for f in self.fields), (FILE, pa.string())])

    def _has_header(self, header: Header | None) -> bool:
        """Whether the first record of each file is its header, rather than a record."""
        return self.source.header and header is not None and header.fault is None

    def bad(self) -> DataFrame:
        """What is told of the bad records, with `_file`, `position`, the line that each begins at, and its `_names`.

        Costs two passes.
        """
        return union(self._bad(header, records) for header, records in self._parts())

    def _bad(self, header: Header | None, records: Records) -> DataFrame:
        names = F.array(*[F.lit(name) for name in header.names]) if header else F.lit(None).cast("array<string>")
        wrong = self._rows(header, records).where(F.col(WRONG).isNotNull())
        return records.numbered(wrong.select(FILE, f"{WRONG}.*", names.alias(NAMES)), self.root)

    def _parts(self) -> Iterator[tuple[Header | None, Records]]:
        """The records of the files, by their header and by how they are read."""
        for header, files in self.groups.items():
            ways: dict[Callable[[Sequence[FoundFile]], Records], list[FoundFile]] = {}
            for file in files:
                ways.setdefault(self._way(file), []).append(file)
            for read, own in ways.items():
                yield header, read(own)

    def _way(self, file: FoundFile) -> Callable[[Sequence[FoundFile]], Records]:
        try:
            is_packed = packing(file.path) is not None
        except OSError as error:
            raise Unreadable(file.path, str(error)) from error
        is_large = is_remote(file.path) and file.size > _LARGE
        is_whole = self.source.multi_line or self.source.format == "xml" or (is_packed and not is_large)
        return self._whole if is_whole else self._lines

    def _whole(self, files: Sequence[FoundFile]) -> Records:
        source = self.source
        cutter = cutter_of(source, source.max_record_bytes)
        return WholeFiles(self.spark, files, cutter, source.format == "text", source.max_file_bytes)

    def _lines(self, files: Sequence[FoundFile]) -> Records:
        source = self.source
        read = spark_lines if is_remote(files[0].path) else local_lines
        return read(
            self.spark,
            files,
            keep_blank=source.format == "text",
            encoding=source.encoding,
            max_bytes=source.max_record_bytes,
        )

    def _rows(self, header: Header | None, records: Records) -> DataFrame:
        return records.map(self._work(header, records), schema_of(self.fields))

    def _work(self, header: Header | None, records: Records) -> Work:
        return partial(
            _work,
            read=reader(header, self.source, self.fields),
            name=partial(named, root=self.root),
            header=header.text if header is not None and self._has_header(header) else None,
            keep_blank=records.keep_blank,
            refuse_drift=self.refuse_drift,
            max_bytes=self.source.max_record_bytes,
        )


def read_again(records: DataFrame, header: Header | None, source: TextSource, fields: Sequence[Field]) -> DataFrame:
    """Records that were kept (`_raw`, `_path`, `_block`, `_place`) as rows, as `TextFiles.rows` gives them.

    `_file` is what `_path` was.
    """
    read = reader(header, source, fields)
    work = partial(
        _work,
        read=read,
        name=str,
        header=None,
        keep_blank=True,
        refuse_drift=False,
        max_bytes=source.max_record_bytes,
    )
    return records.select(RAW, PATH, BLOCK, PLACE).mapInArrow(work, schema_of(fields))


def schema_of(fields: Sequence[Field]) -> str:
    """The columns of rows that were read."""
    told = f"struct<{', '.join(f'{name}: {spark_type(kind)}' for name, kind in _TOLD.items())}>"
    return ", ".join([*(f"{quote(f.name)} {f.spark}" for f in fields), f"{FILE} string", f"{WRONG} {told}"])


def reader(header: Header | None, source: TextSource, fields: Sequence[Field]) -> Read:
    """How the records of files with this header are read."""
    if header is not None and header.fault is not None:
        return partial(_all_bad, fields=fields, why=Violation("header", f"a header other than {header.fault}"))
    if header is not None and header.drift is not None:
        return partial(_all_bad, fields=fields, why=Violation(f"drift:{header.drift}", "declared columns only"))
    return partial(read_block, fields=fields, reader=_form(header, source, fields), zone=source.time_zone)


def _form(header: Header | None, source: TextSource, fields: Sequence[Field]) -> Reader:
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


def _work(
    batches: Iterable[pa.RecordBatch],
    read: Read,
    name: Callable[[str], str],
    header: str | None,
    keep_blank: bool,
    refuse_drift: bool,
    max_bytes: int,
) -> Iterator[pa.RecordBatch]:
    """Batches of records as batches of rows; the header, which is the first record of a file, is none.

    `name` gives the name of the file of an address.
    """
    before: tuple[str, int] | None = None
    for batch in batches:
        rows = pa.RecordBatch.from_arrays(batch.columns, names=[RAW, PATH, BLOCK, PLACE])
        if not keep_blank:
            rows = rows.filter(pc.invert(is_blank(rows.column(0), max_bytes)))
        if not len(rows):
            continue
        last = (rows.column(1)[-1].as_py(), rows.column(2)[-1].as_py())
        if header is not None:
            rows = rows.filter(pc.invert(_is_first(rows, before)))
        before = last
        is_long = pc.greater(pc.binary_length(rows.column(0)), max_bytes)
        block = read(pc.if_else(is_long, "", rows.column(0)) if pc.any(is_long).as_py() else rows.column(0))
        for row in pc.indices_nonzero(is_long).to_pylist():
            block.reasons[row] = [Violation("size", f"at most {max_bytes:,} bytes (`source.max_record_bytes`)")]
        addresses = rows.column(1).dictionary_encode()
        names = pa.array([name(address) for address in addresses.dictionary.to_pylist()], pa.string())
        files = names.take(addresses.indices)
        if header is not None:
            for row in pc.indices_nonzero(pc.equal(rows.column(0), header)).to_pylist():
                block.reasons[row] = [Violation("header", "the names of columns in the first line only")]
        if refuse_drift:
            _refuse_drift(block, files)
        yield _rows(rows, files, block, max_bytes)


def _write_good(
    batches: Iterable[pa.RecordBatch], work: Work, folder: str, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    return write_good(work(batches), folder, schema)


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


def _refuse_drift(block: Block, files: pa.Array) -> None:
    for row, why in block.reasons.items():
        for reason, _ in why:
            if reason.startswith("drift:"):
                raise ValueError(f"{DRIFT}{reason.removeprefix('drift:')!r} in {files[row].as_py()}")


def _rows(records: pa.RecordBatch, files: pa.Array, block: Block, max_bytes: int) -> pa.RecordBatch:
    n, bad = len(records), sorted(block.reasons)
    columns, wrong = block.columns, pa.nulls(n, pa.struct(list(_TOLD.items())))
    if bad:
        good = np.ones(n, bool)
        good[bad] = False
        columns = [pc.if_else(pa.array(good), column, pa.nulls(n, column.type)) for column in columns]
        told = _told(records.take(pa.array(bad)), [block.reasons[row] for row in bad], max_bytes)
        place = np.full(n, -1)
        place[bad] = np.arange(len(bad))
        wrong = told.take(pa.array(place, mask=place < 0))
    return pa.RecordBatch.from_arrays([*columns, files, wrong], names=[str(i) for i in range(len(columns) + 2)])


def _told(records: pa.RecordBatch, reasons: Sequence[Sequence[Violation]], max_bytes: int) -> pa.StructArray:
    """What is told of bad records; of one of more than `max_bytes` its beginning."""
    texts: list[str] = []
    contents: list[bytes | None] = []
    for one in records.column(0).cast(pa.binary(), safe=False):
        content = one.as_py()
        if len(content) > max_bytes:
            content = _whole_characters(content[: min(KEPT_BYTES, max_bytes + 1)])
        try:
            texts.append(content.decode())
            contents.append(None)
        except UnicodeDecodeError:
            texts.append(content.decode(errors="backslashreplace"))
            contents.append(content)
    why = [[reason for reason, _ in found] for found in reasons]
    rules = [[rule for _, rule in found] for found in reasons]
    columns: list[Any] = [texts, contents, records.column(2), records.column(3), why, rules]
    arrays = [pa.array(column, kind) for column, kind in zip(columns, _TOLD.values(), strict=True)]
    return pa.StructArray.from_arrays(arrays, names=list(_TOLD))


def _whole_characters(content: bytes) -> bytes:
    """Content that was cut, without a character that it was cut in; what is no UTF-8 stays."""
    try:
        return content[: codecs.utf_8_decode(content, "strict", False)[1]]
    except UnicodeDecodeError:
        return content
