"""The rows of a next version: written once as the table's own files, judged by the gate, and named by no commit yet.

Write, audit, publish: what the gate sees are the rows of these files, and a commit either takes just these files or
does not happen.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from traintable.addresses import is_catalog_name, is_remote, is_s3
from traintable.columns import SPLIT, quote, split_folder
from traintable.delta.data_files import Written
from traintable.delta.table import Table
from traintable.errors import AccountingError
from traintable.publish.write_task import FILE, RESULT, CandidateTaskResult, TaskFolders, write_candidate
from traintable.quality import FeatureSummary, Tally
from traintable.quality.audit import FAILED
from traintable.spark.session import is_managed
from traintable.storage.folder import folder
from traintable.table_columns import TableColumns

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_GATED = "audit"
_SHORT = 2**13  # bytes of a task's result that come with the aggregates; what is longer is read one by one


@dataclass(frozen=True)
class Candidate:
    """Rows that may become the table's next version.

    Attributes
    ----------
    audited : what the gate reads, a row for each row that was computed, of these columns.
    files : the files that hold the rows that may be published, by split; None where the table is in a storage to which
        tasks can't write themselves, so that `rows` have to be written once more.
    summary : of the features of train.
    tally : how many rows there are.
    schema : that of the files' rows and `split`, as Spark writes it in JSON.
    """

    audited: DataFrame
    files: Mapping[str, Sequence[Written]] | None
    summary: FeatureSummary
    tally: Tally
    table: str
    schema: Mapping[str, Any]
    rows: DataFrame | None = None

    def discard(self) -> None:
        """Remove the files, which no commit has taken."""
        for split, files in (self.files or {}).items():
            for file in files:
                folder(f"{self.table}/{split_folder(split)}").remove(file.path)


def takes_files(table: str, schema: StructType) -> bool:
    """Whether tasks can write a table's files themselves, if the table is as ours are.

    Times without a zone are a feature that a table has to declare.
    """
    return (
        is_for_tasks(table)
        and "timestamp_ntz" not in schema.simpleString()
        and Table(table).can_be_replaced_with_files([SPLIT])
    )


def is_for_tasks(place: str) -> bool:
    """Whether tasks can write there themselves: on this disk and on S3.

    What a path without a scheme means where somebody else starts our sessions is Spark's to say.
    """
    return is_s3(place) or not (is_catalog_name(place) or is_remote(place) or is_managed())


class CandidateWrite:
    """Rows of `quality.with_rule_columns` that are still to be computed, written and given to the gate, in one pass.

    The files have the columns of the table; a private `folder` keeps those that the gate reads (`gate_columns`). Rows
    that fail a rule of level quarantine are among these, but in no file of the table. Where tasks can't write to
    its storage or to the folder, it takes two more passes, and `hold` writes rows to the folder under a name, and reads
    them from there.

    Attributes
    ----------
    rows : what the gate reads; see `quality.gate_columns`.
    candidate : the result; None before `compute`.
    """

    def __init__(
        self,
        audited: DataFrame,
        table: str,
        *,
        columns: TableColumns,
        gate_columns: Sequence[str],
        folder: str,
        hold: Callable[[DataFrame, str], DataFrame],
    ) -> None:
        self._audited, self._table, self._hold = audited, table, hold
        self._columns, self._gate_columns = columns, gate_columns
        self._schema = audited.select(*map(quote, columns.names)).schema
        self._folders = None
        if takes_files(table, self._schema) and is_for_tasks(folder):
            self._folders = TaskFolders(table, f"{folder}/{_GATED}")
        self._planned = self._write(audited)
        self.rows = self._planned.drop(RESULT, FILE)
        self.candidate: Candidate | None = None

    @property
    def n(self) -> int | None:
        """How many rows the gate reads; None before `compute`."""
        return None if self.candidate is None else self.candidate.tally.n

    @property
    def is_pending(self) -> bool:
        """Whether the rows are still to be computed."""
        return self.candidate is None

    def compute(self, aggregates: Sequence[Column]) -> list[Any]:
        """Compute the rows, and in the same pass these aggregates of what the gate reads.

        Raises AccountingError unless files and gate have the same number of rows.
        """
        wide = gated = None
        if self._folders is None:
            wide = self._hold(self._audited, "candidate")
            gated = self._hold(self._write(wide), _GATED)
        named = {f"m{i}": aggregate for i, aggregate in enumerate(aggregates)}
        short = F.collect_list(F.when(F.length(RESULT) <= _SHORT, F.col(RESULT)))
        files = F.collect_list(FILE)
        own = {"results": short, "n_results": F.count(RESULT), "files": files, "n": F.count(F.lit(1))}
        columns = [column.alias(name) for name, column in {**named, **own}.items()]
        row = (self._planned if gated is None else gated).agg(*columns).collect()[0]
        if gated is None:
            gated = self._read_gated(row["files"])
        result = CandidateTaskResult(FeatureSummary.empty(self._columns.features))
        for content in row["results"] if len(row["results"]) == row["n_results"] else _read_results(gated):
            result.add(bytes(content))
        left = None if wide is None else wide.where(F.size(FAILED) == 0).select(*map(quote, self._columns.names))
        self.rows = gated.drop(RESULT, FILE)
        self.candidate = Candidate(
            self.rows,
            result.files if wide is None else None,
            result.summary,
            result.tally,
            self._table,
            json.loads(self._schema.json()),
            left,
        )
        _require_whole(self.candidate, row["n"])
        return [row[name] for name in named]

    def _write(self, audited: DataFrame) -> DataFrame:
        return write_candidate(audited, self._folders, columns=self._columns, gate_columns=self._gate_columns)

    def _read_gated(self, files: Sequence[str]) -> DataFrame:
        """What the gate reads, from just the files of tasks that have counted: others may have failed at their end."""
        assert self._folders is not None
        spark, schema = self._audited.sparkSession, self._planned.drop(FILE).schema
        if not files:
            return spark.createDataFrame([], schema)
        return spark.read.schema(schema).parquet(*[f"{self._folders.gated}/{name}" for name in files])

    @contextmanager
    def discard_on_error(self) -> Iterator[None]:
        """Remove the files when the body raises an error."""
        try:
            yield
        except BaseException:
            if self.candidate is not None:
                self.candidate.discard()
            raise


def _read_results(gated: DataFrame) -> Iterator[Any]:
    """The results of tasks, however long they are."""
    rows = gated.where(F.col(RESULT).isNotNull()).select(RESULT)
    return (row[RESULT] for row in rows.toLocalIterator())  # one row a task


def _require_whole(candidate: Candidate, n: int) -> None:
    """Raise AccountingError unless the gate reads all rows, and the files hold those that may be published."""
    tally, files = candidate.tally, candidate.files
    written = tally.rows if files is None else {name: sum(file.n for file in some) for name, some in files.items()}
    if n != tally.n or written != tally.rows:
        raise AccountingError(
            where=f"run for {candidate.table}",
            expected=f"files with the rows that the gate reads, {dict(tally.rows)} of {tally.n}",
            found=f"{dict(written)} of {n}",
            remedy="Nothing was published. This is a defect: please report it with the configuration.",
        )
