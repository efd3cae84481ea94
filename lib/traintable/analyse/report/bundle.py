"""The JavaScript that draws the charts: Vega, Vega-Lite and Vega-Embed as one script, from a package, not a server."""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from dataclasses import dataclass
from functools import cache

import altair as alt

from traintable.analyse.rows.learners import require_package

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
