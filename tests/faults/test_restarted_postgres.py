"""PostgreSQL goes away before, between and in the midst of the reads of a run; the next run lands each row once."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from verdicts import assert_sound, content, twice, versions

from servers.postgres import Postgres
from traintable.config.ingest import IngestConfig
from traintable.errors import InputMissing
from traintable.ingest.job import ingest
from traintable.spark.plans import parallelism
from traintable.spark.progress import Progress

N_ROWS, PARTS, WAIT_SECONDS = 4000, 4, 60
COLUMNS = {"id": {"type": "bigint"}, "x": {"type": "double", "max": 100}, "at": {"type": "timestamp"}}
SLOW = pytest.mark.slow
ASLEEP = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'"


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Iterator[Postgres]:
    """A server of this test's alone, with a table, and a view of it that `sleep` makes slow for Java's connections."""
    server = Postgres(password=secrets.token_urlsafe(16))
    server.start()
    monkeypatch.setenv("PGUSER", server.user)
    monkeypatch.setenv("PGPASSWORD", str(server.password))
    server.run("create table t (id bigint primary key, x double precision, at timestamptz)")
    server.run(
        f"insert into t select i, i % 110, timestamptz '2026-11-01' + i * interval '1 minute'"
        f" from generate_series(0, {N_ROWS - 1}) i"
    )
    sleep(server, 0)
    server.run("create view slow as select * from t where id % 900 <> 899 or awake()")
    yield server
    server.stop()


def sleep(server: Postgres, seconds: int) -> None:
    """How long each of the last rows of a part takes to be read; the driver's own connection is not held up."""
    server.run(
        "create or replace function awake() returns boolean language sql volatile as $$ select pg_sleep("
        f"case current_setting('application_name') when 'traintable' then 0 else {seconds} end) is not null $$"
    )


def config(server: Postgres, root: Path, table: str, **load: Any) -> IngestConfig:
    source = {"format": "jdbc", "url": server.jdbc(), "table": table, "partitions": PARTS, "fetch_size": 100}
    known = {"name": "test", "root": str(root), "columns": COLUMNS, "key": ["id"], "output": {"table": "landed"}}
    if table == "slow":
        source["partition_column"] = "id"
    return IngestConfig.model_validate(
        {**known, "source": source, "load": load or {"mode": "watermark", "column": "at"}}
    )


class Between(Progress):
    """Halts the server before a stage."""

    def __init__(self, server: Postgres, stage: str) -> None:
        super().__init__(quiet=True)
        self.server, self.point = server, stage

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        if name.startswith(self.point):
            self.server.halt()
        with super().stage(name):
            yield


def restart_when_asleep(server: Postgres, n: int, seen: list[int]) -> None:
    """Restart the server when so many connections sleep in the midst of a part."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        if server.run(ASLEEP)[0][0] >= n:
            seen.append(n)
            break
        time.sleep(0.05)
    server.halt()
    server.serve()


def assert_clear(error: Exception, server: Postgres) -> None:
    """The error is one line, which names the database and holds no password."""
    text = str(error)
    assert len(text.splitlines()) == 1
    assert len(text) < 600
    assert server.jdbc() in text
    assert str(server.password) not in text


def assert_all_once(server: Postgres, root: Path, spark: SparkSession) -> None:
    """The table and the quarantine have what PostgreSQL has."""
    expected = [row[0] for row in server.run("select count(*) from t where x <= 100 union all select count(*) from t")]
    good, bad = content(root / "landed", ["id", "x"]), content(root / "landed_quarantine", ["raw"])
    assert [len(good), len(good) + len(bad)] == expected
    assert twice(good) == twice(bad) == 0
    assert_sound(root, spark)


def test_a_server_that_restarts_in_mid_read(own: Postgres, spark: SparkSession, tmp_path: Path) -> None:
    settings, seen = config(own, tmp_path, "slow"), list[int]()
    n_together = min(2, parallelism(spark))
    sleep(own, 30)
    thread = threading.Thread(target=restart_when_asleep, args=(own, n_together, seen))
    thread.start()
    with pytest.raises(InputMissing) as caught:
        ingest(settings, spark=spark)
    thread.join()
    print(caught.value)
    assert seen == [n_together]
    assert_clear(caught.value, own)
    assert content(tmp_path / "landed") == content(tmp_path / "landed_quarantine") == []
    sleep(own, 0)
    own.run("insert into t values (-1, 1, '2026-10-01'), (-2, 200, '2026-12-01')")
    assert ingest(settings, spark=spark)["rows"]["read"] == N_ROWS + 2
    assert ingest(settings, spark=spark)["status"] == "unchanged"
    assert_all_once(own, tmp_path, spark)


@pytest.mark.parametrize(
    "stage",
    ["list", pytest.param("read headers", marks=SLOW), "write rows", pytest.param("keep bad records", marks=SLOW)],
)
def test_a_server_that_is_down(own: Postgres, spark: SparkSession, tmp_path: Path, stage: str) -> None:
    settings = config(own, tmp_path, "t")
    with pytest.raises(InputMissing) as caught:
        ingest(settings, spark=spark, progress=Between(own, stage))
    print(caught.value)
    assert_clear(caught.value, own)
    own.serve()
    written = versions(tmp_path / "landed")
    assert written == ([0] if stage == "keep bad records" else [])
    assert ingest(settings, spark=spark)["rows"]["read"] == N_ROWS
    assert versions(tmp_path / "landed") == [0]  # what had been written is not written again
    assert ingest(settings, spark=spark)["status"] == "unchanged"
    assert_all_once(own, tmp_path, spark)
