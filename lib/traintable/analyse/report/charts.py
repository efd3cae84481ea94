"""How each kind of chart looks: specifications without data, which the page fills in when it draws one."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import altair as alt

COUNT, SHARE, FINE = ",d", ".1%", ",.4~g"
_DATA = "rows"


def _chart() -> Any:
    return alt.Chart(alt.NamedData(_DATA))


def _tip(**fields: str) -> list[Any]:
    """What a hover says, as title="field:type|format"."""
    tips = []
    for title, shorthand in fields.items():
        field, _, form = shorthand.partition("|")
        tip = alt.Tooltip(field, title=title.replace("_", " "))
        tips.append(tip.format(form) if form else tip)
    return tips


def _axis(**options: Any) -> Any:
    return alt.Axis(title=None, **options)


def _numbers(**options: Any) -> Any:
    """Large numbers in thousands and millions, small ones as they are."""
    return _axis(labelExpr="format(datum.value, abs(datum.value) >= 1000 ? '~s' : '~g')", labelOverlap=True, **options)


def _rows_axis() -> Any:
    return alt.Y("name:N", sort=None, axis=alt.Axis(title=None, labelLimit=170, ticks=False, domain=False))


def histogram() -> Any:
    """Bars between edges."""
    return (
        _chart()
        .mark_bar(binSpacing=1)
        .encode(
            x=alt.X("x0:Q", bin="binned", axis=_numbers(), scale=alt.Scale(zero=False, nice=False)),
            x2="x1:Q",
            y=alt.Y("n:Q", axis=_numbers(tickCount=4)),
            tooltip=_tip(
                **{"from": f"x0:Q|{FINE}", "to": f"x1:Q|{FINE}", "rows": f"n:Q|{COUNT}", "share": f"share:Q|{SHARE}"}
            ),
        )
        .properties(height=130, width="container")
    )


def by_class() -> Any:
    """The same edges, one line a class, each class as shares of itself."""
    return (
        _chart()
        .mark_line(interpolate="step-after", strokeWidth=1.8)
        .encode(
            x=alt.X("x0:Q", axis=_numbers(), scale=alt.Scale(zero=False, nice=False)),
            y=alt.Y("share:Q", axis=_axis(format="%", tickCount=4)),
            color=_classes(),
            tooltip=_tip(
                **{
                    "class": "class:N",
                    "from": f"x0:Q|{FINE}",
                    "to": f"x1:Q|{FINE}",
                    "rows": f"n:Q|{COUNT}",
                    "share_of_its_class": f"share:Q|{SHARE}",
                }
            ),
        )
        .properties(height=130, width="container")
    )


def bars() -> Any:
    """The frequent values of a column, or any names with counts."""
    return (
        _chart()
        .mark_bar(height=13)
        .encode(
            y=_rows_axis(),
            x=alt.X("n:Q", axis=_numbers(tickCount=4)),
            tooltip=_tip(value="name:N", rows=f"n:Q|{COUNT}", share=f"share:Q|{SHARE}"),
        )
        .properties(height=alt.Step(19), width="container")
    )


def ranked() -> Any:
    """Names with a value each."""
    return (
        _chart()
        .mark_bar(height=13)
        .encode(
            y=_rows_axis(),
            x=alt.X("value:Q", axis=_numbers(tickCount=5)),
            color=alt.Color("strong:N", legend=None, scale=alt.Scale(domain=[True, False], range="ordinal")),
            tooltip=_tip(name="name:N", value=f"value:Q|{FINE}", note="note:N"),
        )
        .properties(height=alt.Step(19), width="container")
    )


def intervals() -> Any:
    """The same with intervals and a dashed limit to compare with."""
    tips = _tip(name="name:N", value=f"value:Q|{FINE}", low=f"low:Q|{FINE}", high=f"high:Q|{FINE}", note="note:N")
    values = ranked().encode(tooltip=tips)
    whiskers = _chart().mark_rule(strokeWidth=1.5).encode(y=_rows_axis(), x="low:Q", x2="high:Q", tooltip=tips)
    limit = _chart().mark_rule(strokeDash=[4, 3], strokeWidth=1).encode(x="max(limit):Q")
    return alt.layer(values, whiskers, limit).properties(height=alt.Step(19), width="container")


def over_time() -> Any:
    """Rows of each period."""
    return (
        _chart()
        .mark_area(line={"strokeWidth": 1.2}, fillOpacity=0.22)
        .encode(
            x=alt.X("t:T", axis=_axis(labelOverlap=True), scale=alt.Scale(type="utc")),
            y=alt.Y("n:Q", axis=_numbers(tickCount=4)),
            tooltip=_tip(period="period:N", rows=f"n:Q|{COUNT}"),
        )
        .properties(height=150, width="container")
    )


def week() -> Any:
    """Rows of each hour of the week."""
    days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    return (
        _chart()
        .mark_rect()
        .encode(
            x=alt.X("hour:O", axis=_axis(labelAngle=0, values=list(range(0, 24, 3)), ticks=False, domain=False)),
            y=alt.Y("day:O", sort=days, axis=_axis(ticks=False, domain=False)),
            color=alt.Color("n:Q", scale=alt.Scale(range="heatmap"), legend=None),
            tooltip=_tip(day="day:N", hour="hour:O", rows=f"n:Q|{COUNT}"),
        )
        .properties(height=126, width="container")
    )


def heat() -> Any:
    """A measure of each pair of columns, from -1 to 1."""
    return (
        _chart()
        .mark_rect(invalid=None)
        .encode(
            x=alt.X("a:N", sort=None, axis=_axis(labelAngle=-60, labelLimit=110, labelOverlap=True, ticks=False)),
            y=alt.Y("b:N", sort=None, axis=_axis(labelLimit=110, labelOverlap=True, ticks=False)),
            color=alt.Color(
                "v:Q",
                scale=alt.Scale(domain=[-1, 0, 1], range="diverging", interpolate="lab"),
                legend=alt.Legend(title=None, gradientLength=160, orient="bottom", direction="horizontal"),
            ),
            tooltip=_tip(column="a:N", other_column="b:N", value="v:Q|.3f"),
        )
        .properties(width="container")
    )


def patterns() -> Any:
    """Which columns are missing together: a row for each pattern, a mark for each column it lacks."""
    return (
        _chart()
        .mark_rect(cornerRadius=2)
        .encode(
            x=alt.X("name:N", sort=None, axis=_axis(labelAngle=-60, labelLimit=110, ticks=False)),
            y=alt.Y("rows:N", sort=None, axis=_axis(ticks=False, domain=False, labelLimit=150)),
            opacity=alt.condition("datum.missing", alt.value(0.85), alt.value(0.08)),
            tooltip=_tip(column="name:N", pattern="rows:N", missing="missing:N"),
        )
        .properties(height=alt.Step(18), width="container")
    )


def shares() -> Any:
    """The classes' shares within each group."""
    return (
        _chart()
        .mark_bar()
        .encode(
            x=alt.X("n:Q", stack="normalize", axis=_axis(format="%", tickCount=4)),
            y=alt.Y("name:N", sort=None, axis=_axis(labelLimit=150, ticks=False, domain=False)),
            color=_classes(),
            tooltip=_tip(
                **{"split": "name:N", "class": "class:N", "rows": f"n:Q|{COUNT}", "share": f"share:Q|{SHARE}"}
            ),
        )
        .properties(height=alt.Step(22), width="container")
    )


