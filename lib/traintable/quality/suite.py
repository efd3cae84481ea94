"""The rules of the gate: those that are always on, and those the configuration adds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from traintable.columns import SPLIT, SPLITS, nearest
from traintable.config.dataset import Expectation, Gate
from traintable.errors import ConfigError
from traintable.sql.expressions import references

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation as Built

# Columns that the gate adds to the rows it looks at.
SPLIT_CLASS = "split_class"
N_NOT_FINITE = "n_features_not_finite"
N_FEATURES = "n_features"

_OWN_QUERIES = ("query", "unexpected_rows_query", "base_query", "comparison_query")


@dataclass(frozen=True)
class Rule:
    """An expectation under the name by which results and quarantined rows tell of it."""

    id: str
    expectation: Expectation

    @property
    def where(self) -> str:
        """Where it stands, for messages."""
        return f"gate.expectations ({self.expectation.type})"

    @property
    def columns(self) -> list[str]:
        """The columns that it names, under any of the arguments that Great Expectations has for them."""
        kwargs = self.expectation.kwargs
        single = [kwargs[name] for name in ("column", "column_A", "column_B") if name in kwargs]
        condition = kwargs.get("row_condition")
        read = references(condition, where=f"{self.where}.row_condition") if isinstance(condition, str) else ()
        return [str(name) for name in [*single, *kwargs.get("column_list", []), *read]]


def rules_of(
    gate: Gate, *, key: Sequence[str], label: str, classes: Sequence[int | str], n_features: int
) -> list[Rule]:
    """All rules: those that are always on, and those that are configured.

    Always on: enough rows in every split, every class in every split, no other class or split, no null in key or
    label, each key once over all splits, as many features as there are names, each a finite number.
    """
    pairs = [f"{part}/{answer}" for part in SPLITS for answer in classes]
    found = [
        _always(f"rows:{part}", "column_sum_to_be_between", column=f"is_{part}", min_value=gate.min_rows_per_split)
        for part in SPLITS
    ]
    found += [_always(f"not_null:{name}", "column_values_to_not_be_null", column=name) for name in (label, SPLIT, *key)]
    found += [
        _always("every_class", "column_distinct_values_to_contain_set", column=SPLIT_CLASS, value_set=pairs),
        _always("known_class", "column_values_to_be_in_set", column=SPLIT_CLASS, value_set=pairs),
        _always("all_features", "column_values_to_be_in_set", column=N_FEATURES, value_set=[n_features]),
        _always("finite_features", "column_values_to_be_in_set", column=N_NOT_FINITE, value_set=[0]),
    ]
    if len(key) == 1:
        found.append(_always("unique_key", "column_values_to_be_unique", column=key[0]))
    else:
        found.append(_always("unique_key", "compound_columns_to_be_unique", column_list=list(key)))
    return [*found, *configured(gate)]


def configured(gate: Gate) -> list[Rule]:
    """The rules of the configuration, each with a name of its own."""
    found, taken = list[Rule](), {rule.id for rule in gate.expectations}
    for rule in gate.expectations:
        about = rule.kwargs.get("column") or "+".join(map(str, rule.kwargs.get("column_list", ()))) or "table"
        name = rule.id or f"{rule.type.removeprefix('expect_')}:{about}"
        n = 1
        while rule.id is None and name in taken:
            n += 1
            name = f"{rule.type.removeprefix('expect_')}:{about}:{n}"
        taken.add(name)
        found.append(Rule(name, rule))
    return found


def require_known(gate: Gate) -> None:
    """Raise ConfigError for a configured expectation that can't be built; reads no data."""
    for rule in configured(gate):
        built(rule)
        assert rule.columns is not None


def built(rule: Rule, *, batch: str | None = None) -> Built:
    """Great Expectations' own object of a rule, about a batch.

    Raises ConfigError for one that it does not know or can't build, and for one that runs a query of its own.
    """
    from great_expectations.exceptions.exceptions import ExpectationNotFoundError
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
    from great_expectations.expectations.registry import list_registered_expectation_implementations

    expectation = rule.expectation
    own = [name for name in _OWN_QUERIES if name in expectation.kwargs]
    if own or expectation.type == "unexpected_rows_expectation":
        raise ConfigError(
            where=rule.where,
            expected="a rule on columns",
            found=f"one with a query of its own ({', '.join(own) or expectation.type})",
            remedy="Derive a column in `derive`, and make a rule on that.",
        )
    if expectation.type.startswith("expect_table_column"):
        raise ConfigError(
            where=rule.where,
            expected="a rule on rows or values",
            found="one on the table's columns",
            remedy="The rule `schema`, which is always on, looks at these.",
        )
    kwargs = expectation.kwargs
    if not isinstance(kwargs.get("row_condition"), str | None):
        raise ConfigError(
            where=f"{rule.where}.row_condition",
            expected="a Spark SQL expression over the columns of one row",
            found=f"a {type(kwargs['row_condition']).__name__}",
            remedy='Write it as text, such as "late = 1".',
        )
    if isinstance(kwargs.get("row_condition"), str):
        references(kwargs["row_condition"], where=f"{rule.where}.row_condition")
        kwargs.setdefault("condition_parser", "spark")
    if batch is not None:
        kwargs["batch_id"] = batch
    try:
        return ExpectationConfiguration(type=expectation.type, kwargs=kwargs).to_domain_obj()
    except ExpectationNotFoundError:
        raise ConfigError(
            where=rule.where,
            expected="an expectation of Great Expectations",
            found=repr(expectation.type),
            remedy=nearest(expectation.type, list_registered_expectation_implementations()),
        ) from None
    except (ValueError, TypeError) as error:
        raise ConfigError(
            where=rule.where,
            expected="the arguments that this expectation takes",
            found=" ".join(str(error).split()),
            remedy="Correct its keys in the configuration.",
        ) from error


def not_computable(rule: Rule, found: str) -> ConfigError:
    """What to raise for a rule of which Great Expectations says no more than this."""
    return ConfigError(
        where=f"{rule.where} of {', '.join(rule.columns) or 'the table'}",
        expected="a rule that Great Expectations can compute",
        found=" ".join(found.split())[:300],
        remedy="Correct or remove it in the configuration.",
    )


def _always(name: str, kind: str, **kwargs: Any) -> Rule:
    return Rule(name, Expectation(type=f"expect_{kind}", **kwargs))
