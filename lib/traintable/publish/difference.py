"""How two versions of a training table differ: rows, columns, distributions, configuration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F
from typing_extensions import TypedDict

from traintable.columns import FEATURES, SPLIT, quote
from traintable.delta.attachments import Attachments, load_attached
from traintable.delta.manifest import Manifest
from traintable.delta.pinned_input import PinnedInput, read_pinned
from traintable.errors import ConfigError
from traintable.publish.history import read_manifest
from traintable.quality import FeatureSummary, drift

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

_MOST = 1000  # settings that are listed


class RowDifference(TypedDict):
    """How many rows differ, and how; `moved` are those in another split, by "from -> to"."""

    only_a: int
    only_b: int
    same: int
    changed: int
    moved: dict[str, int]


class NameDifference(TypedDict):
    """Names that only one of the versions has."""

    only_a: list[str]
    only_b: list[str]


class ColumnDifference(NameDifference):
    """Columns that only one of the versions has, and those of another type: [in a, in b]."""

    changed: dict[str, list[str]]


class VersionDifference(TypedDict):
    """How two versions differ; settings by their dotted names: [in a, in b]."""

    rows: RowDifference
    columns: ColumnDifference
    features: NameDifference
    drift: dict[str, float]
    config: dict[str, list[Any]]
    inputs: dict[str, list[Any]]
    libraries: dict[str, list[Any]]
    code: dict[str, list[Any]]


def diff(table: str, a: int, b: int, spark: SparkSession) -> VersionDifference:
    """What version `b` of a training table has that `a` lacks, and the other way round.

    Returns
    -------
    dict
        rows : how many are `only_a`, `only_b`, `same` and `changed` (of the same key, with another split, label or
            value of a column or feature that both have), and `moved`: those in another split, by "from -> to".
        columns, features : those that are `only_a`, `only_b`, or (columns) `changed` in type.
        drift : the population stability index of each feature of train that both have.
        config : settings that differ, by dotted name: [in a, in b].
        inputs, libraries : likewise.

    Costs a pass over each version, and a join by key. Raises InputMissing for a version that is not there, and
    ConfigError for one that no run of ours has published.
    """
    manifests = {}
    for version in (a, b):
        small = read_manifest(table, version, spark)
        manifests[version] = load_attached(small, Attachments.of(table, small))
        if "key" not in small or "beside" not in small:
            raise ConfigError(
                where=f"table {table} version {version}",
                expected="a version that a run has published",
                found="another one",
                remedy="`traintable history` lists the versions.",
            )
    first, second = (_ComparedVersion(table, version, manifests[version], spark) for version in (a, b))
    return {
        "rows": _rows(first, second),
        "columns": {
            **_sides(first.columns, second.columns),
            "changed": {
                name: [kind, second.columns[name]]
                for name, kind in first.columns.items()
                if second.columns.get(name, kind) != kind
            },
        },
        "features": _sides(first.features, second.features),
        "drift": drift(first.summary, second.summary),
        "config": _compare_settings(first.manifest.get("config"), second.manifest.get("config")),
        "inputs": _compare_settings(first.manifest.get("inputs"), second.manifest.get("inputs")),
        "libraries": _compare_settings(first.manifest.get("libraries"), second.manifest.get("libraries")),
        "code": _compare_settings(first.manifest.get("code"), second.manifest.get("code")),
    }


class _ComparedVersion:
    """A version, as its manifest and the files that this names describe it."""

    def __init__(self, table: str, version: int, manifest: Manifest, spark: SparkSession) -> None:
        attachments = Attachments.of(table, manifest)
        schema = attachments.get_json(manifest["beside"]["schema"])
        self.manifest = manifest
        self.key: list[str] = manifest["key"]
        self.columns: dict[str, str] = schema["columns"]
        self.features: list[str] = schema["features"]
        self.summary = FeatureSummary.from_bytes(attachments.get(manifest["beside"]["summary"]))
        self.rows = read_pinned(spark, PinnedInput(table, version, ""))

    def hash_rows(self, columns: Sequence[str], features: Sequence[str], suffix: str) -> DataFrame:
        """Key, split, and a hash of columns and features."""
        values: list[Column] = [F.col(quote(name)) for name in columns if name not in (FEATURES, SPLIT)]
        if FEATURES in self.columns:
            places = [F.lit(self.features.index(name)) for name in features] or [F.lit(-1)]
            values.append(F.transform(F.array(*places), lambda i: F.get(F.col(FEATURES), i)))
        else:
            values.append(
                F.array(*[F.col(quote(name)).cast("float") for name in features] or [F.lit(None).cast("float")])
            )
        hashed = F.xxhash64(*[part for value in values for part in (value.isNull(), value)])
        key = [F.col(quote(name)) for name in self.key]
        return self.rows.select(*key, F.col(SPLIT).alias(f"split_{suffix}"), hashed.alias(f"hash_{suffix}"))


def _rows(first: _ComparedVersion, second: _ComparedVersion) -> RowDifference:
    if first.key != second.key:
        raise ConfigError(
            where="the two versions",
            expected="the same key",
            found=f"{first.key} and {second.key}",
            remedy="Their rows can't be compared.",
        )
    columns = sorted(name for name, kind in first.columns.items() if second.columns.get(name) == kind)
    features = [name for name in first.features if name in set(second.features)]
    both = first.hash_rows(columns, features, "a").join(second.hash_rows(columns, features, "b"), first.key, "full")
    moved = F.when(F.col("split_a") != F.col("split_b"), F.concat_ws(" -> ", "split_a", "split_b"))
    kind = (
        F.when(F.col("split_b").isNull(), "only_a")
        .when(F.col("split_a").isNull(), "only_b")
        .when(moved.isNull() & (F.col("hash_a") == F.col("hash_b")), "same")
        .otherwise("changed")
    )
    counted = both.groupBy(kind.alias("kind"), moved.alias("moved")).count().collect()  # a few
    counts = Counter[str]()
    for row in counted:
        counts[row["kind"]] += int(row["count"])
    between = {row["moved"]: int(row["count"]) for row in counted if row["moved"] is not None}
    return {
        "only_a": counts["only_a"],
        "only_b": counts["only_b"],
        "same": counts["same"],
        "changed": counts["changed"],
        "moved": dict(sorted(between.items())),
    }


def _sides(a: Sequence[str] | Mapping[str, str], b: Sequence[str] | Mapping[str, str]) -> NameDifference:
    return {"only_a": [name for name in a if name not in set(b)], "only_b": [name for name in b if name not in set(a)]}


def _compare_settings(a: Any, b: Any) -> dict[str, list[Any]]:
    return dict(list(_settings(a, b))[:_MOST])


def _settings(a: Any, b: Any, name: str = "") -> Iterator[tuple[str, list[Any]]]:
    """What differs between two objects of JSON, by dotted names."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        for key in dict.fromkeys([*a, *b]):
            yield from _settings(a.get(key), b.get(key), f"{name}.{key}" if name else str(key))
    elif a != b:
        yield name, [a, b]
