"""The rules of the gate: those that are always on, and those the configuration adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from traintable.columns import SPLIT, SPLITS, nearest
from traintable.config import Expectation, Gate
from traintable.errors import ConfigError, GateRefused

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite

# Columns that the gate adds to the rows it looks at.
SPLIT_CLASS = "split_class"
N_NOT_FINITE = "n_features_not_finite"
N_FEATURES = "n_features"


def build_suite(
    gate: Gate, *, key: Sequence[str], label: str, classes: Sequence[int | str], n_features: int
) -> ExpectationSuite:
    """The suite that the rows must meet.

    Always on: enough rows in every split, every class in every split, no other class or split, no null in key or
    label, each key once over all splits, as many features as there are names, each a finite number. Raises ConfigError
    for a configured expectation that Great Expectations does not know or can't build.
    """
    from great_expectations import ExpectationSuite

    rules = always_on(gate, key=key, label=label, classes=classes, n_features=n_features)
    return ExpectationSuite(name="gate", expectations=[_expectation(rule) for rule in [*rules, *gate.expectations]])


def always_on(
    gate: Gate, *, key: Sequence[str], label: str, classes: Sequence[int | str], n_features: int
) -> list[Expectation]:
    """The rules that no configuration turns off."""
    pairs = [f"{part}/{answer}" for part in SPLITS for answer in classes]
    rules = [
        Expectation(type="expect_column_sum_to_be_between", column=f"is_{part}", min_value=gate.min_rows_per_split)
        for part in SPLITS
    ]
    rules += [Expectation(type="expect_column_values_to_not_be_null", column=name) for name in (label, SPLIT, *key)]
    rules += [
        Expectation(type="expect_column_distinct_values_to_contain_set", column=SPLIT_CLASS, value_set=pairs),
        Expectation(type="expect_column_values_to_be_in_set", column=SPLIT_CLASS, value_set=pairs),
        Expectation(type="expect_column_values_to_be_in_set", column=N_FEATURES, value_set=[n_features]),
        Expectation(type="expect_column_values_to_be_in_set", column=N_NOT_FINITE, value_set=[0]),
    ]
    if len(key) == 1:
        rules.append(Expectation(type="expect_column_values_to_be_unique", column=key[0]))
    else:
        rules.append(Expectation(type="expect_compound_columns_to_be_unique", column_list=list(key)))
    return rules


def require_known(gate: Gate) -> None:
    """Raise ConfigError for a configured expectation that can't be built; reads no data."""
    for rule in gate.expectations:
        _expectation(rule)


def require_classes(
    counts: Mapping[str, Mapping[str, int]],
    removed: Mapping[str, int],
    *,
    classes: Sequence[int | str],
    min_rows: int,
    table: str,
) -> None:
    """Refuse, before anything is fitted, rows of which the gate would refuse the features too.

    `counts` is split -> class -> rows, `removed` reason -> rows. Raises GateRefused for a split with too few rows,
    without some class, or with one that is not declared.
    """
    declared = {str(answer) for answer in classes}
    for part in SPLITS:
        found = {answer: n for answer, n in counts.get(part, {}).items() if n}
        lacking, others = sorted(declared - set(found)), sorted(set(found) - declared)
        if sum(found.values()) < min_rows:
            expected, shown = f"at least {min_rows} rows", f"{sum(found.values())}"
        elif lacking or others:
            expected = f"rows of every class {list(classes)} and of no other"
            shown = f"none of class {', '.join(lacking)}" if lacking else f"class {', '.join(others[:5])}"
            shown += f" (found: {', '.join(sorted(found)[:5])})" if others else ""
        else:
            continue
        reasons = ", ".join(f"{n} {reason}" for reason, n in sorted(removed.items(), key=lambda item: -item[1])[:3])
        raise GateRefused(
            where=f"split '{part}' of {table}",
            expected=expected,
            found=shown + (f"; removed before: {reasons}" if reasons else ""),
            remedy="Check `label`, and the boundaries or ratios in `split`.",
        )


def _expectation(rule: Expectation) -> Any:
    from great_expectations.exceptions.exceptions import ExpectationNotFoundError
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
    from great_expectations.expectations.metadata_types import FailureSeverity
    from great_expectations.expectations.registry import list_registered_expectation_implementations

    where = f"gate.expectations ({rule.type})"
    try:
        configuration = ExpectationConfiguration(
            type=rule.type, kwargs=rule.kwargs, severity=FailureSeverity(rule.severity)
        )
        return configuration.to_domain_obj()
    except ExpectationNotFoundError:
        known = list_registered_expectation_implementations()
        remedy = nearest(rule.type, known)
        raise ConfigError(
            where=where, expected="an expectation of Great Expectations", found=repr(rule.type), remedy=remedy
        ) from None
    except (ValueError, TypeError) as error:
        raise ConfigError(
            where=where,
            expected="the arguments that this expectation takes",
            found=" ".join(str(error).split()),
            remedy="Correct its keys in the configuration.",
        ) from error
