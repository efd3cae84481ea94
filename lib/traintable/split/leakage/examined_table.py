"""The rows under examination, and the roles of their columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from traintable.columns import SPLIT, SPLITS
from traintable.config.leakage import Limits

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_NUMBERS = ("tinyint", "smallint", "int", "bigint", "float", "double", "date", "timestamp", "timestamp_ntz")
_COUNTERS = ("tinyint", "smallint", "int", "bigint", "date", "timestamp", "timestamp_ntz")
_TEXTS = ("string", "boolean")


@dataclass(frozen=True)
class ExaminedTable:
    """Rows with `split`, and what is known of their columns.

    `features` are the raw columns that features are made of; `groups` lists of columns; `time` orders the splits, and
    is set only if it shall.
    """

    df: DataFrame
    label: str
    key: tuple[str, ...]
    features: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...] = ()
    time: str | None = None
    text: tuple[str, ...] = ()
    seed: int = 0
    limits: Limits = field(default_factory=Limits)

    @cached_property
    def types(self) -> dict[str, str]:
        """Column -> Spark type."""
        return dict(self.df.dtypes)

    def of_split(self, split: str) -> DataFrame:
        """The rows of one split."""
        return self.df.where(self.df[SPLIT] == split)

    @property
    def with_split(self) -> DataFrame:
        """The rows of all three."""
        return self.df.where(self.df[SPLIT].isin(*SPLITS))

    @cached_property
    def numbers(self) -> tuple[str, ...]:
        """Features and columns of the key that are numbers, dates or times."""
        return self._of_type(lambda kind: kind in _NUMBERS or kind.startswith("decimal"))

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """Features and columns of the key that are categories; not free text."""
        return tuple(name for name in self._of_type(lambda kind: kind in _TEXTS) if name not in self.text)

    def counts_up(self, name: str) -> bool:
        """Whether a column is of whole numbers or times, as counters and clocks give them."""
        return self.types[name] in _COUNTERS

    def _of_type(self, fits: Callable[[str], bool]) -> tuple[str, ...]:
        names = dict.fromkeys([*self.features, *self.key])
        return tuple(name for name in names if name not in (self.label, SPLIT) and fits(self.types[name]))

    @cached_property
    def hashable(self) -> tuple[str, ...]:
        """The features that can be hashed: maps and variants can't."""
        odd = ("map<", "variant")
        return tuple(n for n in self.features if not any(word in self.types[n] for word in odd))
