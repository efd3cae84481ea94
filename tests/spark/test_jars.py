"""The pinned jars: their content is what counts, and the network is touched only when one is missing."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pyspark
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from traintable.errors import TraintableError
from traintable.spark import jars


@pytest.fixture
def pinned(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Two small stand-ins for the pinned jars."""
    content = {"one.jar": b"first", "two.jar": b"second"}
    monkeypatch.setattr(jars, "PINNED", {name: hashlib.sha256(data).hexdigest() for name, data in content.items()})
    return content


def put(folder: Path, content: dict[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in content.items():
        (folder / name).write_bytes(data)


def resolver(monkeypatch: pytest.MonkeyPatch, content: dict[str, bytes], log: str = "") -> list[Path]:
    """Let the resolver bring `content`; gives the folders that it was called with."""
    calls: list[Path] = []

    def resolve(ivy: Path) -> str:
        calls.append(ivy)
        put(ivy / "jars", content)
        return log

    monkeypatch.setattr(jars, "_resolve", resolve)
    return calls


def test_the_jar_of_each_coordinate_is_pinned_by_its_sha256() -> None:
    for coordinate in jars.COORDINATES:
        assert f"{coordinate.replace(':', '_', 1).replace(':', '-')}.jar" in jars.PINNED
    assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in jars.PINNED.values())
    assert len(set(jars.PINNED.values())) == len(jars.PINNED)


def test_what_spark_ships_is_not_brought_again_and_fits() -> None:
    shipped = {path.name for path in (Path(pyspark.__file__).parent / "jars").glob("*.jar")}
    assert shipped, "Spark's own jars"
    ours = {name.partition("_")[2] for name in jars.PINNED}
    assert {_artifact(name) for name in ours}.isdisjoint(_artifact(name) for name in shipped)
    hadoop = next(c.rpartition(":")[2] for c in jars.COORDINATES if ":hadoop-aws:" in c)
    assert f"hadoop-client-api-{hadoop}.jar" in shipped


def _artifact(jar: str) -> str:
    return re.sub(r"-\d[\w.]*\.jar$", "", jar)


def test_a_session_reads_avro_and_knows_the_others(spark: SparkSession, tmp_path: Path) -> None:
    rows = spark.range(3).select(
        "id",
        F.expr("CAST(id AS DECIMAL(20, 3)) AS amount"),
        F.expr("TIMESTAMP '2026-11-01 01:02:03.456789' AS at"),
        F.expr("DATE '2026-11-01' AS day"),
        F.expr("IF(id = 1, NULL, named_struct('a', array(id), 'b', map('k', 'é')))").alias("nested"),
    )
    rows.write.format("avro").save(str(tmp_path / "avro"))
    found = spark.read.format("avro").load(str(tmp_path / "avro"))
    assert found.dtypes == rows.dtypes
    assert sorted(found.collect(), key=lambda row: row["id"]) == rows.collect()
    for name in ("org.postgresql.Driver", "org.apache.hadoop.fs.s3a.S3AFileSystem"):
        assert spark._jvm.java.lang.Class.forName(name, False, _loader(spark)).getName() == name


def _loader(spark: SparkSession) -> object:
    return spark._jvm.org.apache.spark.util.Utils.getContextOrSparkClassLoader()


def test_missing_names_absent_and_altered_jars(pinned: dict[str, bytes], tmp_path: Path) -> None:
    assert jars.missing(tmp_path / "nowhere") == ["one.jar", "two.jar"]
    put(tmp_path, pinned)
    assert jars.missing(tmp_path) == []
    (tmp_path / "two.jar").write_bytes(b"Second")
    assert jars.missing(tmp_path) == ["two.jar"]
    (tmp_path / "one.jar").unlink()
    (tmp_path / "one.jar").mkdir()
    assert jars.missing(tmp_path) == ["one.jar", "two.jar"]


def test_the_network_is_left_alone_when_all_are_there(
    pinned: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, pinned)
    monkeypatch.setattr(jars, "fetch", lambda folder: pytest.fail("fetched"))
    assert jars.ensure(tmp_path) == [str(tmp_path / "one.jar"), str(tmp_path / "two.jar")]


def test_what_is_missing_is_fetched_once(
    pinned: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = resolver(monkeypatch, {**pinned, "another.jar": b"not pinned"})
    folder = tmp_path / "cache"
    jars.ensure(folder)
    jars.ensure(folder)
    assert len(calls) == 1
    assert sorted(path.name for path in folder.iterdir()) == ["one.jar", "two.jar"]
    assert jars.missing(folder) == []


@pytest.mark.parametrize("content", [{"one.jar": b"first"}, {"one.jar": b"first", "two.jar": b"forged"}])
def test_a_jar_that_is_not_the_pinned_one_is_not_taken(
    content: dict[str, bytes], pinned: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolver(monkeypatch, content, log="fine\nUNRESOLVED DEPENDENCIES\n")
    with pytest.raises(TraintableError, match=r"two\.jar.*UNRESOLVED.*TRAINTABLE_JARS"):
        jars.fetch(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_folder_is_that_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    monkeypatch.delenv("TRAINTABLE_JARS", raising=False)
    assert jars.cache_dir() == Path("/cache/traintable/jars")
    monkeypatch.setenv("TRAINTABLE_JARS", "/given")
    assert jars.cache_dir() == Path("/given")


@pytest.mark.slow
def test_they_are_fetched_into_a_folder_that_is_named_relatively(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    paths = jars.ensure(Path("there"))
    assert [Path(path).parent for path in paths] == [tmp_path / "there"] * len(jars.PINNED)
    assert jars.missing(tmp_path / "there") == []
    assert sorted(p.name for p in (tmp_path / "there").iterdir()) == sorted(jars.PINNED)
