"""How rows are divided into train, validation and test, and train into folds: a section of the configuration."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from traintable.columns import SPLITS
from traintable.config.durations import Duration
from traintable.config.section import Names, Section


class TimeSplit(Section):
    """Train before `validation`, validation before `test`; rows within `gap` before a boundary are filtered."""

    column: str
    validation: str
    test: str
    gap: Duration = Duration("0 seconds")


def _sum_to_one(ratios: dict[str, float]) -> dict[str, float]:
    if set(ratios) != set(SPLITS) or min(ratios.values()) <= 0 or abs(sum(ratios.values()) - 1) > 1e-9:
        raise ValueError("positive ratios of train, validation and test that sum to 1")
    return ratios


Ratios = Annotated[dict[str, float], AfterValidator(_sum_to_one)]


class HashSplit(Section):
    """A hash of the key: a row never changes its split as data grows; sizes are about `ratios`."""

    ratios: Ratios


class StratifiedSplit(Section):
    """Each stratum divided in the same ratios, exactly; a split with fewer than `min_rows` of a stratum is refused."""

    by: Names
    ratios: Ratios
    min_rows: int = Field(1, ge=0)


class GroupSplit(Section):
    """A hash of the group: no group in two splits, and none changes its split as data grows."""

    by: Names
    ratios: Ratios


class StratifiedGroupSplit(Section):
    """Whole groups, so that all splits have about the same shares of the label's classes."""

    by: Names
    ratios: Ratios
    min_rows: int = Field(1, ge=0)


class FrozenTest(Section):
    """The test set of a published version, which this one keeps; `table` is the output itself by default.

    A row that the method puts into test besides goes to `otherwise`, or with null is filtered, as it should be after a
    split by time. With a method of groups the other rows of a group that has rows in test are filtered.
    """

    table: str | None = None
    version: int = Field(ge=0)
    otherwise: Literal["train", "validation"] | None = "train"


class Folds(Section):
    """Folds of train, stored in the published table as a column (`prepare.fold` names it).

    `hash` needs nothing, `stratified` the strata `by` (default: the label), `group` and `stratified_group` the groups
    `by`, and `time` the column `time`, with rows within `gap` before and `embargo` after an edge in no fold.
    """

    kind: Literal["hash", "stratified", "group", "stratified_group", "time"]
    n: int = Field(5, ge=2, le=100)
    by: tuple[str, ...] = ()
    time: str | None = None
    gap: Duration = Duration("0 seconds")
    embargo: Duration = Duration("0 seconds")
    min_rows: int = Field(1, ge=0)

    @model_validator(mode="after")
    def _settings_belong_to_the_kind(self) -> Folds:
        applies = {
            "by": ("stratified", "group", "stratified_group"),
            "time": ("time",),
            "gap": ("time",),
            "embargo": ("time",),
            "min_rows": ("stratified", "stratified_group"),
        }
        for name, kinds in applies.items():
            if name in self.model_fields_set and self.kind not in kinds:
                raise ValueError(f"{name} does not apply to kind '{self.kind}'")
        if self.kind in ("group", "stratified_group") and not self.by:
            raise ValueError(f"kind '{self.kind}' needs `by`, the columns of the groups")
        if self.kind == "time" and self.time is None:
            raise ValueError("kind 'time' needs `time`, the column that orders the rows")
        return self

    @property
    def leaves_out(self) -> bool:
        """Whether rows of train may be in no fold."""
        return self.kind == "time" and self.gap.seconds + self.embargo.seconds > 0


class Split(Section):
    """Which of the declared splits is used, what of an earlier version stays, and the folds of train."""

    method: Literal["hash", "time", "stratified", "group", "stratified_group"]
    hash: HashSplit | None = None
    time: TimeSplit | None = None
    stratified: StratifiedSplit | None = None
    group: GroupSplit | None = None
    stratified_group: StratifiedGroupSplit | None = None
    frozen_test: FrozenTest | None = None
    fold: Folds | None = None

    @model_validator(mode="after")
    def _method_is_declared(self) -> Split:
        if getattr(self, self.method) is None:
            raise ValueError(f"method is '{self.method}', so a section '{self.method}' is expected beside it")
        return self

    @property
    def groups(self) -> tuple[str, ...]:
        """The columns whose groups are in a single split each; none for other methods."""
        used = {"group": self.group, "stratified_group": self.stratified_group}.get(self.method)
        return used.by if used else ()

    @property
    def counts_rows(self) -> bool:
        """Whether rows are counted before they are divided, so that they had better be written first."""
        exact = self.method in ("stratified", "stratified_group") or self.frozen_test is not None
        return exact or (self.fold is not None and self.fold.kind != "hash")

    def definition(self) -> dict[str, Any]:
        """The method that is used with its settings, for the manifest."""
        sections = {self.method: getattr(self, self.method), "frozen_test": self.frozen_test, "fold": self.fold}
        return {name: section.model_dump(mode="json") for name, section in sections.items() if section is not None}
