"""Analyse the rows that a configuration describes, and propose a plan for them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from traintable import analyse, split
from traintable.addresses import is_catalog_name, is_remote, resolve, sibling
from traintable.analyse import decisions, report
from traintable.assemble.rows import KIND, assemble, pin_inputs
from traintable.columns import SPLIT, TRAIN, quote
from traintable.config.dataset import Against, Config
from traintable.config.plan import Feature, Plan
from traintable.contract.rows import REASONS
from traintable.delta.pin import pin, read_pinned
from traintable.errors import ConfigError, InputMissing
from traintable.run.places import Places
from traintable.run.staging import Staging, staging
from traintable.spark.errors import translate_spark_errors
from traintable.spark.progress import Progress
from traintable.spark.session import get_spark, pinned_settings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

PROFILE, REPORT, PLAN, PROPOSED = "profile.json", "report.html", "plan.yaml", "plan.proposed.yaml"
_OWN = (KIND, REASONS, "_unparsed")


def analyse_table(
    config: Config, *, plan: Path | None = None, spark: SparkSession | None = None, progress: Progress | None = None
) -> dict[str, Any]:
    """Profile the rows of train, write a report, and propose a plan; gives what the JSON line of the command says.

    Beside the training table, in `<table>_analysis`, lie `profile.json`, `report.html`, the plan as it was proposed
    (`plan.proposed.yaml`), and the plan itself unless `plan` names another file for it. A plan that is there is merged:
    edits stay, and what has changed is told. Costs one pass to write the joined rows, four over those of train, and
    what the guards against leaks cost.
    """
    progress = progress or Progress(quiet=True)
    with progress.stage("pin inputs"):
        pinned = pin_inputs(config, spark)
        places = Places.of(config, "analysis")
        folder = _folder(config)
    with progress.stage("start Spark"):
        spark = progress.spark = spark or get_spark()
    with (
        pinned_settings(spark),
        translate_spark_errors(f"analysis for {places.table}"),
        staging(spark, places.staging) as files,
    ):
        with progress.stage("read, join, label, split"):
            rows = assemble(spark, config, pinned, held=lambda found: files.write(found, "assembled"))
            rows = files.write(rows.where(F.col(SPLIT).isNotNull()).drop(*_OWN), "rows", partition_by=[SPLIT])
            train = rows.where(F.col(SPLIT) == TRAIN).drop(SPLIT)
            _require_rows(train, config)
        late = _unavailable(config, train.columns)
        reference, against = None, ""
        if config.analysis.against is not None:
            with progress.stage("read what to compare with"):
                reference, against = _reference(spark, config, config.analysis.against, files)
        with progress.stage("look for leaks"):
            leaks = _leaks(config, rows, late)
        with progress.stage("profile"):
            found = analyse.profile(
                train.drop(*late),
                label=config.label.name,
                time=_time(config, train.columns, late),
                partition=config.analysis.partition,
                key=config.source.key,
                seed=config.seed,
                name=config.name,
                leaks=leaks,
                reference=None if reference is None else reference.drop(*late),
                against=against,
            ).to_dict()
        with progress.stage("decide and report"):
            return _written(found, folder, plan or folder / PLAN, late, config)


def _reference(spark: SparkSession, config: Config, asked: Against, files: Staging) -> tuple[DataFrame, str]:
    """The rows to compare those of train with, and what they are called."""
    if asked.table is not None:
        pinned = pin(resolve(asked.table, config.root), asked.version, spark=spark)
        return read_pinned(spark, pinned), f"{asked.table}@{pinned.version}"
    source = config.source.model_copy(update={"version": asked.version})
    earlier = config.model_copy(update={"source": source})
    rows = assemble(
        spark, earlier, pin_inputs(earlier, spark), held=lambda found: files.write(found, "assembled_reference")
    )
    rows = files.write(rows.where(F.col(SPLIT) == TRAIN).drop(SPLIT, *_OWN), "reference")
    return rows, f"{config.source.table}@{asked.version}"


def _folder(config: Config) -> Path:
    table = resolve(config.output.table, config.root)
    if is_catalog_name(table) or is_remote(table):
        raise ConfigError(
            where="output.table",
            expected="a local path, beside which the analysis is written",
            found=f"'{table}'",
            remedy="Analyse with `--set output.table=FOLDER/NAME`; the training table itself may lie anywhere.",
        )
    return Path(sibling(table, "analysis"))


def _require_rows(train: DataFrame, config: Config) -> None:
    if train.isEmpty():
        raise InputMissing(
            where=f"table {config.source.table}",
            expected="rows of train to analyse",
            found="none",
            remedy="Check `source.where`, the label and the split.",
        )


def _unavailable(config: Config, columns: list[str]) -> dict[str, str]:
    """Column -> why it can be no feature: it is not known when the prediction is made."""
    own = {config.label.name, *config.source.key, SPLIT}
    everything = {name: Feature() for name in columns if name not in own}
    asked = config.model_copy(update={"prepare": Plan.model_construct(features=everything)})
    return {finding.columns[0]: finding.message for finding in split.unavailable_features(asked)}


def _time(config: Config, columns: list[str], late: Mapping[str, str]) -> str | None:
    declared = config.split.time.column if config.split.time else None
    return declared if declared in columns and declared not in late else None


def _leaks(config: Config, rows: DataFrame, late: Mapping[str, str]) -> list[split.FindingRecord]:
    """What the guards find among the columns that may be features."""
    own = {config.label.name, *config.source.key, SPLIT, *late}
    readable = ("string", "boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "decimal")
    features = [name for name, kind in rows.dtypes if name not in own and kind.startswith(readable)]
    findings = split.examine(
        rows.select(
            *[quote(name) for name in dict.fromkeys([*features, *config.source.key, config.label.name, SPLIT])]
        ),
        label=config.label.name,
        key=config.source.key,
        features=features,
        seed=config.seed,
        limits=config.leakage.limits,
    )
    return split.manifest_findings(findings, config.leakage.allow)


def _written(
    profile: dict[str, Any], folder: Path, plan: Path, late: Mapping[str, str], config: Config
) -> dict[str, Any]:
    """Write the files; `unchanged` when they are what they were."""
    new = decisions.decide(profile, unavailable=late)
    last = decisions.read(folder / PROPOSED) if (folder / PROPOSED).is_file() else None
    merged, changes = decisions.merge(decisions.read(plan), last, new) if plan.is_file() else (new, [])
    text = decisions.to_yaml(merged)
    Plan.model_validate(merged)
    files = {
        folder / PROFILE: json.dumps(profile, ensure_ascii=False, allow_nan=False),
        folder / REPORT: report.html(profile, text),
        folder / PROPOSED: decisions.to_yaml(new),
        plan: text,
    }
    before = {path: path.read_text(encoding="utf-8") if path.is_file() else None for path in files}
    folder.mkdir(parents=True, exist_ok=True)
    for path, content in files.items():
        path.write_text(content, encoding="utf-8")
    return {
        "status": "unchanged" if before == files else "published",
        "table": resolve(config.output.table, config.root),
        "report": str(folder / REPORT),
        "profile": str(folder / PROFILE),
        "plan": str(plan),
        "rows": {"read": profile["rows"]},
        "features": len(merged["features"]),
        "dropped": len(merged.get("drop") or {}),
        "headlines": profile["headlines"],
        "changes": [change.to_dict() for change in changes],
    }
