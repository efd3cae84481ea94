"""Bounds of what is usual in train, and what becomes of numbers outside them."""

from __future__ import annotations

import math

from traintable.config.plan import Outliers
from traintable.prepare.terms import Term, number_literal
from traintable.statistics import Weighted

FACTORS = {"iqr": 1.5, "mad": 3.0}
NORMAL_MAD = 0.6744897501960817  # the median absolute deviation of a standard normal distribution


def bounds(rule: Outliers, values: Weighted) -> tuple[float, float]:
    """The lowest and the highest usual value; infinite where there are no values.

    Tukey, "Exploratory Data Analysis" (1977), for iqr; Leys et al. (J. Exp. Soc. Psychol. 49, 2013) for mad.
    """
    if not values.n:
        return -math.inf, math.inf
    if rule.method == "quantile":
        return values.quantile(rule.low), values.quantile(rule.high)
    factor = rule.factor if rule.factor is not None else FACTORS[rule.method]
    if rule.method == "iqr":
        low, high = values.quantile(0.25), values.quantile(0.75)
        return low - factor * (high - low), high + factor * (high - low)
    median = values.quantile(0.5)
    spread = values.deviations(median).quantile(0.5) / NORMAL_MAD
    return median - factor * spread, median + factor * spread


def cap(value: str, low: float, high: float) -> str:
    """SQL of a value moved to the nearer bound where it is outside."""
    return f"least(greatest({value}, {number_literal(low)}), {number_literal(high)})"


def flag(name: str, value: str, low: float, high: float) -> Term:
    """The feature that is 1 where the value is outside the bounds; a missing value is not."""
    outside = f"{value} < {number_literal(low)} OR {value} > {number_literal(high)}"
    return Term(f"{name}_<outlier>", f"IF({outside}, 1.0D, 0.0D)", name)
