"""The rows that a run would publish, and what the gate says of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from traintable import prepare, publish, quality
from traintable.assemble.rows import QUARANTINED
from traintable.columns import SPLITS
from traintable.config.dataset import Config
from traintable.delta.attachments import Attachments
from traintable.errors import InputMissing
from traintable.publish.candidate import Candidate, CandidateWrite
from traintable.quality.audit import FAILED, ROW
from traintable.quality.matrix import COUNTS
from traintable.quality.page import page
from traintable.quality.previous_version import PublishedVersion, compare_with_previous
from traintable.statistics.content_hash import hash_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from traintable.run.staging import Staging


@dataclass(frozen=True)
class Judged:
    """Rows that are written but not published, and the verdict on them.

    Attributes
    ----------
    content : the content hash of the rows to be published.
    published : their number in each split.
    classes : the number of rows of each class in each split, split -> class -> rows.
    n_set_aside : the number of rows that rules of level quarantine have set aside.
    kept : the names of the files beside the table that tell of it.
    """

    candidate: Candidate
    content: str
    published: Mapping[str, int]
    classes: Mapping[str, Mapping[str, int]]
    n_set_aside: int
    verdict: quality.Verdict
    version: PublishedVersion
    drift: Mapping[str, float]
    kept: Mapping[str, str] = field(default_factory=dict)

    @property
    def set_aside(self) -> dict[str, int]:
        """How many rows each rule of level quarantine has set aside; some rows more than one has."""
        found = {rule["id"]: rule["rows"] for rule in self.verdict.rules if rule["level"] == "quarantine"}
        return {name: n for name, n in found.items() if n}

    @property
    def removed(self) -> DataFrame:
        """The rows that were set aside, as `publish.write_quarantine` takes them."""
        reasons = F.transform(FAILED, lambda name: F.concat(F.lit("gate:"), name))
        failed = self.candidate.audited.where(F.size(FAILED) > 0)
        return failed.select(F.lit(QUARANTINED).alias("kind"), reasons.alias("reasons"), F.col(ROW).alias("row"))

    def put(
        self, beside: Attachments, *, config: Config, run_id: str, table: str, before: PublishedVersion | None
    ) -> Judged:
        """Keep the result, its page, the schema and the summary of the features beside the table."""
        result = {
            "name": config.name,
            "run_id": run_id,
            "table": table,
            "refused": bool(self.verdict.refusals),
            "rules": list(self.verdict.rules),
            "rows": {part: self.published.get(part, 0) for part in SPLITS},
            "before": {} if before is None else dict(before.rows),
            "quarantined": self.n_set_aside,
            "features": self.candidate.summary.described(),
            "drift": dict(self.drift),
        }
        kept = {
            "gate": beside.put_json(result),
            "page": beside.put(page(result).encode(), "html"),
            "summary": beside.put(self.candidate.summary.to_bytes(), "json.gz"),
            "schema": beside.put_json(_described(self.version)),
        }
        return replace(self, kept=kept)


def judge(
    features: DataFrame,
    names: Sequence[str],
    config: Config,
    table: str,
    files: Staging,
    *,
    before: PublishedVersion | None,
    allow: Collection[str],
) -> Judged:
    """Write the rows of `features` as files of the table that no commit names, and let the gate look at them.

    Costs one pass over the rows, in which they are written, and narrow passes over what the gate looks at.
    """
    gate, key, label = config.gate, config.source.key, config.label
    audited = quality.with_rule_columns(features, gate, key=key, label=label.name, features=names)
    gated = quality.gate_columns([*audited.columns, *COUNTS], gate, key=key, label=label.name)
    pending = CandidateWrite(
        audited,
        table,
        published=features.columns,
        gated=gated,
        features=names,
        folder=files.folder,
        hold=files.write,
    )
    with pending.discarded_on_error():
        return _judged(pending, features, names, config, table, before=before, allow=allow)


def _judged(
    pending: CandidateWrite,
    features: DataFrame,
    names: Sequence[str],
    config: Config,
    table: str,
    *,
    before: PublishedVersion | None,
    allow: Collection[str],
) -> Judged:
    gate, key, label = config.gate, config.source.key, config.label
    verdict = quality.check(pending, gate, key=key, label=label.name, classes=label.classes, n_features=len(names))
    candidate = pending.candidate
    assert candidate is not None
    tally = candidate.tally
    published = {part: tally.rows[part] for part in SPLITS if tally.rows[part]}
    classes = {part: _classes(tally, part, label.classes) for part in SPLITS}
    n_published = sum(published.values())
    content = hash_of(features, n_published, tally.hashes)
    now = _version(features, names, config, published, candidate)
    verdict += [_share_set_aside(tally.n_set_aside, n_published, gate.max_quarantined)]
    index: dict[str, float] = {}
    if before is not None:
        index = before.drift(now)
        verdict += compare_with_previous(before, now, index, gate.drift, allow)
    return Judged(candidate, content, published, classes, tally.n_set_aside, verdict, now, index)


def _classes(tally: quality.Tally, part: str, classes: Sequence[int | str]) -> dict[str, int]:
    found = {str(answer): tally.classes[f"{part}/{answer}"] for answer in classes}
    return {answer: n for answer, n in found.items() if n}


def _share_set_aside(n: int, n_published: int, most: float) -> dict[str, Any]:
    share = n / (n + n_published) if n else 0.0
    return {
        "id": "quarantined",
        "rule": f"at most {most:.1%} of the rows set aside by rules of level quarantine",
        "column": "the table",
        "level": "fail",
        "success": share <= most,
        "found": f"{share:.1%}, {n:,} rows",
        "arguments": {},
        "rows": None,
    }


def _version(
    features: DataFrame, names: Sequence[str], config: Config, published: Mapping[str, int], candidate: Candidate
) -> PublishedVersion:
    columns = {f.name: f.dataType.simpleString() for f in features.schema if f.name not in names}
    inputs = sorted(prepare.inputs(config.prepare))
    return PublishedVersion(None, columns, names, inputs, published, candidate.summary)


def _described(version: PublishedVersion) -> dict[str, Any]:
    """What a manifest says of a version, for the one after it."""
    return {"columns": dict(version.columns), "features": list(version.features), "inputs": list(version.inputs)}


def version_before(table: str, beside: Attachments, spark: SparkSession) -> PublishedVersion | None:
    """The newest version with a manifest that tells of it, whatever others have written since; None without one."""
    try:
        found = [(one["version"], one["manifest"]) for one in publish.history(table, spark)]
    except InputMissing:
        return None
    told = next(((number, manifest) for number, manifest in found if manifest and "beside" in manifest), None)
    if told is None:
        return None
    number, manifest = told
    rows = manifest["rows"]["published"]
    try:
        schema = beside.get_json(manifest["beside"]["schema"])
        summary = quality.FeatureSummary.from_bytes(beside.get(manifest["beside"]["summary"]))
    except InputMissing:  # the folder was lost or left behind: rows can still be compared, and all features are new
        return PublishedVersion(number, {}, (), (), rows)
    return PublishedVersion(number, schema["columns"], schema["features"], schema["inputs"], rows, summary)
