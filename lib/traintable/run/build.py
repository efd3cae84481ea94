"""The main job, step by step."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from functools import reduce
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from traintable import prepare, publish, quality, split
from traintable.addresses import is_remote, sibling
from traintable.assemble.rows import FILTERED, KIND, QUARANTINED, SOURCE, assemble, pin_inputs
from traintable.columns import FEATURES, SPLIT, SPLITS, TRAIN, quote, refuse_taken, require_columns
from traintable.config.dataset import Config
from traintable.config.plan import Plan
from traintable.contract.rows import REASONS
from traintable.delta.attachments import Attachments, attach_large, load_attached
from traintable.delta.lease import lease
from traintable.delta.pin import Pinned, read_pinned
from traintable.errors import InputMissing
from traintable.publish.mlflow_input import log_input
from traintable.quality.previous_version import require_allowable
from traintable.run.gate_step import Judged, judge, version_before
from traintable.run.manifest import fingerprint_of, manifest
from traintable.run.outcome import Census, Outcome, Rows, census, described_split, published_split
from traintable.run.places import Places
from traintable.run.provenance import model_hash
from traintable.run.staging import ROW, Staging, stageable, staging, writing
from traintable.spark.errors import translated
from traintable.spark.progress import Progress
from traintable.spark.session import get_spark, pinned_settings

if TYPE_CHECKING:
    from pyspark.ml import PipelineModel
    from pyspark.sql import DataFrame, SparkSession


def run(
    config: Config,
    *,
    allow: Collection[str] = (),
    spark: SparkSession | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Build the next version of the training table that `config` describes, unless nothing has changed.

    When local tables show that nothing has changed, Spark is not started. Of what the gate refuses against the version
    before, "drift", "rows" and "schema" can be allowed.
    Raises a TraintableError for whatever stops it; then nothing is published and the newest version stays as it was.
    Cost: one pass over the keys of the source and one to write the joined rows, which all later steps read; of these a
    narrow pass to count, one scan of train, and one pass that writes the files which a commit then takes; and narrow
    passes over what the gate looks at.
    """
    require_allowable(allow)
    progress = progress or Progress(quiet=True)
    split.refuse_unavailable(config)
    with progress.stage("pin inputs"):
        pinned = pin_inputs(config, spark)
        fingerprint = fingerprint_of(config, pinned)
        run_id = f"{datetime.now(timezone.utc):%Y%m%dT%H%M%S%fZ}-{fingerprint[:8]}"
        places = Places.of(config, run_id)
        unchanged = _unchanged(places, fingerprint, spark)
    if unchanged:
        return unchanged
    quality.require_known(config.gate)
    with progress.stage("start Spark"):
        spark = progress.spark = spark or get_spark()
    with pinned_settings(spark), translated(f"run for {places.table}"), staging(spark, places.staging) as files:
        return _Run(spark, config, pinned, fingerprint, run_id, places, progress, files, allow).carry_out()


