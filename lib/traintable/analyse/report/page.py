"""The page as one file that needs nothing else: no server, no network, no other file."""

from __future__ import annotations

import base64
import hashlib
import html as escaping
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import altair as alt
from jinja2 import ChainableUndefined, Environment, PackageLoader
from markupsafe import Markup

from traintable.analyse.report import associations, columns, decisions, figures, sections, sparkline, views
from traintable.analyse.report.pictures import Pictures
from traintable.analyse.rows.requirements import require_package

Plan = str | Mapping[str, Any] | None

_PACKAGE = "traintable.analyse.report"
_NOTEBOOK_HEIGHT = 720


def html(profile: Mapping[str, Any], plan: Plan = None) -> str:
    """The report on a profile as the text of one HTML file.

    Parameters
    ----------
    profile : the profile as plain data. A part that is None or not there is told in one line.
    plan : the text of the plan file or the plan as plain data, to be shown at the end.

    The charts are drawn by Vega, which the file brings along, when they come into view. Its content security policy
    allows no request and no script but the two of the page, so that a name or a value that would get past the escaping
    still can't run. Takes no pass over the data; some seconds in the first call of a process. Raises ConfigError when
    the plan is no YAML.
    """
    pictures = Pictures()
    short = {**profile, "associations": associations.cropped(profile.get("associations"))}
    context = _context(figures.clean(short), plan, pictures)
    bundle = vega()
    code = _file("report.js")
    return (
        _environment()
        .get_template("report.html")
        .render(
            **context,
            css=Markup(_file("report.css")),  # noqa: S704
            code=Markup(code),  # noqa: S704
            digests=(digest(code), bundle.digest),
            vega=bundle.packed,
            data=pictures.script(),
        )
    )


def write(profile: Mapping[str, Any], path: str | Path, plan: Plan = None) -> Path:
    """Write the report to a local file, in UTF-8; gives its path."""
    path = Path(path)
    path.write_text(html(profile, plan), encoding="utf-8")
    return path


def notebook_html(profile: Mapping[str, Any]) -> str:
    """The report for a notebook's output: a frame of its own that can neither read nor change the notebook."""
    page = escaping.escape(html(profile), quote=True)
    return (
        f'<iframe title="Profile of a table" sandbox="allow-scripts" width="100%" height="{_NOTEBOOK_HEIGHT}" '
        f'style="border:0" srcdoc="{page}"></iframe>'
    )


def _context(profile: Mapping[str, Any], plan: Plan, pictures: Pictures) -> dict[str, Any]:
    shown = columns.view(profile, pictures)
    numbers = {column["name"]: column["number"] for column in reversed(shown)}
    return {
        "profile": profile,
        "sections": sections.sections(profile, plan),
        "columns": shown,
        "numbers": numbers,
        "headlines": [{**h, "target": sections.target(h, numbers)} for h in profile.get("headlines") or ()],
        "overview": views.overview(profile, shown),
        "missingness": views.missingness(profile, pictures),
        "imbalance": views.imbalance(profile, pictures),
        "with_label": views.with_label(shown, pictures),
        "associations": associations.view(profile, pictures),
        "anomalies": views.anomalies(profile, pictures),
        "importance": views.importance(profile, pictures),
        "drift": views.drift(profile, pictures),
        "tests": views.tests(profile),
        "plan": decisions.view(plan),
        "spark_box": f"0 0 {sparkline.WIDTH} {sparkline.HEIGHT}",
    }


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
        "scans": lambda scan, profile: sections.scans_in_words(profile, scan if scan is not None else None),
    }
    environment.globals["strength"] = columns.strength
    return environment


def _or_none(function: Any) -> Any:
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
