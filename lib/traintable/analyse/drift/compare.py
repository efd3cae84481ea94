"""Two tables, or two versions of one, column by column: what has come, gone, changed its type, or drifted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from traintable.analyse.drift.columns import Drift, category_drift, number_drift, psi_of_counts, severity
from traintable.analyse.hypothesis import missing_or_not
from traintable.analyse.hypothesis.multiple import adjusted
from traintable.analyse.json_values import as_json
from traintable.analyse.scans.columns import KEY, OTHER, TEXT, WORDS, AnalysedColumn, columns_of, separate_texts
from traintable.statistics import Statistics, Wanted, scan

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class Side:
    """One of the two tables: its name, its columns, and what a scan has learned of them."""

    name: str
    columns: tuple[AnalysedColumn, ...]
    learned: Statistics

    def n_missing(self, column: AnalysedColumn) -> int:
        """Rows in which a column has no value; a number that is NaN or infinite is none."""
        if column.is_ranked:
            return self.learned.n_rows - self.learned.summary[column.name].n
        return self.learned.frequencies[column.name].n_null


def compare(
    reference: DataFrame, current: DataFrame, *, key: Sequence[str] = (), against: str = "reference"
) -> dict[str, Any]:
    """How `current` differs from `reference`, for example from the version that a model was trained on.

    Returns
    -------
    dict
        against : the name of the reference. rows : {"before", "after"}.
        columns : for each column of both, but `key`: name; kind; psi, the population stability index (see `drift.psi`);
            severity, "none" below 0.1, "severe" from 0.25 on; test, statistic, p_value and q_value (Benjamini and
            Hochberg over all); ks or chi2, the statistic again by the kind of test; rank_error, 0 where exact; missing,
            the shares of rows without a value before and after. A text of too many values is compared by whether it is
            missing. Times move as tables grow: their drift is told, but is no fault.
        schema : {"change": "added", "removed" or "type", "column", "before", "after"}.
        left_out : {"column", "because"} for what can't be compared.

    Costs one scan of each side.
    """
    sides = [side_of(df, key, name) for df, name in ((reference, against), (current, "current"))]
    return as_json(compared(*sides))


def side_of(df: DataFrame, key: Sequence[str], name: str) -> Side:
    """A table with what has to be known of it; one scan."""
    columns = columns_of(dict(df.dtypes), label=None, time=None, key=key)
    learned = scan(df, _wanted(columns))
    return Side(name, separate_texts(columns, learned), learned)


def compared(before: Side, after: Side) -> dict[str, Any]:
    """The differences of two sides, see `compare`; no pass."""
    earlier = {column.name: column for column in before.columns}
    shared = [(earlier[c.name], c) for c in after.columns if c.name in earlier and c.role != KEY]
    reasons = {new.name: _hindrance(old, new) for old, new in shared}
    drifts = {new.name: _drift(old, new, before, after) for old, new in shared if not reasons[new.name]}
    q_values = adjusted({name: drift.test for name, drift in drifts.items()})
    kinds = {new.name: new for _, new in shared}
    return {
        "against": before.name,
        "rows": {"before": before.learned.n_rows, "after": after.learned.n_rows},
        "columns": [
            _told(kinds[name], earlier[name], drift, q_values[name], before, after) for name, drift in drifts.items()
        ],
        "schema": list(_changes(before, after)),
        "left_out": [{"column": name, "because": reason} for name, reason in reasons.items() if reason],
    }


def _wanted(columns: Sequence[AnalysedColumn]) -> Wanted:
    ranked = tuple(c.name for c in columns if c.is_ranked)
    words = tuple(c.name for c in columns if c.kind in WORDS)
    return Wanted(summary=ranked, values=ranked, frequencies=words)


def _changes(before: Side, after: Side) -> Iterator[dict[str, Any]]:
    types = [{c.name: c.type for c in side.columns} for side in (before, after)]
    for name in dict.fromkeys([*types[0], *types[1]]):
        old, new = (known.get(name) for known in types)
        if old != new:
            change = "added" if old is None else "removed" if new is None else "type"
            yield {"change": change, "column": name, "before": old, "after": new}


def _hindrance(old: AnalysedColumn, new: AnalysedColumn) -> str | None:
    """Why two columns can't be compared."""
    if OTHER in (old.kind, new.kind):
        return f"values of type {old.type if old.kind == OTHER else new.type} are not compared"
    if _family(old) != _family(new):
        return f"{old.type} and {new.type} are not comparable"
    return None


def _family(column: AnalysedColumn) -> str:
    return column.kind if column.is_ranked else TEXT


def _drift(old: AnalysedColumn, new: AnalysedColumn, before: Side, after: Side) -> Drift:
    sides = ((old, before), (new, after))
    missing = [side.n_missing(column) for column, side in sides]
    if new.is_ranked:
        values = [side.learned.values[new.name].weighted() for _, side in sides]
        return number_drift(*values, missing=(missing[0], missing[1]))
    if TEXT not in (old.kind, new.kind):
        return category_drift(*[side.learned.frequencies[new.name] for _, side in sides])
    counts = np.array([[n, side.learned.n_rows - n] for n, (_, side) in zip(missing, sides, strict=True)])
    index = psi_of_counts(*counts)
    return Drift(index, severity(index), missing_or_not(counts))


def _told(
    new: AnalysedColumn, old: AnalysedColumn, drift: Drift, q_value: float, before: Side, after: Side
) -> dict[str, Any]:
    test, is_text = drift.test, TEXT in (old.kind, new.kind)
    shares = [
        side.n_missing(column) / side.learned.n_rows if side.learned.n_rows else None
        for column, side in ((old, before), (new, after))
    ]
    return {
        **{"name": new.name, "kind": TEXT if is_text else new.kind, "psi": drift.psi, "severity": drift.severity},
        **{"test": test.test, "statistic": test.statistic},
        **{"p_value": test.p_value, "q_value": q_value, "rank_error": test.rank_error},
        "ks": test.statistic if new.is_ranked else None,
        "chi2": None if new.is_ranked else test.statistic,
        "missing": dict(zip(("before", "after"), shares, strict=True)),
    }
