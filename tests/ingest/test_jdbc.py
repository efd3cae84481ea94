"""Extraction from PostgreSQL: one snapshot by several connections, in each mode, and no secret anywhere."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from servers.postgres import Postgres
from traintable.config.ingest import IngestConfig
from traintable.config.sources import JdbcSource
from traintable.errors import ConfigError, InputMissing
from traintable.ingest.job import ingest
from traintable.ingest.ledger import LoadState
from traintable.ingest.recount import recount
from traintable.ingest.sources.jdbc import PostgresSource
from traintable.ingest.sources.postgres import quoted
from traintable.sql.push_down import push_down

UTC = dt.timezone.utc
COLUMNS = {"id": {"type": "bigint"}, "x": {"type": "double", "max": 100}, "at": {"type": "timestamp"}}
Land = Callable[..., dict[str, Any]]
numbers = count()


@pytest.fixture
def name() -> str:
    """A table that no other test uses."""
    return f"t{next(numbers)}"


@pytest.fixture
def environment(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGUSER", postgres.user)
    monkeypatch.setenv("DATABASE_SECRET", str(postgres.password))


def settings(postgres: Postgres, root: Path, name: str, **more: Any) -> dict[str, Any]:
    source = {"format": "jdbc", "url": postgres.jdbc(), "table": name, "password": {"env": "DATABASE_SECRET"}}
    known = {"name": "test", "root": str(root), "columns": COLUMNS, "key": ["id"], "output": {"table": "landed"}}
    return {**known, **more, "source": {**source, **more.get("source", {})}}


@pytest.fixture
def land(spark: SparkSession, postgres: Postgres, environment: None, tmp_path: Path, name: str) -> Land:
    def call(*, interval: str | None = None, **more: Any) -> dict[str, Any]:
        config = IngestConfig.model_validate(settings(postgres, tmp_path, more.pop("table", name), **more))
        return ingest(config, interval=interval, spark=spark)

    return call


def rows(root: Path, table: str = "landed") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = DeltaTable(str(root / table)).to_pyarrow_table().to_pylist()
    return found


def ids(root: Path) -> list[int]:
    return sorted(row["id"] for row in rows(root))


def fill(postgres: Postgres, name: str, n: int) -> None:
    postgres.run(f"create table {name} (id bigint primary key, x double precision, at timestamptz)")
    postgres.run(
        f"insert into {name} select i, i % 90, timestamptz '2026-11-01' + i * interval '1 minute'"
        f" from generate_series(0, {n - 1}) i"
    )


TYPES = {
    "i": ("integer", 7, "int"),
    "n": ("numeric(12,3)", Decimal("1.500"), "decimal(12,3)"),
    "free": ("numeric", Decimal("2.25"), "decimal(10,4)"),
    "j": ("jsonb", '{"a": 1}', "string"),
    "u": ("uuid", "00000000-0000-0000-0000-000000000001", "string"),
    "arr": ("int[]", "{1,2}", "string"),
    "b": ("bytea", b"\x00\xff", "binary"),
    "t": ("timestamptz", dt.datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC), "timestamp"),
    "local": ("timestamp", dt.datetime(2026, 3, 29, 2, 30, 0, 123456), "timestamp_ntz"),
    "d": ("date", dt.date(1582, 10, 10), "date"),
    "w": ("char(5)", "ab", "string"),
    "Two": ("boolean", True, "boolean"),
}


def test_values_of_all_types_are_what_the_database_has(postgres: Postgres, land: Land, tmp_path: Path) -> None:
    table = 'Odd "name" $x'
    columns = ", ".join(f"{quoted(name)} {kind}" for name, (kind, _, _) in TYPES.items())
    postgres.run(f"create table {quoted(table)} (id bigint, {columns})")
    names, marks = ", ".join(map(quoted, TYPES)), ", ".join(["%s"] * len(TYPES))
    insert = f"insert into {quoted(table)} (id, {names}) values (1, {marks})"
    postgres.run(insert, *(value for _, value, _ in TYPES.values()))
    far = {"t": "infinity", "local": "4000-01-01 BC", "free": Decimal("1e30")}
    for i, (column, value) in enumerate(far.items(), 2):
        postgres.run(f"insert into {quoted(table)} (id, {column}) values (%s, %s)", i, value)
    promised = {"id": {"type": "bigint"}, **{name: {"type": promise} for name, (_, _, promise) in TYPES.items()}}
    result = land(table=quoted(table), columns=promised, load={"mode": "full"})
    assert result["rows"] == {"read": 4, "accepted": 1, "quarantined": 3}
    (row,) = rows(tmp_path)
    assert {name: row[name] for name in TYPES} == {name: value for name, (_, value, _) in TYPES.items()}
    kept = sorted(rows(tmp_path, "landed_quarantine"), key=lambda one: json.loads(one["raw"])["id"])
    assert [one["reasons"] for one in kept] == [["type:t"], ["type:local"], ["type:free"]]
    assert [json.loads(kept[0]["raw"])["t"], json.loads(kept[1]["raw"])["local"]] == [
        "infinity",
        "4000-01-01 00:00:00 BC",
    ]
    assert land(table=quoted(table), columns=promised, load={"mode": "full"})["status"] == "unchanged"


@pytest.mark.parametrize("by", [{}, {"partition_column": "id"}, {"partition_column": "at"}])
def test_all_connections_see_one_snapshot(
    spark: SparkSession, postgres: Postgres, environment: None, tmp_path: Path, name: str, by: dict[str, str]
) -> None:
    fill(postgres, name, 5000)
    postgres.run(f"insert into {name} values (-1, null, null)")
    more = {"load": {"mode": "full"}, "source": {"partitions": 5, "where": "x < 80 or x is null", **by}}
    config = IngestConfig.model_validate(settings(postgres, tmp_path, name, **more))
    assert isinstance(config.source, JdbcSource)
    source = PostgresSource(config, config.source)
    try:
        files = source.list_new(None, LoadState())
        expected = sorted(map(tuple, postgres.run(f"select id, x from {name} where x < 80 or x is null")))
        opened = source.read(spark, files)
        # Rows move to other pages, go, and come, while the snapshot is open.
        postgres.run(f"update {name} set x = x + 1000, id = -1000 - id where id % 3 = 0")
        postgres.run(f"delete from {name} where id % 3 = 1")
        postgres.run(f"insert into {name} select i, 0 from generate_series(100000, 100100) i")
        found = opened.rows()
        assert found.rdd.getNumPartitions() == 5
        assert sorted((row["id"], row["x"]) for row in found.collect()) == expected
        assert opened.counts().total() == len(expected)
    finally:
        source.close()
    assert (
        sum(row[0] for row in postgres.run("select count(*) from pg_stat_activity where state like '%transaction%'"))
        == 0
    )


def test_intervals_in_any_order_and_corrections(
    postgres: Postgres, land: Land, tmp_path: Path, name: str, spark: SparkSession
) -> None:
    fill(postgres, name, 3 * 1440)
    load = {"mode": "interval", "schedule": "daily", "column": "at"}
    for day in (3, 1, 2):
        assert land(load=load, interval=f"2026-11-0{day}/2026-11-0{day + 1}")["rows"]["read"] == 1440
    assert land(load=load, interval="2026-11-01/2026-11-04")["status"] == "unchanged"
    postgres.run(f"update {name} set x = 55 where id = 1500")
    postgres.run(f"delete from {name} where id = 1501")
    assert land(load=load, interval="2026-11-01/2026-11-04")["rows"]["read"] == 1439  # of the day that has changed
    assert ids(tmp_path) == [i for i in range(3 * 1440) if i != 1501]
    assert {row["id"]: row["x"] for row in rows(tmp_path)}[1500] == 55
    assert all(finding.ok for finding in recount(str(tmp_path / "landed"), spark=spark))


def test_rows_beyond_the_watermark(postgres: Postgres, land: Land, tmp_path: Path, name: str) -> None:
    fill(postgres, name, 100)
    load = {"mode": "watermark", "column": "at"}
    assert land(load=load)["rows"]["read"] == 100
    assert land(load=load)["status"] == "unchanged"
    postgres.run(f"insert into {name} values (200, 1, '2026-11-05'), (201, 1, '2026-11-05 00:00:00.000001')")
    assert land(load=load)["rows"]["read"] == 2
    assert land(load=load)["status"] == "unchanged"
    assert ids(tmp_path) == [*range(100), 200, 201]
    postgres.run(f"insert into {name} values (300, 1, null)")
    with pytest.raises(InputMissing, match="no value in 1 rows"):
        land(load=load)
    assert land(load=load, source={"where": "at is not null"})["status"] == "unchanged"


def test_a_view_is_read_by_a_column_or_by_one_connection(
    postgres: Postgres, land: Land, tmp_path: Path, name: str
) -> None:
    fill(postgres, name, 1000)
    postgres.run(f"create view v{name} as select id, x, at from {name} where id >= 10")
    assert land(table=f"v{name}", load={"mode": "full"})["rows"]["read"] == 990
    postgres.run(f"insert into {name} values (5000, 1, now())")
    result = land(table=f"public.v{name}", load={"mode": "full"}, source={"partition_column": "id"})
    assert result["rows"]["read"] == 991
    assert ids(tmp_path) == [*range(10, 1000), 5000]


@pytest.mark.parametrize(
    ("table", "more", "expected"),
    [
        ("nowhere", {}, 'relation "nowhere" does not exist'),
        ("pg_class", {"url": "jdbc:postgresql://127.0.0.1:1/postgres"}, "a database that accepts the connection"),
        ("pg_class", {"password": {"env": "WRONG_SECRET"}}, "password authentication failed"),
    ],
)
def test_what_can_t_be_read(
    land: Land, monkeypatch: pytest.MonkeyPatch, table: str, more: dict[str, Any], expected: str
) -> None:
    monkeypatch.setenv("WRONG_SECRET", "wrong-and-not-to-be-told")
    with pytest.raises(InputMissing) as caught:
        land(table=table, load={"mode": "full"}, source=more)
    assert expected in str(caught.value)
    assert "not-to-be-told" not in str(caught.value)


@pytest.mark.parametrize(
    "sql",
    [
        "pg_sleep(3) is null",
        "exists (select 1)",
        "true; drop table x",
        "count(*) > 1",
        "lo_import('/etc/passwd') > 0",
        "x = 1 union select 2",
        "a = E'\\\\' or pg_sleep(1) is null --'",
        "x > (table secrets)",
        "current_user = 'x'",
        "1 = 1 limit 1",
    ],
)
def test_conditions_that_are_more_than_that(sql: str) -> None:
    with pytest.raises(ConfigError):
        push_down(sql, where="source.where")


# The command twice in one process, for each would start Java anew: it succeeds, and then fails at the other table.
INGEST_BOTH = """
import sys
from traintable.cli import main
config, other_table = sys.argv[1:]
for more, expected in ([], 0), (["--set", other_table], 1):
    try:
        main(["ingest", "--config", config, *more])
    except SystemExit as exit:
        assert exit.code == expected, exit.code
    else:
        sys.exit("the command has not ended with a code")
