"""The main job: from pinned warehouse tables to the next version of a training table."""

from __future__ import annotations

import os
from collections.abc import Collection
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from traintable import assemble, prepare, publish, quality, split
from traintable.addresses import is_remote, sibling
from traintable.columns import SPLIT, TRAIN
from traintable.config.dataset import Config
from traintable.delta.attachments import Attachments, attach_large, load_attached
from traintable.delta.lease import lease
from traintable.delta.manifest import Attached, LeakageFinding
from traintable.publish.mlflow_input import log_input
from traintable.run.context import RunContext
from traintable.run.describe_split import describe_split, published_split
from traintable.run.details import RunDetails
from traintable.run.gate_step import GateOutcome, previous_version, run_gate
from traintable.run.manifest import fingerprint_of, make_manifest
from traintable.run.outcome import Outcome
from traintable.run.output_paths import OutputPaths
from traintable.run.row_accounting import Accounts, RowBalance, account_for_rows
from traintable.run.stage_rows import stage_rows
from traintable.run.staging import staging, writing
from traintable.run.transform_rows import transform_rows
from traintable.spark.errors import translate_spark_errors
from traintable.spark.progress import Progress
from traintable.spark.session import get_spark, pinned_settings
from traintable.table_columns import TableColumns

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

    When local tables show that nothing has changed, Spark is not started. Of the gate's rules against the previous
    version, "drift", "rows" and "schema" can be allowed to be broken.
    Raises a TraintableError for whatever stops it; then nothing is published and the newest version stays as it was.
    Cost: one pass over the keys of the source and one to write the joined rows, which all later steps read; of these a
    narrow pass to count, one scan of train, and one pass that writes the files which a commit then takes; and narrow
    passes over the columns that the gate reads.

    >>> from traintable.config import load
    >>> outcome = run(load("conf/flights.yaml"))  # doctest: +SKIP
    >>> outcome.status, outcome.version  # doctest: +SKIP
    ('published', 0)
    >>> outcome.rows  # doctest: +SKIP
    {'read': 336776, 'published': {'train': 229182, ...}, 'quarantined': 0, 'filtered': 11098}
    """
    quality.require_allowable(allow)
    progress = progress or Progress(quiet=True)
    split.refuse_unavailable(config)
    with progress.stage("pin inputs"):
        pinned = assemble.pin_inputs(config, spark)
        fingerprint = fingerprint_of(config, pinned)
        run_id = f"{datetime.now(timezone.utc):%Y%m%dT%H%M%S%fZ}-{fingerprint[:8]}"
        paths = OutputPaths.of(config, run_id)
        unchanged = _unchanged(paths, fingerprint, spark)
    if unchanged:
        return unchanged
    quality.require_known(config.gate)
    with progress.stage("start Spark"):
        spark = progress.spark = spark or get_spark()
    with (
        pinned_settings(spark),
        translate_spark_errors(f"run for {paths.table}"),
        staging(spark, paths.staging) as files,
    ):
        context = RunContext(spark, config, pinned, fingerprint, run_id, paths, files, allow)
        return _build(context, progress)


def _build(context: RunContext, progress: Progress) -> Outcome:
    """The steps of a run that has work to do, each under the name that users see."""
    stage = progress.stage
    with stage("read, join, label, split"):
        staged = stage_rows(context)
    with stage("account for rows"):
        accounts = account_for_rows(context, staged)
    _require_classes(context, accounts)
    with stage("describe the split"):
        description = describe_split(context, staged)
    with stage("look for leaks"):
        leakage = _look_for_leaks(context, staged)
        staged = staged.drop(*context.guard_columns)
    with stage("fit on train"):
        fitted = _fit_on_train(context, staged)
        columns = TableColumns.of(context.config, fitted.features)
    with stage("gate"):
        rows = transform_rows(staged, fitted.model, context.plan, columns)
        gated, attached = _pass_gate(context, rows, columns, accounts)
        balance = accounts.balance_after(gated, context)
    details = RunDetails(
        fingerprint=context.fingerprint,
        content_hash=gated.content_hash,
        classes=gated.classes,
        reasons={**accounts.census.reasons, **gated.reasons},
        split=published_split(description, gated.classes),
        features=len(columns.features),
        left_out=[str(dropped) for dropped in fitted.dropped],
        leakage=leakage,
        gate=gated.verdict.summary(),
    )
    with stage("publish"):
        outcome = _publish(context, gated, fitted.model, balance, details, attached)
    seconds_and_page = {"seconds": progress.seconds, "page": context.attachments.at(attached["page"])}
    return outcome if outcome.status == "unchanged" else outcome.with_details(seconds_and_page)


def _require_classes(context: RunContext, accounts: Accounts) -> None:
    config, census = context.config, accounts.census
    quality.require_classes(
        census.classes,
        census.reasons,
        classes=config.label.classes,
        min_rows=config.gate.min_rows_per_split,
        table=context.paths.table,
    )


def _look_for_leaks(context: RunContext, staged: DataFrame) -> list[LeakageFinding]:
    """What looks like a leak in the staged rows, for the manifest; GateRefused where that is severe."""
    config, plan = context.config, context.plan
    folds = {plan.fold} if plan.needs_fold else set()
    findings = split.examine(
        staged,
        label=config.label.name,
        key=config.source.key,
        features=sorted(prepare.serving_inputs(plan) - folds),
        groups=config.leakage.groups,
        time=context.time_of_split,
        text=config.leakage.text,
        seed=config.seed,
        limits=config.leakage.limits,
    )
    split.refuse_severe(findings, config.leakage.allow, table=context.paths.table)
    return split.manifest_findings([*split.unavailable_features(config), *findings], config.leakage.allow)


def _fit_on_train(context: RunContext, staged: DataFrame) -> prepare.FittedPlan:
    train, config = staged.where(F.col(SPLIT) == TRAIN), context.config
    return prepare.fit_plan(train, context.plan, columns=config.columns, output=config.output.features)


def _pass_gate(
    context: RunContext, rows: DataFrame, columns: TableColumns, accounts: Accounts
) -> tuple[GateOutcome, Attached]:
    """Write the rows to be published, and attach the verdict on them; GateRefused where they may not be published.

    Returns the outcome and the names of the attached files.
    """
    config, paths, attachments = context.config, context.paths, context.attachments
    previous = previous_version(paths.table, attachments, context.spark)
    gated = run_gate(rows, columns, config, paths.table, context.files, previous=previous, allow=context.allow)
    accounts.quarantine(gated, context)
    attached = gated.attach(attachments, name=config.name, run_id=context.run_id, table=paths.table)
    if gated.verdict.refusals:
        gated.candidate.discard()
    gated.verdict.raise_if_refused(paths.table, page=attachments.at(attached["page"]))
    return gated, attached


def _publish(
    context: RunContext,
    gated: GateOutcome,
    model: PipelineModel,
    balance: RowBalance,
    details: RunDetails,
    attached: Attached,
) -> Outcome:
    """Save the model and commit the candidate; "unchanged" where another run has published the same meanwhile."""
    paths, rows = context.paths, balance.to_dict()
    with writing(paths.table), lease(paths.table) as held:
        unchanged = _unchanged(paths, context.fingerprint, context.spark)
        if unchanged:
            gated.candidate.discard()
            return unchanged
        # A model whose commit fails stays: its reply may be all that was lost, and no name is used twice.
        model.write().save(paths.model)
        quarantine = None if paths.quarantine == sibling(paths.table, "quarantine") else paths.quarantine
        manifest = make_manifest(
            context.config, context.pinned, context.run_id, rows, details, model=paths.model, quarantine=quarantine
        )
        manifest = attach_large(manifest, context.attachments, attached)
        held.require()
        version = publish.publish(gated.candidate, paths.table, manifest=manifest, features=gated.version.features)
    log_input(table=paths.table, version=version, manifest=manifest)
    made = {**details.to_dict(), "model_hash": manifest["model_hash"]}
    if quarantine is not None:
        made["quarantine"] = quarantine
    return Outcome("published", context.run_id, paths.table, version, paths.model, rows, made)


def _unchanged(paths: OutputPaths, fingerprint: str, spark: SparkSession | None) -> Outcome | None:
    """The newest version, where it is what a run would publish; None where a run is needed."""
    newest = publish.newest_manifest(paths.table, spark)
    if newest is None or newest[1].get("fingerprint") != fingerprint or not _exists(newest[1]["model"]):
        return None
    version, manifest = newest[0], load_attached(newest[1], Attachments(paths.manifests))
    details = RunDetails.from_manifest(manifest).to_dict()
    return Outcome("unchanged", manifest["run_id"], paths.table, version, manifest["model"], manifest["rows"], details)


def _exists(model: str) -> bool:
    """Whether a saved model is still where the manifest says; for an address this is assumed."""
    return is_remote(model) or os.path.isdir(model)
