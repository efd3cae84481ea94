"""The page in a browser: it opens fast, draws its charts, obeys clicks, asks for nothing, runs no foreign script."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import profile_sample
from traintable.analyse import report

pytestmark = pytest.mark.slow

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WIDTHS = {"desk": 1280, "tablet": 820, "phone": 390, "small phone": 320}
MOST_MILLISECONDS = 2000
DRAW_ALL = """async () => {
    const waiting = [...document.querySelectorAll('figure.chart')].filter((f) => f.getClientRects().length);
    for (const figure of waiting) {
        figure.scrollIntoView();
        for (let i = 0; i < 300 && !figure.dataset.drawn; i++) await new Promise((done) => setTimeout(done, 20));
    }
    return waiting.filter((figure) => !figure.dataset.drawn).map((figure) => figure.outerHTML.slice(0, 200));
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="NO BROWSER TEST RAN: `pip install playwright` is missing")
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"NO BROWSER TEST RAN: none of {', '.join(NAMES)} is installed (Debian: apt install chromium)")
    with api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield started
        started.close()


@dataclass
class Opened:
    """A page, and what it asked for and complained of."""

    page: Any
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def draw_all(self) -> None:
        """Scroll from chart to chart of those that show, until each is drawn."""
        assert self.page.evaluate(DRAW_ALL) == []


def opened(browser: Any, address: str, *, width: int = 1280, scheme: str = "light", **options: Any) -> Opened:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, **options)
    found = Opened(context.new_page())
    found.page.on("request", lambda request: found.asked.append(request.url))
    found.page.on("console", lambda message: found.complaints.append(message.text))
    found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
    found.page.goto(address)
    return found


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("report") / "small.html"
    return report.write(profile_sample.profile(), path, profile_sample.PLAN).as_uri()


@pytest.fixture(scope="module")
def wide_address(tmp_path_factory: pytest.TempPathFactory) -> str:
    return report.write(profile_sample.profile(200), tmp_path_factory.mktemp("report") / "wide.html").as_uri()


@pytest.fixture
def small(browser: Any, address: str) -> Iterator[Opened]:
    found = opened(browser, address)
    yield found
    found.page.context.close()


def test_it_opens_fast_with_200_columns(browser: Any, wide_address: str) -> None:
    found = opened(browser, wide_address)
    timing = found.page.evaluate("performance.getEntriesByType('navigation')[0].toJSON()")
    assert 0 < timing["loadEventEnd"] < MOST_MILLISECONDS
    assert found.page.locator("tbody.column").count() == 200
    found.page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_charts_are_drawn_and_nothing_is_asked_or_complained(browser: Any, address: str, scheme: str) -> None:
    found = opened(browser, address, scheme=scheme)
    for button in found.page.locator(".open").all():
        button.click()
    for tab in found.page.locator(".tab").all():
        tab.click()
        found.draw_all()
    assert found.page.locator("figure.chart:not([data-drawn])").count() == 0
    assert found.page.locator("figure.chart").count() > 30
    assert (
        found.page.locator("figure.chart svg, figure.chart canvas").count()
        >= found.page.locator("figure.chart").count()
    )
    assert found.page.evaluate("window.hacked") is None
    assert (found.asked, found.complaints) == ([address], [])
    found.page.context.close()


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
@pytest.mark.parametrize("n_columns", [14, 200])
def test_no_width_scrolls_sideways(browser: Any, address: str, wide_address: str, width: int, n_columns: int) -> None:
    found = opened(browser, address if n_columns == 14 else wide_address, width=width)
    for number in range(14):
        found.page.locator(f"#column-{number} .open").click()
    found.page.locator("details").first.evaluate(
        "d => document.querySelectorAll('details').forEach((e) => e.open = true)"
    )
    found.draw_all()
    assert found.page.evaluate("document.documentElement.scrollWidth") == width
    beyond = """() => [...document.querySelectorAll('main *')].filter((e) => {
        const box = e.getBoundingClientRect();
        return box.width && box.right > innerWidth + 1
            && !e.closest('.scroll, .wide, .plot, .unseen, .open, bdi, pre, svg');
    }).map((e) => e.outerHTML.slice(0, 120))"""
    assert found.page.evaluate(beyond) == []
    found.page.context.close()


