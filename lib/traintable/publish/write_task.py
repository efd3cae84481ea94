"""What a task does with the rows of a candidate: it writes them, counts them, and hands on what the gate reads."""

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
from traintable.quality import FeatureSummary, Tally
from traintable.quality.audit import FAILED
from traintable.quality.matrix import COUNTS, counts, matrix
from traintable.table_columns import TableColumns

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

RESULT, FILE = "_result", "_file"  # of a task, and the file that holds what the gate reads: with its last row


@dataclass(frozen=True)
class TaskFolders:
    """Where tasks write: files of a table, and into a private folder what the gate reads."""

    table: str
    gated: str


@dataclass
class CandidateTaskResult:
    """What tasks have done: the files that they wrote, by split, counts of rows, and a summary of the features."""

    summary: FeatureSummary
    files: dict[str, list[Written]] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)

    def to_bytes(self) -> bytes:
        """The length of the JSON of files and counts, that, and the summary."""
        files = {split: [vars(file) for file in written] for split, written in self.files.items()}
        text = json.dumps({"files": files, "tally": self.tally.to_dict()}).encode()
        return len(text).to_bytes(8, "little") + text + self.summary.to_bytes()

    def add(self, content: bytes) -> None:
        """Add the result of another task."""
        size = int.from_bytes(content[:8], "little")
        other = json.loads(content[8 : 8 + size])
        for split, files in other["files"].items():
            self.files.setdefault(split, []).extend(Written(**file) for file in files)
        self.tally.merge(Tally.from_dict(other["tally"]))
        self.summary.merge(FeatureSummary.from_bytes(content[8 + size :]))


def write_candidate(
    audited: DataFrame,
    folders: TaskFolders | None,
    *,
    columns: TableColumns,
    gate_columns: Sequence[str],
) -> DataFrame:
    """The rows of `quality.with_rule_columns` with the `gate_columns` only, which tasks count and write on their way.

    Into files of the table go its columns of the rows that fail no rule of level quarantine; into a file of
    each task, in the private folder, what is given out here. The columns `_result` and `_file` are null, but in the
    last row of each task: its result, and the name of that file. Without folders nothing is written.
    """
    known = {column.name: column.dataType for column in audited.schema} | dict.fromkeys(COUNTS, IntegerType())
    fields = [StructField(name, known[name]) for name in gate_columns]
    arrow = to_arrow_schema(StructType([audited.schema[name] for name in columns.names if name != SPLIT]))
    read_by_gate = to_arrow_schema(StructType([*fields, StructField(RESULT, BinaryType())]))
    names = columns.features

    def task(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        writers: dict[str, FileWriter] = {}
        result, last = CandidateTaskResult(FeatureSummary.empty(names)), None
        gate_file = None if folders is None else FileWriter(folders.gated, read_by_gate)

        def hand_on(rows: pa.RecordBatch, content: bytes | None) -> pa.RecordBatch:
            rows = _to_schema(_with_last(rows, RESULT, pa.array([content], pa.binary())), read_by_gate)
            if gate_file is not None:
                gate_file.add(rows)
            name = None if content is None or gate_file is None else gate_file.name
            return _with_last(rows, FILE, pa.array([name], pa.string()))

        try:
            for batch in batches:
                if not len(batch):
                    continue
                if last is not None:
                    yield hand_on(last, None)
                values, lengths = matrix(batch, names)
                result.tally.n += len(batch)
                result.tally.n_quarantined += pc.sum(
                    pc.not_equal(pc.list_value_length(batch.column(FAILED)), 0)
                ).as_py()
                for split, is_of_it in _by_split(batch):
                    rows = batch if is_of_it is None else batch.filter(is_of_it)
                    result.tally.add(rows, split)
                    if split == TRAIN:
                        of_train = values if is_of_it is None else values[is_of_it.to_numpy(zero_copy_only=False)]
                        result.summary.add(of_train)
                    if folders is not None and split in SPLITS:  # others the gate will refuse
                        writer = writers.setdefault(split, FileWriter(f"{folders.table}/{split_folder(split)}", arrow))
                        writer.add(_to_schema(rows, arrow))
                for name, column in counts(values, lengths).items():
                    batch = batch.append_column(name, column)
                last = batch
            for split, writer in writers.items():
                if (file := writer.close()) is not None:
                    result.files[split] = [file]
            if last is not None:
                rows = hand_on(last, result.to_bytes())
                if gate_file is not None:
                    gate_file.close()
                yield rows
        except BaseException:
            for writer in [*writers.values(), *([] if gate_file is None else [gate_file])]:
                writer.abandon()
            raise

    return audited.mapInArrow(
        task, StructType([*fields, StructField(RESULT, BinaryType()), StructField(FILE, StringType())])
    )


def _by_split(batch: pa.RecordBatch) -> Iterator[tuple[str | None, pa.BooleanArray | None]]:
    """The splits of rows that fail no rule, and which rows are of each; None where all are, as mostly."""
    split, passes = batch.column(SPLIT), pc.equal(pc.list_value_length(batch.column(FAILED)), 0)
    names = pc.unique(split).to_pylist()
    if len(names) == 1 and pc.all(passes).as_py():
        yield names[0], None
        return
    for name in names:
        yield name, pc.and_(pc.equal(split, name), passes).fill_null(False)


def _to_schema(rows: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The columns of a schema, in its order and as its types are."""
    return pa.RecordBatch.from_arrays([rows.column(column.name).cast(column.type) for column in schema], schema=schema)


def _with_last(batch: pa.RecordBatch, name: str, value: pa.Array) -> pa.RecordBatch:
    """The rows with one more column: nulls, and in the last of the rows the one value."""
    return batch.append_column(name, pa.concat_arrays([pa.nulls(len(batch) - 1, value.type), value]))
