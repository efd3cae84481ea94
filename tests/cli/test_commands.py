"""The command line as others call it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from traintable import __version__
from traintable.run import Outcome
from traintable.spark import jars
from traintable.spark.progress import Progress, progress_bar

Command = Callable[..., tuple[int, dict[str, Any], str]]


def test_history_tells_the_versions_and_ends_with_one_json_line(
    command: Command, published: Outcome, table: Path
) -> None:
    code, result, stderr = command("history", str(table))
    assert code == 0
    assert result["versions"][-1]["manifest"]["run_id"] == published.run_id
    assert f"train {published.rows['published']['train']:,}" in stderr
    assert set(result["versions"][0]) == {"version", "timestamp", "operation", "manifest"}


def test_doctor_finds_this_machine_fit(command: Command, tmp_path: Path) -> None:
    code, result, _ = command("doctor", "--path", str(tmp_path))
    assert (code, [check["check"] for check in result["checks"] if not check["ok"]]) == (0, [])


def test_doctor_fails_with_a_fix_where_nothing_can_be_written(command: Command, tmp_path: Path) -> None:
    code, result, stderr = command("doctor", "--path", str(tmp_path / "nowhere"))
    assert (code, result["status"]) == (1, "failed")
    assert "fix:" in stderr


def test_jars_lists_what_it_put_there(command: Command) -> None:
    code, result, _ = command("jars", "--dest", str(jars.cache_dir()))
    assert code == 0
    assert [Path(path).name for path in result["jars"]] == list(jars.PINNED)


@pytest.mark.parametrize(
    ("arguments", "code"), [(["run"], 2), (["nonsense"], 2), (["--version"], 0), (["run", "--help"], 0)]
)
def test_usage(arguments: list[str], code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "traintable.cli", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    if code:
        assert json.loads(done.stdout.strip().splitlines()[-1])["status"] == "failed"
    if arguments == ["--version"]:
        assert done.stdout.strip() == __version__


def test_a_fault_of_ours_is_one_line_and_exit_1(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: str) -> None:
        raise RuntimeError("first line\nsecond line")

    monkeypatch.setattr(sys.modules["traintable.publish.history"], "history", broken)
    code, result, stderr = command("history", "x")
    assert (code, result["status"], result["message"]) == (1, "failed", "RuntimeError: first line")
    assert "second line" not in stderr


def test_progress_tells_each_stage_on_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress()
    with progress.stage("read"):
        pass
    with pytest.raises(ValueError, match="stop"), progress.stage("gate"):
        raise ValueError("stop")
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[0] for line in lines] == ["read", "gate"]
    assert lines[1].endswith("failed")
    assert list(progress.seconds) == ["read", "gate"]


def test_a_terminal_gets_a_bar_from_sparks_own_status(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    def slowly(batches: Any) -> Any:
        for batch in batches:
            time.sleep(0.3)
            yield batch

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    progress = Progress()
    progress.spark = spark
    slow = spark.range(0, 8, 1, 8).mapInArrow(slowly, "id long")
    with progress.stage("slow"):
        worker = threading.Thread(target=slow.count)
        worker.start()
        worker.join()
    assert "/8 tasks" in terminal.getvalue()


def test_the_bar_fills() -> None:
    assert progress_bar(0, 4).startswith("[" + "." * 24)
    assert progress_bar(2, 4).startswith("[" + "#" * 12 + "." * 12)
    assert progress_bar(4, 4) == "[" + "#" * 24 + "] 4/4 tasks"
    assert progress_bar(0, 0) == "[" + "." * 24 + "] 0/0 tasks"  # before the number of tasks is known