def shares_over_time() -> Any:
    """The classes' shares of each period."""
    return (
        _chart()
        .mark_bar()
        .encode(
            x=alt.X("name:O", sort=None, axis=_axis(labelOverlap=True, labelAngle=-45, labelLimit=90)),
            y=alt.Y("n:Q", stack="normalize", axis=_axis(format="%", tickCount=4)),
            color=_classes(),
            tooltip=_tip(
                **{"period": "name:N", "class": "class:N", "rows": f"n:Q|{COUNT}", "share": f"share:Q|{SHARE}"}
            ),
        )
        .properties(height=170, width="container")
    )


def scores() -> Any:
    """A histogram with the threshold above which a row counts as an anomaly."""
    bars_ = histogram().encode(
        color=alt.Color("strong:N", legend=None, scale=alt.Scale(domain=[False, True], range="category"))
    )
    limit = (
        _chart().transform_filter("isValid(datum.limit)").mark_rule(strokeDash=[4, 3]).encode(x=alt.X("max(limit):Q"))
    )
    return alt.layer(bars_, limit).properties(height=150, width="container")


def _classes() -> Any:
    return alt.Color(
        "class:N",
        sort=None,
        legend=alt.Legend(title=None, orient="top", labelLimit=84, columns=3, symbolType="square"),
    )


KINDS: dict[str, Callable[[], Any]] = {
    "histogram": histogram,
    "by_class": by_class,
    "bars": bars,
    "ranked": ranked,
    "intervals": intervals,
    "over_time": over_time,
    "week": week,
    "heat": heat,
    "patterns": patterns,
    "shares": shares,
    "shares_over_time": shares_over_time,
    "scores": scores,
}


@cache
def specifications() -> dict[str, dict[str, Any]]:
    """The Vega-Lite specification of each kind; its rows are the named data "rows"."""
    return {kind: _plain(make().to_dict()) for kind, make in KINDS.items()}


def _plain(specification: dict[str, Any]) -> dict[str, Any]:
    """Without Altair's own look and without an address, as wide as its place on the page."""
    kept = {name: part for name, part in specification.items() if name not in ("config", "$schema")}
    return {**kept, "autosize": {"type": "fit-x", "contains": "padding"}}
