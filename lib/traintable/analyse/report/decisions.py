"""The plan on the page: as it is written, and as a table of what becomes of each column and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from traintable.analyse.report.figures import figure, printable, shortened
from traintable.errors import ConfigError

_PER_COLUMN = ("features", "columns")
_APART = ("because", "alternatives")


def view(plan: str | Mapping[str, Any] | None) -> dict[str, Any]:
    """The YAML of a plan, given as text or as plain data, and its decisions.

    Raises ConfigError when a text is no YAML of a mapping.
    """
    if plan is None:
        return {"text": "", "decisions": []}
    parsed = _parsed(plan) if isinstance(plan, str) else plan
    text = plan if isinstance(plan, str) else yaml.safe_dump(dict(plan), sort_keys=False, allow_unicode=True, width=100)
    found: Mapping[Any, Any] = next((parsed[name] for name in _PER_COLUMN if isinstance(parsed.get(name), Mapping)), {})
    return {"text": printable(text), "decisions": [_decision(str(name), entry) for name, entry in found.items()]}


def _parsed(text: str) -> Mapping[str, Any]:
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise _no_plan(str(error).replace("\n", " ")) from error
    if not isinstance(found, Mapping):
        raise _no_plan(type(found).__name__)
    return found


def _no_plan(found: str) -> ConfigError:
    return ConfigError(
        where="report.html: plan",
        expected="the YAML of a plan",
        found=shortened(found, 200),
        remedy="Give the text of the plan file, or the plan as plain data.",
    )


def _decision(name: str, entry: Any) -> dict[str, str]:
    options = entry if isinstance(entry, Mapping) else {"": entry}
    steps = [_told(key, value) for key, value in options.items() if key not in _APART]
    return {
        "name": shortened(printable(name), 300),
        "steps": "; ".join(step for step in steps if step),
        "because": _told("", options.get("because")),
        "alternatives": _told("", options.get("alternatives")),
    }


def _told(key: Any, value: Any) -> str:
    """One line, as in "impute: median", also of what is nested."""
    if isinstance(value, Mapping):
        text = ", ".join(_told(name, item) for name, item in value.items())
    elif isinstance(value, (list, tuple)):
        text = ", ".join(_told("", item) for item in value)
    else:
        text = "" if value is None else figure(value)
    text = shortened(printable(text), 400)
    return f"{key}: {text}" if key and text else text
