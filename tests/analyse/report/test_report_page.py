"""The page is valid HTML that needs nothing else, holds what the profile says, and takes every text as text."""

from __future__ import annotations

import base64
import doctest
import hashlib
import json
import re
import zlib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import html5lib
import numpy as np
import pytest
import yaml

import profile_sample
from traintable.analyse import report
from traintable.analyse.report import associations
from traintable.analyse.report.sections import TITLES
from traintable.errors import ConfigError

LIMIT = 3_000_000
PROFILE = profile_sample.profile()
Tree = ElementTree.Element


def parsed(page: str) -> Tree:
    """The page as an independent parser reads it; any error of HTML raises."""
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page)


def text_of(tree: Tree | None) -> str:
    assert tree is not None
    return "".join(tree.itertext())


def said_by(tree: Tree) -> str:
    """All that is read on the page, without scripts and styles."""
    left_out = ("script", "style", "noscript")
    if tree.tag in left_out or not isinstance(tree.tag, str):
        return tree.tail or ""
    return (tree.text or "") + "".join(said_by(child) for child in tree) + (tree.tail or "")


def by_id(tree: Tree, id_: str) -> Tree:
    found = tree.findall(f".//*[@id='{id_}']")
    assert len(found) == 1, id_
    return found[0]


def data_of(tree: Tree) -> dict[str, Any]:
    return json.loads(text_of(by_id(tree, "data")))


@pytest.fixture(scope="module")
def page() -> str:
    return report.html(PROFILE, profile_sample.PLAN)


@pytest.fixture(scope="module")
def tree(page: str) -> Tree:
    return parsed(page)


@pytest.fixture(scope="module")
def wide() -> str:
    return report.html(profile_sample.profile(200))


def test_no_text_becomes_an_element_or_an_attribute(tree: Tree) -> None:
    elements = list(tree.iter())
    assert [element.get("id") for element in elements if element.tag == "script"] == ["data", "vega", None]
    assert not [e.tag for e in elements if e.tag in ("img", "iframe", "object", "embed", "base", "link", "b.long")]
    attributes = [(name, value) for element in elements for name, value in element.attrib.items()]
    assert not [pair for pair in attributes if pair[0].startswith("on") or pair[0] in ("src", "action", "formaction")]
    assert {value[0] for name, value in attributes if name.endswith("href")} == {"#"}


@pytest.mark.parametrize("text", profile_sample.HOSTILE, ids=range(len(profile_sample.HOSTILE)))
def test_hostile_texts_are_read_as_they_are(tree: Tree, text: str) -> None:
    shown = text.replace("\x00", "␀").replace("\x07", "␇")
    shown = shown if len(shown) <= 300 else shown[:299] + "…"
    assert shown in said_by(tree)


def test_names_of_columns_stand_in_elements_of_their_own_direction(tree: Tree) -> None:
    names = {text_of(element) for element in tree.iter("bdi")}
    assert {c["name"][:299] for c in PROFILE["columns"]} <= {name.rstrip("…") for name in names}


def test_only_the_pages_own_scripts_may_run_and_nothing_may_be_fetched(tree: Tree) -> None:
    code = text_of(next(e for e in tree.iter("script") if not e.get("id")))
    vega = zlib.decompress(base64.b64decode(text_of(by_id(tree, "vega"))))
    policy = next(m.get("content") for m in tree.iter("meta") if m.get("http-equiv") == "Content-Security-Policy")
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    digests = [f"'sha256-{base64.b64encode(hashlib.sha256(s).digest()).decode()}'" for s in (code.encode(), vega)]
    assert rules["script-src"].split() == digests
    assert rules["default-src"] == "'none'"
    assert set(rules) == {"default-src", "script-src", "style-src", "img-src", "base-uri", "form-action"}
    assert rules["img-src"] == "data:"
    assert not re.search(r"url\(|@import", text_of(next(tree.iter("style"))))


@pytest.mark.parametrize("n_columns", [14, 200])
def test_a_report_is_valid_and_small(n_columns: int, page: str, wide: str) -> None:
    found = page if n_columns == 14 else wide
    assert len(found.encode()) < LIMIT
    root = parsed(found)
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    links = {e.get("href")[1:] for e in root.iter("a")} | {e.get("aria-controls") for e in root.iter("button")}
    assert links - {None} <= set(ids)
    assert sum(id_.startswith("column-") for id_ in ids) == n_columns


