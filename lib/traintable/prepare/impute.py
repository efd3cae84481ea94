"""Replace missing numbers by what train says of the others."""

from __future__ import annotations

import math

from traintable.columns import quote
from traintable.config.plan import Feature
from traintable.errors import ConfigError
from traintable.prepare.encode import lookup_or_default
from traintable.prepare.terms import Term, number_literal
from traintable.statistics import Statistics, TargetGroups
from traintable.statistics.states import MAX_CLASSES, too_many_classes
from traintable.statistics.values import Values

# Filled by the values of other rows or columns, so that only another scan can tell what comes out.
ROW_BY_ROW = ("group", "forward_fill", "iterative")


def fill_value(name: str, feature: Feature, statistics: Statistics, column: str) -> float:
    """The number that stands for a missing one; `column` is what the statistics call the feature.

    The mean, the median or the most frequent value of train, or the declared constant; the mean or median also stands
    where a group or earlier rows give none. Raises ConfigError when train has no value to learn it from.
    """
    if isinstance(feature.fill_value, float):
        return feature.fill_value
    if feature.impute == "median" or (feature.impute == "group" and feature.statistic == "median"):
        value = statistics.values[column].weighted().quantile(0.5)
    elif feature.impute == "mode":
        value = _most_frequent(name, statistics.values[column])
    else:
        value = statistics.mean_and_variance(column)[0]
    if math.isnan(value):
        raise ConfigError(
            where=f"prepare.features.{name}",
            expected=f"at least one value in train, to take the {feature.impute or 'mean'} of",
            found="none",
            remedy="Remove the feature, or use `impute: constant` with a `fill_value`.",
        )
    return value


def _most_frequent(name: str, values: Values) -> float:
    """The most frequent value, the smallest of several; NaN when there are no values."""
    if values.is_exact:
        return values.weighted().mode()
    top, _ = values.most_frequent(2)
    if not top:
        raise ConfigError(
            where=f"prepare.features.{name}",
            expected="a value that is frequent enough to be imputed",
            found="too many different values, none of them frequent",
            remedy="Use `impute: median`.",
        )
    return top[0][0]


def fill_missing(value: str, fill: float) -> str:
    """SQL of a value with its nulls replaced."""
    return f"coalesce({value}, {number_literal(fill)})"


def by_group(value: str, group: str, fills: dict[str, float], fill: float) -> str:
    """SQL of a value with its nulls replaced by what its group has, or where that has nothing by `fill`."""
    return f"coalesce({value}, {lookup_or_default(f'CAST({quote(group)} AS STRING)', fills, number_literal(fill))})"


def group_fills(feature: Feature, statistics: Statistics, column: str) -> dict[str, float]:
    """For each group that has a value in train, the mean or the median of its values."""
    group = feature.by or ""
    if feature.statistic == "median":
        classes = statistics.classes[group].items()
        medians = {word: of_group.values[column].weighted().quantile(0.5) for word, of_group in classes}
        return {word: median for word, median in medians.items() if not math.isnan(median)}
    totals = statistics.targets[TargetGroups(group, column)].totals()
    return {word: t.mean for word, _, t in totals if word is not None and t.n}


def refuse_groups(name: str, group: str, error: ConfigError) -> None:
    """Raise ConfigError for a feature whose groups are too many for medians, if that is what `error` of a scan says."""
    if str(error) == str(too_many_classes(group)):
        raise ConfigError(
            where=f"prepare.features.{name}",
            expected=f"at most {MAX_CLASSES:,} groups to take the median of",
            found=f"more in column '{group}'",
            remedy="Use `statistic: mean`, which takes up to a million groups, or coarser groups.",
        ) from error


def forward_fill(value: str, feature: Feature) -> str:
    """SQL of a value, or where it is null the last one before it in time, within its `by` where that is given.

    Of rows of the same time those without a value come first, so the result does not depend on the order of rows.
    Rows without a group have nothing to do with each other, and a row without a time has nothing to do with any.
    """
    time = quote(feature.time or "")
    known = f"IF({time} IS NULL, NULL, {value})"
    partition = f"PARTITION BY {quote(feature.by)} " if feature.by else ""
    order = f"ORDER BY {time}, {value}"
    last = f"last_value({known}, true) OVER ({partition}{order} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
    alone = f"{time} IS NULL OR {quote(feature.by)} IS NULL" if feature.by else f"{time} IS NULL"
    return f"IF({alone}, {value}, {last})"


def indicator(name: str, value: str) -> Term:
    """The feature that is 1 where the value was missing."""
    return Term(f"{name}_<missing>", f"IF({value} IS NULL, 1.0D, 0.0D)", name)
