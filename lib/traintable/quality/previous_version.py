"""Rules about the version before: how many rows there are, what has become of columns and features, and drift."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from traintable.config.dataset import DriftBounds
from traintable.errors import ConfigError
from traintable.quality.feature_drift import drift
from traintable.quality.summary import FeatureSummary

DRIFT, ROWS, SCHEMA = "drift", "rows", "schema"
ALLOWABLE = (DRIFT, ROWS, SCHEMA)  # what one who knows better can allow


def require_allowable(names: Collection[str]) -> None:
    """Raise ConfigError for a name that is none of what can be allowed."""
    unknown = sorted(set(names) - set(ALLOWABLE))
    if unknown:
        raise ConfigError(
            where="--allow", expected=f"one of {', '.join(ALLOWABLE)}", found=repr(unknown[0]), remedy="Correct it."
        )


@dataclass(frozen=True)
class PublishedVersion:
    """What is compared of a version.

    Attributes
    ----------
    columns : name -> type of the table's columns, without single features.
    features : in their order.
    inputs : the columns that the plan makes features of.
    rows : of each split.
    summary : what the features of train are like; None where it is not known any more.
    """

    number: int | None
    columns: Mapping[str, str]
    features: Sequence[str]
    inputs: Collection[str]
    rows: Mapping[str, int]
    summary: FeatureSummary | None = field(default=None, repr=False)

    def drift(self, now: PublishedVersion) -> dict[str, float]:
        """The population stability index of each feature that a later version has, too; none if not known."""
        return {} if self.summary is None or now.summary is None else drift(self.summary, now.summary)


def compare_with_previous(
    before: PublishedVersion,
    now: PublishedVersion,
    drift: Mapping[str, float],
    bounds: DriftBounds,
    allow: Collection[str] = (),
) -> Iterator[dict[str, Any]]:
    """What the rules say of a version that follows another one, in the form that a Verdict has.

    Columns and features that are added pass, and so do features that come and go because train has other words.
    Columns that go or change their type, and features whose input the plan no longer has, fail; so do too few rows, and
    features whose population stability index (`drift`) is beyond a bound. Those of a kind that is allowed only warn.
    """
    yield from _schema(before, now, allow)
    yield _rows(before, now, bounds, allow)
    if drift:
        yield from _drift(before, drift, bounds, allow)


def _schema(before: PublishedVersion, now: PublishedVersion, allow: Collection[str]) -> Iterator[dict[str, Any]]:
    lost = [f"no {name} any more" for name in before.columns if name not in now.columns]
    changed = [
        f"{name} is {now.columns[name]}, was {kind}"
        for name, kind in before.columns.items()
        if name in now.columns and now.columns[name] != kind
    ]
    gone = [f"no feature of {name} any more" for name in sorted(set(before.inputs) - set(now.inputs))]
    found = [*lost, *changed, *gone]
    yield _told(
        SCHEMA, "only additions to the columns", "the table", not found, "; ".join(found) or "none", before, allow
    )
    came, went = set(now.features) - set(before.features), set(before.features) - set(now.features)
    if (came or went) and not gone:
        said = f"{len(came)} new ({_some(came)}), {len(went)} gone ({_some(went)})"
        told = _told("features", "the same features", "features", success=False, found=said, before=before, allow=())
        yield {**told, "level": "warn"}


def _rows(
    before: PublishedVersion, now: PublishedVersion, bounds: DriftBounds, allow: Collection[str]
) -> dict[str, Any]:
    n_before, n_now = sum(before.rows.values()), sum(now.rows.values())
    least = 0.0 if bounds.fewer_rows is None else (1 - bounds.fewer_rows) * n_before
    rule = f"at least {least:,.0f} rows"
    return _told(ROWS, rule, "the table", n_now >= least, f"{n_now:,}, before {n_before:,}", before, allow)


def _drift(
    before: PublishedVersion, found: Mapping[str, float], bounds: DriftBounds, allow: Collection[str]
) -> Iterator[dict[str, Any]]:
    least = min((bound for bound in (bounds.warn, bounds.fail) if bound is not None), default=None)
    if least is None:
        return
    beyond = {name: index for name, index in found.items() if index > least}
    for name, index in sorted(beyond.items(), key=lambda item: -item[1]):
        is_severe = bounds.fail is not None and index > bounds.fail
        bound = bounds.fail if is_severe else bounds.warn
        rule = f"a population stability index up to {bound}"
        told = _told(DRIFT, rule, name, success=False, found=f"{index:.3f}", before=before, allow=allow)
        yield {**told, "id": f"{DRIFT}:{name}", "level": told["level"] if is_severe else "warn"}
    if not beyond:
        most = max(found.values(), default=0.0)
        rule = f"population stability indexes up to {least}"
        yield _told(DRIFT, rule, "features", success=True, found=f"at most {most:.3f}", before=before, allow=allow)


def _told(
    kind: str, rule: str, column: str, success: bool, found: str, before: PublishedVersion, allow: Collection[str]
) -> dict[str, Any]:
    remedy = f"Nothing was published. Mend the data, or allow it once with `--allow {kind}`."
    return {
        "id": kind if kind != ROWS else "fewer_rows",
        "rule": rule,
        "column": column,
        "level": "warn" if kind in allow else "fail",
        "success": success,
        "found": found,
        "arguments": {"against_version": before.number},
        "rows": None,
        "remedy": remedy,
    }


def _some(names: Collection[str]) -> str:
    shown = sorted(names)[:5]
    return ", ".join(shown) + (", ..." if len(names) > len(shown) else "")
