"""What kind of column each is, and what it is for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from traintable.columns import SPLIT
from traintable.statistics import Statistics

NUMBER, CATEGORY, TEXT, TIME, BOOLEAN, OTHER = "number", "category", "text", "time", "boolean", "other"
FEATURE, LABEL, KEY, WHEN, PART = "feature", "label", "key", "time", "split"
WORDS = (CATEGORY, BOOLEAN)

FEW_WORDS = 200  # at most so many different texts are a category, however few rows there are
SHARE_OF_WORDS = 0.05  # and more of them are, while they are at most so many of the rows
MANY_WORDS = 50_000

_TIMES = ("date", "timestamp", "timestamp_ntz")
_NUMBERS = ("tinyint", "smallint", "int", "bigint", "float", "double")


@dataclass(frozen=True)
class Column:
    """A column: its name, Spark's type, kind, and role."""

    name: str
    type: str
    kind: str
    role: str = FEATURE

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
) -> tuple[Column, ...]:
    """The columns of types (name -> Spark's type) with their roles; texts count as categories until they are read."""
    found = []
    for name, kind in types.items():
        role = LABEL if name == label else WHEN if name == time else KEY if name in key else FEATURE
        if role == FEATURE and name == SPLIT:
            role = PART
        found.append(Column(name, kind, _kind(kind), role))
    return tuple(found)


def usable_features(columns: Iterable[Column], learned: Statistics) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The features that rows can be compared by: numbers that are in the covariance, and categories."""
    features = [c for c in columns if c.role == FEATURE]
    numbers = tuple(c.name for c in features if c.kind == NUMBER and c.name in learned.gram.columns)
    return numbers, tuple(c.name for c in features if c.kind in WORDS)


def _kind(kind: str) -> str:
    if kind in _NUMBERS or kind.startswith("decimal"):
        return NUMBER
    if kind in _TIMES:
        return TIME
    return {"boolean": BOOLEAN, "string": CATEGORY}.get(kind, OTHER)


def after_reading(columns: Sequence[Column], learned: Statistics) -> tuple[Column, ...]:
    """The columns, those of too many different texts to be categories as texts."""
    return tuple(replace(c, kind=TEXT) if c.kind == CATEGORY and _is_text(c, learned) else c for c in columns)


def _is_text(column: Column, learned: Statistics) -> bool:
    known = learned.frequencies[column.name]
    distinct, _ = known.n_distinct()
    n = learned.n_rows - known.n_null
    return distinct > FEW_WORDS and (distinct > SHARE_OF_WORDS * n or distinct > MANY_WORDS)
