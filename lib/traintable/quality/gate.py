"""Run the gate: look at exactly the rows that will be published, and give a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from traintable.columns import FEATURES, SPLIT, SPLITS, nearest, quote
from traintable.config import Expectation, Gate
from traintable.errors import ConfigError, GateRefused
from traintable.quality.suite import N_FEATURES, N_NOT_FINITE, SPLIT_CLASS, build_suite
from traintable.statistics import row_hashes

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


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


def audit(df: DataFrame, gate: Gate, *, key: Sequence[str], label: str, features: Sequence[str]) -> DataFrame:
    """What the gate reads of the rows of a training table: a narrow row for each of them.

    It has key, label, split, the single features that configured rules name, counts of what is wrong among the
    features, and the row's hashes. Costs no pass by itself; write it, so that the wide rows are read once. Raises
    ConfigError for a rule that names an unknown column.
    """
    is_array = FEATURES in df.columns and df.schema[FEATURES].dataType.typeName() == "array"
    one = {name: F.col(FEATURES)[i] if is_array else F.col(quote(name)) for i, name in enumerate(features)}
    values = F.col(FEATURES) if is_array else F.array(*one.values())
    added = {
        **{f"is_{part}": F.when(F.col(SPLIT) == part, 1).otherwise(0) for part in SPLITS},
        SPLIT_CLASS: F.concat_ws("/", F.col(SPLIT), F.col(quote(label)).cast("string")),
        N_NOT_FINITE: F.size(F.filter(values, lambda value: ~_finite(value))),
        N_FEATURES: F.size(values),
        **row_hashes(df.columns),
    }
    own = dict.fromkeys([*key, label, SPLIT])
    named = {name for rule in gate.expectations for name in _columns_of(rule)} - set(own) - set(added)
    unknown = sorted(named - set(one))
    if unknown:
        raise ConfigError(
            where="gate.expectations",
            expected="a feature, the label, the key or split",
            found=f"'{unknown[0]}', which is none of them",
            remedy=nearest(unknown[0], [*own, *one]),
        )
    added |= {name: one[name] for name in sorted(named)}
    return df.select(*[F.col(quote(name)) for name in own], *[column.alias(name) for name, column in added.items()])


def check(
    audited: DataFrame, gate: Gate, *, key: Sequence[str], label: str, classes: Sequence[int | str], n_features: int
) -> Verdict:
    """Let Great Expectations look at the audited rows, and give a verdict.

    Costs the narrow passes that Great Expectations takes: one for all that are sums and counts, and up to two for each
    rule that looks at single values.
    """
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    suite = build_suite(gate, key=key, label=label, classes=classes, n_features=n_features)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_spark("rows", persist=False).add_dataframe_asset("rows")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": audited})
    result = batch.validate(suite, result_format={"result_format": "BASIC", "partial_unexpected_count": 3})
    rules = [_rule(found.to_json_dict()) for found in result.results]
    for rule in rules:
        if "error" in rule:
            raise ConfigError(
                where=f"gate.expectations ({rule['rule']} of {rule['column']})",
                expected="a rule that Great Expectations can compute",
                found=rule["error"],
                remedy="Correct or remove it in the configuration.",
            )
    return Verdict(tuple(rules))


def _columns_of(rule: Expectation) -> list[str]:
    """The columns that a rule names, under any of the arguments that Great Expectations has for them."""
    single = [rule.kwargs[name] for name in ("column", "column_A", "column_B") if name in rule.kwargs]
    return [str(name) for name in [*single, *rule.kwargs.get("column_list", [])]]


def _finite(value: Column) -> Column:
    return F.coalesce(F.abs(value) < F.lit(float("inf")), F.lit(False))


def _rule(found: dict[str, Any]) -> dict[str, Any]:
    """What matters of one of Great Expectations' results."""
    configuration, result = found["expectation_config"], found.get("result") or {}
    kwargs = configuration["kwargs"]
    if "unexpected_count" in result:
        said = f"{result['unexpected_count']} of {result['element_count']} rows against it"
        shown = result.get("partial_unexpected_list")
        said += f", for example {shown}" if shown else ""
    elif result.get("partial_missing_list"):
        said = f"missing {result['partial_missing_list']}"
    else:
        said = f"{result.get('observed_value')}"
    error = _error(found.get("exception_info") or {})
    return {
        **({"error": error} if error else {}),
        "rule": configuration["type"],
        "column": kwargs.get("column") or kwargs.get("column_list") or "the table",
        "severity": configuration.get("severity") or "critical",
        "success": bool(found["success"]),
        "found": said,
    }


def _error(information: dict[str, Any]) -> str | None:
    """What went wrong while a rule was computed; Great Expectations nests it by metric where there are several."""
    for entry in (information, *[value for value in information.values() if isinstance(value, dict)]):
        if entry.get("raised_exception"):
            return " ".join(str(entry.get("exception_message")).split())[:300]
    return None
