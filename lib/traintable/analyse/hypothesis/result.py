"""What a test or a measure of association gives."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Effect:
    """The size of an effect with its confidence interval; an end is NaN where the method knows none."""

    name: str
    value: float
    low: float = nan
    high: float = nan


@dataclass(frozen=True)
class TestResult:
    """The outcome of a test.

    Attributes
    ----------
    test : its name, and its variant where there are several.
    statistic : NaN, as is `p_value`, where the test is undefined for these rows.
    p_value : probability of a statistic at least as extreme if there were no effect.
    n : rows that were compared.
    effect : how large the difference or association is, which `p_value` alone doesn't tell when rows are many.
    rank_error : 0 when the values are the column's own. Else the largest share of rows by which a share below a value
        that went into the statistic may be wrong.
    """

    __test__ = False  # the name is no test case

    test: str
    statistic: float
    p_value: float
    n: int
    effect: Effect | None = None
    rank_error: float = 0.0
