"""Compare a version with the previous one: the number of rows, what has become of columns and features, and drift."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from traintable.config.dataset import DriftBounds
from traintable.errors import ConfigError
from traintable.quality.feature_drift import drift
from traintable.quality.rule_result import THE_TABLE, Level, RuleResult
from traintable.quality.summary import FeatureSummary

Kind = Literal["drift", "rows", "schema"]
DRIFT: Final = "drift"
ROWS: Final = "rows"
SCHEMA: Final = "schema"
ALLOWABLE = (DRIFT, ROWS, SCHEMA)  # kinds of rules that the user of a command can allow to be broken


def require_allowable(names: Collection[str]) -> None:
    """Raise ConfigError for a name that is no kind of rules on the previous version.

    >>> require_allowable(["drift", "rows"])
    >>> require_allowable(["all"])
    Traceback (most recent call last):
    traintable.errors.ConfigError: --allow: expected one of drift, rows, schema, found 'all'. Use one of these
    names.
    """
    unknown = sorted(set(names) - set(ALLOWABLE))
    if unknown:
        raise ConfigError(
            where="--allow",
            expected=f"one of {', '.join(ALLOWABLE)}",
            found=repr(unknown[0]),
            remedy="Use one of these names.",
        )


@dataclass(frozen=True)
class PublishedVersion:
    """What is compared of a version.

    Attributes
    ----------
    number : None for a version that is not published yet.
    columns : name -> type of the table's columns, without single features.
    features : in their order.
    inputs : the columns that the plan makes features of.
    rows : of each split.
    summary : the distributions of the features of train; None where they are lost.
    """

    number: int | None
    columns: Mapping[str, str]
    features: Sequence[str]
    inputs: Collection[str]
    rows: Mapping[str, int]
    summary: FeatureSummary | None = field(default=None, repr=False)

    def drift(self, new: PublishedVersion) -> dict[str, float]:
        """The population stability index of each feature that a later version also has; none where it is not known."""
        return {} if self.summary is None or new.summary is None else drift(self.summary, new.summary)


def compare_with_previous(
    previous: PublishedVersion,
    new: PublishedVersion,
    drift: Mapping[str, float],
    bounds: DriftBounds,
    allow: Collection[str] = (),
) -> Iterator[RuleResult]:
    """The results of the rules on a version that follows another.

    Columns and features that are added pass, and so do features that come and go because train has other categories.
    Columns that are gone or change their type, and features whose input the plan no longer has, fail; so do too few
    rows, and features whose population stability index (`drift`) is above its bound. Rules of a kind in `allow` warn.

    >>> columns = {"id": "bigint", "late": "int"}
    >>> previous = PublishedVersion(3, columns, ["x"], ["x"], {"train": 100})
    >>> new = PublishedVersion(None, {"id": "string", "late": "int"}, ["x"], ["x"], {"train": 90})
    >>> for rule in compare_with_previous(previous, new, {"x": 3.0}, DriftBounds(), allow=["schema"]):
    ...     print(rule.id, rule.level, rule.success, rule.found)
    schema warn False id is string, was bigint
    fewer_rows fail True 90 (previously 100)
    drift:x fail False 3.000
    """
    rules = _Rules(previous, new, bounds, allow)
    yield from rules.on_schema()
    yield rules.on_rows()
    if drift:
        yield from rules.on_drift(drift)


@dataclass(frozen=True)
class _Rules:
    """The rules on two versions; those of a kind that is allowed warn."""

    previous: PublishedVersion
    new: PublishedVersion
    bounds: DriftBounds
    allow: Collection[str]

    def on_schema(self) -> Iterator[RuleResult]:
        """Columns are only added; and features are the same, which is worth a warning."""
        old, new = self.previous.columns, self.new.columns
        lost = [f"no {name} any more" for name in old if name not in new]
        changed = [f"{name} is {new[name]}, was {old[name]}" for name in old if name in new and new[name] != old[name]]
        gone = [f"no feature of {name} any more" for name in sorted(set(self.previous.inputs) - set(self.new.inputs))]
        found = "; ".join([*lost, *changed, *gone])
        yield self._result(SCHEMA, "only additions to the columns", THE_TABLE, success=not found, found=found or "none")
        added = set(self.new.features) - set(self.previous.features)
        removed = set(self.previous.features) - set(self.new.features)
        if (added or removed) and not gone:
            found = f"{len(added)} new ({_first(added)}), {len(removed)} gone ({_first(removed)})"
            yield self._result(
                SCHEMA, "the same features", "features", id="features", level="warn", success=False, found=found
            )

    def on_rows(self) -> RuleResult:
        """There are not many fewer rows."""
        n_previous, n_new = sum(self.previous.rows.values()), sum(self.new.rows.values())
        fewer = self.bounds.fewer_rows
        least = 0.0 if fewer is None else (1 - fewer) * n_previous
        found, rule = f"{n_new:,} (previously {n_previous:,})", f"at least {least:,.0f} rows"
        return self._result(ROWS, rule, THE_TABLE, id="fewer_rows", success=n_new >= least, found=found)

    def on_drift(self, drift: Mapping[str, float]) -> Iterator[RuleResult]:
        """No feature has drifted: a result for each that has, the farthest first, or one for all."""
        bounds = self.bounds
        least = min((bound for bound in (bounds.warn, bounds.fail) if bound is not None), default=None)
        if least is None:
            return
        above = {name: index for name, index in drift.items() if index > least}
        for name, index in sorted(above.items(), key=lambda item: -item[1]):
            is_severe = bounds.fail is not None and index > bounds.fail
            rule = f"a population stability index up to {bounds.fail if is_severe else bounds.warn}"
            level: Level | None = None if is_severe else "warn"
            yield self._result(
                DRIFT, rule, name, id=f"{DRIFT}:{name}", level=level, success=False, found=f"{index:.3f}"
            )
        if not above:
            rule, found = f"population stability indexes up to {least}", f"at most {max(drift.values()):.3f}"
            yield self._result(DRIFT, rule, "features", success=True, found=found)

    def _result(
        self,
        kind: Kind,
        rule: str,
        column: str,
        *,
        success: bool,
        found: str,
        id: str | None = None,  # noqa: A002
        level: Level | None = None,
    ) -> RuleResult:
        return RuleResult(
            id=id or kind,
            rule=rule,
            column=column,
            level=level or ("warn" if kind in self.allow else "fail"),
            success=success,
            found=found,
            arguments={"against_version": self.previous.number},
            remedy=f"Nothing was published. Correct the data, or allow this once with `--allow {kind}`.",
        )


def _first(names: Collection[str]) -> str:
    shown = sorted(names)[:5]
    return ", ".join(shown) + (", ..." if len(names) > len(shown) else "")
