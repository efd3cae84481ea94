"""The charts of a page: what each shows in words, and its data, kept aside until the page draws it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from traintable.analyse.report.charts import specifications
from traintable.analyse.report.figures import is_number

Columns = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Picture:
    """One chart: `number` is its place in the data, `description` what stands for it where it can't be seen."""

    number: int
    kind: str
    description: str


@dataclass
class Pictures:
    """The charts of one page in the order in which they were added."""

    data: list[dict[str, Any]] = field(default_factory=list)

    def add(self, kind: str, columns: Columns, description: str) -> Picture | None:
        """Add a chart of rows that are given column by column, all of one length; None when there are no rows."""
        if not any(len(column) for column in columns.values()):
            return None
        rounded = {name: [_rounded(value) for value in column] for name, column in columns.items()}
        return self._added(kind, {"columns": rounded}, description)

    def add_histogram(
        self,
        edges: Sequence[float],
        series: Mapping[str, Sequence[int]],
        description: str,
        *,
        kind: str,
        limit: Any = None,
    ) -> Picture | None:
        """Add counts between edges: k + 1 edges, and of each series k counts."""
        if len(edges) < 2 or not any(any(counts) for counts in series.values()):
            return None
        data = {"edges": [_rounded(edge) for edge in edges], "series": dict(series), "limit": _rounded(limit)}
        return self._added(kind, data, description)

    def add_matrix(
        self, rows: Sequence[str], columns: Sequence[str], values: Sequence[Sequence[Any]], name: str
    ) -> Picture | None:
        """Add values of -1 to 1 for pairs, told to a thousandth."""
        if not rows or not columns:
            return None
        thousandths = [[round(1000 * value) if is_number(value) else None for value in row] for row in values]
        data = {"rows": list(rows), "across": list(columns), "thousandths": thousandths}
        return self._added("heat", data, f"Heat map of {name} for {len(rows)} x {len(columns)} columns")

    def _added(self, kind: str, data: dict[str, Any], description: str) -> Picture:
        self.data.append({"kind": kind, **data})
        return Picture(len(self.data) - 1, kind, description)

    def script(self) -> Markup:
        """Specifications and data as JSON that is safe inside a script element."""
        block = {"specifications": specifications(), "charts": self.data}
        return Markup(as_script(block))  # noqa: S704


def as_script(value: Any) -> str:
    """JSON in which no text can end the script element it stands in."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.6g}") if is_number(value) else None
    return value
