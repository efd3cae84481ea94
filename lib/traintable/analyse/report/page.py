"""The page as one file that needs nothing else: no server, no network, no other file."""

from __future__ import annotations

import base64
import hashlib
import html as escaping
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import altair as alt
from jinja2 import ChainableUndefined, Environment, PackageLoader
from markupsafe import Markup

from traintable.analyse.document import ProfileDocument
from traintable.analyse.report import figures, sparkline
from traintable.analyse.report.anomalies import AnomaliesView, show_anomalies
from traintable.analyse.report.associations import AssociationsView, LeftOut, crop, show_associations
from traintable.analyse.report.columns import ColumnView, show_columns
from traintable.analyse.report.complete import complete
from traintable.analyse.report.decisions import Plan, PlanView, as_line, show_plan
from traintable.analyse.report.imbalance import ImbalanceView, show_imbalance
from traintable.analyse.report.pictures import Picture, Pictures
from traintable.analyse.report.sections import Section, describe_scans, find_target, list_sections
from traintable.analyse.report.views import (
    DriftView,
    ImportanceView,
    MissingnessView,
    OverviewView,
    TestView,
    show_drift,
    show_importance,
    show_label_associations,
    show_missingness,
    show_overview,
    show_tests,
)
from traintable.analyse.rows.requirements import require_package

_PACKAGE = "traintable.analyse.report"
_NOTEBOOK_HEIGHT = 720


def html(profile: Mapping[str, Any] | ProfileDocument, plan: Plan | None = None) -> str:
    """The report on a profile as the text of one HTML file.

    Parameters
    ----------
    profile : the document of a profile. For a part that is None or absent one line says why there is nothing to show.
    plan : the text of the plan file or the plan as plain data, to be shown at the end.

    The charts are drawn by Vega, which the file brings along, when they come into view. Its content security policy
    allows no request and no script but the two of the page, so that a name or a value that would get past the escaping
    still can't run. Takes no pass over the data; some seconds in the first call of a process. Raises ConfigError when
    the plan is no YAML.

    Examples
    --------
    >>> page = html({"name": "flights", "rows": 3, "columns": [{"name": "delay", "n": 2, "n_null": 1}]})
    >>> "<title>Profile of flights</title>" in page
    True
    """
    document, left_out = complete(profile), LeftOut()
    if document["associations"]:
        document["associations"], left_out = crop(document["associations"])
    pictures = Pictures()
    page = _page(figures.clean_for_page(document), left_out, plan, pictures)
    bundle = vega()
    code = _file("report.js")
    return (
        _environment()
        .get_template("report.html")
        .render(
            **vars(page),
            css=Markup(_file("report.css")),  # noqa: S704
            code=Markup(code),  # noqa: S704
            digests=(digest(code), bundle.digest),
            vega=bundle.packed,
            data=pictures.script(),
        )
    )


def write(profile: Mapping[str, Any] | ProfileDocument, path: str | Path, plan: Plan | None = None) -> Path:
    """Write the report to a local file, in UTF-8; gives its path."""
    path = Path(path)
    path.write_text(html(profile, plan), encoding="utf-8")
    return path


def notebook_html(profile: Mapping[str, Any] | ProfileDocument) -> str:
    """The report for a notebook's output: a frame of its own that can neither read nor change the notebook."""
    page = escaping.escape(html(profile), quote=True)
    return (
        f'<iframe title="Profile of a table" sandbox="allow-scripts" width="100%" height="{_NOTEBOOK_HEIGHT}" '
        f'style="border:0" srcdoc="{page}"></iframe>'
    )


@dataclass(frozen=True)
class HeadlineView:
    """A headline, and the anchor that it leads to."""

    severity: str
    title: str
    text: str
    columns: Sequence[str]
    target: str


@dataclass(frozen=True)
class Page:
    """What the templates read.

    Attributes
    ----------
    numbers : name of a column -> its number on the page; of equal names the first.
    with_label : the chart of associations with the label.
    spark_box : the view box of the small pictures of distributions.
    """

    profile: ProfileDocument
    sections: Sequence[Section]
    columns: Sequence[ColumnView]
    numbers: Mapping[str, int]
    headlines: Sequence[HeadlineView]
    overview: OverviewView
    missingness: MissingnessView
    imbalance: ImbalanceView
    with_label: Picture | None
    associations: AssociationsView
    anomalies: AnomaliesView
    importance: ImportanceView
    drift: DriftView
    tests: Sequence[TestView]
    plan: PlanView
    spark_box: str = f"0 0 {sparkline.WIDTH} {sparkline.HEIGHT}"


def _page(profile: ProfileDocument, left_out: LeftOut, plan: Plan | None, pictures: Pictures) -> Page:
    columns = show_columns(profile, pictures)
    numbers = {column.name: column.number for column in reversed(columns)}
    return Page(
        profile=profile,
        sections=list_sections(profile, has_plan=plan is not None),
        columns=columns,
        numbers=numbers,
        headlines=[
            HeadlineView(h["severity"], h["title"], h["text"], h["columns"], find_target(h, numbers))
            for h in profile["headlines"]
        ],
        overview=show_overview(profile, columns),
        missingness=show_missingness(profile, pictures),
        imbalance=show_imbalance(profile, pictures),
        with_label=show_label_associations(columns, pictures),
        associations=show_associations(profile["associations"], left_out, pictures),
        anomalies=show_anomalies(profile, pictures),
        importance=show_importance(profile, pictures),
        drift=show_drift(profile, pictures),
        tests=show_tests(profile),
        plan=show_plan(plan),
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(_PACKAGE, "."),
        autoescape=True,
        undefined=ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "figure": _or_none(figures.figure),
        "percent": _or_none(figures.percent),
        "p_value": _or_none(figures.p_value),
        "size": _or_none(figures.size),
        "rank_error": _or_none(figures.rank_error),
        "count_error": _or_none(figures.count_error),
        "line": lambda value: as_line("", value),
        "scans": lambda scan, profile: describe_scans(profile, [scan]),
    }
    return environment


def _or_none(function: Callable[[Any], str]) -> Callable[[Any], str]:
    """The function, which sees None for what a profile does not hold."""
    return lambda value: function(None if isinstance(value, ChainableUndefined) else value)


def _file(name: str) -> str:
    return resources.files(_PACKAGE).joinpath(name).read_text(encoding="utf-8")


_GLOBALS = "window.vegaEmbed = vegaEmbed;"


@dataclass(frozen=True)
class Bundle:
    """A script, deflated (RFC 1950) and in base64, and the digest of its text for a content security policy."""

    packed: str
    digest: str


@cache
def vega() -> Bundle:
    """The scripts of the version of Vega-Lite that Altair writes. Takes some seconds, once a process."""
    require_package("vl_convert", "vl-convert-python, which brings the JavaScript of charts")
    import vl_convert

    found = re.match(r"v?(\d+\.\d+)", alt.SCHEMA_VERSION)
    code = vl_convert.javascript_bundle(_GLOBALS, vl_version=found[1] if found else None)
    return Bundle(base64.b64encode(zlib.compress(code.encode(), 9)).decode(), digest(code))


def digest(code: str) -> str:
    """What a content security policy calls a script by: its SHA-256 in base64."""
    return base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
