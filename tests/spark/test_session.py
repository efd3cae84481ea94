"""The session: what is there is respected, what is missing is pinned."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from traintable import get_spark
from traintable.errors import ConfigError
from traintable.spark import session
from traintable.spark.hadoop_files import delete_folder
from traintable.spark.plans import active_tasks


@pytest.fixture
def no_jars(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session.jars, "ensure", lambda: ["/cache/delta-spark.jar", "/cache/delta-storage.jar"])


def test_an_active_session_is_returned_as_it_is(spark: SparkSession) -> None:
    before = spark.conf.get("spark.sql.shuffle.partitions")
    assert get_spark("another", spark__sql__shuffle__partitions="99") is spark
    assert spark.conf.get("spark.sql.shuffle.partitions") == before


@pytest.mark.usefixtures("no_jars")
def test_a_local_session_gets_the_pinned_jars_and_a_cluster_is_left_to_size_itself() -> None:
    assert session._defaults({})["spark.jars"] == "/cache/delta-spark.jar,/cache/delta-storage.jar"
    cluster = session._defaults({"spark.master": "spark://host:7077"})
    assert "spark.sql.shuffle.partitions" not in cluster
    assert cluster["spark.sql.session.timeZone"] == "UTC"


@pytest.mark.usefixtures("no_jars")
@pytest.mark.parametrize("name", ["SPARK_HOME", "PYSPARK_PYTHON"])
def test_workers_of_another_spark_or_python_are_left_to_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPARK_HOME", raising=False)
    monkeypatch.delenv("PYSPARK_PYTHON", raising=False)
    assert session._defaults({})["spark.python.daemon.module"] == "traintable.spark.daemon"
    assert "spark.python.daemon.module" not in session._defaults({"spark.master": "spark://host:7077"})
    monkeypatch.setenv(name, "/another")
    assert "spark.python.daemon.module" not in session._defaults({})


def test_no_archive_of_sparks_is_on_the_path_of_local_workers(spark: SparkSession) -> None:
    def path(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _ in batches:
            yield pa.record_batch({"place": [*sys.path, *sys.path_importer_cache]})

    found = [row["place"] for row in spark.range(1).mapInArrow(path, "place string").collect()]
    assert found
    assert not [place for place in found if "spark" in place and place.endswith((".zip", ".jar"))]


def s3a(settings: dict[str, str]) -> dict[str, str]:
    return {name.removeprefix("spark.hadoop.fs.s3a."): v for name, v in settings.items() if "s3a" in name}


@pytest.mark.usefixtures("no_jars")
@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
def test_an_s3_server_of_the_environment_is_set_without_its_keys(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    assert s3a(session._defaults({})) == {}
    monkeypatch.setenv(name, "http://127.0.0.1:7070")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "the-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the-secret")
    found = session._defaults({"spark.master": "spark://host:7077"})
    assert s3a(found) == {
        "endpoint": "http://127.0.0.1:7070",
        "endpoint.region": "us-east-1",
        "path.style.access": "true",
        "connection.ssl.enabled": "false",
        "aws.credentials.provider": "software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider",
    }
    assert not {"the-key", "the-secret"} & set(found.values())
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv(name, "https://store.example")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    assert s3a(session._defaults({})) == {
        "endpoint": "https://store.example",
        "endpoint.region": "eu-central-1",
        "path.style.access": "true",
        "connection.ssl.enabled": "true",
    }


@pytest.mark.parametrize(
    "user",
    [
        {"spark.jars.packages": "io.delta:delta-spark_4.1_2.13:4.4.0"},
        {"spark.jars": "/opt/delta-spark_4.1_2.13-4.4.0.jar"},
    ],
)
def test_jars_that_the_user_set_are_respected(user: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session.jars, "ensure", lambda: pytest.fail("jars were fetched"))
    assert "spark.jars" not in session._defaults(user)


def test_spark_submit_without_delta_says_what_to_add(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYSPARK_GATEWAY_PORT", "1")
    with pytest.raises(ConfigError, match="--jars"):
        session._defaults({"spark.master": "spark://host:7077"})


def test_settings_come_from_the_environment_and_from_the_defaults_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "spark-defaults.conf").write_text("# comment\nspark.master  local[3]\nspark.driver.memory\t2g\n")
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path))
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", "--conf spark.driver.memory=3g --packages a:b:1 --verbose pyspark-shell")
    found = session._user_settings()
    assert found == {"spark.master": "local[3]", "spark.driver.memory": "3g", "spark.jars.packages": "a:b:1"}


def test_delete_folder_takes_local_folders_and_addresses(spark: SparkSession, tmp_path: Path) -> None:
    for path, name in ((tmp_path / "a", str(tmp_path / "a")), (tmp_path / "b", f"file://{tmp_path}/b")):
        path.mkdir()
        (path / "x").touch()
        delete_folder(spark, name)
        assert not path.exists()
        delete_folder(spark, name)


def test_nothing_runs_so_there_is_no_bar(spark: SparkSession) -> None:
    assert active_tasks(spark) is None
