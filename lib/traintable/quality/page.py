"""The gate's result as a page for people: one HTML file, without scripts, which needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, Template


def page(result: Mapping[str, Any]) -> str:
    """The page of a result (see `run.judged`): the verdict, rows, rules with those that do not hold first, features.

    All values are escaped.
    """
    rules = result["rules"]
    ordered = sorted(rules, key=lambda rule: (rule["success"], rule["level"] != "fail"))
    held = sum(rule["success"] for rule in rules)
    return _template().render({**result, "ordered": ordered, "held": held})


@cache
def _template() -> Template:
    environment = Environment(loader=PackageLoader("traintable.quality", "."), autoescape=True)
    environment.filters["words"] = lambda name: name.removeprefix("expect_").replace("_", " ")
    return environment.get_template("page.html")
