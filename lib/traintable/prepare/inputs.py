"""What rows need to have to be learned from, and to be transformed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pyspark.sql.types import BooleanType, DataType, NumericType

from traintable.columns import FEATURES, SPLIT, TRAIN, refuse_taken, require_columns
from traintable.config.plan import Plan
from traintable.errors import ConfigError
from traintable.prepare.terms import is_plain
from traintable.sql.expressions import evaluate, references
from traintable.statistics import Statistics

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def inputs(plan: Plan) -> set[str]:
    """The columns that rows need to be fitted on: those of the features, and what is learned from.

    Examples
    --------
    >>> from traintable import prepare
    >>> from traintable.config.plan import Plan
    >>> features = {"carrier": {"encode": "target"}, "speed": {"expr": "km / h"}}
    >>> plan = Plan.model_validate({"label": "late", "fold": "fold", "features": features})
    >>> sorted(prepare.inputs(plan))
    ['carrier', 'fold', 'h', 'km', 'late']
    """
    names = serving_inputs(plan)
    return names | {plan.label} if plan.needs_label and plan.label is not None else names


def serving_inputs(plan: Plan) -> set[str]:
    """The columns that rows need to be transformed.

    Examples
    --------
    >>> from traintable import prepare
    >>> from traintable.config.plan import Plan
    >>> plan = Plan.model_validate({"features": {"age": {}, "speed": {"expr": "km / h"}}})
    >>> sorted(prepare.serving_inputs(plan))
    ['age', 'h', 'km']
    """
    names: set[str] = {plan.fold} if plan.needs_fold else set()
    for name, feature in plan.features.items():
        if feature.expr is None:
            names.add(name)
        else:
            names |= references(feature.expr, where=f"prepare.features.{name}.expr")
        names |= {other for other in (feature.by, feature.time) if other is not None}
    return names


def replaced_columns(plan: Plan) -> list[str]:
    """The columns that features of the same name replace, where features are columns."""
    names = serving_inputs(plan)
    return [name for name in plan.features if name in names]


def require_inputs(train: DataFrame, plan: Plan) -> None:
    """Raise ConfigError unless `train` has what the plan reads, of types that it can use."""
    _require_plain(plan)
    require_columns(train, inputs(plan), where="prepare.features")
    if plan.needs_label and plan.label is None:
        raise ConfigError(
            where="prepare.label",
            expected="the name of the label, from which target encoding and selection learn",
            found="none",
            remedy="Set `label` in the plan.",
        )
    for name, feature in plan.features.items():
        kind = _type(train, name, feature.expr)
        if not feature.encode and not isinstance(kind, (NumericType, BooleanType)):
            raise ConfigError(
                where=f"prepare.features.{name}",
                expected="a number, or `encode: one_hot`",
                found=f"{'a column' if feature.expr is None else 'an expression'} of type {kind.simpleString()}",
                remedy="Encode it, declare its type in `columns`, or derive a number from it.",
            )


def _require_plain(plan: Plan) -> None:
    """Raise ConfigError for a name or an expression that a statement of Spark ML would take for something else."""
    texts = {f"`expr` of '{name}'": f.expr for name, f in plan.features.items() if f.expr is not None}
    texts |= {f"a feature '{name}'": name for name in plan.features}
    _refuse_substituted(texts)
    _refuse_substituted({f"a column '{name}'": name for name in sorted(inputs(plan))})


def _refuse_substituted(texts: Mapping[str, str]) -> None:
    for described, text in texts.items():
        if not is_plain(text):
            raise ConfigError(
                where="prepare.features",
                expected="names and expressions without `${` and `__THIS__`, which Spark substitutes",
                found=described,
                remedy="Rename the column where it is read, or the feature.",
            )


def _type(train: DataFrame, name: str, expr: str | None) -> DataType:
    if expr is None:
        return train.schema[name].dataType
    return train.select(evaluate(train, expr, where=f"prepare.features.{name}.expr")).schema[0].dataType


def require_free_names(train: DataFrame, plan: Plan, names: tuple[str, ...], *, output: str) -> None:
    """Raise ConfigError when `train` has a column with a name that is added, unless a feature replaces it."""
    if output == "columns":
        refuse_taken(train.drop(*replaced_columns(plan)), set(names), where="prepare.features")
    elif any(name.lower() == FEATURES for name in train.columns):
        raise ConfigError(
            where="prepare.fit",
            expected=f"rows without a column '{FEATURES}', which is added",
            found=f"rows that have '{FEATURES}'",
            remedy="Rename or drop the column.",
        )


def refuse_other_splits(statistics: Statistics) -> None:
    """Raise ConfigError when rows of which frequencies of `split` were learned are not all of train."""
    splits = statistics.frequencies.get(SPLIT)
    counts = {"null": splits.n_null, **splits.counts} if splits else {}
    others = {split: n for split, n in counts.items() if split != TRAIN and n}
    if others:
        raise ConfigError(
            where="prepare.fit",
            expected="rows of train only",
            found=", ".join(f"{n} of '{split}'" for split, n in sorted(others.items())),
            remedy="Filter by `split = 'train'` first: what is learned from other rows leaks.",
        )
