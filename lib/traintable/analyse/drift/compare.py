"""Two tables, or two versions of one, column by column: what has come, gone, changed its type, or drifted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from traintable.analyse.document import ColumnDrift, Kind, TableDrift, TypeChange
from traintable.analyse.drift.columns import Drift, category_drift, number_drift, psi_of_counts, severity
from traintable.analyse.hypothesis import missing_or_not
from traintable.analyse.hypothesis.multiple_testing import adjust_p_values
from traintable.analyse.json_values import as_json
from traintable.analyse.scans.columns import KEY, OTHER, TEXT, WORDS, AnalysedColumn, columns_of, separate_texts
from traintable.statistics import Statistics, Wanted, scan

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class ComparedTable:
    """One of two tables to compare: its name, its columns, and what a scan has learned of them."""

    name: str
    columns: tuple[AnalysedColumn, ...]
    statistics: Statistics

    def n_missing(self, column: AnalysedColumn) -> int:
        """Rows in which a column has no value; a number that is NaN or infinite is none."""
        if column.is_ranked:
            return self.statistics.n_rows - self.statistics.summary[column.name].n
        return self.statistics.frequencies[column.name].n_null


class _Pair(NamedTuple):
    """A column that both tables have."""

    old: AnalysedColumn
    new: AnalysedColumn

    @property
    def kind(self) -> Kind:
        """What its values are taken for; a text where they are too many on one side."""
        return TEXT if TEXT in (self.old.kind, self.new.kind) else self.new.kind


def compare(
    reference: DataFrame, current: DataFrame, *, key: Sequence[str] = (), against: str = "reference"
) -> TableDrift:
    """How `current` differs from `reference`, for example from the version that a model was trained on.

    Parameters
    ----------
    reference, current : the rows before and after.
    key : columns that tell rows apart, which are not compared.
    against : the name of the reference, for the reader.

    Returns
    -------
    TableDrift
        For each column of both, but `key`, its population stability index, and a test of no difference with its p-value
        adjusted for all columns (Benjamini and Hochberg); what has changed in the schema; and what can't be compared. A
        text of too many values is compared by whether it is missing. Times move as tables grow: their drift is in the
        list, but is no fault. Costs one scan of each side.

    Source: see `drift.columns.psi` for the index; the tests are those of Smirnov for numbers and times, chi-square for
    categories.

    Examples
    --------
    >>> from traintable import analyse
    >>> before = spark.createDataFrame([(i % 10 / 1.0, "a") for i in range(100)], "x double, word string")
    >>> drift = analyse.compare(before, before.selectExpr("x * 3 as x", "word"))
    >>> [(column["name"], column["severity"]) for column in drift["columns"]]
    [('x', 'severe'), ('word', 'none')]
    """
    sides = [scan_for_comparison(df, key, name) for df, name in ((reference, against), (current, "current"))]
    return as_json(compare_tables(*sides))


def scan_for_comparison(df: DataFrame, key: Sequence[str], name: str) -> ComparedTable:
    """A table with what has to be known of it; one scan."""
    columns = columns_of(dict(df.dtypes), label=None, time=None, key=key)
    statistics = scan(df, _wanted(columns))
    return ComparedTable(name, separate_texts(columns, statistics), statistics)


def compare_tables(before: ComparedTable, after: ComparedTable) -> TableDrift:
    """The differences of two tables, see `compare`; no pass."""
    earlier = {column.name: column for column in before.columns}
    pairs = {c.name: _Pair(earlier[c.name], c) for c in after.columns if c.name in earlier and c.role != KEY}
    reasons = {name: _hindrance(pair) for name, pair in pairs.items()}
    drifts = {name: _drift(pair, before, after) for name, pair in pairs.items() if not reasons[name]}
    q_values = adjust_p_values({name: drift.test for name, drift in drifts.items()})
    return {
        "against": before.name,
        "rows": {"before": before.statistics.n_rows, "after": after.statistics.n_rows},
        "columns": [_column_drift(pairs[name], drift, q_values[name], before, after) for name, drift in drifts.items()],
        "schema": list(_changes(before, after)),
        "left_out": [{"column": name, "because": reason} for name, reason in reasons.items() if reason],
    }


def _wanted(columns: Sequence[AnalysedColumn]) -> Wanted:
    ranked = tuple(c.name for c in columns if c.is_ranked)
    categories = tuple(c.name for c in columns if c.kind in WORDS)
    return Wanted(summary=ranked, values=ranked, frequencies=categories)


def _changes(before: ComparedTable, after: ComparedTable) -> Iterator[TypeChange]:
    """The columns that were added or removed, or have another type."""
    old_types, new_types = ({c.name: c.type for c in table.columns} for table in (before, after))
    for name in dict.fromkeys([*old_types, *new_types]):
        old, new = old_types.get(name), new_types.get(name)
        if old is None:
            yield {"change": "added", "column": name, "before": old, "after": new}
        elif new is None:
            yield {"change": "removed", "column": name, "before": old, "after": new}
        elif old != new:
            yield {"change": "type", "column": name, "before": old, "after": new}


def _hindrance(pair: _Pair) -> str | None:
    """Why two columns can't be compared."""
    old, new = pair
    if OTHER in (old.kind, new.kind):
        return f"values of type {old.type if old.kind == OTHER else new.type} are not compared"
    if _family(old) != _family(new):
        return f"{old.type} and {new.type} can't be compared"
    return None


def _family(column: AnalysedColumn) -> str:
    return column.kind if column.is_ranked else TEXT


def _drift(pair: _Pair, before: ComparedTable, after: ComparedTable) -> Drift:
    """How far a column has moved, by the test that its kind asks for."""
    name = pair.new.name
    missing = before.n_missing(pair.old), after.n_missing(pair.new)
    if pair.new.is_ranked:
        values = [table.statistics.values[name].weighted() for table in (before, after)]
        return number_drift(*values, missing=missing)
    if pair.kind != TEXT:
        return category_drift(*[table.statistics.frequencies[name] for table in (before, after)])
    n_rows = before.statistics.n_rows, after.statistics.n_rows
    counts = np.array([[n, rows - n] for n, rows in zip(missing, n_rows, strict=True)])
    index = psi_of_counts(*counts)
    return Drift(index, severity(index), missing_or_not(counts))


def _column_drift(
    pair: _Pair, drift: Drift, q_value: float, before: ComparedTable, after: ComparedTable
) -> ColumnDrift:
    """The drift of a column as the profile has it."""
    test = drift.test
    return {
        "name": pair.new.name,
        "kind": pair.kind,
        "psi": drift.psi,
        "severity": drift.severity,
        "test": test.test,
        "statistic": test.statistic,
        "p_value": test.p_value,
        "q_value": q_value,
        "rank_error": test.rank_error,
        "ks": test.statistic if pair.new.is_ranked else None,
        "chi2": None if pair.new.is_ranked else test.statistic,
        "missing": {"before": _missing_share(before, pair.old), "after": _missing_share(after, pair.new)},
    }


def _missing_share(table: ComparedTable, column: AnalysedColumn) -> float | None:
    n_rows = table.statistics.n_rows
    return table.n_missing(column) / n_rows if n_rows else None
