"""Text files as rows of the landed table: which of them are read in which way, and what tasks answer of them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa
from pyspark.sql import functions as F

from traintable.addresses import is_remote
from traintable.config.sources import TextSource
from traintable.contract.record_columns import FILE
from traintable.contract.rules import Field
from traintable.delta.data_files import Written
from traintable.errors import ConfigError
from traintable.ingest.formats.headers import Header, cutter_of
from traintable.ingest.formats.local_lines import local_lines
from traintable.ingest.formats.streams import codec_of
from traintable.ingest.formats.text_rows import NAMES, WRONG, RowReader, reader, row_schema
from traintable.ingest.formats.whole_files import WholeFiles
from traintable.ingest.listing import ListedFile, name_at
from traintable.ingest.parquet_files import check_records, write_good
from traintable.ingest.records import Records, spark_lines, union
from traintable.spark.task_results import SCHEMA, TaskResult, UnreadableFile, UnreadableFiles, values_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_LARGE = 2**26  # bytes of a packed file on S3, from which on it is Spark that unpacks it: no bomb is as large


@dataclass(frozen=True)
class TextFiles:
    """Text files to be read, by their header (None where their format has none).

    Attributes
    ----------
    refuse_drift : a JSON field that is not declared is refused by the task that meets it.
    """

    spark: SparkSession
    groups: Mapping[Header | None, Sequence[ListedFile]]
    source: TextSource
    fields: Sequence[Field]
    root: str
    refuse_drift: bool = False

    @property
    def schema(self) -> pa.Schema:
        """Of the good rows."""
        return pa.schema([*((f.name, f.type) for f in self.fields), (FILE, pa.string())])

    def rows(self) -> DataFrame:
        """The records, each as a row: the columns of `fields`, and what is wrong with it.

        `_file` is the name of its file. Of a good row `_wrong` is null; of a bad one the values are, and `_wrong` has
        the record (`_raw`, `_bytes` where it is no text), where it stands (`_block`, `_place`), what is wrong
        (`_reasons`) and what was expected (`_rules`). Blank records are left out, but not those of plain text. Costs
        one pass when computed; a task that can't read its file then fails, and `check` says why.
        """
        return union(self._rows(header, records) for header, records in self._parts())

    def counts(self) -> Counter[str]:
        """How many records each file has, counted as lines are, without reading them as rows; one cheap pass.

        Raises UnreadableFiles.
        """
        counts: Counter[str] = Counter()
        for _, records in self._parts():
            for address, n in records.counts().items():
                counts[name_at(address, self.root)] += n
        for header, files in self.groups.items():
            for file in files:
                counts[file.name] -= self._has_header(header) and counts[file.name] > 0
        return counts

    def write_good(self, folder: str) -> list[Written]:
        """Write the good rows (the columns of `fields`, `_file`) as Parquet files of a local folder, a file a task.

        Costs one pass, in which no row goes through the JVM. Raises ConfigError for what tasks refuse and
        UnreadableFiles for what they can't read; then no file is left.
        """
        answers = self._answers(partial(write_good, folder=folder, schema=self.schema))
        try:
            return [Written(*value) for value in values_of(answers) if value is not None]
        except (ConfigError, UnreadableFiles):
            for value in (TaskResult.from_json(answer).value for answer in answers):
                if value is not None:
                    with suppress(FileNotFoundError):  # on another machine: no commit takes it, so it harms nobody
                        os.unlink(os.path.join(folder, Written(*value).path))
            raise

    def check(self) -> None:
        """Read all records; raises what keeps them from being rows, as `write_good` does, and writes nothing.

        For after a job that has failed, in which tasks could not answer. Costs one pass.
        """
        for _ in values_of(self._answers(check_records)):
            pass

    def bad(self) -> DataFrame:
        """The bad records, with `_file`, `position`, the line that each begins at, and its `_names`.

        Costs two passes.
        """
        return union(self._bad(header, records) for header, records in self._parts())

    def _answers(self, work: Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]) -> list[str]:
        """What tasks answer that do some work on the rows."""
        results = union(
            records.map(partial(_work_on_rows, rows=self._row_reader(header, records), work=work), SCHEMA)
            for header, records in self._parts()
        )
        return [row[0] for row in results.collect()]  # one row a task

    def _rows(self, header: Header | None, records: Records) -> DataFrame:
        return records.map(self._row_reader(header, records).rows, row_schema(self.fields))

    def _bad(self, header: Header | None, records: Records) -> DataFrame:
        names = F.array(*[F.lit(name) for name in header.names]) if header else F.lit(None).cast("array<string>")
        wrong = self._rows(header, records).where(F.col(WRONG).isNotNull())
        return records.with_positions(wrong.select(FILE, f"{WRONG}.*", names.alias(NAMES)), self.root)

    def _row_reader(self, header: Header | None, records: Records) -> RowReader:
        return RowReader(
            read=reader(header, self.source, self.fields),
            fields=self.fields,
            name_of=partial(name_at, root=self.root),
            header=header.text if header is not None and self._has_header(header) else None,
            keep_blank=records.keep_blank,
            refuse_drift=self.refuse_drift,
            max_bytes=self.source.max_record_bytes,
        )

    def _has_header(self, header: Header | None) -> bool:
        """Whether the first record of each file is its header, rather than a record."""
        return self.source.header and header is not None and header.fault is None

    def _parts(self) -> Iterator[tuple[Header | None, Records]]:
        """The records of the files, by their header and by how they are read."""
        for header, files in self.groups.items():
            by_method: dict[Callable[[Sequence[ListedFile]], Records], list[ListedFile]] = {}
            for file in files:
                by_method.setdefault(self._method(file), []).append(file)
            for read, own in by_method.items():
                yield header, read(own)

    def _method(self, file: ListedFile) -> Callable[[Sequence[ListedFile]], Records]:
        """How a file is read: from beginning to end by one task, or its lines by several."""
        try:
            is_packed = codec_of(file.path) is not None
        except OSError as error:
            raise UnreadableFiles(UnreadableFile(file.path, str(error))) from error
        is_large = is_remote(file.path) and file.size > _LARGE
        is_whole = self.source.multi_line or self.source.format == "xml" or (is_packed and not is_large)
        return self._whole if is_whole else self._lines

    def _whole(self, files: Sequence[ListedFile]) -> Records:
        source = self.source
        cutter = cutter_of(source, source.max_record_bytes)
        return WholeFiles(self.spark, files, cutter, source.format == "text", source.max_file_bytes)

    def _lines(self, files: Sequence[ListedFile]) -> Records:
        source = self.source
        read = spark_lines if is_remote(files[0].path) else local_lines
        return read(
            self.spark,
            files,
            keep_blank=source.format == "text",
            encoding=source.encoding,
            max_bytes=source.max_record_bytes,
        )


def _work_on_rows(
    batches: Iterator[pa.RecordBatch],
    rows: RowReader,
    work: Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]],
) -> Iterator[pa.RecordBatch]:
    return work(rows.rows(batches))
