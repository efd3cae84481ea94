"""The rules of the gate: those that are always on, and those the configuration adds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from traintable.columns import SPLIT, SPLITS, nearest
from traintable.config.dataset import Expectation, Gate
from traintable.errors import ConfigError
from traintable.sql.expressions import references
from traintable.table_columns import TableColumns

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation as Built

# Columns that the gate adds to the rows it checks.
SPLIT_CLASS = "split_class"
N_NOT_FINITE = "n_features_not_finite"
N_FEATURES = "n_features"

_QUERIES = ("query", "unexpected_rows_query", "base_query", "comparison_query")


@dataclass(frozen=True)
class Rule:
    """An expectation, and the id by which results and reasons of quarantined rows refer to it."""

    id: str
    expectation: Expectation

    @property
    def where(self) -> str:
        """The place in the configuration, for messages."""
        return f"gate.expectations ({self.expectation.type})"

    @property
    def columns(self) -> list[str]:
        """The columns that it names, in whichever argument. Raises ConfigError for a condition that can't be read."""
        kwargs = self.expectation.kwargs
        single = [kwargs[name] for name in ("column", "column_A", "column_B") if name in kwargs]
        condition = kwargs.get("row_condition")
        read = references(condition, where=f"{self.where}.row_condition") if isinstance(condition, str) else ()
        return [str(name) for name in [*single, *kwargs.get("column_list", []), *read]]


def rules_of(gate: Gate, columns: TableColumns, *, classes: Sequence[int | str]) -> list[Rule]:
    """All rules: those that are always on, and those that are configured.

    Always on: enough rows in every split, every class in every split, no other class or split, no null in key, label
    or split, each key once over all splits, as many features as there are names, each a finite number.
    """
    key, n_features = columns.key, len(columns.features)
    pairs = [f"{name}/{answer}" for name in SPLITS for answer in classes]
    rules = [
        _always(f"rows:{name}", "column_sum_to_be_between", column=f"is_{name}", min_value=gate.min_rows_per_split)
        for name in SPLITS
    ]
    not_null = (columns.label, SPLIT, *key)
    rules += [_always(f"not_null:{name}", "column_values_to_not_be_null", column=name) for name in not_null]
    rules += [
        _always("every_class", "column_distinct_values_to_contain_set", column=SPLIT_CLASS, value_set=pairs),
        _always("known_class", "column_values_to_be_in_set", column=SPLIT_CLASS, value_set=pairs),
        _always("all_features", "column_values_to_be_in_set", column=N_FEATURES, value_set=[n_features]),
        _always("finite_features", "column_values_to_be_in_set", column=N_NOT_FINITE, value_set=[0]),
    ]
    if len(key) == 1:
        rules.append(_always("unique_key", "column_values_to_be_unique", column=key[0]))
    else:
        rules.append(_always("unique_key", "compound_columns_to_be_unique", column_list=list(key)))
    return [*rules, *configured_rules(gate)]


def configured_rules(gate: Gate) -> list[Rule]:
    """The rules of the configuration, each with an id of its own."""
    rules, taken = list[Rule](), {expectation.id for expectation in gate.expectations}
    for expectation in gate.expectations:
        kwargs = expectation.kwargs
        columns = kwargs.get("column") or "+".join(map(str, kwargs.get("column_list", ()))) or "table"
        base = f"{expectation.type.removeprefix('expect_')}:{columns}"
        name, n = expectation.id or base, 1
        while expectation.id is None and name in taken:
            n += 1
            name = f"{base}:{n}"
        taken.add(name)
        rules.append(Rule(name, expectation))
    return rules


def require_known(gate: Gate) -> None:
    """Raise ConfigError for a configured expectation that Great Expectations can't build; reads no data.

    >>> rule = {"type": "expect_column_values_to_be_nul", "column": "x"}
    >>> require_known(Gate.model_validate({"expectations": [rule]}))
    Traceback (most recent call last):
    traintable.errors.ConfigError: ... Did you mean 'expect_column_values_to_be_null'?
    """
    for rule in configured_rules(gate):
        build_expectation(rule)


def build_expectation(rule: Rule, *, batch: str | None = None) -> Built:
    """Great Expectations' own object of a rule, about a batch.

    Raises ConfigError for a type that it does not know, for arguments that it does not take, and for a rule that reads
    more than the columns of the rows.
    """
    from great_expectations.exceptions.exceptions import ExpectationNotFoundError
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
    from great_expectations.expectations.registry import list_registered_expectation_implementations

    _require_on_columns(rule)
    kwargs = rule.expectation.kwargs
    if kwargs.get("row_condition") is not None:
        kwargs.setdefault("condition_parser", "spark")
    if batch is not None:
        kwargs["batch_id"] = batch
    try:
        return ExpectationConfiguration(type=rule.expectation.type, kwargs=kwargs).to_domain_obj()
    except ExpectationNotFoundError:
        raise ConfigError(
            where=rule.where,
            expected="the type of an expectation of Great Expectations",
            found=repr(rule.expectation.type),
            remedy=nearest(rule.expectation.type, list_registered_expectation_implementations()),
        ) from None
    except (ValueError, TypeError) as error:
        raise ConfigError(
            where=rule.where,
            expected="the arguments that this expectation takes",
            found=" ".join(str(error).split()),
            remedy="Correct the arguments in the configuration.",
        ) from error


def _require_on_columns(rule: Rule) -> None:
    """Raise ConfigError for a rule that reads more than the columns of rows, and for a condition that is no SQL."""
    expectation = rule.expectation
    queries = [name for name in _QUERIES if name in expectation.kwargs]
    if queries or expectation.type == "unexpected_rows_expectation":
        raise ConfigError(
            where=rule.where,
            expected="a rule on columns",
            found=f"a rule with a query of its own ({', '.join(queries) or expectation.type})",
            remedy="Add a column in `derive`, and a rule on that column.",
        )
    if expectation.type.startswith("expect_table_column"):
        raise ConfigError(
            where=rule.where,
            expected="a rule on rows or values",
            found="a rule on the table's columns",
            remedy="Remove it: the rule `schema`, which is always on, checks the columns.",
        )
    condition = expectation.kwargs.get("row_condition")
    if not isinstance(condition, str | None):
        raise ConfigError(
            where=f"{rule.where}.row_condition",
            expected="a Spark SQL expression over the columns of one row",
            found=f"a {type(condition).__name__}",
            remedy='Write it as text, such as "late = 1".',
        )
    if condition is not None:
        references(condition, where=f"{rule.where}.row_condition")


def not_computable(rule: Rule, found: str) -> ConfigError:
    """The error for a rule that Great Expectations fails to compute, with what it says."""
    return ConfigError(
        where=f"{rule.where} of {', '.join(rule.columns) or 'the table'}",
        expected="a rule that Great Expectations can compute",
        found=" ".join(found.split())[:300],
        remedy="Correct the rule in the configuration, or remove it.",
    )


def _always(name: str, kind: str, **kwargs: Any) -> Rule:
    return Rule(name, Expectation(type=f"expect_{kind}", **kwargs))
