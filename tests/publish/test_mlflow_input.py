"""What MLflow is told of a published version, when it is told at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from gated_tables import hash_of, manifest_of, publish, some_rows
from servers.install import unavailable
from servers.processes import free_port
from traintable.publish.mlflow_input import log_input

ROWS = some_rows(6)
MANIFEST = manifest_of(ROWS)
TAGS = {
    "traintable.run_id": MANIFEST["run_id"],
    "traintable.content_hash": hash_of(ROWS),
}


@pytest.fixture
def mlflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """MLflow with a store of its own in a folder."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "runs").as_uri())
    monkeypatch.delenv("MLFLOW_RUN_ID", raising=False)
    try:
        import mlflow
    except ImportError:
        unavailable("MLflow", "the extra 'dev' brings it")
    return mlflow


@pytest.fixture
def table(spark: SparkSession, tmp_path: Path) -> str:
    """A table of two versions, and a session that MLflow finds."""
    table = str(tmp_path / "t")
    publish(table, ROWS)
    publish(table, ROWS)
    return table


def inputs_of(mlflow: Any, run_id: str) -> list[Any]:
    return list(mlflow.MlflowClient().get_run(run_id).inputs.dataset_inputs)


@pytest.mark.parametrize("version", [0, 1])
def test_the_version_is_an_input_of_the_active_run(
    mlflow: Any, table: str, version: int, recwarn: pytest.WarningsRecorder
) -> None:
    with mlflow.start_run() as run:
        assert log_input(table=table, version=version, manifest=MANIFEST)
        assert mlflow.active_run().info.run_id == run.info.run_id
    assert not [warning for warning in recwarn if "Inferred schema" in str(warning.message)]
    (found,) = inputs_of(mlflow, run.info.run_id)
    assert (found.dataset.name, found.dataset.digest) == ("some", hash_of(ROWS)[:36])
    assert json.loads(found.dataset.source) == {"path": table, "delta_table_version": str(version)}
    assert json.loads(found.dataset.profile) == {"rows": {"train": 4, "validation": 0, "test": 2}}
    columns = json.loads(found.dataset.schema)["mlflow_colspec"]
    assert [column["name"] for column in columns] == ["id", "split", "late", "features"]
    tags = {**TAGS, "traintable.version": str(version)}
    assert {tag.key: tag.value for tag in found.tags} == {"mlflow.data.context": "training", **tags}
    told = mlflow.MlflowClient().get_run(run.info.run_id).data.tags
    assert {name: value for name, value in told.items() if name.startswith("traintable.")} == tags
    rows = mlflow.data.get_source(found).load()  # as whoever finds the run will read it
    assert hash_of(rows.toArrow()) == hash_of(ROWS)


def test_a_run_that_another_process_has_is_told_and_left_as_it_is(
    mlflow: Any, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = mlflow.MlflowClient()
    run = client.create_run("0")
    monkeypatch.setenv("MLFLOW_RUN_ID", run.info.run_id)
    assert log_input(table=table, version=1, manifest=MANIFEST)
    assert len(inputs_of(mlflow, run.info.run_id)) == 1
    after = client.get_run(run.info.run_id).info
    assert (after.status, after.end_time, mlflow.active_run()) == ("RUNNING", None, None)


def test_without_a_run_nothing_is_logged(mlflow: Any, table: str) -> None:
    assert not log_input(table=table, version=1, manifest=MANIFEST)
    assert mlflow.MlflowClient().search_runs(["0"]) == []


def test_a_server_that_does_not_answer_is_a_warning_without_its_password(
    mlflow: Any, table: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://somebody:hunter2@127.0.0.1:{free_port()}")
    monkeypatch.setenv("MLFLOW_RUN_ID", "a" * 32)
    assert not log_input(table=table, version=1, manifest=MANIFEST)
    (warning,) = [record for record in caplog.records if record.name.startswith("traintable")]
    assert warning.levelname == "WARNING"
    assert f"table {table} version 1 was not logged to MLflow: " in warning.getMessage()
    assert "\n" not in warning.getMessage()
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize("changed", [{"table": "/nothing"}, {"version": 99}, {"manifest": {}}])
def test_whatever_goes_wrong_is_a_warning(
    mlflow: Any, table: str, caplog: pytest.LogCaptureFixture, changed: dict[str, Any]
) -> None:
    with mlflow.start_run() as run:
        assert not log_input(**{"table": table, "version": 1, "manifest": MANIFEST, **changed})
    assert "was not logged to MLflow" in caplog.text
    assert inputs_of(mlflow, run.info.run_id) == []


UNUSED = """
import sys
if "hidden" in sys.argv:
    sys.modules["mlflow"] = None
from traintable.publish.mlflow_input import log_input
assert not log_input(table="/nothing", version=0, manifest={})
assert sys.modules.get("mlflow") is None
"""


@pytest.mark.parametrize(
    ("how", "environment"),
    [
        ("installed", {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9"}),  # a server alone is not asked
        ("hidden", {"MLFLOW_RUN_ID": "a" * 32}),
    ],
)
def test_where_it_is_not_asked_for_it_is_not_even_imported(how: str, environment: dict[str, str]) -> None:
    known = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    command = [sys.executable, "-c", UNUSED, how]
    path = {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**known, **path, **environment})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
