"""What all steps of a run need to know."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from traintable import prepare
from traintable.config.dataset import Config
from traintable.config.plan import Plan
from traintable.delta.attachments import Attachments
from traintable.delta.pinned_input import PinnedInput
from traintable.run.output_paths import OutputPaths
from traintable.run.staging import Staging

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class RunContext:
    """A run that has work to do.

    Attributes
    ----------
    pinned : the version of each input table, by its name in the configuration.
    fingerprint : what the rows follow from; see `run.manifest.fingerprint_of`.
    paths : where the run writes.
    files : its private files.
    allow : the kinds of the gate's rules against the previous version that may be broken.
    """

    spark: SparkSession
    config: Config
    pinned: Mapping[str, PinnedInput]
    fingerprint: str
    run_id: str
    paths: OutputPaths
    files: Staging
    allow: Collection[str]

    @property
    def attachments(self) -> Attachments:
        """The files that are too large for a manifest."""
        return Attachments(self.paths.manifests)

    @property
    def plan(self) -> Plan:
        """The plan, with the run's own label."""
        return self.config.prepare.model_copy(update={"label": self.config.label.name})

    @property
    def fold_columns(self) -> list[str]:
        """The column of folds, if there is one."""
        return [self.config.prepare.fold] if self.config.folds else []

    @property
    def guard_columns(self) -> list[str]:
        """The columns that only the guards against leaks and the description of the split read."""
        names = {*self.config.leakage.columns, *([self.time] if self.time else [])}
        return sorted(names - {*self.config.source.key, self.config.label.name, *prepare.inputs(self.plan)})

    @property
    def time_of_split(self) -> str | None:
        """The column by which splits follow each other, if they do."""
        split = self.config.split
        by_time = split.time.column if split.method == "time" and split.time else None
        return self.config.leakage.time or by_time

    @property
    def time(self) -> str | None:
        """The column that dates the rows, if one is declared."""
        declared = self.config.split.time
        return self.time_of_split or (declared.column if declared else None)
