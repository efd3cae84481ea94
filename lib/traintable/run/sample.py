"""Draw a sample of one table and publish it as the next version of another."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Callable
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pyspark
from pyspark.sql import functions as F
from typing_extensions import Required, TypedDict

import traintable
from traintable import publish, sample
from traintable.addresses import is_catalog_name, resolve, sibling
from traintable.columns import SPLIT, nearest
from traintable.config.sample import SampleConfig
from traintable.delta.manifest import Manifest, RowCounts
from traintable.delta.pinned_input import PinnedInput, pin_input, read_pinned
from traintable.delta.table import Table
from traintable.errors import ConfigError, InputMissing
from traintable.run.staging import staging, writing
from traintable.spark.errors import translate_spark_errors
from traintable.spark.progress import Progress
from traintable.spark.session import get_spark, pinned_settings
from traintable.statistics import content_hash

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


class SampleResult(TypedDict, total=False):
    """What the JSON line of the command says; `seconds` by stage, where there was something to do."""

    status: Required[str]
    run_id: Required[str]
    table: Required[str]
    version: Required[int]
    model: Required[None]
    rows: Required[RowCounts]
    method: str
    seed: int
    content_hash: str
    fingerprint: str
    seconds: dict[str, float]


def draw_sample(
    config: SampleConfig, *, spark: SparkSession | None = None, progress: Progress | None = None
) -> SampleResult:
    """Draw the sample that `config` describes and publish it in one commit, unless nothing has changed.

    Returns what the JSON line of the command says. Raises a TraintableError for whatever stops it; then nothing is
    published. Costs what the method costs, and the drawn rows are written twice: first to private files, so that their
    number and content hash are known when they are committed.
    """
    progress = progress or Progress(quiet=True)
    called = _bound(config)
    table = resolve(config.output.table, config.root)
    staged = _staging_folder(config, table)
    with progress.stage("pin inputs"):
        pinned = pin_input(resolve(config.source.table, config.root), config.source.version, spark=spark)
        fingerprint = _fingerprint(config, pinned)
        newest = publish.newest_manifest(table, spark)
    if newest is not None and newest[1].get("fingerprint") == fingerprint:
        return _result("unchanged", table, *newest)
    run_id = f"{datetime.now(timezone.utc):%Y%m%dT%H%M%S%fZ}-{fingerprint[:8]}"
    with progress.stage("start Spark"):
        spark = progress.spark = spark or get_spark()
    with (
        pinned_settings(spark),
        translate_spark_errors(f"sample for {table}"),
        staging(spark, f"{staged}/{run_id}") as files,
    ):
        with progress.stage(f"draw: {config.sample.method}"):
            rows = read_pinned(spark, pinned, where=config.source.where)
            read = rows.count()
            if not read:
                raise InputMissing(
                    where=f"table {pinned.table}", expected="rows", found="none", remedy="Check `source`."
                )
            drawn = files.write(called(rows), "rows")
            content, counts = content_hash(drawn.withColumn(SPLIT, F.lit("sample")))
        manifest: Manifest = {
            "traintable": traintable.__version__,
            "run_id": run_id,
            "name": config.name,
            "inputs": {"source": pinned.to_dict()},
            "config": config.model_dump(mode="json", exclude={"root"}, exclude_defaults=True),
            "method": config.sample.method,
            "seed": config.seed,
            "rows": {"read": read, "drawn": sum(counts.values())},
            "content_hash": content,
            "fingerprint": fingerprint,
        }
        with progress.stage("publish"), writing(table):
            status, version, manifest = _publish(drawn, table, manifest)
    result = _result(status, table, version, manifest)
    if status == "published":
        result["seconds"] = progress.seconds
    return result


def _bound(config: SampleConfig) -> Callable[[DataFrame], DataFrame]:
    """The function with its parameters; ConfigError when it takes others."""
    function: Callable[..., DataFrame] = getattr(sample, config.sample.method)
    takes = list(inspect.signature(function).parameters.values())[1:]
    own = {"seed": config.seed, **({"key": config.source.key} if any(p.name == "key" for p in takes) else {})}
    given, known = config.sample.parameters, {p.name for p in takes} - own.keys()
    unknown = sorted(given.keys() - known)
    if unknown:
        raise ConfigError(
            where=f"sample.{unknown[0]}",
            expected=f"a parameter of the method {config.sample.method}",
            found=f"'{unknown[0]}'",
            remedy=nearest(unknown[0], known),
        )
    missing = [p.name for p in takes if p.default is p.empty and p.name not in {*given, *own}]
    if missing:
        raise ConfigError(
            where=f"sample.{missing[0]}",
            expected=f"a value, which the method {config.sample.method} needs",
            found="none",
            remedy="Add this key.",
        )
    return lambda rows: function(rows, **given, **own)


def _staging_folder(config: SampleConfig, table: str) -> str:
    source = resolve(config.source.table, config.root)
    if table == source:
        raise ConfigError(
            where="output.table", expected="another table than the source", found=table, remedy="Name another one."
        )
    if is_catalog_name(table):
        raise ConfigError(
            where="output.table",
            expected="a path or an address, beside which private files can lie",
            found=table,
            remedy="Name a path; a catalog can name it afterwards.",
        )
    return sibling(table, "staging")


def _publish(drawn: DataFrame, table: str, manifest: Manifest) -> tuple[str, int, Manifest]:
    """Publish the rows, unless another run has published the same meanwhile; status, version and its manifest."""
    published = Table(table)
    with published.exclusive():
        newest = publish.newest_manifest(table, drawn.sparkSession)
        if newest is not None and newest[1].get("fingerprint") == manifest["fingerprint"]:
            return "unchanged", *newest
        return "published", published.replace(drawn, new_schema=True, metadata=manifest), manifest


def _fingerprint(config: SampleConfig, pinned: PinnedInput) -> str:
    """What the rows follow from: two runs with the same fingerprint would publish the same rows."""
    settings = config.model_dump(mode="json", exclude={"root"})
    text = json.dumps([traintable.__version__, pyspark.__version__, settings, pinned.to_dict()])
    return hashlib.sha256(text.encode()).hexdigest()


def _result(status: str, table: str, version: int, manifest: Manifest) -> SampleResult:
    return {
        "status": status,
        "run_id": manifest["run_id"],
        "table": table,
        "version": version,
        "model": None,
        "rows": manifest["rows"],
        "method": manifest["method"],
        "seed": manifest["seed"],
        "content_hash": manifest["content_hash"],
        "fingerprint": manifest["fingerprint"],
    }
