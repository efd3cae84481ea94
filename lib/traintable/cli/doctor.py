"""Look at the machine before it fails in the middle of a run."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable

from traintable.addresses import is_catalog_name, is_remote
from traintable.checks import CheckResult
from traintable.spark import jars

LIBRARIES = {"pyspark": "4.1.", "delta-spark": "4.4.0", "great-expectations": "1.24.", "pyarrow": "", "numpy": ""}


def examine(paths: Iterable[str]) -> list[CheckResult]:
    """Check Java, Python, libraries, jars and the folders that runs shall write to. Starts no session."""
    return [_python(), *_java(), *[_library(name, start) for name, start in LIBRARIES.items()], _jars()] + [
        _storage(path) for path in paths
    ]


def _python() -> CheckResult:
    found = ".".join(map(str, sys.version_info[:3]))
    return CheckResult("Python", sys.version_info >= (3, 10), found, "Install Python 3.10 or newer.")


def _java() -> list[CheckResult]:
    home = os.environ.get("JAVA_HOME")
    java = os.path.join(home, "bin", "java") if home else shutil.which("java")
    fix = "Install a Java 17 runtime with all its modules (Debian: openjdk-17-jre-headless) and set JAVA_HOME to it."
    if not java or not os.path.exists(java):
        return [CheckResult("Java", False, f"no java at {java}" if java else "no java on PATH", fix)]
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    except OSError as error:
        return [CheckResult("Java", False, f"{java} does not start: {error.strerror}", fix)]
    version = re.search(r'version "(\d+)', said)
    number = int(version.group(1)) if version else 0
    modules = subprocess.run([java, "--list-modules"], capture_output=True, text=True, check=False).stdout
    has_vector = "jdk.incubator.vector" in modules
    return [
        CheckResult("Java", number == 17, said.splitlines()[0] if said else "no answer", fix),
        CheckResult("Java modules", has_vector, "jdk.incubator.vector " + ("there" if has_vector else "missing"), fix),
    ]


def _library(name: str, start: str) -> CheckResult:
    fix = f"pip install '{name}{'==' + start + '*' if start.endswith('.') else '==' + start if start else ''}'"
    try:
        found = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return CheckResult(name, False, "not installed", fix)
    return CheckResult(name, found.startswith(start), found, fix)


def _jars() -> CheckResult:
    folder = jars.cache_dir()
    lacking = jars.missing(folder)
    found = f"{len(jars.PINNED) - len(lacking)} of {len(jars.PINNED)} in {folder}, SHA-256 checked"
    fix = f"traintable jars --dest {folder}, or copy that folder from a machine that has it and set TRAINTABLE_JARS."
    return CheckResult("jars", not lacking, found, fix)


def _storage(path: str) -> CheckResult:
    check = "storage"
    if is_remote(path) or is_catalog_name(path):
        return CheckResult(
            check, False, f"{path} is not a local folder", "Give a local folder; addresses need a session."
        )
    try:
        with tempfile.TemporaryFile(dir=path) as file:
            file.write(b"\0" * 4096)
    except OSError as error:
        return CheckResult(check, False, f"{path}: {error.strerror}", f"Make {path} a folder that this user can write.")
    free = shutil.disk_usage(path).free / 2**30
    return CheckResult(check, free > 1, f"{path}, {free:.0f} GiB free", "Free at least 1 GiB there.")