"""


def test_the_password_is_in_no_output_table_or_log(
    postgres: Postgres, environment: None, tmp_path: Path, name: str
) -> None:
    fill(postgres, name, 200)
    postgres.run(f"insert into {name} values (1000, 1000, '2026-12-01')")  # for the quarantine
    config = settings(postgres, tmp_path, name, load={"mode": "full"})
    (tmp_path / "conf.yaml").write_text(yaml.safe_dump(config))
    logs = tmp_path / "events"
    logs.mkdir()
    events = {"enabled": "true", "compress": "false", "dir": f"file://{logs}"}
    submit = " ".join([*(f"--conf spark.eventLog.{name}={value}" for name, value in events.items()), "pyspark-shell"])
    where = {"PYSPARK_SUBMIT_ARGS": submit, "TRAINTABLE_LOG_LEVEL": "DEBUG"}
    postgres.run(f"create view w{name} as select id, x / (id - 150) as x, at from {name}")  # fails in mid-read
    ingest_both = [sys.executable, "-c", INGEST_BOTH, str(tmp_path / "conf.yaml"), f"source.table=w{name}"]
    done = subprocess.run(ingest_both, capture_output=True, env={**os.environ, **where}, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    (tmp_path / "output").write_bytes(done.stdout + done.stderr)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.stat().st_size > 10_000 for path in logs.rglob("*"))
    canary = str(postgres.password).encode()
    leaks = [line[:2000] for path in files for line in path.read_bytes().splitlines() if canary in line]
    assert leaks == []
    assert sum(name.encode() in path.read_bytes() for path in files) > 3  # which are where it would be


def test_late_and_changed_rows_within_the_lookback(
    postgres: Postgres, land: Land, tmp_path: Path, name: str, spark: SparkSession
) -> None:
    fill(postgres, name, 600)
    load = {"mode": "watermark", "column": "at", "lookback": "2 hours", "merge": {"order_by": "at"}}
    assert land(load=load)["rows"]["read"] == 600
    assert land(load=load)["rows"]["read"] == 120  # once more what late rows could be among
    assert land(load=load)["status"] == "unchanged"
    postgres.run(f"insert into {name} values (1000, 1, '2026-11-01 08:30:00')")  # late
    postgres.run(f"insert into {name} values (1001, 200, '2026-11-01 08:31:00')")  # late, and against the contract
    postgres.run(f"update {name} set x = 77, at = '2026-11-01 11:00:00' where id = 5")
    assert land(load=load)["rows"] == {"read": 123, "accepted": 122, "quarantined": 1}
    found = {row["id"]: row["x"] for row in rows(tmp_path)}
    assert sorted(found) == [*range(600), 1000]
    assert (found[5], len(rows(tmp_path))) == (77, 601)
    assert all(finding.ok for finding in recount(str(tmp_path / "landed"), spark=spark))
