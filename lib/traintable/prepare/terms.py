"""SQL of the fitted stages: features, literals, and columns that live only between two stages."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from traintable.columns import literal, quote

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

LARGEST_FLOAT = 3.4028234663852886e38

# Depths of the layers that a number passes; `iterative` takes five from ITERATED on.
CLEANED, FILLED, ITERATED, TRANSFORMED, SHARED, NORMALIZED, BOUNDED = 0, 1, 2, 1000, 1001, 1002, 1003
_THIS = re.compile("_+THIS_+")
_COLUMN = re.compile(r"`__prepared(?:[^`]|``)*`")


@dataclass(frozen=True)
class Term:
    """One feature: its name in the training table, the SQL that computes it, and the plan's feature it belongs to.

    `is_bounded` says that no row can make it more than a float holds.
    """

    name: str
    sql: str
    feature: str
    is_bounded: bool = True


@dataclass
class Layers:
    """Columns that are computed one layer after the other, before the features are.

    A value that is used several times gets a column of its own, so that it is computed once.
    """

    columns: dict[int, dict[str, str]] = field(default_factory=dict)

    def add(self, depth: int, name: str, sql: str) -> str:
        """A column of layer `depth`, which may use those of the layers before it; gives the SQL that reads it."""
        layer = self.columns.setdefault(depth, {})
        column, taken = (
            f"__prepared{depth or ''}_{without_substitutions(name)}",
            {n.lower(): s for n, s in layer.items()},
        )
        while taken.get(column.lower(), sql) != sql:
            column += "_"
        layer[column] = sql
        return quote(column)

    def without_unused(self, terms: Sequence[Term]) -> Layers:
        """The columns that the features need, for those that selection left out need none."""
        used = {name for term in terms for name in _COLUMN.findall(term.sql)}
        kept: dict[int, dict[str, str]] = {}
        for depth in sorted(self.columns, reverse=True):
            kept[depth] = {name: sql for name, sql in self.columns[depth].items() if quote(name) in used}
            used.update(name for sql in kept[depth].values() for name in _COLUMN.findall(sql))
        return Layers(kept)

    @property
    def ordered(self) -> list[dict[str, str]]:
        """The layers that have columns, the first first."""
        return [self.columns[depth] for depth in sorted(self.columns) if self.columns[depth]]

    @property
    def names(self) -> list[str]:
        """All these columns."""
        return [name for layer in self.ordered for name in layer]

    def rows(self) -> str:
        """SQL of the rows of __THIS__ with these columns, to select from."""
        rows = "__THIS__"
        for layer in self.ordered:
            columns = ",\n  ".join(f"{sql} AS {quote(name)}" for name, sql in layer.items())
            rows = f"(SELECT *,\n  {columns}\nFROM {rows})"
        return rows

    def add_to(self, df: DataFrame) -> DataFrame:
        """Some rows with these columns."""
        for layer in self.ordered:
            df = df.selectExpr("*", *(f"{sql} AS {quote(name)}" for name, sql in layer.items()))
        return df


def without_substitutions(name: str) -> str:
    """`name` without what a statement substitutes, `${...}` and `__THIS__`, which no quoting prevents."""
    return _THIS.sub("_THIS_", name).replace("${", "$_")


def is_plain(text: str) -> bool:
    """Whether a text can stand in a statement as it is."""
    return "${" not in text and "__THIS__" not in text


def number_literal(value: float) -> str:
    """A double as a SQL literal that reads back to the same bits."""
    if not math.isfinite(value):
        raise ValueError(f"a fitted value must be finite, got {value}")
    return f"{float(value)!r}D" if value >= 0 else f"({float(value)!r}D)"


def array_literal(value: Sequence[Any], kind: str) -> str:
    """Numbers and texts in lists as a SQL literal of the type `kind`, an array.

    One JSON text, for the parser takes it as one word, and the optimizer reads it once.
    """
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return f"from_json({literal(text)}, '{kind}', map('mode', 'FAILFAST'))"


def bound_term(term: Term, layers: Layers) -> Term:
    """The feature moved to the nearest value that a float holds; the largest where it is infinity less infinity."""
    if term.is_bounded:
        return term
    value, low, high = (
        layers.add(BOUNDED, term.name, term.sql),
        number_literal(-LARGEST_FLOAT),
        number_literal(LARGEST_FLOAT),
    )
    # `least` and `greatest` would take longer than all else there is to compute
    return Term(term.name, f"IF(abs({value}) <= {high}, {value}, IF({value} < 0.0D, {low}, {high}))", term.feature)
