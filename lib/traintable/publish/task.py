"""What a task does with the rows of a candidate: it writes them, counts them, and hands on what the gate looks at."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import BinaryType, IntegerType, StructField, StructType

from traintable.columns import SPLIT, SPLITS, TRAIN, split_folder
from traintable.delta_files import FileWriter, Written
from traintable.quality.audit import FAILED
from traintable.quality.matrix import COUNTS, counts, matrix
from traintable.quality.summary import Summary
from traintable.quality.tally import Tally

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

TOLD = "_told"  # what a task tells, with its last row


@dataclass
class Told:
    """What tasks tell: the files that they have written, by split, counts of rows, and what the features are like."""

    summary: Summary
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
        self.summary.merge(Summary.from_bytes(content[8 + size :]))


def passed(
    audited: DataFrame,
    table: str | None,
    *,
    published: Sequence[str],
    looked_at: Sequence[str],
    features: Sequence[str],
) -> DataFrame:
    """The rows of `quality.prepared`, `looked_at` columns of them, while tasks write and count them.

    Into files of `table` go `published` columns of the rows that fail no rule of level quarantine. In the column
    `_told` is null, and in the last row of each task what it tells.
    """
    known = {column.name: column.dataType for column in audited.schema} | dict.fromkeys(COUNTS, IntegerType())
    fields = [StructField(name, known[name]) for name in looked_at]
    arrow = to_arrow_schema(StructType([audited.schema[name] for name in published if name != SPLIT]))
    looked = to_arrow_schema(StructType(fields))
    names = tuple(features)

    def task(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        writers: dict[str, FileWriter] = {}
        told, last = Told(Summary.empty(names)), None
        try:
            for batch in batches:
                if not len(batch):
                    continue
                if last is not None:
                    yield _with_told(last, None)
                values, lengths = matrix(batch, names)
                told.tally.n += len(batch)
                told.tally.n_set_aside += pc.sum(pc.not_equal(pc.list_value_length(batch.column(FAILED)), 0)).as_py()
                for part, is_of_it in _parts(batch):
                    rows = batch if is_of_it is None else batch.filter(is_of_it)
                    told.tally.add(rows, part)
                    if part == TRAIN:
                        of_train = values if is_of_it is None else values[is_of_it.to_numpy(zero_copy_only=False)]
                        told.summary.add(of_train)
                    if table is not None and part in SPLITS:  # others the gate will refuse
                        writer = writers.setdefault(part, FileWriter(f"{table}/{split_folder(part)}", arrow))
                        writer.add(_of_schema(rows, arrow))
                for name, column in counts(values, lengths).items():
                    batch = batch.append_column(name, column)
                last = _of_schema(batch, looked)
            for part, writer in writers.items():
                if (file := writer.close()) is not None:
                    told.files[part] = [file]
        except BaseException:
            for writer in writers.values():
                writer.abandon()
            raise
        if last is not None:
            yield _with_told(last, told.to_bytes())

    return audited.mapInArrow(task, StructType([*fields, StructField(TOLD, BinaryType())]))


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


def _with_told(batch: pa.RecordBatch, told: bytes | None) -> pa.RecordBatch:
    """The rows, with what is told beside the last one."""
    return batch.append_column(TOLD, pa.array([*[None] * (len(batch) - 1), told], pa.binary()))
