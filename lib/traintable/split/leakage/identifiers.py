"""Identifiers that act as labels: by their order, or because the same one has the same answer on both sides."""

from __future__ import annotations

import numpy as np

from traintable.split.leakage.evidence import Evidence, Grid
from traintable.split.leakage.finding import LeakFinding, Severity
from traintable.split.leakage.separation import bin_counts, bin_numbers, information, lookup

NEAR_UNIQUE = 0.95
MIN_VALUES = 20
MIN_ROWS = 30
_ORDER_BINS, _ROWS_PER_BIN = 64, 20
_LEAST_Z = 5.0


def identifiers(evidence: Evidence) -> list[LeakFinding]:
    """Features and columns of the key that give the label away as an identifier does; costs no pass.

    By order: whole numbers or times that differ in at least 95% of the rows, where the bin of equally many rows tells
    at least `max_order_information` of the label's entropy (rows were collected or sorted class by class). By lookup:
    at least 20 values, each with two rows on average, that stand on both sides, where the most frequent class that a
    value has in train saves at least `max_lookup` of the errors that the constant answer makes on held-out rows, and
    lies five standard errors above it. A column of the key that is no feature only gives a warning.
    """
    if not evidence.classes:
        return []
    findings = []
    for name in dict.fromkeys([*evidence.table.features, *evidence.table.key]):
        finding = _order_finding(name, evidence) if _is_counter(name, evidence) else _lookup_finding(name, evidence)
        findings += [finding] if finding else []
    return findings


def _is_counter(name: str, evidence: Evidence) -> bool:
    if name not in evidence.table.numbers or not evidence.table.counts_up(name):
        return False
    return evidence.n_distinct(name) >= NEAR_UNIQUE * max(MIN_ROWS, evidence.n_present(name))


def _order_finding(name: str, evidence: Evidence) -> LeakFinding | None:
    """The finding where the order of a nearly unique number tells the label."""
    train = evidence.of_number(name).train
    n_bins = min(_ORDER_BINS, int(train.sum()) // _ROWS_PER_BIN)
    if n_bins < 2:
        return None
    share, limit = (
        information(bin_counts(train, bin_numbers(train, n_bins))),
        evidence.table.limits.max_order_information,
    )
    if share < limit:
        return None
    numbers = {"information": share, "values": evidence.n_distinct(name), "bins": n_bins, "limit": limit}
    return _finding(name, "it differs in nearly all rows, and its order tells the label", numbers, evidence)


def _lookup_finding(name: str, evidence: Evidence) -> LeakFinding | None:
    """The finding where train answers for held-out rows that have the same value."""
    grid = _grid(name, evidence)
    if grid is None:
        return None
    n_values = int(np.count_nonzero(grid.train.any(axis=1)))
    if n_values < MIN_VALUES or n_values > int(grid.train.sum()) / 2:
        return None
    result, limit = lookup(grid.train, grid.held), evidence.table.limits.max_lookup
    if result.n < MIN_ROWS or result.saved < limit or result.z < _LEAST_Z:
        return None
    numbers = {
        "accuracy_held_out": result.accuracy,
        "constant": result.constant,
        "saved": result.saved,
        "values": n_values,
        "rows_held_out": result.n,
        "limit": limit,
    }
    return _finding(name, "the same value has the same answer in train and in held-out rows", numbers, evidence)


def _grid(name: str, evidence: Evidence) -> Grid | None:
    """Counts of the values of a category or of whole numbers; None for measurements and where they are too many."""
    if name in evidence.categories:
        return evidence.of_category(name)
    if name in evidence.table.numbers and evidence.table.counts_up(name):
        grid = evidence.of_number(name)
        return grid if grid.is_exact else None
    return None


def _finding(name: str, message: str, numbers: dict[str, float], evidence: Evidence) -> LeakFinding:
    is_feature = name in evidence.table.features
    severity: Severity = "severe" if is_feature else "warning"
    remedy = (
        "Leave it out of `prepare.features`; if it names what rows belong to, split by it, as by a group."
        if is_feature
        else "It is not a feature; shuffle the rows before anything depends on their order, or split by it."
    )
    return LeakFinding("identifiers", severity, (name,), message, remedy, numbers)
