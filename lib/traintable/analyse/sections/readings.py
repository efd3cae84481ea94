"""What the result of a test means, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan, log

from traintable.analyse.hypothesis.result import Effect, TestResult
from traintable.arrays import Ints
from traintable.statistics.summary import Shape

SURE = 0.05
# Sizes from which on an effect is small, medium and large by Cohen's usual limits, "Statistical Power Analysis" (1988).
LIMITS = {
    "hedges g": (0.2, 0.5, 0.8),
    "auc": (0.056, 0.138, 0.214),  # less a half
    "omega squared": (0.01, 0.06, 0.14),
    "epsilon squared": (0.01, 0.06, 0.14),
    "cramers v": (0.1, 0.3, 0.5),
    "correlation": (0.1, 0.3, 0.5),
    "odds ratio": (0.41, 0.92, 1.45),  # logarithm
}


def strength(effect: Effect | None) -> str:
    """Negligible, small, medium or large; unknown without a size."""
    if effect is None or isnan(effect.value):
        return "unknown"
    name = effect.name.split(",")[0]
    size = abs(effect.value)
    if name == "auc":
        size = abs(effect.value - 0.5)
    elif name == "odds ratio":
        size = abs(log(effect.value)) if 0 < effect.value < float("inf") else float("inf")
    limits = LIMITS.get(name, (0.1, 0.3, 0.5))
    return ("negligible", "small", "medium", "large")[sum(size >= limit for limit in limits)]


def _how_sure(result: TestResult) -> str:
    if isnan(result.p_value):
        return "The test is undefined for these rows."
    seen = "A difference" if result.p_value < SURE else "No difference beyond chance"
    return f"{seen} (p {_p(result.p_value)}), of {strength(result.effect)} size."


def _p(value: float) -> str:
    return "below 1e-300" if value < 1e-300 else f"{value:.2g}"


def of_groups(name: str, label: str, groups: Sequence[str], result: TestResult) -> str:
    """A number in the classes of a label."""
    if isnan(result.p_value):
        return f"Whether '{name}' differs by '{label}' can't be tested: there are too few rows, or all are equal."
    if len(groups) != 2 or result.effect is None or isnan(result.effect.value):
        return f"'{name}' by '{label}': {_how_sure(result)}"
    middle = 0.5 if result.effect.name == "auc" else 0.0
    more = "larger" if result.effect.value > middle else "smaller"
    if result.p_value >= SURE:
        return f"'{name}' by '{label}': {_how_sure(result)}"
    tends = f"'{name}' tends to be {more} where '{label}' is {groups[1]} than where it is {groups[0]}."
    return f"{tends} {_how_sure(result)}"


def of_table(name: str, label: str, result: TestResult) -> str:
    """A category and a label."""
    return f"The classes of '{label}' by '{name}': {_how_sure(result)}"


def of_missing(name: str, label: str, rows: Mapping[str, Ints], result: TestResult) -> str:
    """Missing values and a label."""
    shares = {word: row[0] / row.sum() for word, row in rows.items() if row.sum()}
    if result.p_value >= SURE or not shares:
        return f"'{name}' is missing about as often in each class of '{label}' (p {_p(result.p_value)})."
    high, low = max(shares, key=lambda word: shares[word]), min(shares, key=lambda word: shares[word])
    return (
        f"'{name}' is missing in {shares[high]:.1%} of the rows where '{label}' is {high} and in {shares[low]:.1%} "
        f"where it is {low} (p {_p(result.p_value)}): that it is missing tells something."
    )


def of_correlation(name: str, label: str, result: TestResult) -> str:
    """Two numbers."""
    if isnan(result.p_value):
        return f"Whether '{name}' goes with '{label}' can't be tested: there are too few rows, or all are equal."
    way = "rises" if result.statistic > 0 else "falls"
    if result.p_value >= SURE:
        return f"'{name}' and '{label}' go together no more than by chance (p {_p(result.p_value)})."
    return f"'{name}' {way} with '{label}' (p {_p(result.p_value)}), of {strength(result.effect)} size."


def of_normality(name: str, result: TestResult, shape: Shape) -> str:
    """The form of a number's distribution."""
    form = f"skewness {shape.skewness():.2f}, excess kurtosis {shape.kurtosis():.2f}"
    if not result.p_value < SURE:
        return f"'{name}' may be normally distributed ({form})."
    return f"'{name}' is not normally distributed ({form})."
