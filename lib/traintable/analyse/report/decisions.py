"""The plan on the page: as it is written, and as a table of what becomes of each column and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import yaml

from traintable.analyse.decisions.merge import FOR_THE_READER
from traintable.analyse.report.figures import figure, make_printable, shorten
from traintable.errors import ConfigError

Plan = str | Mapping[str, object]


@dataclass(frozen=True)
class DecisionView:
    """What becomes of one column, and why."""

    name: str
    steps: str
    because: str
    alternatives: str


@dataclass(frozen=True)
class PlanView:
    """The text of a plan and its decisions."""

    text: str = ""
    decisions: Sequence[DecisionView] = ()


def show_plan(plan: Plan | None) -> PlanView:
    """The YAML of a plan, given as text or as plain data, and its decisions.

    Raises ConfigError when a text is no YAML of a mapping.
    """
    if plan is None:
        return PlanView()
    parsed = _parse(plan) if isinstance(plan, str) else plan
    text = plan if isinstance(plan, str) else yaml.safe_dump(dict(plan), sort_keys=False, allow_unicode=True, width=100)
    features = parsed.get("features")
    entries = features.items() if isinstance(features, Mapping) else ()
    return PlanView(make_printable(text), [_show_decision(str(name), entry) for name, entry in entries])


def _parse(text: str) -> Mapping[str, object]:
    try:
        parsed = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise _not_a_plan(str(error).replace("\n", " ")) from error
    if not isinstance(parsed, Mapping):
        raise _not_a_plan(f"a {type(parsed).__name__}")
    return parsed


def _not_a_plan(found: str) -> ConfigError:
    return ConfigError(
        where="report.html: plan",
        expected="the YAML of a plan",
        found=shorten(found, 200),
        remedy="Give the text of the plan file, or the plan as plain data.",
    )


def _show_decision(name: str, entry: object) -> DecisionView:
    options: Mapping[object, object] = entry if isinstance(entry, Mapping) else {"": entry}
    steps = [as_line(key, value) for key, value in options.items() if key not in FOR_THE_READER]
    return DecisionView(
        name=shorten(make_printable(name), 300),
        steps="; ".join(step for step in steps if step),
        because=as_line("", options.get("because")),
        alternatives=as_line("", options.get("alternatives")),
    )


def as_line(key: object, value: object) -> str:
    """One line, as in "impute: median", also of what is nested."""
    if isinstance(value, Mapping):
        text = ", ".join(as_line(name, item) for name, item in value.items())
    elif isinstance(value, (list, tuple)):
        text = ", ".join(as_line("", item) for item in value)
    else:
        text = "" if value is None else figure(value)
    text = shorten(make_printable(text), 400)
    return f"{key}: {text}" if key and text else text
