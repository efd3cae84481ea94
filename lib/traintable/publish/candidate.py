"""The rows of a next version: written once as the table's own files, looked at while they are, and named by no commit.

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
from traintable.columns import quote, split_folder
from traintable.delta.data_files import Written
from traintable.delta.write_version import can_take
from traintable.errors import AccountingError
from traintable.publish.write_task import FILE, TOLD, Places, Told, passed
from traintable.quality.audit import FAILED
from traintable.quality.summary import FeatureSummary
from traintable.quality.tally import Tally
from traintable.spark.session import is_managed
from traintable.storage.folder import folder
from traintable.table_columns import TableColumns

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_HELD = "audit"
_SHORT = 2**13  # bytes that a task tells which come with the aggregates; what is longer is read one by one


@dataclass(frozen=True)
class Candidate:
    """Rows that may become the table's next version.

    Attributes
    ----------
    audited : what the gate looks at, a row for each row that was computed, of these columns.
    files : the files that hold the rows that may be published, by split; None where the table is in a storage to which
        tasks can't write themselves, so that `rows` have to be written once more.
    summary : what the features of train are like.
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
        for part, files in (self.files or {}).items():
            for file in files:
                folder(f"{self.table}/{split_folder(part)}").remove(file.path)


def takes_files(table: str, schema: StructType) -> bool:
    """Whether tasks can write a table's files themselves, if the table is as ours are.

    Times without a zone are a feature that a table has to declare.
    """
    return is_for_tasks(table) and "timestamp_ntz" not in schema.simpleString() and can_take(table)


def is_for_tasks(place: str) -> bool:
    """Whether tasks can write there themselves: on this disk and on S3.

    What a path without a scheme means where somebody else starts our sessions is Spark's to say.
    """
    return is_s3(place) or not (is_catalog_name(place) or is_remote(place) or is_managed())


class Pending:
    """Rows of `quality.with_rule_columns` that are still to be computed, written and looked at, all in one pass.

    The files have the columns of the table; a private `folder` keeps `gate_columns`. Rows that fail a rule of level
    quarantine are looked at, but in no file of the table. Where tasks can't write to its storage or to the folder, it
    takes two more passes, and `hold` writes rows to the folder under a name, and reads them from there.

    Attributes
    ----------
    rows : what is looked at; see `quality.gate_columns`.
    candidate : what has come of it; None before `compute`.
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
        self._places = None
        if takes_files(table, self._schema) and is_for_tasks(folder):
            self._places = Places(table, f"{folder}/{_HELD}")
        self._planned = self._passed(audited)
        self.rows = self._planned.drop(TOLD, FILE)
        self.candidate: Candidate | None = None

    @property
    def n(self) -> int | None:
        """How many rows are looked at; None before `compute`."""
        return None if self.candidate is None else self.candidate.tally.n

    @property
    def is_pending(self) -> bool:
        """Whether the rows are still to be computed."""
        return self.candidate is None

    def compute(self, aggregates: Sequence[Column]) -> list[Any]:
        """Compute the rows, and in the same pass these aggregates of what is looked at.

        Raises AccountingError unless files and gate have the same number of rows.
        """
        wide = held = None
        if self._places is None:
            wide = self._hold(self._audited, "candidate")
            held = self._hold(self._passed(wide), _HELD)
        named = {f"m{i}": aggregate for i, aggregate in enumerate(aggregates)}
        short = F.when(F.length(TOLD) <= _SHORT, F.col(TOLD))
        told, files = F.collect_list(short), F.collect_list(FILE)
        own = {"told": told, "n_told": F.count(TOLD), "files": files, "n": F.count(F.lit(1))}
        columns = [column.alias(name) for name, column in {**named, **own}.items()]
        found = (self._planned if held is None else held).agg(*columns).collect()[0]
        if held is None:
            held = self._held(found["files"])
        all_told = Told(FeatureSummary.empty(self._columns.features))
        for content in found["told"] if len(found["told"]) == found["n_told"] else _read(held):
            all_told.add(bytes(content))
        left = None if wide is None else wide.where(F.size(FAILED) == 0).select(*map(quote, self._columns.names))
        self.rows = held.drop(TOLD, FILE)
        self.candidate = Candidate(
            self.rows,
            all_told.files if wide is None else None,
            all_told.summary,
            all_told.tally,
            self._table,
            json.loads(self._schema.json()),
            left,
        )
        _require_whole(self.candidate, found["n"])
        return [found[name] for name in named]

    def _passed(self, audited: DataFrame) -> DataFrame:
        return passed(audited, self._places, columns=self._columns, gate_columns=self._gate_columns)

    def _held(self, files: Sequence[str]) -> DataFrame:
        """What is looked at, from just the files of tasks that have counted: others may have failed at their end."""
        assert self._places is not None
        spark, schema = self._audited.sparkSession, self._planned.drop(FILE).schema
        if not files:
            return spark.createDataFrame([], schema)
        return spark.read.schema(schema).parquet(*[f"{self._places.held}/{name}" for name in files])

    @contextmanager
    def discarded_on_error(self) -> Iterator[None]:
        """Remove the files when the body raises an error."""
        try:
            yield
        except BaseException:
            if self.candidate is not None:
                self.candidate.discard()
            raise


def _read(held: DataFrame) -> Iterator[Any]:
    """What tasks have told, however long it is."""
    rows = held.where(F.col(TOLD).isNotNull()).select(TOLD)
    return (row[TOLD] for row in rows.toLocalIterator())  # one row a task


def _require_whole(candidate: Candidate, n: int) -> None:
    """Raise AccountingError unless the gate looks at all rows, and the files hold those that may be published."""
    tally, files = candidate.tally, candidate.files
    written = tally.rows if files is None else {part: sum(file.n for file in found) for part, found in files.items()}
    if n != tally.n or written != tally.rows:
        raise AccountingError(
            where=f"run for {candidate.table}",
            expected=f"files with the rows that the gate looks at, {dict(tally.rows)} of {tally.n}",
            found=f"{dict(written)} of {n}",
            remedy="Nothing was published. This is a defect: please report it with the configuration.",
        )
