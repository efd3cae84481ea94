"""Features that alone tell the label."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from traintable.arrays import Ints
from traintable.columns import TRAIN
from traintable.split.leakage.evidence import Evidence, Grid
from traintable.split.leakage.finding import LeakFinding
from traintable.split.leakage.separation import (
    bin_counts,
    bin_numbers,
    classes_by_rank,
    information,
    lookup,
    separation,
    standard_error,
)

MAX_BINS = 64
_ROWS_PER_BIN = 10
_REMEDY = (
    "Leave it out of `prepare.features`, or explain in `leakage.allow` how it is known when the prediction is made."
)


def predictors(evidence: Evidence) -> list[LeakFinding]:
    """Features of whose value alone the label follows, on train and on the rows held out; costs no pass.

    A number: the area under the ROC curve of its order (between neighbouring classes where they are several, all of
    them), missing values being the lowest or the highest. Where that is not above the limit, and of a category: the
    share of the label's entropy that its values tell, with many numbers in bins of equally many rows. Whether a value
    is missing counts as a column too. What train says must hold on held-out rows as well, so that few rows can't
    separate by chance: an area within two standard errors of the limit there, or nearly all of the constant answer's
    errors saved by answers looked up in train.
    """
    table, findings = evidence.table, []
    if not evidence.classes:
        return []
    for name in table.features:
        if name in table.numbers:
            finding = _of_number(name, evidence.of_number(name), evidence)
        elif name in evidence.categories:
            grid = evidence.of_category(name)
            finding = _of_table(name, grid.train, grid.held, evidence, "its value tells the label")
        else:
            finding = None
        findings += [finding] if finding else []
    return findings


def _of_number(name: str, grid: Grid, evidence: Evidence) -> LeakFinding | None:
    """The finding about a number: by its order, by whether it is missing, or by its value (or bin)."""
    limit = evidence.table.limits.max_auc
    for lowest in (True, False):
        train = _with_missing(grid.train, grid.missing[TRAIN], lowest)
        held = _with_missing(grid.held, grid.held_missing, lowest)
        order = classes_by_rank(train)
        area, other = separation(train, order), separation(held, order)
        if area >= limit and other >= limit - 2 * _held_error(held, order, limit):
            numbers = {"auc": area, "auc_held_out": other, "limit": limit}
            return _finding(name, "its order alone separates the classes", numbers)
    train, held = (np.stack([there.sum(axis=0), none]) for there, none in _sides(grid))
    finding = _of_table(name, train, held, evidence, "whether it is missing tells the label")
    if finding:
        return finding
    n_bins = min(MAX_BINS, max(2, int(grid.train.sum()) // _ROWS_PER_BIN))
    bin_of = bin_numbers(grid.train, n_bins) if len(grid.values) > MAX_BINS else np.arange(len(grid.values))
    train, held = (np.vstack([bin_counts(there, bin_of), none]) for there, none in _sides(grid))
    return _of_table(name, train, held, evidence, "its value tells the label")


def _sides(grid: Grid) -> tuple[tuple[Ints, Ints], tuple[Ints, Ints]]:
    return (grid.train, grid.missing[TRAIN]), (grid.held, grid.held_missing)


def _with_missing(table: Ints, missing: Ints, lowest: bool) -> Ints:
    return np.vstack([missing, table] if lowest else [table, missing])


def _held_error(table: Ints, order: Ints, area: float) -> float:
    """The largest standard error of the areas between neighbouring classes that have rows."""
    n = [int(table[:, k].sum()) for k in order.tolist() if table[:, k].any()]
    return max((standard_error(area, low, high) for low, high in pairwise(n)), default=0.0)


def _of_table(name: str, train: Ints, held: Ints, evidence: Evidence, message: str) -> LeakFinding | None:
    """A finding when the rows of the tables, values or bins, tell the label on both sides."""
    limits = evidence.table.limits
    share = information(train)
    if share < limits.max_information:
        return None
    answers = lookup(train, held)
    if not answers.n or answers.saved < limits.max_lookup:
        return None
    numbers = {
        "information": share,
        "accuracy_held_out": answers.accuracy,
        "constant": answers.constant,
        "limit": limits.max_information,
    }
    return _finding(name, message, numbers)


def _finding(name: str, message: str, numbers: dict[str, float]) -> LeakFinding:
    return LeakFinding("predictors", "severe", (name,), message, _REMEDY, numbers)
