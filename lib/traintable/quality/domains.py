"""The rows that a metric is about, as conditions on rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any

from great_expectations.core.id_dict import IDDict
from great_expectations.execution_engine.sparkdf_batch_data import SparkDFBatchData
from great_expectations.execution_engine.sparkdf_execution_engine import SparkDFExecutionEngine
from pyspark.sql import functions as F

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

ALL_ROWS = IDDict(batch_id="every row of the table")
DOMAIN = "_domain"


class Domains:
    """What Great Expectations filters rows by for the domain of a metric: its batch, and conditions within that.

    Great Expectations' own engine is asked, with a recorder in place of rows. Batches are subsets of the rows (name ->
    condition; None for all rows).
    """

    def __init__(self, schema: Any, batches: Mapping[str, Column | None]) -> None:
        self._engine = SparkDFExecutionEngine(persist=False)
        for name, condition in [*batches.items(), (ALL_ROWS["batch_id"], None)]:
            recorder: Any = SparkDFBatchData(self._engine, _Recorder(schema, condition))
            self._engine.load_batch_data(name, recorder)

    def conditions(self, domain: Mapping[str, Any]) -> list[Any]:
        """The conditions, SQL or columns, all of which hold for a row of a domain."""
        conditions: list[Any] = self._engine.get_domain_records(IDDict(domain)).conditions
        return conditions

    def holds(self, domain: Mapping[str, Any]) -> Column:
        """The condition that a row is in a domain."""
        return all_hold(self.conditions(domain))

    def add_domain(self, rows: DataFrame, domains: Sequence[Mapping[str, Any]]) -> tuple[DataFrame, list[int]]:
        """The rows with the number of their domain in `_domain`, once for each; and the number of each domain."""
        conditions = [self.conditions(domain) for domain in domains]
        different = {str(some): some for some in conditions}
        numbers = [list(different).index(str(some)) for some in conditions]
        holds = [all_hold(some) for some in different.values()]
        if len(holds) == 1:
            return rows.where(holds[0]).withColumn(DOMAIN, F.lit(0)), numbers
        columns = [F.when(condition, F.lit(i)) for i, condition in enumerate(holds)]
        return rows.withColumn(DOMAIN, F.explode(F.array_compact(F.array(*columns)))), numbers


class _Recorder:
    """Takes the place of rows, and records the conditions that they would be filtered by."""

    def __init__(self, schema: Any, *conditions: Any) -> None:
        self.schema = schema
        self.conditions = [condition for condition in conditions if condition is not None]

    def filter(self, condition: Any) -> _Recorder:
        return _Recorder(self.schema, *self.conditions, condition)


def all_hold(conditions: Sequence[Any]) -> Column:
    """The condition that all of some conditions hold, which are SQL or columns."""
    columns = [F.expr(condition) if isinstance(condition, str) else condition for condition in conditions]
    return reduce(lambda left, right: left & right, columns) if columns else F.lit(True)


def domain_with_columns(compute: Mapping[str, Any], accessor: Mapping[str, Any]) -> IDDict:
    """A domain with the columns that its `ignore_row_if` is about."""
    return IDDict({**compute, **accessor})
