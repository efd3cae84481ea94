"""Every kind of chart is one that Vega-Lite compiles and draws."""

from __future__ import annotations

from typing import Any

import pytest
import vl_convert

from traintable.analyse.report.charts import specifications
from traintable.analyse.report.page import vega

# One row with all fields that any kind of chart reads.
ROW = {
    **{"x0": 0, "x1": 1, "n": 5, "share": 0.5, "class": "a", "name": "a", "value": 0.3, "low": 0.2, "high": 0.4},
    **{
        "limit": 0.1,
        "strong": True,
        "note": "x",
        "t": "2013-01-01",
        "period": "2013-01-01",
        "day": "Monday",
        "hour": 3,
    },
    **{"a": "one", "b": "two", "v": -0.5, "rows": "9 rows", "missing": True},
}


@pytest.mark.parametrize("kind", specifications())
def test_a_chart_is_drawn(kind: str) -> None:
    specification: dict[str, Any] = {**specifications()[kind], "width": 300}
    filled = {**specification, "datasets": {"rows": [ROW]}}
    marks = vl_convert.vegalite_to_svg(filled, vl_version="6.4").count("aria-roledescription")
    assert marks > vl_convert.vegalite_to_svg({**specification, "datasets": {"rows": []}}, vl_version="6.4").count(
        "aria-roledescription"
    )


def test_every_field_of_a_chart_is_one_that_its_rows_have() -> None:
    def fields(part: Any) -> set[str]:
        if isinstance(part, list):
            return set().union(*map(fields, part))
        if not isinstance(part, dict):
            return set()
        own = {part["field"]} if isinstance(part.get("field"), str) else set()
        return own.union(*map(fields, part.values()))

    assert {field for kind in specifications().values() for field in fields(kind)} <= set(ROW)


def test_the_bundle_is_made_once() -> None:
    assert vega() is vega()