@pytest.mark.parametrize("n_columns", [420, pytest.param(2000, marks=pytest.mark.slow)])
def test_a_report_of_many_columns_leaves_weak_pairs_out_and_says_so(n_columns: int) -> None:
    profile = profile_sample.profile(n_columns)
    found = profile["associations"]
    page = report.html(profile)
    charts = json.loads(page.split('id="data">')[1].split("</script>")[0])["charts"]
    assert max(len(chart["rows"]) for chart in charts if chart["kind"] == "heat") == 200
    assert f"{len(found['numbers']) - 200} columns with weaker associations are left out" in page
    matrix = np.abs(np.nan_to_num(np.array(found["pearson"], float)))
    np.fill_diagonal(matrix, 0)
    order = sorted(np.argsort(-matrix.max(axis=0), kind="stable")[:200])
    kept, left_out = associations.crop(found)
    assert left_out.numbers == len(found["numbers"]) - 200
    assert kept["numbers"] == [found["numbers"][i] for i in order]
    np.testing.assert_array_equal(kept["spearman"], np.array(found["spearman"])[np.ix_(order, order)])


def test_all_sections_are_there_and_none_says_that_it_has_nothing(tree: Tree) -> None:
    sections = tree.findall(".//main/section")
    assert [section.get("id") for section in sections] == list(TITLES)
    for section in sections:
        assert "hidden" not in section.attrib
        assert not [child for child in section if child.get("class") == "absent" and "hidden" not in child.attrib]
        assert text_of(section.find("h2")) == TITLES[section.get("id") or ""]


def test_a_section_without_anything_to_show_is_one_line_that_says_why() -> None:
    root = parsed(report.html(profile_sample.empty()))
    for section in root.findall(".//main/section"):
        if section.get("id") == "overview":
            continue
        assert [child.tag for child in section] == ["h2", "p"], section.get("id")
        assert len(text_of(section[1]).split()) > 3
    assert "Nothing stands out" in said_by(by_id(root, "overview"))
    assert data_of(root)["charts"] == []


def test_the_reason_depends_on_whether_there_is_a_label() -> None:
    reasons = {
        label: text_of(by_id(parsed(report.html(profile_sample.empty() | {"label": label})), "imbalance")[1])
        for label in ("delay", None)
    }
    assert "continuous" in reasons["delay"]
    assert "No label" in reasons[None]


def test_the_five_headlines_come_first_and_lead_to_their_sections(tree: Tree) -> None:
    overview = by_id(tree, "overview")
    titles = [(text_of(h4), h4.find("a").get("href")) for h4 in overview.iter("h4")]
    targets = ["#leaks", "#imbalance", "#associations", "#coverage", "#column-6"]
    assert titles == [(h["title"], to) for h, to in zip(PROFILE["headlines"], targets, strict=True)]
    assert PROFILE["headlines"][4]["columns"] == [PROFILE["columns"][6]["name"]]


def test_every_figure_says_its_error_and_its_scan(tree: Tree) -> None:
    captions = [
        *tree.iter("figcaption"),
        *(t.find("caption") for t in tree.iter("table") if t.get("class") == "figures"),
    ]
    assert len(captions) > 80
    assert [text_of(c) for c in captions if not [s for s in c.iter("span") if "badge" in s.get("class", "")]] == []
    without = ("overview", "plan", "sources")
    for section in tree.findall(".//main/section"):
        sources = [text_of(p) for p in section.findall("p") if p.get("class") == "source"]
        assert len(sources) == (section.get("id") not in without), section.get("id")
    assert "scan 2: by class and pairwise" in said_by(by_id(tree, "imbalance"))
    assert "scan 3: sample of rows, scan 4: scoring" in said_by(by_id(tree, "anomalies"))
    for column, panel in enumerate(by_id(tree, f"panel-{i}") for i in range(len(PROFILE["columns"]))):
        assert "From scan 1: columns one by one." in said_by(panel), column


def test_estimates_carry_their_errors(tree: Tree) -> None:
    exact, estimated = (
        next(i for i, c in enumerate(PROFILE["columns"]) if c.get("rank_error") == e) for e in (0.0, 0.003)
    )
    assert "rank" not in said_by(by_id(tree, f"panel-{exact}"))
    assert "± 0.3\u00a0% of the rows in rank" in said_by(by_id(tree, f"panel-{estimated}"))
    assert f"{PROFILE['columns'][estimated]['distinct']['value']:,} ± 1.6\u00a0%" in said_by(
        by_id(tree, f"panel-{estimated}")
    )
    word = next(i for i, c in enumerate(PROFILE["columns"]) if c.get("top_error") == 20 and c["kind"] == "category")
    assert "at most 20 too low" in said_by(by_id(tree, f"panel-{word}"))


