"""Build a published version again from the same inputs, and check that the rows are the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from traintable.addresses import is_catalog_name, sibling
from traintable.assemble.inputs import FROZEN_TEST, SOURCE, pin_inputs
from traintable.config.dataset import Config
from traintable.delta.attachments import Attachments, load_attached
from traintable.errors import ConfigError, InputMissing, TraintableError
from traintable.publish.history import read_manifest
from traintable.run.build import run
from traintable.run.manifest import software_versions
from traintable.run.outcome import Outcome
from traintable.run.provenance import code_of, input_of
from traintable.spark.progress import Progress

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class Rebuilt:
    """A version that was built again, and what differs in the software (name -> [then, now])."""

    outcome: Outcome
    differences: Mapping[str, Any]


def rebuild(
    table: str,
    version: int,
    *,
    to: str | None = None,
    spark: SparkSession | None = None,
    progress: Progress | None = None,
) -> Rebuilt:
    """Build a version of a training table again, as another table (`to`, else `<table>_rebuilt_<version>`).

    Costs a run. Raises InputMissing where an input version is gone or has other files, ConfigError where the version
    was not published by a run, and TraintableError where the content hash differs.
    """
    travelled = read_manifest(table, version, spark)
    if "config" not in {*travelled, *travelled.get("beside", {})} or "published" not in travelled.get("rows", {}):
        raise ConfigError(
            where=f"table {table} version {version}",
            expected="a version that `traintable run` published",
            found="a version of another origin, whose configuration is not known",
            remedy="`traintable history` lists the versions.",
        )
    manifest = load_attached(travelled, Attachments.of(table, travelled))
    config = _config_of(manifest, to or sibling(table, f"rebuilt_{version}"))
    _require_inputs(manifest["inputs"], config, spark)
    outcome = run(config, spark=spark, progress=progress)
    differences = {
        name: [then, now]
        for name, then, now in (
            ("libraries", manifest.get("libraries"), software_versions()),
            ("traintable", manifest.get("traintable"), code_of(config.root)["traintable"]),
        )
        if then != now
    }
    if outcome.details["content_hash"] != manifest["content_hash"]:
        raise TraintableError(
            where=f"table {table} version {version}, built again as {outcome.table}",
            expected=f"content hash {manifest['content_hash']}",
            found=f"{outcome.details['content_hash']}"
            + (f", with different versions of {', '.join(differences)}: {differences}" if differences else ""),
            remedy="Install the versions that the manifest names, and rebuild; or compare both tables by key.",
        )
    return Rebuilt(outcome, differences)


def _config_of(manifest: Mapping[str, Any], table: str) -> Config:
    """The configuration in a manifest, with each input at its version there, and another output."""
    data, inputs = dict(manifest["config"]), manifest["inputs"]

    def at(name: str) -> dict[str, Any]:
        return {"table": inputs[name]["table"], "version": inputs[name]["version"]}

    data["source"] = {**data["source"], **at(SOURCE)}
    data["joins"] = [{**join, **at(join["name"])} for join in data.get("joins", ())]
    if FROZEN_TEST in inputs:
        data["split"] = {**data["split"], "frozen_test": {**data["split"]["frozen_test"], **at(FROZEN_TEST)}}
    output = data["output"]
    kept = {name: value for name, value in output.items() if name == "features"}
    if is_catalog_name(table):  # which has no folder of its own
        folders = [name for name in ("model_dir", "staging_dir") if name in output]
        kept |= {name: f"{str(output[name]).rstrip('/')}_rebuilt" for name in folders}
    data["output"] = {**kept, "table": table}
    return Config.model_validate({**data, "root": "/"})


def _require_inputs(recorded: Mapping[str, Any], config: Config, spark: SparkSession | None) -> None:
    """Raise InputMissing for an input that has changed."""
    for name, pinned in pin_inputs(config, spark).items():
        now = input_of(pinned)
        changed = [key for key in ("committed", "files_hash") if now.get(key) != recorded[name].get(key)]
        if changed:
            raise InputMissing(
                where=f"{name}: table {pinned.table} version {pinned.version}",
                expected=f"{changed[0]} {recorded[name].get(changed[0])}",
                found=str(now.get(changed[0])),
                remedy="The table was created anew since. Restore the former one from a copy.",
            )
