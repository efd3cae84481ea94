"""Versions of a small table, end to end: suites, quarantined rows, what versions differ in, one that is built again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pytest
import yaml
from deltalake import DeltaTable, write_deltalake
from pyspark.sql import SparkSession

from traintable.config.dataset import Config, load
from traintable.delta.attachments import Attachments, load_attached
from traintable.delta.manifest import json_schema
from traintable.errors import ConfigError, GateRefused, InputMissing
from traintable.publish.difference import diff
from traintable.publish.history import read_manifest
from traintable.run import Outcome, run
from traintable.run.rebuild import rebuild

N = 600
SUITE = {
    "name": "people",
    "expectations": [  # as Great Expectations stores them
        {
            "type": "expect_column_values_to_be_between",
            "kwargs": {"column": "x", "max_value": 2.0},
            "severity": "warning",
            "meta": {"note": "seldom"},
        },
        {
            "type": "expect_column_values_to_not_be_in_set",
            "column": "word",
            "value_set": ["bad"],
            "level": "quarantine",
        },
    ],
}
SETTINGS: dict[str, Any] = {
    "name": "people",
    "seed": 1,
    "source": {"table": "people", "key": ["id", "word"]},
    "label": {"name": "ill", "expr": "CAST(y > 0 AS INT)"},
    "split": {"method": "hash", "hash": {"ratios": {"train": 0.6, "validation": 0.2, "test": 0.2}}},
    "prepare": {"features": {"x": {"scale": "standard"}, "z": {}}},
    "gate": {"suites": ["suite.yaml"]},
    "output": {"table": "published"},
}


def people(root: Path, n: int = N) -> None:
    rng = np.random.default_rng(0)
    words = np.where(np.arange(n) % 100 == 7, "bad", "good")
    frame = {
        "id": np.arange(n),
        "word": words,
        "x": rng.normal(size=n),
        "z": rng.normal(size=n),
        "y": rng.normal(size=n),
    }
    write_deltalake(str(root / "people"), pd.DataFrame(frame), mode="overwrite")


def settings(root: Path, *overrides: str) -> Config:
    (root / "suite.yaml").write_text(yaml.safe_dump(SUITE))
    (root / "people.yaml").write_text(yaml.safe_dump(SETTINGS))
    return load(root / "people.yaml", overrides)


def without_other_keys(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema, by which an object has none but the keys that are listed."""
    for kind in (schema, *schema["$defs"].values()):
        kind["additionalProperties"] = False
    return schema


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("people")
    people(folder)
    return folder


@pytest.fixture(scope="module")
def first(root: Path, spark: SparkSession) -> Outcome:
    return run(settings(root), spark=spark)


@pytest.fixture(scope="module")
def second(root: Path, first: Outcome, spark: SparkSession) -> Outcome:
    changed = ["seed=2", "prepare.features.w={expr: x * z}"]
    return run(settings(root, *changed), spark=spark)


def test_quarantined_rows_are_in_the_quarantine_and_in_the_sum(root: Path, first: Outcome) -> None:
    assert first.rows is not None
    assert (first.rows["read"], first.rows["quarantined"]) == (N, 6)
    assert sum(first.rows["published"].values()) == N - 6
    assert first.details["reasons"] == {"gate:column_values_to_not_be_in_set:word": 6}
    kept = DeltaTable(str(root / "published_quarantine")).to_pandas()
    assert sorted(json.loads(row)["id"] for row in kept["row"]) == [7, 107, 207, 307, 407, 507]
    assert {tuple(reasons) for reasons in kept["reasons"]} == {("gate:column_values_to_not_be_in_set:word",)}
    published = DeltaTable(str(root / "published"), version=0).to_pandas()
    assert set(published["word"]) == {"good"}
    assert len(published) == N - 6


