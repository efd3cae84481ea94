"""The charts of a page: what each shows in words, and its data, kept until the page draws it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypedDict

from markupsafe import Markup

from traintable.analyse.report.charts import specifications
from traintable.analyse.report.figures import is_number

Cell = str | float | bool | None
ChartColumns = Mapping[str, Sequence[Cell]]


class ColumnsData(TypedDict):
    """A chart of rows, column by column."""

    kind: str
    columns: dict[str, list[Cell]]


class HistogramData(TypedDict):
    """A chart of counts between edges, of each series; with a limit to be drawn, where there is one."""

    kind: str
    edges: list[float | None]
    series: dict[str, Sequence[int]]
    limit: float | None


class MatrixData(TypedDict):
    """A heat map of values of -1 to 1."""

    kind: str
    rows: list[str]
    across: list[str]
    thousandths: list[list[int | None]]


@dataclass(frozen=True)
class Picture:
    """One chart: `number` is its place in the data, `description` what stands for it where it can't be seen."""

    number: int
    kind: str
    description: str


@dataclass
class Pictures:
    """The charts of one page in the order in which they were added."""

    data: list[ColumnsData | HistogramData | MatrixData] = field(default_factory=list)

    def add(self, kind: str, columns: ChartColumns, description: str) -> Picture | None:
        """Add a chart of rows that are given column by column, all of one length; None when there are no rows."""
        if not any(len(column) for column in columns.values()):
            return None
        rounded = {name: [_round(value) for value in column] for name, column in columns.items()}
        return self._add({"kind": kind, "columns": rounded}, description)

    def add_histogram(
        self,
        edges: Sequence[float],
        series: Mapping[str, Sequence[int]],
        description: str,
        *,
        kind: str,
        limit: float | None = None,
    ) -> Picture | None:
        """Add counts between edges: k + 1 edges, and of each series k counts; None when there are no rows."""
        if len(edges) < 2 or not any(any(counts) for counts in series.values()):
            return None
        rounded = [_round_number(edge) for edge in edges]
        limit = None if limit is None else _round_number(limit)
        return self._add({"kind": kind, "edges": rounded, "series": dict(series), "limit": limit}, description)

    def add_matrix(
        self, rows: Sequence[str], columns: Sequence[str], values: Sequence[Sequence[float | None]], name: str
    ) -> Picture | None:
        """Add values of -1 to 1 for pairs, in thousandths; None when there are no pairs."""
        if not rows or not columns:
            return None
        thousandths = [[round(1000 * value) if is_number(value) else None for value in row] for row in values]
        data: MatrixData = {"kind": "heat", "rows": list(rows), "across": list(columns), "thousandths": thousandths}
        return self._add(data, f"Heat map of {name} for {len(rows)} x {len(columns)} columns")

    def _add(self, data: ColumnsData | HistogramData | MatrixData, description: str) -> Picture:
        self.data.append(data)
        return Picture(len(self.data) - 1, data["kind"], description)

    def script(self) -> Markup:
        """Specifications and data as JSON that is safe inside a script element."""
        block = {"specifications": specifications(), "charts": self.data}
        return Markup(as_script(block))  # noqa: S704


def as_script(value: object) -> str:
    """JSON in which no text can end the script element it stands in."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _round(value: Cell) -> Cell:
    return _round_number(value) if isinstance(value, float) else value


def _round_number(value: float) -> float | None:
    if isinstance(value, int):
        return value
    return float(f"{value:.6g}") if is_number(value) else None
