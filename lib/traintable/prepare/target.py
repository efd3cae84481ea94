"""Target encoding: a category becomes the mean label of its rows, of train's other folds for a row of train."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Literal

from traintable.columns import literal, quote
from traintable.errors import ConfigError
from traintable.prepare.encode import lookup_or_default
from traintable.prepare.terms import Term, number_literal
from traintable.statistics.chunk import Word
from traintable.statistics.targets import TargetSums, Totals

Smoothing = float | Literal["auto"]


def target_terms(
    name: str, value: str, fold: str, sums: TargetSums, smoothing: Smoothing, *, fill: Word = None
) -> list[Term]:
    """The encoded category: learned from the other folds where `fold` is not null, else from all of train.

    So the value that a row of train gets never sees that row's fold, in the mean of its category nor in the prior that
    this mean is shrunk to. A category that was not seen, and one that no other fold has, gets the prior. Null is a
    category, unless `fill` stands for it. Micci-Barreca, "A preprocessing scheme for high-cardinality categorical
    attributes" (SIGKDD Explorations 3, 2001); folds as sklearn.preprocessing.TargetEncoder takes them.
    """
    learned = {
        excluded: encodings(categories, smoothing) for excluded, categories in totals_by_fold(sums, fill).items()
    }
    prefixes = {excluded: "" if excluded is None else str(i) for i, excluded in enumerate(learned)}
    entries = {
        prefixes[excluded] + ("" if word is None else f"={word}"): mean
        for excluded, (_, encoded) in learned.items()
        for word, mean in encoded.items()
    }
    prefix = _by_fold(fold, {excluded: literal(text) for excluded, text in prefixes.items()})
    default = _by_fold(fold, {excluded: number_literal(prior) for excluded, (prior, _) in learned.items()})
    return [
        Term(name, lookup_or_default(f"concat({prefix}, coalesce(concat('=', {value}), ''))", entries, default), name)
    ]


def _by_fold(fold: str, entries: Mapping[Word, str]) -> str:
    """SQL of the entry of a row's fold; of that of None where the fold is null, or none of train."""
    cases = "".join(
        f" WHEN {literal(excluded)} THEN {entry}" for excluded, entry in entries.items() if excluded is not None
    )
    return f"CASE CAST({quote(fold)} AS STRING){cases} ELSE {entries[None]} END"


def totals_by_fold(sums: TargetSums, fill: Word = None) -> dict[Word, dict[Word, Totals]]:
    """For each fold the sums by category of the rows outside it; for None those of all rows; `fill` stands for null."""
    own: dict[Word, dict[Word, Totals]] = defaultdict(dict)
    whole: dict[Word, Totals] = {}
    for category, fold, totals in sums.totals():
        word = fill if category is None else category
        own[fold][word] = own[fold][word] + totals if word in own[fold] else totals
        whole[word] = whole[word] + totals if word in whole else totals
    if not whole or None in own:
        raise ConfigError(
            where=f"column '{sums.target.fold}'",
            expected="a fold for each row of train, and rows that have a label",
            found="rows without a fold" if whole else "no such rows",
            remedy="Add folds with `split.k_fold`.",
        )
    outside = {
        fold: {word: totals - own[fold][word] if word in own[fold] else totals for word, totals in whole.items()}
        for fold in own
    }
    return {None: whole, **outside}


def encodings(categories: dict[Word, Totals], smoothing: Smoothing) -> tuple[float, dict[Word, float]]:
    """The prior, and for each category that has rows its mean label shrunk towards it.

    A number of `smoothing` weighs the prior as that many rows. "auto" weighs by the variance of the category's labels
    against that of all (the empirical Bayes estimate of Micci-Barreca, as scikit-learn computes it).
    """
    everything = _total(categories.values())
    if not everything.n:
        raise ConfigError(
            where="prepare.features",
            expected="labelled rows in at least two folds for target encoding",
            found="rows in one fold only",
            remedy="Add folds with `split.k_fold`.",
        )
    prior, variance = _mean_and_variance(everything)
    encoded = {}
    for word, totals in categories.items():
        if totals.n:
            mean, own_variance = _mean_and_variance(totals)
            weight = _weight(totals.n, own_variance, variance, smoothing)
            encoded[word] = float(weight * mean + (1 - weight) * prior)
    return float(prior), encoded


def _weight(n: int, own_variance: Fraction, variance: Fraction, smoothing: Smoothing) -> Fraction:
    """How much of the category's own mean counts, 0 to 1."""
    if smoothing != "auto":
        return Fraction(n) / (n + Fraction(smoothing))
    if not variance:
        return Fraction(0)
    return variance * n / (variance * n + own_variance)


def _mean_and_variance(totals: Totals) -> tuple[Fraction, Fraction]:
    """Mean and population variance, exact."""
    unit = Fraction(2) ** totals.exponent
    mean = Fraction(totals.total, totals.n) * unit
    return mean, Fraction(totals.squares, totals.n) * unit * unit - mean * mean


def _total(groups: Iterable[Totals]) -> Totals:
    total = Totals(0, 0, 0, 0)
    for totals in groups:
        total = Totals(total.n + totals.n, total.total + totals.total, total.squares + totals.squares, totals.exponent)
    return total