def visible_columns(page: Any) -> list[str]:
    return page.eval_on_selector_all(
        "tbody.column", "all => all.filter((e) => e.getClientRects().length).map((e) => e.id)"
    )


def test_search_finds_names_kinds_and_flags(small: Opened) -> None:
    page = small.page
    page.fill("#find", "WIND.")
    assert visible_columns(page) == ["column-7"]
    assert page.locator("#found").text_content() == "1 of 14"
    page.fill("#find", "<script>")
    assert "column-5" in visible_columns(page)
    page.fill("#find", "no such column")
    assert visible_columns(page) == []
    assert page.locator("#none-found").is_visible()
    page.fill("#find", "")
    page.select_option("#kind", "text")
    assert visible_columns(page) == ["column-9"]
    page.select_option("#kind", "")
    page.select_option("#flag", "seasonal")
    assert visible_columns(page) == ["column-1"]
    assert small.complaints == []


def test_a_chip_filters_by_its_flag(small: Opened) -> None:
    small.page.click(".chip:has-text('all missing')")
    assert visible_columns(small.page) == ["column-2"]


def test_tables_sort_by_their_numbers(small: Opened) -> None:
    page, columns = small.page, profile_sample.profile()["columns"]
    header = page.locator("#columns-table th", has_text="Missing")
    header.locator("button").click()
    assert header.get_attribute("aria-sort") == "descending"
    order = [int(id_.split("-")[1]) for id_ in visible_columns(page)]
    missing = [columns[number]["n_null"] for number in order]
    assert missing == sorted(missing, reverse=True)
    header.locator("button").click()
    assert header.get_attribute("aria-sort") == "ascending"
    order = [int(id_.split("-")[1]) for id_ in visible_columns(page)]
    assert [columns[number]["n_null"] for number in order] == sorted(missing)


def test_tests_sort_by_their_p_values(small: Opened) -> None:
    header = small.page.locator("#tests th", has_text=re.compile("^p$"))
    header.locator("button").click()
    cells = small.page.locator("#tests tbody tr td:nth-child(3)").all()
    values = [float(cell.get_attribute("data-value")) for cell in cells]
    assert len(values) > 5
    assert values == sorted(values, reverse=True)


def test_a_column_opens_by_click_and_by_keyboard(small: Opened) -> None:
    button, panel = small.page.locator("#column-4 .open"), small.page.locator("#panel-4")
    assert not panel.is_visible()
    button.click()
    assert panel.is_visible()
    assert button.get_attribute("aria-expanded") == "true"
    button.press("Enter")
    assert not panel.is_visible()
    assert button.get_attribute("aria-expanded") == "false"


def test_a_headline_leads_to_the_column_it_is_about_even_if_it_is_filtered_out(small: Opened) -> None:
    page = small.page
    page.fill("#find", "wind")
    page.click("#overview h4 a:has-text('A skewed column')")
    assert page.locator("#panel-6").is_visible()
    assert page.locator("#panel-6").evaluate("e => e.getBoundingClientRect().top") < 900
    assert page.url.endswith("#column-6")
    page.go_back()
    assert "#" not in page.url


def test_an_address_with_a_column_opens_it(browser: Any, address: str) -> None:
    found = opened(browser, f"{address}#column-4")
    assert found.page.locator("#panel-4").is_visible()
    found.page.context.close()


