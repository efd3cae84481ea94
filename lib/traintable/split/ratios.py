"""Ratios of train, validation and test as exact fractions, and what they make of a number of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import accumulate

from traintable.columns import SPLITS
from traintable.errors import ConfigError


def exact_ratios(ratios: Mapping[str, float], *, where: str) -> dict[str, Fraction]:
    """The ratios in the order of train, validation, test, as they are written.

    Raises ConfigError unless they are positive ratios of some of these splits and sum to 1.
    """
    given = {split: ratios[split] for split in SPLITS if split in ratios}
    if (
        set(ratios) - set(SPLITS)
        or not all(ratio > 0 for ratio in given.values())
        or abs(sum(given.values()) - 1) > 1e-9
    ):
        raise ConfigError(
            where=where,
            expected="positive ratios for train, validation and test, or some of them, that sum to 1",
            found=str(dict(ratios)),
            remedy="An example: train 0.7, validation 0.15, test 0.15.",
        )
    return {split: Fraction(str(ratio)).limit_denominator(1_000_000) for split, ratio in given.items()}


def cumulative_shares(shares: Sequence[Fraction]) -> list[Fraction]:
    """The cumulated shares; the last is 1."""
    return [*list(accumulate(shares))[:-1], Fraction(1)]


def sizes(n: int, shares: Sequence[Fraction]) -> list[int]:
    """`n` rows divided by shares: the cumulated ones are rounded half up to whole rows."""
    ends = [int(n * share + Fraction(1, 2)) for share in cumulative_shares(shares)]
    return [end - start for start, end in zip([0, *ends], ends, strict=False)]
