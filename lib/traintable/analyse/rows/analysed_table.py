"""A table under analysis: the roles of its columns, and the statistics of a first scan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from traintable.columns import SPLIT
from traintable.errors import ConfigError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from traintable.statistics import Statistics


@dataclass(frozen=True)
class AnalysedTable:
    """A table, the roles of its columns, and statistics of them.

    Attributes
    ----------
    df : all rows. If they have `split`, rows of train are learned from, and those of validation measured on.
    statistics : of all columns below, as `Wanted.everything` asks for them: `values` and `covariance` of numbers,
        `frequencies` of categories and `split`, `summary` of times.
    numbers, categories : the features; booleans are categories. Without the label, the key, `time` and `split`.
    times : dates and times that may have a period, `time` among them.
    label : what is to be predicted, or None.
    label_is_number : whether the label is a number rather than a class.
    key : what tells rows apart; without it equal rows are drawn together.
    time : the column by whose periods anomalies over time are looked for, or None.
    partition : a category whose values, in ascending order, are the periods instead; it is also among the
        `frequencies`.
    seed : of all chance.
    """

    df: DataFrame
    statistics: Statistics
    numbers: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    label: str | None = None
    label_is_number: bool = False
    key: tuple[str, ...] = ()
    time: str | None = None
    partition: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        features = (*self.numbers, *self.categories)
        roles = {self.label, self.time, SPLIT, *self.key}
        wrong = sorted({name for name in features if name in roles or features.count(name) > 1})
        if wrong:
            raise ConfigError(
                where="analyse",
                expected="features that have no other role",
                found=f"'{wrong[0]}', which is named for two",
                remedy="Name it as a feature, or as label, key, time or split, but not as both.",
            )

    @property
    def features(self) -> tuple[str, ...]:
        """Numbers, then categories."""
        return (*self.numbers, *self.categories)

    @property
    def category_counts(self) -> dict[str, dict[str, int]]:
        """Category -> value -> rows, of the categories that have few enough values to count."""
        frequencies = {name: self.statistics.frequencies[name] for name in self.categories}
        return {name: dict(known.counts) for name, known in frequencies.items() if not known.too_many}
