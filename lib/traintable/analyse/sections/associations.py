"""How strongly columns are associated with each other: matrices of pairs, collinearity, and what is redundant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import inf, isfinite

import numpy as np

from traintable.analyse.association import condition_number, cramers_v, information, redundant_clusters, vif
from traintable.analyse.document import Associations, Cluster, CorrelationRatio, InformationMatrix, Number
from traintable.analyse.json_values import finite
from traintable.analyse.scans.codes import Codes
from traintable.analyse.scans.columns import FEATURE, KEY, NUMBER, WORDS
from traintable.analyse.scans.table import TableScans
from traintable.arrays import Floats, Ints
from traintable.statistics import Coding, Covariance

REDUNDANT = 0.9
SHOWN_DIGITS = 6

Matrix = list[list[Number]]


def describe_associations(scans: TableScans) -> Associations | None:
    """The associations of all columns; None where there are no two to compare."""
    gram, scores, codes = scans.first.gram, scans.second.scores.gram, scans.codes
    ranked = [c.name for c in scans.columns if c.is_ranked and c.role != KEY]
    numbers = [name for name in ranked if name in gram.columns and gram.count(name) and name in scores.columns]
    categories = [c.name for c in scans.columns if c.kind in WORDS and c.name in codes.paired]
    if len(numbers) + len(categories) < 2:
        return None
    pearson = gram.correlation(numbers)
    spearman = scores.correlation(numbers)  # the scores are ranks among a column's values
    cramers = _cramers_v(categories, scans)
    factors, collinear, condition = _collinearity(scans)
    return {
        "numbers": numbers,
        "pearson": _round(pearson),
        "spearman": _round(spearman),
        "spearman_error": max((codes.ranges[name].weighted.rank_error for name in numbers), default=0.0),
        "categories": categories,
        "cramers_v": _round(cramers),
        "other_values": _categories_with_others(categories, scans),
        "mixed": _correlation_ratios(scans),
        "information": _information(scans),
        "vif": factors,
        "collinear": collinear,
        "condition_number": condition,
        "clusters": _all_clusters(numbers, pearson, spearman, categories, cramers, _label_information(scans)),
        "scan": [0, 1] if scans.pairs is scans.second else [0, 1, 2],
        "rows": scans.pairs.n_rows,
        "exact": scans.pairs.n_rows == scans.n_rows,
        "left_out": [name for name in ranked if name not in gram.columns],
    }


def _round(matrix: Floats) -> Matrix:
    """The matrix with as many digits as anyone looks at, for a wide table has many cells."""
    return [[value if isfinite(value) else None for value in row] for row in np.round(matrix, SHOWN_DIGITS).tolist()]


def without_missing(counts: Ints) -> Ints:
    """A table less the rows in which one of the two columns is missing."""
    return counts[1:, 1:]


def _counts_of(a: str, b: str, scans: TableScans) -> Ints | None:
    return scans.pair_counts(scans.codes.paired[a], scans.codes.paired[b])


def _cramers_v(names: Sequence[str], scans: TableScans) -> Floats:
    matrix = np.full((len(names), len(names)), np.nan)
    np.fill_diagonal(matrix, 1.0)
    for i, j in combinations(range(len(names)), 2):
        counts = _counts_of(names[i], names[j], scans)
        if counts is not None:
            matrix[i, j] = matrix[j, i] = cramers_v(without_missing(counts)).value
    return matrix


def _categories_with_others(names: Sequence[str], scans: TableScans) -> list[str]:
    """The categories whose rarer values are counted as one."""
    paired, frequencies = scans.codes.paired, scans.first.frequencies
    return [name for name in names if frequencies[name].n_distinct()[0] > len(paired[name].words)]


def _correlation_ratios(scans: TableScans) -> list[CorrelationRatio]:
    """Correlation ratio of each number and category: the root of the share of variance between the category's values.

    Where the number is counted in bins, each has the mean of its values for all rows in it.
    """
    codes = scans.codes
    numbers = [c.name for c in scans.columns if c.name in codes.fine]
    categories = [c.name for c in scans.columns if c.kind in WORDS and c.name in codes.paired]
    ratios: list[CorrelationRatio] = []
    for name in numbers:
        coding = codes.fine[name]
        means, exact = _bin_means(codes, name, coding)
        variance = scans.first.mean_and_variance(name)[1]
        for category in categories:
            counts = scans.pair_counts(coding, codes.paired[category])
            if counts is not None and variance > 0:
                eta = finite(_eta(without_missing(counts), means, variance))
                ratios.append({"number": name, "category": category, "correlation_ratio": eta, "exact": exact})
    return ratios


def _bin_means(codes: Codes, name: str, coding: Coding) -> tuple[Floats, bool]:
    """The mean of the values in each bin, and whether each bin has one value only."""
    ranges = codes.ranges[name]
    bins = np.searchsorted(coding.edges, ranges.starts, side="right") - 1
    counts = np.bincount(bins, ranges.weighted.counts, len(coding.edges))
    centre = ranges.weighted.values[0]
    sums = np.bincount(bins, ranges.weighted.counts * (ranges.weighted.values - centre), len(coding.edges))
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


def _information(scans: TableScans) -> InformationMatrix:
    """Mutual information of each pair, normalised; numbers in bins, missing as a value of its own."""
    counted = {coding for pair in scans.pairs.tables.counts for coding in pair}
    names = [c.name for c in scans.columns if scans.codes.paired.get(c.name) in counted]
    matrix = np.eye(len(names))
    for i, j in combinations(range(len(names)), 2):
        counts = _counts_of(names[i], names[j], scans)
        matrix[i, j] = matrix[j, i] = information(counts).normalised if counts is not None else np.nan
    return {"columns": names, "matrix": _round(matrix)}


def _collinearity(scans: TableScans) -> tuple[dict[str, Number], list[str], Number]:
    """VIF of the numeric features, those for which it is infinite, and the condition number.

    Missing values are filled by the mean. A feature has an infinite VIF where it follows from others.
    """
    gram = scans.first.gram
    names = [c.name for c in scans.columns if c.kind == NUMBER and c.role == FEATURE and c.name in gram.columns]
    names = [name for name in names if gram.mean_and_variance(name)[1] > 0]
    if len(names) < 2:
        return {}, [], None
    filled: Covariance = gram.imputed_covariance({name: gram.mean_and_variance(name)[0] for name in names})
    factors = dict(zip(names, vif(filled).tolist(), strict=True))
    collinear = [name for name, factor in factors.items() if factor == inf]
    return {name: finite(factor) for name, factor in factors.items()}, collinear, finite(condition_number(filled))


def _label_information(scans: TableScans) -> Mapping[str, float]:
    """Mutual information of each column with the label; nothing without one."""
    label, paired = scans.label, scans.codes.paired
    if label is None or label.name not in paired:
        return {}
    counts = {name: _counts_of(name, label.name, scans) for name in paired if name != label.name}
    return {name: information(table).normalised for name, table in counts.items() if table is not None}


def _all_clusters(
    numbers: Sequence[str],
    pearson: Floats,
    spearman: Floats,
    categories: Sequence[str],
    cramers: Floats,
    importance: Mapping[str, float],
) -> list[Cluster]:
    linear = _clusters(numbers, pearson, "Pearson's |r|", importance)
    monotone = _clusters(numbers, spearman, "Spearman's |r|", importance)
    monotone = [c for c in monotone if not any(set(c["columns"]) <= set(other["columns"]) for other in linear)]
    return [*linear, *monotone, *_clusters(categories, cramers, "Cramér's V", importance)]


def _clusters(names: Sequence[str], matrix: Floats, measure: str, importance: Mapping[str, float]) -> list[Cluster]:
    """Groups of columns that say nearly the same."""
    rank = [importance.get(name, np.nan) for name in names] if importance else None
    why = "says most about the label" if importance else "is closest to the others"
    clusters: list[Cluster] = []
    for cluster in redundant_clusters(matrix, REDUNDANT, rank):
        representative = names[cluster.representative]
        reason = f"{measure} is at least {cluster.least:.3f} for each pair of them; '{representative}' {why}."
        members = [names[i] for i in cluster.members]
        clusters.append({"columns": members, "representative": representative, "reason": reason})
    return clusters
