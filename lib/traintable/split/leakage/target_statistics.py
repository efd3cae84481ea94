"""Features that hold the mean label of rows outside train."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import combinations
from math import inf, pi

import numpy as np
from scipy import stats  # type: ignore[import-untyped]
from scipy.special import gammaln  # type: ignore[import-untyped]

from traintable.arrays import Floats, Ints
from traintable.columns import SPLITS, TRAIN
from traintable.split.leakage.evidence import Evidence, Grid
from traintable.split.leakage.finding import LeakFinding, Measure

MIN_GROUPS = 4
_CHANCE = -8.0  # as a power of ten
_CLEARLY = 0.25
_SMOOTHINGS = (0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 15.0, 20.0, 30.0, 50.0, 100.0, 200.0, 300.0, 500.0, 1000.0)
_MAX_ANSWERS = 10
_LEAST_CORRELATION = 0.5

SPLIT_SETS = tuple(splits for size in (1, 2, 3) for splits in combinations(SPLITS, size))


@dataclass(frozen=True)
class Fit:
    """How closely the values of a feature follow the mean labels of their rows in some splits.

    `ratio` is the chi-square of the deviations by their degrees of freedom, which is about 1 or more for values that
    were not computed from these labels. `chance` is the power of ten of the probability of one as low.
    """

    splits: tuple[str, ...]
    ratio: float
    chance: float
    n_groups: int


def target_statistics(evidence: Evidence) -> list[LeakFinding]:
    """Numbers that are mean labels of a category's rows, computed over rows that are not train's, or not out of fold.

    The rows that share a value of such a feature are those of a category (or of several with the same mean), so the
    category itself need not be known: the mean label of the rows of each value is the value. It is closer to it than
    labels scatter, which no feature can be that has not seen these labels, however good it predicts. Each feature with
    a count of its own for each value is held against the mean labels in every union of splits: as it is, and shrunk to
    the overall mean by some number of rows or by variance, then scaled and shifted. It is severe when the closest union
    has rows that are not of train and is clearly closer than train alone; a warning when it is train alone, for then
    each row of train sees its own label. Out-of-fold statistics of train are neither. Costs no pass.

    Not found: statistics that leave the row itself out, or that have more values than are counted one by one.
    """
    findings = []
    for name in evidence.table.features if evidence.classes else ():
        if name not in evidence.table.numbers:
            continue
        grid = evidence.of_number(name)
        if grid.is_exact and MIN_GROUPS <= len(grid.values) <= evidence.survey.n_rows / 3:
            finding = closest_finding(name, grid, evidence.classes)
            findings += [finding] if finding else []
    return findings


def closest_finding(name: str, grid: Grid, classes: list[str]) -> LeakFinding | None:
    """The finding about one feature, by the answer that it follows most closely."""
    fits = [fit for answer in label_encodings(classes) for fit in _fits(grid, answer)]
    close = [fit for fit in fits if fit.chance < _CHANCE]
    if not close:
        return None
    best = min(close, key=lambda fit: (fit.ratio, len(fit.splits)))
    own = min((fit.ratio for fit in fits if fit.splits == (TRAIN,)), default=inf)
    numbers: dict[str, Measure] = {
        "splits": "+".join(best.splits),
        "values": best.n_groups,
        "ratio": best.ratio,
        "ratio_train": own,
    }
    if best.splits != (TRAIN,) and best.ratio < _CLEARLY * own:
        return LeakFinding(
            "target_statistics",
            "severe",
            (name,),
            "it is the mean label of rows outside train",
            "Learn it from train only, out of fold: `encode: target` in `prepare.features` does.",
            numbers,
        )
    if best.splits != (TRAIN,) and not any(fit.splits == (TRAIN,) for fit in close):
        return None
    return LeakFinding(
        "target_statistics",
        "warning",
        (name,),
        "it is the mean label of train, in which each row sees its own label",
        "Learn it out of fold: `encode: target` in `prepare.features` does.",
        {**numbers, "splits": TRAIN},
    )


def label_encodings(classes: list[str]) -> Iterator[Floats]:
    """What the mean may be of: the label as a number, and whether it is one class, for at most ten of them."""
    with suppress(ValueError):
        numbers = np.array([float(word) for word in classes])
        if np.isfinite(numbers).all():
            yield numbers
            if len(classes) == 2:  # each class's indicator is the same, but for scale and shift
                return
    for k in range(1 if len(classes) == 2 else 0, min(len(classes), _MAX_ANSWERS)):
        yield (np.arange(len(classes)) == k).astype(np.float64)


def _fits(grid: Grid, answer: Floats) -> Iterator[Fit]:
    """The closest fit of the values in each union of splits."""
    for splits in SPLIT_SETS:
        counts = np.asarray(np.sum([grid.counts[split] for split in splits], axis=0))
        groups = _Groups.of(grid.values, counts, answer)
        if groups is not None:
            yield Fit(splits, *_forms(groups), len(groups.n))


@dataclass(frozen=True)
class _Groups:
    """The values that have rows of different answers: value, rows, mean and variance of the answer, shape (groups,)."""

    value: Floats
    n: Floats
    mean: Floats
    variance: Floats
    prior: float
    spread: float

    @classmethod
    def of(cls, values: Floats, counts: Ints, answer: Floats) -> _Groups | None:
        """The groups, or None when they are too few."""
        n = counts.sum(axis=1).astype(np.float64)
        there = n > 0
        if there.sum() < MIN_GROUPS:
            return None
        mean = counts[there] @ answer / n[there]
        variance = np.maximum(counts[there] @ answer**2 / n[there] - mean**2, 0.0)
        mixed = variance > 1e-12
        if mixed.sum() < MIN_GROUPS:
            return None
        total = counts.sum(axis=0) / counts.sum()
        prior = float(total @ answer)
        spread = float(total @ answer**2) - prior**2
        return cls(values[there][mixed], n[there][mixed], mean[mixed], variance[mixed], prior, spread)


def _forms(groups: _Groups) -> tuple[float, float]:
    """The least ratio and the least chance of the mean itself and of each way to shrink it."""
    ratio, chance = _closeness(groups, (groups.value - groups.mean)[None, :], 0)
    n_fitted = 3
    if len(groups.n) < MIN_GROUPS + n_fitted or _correlation(groups) < _LEAST_CORRELATION:
        return float(ratio[0]), float(chance[0])
    weights = [groups.n / (groups.n + s) for s in (0.0, *_SMOOTHINGS)]
    weights.append(groups.spread * groups.n / (groups.spread * groups.n + groups.variance))
    weight = np.array(weights)
    shrunk = weight * groups.mean + (1 - weight) * groups.prior
    precision = groups.n / groups.variance / weight**2
    precision /= precision.sum(axis=1, keepdims=True)
    across = shrunk - np.sum(precision * shrunk, axis=1, keepdims=True)
    along = groups.value - np.sum(precision * groups.value, axis=1, keepdims=True)
    slope = np.sum(precision * across * along, axis=1) / np.sum(precision * across**2, axis=1)
    fits = np.abs(slope) > 0
    deviation = (along[fits] / slope[fits, None] - across[fits]) / weight[fits]
    more = _closeness(groups, deviation, n_fitted)
    return float(min([*ratio, *more[0]])), float(min([*chance, *more[1]]))


def _correlation(groups: _Groups) -> float:
    """The size of the correlation between values and means, by rows."""
    x, y = (column - np.average(column, weights=groups.n) for column in (groups.value, groups.mean))
    both = float(np.sqrt(np.sum(groups.n * x * x) * np.sum(groups.n * y * y)))
    return abs(float(np.sum(groups.n * x * y))) / both if both else 0.0


def _closeness(groups: _Groups, deviation: Floats, n_fitted: int) -> tuple[Floats, Floats]:
    """Chi-square by degrees of freedom, and the power of ten of the probability of one as low; shape (forms,).

    `deviation` has shape (forms, groups). Once of all groups, and once without the tenth that deviates most, for two
    categories of the same value are shrunk otherwise than one of their rows; the probability is then that of any choice
    of such groups (union bound). Mean labels of few rows have few values, one of which may be met by chance: so the
    probability is at least that of meeting the nearest one in each group (the normal density there).
    """
    n = len(groups.n)
    terms = np.sort(groups.n * deviation**2 / groups.variance, axis=1)
    met = np.sort(np.minimum(0.0, -0.5 * np.log10(2 * pi * groups.n * groups.variance)))
    fits = []
    for n_left_out in {0, n // 10}:
        freedom = n - n_fitted - n_left_out
        chi2 = terms[:, : n - n_left_out].sum(axis=1)
        ways = (gammaln(n + 1) - gammaln(n_left_out + 1) - gammaln(n - n_left_out + 1)) / np.log(10)
        with np.errstate(divide="ignore"):
            chance = stats.chi2.logcdf(chi2, freedom) / np.log(10)
        fits.append((chi2 / freedom, ways + np.maximum(chance, float(met[n_fitted + n_left_out :].sum()))))
    ratio, chance = (np.min(side, axis=0) for side in zip(*fits, strict=True))
    return ratio, chance