@dataclass
class _Run:
    """One run that has work to do."""

    spark: SparkSession
    config: Config
    pinned: Mapping[str, Pinned]
    fingerprint: str
    run_id: str
    places: Places
    progress: Progress
    files: Staging
    allow: Collection[str]

    def carry_out(self) -> Outcome:
        stage, config, places = self.progress.stage, self.config, self.places
        with stage("read, join, label, split"):
            staged = self._staged()
        with stage("account for rows"):
            counted, rows = self._accounted(staged)
        least = config.gate.min_rows_per_split
        quality.require_classes(
            counted.classes, counted.reasons, classes=config.label.classes, min_rows=least, table=places.table
        )
        with stage("describe the split"):
            described = described_split(staged, config, self.pinned, self._dated)
        with stage("look for leaks"):
            leaks = self._leaks(staged)
            staged = staged.drop(*self._guarded)
        with stage("fit on train"):
            fitted = self._fitted(staged)
            model, names = fitted.model, list(fitted.features)
        features = self._transformed(staged, model, names)
        with stage("gate"):
            judged = self._judged(features, names, counted)
            rows = replace(rows, published=judged.published, quarantined=rows.quarantined + judged.n_set_aside)
            rows.require_balance(places.table)
        details = {
            "fingerprint": self.fingerprint,
            "model": places.model,
            "content_hash": judged.content,
            "classes": judged.classes,
            "reasons": {**counted.reasons, **{f"gate:{ids}": n for ids, n in judged.set_aside.items()}},
            "split": published_split(described, judged.classes),
            "features": len(names),
            "left_out": [str(dropped) for dropped in fitted.dropped],
            "leakage": leaks,
            "gate": judged.verdict.summary(),
        }
        with stage("publish"), writing(places.table), lease(places.table) as held:
            unchanged = _unchanged(places, self.fingerprint, self.spark)
            if unchanged:  # another run has published the same meanwhile
                judged.candidate.discard()
                return unchanged
            # A model whose commit fails stays: its reply may be all that was lost, and no name is used twice.
            model.write().save(places.model)
            if places.quarantine != sibling(places.table, "quarantine"):
                details["quarantine"] = places.quarantine
            details["model_hash"] = model_hash(places.model)
            told = manifest(config, self.pinned, self.run_id, rows.to_dict(), details)
            told = attach_large(told, self.beside, judged.kept)
            held.require()
            version = publish.publish(judged.candidate, places.table, manifest=told, features=names)
        log_input(table=places.table, version=version, manifest=told)
        details |= {"seconds": self.progress.seconds, "page": self.beside.at(judged.kept["page"])}
        return Outcome("published", self.run_id, places.table, version, places.model, rows.to_dict(), details)

    def _staged(self) -> DataFrame:
        config = self.config
        plan = self.plan
        assembled = assemble(self.spark, config, self.pinned, held=lambda rows: self.files.write(rows, "assembled"))
        require_columns(assembled, prepare.inputs(plan), where="prepare.features")
        require_columns(assembled, set(config.leakage.columns), where="leakage")
        keep = [*config.source.key, config.label.name, *sorted(prepare.inputs(plan)), *self._fold, *self._guarded]
        rows = stageable(assembled, keep, whole_train=plan.drops_rows)
        staged = self.files.write(rows, "rows", partition_by=[SPLIT])
        return self._without_outliers(staged) if plan.drops_rows else staged

    def _without_outliers(self, staged: DataFrame) -> DataFrame:
        """The staged rows, those of train that outliers take out of it now among the filtered."""
        is_train = F.col(SPLIT) == TRAIN
        kept, gone = prepare.drop_outliers(staged.where(is_train), self.plan, columns=self.config.columns)
        gone = gone.withColumns(
            {
                KIND: F.lit(FILTERED),
                REASONS: F.transform("_outlier", lambda name: F.concat(F.lit("outlier:"), name)),
                SPLIT: F.lit(None).cast("string"),
            }
        )
        others = staged.where(is_train.isNull() | ~is_train)
        rows = others.unionByName(kept.withColumn(ROW, F.lit(None).cast("string"))).unionByName(gone.drop("_outlier"))
        return self.files.write(rows, "rows_without_outliers", partition_by=[SPLIT])

    @property
    def plan(self) -> Plan:
        """The plan, with the run's own label."""
        return self.config.prepare.model_copy(update={"label": self.config.label.name})

    def _accounted(self, staged: DataFrame) -> tuple[Census, Rows]:
        """Count, keep the removed rows, and see that no row is missing."""
        config = self.config
        read = read_pinned(self.spark, self.pinned[SOURCE], where=config.source.where).count()
        if read == 0:
            raise InputMissing(
                where=f"table {self.pinned[SOURCE].table} version {self.pinned[SOURCE].version}",
                expected=f"rows{f' where {config.source.where}' if config.source.where else ''}",
                found="none",
                remedy="Check `source.where`, or pin a version that has rows.",
            )
        counted = census(staged, config.label.name)
        removed = staged.where(F.col(SPLIT).isNull())
        self._removed = removed.select(
            F.col(KIND).alias("kind"), F.col(REASONS).alias("reasons"), F.col(ROW).alias("row")
        )
        with writing(self.places.quarantine):
            kept = self._keep_removed()
        published = {part: sum(classes.values()) for part, classes in counted.classes.items()}
        rows = Rows(read, published, kept.get(QUARANTINED, 0), kept.get(FILTERED, 0))
        rows.require_balance(self.places.table)
        return counted, rows

    def _keep_removed(self, *more: DataFrame) -> dict[str, int]:
        """Write the rows that are not published; gives how many of each kind there are."""
        rows = reduce(lambda first, others: first.unionByName(others), more, self._removed)
        return publish.write_quarantine(rows, self.places.quarantine, fingerprint=self.fingerprint)

    @property
    def _guarded(self) -> list[str]:
        """The columns that only the guards against leaks read."""
        names = {*self.config.leakage.columns, *([self._dated] if self._dated else [])}
        return sorted(names - {*self.config.source.key, self.config.label.name, *prepare.inputs(self.plan)})

    @property
    def _time(self) -> str | None:
        """The column by which splits follow each other, if they do."""
        split_by = self.config.split
        by_time = split_by.time.column if split_by.method == "time" and split_by.time else None
        return self.config.leakage.time or by_time

    @property
    def _dated(self) -> str | None:
        """The column whose first and last moments say when the rows of a part are from."""
        declared = self.config.split.time
        return self._time or (declared.column if declared else None)

    @property
    def _fold(self) -> list[str]:
        """The column of folds, if there is one."""
        return [self.config.prepare.fold] if self.config.folds else []

    def _leaks(self, staged: DataFrame) -> list[dict[str, Any]]:
        """What looks like a leak in the staged rows, for the manifest; GateRefused when that is severe."""
        config, plan = self.config, self.plan
        fold = {plan.fold} if plan.needs_fold else set()
        findings = split.examine(
            staged,
            label=config.label.name,
            key=config.source.key,
            features=sorted(prepare.serving_inputs(plan) - fold),
            groups=config.leakage.groups,
            time=self._time,
            text=config.leakage.text,
            seed=config.seed,
            limits=config.leakage.limits,
        )
        allow = config.leakage.allow
        split.refuse_severe(findings, allow, table=self.places.table)
        return split.described([*split.unavailable(config), *findings], allow)

    def _fitted(self, staged: DataFrame) -> prepare.Fitted:
        train = staged.where(F.col(SPLIT) == TRAIN)
        return prepare.fit_plan(train, self.plan, columns=self.config.columns, output=self.config.output.features)

    def _transformed(self, staged: DataFrame, model: PipelineModel, names: list[str]) -> DataFrame:
        """The rows of the training table: key, label, split and features, nothing else.

        A projection of the staged files, computed once for the gate and once for the commit: cheaper than writing the
        wide rows twice, and the same rows, for the files and the model stay as they are. Splits are transformed apart
        where the plan fills forward, so that no row is filled from another split.
        """
        config = self.config
        apart = [F.col(SPLIT) == part for part in SPLITS] if self.plan.fills_forward else [F.col(SPLIT).isNotNull()]
        parts = [model.transform(staged.where(rows)) for rows in apart]
        features = reduce(lambda first, more: first.unionByName(more), parts)
        own = list(dict.fromkeys([*config.source.key, config.label.name, SPLIT, *self._fold]))
        added = names if config.output.features == "columns" else [FEATURES]
        refuse_taken(staged.select(*map(quote, own)), set(added) - {FEATURES}, where="prepare.features")
        return features.select(*[F.col(quote(name)) for name in own + added])

    @property
    def beside(self) -> Attachments:
        """What is too large for a manifest."""
        return Attachments(self.places.manifests)

    def _judged(self, features: DataFrame, names: list[str], counted: Census) -> Judged:
        """The rows to be published, written, and the verdict on them, kept; GateRefused when they may not be."""
        config, places = self.config, self.places
        before = version_before(places.table, self.beside, self.spark)
        judged = judge(features, names, config, places.table, self.files, before=before, allow=self.allow)
        if judged.n_set_aside:
            with writing(places.quarantine):
                self._keep_removed(judged.removed)
        judged = judged.put(self.beside, config=config, run_id=self.run_id, table=places.table, before=before)
        if judged.verdict.refusals:
            judged.candidate.discard()
        judged.verdict.raise_if_refused(places.table, page=self.beside.at(judged.kept["page"]))
        return judged


def _is_there(model: str) -> bool:
    """Whether a saved model is still where the manifest says; of an address it is believed."""
    return is_remote(model) or os.path.isdir(model)


def _unchanged(places: Places, fingerprint: str, spark: SparkSession | None) -> Outcome | None:
    """What stands in the table, where it is what a run would publish."""
    newest = publish.newest_manifest(places.table, spark)
    if newest is None or newest[1].get("fingerprint") != fingerprint or not _is_there(newest[1]["model"]):
        return None
    version, manifest = newest[0], load_attached(newest[1], Attachments(places.manifests))
    known = ("fingerprint", "content_hash", "classes", "reasons", "split", "features", "left_out", "leakage", "gate")
    details = {name: value for name, value in manifest.items() if name in known}
    return Outcome("unchanged", manifest["run_id"], places.table, version, manifest["model"], manifest["rows"], details)
