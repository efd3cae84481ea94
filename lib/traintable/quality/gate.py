"""Run the gate: look at exactly the rows that will be published, and give a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from traintable.columns import SPLIT, SPLITS, quote, require_columns
from traintable.config import Gate
from traintable.errors import GateRefused
from traintable.quality.suite import N_FEATURES, N_NOT_FINITE, SPLIT_CLASS, build_suite

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

FEATURES = "features"


@dataclass(frozen=True)
class Verdict:
    """What each rule said: dictionaries with `rule`, `column`, `severity`, `success` and `found`."""

    rules: tuple[dict[str, Any], ...]

    @property
    def refusals(self) -> list[dict[str, Any]]:
        """Rules of severity critical that do not hold."""
        return [rule for rule in self.rules if not rule["success"] and rule["severity"] == "critical"]

    @property
    def warnings(self) -> list[dict[str, Any]]:
        """Rules of severity warning that do not hold."""
        return [rule for rule in self.rules if not rule["success"] and rule["severity"] != "critical"]

    def raise_if_refused(self, table: str) -> None:
        """Raise GateRefused that names the first rule that does not hold, and how many others there are."""
        if not self.refusals:
            return
        first, others = self.refusals[0], len(self.refusals) - 1
        raise GateRefused(
            where=f"gate of {table}",
            expected=f"{first['rule']} of {first['column']}",
            found=f"{first['found']}" + (f" ({others} more rules do not hold)" if others else ""),
            remedy="Nothing was published. Mend the data, or the rule in `gate` if it is wrong.",
        )

    def summary(self) -> dict[str, Any]:
        """For the manifest: how many rules held, and those that did not."""
        held = sum(rule["success"] for rule in self.rules)
        return {"rules": len(self.rules), "held": held, "warnings": self.warnings, "refusals": self.refusals}


def check(
    df: DataFrame, gate: Gate, *, key: Sequence[str], label: str, classes: Sequence[int | str], features: Sequence[str]
) -> Verdict:
    """Look at the rows of a training table, as they will be published, and give a verdict.

    Costs the passes that Great Expectations takes: one for the rules that are sums and counts together, and one for
    each rule that reads single values; give it rows that are read from files, not computed. Raises ConfigError for a
    rule that names an unknown column.
    """
    import great_expectations as gx

    suite = build_suite(gate, key=key, label=label, classes=classes, n_features=len(features))
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_spark("rows", persist=False).add_dataframe_asset("rows")
    seen = _audited(df, gate, key=key, label=label, features=features)
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": seen})
    result = batch.validate(suite, result_format={"result_format": "BASIC", "partial_unexpected_count": 3})
    return Verdict(tuple(_rule(found.to_json_dict()) for found in result.results))


def _audited(df: DataFrame, gate: Gate, *, key: Sequence[str], label: str, features: Sequence[str]) -> DataFrame:
    """The columns that the rules read: key, label, split, what is derived of them, and single features by name."""
    is_array = FEATURES in df.columns and list(features) != [FEATURES]
    one = {name: _feature(i, name, is_array) for i, name in enumerate(features)}
    not_finite = (
        F.size(F.filter(FEATURES, lambda value: ~_finite(value)))
        if is_array
        else sum((F.when(_finite(column), 0).otherwise(1) for column in one.values()), F.lit(0))
    )
    added = {
        **{f"is_{part}": F.when(F.col(SPLIT) == part, 1).otherwise(0) for part in SPLITS},
        SPLIT_CLASS: F.concat_ws("/", F.col(SPLIT), F.col(quote(label)).cast("string")),
        N_NOT_FINITE: not_finite,
        N_FEATURES: F.size(FEATURES) if is_array else F.lit(len(features)),
    }
    plain = dict.fromkeys([*key, label, SPLIT])
    named = {str(rule.kwargs["column"]) for rule in gate.expectations if "column" in rule.kwargs}
    wanted = named - set(plain) - set(added)
    if is_array:
        added |= {name: one[name] for name in wanted if name in one}
        wanted -= set(one)
    require_columns(df, wanted, where="gate.expectations")
    columns = [F.col(quote(name)) for name in (*plain, *sorted(wanted))]
    return df.select(*columns, *[column.alias(name) for name, column in added.items()])


def _feature(index: int, name: str, is_array: bool) -> Column:
    return F.col(FEATURES)[index] if is_array else F.col(quote(name))


def _finite(value: Column) -> Column:
    return F.coalesce(F.abs(value) < F.lit(float("inf")), F.lit(False))


def _rule(found: dict[str, Any]) -> dict[str, Any]:
    """What matters of one of Great Expectations' results."""
    configuration, result = found["expectation_config"], found.get("result") or {}
    kwargs = configuration["kwargs"]
    if found["exception_info"].get("raised_exception"):
        said = f"an error: {found['exception_info'].get('exception_message')}"
    elif "unexpected_count" in result:
        said = f"{result['unexpected_count']} of {result['element_count']} rows against it"
        shown = result.get("partial_unexpected_list")
        said += f", for example {shown}" if shown else ""
    elif result.get("partial_missing_list"):
        said = f"missing {result['partial_missing_list']}"
    else:
        said = f"{result.get('observed_value')}"
    return {
        "rule": configuration["type"],
        "column": kwargs.get("column") or kwargs.get("column_list") or "the table",
        "severity": configuration.get("severity") or "critical",
        "success": bool(found["success"]),
        "found": said,
    }
