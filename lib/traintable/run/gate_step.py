"""Write the rows that a run would publish, and let the gate check them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from traintable import prepare, publish, quality
from traintable.assemble.labelled_rows import QUARANTINED
from traintable.columns import SPLITS
from traintable.config.dataset import Config
from traintable.delta.attachments import Attachments
from traintable.delta.manifest import Attached, Manifest
from traintable.errors import InputMissing
from traintable.publish.candidate import Candidate, CandidateWrite
from traintable.quality import PublishedVersion, RuleResult
from traintable.quality.audit import FAILED, ROW
from traintable.quality.page import GateReport
from traintable.statistics.content_hash import hash_of
from traintable.table_columns import TableColumns

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from traintable.run.staging import Staging


@dataclass(frozen=True)
class GateOutcome:
    """Rows that are written but not published, and the gate's verdict on them.

    Attributes
    ----------
    candidate : the files with the rows.
    content_hash : the hash of the rows to be published.
    published : their number in each split.
    classes : how many of them each class has in each split: split -> class -> rows.
    n_quarantined : how many rows break rules of level quarantine, and are not to be published.
    version : what the next version is compared with.
    drift : the population stability index of the features, against the previous version.
    previous_rows : how many rows the previous version has in each split; empty without one.
    """

    candidate: Candidate
    content_hash: str
    published: Mapping[str, int]
    classes: dict[str, dict[str, int]]
    n_quarantined: int
    verdict: quality.Verdict
    version: PublishedVersion
    drift: Mapping[str, float]
    previous_rows: Mapping[str, int]

    @property
    def reasons(self) -> dict[str, int]:
        """How many rows break each rule of level quarantine, by the reason they get; some rows break several."""
        rules = [rule for rule in self.verdict.rules if rule.level == "quarantine"]
        return {f"gate:{rule.id}": rule.rows for rule in rules if rule.rows}

    @property
    def quarantined_rows(self) -> DataFrame:
        """The rows that break rules of level quarantine, as the quarantine takes them."""
        reasons = F.transform(FAILED, lambda name: F.concat(F.lit("gate:"), name))
        failed = self.candidate.audited.where(F.size(FAILED) > 0)
        return failed.select(F.lit(QUARANTINED).alias("kind"), reasons.alias("reasons"), F.col(ROW).alias("row"))

    def attach(self, attachments: Attachments, *, name: str, run_id: str, table: str) -> Attached:
        """Write the result, its page, the schema and the summary of the features; returns the names of the files."""
        report = GateReport(
            name,
            run_id,
            table,
            self.verdict,
            {split: self.published.get(split, 0) for split in SPLITS},
            self.previous_rows,
            self.n_quarantined,
            self.candidate.summary.describe(),
            self.drift,
        )
        return {
            "gate": attachments.put_json(report.to_dict()),
            "page": attachments.put(report.page().encode(), "html"),
            "summary": attachments.put(self.candidate.summary.to_bytes(), "json.gz"),
            "schema": attachments.put_json(_describe_schema(self.version)),
        }


def run_gate(
    rows: DataFrame,
    columns: TableColumns,
    config: Config,
    table: str,
    files: Staging,
    *,
    previous: PublishedVersion | None,
    allow: Collection[str],
) -> GateOutcome:
    """Write the rows of a training table as files that no commit names, and let the gate check them.

    Costs one pass, in which the rows are computed and written, and narrow passes over what the gate reads. When it
    raises an error the files are removed.
    """
    audited = quality.with_rule_columns(rows, config.gate, columns)
    pending = CandidateWrite(
        audited,
        table,
        columns=columns,
        gate_columns=quality.gate_columns(config.gate, columns),
        folder=files.folder,
        hold=files.write,
    )
    with pending.discard_on_error():
        verdict = quality.check(pending, config.gate, columns, classes=config.label.classes)
        candidate = pending.candidate
        assert candidate is not None
        return _outcome(candidate, verdict, rows, columns, config, previous=previous, allow=allow)


def _outcome(
    candidate: Candidate,
    verdict: quality.Verdict,
    rows: DataFrame,
    columns: TableColumns,
    config: Config,
    *,
    previous: PublishedVersion | None,
    allow: Collection[str],
) -> GateOutcome:
    """The verdict with the rules that need all counts: on quarantined rows, and on the previous version."""
    tally = candidate.tally
    published = {split: tally.rows[split] for split in SPLITS if tally.rows[split]}
    n_published = sum(published.values())
    classes = {split: _classes(tally, split, config.label.classes) for split in SPLITS}
    version = _new_version(rows, columns, config, published, candidate)
    verdict += [_share_quarantined(tally.n_quarantined, n_published, config.gate.max_quarantined)]
    drift: dict[str, float] = {}
    if previous is not None:
        drift = previous.drift(version)
        verdict += quality.compare_with_previous(previous, version, drift, config.gate.drift, allow)
    return GateOutcome(
        candidate,
        hash_of(rows.select(*columns.hashed), n_published, tally.hashes),
        published,
        classes,
        tally.n_quarantined,
        verdict,
        version,
        drift,
        {} if previous is None else previous.rows,
    )


def _classes(tally: quality.Tally, split: str, classes: Sequence[int | str]) -> dict[str, int]:
    counts = {str(answer): tally.classes[f"{split}/{answer}"] for answer in classes}
    return {answer: n for answer, n in counts.items() if n}


def _share_quarantined(n: int, n_published: int, most: float) -> RuleResult:
    share = n / (n + n_published) if n else 0.0
    return RuleResult(
        id="quarantined",
        rule=f"at most {most:.1%} of the rows quarantined by rules of level quarantine",
        success=share <= most,
        found=f"{share:.1%} ({n:,} rows)",
    )


def _new_version(
    rows: DataFrame, columns: TableColumns, config: Config, published: Mapping[str, int], candidate: Candidate
) -> PublishedVersion:
    types = {f.name: f.dataType.simpleString() for f in rows.schema if f.name not in columns.features}
    inputs = sorted(prepare.inputs(config.prepare))
    return PublishedVersion(None, types, columns.features, inputs, published, candidate.summary)


def _describe_schema(version: PublishedVersion) -> dict[str, Any]:
    """The schema of a version, for the comparison with the next one."""
    return {"columns": dict(version.columns), "features": list(version.features), "inputs": list(version.inputs)}


def previous_version(table: str, attachments: Attachments, spark: SparkSession) -> PublishedVersion | None:
    """The newest version that a run published, whatever others have written since; None where there is none."""
    try:
        commits = publish.history(table, spark)
    except InputMissing:
        return None
    for commit in commits:
        manifest = commit["manifest"]
        if manifest and "beside" in manifest:
            return _version_of(commit["version"], manifest, attachments)
    return None


def _version_of(number: int, manifest: Manifest, attachments: Attachments) -> PublishedVersion:
    rows, files = manifest["rows"]["published"], manifest["beside"]
    try:
        schema = attachments.get_json(files["schema"])
        summary = quality.FeatureSummary.from_bytes(attachments.get(files["summary"]))
    except InputMissing:  # the folder is lost: rows can still be compared, and all features are new
        return PublishedVersion(number, {}, (), (), rows)
    return PublishedVersion(number, schema["columns"], schema["features"], schema["inputs"], rows, summary)