def test_the_manifest_is_small_and_says_what_it_was_made_of(root: Path, first: Outcome) -> None:
    manifest = read_manifest(str(root / "published"), 0)
    assert len(json.dumps(manifest)) < 5000
    told = load_attached(manifest, Attachments.of(str(root / "published"), manifest))
    assert told["config"]["prepare"]["features"]["x"]["scale"] == "standard"
    for known in (manifest, told):
        jsonschema.validate(known, without_other_keys(json_schema()))
    assert set(manifest) | set(told) >= {"inputs", "rows", "split", "gate", "beside", "libraries", "model_hash"}
    files = DeltaTable(str(root / "people")).file_uris()
    source = told["inputs"]["source"]
    assert (source["files"], source["bytes"]) == (len(files), sum(Path(file).stat().st_size for file in files))
    assert len(told["model_hash"]) == len(source["files_hash"]) == 64
    assert told["code"]["traintable"] == told["traintable"]
    assert [rule["id"] for rule in told["gate"]["warnings"]] == [
        "column_values_to_be_between:x",
        "column_values_to_not_be_in_set:word",
    ]
    page = Path(first.details["page"]).read_text()
    assert "Passed" in page
    assert "column values to not be in set" in page


def test_what_two_versions_differ_in(root: Path, second: Outcome, spark: SparkSession) -> None:
    found = diff(str(root / "published"), 0, 1, spark)
    a, b = (DeltaTable(str(root / "published"), version=v).to_pandas().set_index("id") for v in (0, 1))
    both = a.join(b, lsuffix="_a", rsuffix="_b", how="outer")
    moved = both[both["split_a"] != both["split_b"]]
    assert found["rows"]["only_a"] == found["rows"]["only_b"] == 0
    assert sum(found["rows"]["moved"].values()) == len(moved) > 0
    train_to_test = ((both["split_a"] == "train") & (both["split_b"] == "test")).sum()
    assert found["rows"]["moved"]["train -> test"] == train_to_test
    assert found["rows"]["changed"] == N - 6, "x is scaled by another train"
    assert found["columns"] == {"only_a": [], "only_b": [], "changed": {}}
    assert found["features"] == {"only_a": [], "only_b": ["w"]}
    assert set(found["drift"]) == {"x", "z"}
    assert found["config"]["seed"] == [1, 2]
    assert "prepare.features.w" in found["config"]
    assert found["inputs"] == {}
    same = diff(str(root / "published"), 1, 1, spark)
    assert same["rows"] == {"only_a": 0, "only_b": 0, "same": N - 6, "changed": 0, "moved": {}}


def test_a_version_is_made_again_bit_for_bit(root: Path, second: Outcome, spark: SparkSession, tmp_path: Path) -> None:
    found = rebuild(str(root / "published"), 0, to=str(tmp_path / "again"), spark=spark)
    assert found.differences == {}
    columns = ["id", "word", "ill", "split", "features"]
    tables = (DeltaTable(str(root / "published"), version=0), DeltaTable(str(tmp_path / "again")))
    old, new = (table.to_pandas()[columns].sort_values("id", ignore_index=True) for table in tables)
    assert [list(row) for row in old["features"]] == [list(row) for row in new["features"]]
    pd.testing.assert_frame_equal(old.drop(columns="features"), new.drop(columns="features"))


def test_an_input_that_was_made_anew_is_told(root: Path, first: Outcome, spark: SparkSession, tmp_path: Path) -> None:
    kept = root / "people"
    kept.rename(root / "kept")
    try:
        people(root, N)
        with pytest.raises(InputMissing, match=r"source: table .*people version 0: expected committed"):
            rebuild(str(root / "published"), 0, to=str(tmp_path / "again"), spark=spark)
    finally:
        shutil.rmtree(kept)
        (root / "kept").rename(kept)
    assert not (tmp_path / "again").exists()


def test_what_somebody_else_has_written_is_not_made_again(root: Path, spark: SparkSession) -> None:
    with pytest.raises(ConfigError, match="somebody else has written"):
        rebuild(str(root / "people"), 0, spark=spark)
    with pytest.raises(InputMissing, match="expected version 9"):
        diff(str(root / "published"), 0, 9, spark)


def test_a_refusal_leaves_its_page_and_no_file(root: Path, second: Outcome, spark: SparkSession) -> None:
    files = set((root / "published").rglob("*.parquet"))
    rule = "gate.expectations=[{type: expect_column_max_to_be_between, column: z, max_value: 0.0}]"
    with pytest.raises(
        GateRefused, match=r"found [\d.]+\. Nothing was published.* All rules: .*published_manifests/.*html"
    ):
        run(settings(root, rule), spark=spark)
    assert set((root / "published").rglob("*.parquet")) == files
    assert DeltaTable(str(root / "published")).version() == 1
