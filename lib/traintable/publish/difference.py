"""What two versions of a training table differ in: rows, columns, distributions, configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from traintable.columns import FEATURES, SPLIT, quote
from traintable.delta.attachments import Attachments
from traintable.delta.pin import Pinned, read_pinned
from traintable.errors import ConfigError
from traintable.publish.history import manifest_of
from traintable.publish.manifest import whole
from traintable.quality.feature_drift import drift
from traintable.quality.summary import FeatureSummary

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

_MOST = 1000  # settings that are told


def diff(table: str, a: int, b: int, spark: SparkSession) -> dict[str, Any]:
    """What version `b` of a training table has that `a` has not, and the other way round.

    Returns
    -------
    dict
        rows : how many are `only_a`, `only_b`, `same` and `changed` (of the same key, with another split, label or
            value of a column or feature that both have), and `moved`: those in another split, by "from -> to".
        columns, features : those that are `only_a`, `only_b`, or (columns) `changed` in type.
        drift : the population stability index of each feature of train that both have.
        config : what is set otherwise, by its dotted name: [in a, in b].
        inputs, libraries : likewise.

    Costs a pass over each version, and a join by key. Raises InputMissing for a version that is not there, and
    ConfigError for one that no run of ours has published.
    """
    manifests = {}
    for version in (a, b):
        found = manifest_of(table, version, spark)
        manifests[version] = whole(found, Attachments.of(table, found))
        if "key" not in found or "beside" not in found:
            raise ConfigError(
                where=f"table {table} version {version}",
                expected="a version that a run has published",
                found="another one",
                remedy="`traintable history` lists the versions.",
            )
    told = {version: _Told(table, version, manifest, spark) for version, manifest in manifests.items()}
    one, other = told[a], told[b]
    return {
        "rows": _rows(one, other),
        "columns": {
            **_sides(one.columns, other.columns),
            "changed": {
                name: [kind, other.columns[name]]
                for name, kind in one.columns.items()
                if other.columns.get(name, kind) != kind
            },
        },
        "features": _sides(one.features, other.features),
        "drift": drift(one.summary, other.summary),
        **{
            name: dict(list(_settings(one.manifest.get(name), other.manifest.get(name)))[:_MOST])
            for name in ("config", "inputs", "libraries", "code")
        },
    }


class _Told:
    """A version, as its manifest and its files beside the table tell it."""

    def __init__(self, table: str, version: int, manifest: Mapping[str, Any], spark: SparkSession) -> None:
        beside = Attachments.of(table, manifest)
        schema = beside.get_json(manifest["beside"]["schema"])
        self.manifest = manifest
        self.key: list[str] = manifest["key"]
        self.columns: dict[str, str] = schema["columns"]
        self.features: list[str] = schema["features"]
        self.summary = FeatureSummary.from_bytes(beside.get(manifest["beside"]["summary"]))
        self.rows = read_pinned(spark, Pinned(table, version, ""))

    def hashed(self, columns: Sequence[str], features: Sequence[str], suffix: str) -> DataFrame:
        """Key, split, and a hash of columns and features."""
        values: list[Column] = [F.col(quote(name)) for name in columns if name not in (FEATURES, SPLIT)]
        if FEATURES in self.columns:
            places = [F.lit(self.features.index(name)) for name in features] or [F.lit(-1)]
            values.append(F.transform(F.array(*places), lambda i: F.get(F.col(FEATURES), i)))
        else:
            values.append(
                F.array(*[F.col(quote(name)).cast("float") for name in features] or [F.lit(None).cast("float")])
            )
        known = F.xxhash64(*[part for value in values for part in (value.isNull(), value)])
        key = [F.col(quote(name)) for name in self.key]
        return self.rows.select(*key, F.col(SPLIT).alias(f"split_{suffix}"), known.alias(f"hash_{suffix}"))


def _rows(one: _Told, other: _Told) -> dict[str, Any]:
    if one.key != other.key:
        raise ConfigError(
            where="the two versions",
            expected="the same key",
            found=f"{one.key} and {other.key}",
            remedy="Their rows can't be compared.",
        )
    columns = sorted(name for name, kind in one.columns.items() if other.columns.get(name) == kind)
    features = [name for name in one.features if name in set(other.features)]
    both = one.hashed(columns, features, "a").join(other.hashed(columns, features, "b"), one.key, "full")
    moved = F.when(F.col("split_a") != F.col("split_b"), F.concat_ws(" -> ", "split_a", "split_b"))
    kind = (
        F.when(F.col("split_b").isNull(), "only_a")
        .when(F.col("split_a").isNull(), "only_b")
        .when(moved.isNull() & (F.col("hash_a") == F.col("hash_b")), "same")
        .otherwise("changed")
    )
    counted = both.groupBy(kind.alias("kind"), moved.alias("moved")).count().collect()  # a few
    found = dict.fromkeys(("only_a", "only_b", "same", "changed"), 0)
    for row in counted:
        found[row["kind"]] += int(row["count"])
    told = {row["moved"]: int(row["count"]) for row in counted if row["moved"] is not None}
    return {**found, "moved": dict(sorted(told.items()))}


def _sides(one: Sequence[str] | Mapping[str, str], other: Sequence[str] | Mapping[str, str]) -> dict[str, list[str]]:
    return {
        "only_a": [name for name in one if name not in set(other)],
        "only_b": [name for name in other if name not in set(one)],
    }


def _settings(one: Any, other: Any, name: str = "") -> Iterator[tuple[str, list[Any]]]:
    """What differs between two objects of JSON, by dotted names."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in dict.fromkeys([*one, *other]):
            yield from _settings(one.get(key), other.get(key), f"{name}.{key}" if name else str(key))
    elif one != other:
        yield name, [one, other]