def test_charts_hold_the_counts_of_the_profile(tree: Tree) -> None:
    charts = data_of(tree)["charts"]
    for number, column in enumerate(PROFILE["columns"]):
        figures = list(by_id(tree, f"panel-{number}").iter("figure"))
        shown = [charts[int(figure.get("data-chart"))] for figure in figures]
        if column.get("histogram"):
            assert [s["series"][""] for s in shown if s["kind"] == "histogram"] == [column["histogram"]["counts"]]
            classes = {name: part["counts"] for name, part in column["by_class"].items()}
            assert [s["series"] for s in shown if s["kind"] == "by_class"] == [classes]
        elif column["kind"] == "category":
            assert [s["columns"]["n"] for s in shown] == [[n for _, n in column["top"]]]
        elif column["kind"] == "time":
            assert shown[0]["columns"]["n"] == [n for _, n in column["coverage"]["days"]]
            assert shown[1]["columns"]["n"] == column["coverage"]["hour_of_week"]


def test_figures_of_a_column_are_those_of_the_profile(tree: Tree) -> None:
    number, column = next((i, c) for i, c in enumerate(PROFILE["columns"]) if c["kind"] == "number" and c.get("mean"))
    rows = {text_of(row[0]): text_of(row[1]) for row in by_id(tree, f"panel-{number}").iter("tr") if len(row) == 2}
    for name in ("min", "max", "mean", "std", "variance", "skewness", "kurtosis"):
        assert float(rows[name].replace(",", "")) == pytest.approx(column[name], rel=1e-3)
    assert float(rows["50\u00a0%"].replace(",", "")) == pytest.approx(column["quantiles"]["0.5"], rel=1e-3)
    assert rows["zero"].split()[0] == f"{column['n_zero']:,}"


def test_the_plan_is_shown_as_a_table_and_word_for_word(tree: Tree) -> None:
    section = by_id(tree, "plan")
    assert text_of(by_id(tree, "plan-text")).strip() == profile_sample.PLAN.strip()
    rows = [[text_of(cell) for cell in row] for row in section.iter("tr")][1:]
    assert rows[0] == [
        "distance",
        "impute: median; transform: log1p",
        "skewness 3.1 over 20,000 values",
        "yeo_johnson, none",
    ]
    assert rows[1][:3] == ["<script>window.hacked=4</script>", "drop: true", "<img src=x onerror=window.hacked=5>"]


def test_a_plan_may_be_plain_data() -> None:
    plan = yaml.safe_load(profile_sample.PLAN)
    root = parsed(report.html(profile_sample.empty(), plan))
    assert yaml.safe_load(text_of(by_id(root, "plan-text"))) == plan


@pytest.mark.parametrize("plan", ["a: [", "- 1\n- 2", "just words"])
def test_a_plan_that_is_none_is_refused(plan: str) -> None:
    with pytest.raises(ConfigError, match=r"report\.html: plan"):
        report.html(profile_sample.empty(), plan)


def test_a_notebook_gets_the_page_in_a_frame_of_its_own() -> None:
    fragment = report.notebook_html(profile_sample.profile())
    (frame,) = html5lib.parseFragment(fragment, namespaceHTMLElements=False)
    assert (frame.tag, frame.get("sandbox")) == ("iframe", "allow-scripts")
    assert frame.get("srcdoc") == report.html(profile_sample.profile())


def test_the_file_is_the_page_and_the_same_each_time(tmp_path: Path, page: str) -> None:
    written = report.write(PROFILE, tmp_path / "report.html", profile_sample.PLAN)
    assert written.read_bytes() == page.encode()


@pytest.mark.parametrize("part", [name for name in PROFILE if name not in ("profile", "columns")])
def test_a_profile_may_lack_any_part(part: str) -> None:
    lacking = {name: value for name, value in PROFILE.items() if name != part}
    assert len(parsed(report.html(lacking)).findall(".//main/section")) == len(TITLES)
    assert report.html(PROFILE | {part: None})


def test_a_column_may_lack_anything_but_its_name() -> None:
    kinds = list({column["kind"]: column for column in PROFILE["columns"]}.values())
    columns = []
    for column in kinds:
        for number, part in enumerate(sorted(set(column) - {"name"})):
            lacking = {name: value for name, value in column.items() if name != part}
            columns.append(lacking | ({part: None} if number % 2 else {}) | {"name": f"{column['name']} lacks {part}"})
    assert len(columns) > 70
    root = parsed(report.html(PROFILE | {"columns": columns}))
    assert sum((e.get("id") or "").startswith("panel-") for e in root.iter("tr")) == len(columns)
    assert "None" not in said_by(by_id(root, "columns-table"))


def test_the_example_of_a_report_runs() -> None:
    [example] = doctest.DocTestFinder(recurse=False).find(report.html, globs={"html": report.html})
    assert doctest.DocTestRunner().run(example) == (0, len(example.examples))
    assert example.examples
