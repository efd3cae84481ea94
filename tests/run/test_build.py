"""The main job on real data: what it publishes, what it says of it, and that it does so once."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake
from pyspark.sql import SparkSession

from traintable.assemble import assemble, pin_inputs
from traintable.config.dataset import Config, load
from traintable.errors import GateRefused
from traintable.publish import history
from traintable.run import Outcome, run
from traintable.statistics import content_hash

ROOT = Path(__file__).parents[2]
FLIGHTS = ROOT / "conf" / "flights.yaml"
KEY = ["time_hour", "carrier", "flight"]


def configured(small: Sequence[str], table: Path | str, *more: str) -> Config:
    return load(FLIGHTS, [*small, f"output.table={table}", *more])


def test_every_row_read_is_published_quarantined_or_filtered(published: Outcome, warehouse: str) -> None:
    rows = published.rows
    assert published.status == "published"
    assert rows["read"] == DeltaTable(f"{warehouse}/flights").to_pyarrow_dataset().count_rows()
    assert rows["read"] == sum(rows["published"].values()) + rows["quarantined"] + rows["filtered"]
    assert sum(published.details["reasons"].values()) == rows["quarantined"] + rows["filtered"]
    assert min(rows["published"].values()) > 1000


def test_other_readers_see_the_table_and_its_feature_names(published: Outcome, table: Path) -> None:
    delta = DeltaTable(str(table))
    names = json.loads(delta.metadata().configuration["traintable.features"])
    polars = pl.read_delta(str(table))
    pandas = delta.to_pandas()
    assert len(pandas) == len(polars) == sum(published.rows["published"].values())
    assert set(polars.columns) == {*KEY, "late", "split", "features"}
    assert polars.schema["features"] == pl.List(pl.Float32)
    assert {len(values) for values in pandas["features"]} == {len(names)} == {published.details["features"]}
    assert dict(polars["split"].value_counts().iter_rows()) == published.rows["published"]


def test_labels_and_splits_follow_the_raw_flights(published: Outcome, table: Path, warehouse: str) -> None:
    raw = pl.read_delta(f"{warehouse}/flights")
    joined = pl.read_delta(str(table)).join(raw, on=KEY, how="left", validate="1:1")
    assert joined["arr_delay"].null_count() == 0
    assert (joined["late"] == (joined["arr_delay"] > 30).cast(pl.Int32)).all()
    ranges = {name: (part["time_hour"].min(), part["time_hour"].max()) for (name,), part in joined.group_by("split")}
    assert f"{ranges['train'][1]:%m-%d}" == "02-27"
    assert f"{ranges['validation'][0]:%m-%d}" == "03-01"
    assert f"{ranges['validation'][1]:%m-%d}" == "03-14"
    assert f"{ranges['test'][0]:%m-%d}" == "03-16"


def test_the_manifest_tells_sizes_classes_and_dates_of_each_part(published: Outcome, table: Path) -> None:
    told = history(str(table))[-1]["manifest"]["split"]
    assert told == published.details["split"]
    assert told["method"] == "time"
    assert told["definition"]["time"]["validation"] == "2013-03-01"
    rows = DeltaTable(str(table), version=0).to_pandas()
    for part in ("train", "validation", "test"):
        mine, found = rows[rows["split"] == part], told["parts"][part]
        assert found["rows"] == len(mine) == published.rows["published"][part]
        assert found["classes"] == {str(k): n for k, n in mine["late"].value_counts().items()}
        assert found["shares"]["1"] == pytest.approx(mine["late"].mean(), abs=1e-12)
        assert [found["from"], found["to"]] == [
            t.isoformat() for t in (mine["time_hour"].min(), mine["time_hour"].max())
        ]


def test_numbers_are_fitted_on_train_only(published: Outcome, table: Path) -> None:
    names = json.loads(DeltaTable(str(table)).metadata().configuration["traintable.features"])
    rows = pl.read_delta(str(table))
    for part, is_standard in (("train", True), ("validation", False), ("test", False)):
        values = np.stack(rows.filter(pl.col("split") == part)["features"].to_numpy())
        distance = values[:, names.index("distance")].astype(float)
        standard = abs(distance.mean()) < 1e-5 and abs(distance.std(ddof=1) - 1) < 1e-5
        assert standard == is_standard


def test_the_manifest_travels_in_the_commit(published: Outcome, table: Path) -> None:
    commit = history(str(table))[0]
    manifest = commit["manifest"]
    assert commit["version"] == published.version == 0
    assert manifest["run_id"] == published.run_id
    assert manifest["rows"] == published.rows
    assert manifest["inputs"]["source"]["version"] == 0
    assert manifest["content_hash"] == published.details["content_hash"]
    assert manifest["gate"]["held"] == manifest["gate"]["rules"] > 10
    assert len(json.dumps(manifest)) < 16_000


def test_the_published_rows_have_the_hash_that_the_gate_saw(
    spark: SparkSession, published: Outcome, table: Path
) -> None:
    rows = spark.read.format("delta").load(str(table))
    assert content_hash(rows) == (published.details["content_hash"], published.rows["published"])


def test_partitions_are_pruned(spark: SparkSession, small: list[str], warehouse: str, tmp_path: Path) -> None:
    """The files of other months are gone, and nobody misses them."""
    copy = tmp_path / "data" / "warehouse"
    shutil.copytree(warehouse, copy)
    for name in ("flights", "weather"):
        for month in (1, 3):
            shutil.rmtree(copy / name / f"month={month}")
    config = configured([*small, f"root={tmp_path}"], tmp_path / "t", "source.where=month = 2")
    joins = tuple(j.model_copy(update={"where": "month = 2"}) if j.asof else j for j in config.joins)
    config = config.model_copy(update={"joins": joins})
    rows = assemble(spark, config, pin_inputs(config)).where("weather_temp IS NOT NULL").count()
    raw = pl.read_delta(f"{warehouse}/flights").filter(pl.col("month") == 2)
    assert 0.95 * len(raw) < rows <= len(raw)


PROCESS_WITHOUT_US = """
import sys, os
sys.path = [p for p in sys.path if not p.rstrip("/").endswith("/lib") or "site-packages" in p or "python3" in p]
sys.modules["traintable"] = None
from pyspark.sql import SparkSession
from pyspark.ml import PipelineModel
model, rows, out = sys.argv[1:]
spark = (SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
         .config("spark.sql.session.timeZone", "UTC").config("spark.driver.bindAddress", "127.0.0.1")
         .config("spark.driver.host", "127.0.0.1")
         .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC").getOrCreate())
PipelineModel.load(model).transform(spark.read.parquet(rows)).select(
    "time_hour", "carrier", "flight", "late", "split", "features").write.parquet(out)
assert not [name for name in sys.modules if name.startswith("traintable.")]
"""


def test_a_process_without_traintable_gets_the_same_rows_from_the_model(
    spark: SparkSession, small: list[str], published: Outcome, table: Path, tmp_path: Path
) -> None:
    config = configured(small, table)
    rows, out = str(tmp_path / "rows"), str(tmp_path / "out")
    assemble(spark, config, pin_inputs(config)).where("split IS NOT NULL").write.parquet(rows)
    command = [sys.executable, "-c", PROCESS_WITHOUT_US, str(published.model), rows, out]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    ours = pl.read_delta(str(table)).sort(KEY)
    theirs = pl.from_arrow(pq.read_table(out)).select(ours.columns).sort(KEY)
    assert ours["features"].to_list() == theirs["features"].to_list()
    assert ours.drop("features").equals(theirs.drop("features").cast(dict(ours.drop("features").schema)))


def test_a_second_run_publishes_nothing_and_starts_no_spark(
    small: list[str], published: Outcome, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("traintable.run.build.get_spark", lambda: pytest.fail("Spark was started"))
    again = run(configured(small, table))
    assert again.status == "unchanged"
    assert (again.version, again.rows, again.model) == (0, published.rows, published.model)
    assert len(history(str(table))) == 1


def test_a_changed_configuration_is_refused_until_it_is_allowed_and_then_publishes_the_next_version(
    spark: SparkSession, small: list[str], published: Outcome, table: Path, tmp_path: Path
) -> None:
    for name in (table.name, f"{table.name}_manifests"):
        shutil.copytree(table.with_name(name), tmp_path / name)
    table = tmp_path / table.name
    settings = configured(small, table, "split.method=stratified", "output.features=columns")
    with pytest.raises(GateRefused, match=r"no features any more.*--allow schema"):
        run(settings, spark=spark)
    assert DeltaTable(str(table)).version() == 0
    assert not table.with_name(f"{table.name}_staging").exists()
    changed = run(settings, allow=["schema"], spark=spark)
    assert (changed.status, changed.version) == ("published", 1)
    assert changed.details["content_hash"] != published.details["content_hash"]
    assert [commit["manifest"]["run_id"] for commit in history(str(table))] == [changed.run_id, published.run_id]
    rows = pl.read_delta(str(table))
    shares = rows.group_by("late", "split").len().sort("late", "split")
    for late in (0, 1):
        part = shares.filter(pl.col("late") == late)
        n, exact = part["len"].sum(), dict(zip(part["split"], part["len"], strict=True))
        assert exact["train"] == int(n * 0.7 + 0.5)
        assert exact["train"] + exact["validation"] == int(n * 0.85 + 0.5)
    assert rows.schema["distance"] == pl.Float32
    earlier = DeltaTable(str(table), version=0).to_pyarrow_dataset().count_rows()
    assert earlier == sum(published.rows["published"].values())


@pytest.mark.slow
def test_a_frozen_test_set_is_kept_by_another_split_and_folds_are_stored(
    spark: SparkSession, small: list[str], published: Outcome, table: Path, tmp_path: Path
) -> None:
    frozen = f"split.frozen_test={{table: {table}, version: 0, otherwise: null}}"
    folds = "split.fold={kind: stratified, n: 3}"
    found = run(configured(small, tmp_path / "t", "split.method=hash", frozen, folds), spark=spark)
    before = DeltaTable(str(table), version=0).to_pandas(partitions=[("split", "=", "test")])
    rows = DeltaTable(str(tmp_path / "t")).to_pandas()
    test = rows[rows["split"] == "test"]
    assert sorted(map(tuple, test[KEY].to_numpy())) == sorted(map(tuple, before[KEY].to_numpy()))
    assert found.details["split"]["frozen_test"] == {"rows": len(before), "missing": 0}
    assert found.details["reasons"]["new_test"] == found.rows["filtered"] - found.details["reasons"]["no_label"] > 1000
    manifest = history(str(tmp_path / "t"))[0]["manifest"]
    assert manifest["inputs"]["split.frozen_test"] == {**manifest["inputs"]["split.frozen_test"], "version": 0}
    assert rows["fold"].notna().equals(rows["split"] == "train")
    sizes = rows.groupby(["late", "fold"]).size().unstack()
    assert sizes.columns.tolist() == [0, 1, 2]
    assert (sizes.max(axis=1) - sizes.min(axis=1)).max() <= 1


def test_no_plane_is_in_two_parts_or_folds(spark: SparkSession, small: list[str]) -> None:
    config = configured(small, "t", "split.method=group", "split.fold={kind: group, by: [tailnum], n: 4}")
    rows = assemble(spark, config, pin_inputs(config), checkpoint=lambda rows: rows.select("*").cache())
    found = rows.where("split IS NOT NULL").select("tailnum", "split", "fold").toPandas()
    planes = found.groupby("tailnum", dropna=False)
    assert planes["split"].nunique().max() == planes["fold"].nunique().max() == 1
    assert found.groupby("split").size().min() > 5000
    sizes = found["fold"].value_counts()
    assert sizes.max() - sizes.min() <= 1
    assert sizes.sum() == (found["split"] == "train").sum()


def test_other_partitions_and_another_layout_of_the_warehouse_give_the_same_hash(
    spark: SparkSession, small: list[str], warehouse: str, published: Outcome, tmp_path: Path
) -> None:
    for name in ("flights", "weather", "planes", "airports"):
        rows = DeltaTable(f"{warehouse}/{name}").to_pandas().sample(frac=1, random_state=7)
        half = len(rows) // 2
        for part in (rows.iloc[:half], rows.iloc[half:]):
            write_deltalake(f"{tmp_path}/data/warehouse/{name}", part, mode="append")
    versions = ["source.version=1"]
    config = configured([*small, f"root={tmp_path}", *versions], tmp_path / "flights")
    joins = tuple(join.model_copy(update={"version": 1}) for join in config.joins)
    before = spark.conf.get("spark.sql.shuffle.partitions")
    try:
        spark.conf.set("spark.sql.shuffle.partitions", "13")
        spark.conf.set("spark.sql.session.timeZone", "America/New_York")
        spark.conf.set("spark.sql.ansi.enabled", "false")
        spark.conf.set("spark.sql.files.maxPartitionBytes", str(300_000))
        spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "777")
        again = run(config.model_copy(update={"joins": joins}), spark=spark)
        assert spark.conf.get("spark.sql.session.timeZone") == "America/New_York"
    finally:
        spark.conf.set("spark.sql.shuffle.partitions", before)
        spark.conf.set("spark.sql.session.timeZone", "UTC")
        spark.conf.set("spark.sql.ansi.enabled", "true")
        spark.conf.unset("spark.sql.files.maxPartitionBytes")
        spark.conf.unset("spark.sql.execution.arrow.maxRecordsPerBatch")
    assert again.details["content_hash"] == published.details["content_hash"]
    assert again.rows == published.rows
