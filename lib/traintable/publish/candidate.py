"""The rows of a next version: written once as the table's own files, looked at while they are, and named by no commit.

Write, audit, publish: what the gate sees are the rows of these files, and a commit either takes just these files or
does not happen.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import BinaryType, IntegerType, StructField, StructType

from traintable.columns import SPLIT, SPLITS, TRAIN, is_catalog_name, is_remote, quote
from traintable.delta_files import FileWriter, Written
from traintable.publish.commit import can_take
from traintable.quality.audit import FAILED
from traintable.quality.matrix import COUNTS, counts, matrix
from traintable.quality.summary import Summary
from traintable.s3 import is_s3
from traintable.session import is_managed
from traintable.storage import folder

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_TOLD = "_told"  # what a task tells of its files and features, in a row of its own


@dataclass(frozen=True)
class Candidate:
    """Rows that may become the table's next version.

    Attributes
    ----------
    audited : what the gate looks at, a row for each row that was computed, of these columns.
    files : the files that hold the rows that may be published, by split; None where the table is in a storage to which
        tasks can't write themselves, so that `rows` have to be written once more.
    summary : what the features of train are like.
    schema : that of the files' rows and `split`, as Spark writes it in JSON.
    """

    audited: DataFrame
    files: Mapping[str, Sequence[Written]] | None
    summary: Summary
    table: str
    schema: Mapping[str, Any]
    rows: DataFrame | None = None

    @contextmanager
    def discarded_on_error(self) -> Iterator[None]:
        """Remove the files when the body raises an error."""
        try:
            yield
        except BaseException:
            self.discard()
            raise

    def discard(self) -> None:
        """Remove the files, which no commit has taken."""
        for part, files in (self.files or {}).items():
            for file in files:
                folder(f"{self.table}/{SPLIT}={part}").remove(file.path)


def takes_files(table: str, schema: StructType) -> bool:
    """Whether tasks can write a table's files themselves: on this disk and on S3, if the table is as ours are.

    What a path without a scheme means where somebody else starts our sessions is Spark's to say; and times without a
    zone are a feature that a table has to declare.
    """
    is_ours = is_s3(table) or not (is_catalog_name(table) or is_remote(table) or is_managed())
    return is_ours and "timestamp_ntz" not in schema.simpleString() and can_take(table)


def write(
    audited: DataFrame,
    table: str,
    *,
    published: Sequence[str],
    looked_at: Sequence[str],
    features: Sequence[str],
    hold: Callable[[DataFrame, str], DataFrame],
) -> Candidate:
    """Write the rows of `quality.prepared` that fail no rule of level quarantine, and what the gate looks at of all.

    Of `published` columns are the files, of `looked_at` columns is what `hold` keeps (it writes rows somewhere, and
    reads them from there). Costs one pass, in which rows are computed, written and summed up; another one where the
    table is in a storage to which tasks can't write.
    """
    columns = audited.select(*map(quote, published)).schema
    schema = json.loads(columns.json())
    if not takes_files(table, columns):
        wide = hold(audited, "candidate")
        held = hold(_passed(wide, None, published, looked_at, features), "audit")
        rows = wide.where(F.size(FAILED) == 0).select(*map(quote, published))
        return Candidate(_without_told(held), None, _told(held, features)[1], table, schema, rows)
    held = hold(_passed(audited, table, published, looked_at, features), "audit")
    files, summary = _told(held, features)
    return Candidate(_without_told(held), files, summary, table, schema)


def _without_told(held: DataFrame) -> DataFrame:
    return held.where(F.col(_TOLD).isNull()).drop(_TOLD)


def _told(held: DataFrame, features: Sequence[str]) -> tuple[dict[str, list[Written]], Summary]:
    """What all tasks have told of files and features."""
    files: dict[str, list[Written]] = {}
    summary = Summary.empty(features)
    for row in held.where(F.col(_TOLD).isNotNull()).select(_TOLD).toLocalIterator():  # one row a task
        content = bytes(row[_TOLD])
        size = int.from_bytes(content[:8], "little")
        for part, file in json.loads(content[8 : 8 + size]):
            files.setdefault(part, []).append(Written(**file))
        summary.merge(Summary.from_bytes(content[8 + size :]))
    return files, summary


def _passed(
    audited: DataFrame, table: str | None, published: Sequence[str], looked_at: Sequence[str], features: Sequence[str]
) -> DataFrame:
    """The audited rows, of which the tasks write those that may be published, and sum up those of train."""
    known = {field.name: field.dataType for field in audited.schema} | dict.fromkeys(COUNTS, IntegerType())
    fields = [StructField(name, known[name]) for name in looked_at]
    schema = StructType([*fields, StructField(_TOLD, BinaryType())])
    arrow = to_arrow_schema(StructType([audited.schema[name] for name in published if name != SPLIT]))
    looked = to_arrow_schema(StructType(fields))
    names = tuple(features)

    def task(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        writers: dict[str, FileWriter] = {}
        summary = Summary.empty(names)
        try:
            for batch in batches:
                values, lengths = matrix(batch, names)
                for part, is_of_it in _parts(batch):
                    if part == TRAIN:
                        summary.add(values if is_of_it is None else values[is_of_it.to_numpy(zero_copy_only=False)])
                    if table is not None and part in SPLITS:  # others the gate will refuse
                        writer = writers.setdefault(part, FileWriter(f"{table}/{SPLIT}={part}", arrow))
                        writer.add(_of_schema(batch if is_of_it is None else batch.filter(is_of_it), arrow))
                for name, column in counts(values, lengths).items():
                    batch = batch.append_column(name, column)
                yield _with_told(_of_schema(batch, looked), None)
            closed = [(part, writer.close()) for part, writer in writers.items()]
        except BaseException:
            for writer in writers.values():
                writer.abandon()
            raise
        told = json.dumps([(part, vars(file)) for part, file in closed if file is not None]).encode()
        nothing = pa.RecordBatch.from_pylist([dict.fromkeys(looked.names)], schema=looked)
        yield _with_told(nothing, len(told).to_bytes(8, "little") + told + summary.to_bytes())

    return audited.mapInArrow(task, schema)


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
    return pa.RecordBatch.from_arrays([rows.column(field.name).cast(field.type) for field in schema], schema=schema)


def _with_told(batch: pa.RecordBatch, told: bytes | None) -> pa.RecordBatch:
    return batch.append_column(_TOLD, pa.array([told] * len(batch), pa.binary()))
