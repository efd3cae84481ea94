"""Figures read as numbers again, never hide that they are not 0 or not all, and texts are safe for a page."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from traintable.analyse.report import figures, sparkline
from traintable.analyse.report.pictures import as_script

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.floats(-1.79e308, 1.79e308))
def test_a_number_reads_as_itself_to_four_digits(value: float) -> None:
    assert float(figures.figure(value).replace(",", "")) == pytest.approx(value, rel=6e-4, abs=0)


@given(st.integers(-(10**15) + 1, 10**15 - 1))
def test_a_whole_number_is_told_in_full(value: int) -> None:
    assert int(figures.figure(value).replace(",", "")) == value


@pytest.mark.parametrize("value", [None, "", math.nan])
def test_what_is_not_there_is_a_dash(value: Any) -> None:
    assert figures.figure(figures.clean_for_page(value)) == figures.NONE


@given(st.floats(0, 1))
@example(0.9995)
@example(0.0005)
@example(math.nextafter(0.0005, 0))
@example(math.nextafter(1, 0))
def test_a_share_never_reads_as_none_or_all_when_it_is_not(share: float) -> None:
    text = figures.percent(share)
    assert (text == "0\u00a0%") == (share == 0)
    assert (text == "100\u00a0%") == (share == 1)
    if text[0] not in "<>":
        assert float(text.split("\u00a0")[0]) == pytest.approx(100 * share, abs=0.0501)


@pytest.mark.parametrize(
    ("n_bytes", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (812_345_678, "812.3 MB"), (None, figures.NONE)]
)
def test_bytes(n_bytes: int | None, text: str) -> None:
    assert figures.size(n_bytes) == text


@given(PLAIN)
def test_clean_data_is_json_without_what_html_forbids(value: Any) -> None:
    cleaned = figures.clean_for_page(value)
    assert figures.clean_for_page(cleaned) == cleaned
    text = json.dumps(cleaned, allow_nan=False, ensure_ascii=False)
    text.encode()
    assert not {c for c in text if ord(c) in {0, 7, 11, 127, 0xFFFE}}


@given(PLAIN)
def test_data_in_a_script_is_the_same_and_can_not_end_it(value: Any) -> None:
    cleaned = figures.clean_for_page(value)
    text = as_script(cleaned)
    assert json.loads(text) == cleaned
    assert not set("<>&\u2028\u2029") & set(text)


@given(st.lists(st.text(max_size=30), max_size=20))
def test_names_of_an_axis_stay_different(names: list[str]) -> None:
    short = figures.distinct_names(names, 20)
    assert len(short) == len(names)
    assert len(set(short)) == len(names)
    assert all(name.startswith(given_[:11]) or "#" in name for name, given_ in zip(short, names, strict=True))


@given(st.lists(st.integers(0, 10**12), max_size=500))
def test_a_sparkline_has_the_height_of_its_bars(counts: list[int]) -> None:
    path = sparkline.path(counts)
    assert (path == "") == (sum(counts) == 0)
    if path and len(counts) <= sparkline.MOST:
        tops = [float(part.split("H")[0]) for part in path.split("V")[1:-1]]
        heights = [(sparkline.HEIGHT - top) / sparkline.HEIGHT for top in tops]
        for height, count in zip(heights, counts, strict=True):
            expected = max(count / max(counts), 1 / sparkline.HEIGHT) if count else 0.0
            assert height == pytest.approx(expected, abs=1e-3)
