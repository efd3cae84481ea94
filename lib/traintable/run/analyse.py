"""Analyse the rows that a configuration describes, and propose a plan for them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from pydantic import ValidationError
from pyspark.sql import functions as F

from traintable import analyse, split
from traintable.addresses import is_catalog_name, is_remote, resolve, sibling
from traintable.analyse import decisions, report
from traintable.analyse.document import Headline, ProfileDocument, ProposedPlan
from traintable.assemble import assemble, pin_inputs
from traintable.assemble.labelled_rows import KIND
from traintable.columns import SPLIT, TRAIN, quote
from traintable.config.dataset import Against, Config
from traintable.config.document import explain
from traintable.config.plan import Feature, Plan
from traintable.contract.rows import REASONS
from traintable.delta.manifest import LeakageFinding
from traintable.delta.pinned_input import PinnedInput, pin_input, read_pinned
from traintable.errors import ConfigError, InputMissing
from traintable.run.output_paths import OutputPaths
from traintable.run.staging import Staging, staging
from traintable.spark.errors import translate_spark_errors
from traintable.spark.progress import Progress
from traintable.spark.session import get_spark, pinned_settings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

PROFILE, REPORT, PLAN, PROPOSED = "profile.json", "report.html", "plan.yaml", "plan.proposed.yaml"
_OWN = (KIND, REASONS, "_unparsed")


class RowsRead(TypedDict):
    """Rows that were analysed."""

    read: int


class AnalysisResult(TypedDict):
    """What the JSON line of `traintable analyse` says; `features` and `dropped` are numbers of columns."""

    status: str
    table: str
    report: str
    profile: str
    plan: str
    rows: RowsRead
    features: int
    dropped: int
    headlines: list[Headline]
    changes: list[decisions.ChangeRecord]


def analyse_table(
    config: Config, *, plan: Path | None = None, spark: SparkSession | None = None, progress: Progress | None = None
) -> AnalysisResult:
    """Profile the rows of train, write a report, and propose a plan; gives what the JSON line of the command says.

    Next to the training table, in `<table>_analysis`, lie `profile.json`, `report.html`, the plan as it was proposed
    (`plan.proposed.yaml`), and the plan itself unless `plan` names another file for it. A plan that is there is merged:
    edits and comments stay, and `changes` says what is new. Costs one pass to write the joined rows, four over those of
    train, and what the guards against leaks cost.

    Raises ConfigError when the output is no local path or the edited plan is wrong, and InputMissing when train has no
    rows.
    """
    progress = progress or Progress(quiet=True)
    with progress.stage("pin inputs"):
        pinned = pin_inputs(config, spark)
        reference_inputs = _pin_reference(config, spark)
        paths = OutputPaths.of(config, "analysis")
        folder = _folder(config)
        plan = plan or folder / PLAN
        if plan.is_file():
            _check_plan(decisions.read(plan), plan)
    with progress.stage("start Spark"):
        spark = progress.spark = spark or get_spark()
    with (
        pinned_settings(spark),
        translate_spark_errors(f"analysis for {paths.table}"),
        staging(spark, paths.staging) as files,
    ):
        with progress.stage("read, join, label, split"):
            rows = assemble(spark, config, pinned, checkpoint=lambda df: files.write(df, "assembled"))
            rows = files.write(rows.where(F.col(SPLIT).isNotNull()).drop(*_OWN), "rows", partition_by=[SPLIT])
            train = rows.where(F.col(SPLIT) == TRAIN).drop(SPLIT)
            _require_rows(train, config)
        late = _unavailable(config, train.columns)
        reference, against = None, ""
        if config.analysis.against is not None:
            with progress.stage("read what to compare with"):
                reference, against = _reference(spark, config, config.analysis.against, reference_inputs, files)
        with progress.stage("look for leaks"):
            leaks = _leaks(config, rows, late)
        with progress.stage("profile"):
            profile = analyse.profile(
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
            return _write(profile, folder, plan, late, config)


def _pin_reference(config: Config, spark: SparkSession | None) -> dict[str, PinnedInput]:
    """The versions to compare with, so that one that is missing is known before the work begins."""
    against = config.analysis.against
    if against is None:
        return {}
    if against.table is not None:
        return {"analysis.against": pin_input(resolve(against.table, config.root), against.version, spark=spark)}
    return pin_inputs(_earlier(config, against), spark)


def _earlier(config: Config, against: Against) -> Config:
    """The configuration of the rows as they were in another version of the source."""
    return config.model_copy(update={"source": config.source.model_copy(update={"version": against.version})})


def _reference(
    spark: SparkSession, config: Config, against: Against, pinned: dict[str, PinnedInput], files: Staging
) -> tuple[DataFrame, str]:
    """The rows to compare those of train with, and what they are called."""
    if against.table is not None:
        [table] = pinned.values()
        return read_pinned(spark, table), f"{against.table}@{table.version}"
    rows = assemble(
        spark, _earlier(config, against), pinned, checkpoint=lambda df: files.write(df, "assembled_reference")
    )
    rows = files.write(rows.where(F.col(SPLIT) == TRAIN).drop(SPLIT, *_OWN), "reference")
    return rows, f"{config.source.table}@{against.version}"


def _folder(config: Config) -> Path:
    table = resolve(config.output.table, config.root)
    if is_catalog_name(table) or is_remote(table):
        raise ConfigError(
            where="output.table",
            expected="a local path, next to which the analysis is written",
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
    all_features = config.model_copy(update={"prepare": Plan.model_construct(features=everything)})
    return {finding.columns[0]: finding.message for finding in split.unavailable_features(all_features)}


def _time(config: Config, columns: list[str], late: Mapping[str, str]) -> str | None:
    declared = config.split.time.column if config.split.time else None
    return declared if declared in columns and declared not in late else None


def _leaks(config: Config, rows: DataFrame, late: Mapping[str, str]) -> list[LeakageFinding]:
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


def _write(
    profile: ProfileDocument, folder: Path, plan: Path, late: Mapping[str, str], config: Config
) -> AnalysisResult:
    """Write the files; `unchanged` when they are what they were."""
    new = decisions.decide(profile, unavailable=late)
    text, checked, changes = _merge(plan, folder / PROPOSED, new)
    files = {
        folder / PROFILE: json.dumps(profile, ensure_ascii=False, allow_nan=False),
        folder / REPORT: report.html(profile, text),
        folder / PROPOSED: decisions.to_yaml(new),
        plan: text,
    }
    earlier = {path: path.read_text(encoding="utf-8") if path.is_file() else None for path in files}
    folder.mkdir(parents=True, exist_ok=True)
    for path, content in files.items():
        path.write_text(content, encoding="utf-8")
    return {
        "status": "unchanged" if earlier == files else "published",
        "table": resolve(config.output.table, config.root),
        "report": str(folder / REPORT),
        "profile": str(folder / PROFILE),
        "plan": str(plan),
        "rows": {"read": profile["rows"]},
        "features": len(checked.features),
        "dropped": len(checked.drop),
        "headlines": profile["headlines"],
        "changes": [change.to_dict() for change in changes],
    }


def _merge(path: Path, last: Path, new: ProposedPlan) -> tuple[str, Plan, list[decisions.Change]]:
    """The text of the plan, the plan, and what has changed; a plan at `path` keeps what a person has edited."""
    if path.is_file():
        edited = decisions.read(path)
        merged, changes = decisions.merge(edited, decisions.read(last) if last.is_file() else None, new)
        text = decisions.rewrite(path.read_text(encoding="utf-8"), edited, merged)
    else:
        merged, changes, text = new, [], decisions.to_yaml(new)
    return text, _check_plan(merged, path), changes


def _check_plan(plan: Mapping[str, object], path: Path) -> Plan:
    """The plan that a file holds, or that is to be written to it; raises ConfigError when it can't be carried out."""
    try:
        return Plan.model_validate(plan)
    except ValidationError as error:
        raise explain(error, str(path), Plan) from None
