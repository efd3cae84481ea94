"""How strongly columns hang together, with the label and among each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import inf
from typing import Any

import numpy as np

from traintable.analyse.association import (
    condition_number,
    cramers_v,
    information,
    redundant_clusters,
    vif,
)
from traintable.analyse.scanned.kinds import FEATURE, KEY, LABEL, NUMBER, WORDS, Column
from traintable.analyse.scanned.scans import Codes, table
from traintable.arrays import Floats, Ints
from traintable.statistics import Coding, Covariance, Statistics

REDUNDANT = 0.9
SHOWN_DIGITS = 6


def describe(
    columns: Sequence[Column], learned: Statistics, second: Statistics, pairs: Statistics, codes: Codes
) -> dict[str, Any] | None:
    """The associations of all columns; `pairs` has the tables of pairs, of all rows or of a sample."""
    numbers = [c.name for c in columns if c.is_ranked and c.role != KEY and c.name in learned.gram.columns]
    numbers = [name for name in numbers if learned.gram.count(name) and name in second.scores.gram.columns]
    categories = [c.name for c in columns if c.kind in WORDS and c.name in codes.paired]
    if len(numbers) + len(categories) < 2:
        return None
    linear = learned.gram.correlation(numbers)
    monotone = second.scores.gram.correlation(numbers)  # Spearman's: the scores are ranks among a column's values
    cramers = _cramers_v(categories, pairs, codes)
    priority = _priority(columns, pairs, codes)
    clusters = _clusters(numbers, linear, "Pearson's |r|", priority)
    clusters += _clusters(numbers, monotone, "Spearman's |r|", priority, known=clusters)
    clusters += _clusters(categories, cramers, "Cramér's V", priority)
    spearman_error = max((codes.ranges[name].weighted.rank_error for name in numbers), default=0.0)
    return {
        **{"numbers": numbers, "pearson": _rounded(linear)},
        **{"spearman": _rounded(monotone), "spearman_error": spearman_error},
        **{
            "categories": categories,
            "cramers_v": _rounded(cramers),
            "other_values": _lumped(categories, learned, codes),
        },
        "mixed": _mixed(columns, learned, pairs, codes),
        "information": _information(columns, pairs, codes),
        **_collinearity(columns, learned),
        "clusters": clusters,
        "scan": [0, 1] if pairs is second else [0, 1, 2],
        "rows": pairs.n_rows,
        "exact": pairs.n_rows == learned.n_rows,
        "left_out": [c.name for c in columns if c.is_ranked and c.role != KEY and c.name not in learned.gram.columns],
    }


def _rounded(matrix: Floats) -> list[list[float]]:
    """The matrix with as many digits as anyone looks at, for a wide table has many cells."""
    found: list[list[float]] = np.round(matrix, SHOWN_DIGITS).tolist()
    return found


def without_missing(counts: Ints) -> Ints:
    """A table less the rows in which one of the two columns is missing."""
    return counts[1:, 1:]


def _pair(pairs: Statistics, codes: Codes, a: str, b: str) -> Ints | None:
    return table(pairs, codes.paired[a], codes.paired[b])


def _cramers_v(names: Sequence[str], pairs: Statistics, codes: Codes) -> Floats:
    found = np.full((len(names), len(names)), np.nan)
    np.fill_diagonal(found, 1.0)
    for i, j in combinations(range(len(names)), 2):
        counts = _pair(pairs, codes, names[i], names[j])
        if counts is not None:
            found[i, j] = found[j, i] = cramers_v(without_missing(counts)).value
    return found


def _lumped(names: Sequence[str], learned: Statistics, codes: Codes) -> list[str]:
    """The categories whose rarer values are counted as one."""
    return [name for name in names if learned.frequencies[name].n_distinct()[0] > len(codes.paired[name].words)]


def _mixed(columns: Sequence[Column], learned: Statistics, pairs: Statistics, codes: Codes) -> list[dict[str, Any]]:
    """Correlation ratio of each number and category: the root of the share of variance between the category's values.

    Where the number is counted in bins, each has the mean of its values for all rows in it.
    """
    numbers = [c.name for c in columns if c.name in codes.finely]
    categories = [c.name for c in columns if c.kind in WORDS and c.name in codes.paired]
    found = []
    for name in numbers:
        coding = codes.finely[name]
        means, exact = _bin_means(codes, name, coding)
        variance = learned.mean_and_variance(name)[1]
        for category in categories:
            counts = table(pairs, coding, codes.paired[category])
            if counts is not None and variance > 0:
                eta = _eta(without_missing(counts), means, variance)
                found.append({"number": name, "category": category, "correlation_ratio": eta, "exact": exact})
    return found


def _bin_means(codes: Codes, name: str, coding: Coding) -> tuple[Floats, bool]:
    """The mean of the values in each bin, and whether each bin has one value only."""
    ranges = codes.ranges[name]
    place = np.searchsorted(coding.edges, ranges.starts, side="right") - 1
    counts = np.bincount(place, ranges.weighted.counts, len(coding.edges))
    centre = ranges.weighted.values[0]
    sums = np.bincount(place, ranges.weighted.counts * (ranges.weighted.values - centre), len(coding.edges))
    return sums / counts + centre, ranges.weighted.is_exact and len(ranges.starts) == len(coding.edges)


def _eta(counts: Ints, means: Floats, variance: float) -> float:
    """Root of the variance between the columns of a table by that of all values."""
    n = counts.sum(axis=0)
    total = int(n.sum())
    if total < 2:
        return float("nan")
    used = n > 0
    grand = float((counts.sum(axis=1) * means).sum() / total)
    between = (((means - grand) @ counts)[used] ** 2 / n[used]).sum()
    return float(min(1.0, np.sqrt(between / (variance * (total - 1)))))


def _information(columns: Sequence[Column], pairs: Statistics, codes: Codes) -> dict[str, Any]:
    """Mutual information of each pair, normalised; numbers in bins, missing as a value of its own."""
    names = [c.name for c in columns if c.name in codes.paired and _is_counted(c.name, pairs, codes)]
    found = np.eye(len(names))
    for i, j in combinations(range(len(names)), 2):
        counts = _pair(pairs, codes, names[i], names[j])
        found[i, j] = found[j, i] = information(counts).normalised if counts is not None else np.nan
    return {"columns": names, "matrix": _rounded(found)}


def _is_counted(name: str, pairs: Statistics, codes: Codes) -> bool:
    return any(codes.paired[name] in pair for pair in pairs.tables.counts)


def _collinearity(columns: Sequence[Column], learned: Statistics) -> dict[str, Any]:
    """VIF and condition number of the numeric features, missing values filled by the mean.

    `collinear` are those whose VIF is infinite, for they follow from others.
    """
    names = [c.name for c in columns if c.kind == NUMBER and c.role == FEATURE and c.name in learned.gram.columns]
    names = [name for name in names if learned.gram.mean_and_variance(name)[1] > 0]
    if len(names) < 2:
        return {"vif": {}, "condition_number": None, "collinear": []}
    filled: Covariance = learned.gram.imputed_covariance(
        {name: learned.gram.mean_and_variance(name)[0] for name in names}
    )
    inflation = dict(zip(names, vif(filled).tolist(), strict=True))
    return {
        "vif": inflation,
        "collinear": [name for name, value in inflation.items() if value == inf],
        "condition_number": condition_number(filled),
    }


def _priority(columns: Sequence[Column], pairs: Statistics, codes: Codes) -> Mapping[str, float]:
    """How much each column tells about the label; nothing without one."""
    label = next((c.name for c in columns if c.role == LABEL and c.name in codes.paired), None)
    found = {}
    for name in codes.paired if label else ():
        counts = _pair(pairs, codes, name, label) if label and name != label else None
        if counts is not None:
            found[name] = information(counts).normalised
    return found


def _clusters(
    names: Sequence[str],
    matrix: Floats,
    measure: str,
    priority: Mapping[str, float],
    known: Sequence[Mapping[str, Any]] = (),
) -> list[dict[str, Any]]:
    """Groups of columns that say nearly the same, but for those that are in a `known` group already."""
    rank = [priority.get(name, np.nan) for name in names] if priority else None
    found = []
    for cluster in redundant_clusters(matrix, REDUNDANT, rank):
        members = [names[i] for i in cluster.members]
        if any(set(members) <= set(group["columns"]) for group in known):
            continue
        why = "tells most of the label" if priority else "is closest to the others"
        reason = f"{measure} of each two is at least {cluster.least:.3f}; '{names[cluster.representative]}' {why}."
        found.append({"columns": members, "representative": names[cluster.representative], "reason": reason})
    return found
