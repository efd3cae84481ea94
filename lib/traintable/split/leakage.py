"""Refuse features that would not be known when the prediction is made."""

from __future__ import annotations

from traintable.config import Config
from traintable.errors import ConfigError
from traintable.expressions import references


def refuse_unavailable(config: Config) -> None:
    """Raise ConfigError for a feature that is, or is derived from, something known only after `predict_at`.

    A column is known at its `available_at`, a derived column when all it reads is known, and every column that the
    label's expression reads only with the answer, declared or not. Costs no pass: it reads the configuration.
    """
    sources = _sources(config)
    answer: frozenset[str] = frozenset()
    for read in references(config.label.expr, where="label.expr"):
        answer |= sources.get(read, {read})
    for feature in config.prepare.features:
        if feature == config.label.name:
            _refuse(feature, feature, "it is the label")
        for column in sorted(sources.get(feature, {feature})):
            _check(feature, column, column in answer, config)


def _check(feature: str, column: str, in_label: bool, config: Config) -> None:
    declared = config.columns.get(column)
    moment = declared.available_at if declared else None
    if moment and config.predict_at and config.timeline.index(moment) > config.timeline.index(config.predict_at):
        _refuse(feature, column, f"'{column}' is known at '{moment}', after the prediction at '{config.predict_at}'")
    known_in_time = moment is not None
    if in_label and not known_in_time:
        _refuse(feature, column, f"the label is computed from '{column}'")


def _sources(config: Config) -> dict[str, frozenset[str]]:
    """For each derived column the columns, not derived ones, that it is computed from."""
    sources: dict[str, frozenset[str]] = {}
    for name, expression in config.derive.items():
        reads = references(expression, where=f"derive.{name}")
        sources[name] = frozenset().union(*[sources.get(read, {read}) for read in reads])
    return sources


def _refuse(feature: str, column: str, why: str) -> None:
    through = "" if feature == column else f" through '{column}'"
    raise ConfigError(
        where=f"prepare.features.{feature}",
        expected="a feature that is known when the prediction is made",
        found=f"one that leaks the answer{through}: {why}",
        remedy="Remove it, or correct `available_at` in `columns` if it is known earlier.",
    )
