"""The gate's result as a file for programs and as a page for people, which needs no other file and runs no scripts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, Template

from traintable.quality.summary import FeatureDescription
from traintable.quality.verdict import Verdict


@dataclass(frozen=True)
class GateReport:
    """What the gate found of the rows of a run.

    Attributes
    ----------
    name, run_id, table : the dataset, the run, and where it publishes.
    verdict : the results of all rules.
    rows : how many rows of each split are to be published.
    previous_rows : how many rows of each split the previous version has; empty without one.
    n_quarantined : how many rows rules of level quarantine remove.
    features : the distribution of each feature of train.
    drift : the population stability index of features, against the previous version.
    """

    name: str
    run_id: str
    table: str
    verdict: Verdict
    rows: Mapping[str, int]
    previous_rows: Mapping[str, int]
    n_quarantined: int
    features: Mapping[str, FeatureDescription]
    drift: Mapping[str, float]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "name": self.name,
            "run_id": self.run_id,
            "table": self.table,
            "refused": bool(self.verdict.refusals),
            "rules": [rule.to_dict() for rule in self.verdict.rules],
            "rows": dict(self.rows),
            "before": dict(self.previous_rows),
            "quarantined": self.n_quarantined,
            "features": dict(self.features),
            "drift": dict(self.drift),
        }

    def page(self) -> str:
        """The page: the verdict, rows, rules (those that do not hold first) and features. All values are escaped."""
        rules = sorted(self.verdict.rules, key=lambda rule: (rule.success, rule.level != "fail"))
        return _template().render(report=self, rules=rules)


@cache
def _template() -> Template:
    environment = Environment(loader=PackageLoader("traintable.quality", "."), autoescape=True)
    environment.filters["words"] = lambda name: name.removeprefix("expect_").replace("_", " ")
    return environment.get_template("page.html")
