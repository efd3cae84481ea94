"""The doctor finds what would stop a run, and says how to mend it."""

from __future__ import annotations

import importlib.metadata
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from traintable.cli import doctor
from traintable.spark import jars

JAVA_17 = 'openjdk version "17.0.15" 2025-04-15'
JAVA_25 = 'openjdk version "25" 2025-09-16'
JAVA_8 = 'java version "1.8.0_452"'
VECTOR = "java.base@17\njdk.incubator.vector@17"


def java_home(folder: Path, version: str, modules: str, mode: int = 0o755) -> str:
    """A folder with a `java` that answers as told."""
    java = folder / "bin" / "java"
    java.parent.mkdir()
    java.write_text(f"#!/bin/sh\n[ $1 = -version ] && echo '{version}' >&2 || echo '{modules}'\n")
    java.chmod(mode)
    return str(folder)


def found(check: str, path: str = ".") -> doctor.Finding:
    """The first finding of a check that is not well, or else its first one."""
    findings = [finding for finding in doctor.examine([path]) if finding.check == check]
    return min(findings, key=lambda finding: finding.ok)


def assert_fails_with(finding: doctor.Finding, *, found: str, fix: str) -> None:
    assert not finding.ok
    assert found in finding.found
    assert fix in finding.fix
    assert finding.fix in finding.line()
    assert finding.line().startswith("FAIL")


def test_java_17_with_all_its_modules_is_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", java_home(tmp_path, JAVA_17, VECTOR))
    assert found("Java").ok
    assert found("Java modules").ok
    assert found("Java").line().startswith("ok")


@pytest.mark.parametrize("version", [JAVA_25, JAVA_8, ""])
def test_another_java_fails(version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", java_home(tmp_path, version, VECTOR))
    assert_fails_with(found("Java"), found=version, fix="Java 17")


def test_a_java_without_the_vector_module_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", java_home(tmp_path, JAVA_17, "java.base@17"))
    assert_fails_with(found("Java modules"), found="missing", fix="all its modules")


def test_no_java_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert_fails_with(found("Java"), found="no java at", fix="JAVA_HOME")
    monkeypatch.delenv("JAVA_HOME")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert_fails_with(found("Java"), found="no java on PATH", fix="JAVA_HOME")


def test_a_java_that_cannot_be_started_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", java_home(tmp_path, JAVA_17, VECTOR, mode=0o644))
    assert_fails_with(found("Java"), found="java", fix="JAVA_HOME")


def test_a_folder_that_can_be_written_is_well(tmp_path: Path) -> None:
    assert found("storage", str(tmp_path)).ok
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_fails(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name, said in {"nowhere": "No such file", "file": "Not a directory"}.items():
        path = str(tmp_path / name)
        assert_fails_with(found("storage", path), found=said, fix=path)


def test_a_full_disk_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=2**29))
    assert_fails_with(found("storage", str(tmp_path)), found="GiB free", fix="1 GiB")


@pytest.mark.parametrize("path", ["s3a://bucket/x", "catalog.schema.table"])
def test_what_is_no_folder_is_told(path: str) -> None:
    assert_fails_with(found("storage", path), found=path, fix="local folder")


def test_another_release_of_a_library_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found("pyspark").ok
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "3.5.1")
    assert_fails_with(found("pyspark"), found="3.5.1", fix="pip install 'pyspark==4.1.*'")


def test_a_library_that_is_not_installed_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(doctor.LIBRARIES, "no-such-library", "1.0")
    assert_fails_with(found("no-such-library"), found="not installed", fix="pip install 'no-such-library==1.0'")


def test_jars_that_are_missing_or_altered_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINTABLE_JARS", str(tmp_path))
    (tmp_path / next(iter(jars.PINNED))).write_bytes(b"not a jar")
    assert_fails_with(found("jars"), found=f"0 of {len(jars.PINNED)}", fix=f"--dest {tmp_path}")
