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


def effect_strength(effect: Effect | None) -> str:
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


def _in_numbers(result: TestResult) -> str:
    strength = effect_strength(result.effect)
    effect = "the size of the effect is unknown" if strength == "unknown" else f"the effect is {strength}"
    return f"({_p(result)}); {effect}."


def _p(result: TestResult) -> str:
    return "p < 1e-300" if result.p_value < 1e-300 else f"p = {result.p_value:.2g}"


def _is_sure(result: TestResult) -> bool:
    return result.p_value < SURE


def interpret_groups(name: str, label: str, groups: Sequence[str], result: TestResult) -> str:
    """A number in the classes of a label, or the label in the values of a category."""
    if isnan(result.p_value):
        return f"Whether '{name}' and '{label}' are associated can't be tested: too few rows, or all values are equal."
    if not _is_sure(result):
        return f"'{name}' and '{label}' are not associated beyond chance ({_p(result)})."
    if len(groups) != 2 or result.effect is None or isnan(result.effect.value):
        return f"'{name}' and '{label}' are associated {_in_numbers(result)}"
    middle = 0.5 if result.effect.name == "auc" else 0.0
    more = "larger" if result.effect.value > middle else "smaller"
    return (
        f"'{name}' tends to be {more} where '{label}' is {groups[1]} than where it is {groups[0]} {_in_numbers(result)}"
    )


def interpret_table(name: str, label: str, result: TestResult) -> str:
    """A category and the classes of a label."""
    return interpret_groups(name, label, (), result)


def interpret_missing(name: str, label: str, rows: Mapping[str, Ints], result: TestResult) -> str:
    """Missing values and the classes of a label; `rows` has for each class the missing ones first."""
    if isnan(result.p_value):
        return f"Whether '{name}' is missing equally often in each class of '{label}' can't be tested: too few rows."
    shares = {word: row[0] / row.sum() for word, row in rows.items() if row.sum()}
    if not _is_sure(result) or not shares:
        return f"'{name}' is missing about as often in each class of '{label}' ({_p(result)})."
    high, low = max(shares, key=lambda word: shares[word]), min(shares, key=lambda word: shares[word])
    return (
        f"'{name}' is missing in {shares[high]:.1%} of the rows where '{label}' is {high} and in {shares[low]:.1%} "
        f"where it is {low} ({_p(result)}): that it is missing says something about the label."
    )


def interpret_correlation(name: str, label: str, result: TestResult) -> str:
    """Two numbers."""
    if isnan(result.p_value):
        return f"Whether '{name}' and '{label}' are correlated can't be tested: too few rows, or all values are equal."
    if not _is_sure(result):
        return f"'{name}' and '{label}' are not correlated beyond chance ({_p(result)})."
    direction = "rises" if result.statistic > 0 else "falls"
    return f"'{name}' {direction} as '{label}' rises {_in_numbers(result)}"


def interpret_normality(name: str, result: TestResult, shape: Shape) -> str:
    """The form of a number's distribution."""
    form = f"skewness {shape.skewness():.2f}, excess kurtosis {shape.kurtosis():.2f}"
    if not _is_sure(result):
        return f"'{name}' may be normally distributed ({form})."
    return f"'{name}' is not normally distributed ({form})."