def test_the_theme_switches_charts_too_and_is_remembered(small: Opened) -> None:
    page = small.page
    small.draw_all()
    background = "getComputedStyle(document.body).backgroundColor"
    label = "getComputedStyle(document.querySelector('#missingness svg text')).fill"
    before = page.evaluate(f"[{background}, {label}]")
    page.click("#theme")
    page.locator("#missingness figure").first.scroll_into_view_if_needed()
    page.wait_for_selector("#missingness figure[data-drawn]")
    after = page.evaluate(f"[{background}, {label}]")
    assert before[0] != after[0]
    assert before[1] != after[1]
    page.reload()
    assert page.evaluate(background) == after[0]
    assert small.complaints == []


def test_a_hover_tells_the_figures_and_takes_names_as_text(small: Opened) -> None:
    page = small.page
    page.click("#column-6 .open")
    bars = page.locator("#panel-6 figure.bars .mark-rect path")
    bars.first.wait_for()
    bars.first.scroll_into_view_if_needed()
    bars.first.hover()
    tip = page.locator("#vg-tooltip-element")
    tip.wait_for()
    (name, count), *_ = profile_sample.profile()["columns"][6]["top"]
    assert name in tip.text_content()
    assert f"{count:,}" in tip.text_content()
    assert tip.locator("script, img").count() == 0
    assert page.evaluate("window.hacked") is None


def test_another_measure_of_association_is_shown(small: Opened) -> None:
    page = small.page
    page.click(".tab:has-text('Cramér')")
    assert [m.get_attribute("id") for m in page.locator(".map").all() if m.is_visible()] == ["map-2"]
    page.wait_for_selector("#map-2 figure[data-drawn]")


def test_names_and_contrast_serve_those_who_do_not_see_well(small: Opened) -> None:
    page = small.page
    assert page.locator("main, nav, header.top").count() == 3
    levels = page.eval_on_selector_all("h1, h2, h3, h4", "all => all.map((h) => Number(h.tagName[1]))")
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    nameless = """() => [...document.querySelectorAll('button, a, input, select, [role=img], [role=region]')]
        .filter((e) => !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length)).length"""
    assert page.evaluate(nameless) == 0
    for theme in ("light", "dark"):
        page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
        assert min(contrasts(page).values()) >= 4.5, contrasts(page)


def contrasts(page: Any) -> dict[str, float]:
    """The contrast of each colour of text with what it stands on, by the formula of WCAG 2."""
    pairs = ("ink/card", "ink/page", "soft/card", "soft/page", "soft/sunk", "accent-ink/accent-wash", "accent-ink/card")
    pairs += ("high/high-wash", "medium/medium-wash", "low/low-wash", "medium/card")
    colour = "name => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim()"

    def luminance(name: str) -> float:
        text = page.evaluate(colour, name).lstrip("#")
        text = text if len(text) == 6 else "".join(2 * c for c in text)
        parts = [int(text[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    found = {}
    for pair in pairs:
        low, high = sorted(map(luminance, pair.split("/")))
        found[pair] = (high + 0.05) / (low + 0.05)
    return found


def test_it_works_in_the_frame_of_a_notebook(browser: Any, tmp_path: Path) -> None:
    notebook = tmp_path / "notebook.html"
    notebook.write_text(
        f"<!DOCTYPE html><title>n</title>{report.notebook_html(profile_sample.profile())}", encoding="utf-8"
    )
    found = opened(browser, notebook.as_uri())
    frame = found.page.frame_locator("iframe")
    frame.locator("#column-4 .open").click()
    frame.locator("#panel-4 figure.histogram[data-drawn]").wait_for()
    frame.locator("#overview h4 a").nth(1).click()
    assert frame.locator("#imbalance").evaluate("e => Math.abs(e.getBoundingClientRect().top)") < 100
    assert found.complaints == []
    assert [url for url in found.asked if url != notebook.as_uri() and not url.startswith("about:")] == []
    found.page.context.close()


def test_without_scripts_the_figures_are_read_all_the_same(browser: Any, address: str) -> None:
    found = opened(browser, address, java_script_enabled=False)
    assert found.page.locator("#panel-4 table.figures").first.is_visible()
    assert not found.page.locator("#find").is_visible()
    found.page.context.close()
