"""The gate's result as a page for people: one HTML file, without scripts, which needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader


def page(result: Mapping[str, Any]) -> str:
    """The page of a result (see `run.judged`): the verdict, rows, rules with those that do not hold first, features.

    All values are escaped.
    """
    environment = Environment(loader=PackageLoader("traintable.quality", "."), autoescape=True)
    environment.filters["words"] = lambda name: name.removeprefix("expect_").replace("_", " ")
    rules = result["rules"]
    ordered = sorted(rules, key=lambda rule: (rule["success"], rule["level"] != "fail"))
    held = sum(rule["success"] for rule in rules)
    return environment.get_template("page.html").render({**result, "ordered": ordered, "held": held})
