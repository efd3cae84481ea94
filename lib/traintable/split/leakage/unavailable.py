"""Refuse features that would not be known when the prediction is made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from traintable.config.dataset import Config
from traintable.config.plan import Feature
from traintable.errors import ConfigError
from traintable.split.leakage.finding import LeakFinding
from traintable.split.leakage.verdict import allowed_because
from traintable.sql.expressions import references


def refuse_unavailable(config: Config) -> None:
    """Raise ConfigError for the first of the `unavailable_features` that `leakage.allow` does not name.

    Examples
    --------
    >>> from traintable import split
    >>> from traintable.config.dataset import Config
    >>> config = Config.model_validate({
    ...     "name": "visits",
    ...     "source": {"table": "bookings", "key": ["id"]},
    ...     "timeline": ["booking", "visit"],
    ...     "predict_at": "booking",
    ...     "columns": {"duration": {"available_at": "visit"}},
    ...     "label": {"name": "late", "expr": "delay > 15"},
    ...     "split": {"method": "hash", "hash": {"ratios": {"train": 0.8, "validation": 0.1, "test": 0.1}}},
    ...     "prepare": {"features": {"duration": {}}},
    ...     "output": {"table": "training"},
    ... })
    >>> split.refuse_unavailable(config)
    Traceback (most recent call last):
    ...
    traintable.errors.ConfigError: prepare.features.duration: expected a feature that is known when the ...
    """
    for finding in unavailable_features(config):
        if allowed_because(finding, config.leakage.allow) is None:
            raise ConfigError(
                where=f"prepare.features.{finding.columns[0]}",
                expected="a feature that is known when the prediction is made",
                found=finding.message,
                remedy=finding.remedy,
            )


def unavailable_features(config: Config) -> list[LeakFinding]:
    """Features that are, or are derived from, something known only after `predict_at`; one finding a feature.

    A column is known at its `available_at`, a derived column when all it reads is known, a joined column when that by
    which its row is found is known too, and every column that the label's expression reads only with the answer,
    declared or not. Costs no pass: it reads the configuration.

    Examples
    --------
    >>> from traintable import split
    >>> from traintable.config.dataset import Config
    >>> config = Config.model_validate({
    ...     "name": "visits",
    ...     "source": {"table": "bookings", "key": ["id"]},
    ...     "timeline": ["booking", "visit"],
    ...     "predict_at": "booking",
    ...     "columns": {"duration": {"available_at": "visit"}},
    ...     "label": {"name": "late", "expr": "delay > 15"},
    ...     "split": {"method": "hash", "hash": {"ratios": {"train": 0.8, "validation": 0.1, "test": 0.1}}},
    ...     "prepare": {"features": {"duration": {}}},
    ...     "output": {"table": "training"},
    ... })
    >>> [finding.columns for finding in split.unavailable_features(config)]
    [('duration',)]
    """
    return [
        LeakFinding(
            "unavailable",
            "severe",
            (feature,),
            f"one that leaks the answer{through}: {why}",
            "Remove it, or correct `available_at` in `columns` if it is known earlier.",
        )
        for feature, through, why in _leaks(config)
    ]


def _leaks(config: Config) -> Iterator[tuple[str, str, str]]:
    """Feature, through which column, and why, for each feature that leaks: the first reason of each."""
    answer = _read_by(references(config.label.expr, where="label.expr"), _sources(config, roots_only=True))
    sources = _sources(config, roots_only=False)
    for feature, section in config.prepare.features.items():
        reads = _reads(feature, section)
        late = [(config.label.name, "it is the label")] if config.label.name in reads else []
        for column in sorted(_read_by(reads, sources)):
            why = _why_late(column, column in answer, config)
            late += [(column, why)] if why else []
        if late:
            column, why = late[0]
            yield feature, "" if feature == column else f" through '{column}'", why


def _reads(name: str, feature: Feature) -> frozenset[str]:
    """The columns that a feature is made of."""
    own = {name} if feature.expr is None else references(feature.expr, where=f"prepare.features.{name}.expr")
    return frozenset(own) | {other for other in (feature.by, feature.time) if other is not None}


def _why_late(column: str, in_label: bool, config: Config) -> str | None:
    """Why a column is not known when the prediction is made; None when it is."""
    declared = config.columns.get(column)
    known_at = declared.available_at if declared else None
    if known_at and config.predict_at and config.timeline.index(known_at) > config.timeline.index(config.predict_at):
        return f"'{column}' is known at '{known_at}', after the prediction at '{config.predict_at}'"
    return f"the label is computed from '{column}'" if in_label and known_at is None else None


def _sources(config: Config, *, roots_only: bool) -> dict[str, frozenset[str]]:
    """For each derived column the columns it is computed from.

    Unless `roots_only`, these include itself, and for each joined column what its row is found by.
    """
    sources: dict[str, frozenset[str]] = {}
    for join in () if roots_only else config.joins:
        found_by = [*join.on, *([join.asof.left] if join.asof else [])]
        for name in (f"{join.name}_{column}" for column in join.columns):
            same_table = [name.removeprefix(f"{join.name}_")] if join.table == config.source.table else []
            sources[name] = _read_by([name, *found_by, *same_table], sources)
    for name, expression in config.derive.items():
        sources[name] = _read_by(references(expression, where=f"derive.{name}"), sources)
        if not roots_only:
            sources[name] |= {name}
    return sources


def _read_by(names: Iterable[str], sources: Mapping[str, frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*[sources.get(name, {name}) for name in names])
