"""Replace missing numbers by a constant that train decides."""

from __future__ import annotations

from traintable.config import Feature, Plan
from traintable.errors import ConfigError
from traintable.prepare.terms import Term, number
from traintable.statistics import Gram


def fill_value(name: str, feature: Feature, gram: Gram) -> float:
    """The number that stands for a missing one: the mean of train, or the declared constant.

    Raises ConfigError when the mean is asked of a column without a value in train.
    """
    if feature.fill_value is not None:
        return feature.fill_value
    if gram.count(name) == 0:
        raise ConfigError(
            where=f"prepare.features.{name}",
            expected="at least one value in train to take the mean of",
            found="none",
            remedy="Remove the feature, or use `impute: constant` with a `fill_value`.",
        )
    return gram.mean(name)


def fill_values(plan: Plan, gram: Gram) -> dict[str, float]:
    """For each numeric feature of the plan the number that stands for a missing one."""
    return {name: fill_value(name, feature, gram) for name, feature in plan.features.items() if not feature.encode}


def imputed(column: str, fill: float) -> str:
    """SQL of the column with its nulls replaced."""
    return f"coalesce({column}, {number(fill)})"


def indicator(name: str, column: str) -> Term:
    """The feature that is 1 where the value was missing."""
    return Term(f"{name}_<missing>", f"IF({column} IS NULL, 1.0D, 0.0D)")
