"""The commits of a table are those that deltalake and Spark tell of."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path

import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from gated_tables import publish, some_rows, write
from servers.fixtures import S3
from traintable.delta.commits import commits, newest_commits, storage_options, version_numbers
from traintable.errors import InputMissing

SERVER = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION")


def test_commits_are_those_of_deltalake_and_spark(spark: SparkSession, tmp_path: Path) -> None:
    table = str(tmp_path / "t")
    publish(table, some_rows(3))
    rows = spark.range(4).selectExpr("id", "'train' AS split", "CAST(0 AS INT) AS late", "array(1f) AS features")
    rows.write.format("delta").mode("append").option("userMetadata", '{"other": "ä"}').save(table)
    write(table, some_rows(5), None, mode="append")
    DeltaTable(table).optimize.compact()
    DeltaTable(table).create_checkpoint()
    found = commits(table)
    told = DeltaTable(table).history()
    assert [(c.version, c.operation, c.metadata) for c in found] == [
        (t["version"], t["operation"], t.get("userMetadata")) for t in told
    ]
    by_spark = spark.sql(f"DESCRIBE HISTORY delta.`{table}`").collect()
    assert [(c.version, c.operation, c.metadata) for c in found] == [
        (row.version, row.operation, row.userMetadata) for row in by_spark
    ]
    assert [datetime.fromisoformat(c.timestamp).timestamp() for c in found] == pytest.approx(
        [t["timestamp"] / 1000 for t in told]
    )
    assert found[2].metadata_object() == {"other": "ä"}
    assert (found[2].manifest(), found[-1].manifest() is None) == (None, False)
    assert commits(table, after=1) == found[:2]
    assert version_numbers(table) == [0, 1, 2, 3]


def test_commits_on_s3_are_read_without_spark(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("traintable.delta.commits.get_spark", lambda: pytest.fail("Spark was started"))
    table = f"s3a://{s3.new_bucket()}/a b/t"
    for n in (3, 4, 5):
        publish(table, some_rows(n))
    assert [c.version for c in commits(table)] == [2, 1, 0]
    assert [(c.manifest() or {})["rows"]["published"]["train"] for c in commits(table, after=0)] == [4, 3]
    with s3.proxy.obeying() as requests:
        commits(table, after=1)
    assert len(requests) == 2  # a listing and a commit
    with s3.proxy.obeying() as requests:
        assert next(newest_commits(table)).version == 2
    assert len(requests) == 2


def test_a_commit_that_says_nothing_of_itself_is_one(tmp_path: Path) -> None:
    """The protocol permits it."""
    table = tmp_path / "t"
    publish(str(table), some_rows(3))
    publish(str(table), some_rows(4))
    path = table / "_delta_log" / f"{1:020}.json"
    lines = [line for line in path.read_text().splitlines() if "commitInfo" not in json.loads(line)]
    path.write_text("\n".join(lines))
    assert [(c.version, c.operation, c.metadata is None) for c in commits(str(table))] == [
        (1, "", True),
        (0, "WRITE", False),
    ]


def test_a_table_without_commits_is_none(tmp_path: Path) -> None:
    (tmp_path / "t" / "_delta_log").mkdir(parents=True)
    for call in (commits, version_numbers):
        with pytest.raises(InputMissing, match="a folder without one"):
            call(str(tmp_path / "t"))


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, {}),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, {"AWS_REGION": "eu-west-1"}),
        (
            {"AWS_ENDPOINT_URL": "https://s3.example"},
            {
                "AWS_REGION": "us-east-1",
                "AWS_ENDPOINT_URL": "https://s3.example",
                "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false",
                "AWS_ALLOW_HTTP": "false",
            },
        ),
    ],
)
def test_deltalake_is_told_what_the_environment_names(
    environment: dict[str, str], expected: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in SERVER:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert storage_options("s3a://bucket/t") == expected
    assert storage_options("/data/t") == {}
    secret = os.environ["AWS_SECRET_ACCESS_KEY"]
    assert secret not in str(storage_options("s3a://bucket/t"))
