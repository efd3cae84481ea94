"""What a task does with the rows of a candidate: it writes them, counts them, and hands on what the gate looks at."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import BinaryType, IntegerType, StringType, StructField, StructType

from traintable.columns import SPLIT, SPLITS, TRAIN, split_folder
from traintable.delta.data_files import FileWriter, Written
from traintable.quality.audit import FAILED
from traintable.quality.matrix import COUNTS, counts, matrix
from traintable.quality.summary import FeatureSummary
from traintable.quality.tally import Tally
from traintable.table_columns import TableColumns

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

TOLD, FILE = "_told", "_file"  # what a task tells, and the file that holds what is looked at: with its last row


@dataclass(frozen=True)
class Places:
    """Where tasks write: files of a table, and of a private folder what is looked at."""

    table: str
    held: str


@dataclass
class Told:
    """What tasks tell: the files that they have written, by split, counts of rows, and what the features are like."""

    summary: FeatureSummary
    files: dict[str, list[Written]] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)

    def to_bytes(self) -> bytes:
        """The length of the JSON of files and counts, that, and the summary."""
        files = {part: [vars(file) for file in found] for part, found in self.files.items()}
        text = json.dumps({"files": files, "tally": self.tally.to_dict()}).encode()
        return len(text).to_bytes(8, "little") + text + self.summary.to_bytes()

    def add(self, content: bytes) -> None:
        """Add what another task has told."""
        size = int.from_bytes(content[:8], "little")
        told = json.loads(content[8 : 8 + size])
        for part, files in told["files"].items():
            self.files.setdefault(part, []).extend(Written(**file) for file in files)
        self.tally.merge(Tally.from_dict(told["tally"]))
        self.summary.merge(FeatureSummary.from_bytes(content[8 + size :]))


def passed(
    audited: DataFrame,
    places: Places | None,
    *,
    columns: TableColumns,
    gate_columns: Sequence[str],
) -> DataFrame:
    """The rows of `quality.with_rule_columns`, `gate_columns` columns of them, while tasks count them and write both.

    Into files of the table go its columns of the rows that fail no rule of level quarantine; into a file of
    each task what is given out here, but for its name. In the columns `_told` and `_file` is null, but in the last row
    of each task what it tells and that name. Without places nothing is written.
    """
    known = {column.name: column.dataType for column in audited.schema} | dict.fromkeys(COUNTS, IntegerType())
    fields = [StructField(name, known[name]) for name in gate_columns]
    arrow = to_arrow_schema(StructType([audited.schema[name] for name in columns.names if name != SPLIT]))
    looked = to_arrow_schema(StructType([*fields, StructField(TOLD, BinaryType())]))
    names = columns.features

    def task(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        writers: dict[str, FileWriter] = {}
        told, last = Told(FeatureSummary.empty(names)), None
        held = None if places is None else FileWriter(places.held, looked)

        def given(rows: pa.RecordBatch, content: bytes | None) -> pa.RecordBatch:
            rows = _of_schema(_with_last(rows, TOLD, pa.array([content], pa.binary())), looked)
            if held is not None:
                held.add(rows)
            name = None if content is None or held is None else held.name
            return _with_last(rows, FILE, pa.array([name], pa.string()))

        try:
            for batch in batches:
                if not len(batch):
                    continue
                if last is not None:
                    yield given(last, None)
                values, lengths = matrix(batch, names)
                told.tally.n += len(batch)
                told.tally.n_quarantined += pc.sum(pc.not_equal(pc.list_value_length(batch.column(FAILED)), 0)).as_py()
                for part, is_of_it in _parts(batch):
                    rows = batch if is_of_it is None else batch.filter(is_of_it)
                    told.tally.add(rows, part)
                    if part == TRAIN:
                        of_train = values if is_of_it is None else values[is_of_it.to_numpy(zero_copy_only=False)]
                        told.summary.add(of_train)
                    if places is not None and part in SPLITS:  # others the gate will refuse
                        writer = writers.setdefault(part, FileWriter(f"{places.table}/{split_folder(part)}", arrow))
                        writer.add(_of_schema(rows, arrow))
                for name, column in counts(values, lengths).items():
                    batch = batch.append_column(name, column)
                last = batch
            for part, writer in writers.items():
                if (file := writer.close()) is not None:
                    told.files[part] = [file]
            if last is not None:
                rows = given(last, told.to_bytes())
                if held is not None:
                    held.close()
                yield rows
        except BaseException:
            for writer in [*writers.values(), *([] if held is None else [held])]:
                writer.abandon()
            raise

    return audited.mapInArrow(
        task, StructType([*fields, StructField(TOLD, BinaryType()), StructField(FILE, StringType())])
    )


def _parts(batch: pa.RecordBatch) -> Iterator[tuple[str | None, pa.BooleanArray | None]]:
    """The splits of rows that fail no rule, and which rows are of each; None where all are, as mostly."""
    split, passes = batch.column(SPLIT), pc.equal(pc.list_value_length(batch.column(FAILED)), 0)
    found = pc.unique(split).to_pylist()
    if len(found) == 1 and pc.all(passes).as_py():
        yield found[0], None
        return
    for part in found:
        yield part, pc.and_(pc.equal(split, part), passes).fill_null(False)


def _of_schema(rows: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The columns of a schema, in its order and as its types are."""
    return pa.RecordBatch.from_arrays([rows.column(column.name).cast(column.type) for column in schema], schema=schema)


def _with_last(batch: pa.RecordBatch, name: str, value: pa.Array) -> pa.RecordBatch:
    """The rows with one more column: nulls, and in the last of the rows the one value."""
    return batch.append_column(name, pa.concat_arrays([pa.nulls(len(batch) - 1, value.type), value]))
