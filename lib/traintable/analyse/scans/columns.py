"""What kind of column each is, and what it is for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from traintable.analyse.document import Kind, Role
from traintable.columns import SPLIT
from traintable.statistics import Statistics

NUMBER: Final = "number"
CATEGORY: Final = "category"
TEXT: Final = "text"
TIME: Final = "time"
BOOLEAN: Final = "boolean"
OTHER: Final = "other"
WORDS = (CATEGORY, BOOLEAN)

FEATURE: Final = "feature"
LABEL: Final = "label"
KEY: Final = "key"
TIME_ROLE: Final = "time"
SPLIT_ROLE: Final = "split"

FEW_WORDS = 200  # at most so many different texts are a category, however few rows there are
SHARE_OF_WORDS = 0.05  # and more of them are, while they are at most so many of the rows
MANY_WORDS = 50_000

_TIMES = ("date", "timestamp", "timestamp_ntz")
_NUMBERS = ("tinyint", "smallint", "int", "bigint", "float", "double")


@dataclass(frozen=True)
class AnalysedColumn:
    """A column: its name, Spark's type, kind, and role."""

    name: str
    type: str
    kind: Kind
    role: Role = FEATURE

    @property
    def is_ranked(self) -> bool:
        """Whether its values are numbers or times."""
        return self.kind in (NUMBER, TIME)

    @property
    def is_whole(self) -> bool:
        """Whether its values are whole numbers by type."""
        return self.type in ("tinyint", "smallint", "int", "bigint")


def columns_of(
    types: Mapping[str, str], *, label: str | None, time: str | None, key: Sequence[str]
) -> tuple[AnalysedColumn, ...]:
    """The columns of types (name -> Spark's type) with their roles; texts count as categories until they are read."""

    def role_of(name: str) -> Role:
        if name == label:
            return LABEL
        if name == time:
            return TIME_ROLE
        return KEY if name in key else SPLIT_ROLE if name == SPLIT else FEATURE

    return tuple(AnalysedColumn(name, type_, _kind_of(type_), role_of(name)) for name, type_ in types.items())


def usable_features(columns: Iterable[AnalysedColumn], learned: Statistics) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The features that rows can be compared by: numbers that are in the covariance, and categories."""
    features = [c for c in columns if c.role == FEATURE]
    numbers = tuple(c.name for c in features if c.kind == NUMBER and c.name in learned.gram.columns)
    return numbers, tuple(c.name for c in features if c.kind in WORDS)


def _kind_of(type_: str) -> Kind:
    if type_ in _NUMBERS or type_.startswith("decimal"):
        return NUMBER
    if type_ in _TIMES:
        return TIME
    return BOOLEAN if type_ == "boolean" else CATEGORY if type_ == "string" else OTHER


def separate_texts(columns: Sequence[AnalysedColumn], learned: Statistics) -> tuple[AnalysedColumn, ...]:
    """The columns, those of too many different texts to be categories as texts."""
    return tuple(replace(c, kind=TEXT) if c.kind == CATEGORY and _is_text(c, learned) else c for c in columns)


def _is_text(column: AnalysedColumn, learned: Statistics) -> bool:
    frequencies = learned.frequencies[column.name]
    distinct, _ = frequencies.n_distinct()
    n = learned.n_rows - frequencies.n_null
    return distinct > FEW_WORDS and (distinct > SHARE_OF_WORDS * n or distinct > MANY_WORDS)
