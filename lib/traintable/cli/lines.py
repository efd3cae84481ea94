"""What the commands print for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from traintable.columns import SPLITS

if TYPE_CHECKING:  # each command imports what it needs, when it is called
    from traintable.delta.manifest import Manifest
    from traintable.ingest.job import IngestResult
    from traintable.ingest.replay import ReplayResult
    from traintable.publish.difference import VersionDifference
    from traintable.publish.erasure.forget import ErasureResult
    from traintable.publish.history import HistoryEntry
    from traintable.publish.vacuum import VacuumResult
    from traintable.run.analyse import AnalysisResult
    from traintable.run.outcome import Outcome
    from traintable.run.sample import SampleResult


def outcome_text(outcome: Outcome) -> str:
    """What a run has published, and what became of each row it read; several lines."""
    rows, details = outcome.rows or {}, outcome.details
    published = rows["published"]
    splits = ", ".join(f"{split} {published[split]:,}" for split in SPLITS)
    text = f"{outcome.status}: {outcome.table} version {outcome.version}"
    text += f"\n  {splits} rows, {details['features']} features"
    text += f"\n  {rows['read']:,} read = {sum(published.values()):,} published"
    text += f" + {rows['quarantined']:,} quarantined + {rows['filtered']:,} filtered"
    for reason, n in sorted(details["reasons"].items(), key=lambda item: -item[1]):
        text += f"\n    {n:>8,} {reason}"
    return text


def difference_lines(difference: VersionDifference) -> list[str]:
    """How two versions differ, in lines."""
    rows = difference["rows"]
    lines = [f"rows: {rows['same']:,} same, {rows['changed']:,} changed"]
    lines[0] += f", {rows['only_a']:,} only in the first, {rows['only_b']:,} only in the second"
    lines += [f"  {n:,} {moved}" for moved, n in rows["moved"].items()]
    for what, names in (("columns", difference["columns"]), ("features", difference["features"])):
        lines += [f"{what}: - {name}" for name in names["only_a"]] + [f"{what}: + {name}" for name in names["only_b"]]
    lines += [f"columns: {name} {then} -> {now}" for name, (then, now) in difference["columns"]["changed"].items()]
    most = sorted(difference["drift"].items(), key=lambda item: -item[1])[:10]
    lines += [f"drift: {name} {index:.3f}" for name, index in most if index > 0]
    for what, settings in (
        ("config", difference["config"]),
        ("inputs", difference["inputs"]),
        ("libraries", difference["libraries"]),
        ("code", difference["code"]),
    ):
        lines += [f"{what}.{name}: {then} -> {now}" for name, (then, now) in settings.items()]
    return lines


def landing_lines(result: IngestResult | ReplayResult) -> list[str]:
    """How many records were landed and quarantined, in lines."""
    rows = result["rows"]
    lines = [f"{result['status']}: {result['table']} version {result['version']}"]
    if result["status"] == "published":
        lines.append(f"  {rows['read']:,} read = {rows['accepted']:,} accepted + {rows['quarantined']:,} quarantined")
    if rows["quarantined"]:
        lines.append(f"  quarantine: {result['quarantine']}")
    if "unreadable" in result:
        lines += [f"  not readable, waiting: {name}" for name in result["unreadable"]]
    return lines


def analysis_lines(result: AnalysisResult) -> list[str]:
    """The headlines of an analysis, and how the plan has changed, in lines."""
    lines = [f"{result['status']}: {result['report']}"]
    lines += [f"  {headline['title']}. {headline['text']}" for headline in result["headlines"]]
    lines.append(f"plan: {result['plan']} ({result['features']} features, {result['dropped']} columns left out)")
    for change in result["changes"]:
        outcome = "your edit is kept" if change["kept"] else "updated"
        lines.append(f"  {change['where']}: {change['before']} -> {change['after']} ({outcome})")
    return lines


def vacuum_lines(result: VacuumResult) -> list[str]:
    """What was removed and what was kept, in lines."""
    removed, verb = result["removed"], "to be removed" if result["dry_run"] else "removed"
    lines = [f"{verb}: {removed['files']:,} files, {removed['bytes']:,} bytes"]
    lines += [f"  kept by {by}: {n['files']:,} files of version {n['version']}" for by, n in result["kept"].items()]
    if result["unreadable"]:
        numbers = ", ".join(str(version["version"]) for version in result["unreadable"])
        lines.append(f"  {'' if not result['dry_run'] else 'then '}not readable any more: {numbers}")
    return lines


def erasure_lines(result: ErasureResult) -> list[str]:
    """What was erased, and what is left to check, in lines; the key is in none of them."""
    lines = [f"{result['status']}: {len(result['deleted']):,} files replaced or removed"]
    for version in result["versions"]:
        rows = "an unknown number of" if version["rows"] is None else f"{version['rows']:,}"
        lines.append(f"  version {version['version']}: {rows} rows{'' if version['readable'] else ', not readable'}")
    lines += [f"  a model was fitted on such rows: {model}" for model in result["models"]]
    lines += [f"  not searched: {place}" for place in result["not_searched"]]
    proof = result["proof"]
    lines.append(f"  searched {proof['files']:,} files, {proof['bytes']:,} bytes: found {proof['found']}")
    return lines


def version_line(commit: HistoryEntry) -> str:
    """One version of a history: when it was committed, by what, and what is in it."""
    manifest = commit["manifest"]
    head = f"{commit['version']:>4}  {commit['timestamp'][:19]}  "
    if manifest is None:
        return f"{head}{commit['operation']}"
    if "published" not in manifest.get("rows", {}):
        return head + _sample_text(manifest)
    published = [f"{split} {manifest['rows']['published'][split]:,}" for split in SPLITS]
    inputs = ", ".join(f"{name}@{table['version']}" for name, table in manifest["inputs"].items())
    return (
        f"{head}{', '.join(published)}, {manifest['features']} features, {manifest['content_hash'][:12]}, from {inputs}"
    )


def _sample_text(manifest: Manifest) -> str:
    """What is in a version that is a sample, or the state of a reservoir."""
    if "rows" not in manifest:
        return f"reservoir of {manifest['reservoir']['n']:,}" if "reservoir" in manifest else "another manifest"
    rows, source = manifest["rows"], manifest["inputs"]["source"]
    drawn = f"{rows['drawn']:,} of {rows['read']:,} rows, {manifest['method']}"
    return f"{drawn}, {manifest['content_hash'][:12]}, from source@{source['version']}"


def sample_lines(result: SampleResult) -> list[str]:
    """What a draw has come to, in lines."""
    rows = result["rows"]
    first = f"{result['status']}: {result['table']} version {result['version']}"
    return [first, f"  {rows['drawn']:,} of {rows['read']:,} rows, {result['method']}"]
