"""Programs and libraries that no requirement brings: where they are, and how one that is missing gets there once."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

VERSITYGW = "v1.8.0"
MODULE = "github.com/versity/versitygw/cmd/versitygw"


def postgres_programs() -> Path:
    """The folder of `initdb` and `postgres`; Debian's package is installed where there is none and we may."""
    if _postgres() is None:
        with _alone():
            if _postgres() is None:
                _install("postgresql", "PostgreSQL", lambda: _postgres() is not None)
    found = _postgres()
    assert found is not None
    return found


def versitygw_program() -> Path:
    """The S3 server, built from its pinned version when it is first needed (about two minutes)."""
    path = _cache() / f"versitygw-{VERSITYGW}"
    if not path.exists():
        with _alone():
            if not path.exists():
                _build_versitygw(path)
    return path


def torch_folder() -> Path:
    """The folder from which PyTorch is imported: where it is installed, or of Debian's package, which has no CUDA.

    Debian's (152 MB with what it needs, 40 s) is for one version of Python, which has to be ours.
    """
    own = importlib.util.find_spec("torch")
    if own is not None and own.origin is not None:
        return Path(own.origin).parent.parent
    if not _debian_torch().exists():
        with _alone():
            if not _debian_torch().exists():
                _install("python3-torch", "PyTorch", lambda: _debian_torch().exists())
    return _debian_torch().parent.parent


def unavailable(what: str, why: str) -> NoReturn:
    """Skip the tests that need a server, and say so; where CI must not skip them, fail."""
    message = f"{what} is not here and can't be installed: {why}"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


def _postgres() -> Path | None:
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    found = debian[-1] if debian else Path(on_path).resolve() if on_path else None
    return found.parent if found is not None and (found.parent / "postgres").exists() else None


def _debian_torch() -> Path:
    return Path("/usr/lib/python3/dist-packages/torch") / f"_C{sysconfig.get_config_var('EXT_SUFFIX')}"


def _install(package: str, what: str, is_there: Callable[[], bool]) -> None:
    """Install a package of Debian's."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        unavailable(what, f"only root of a Debian system can (apt-get install {package})")
    install = ["apt-get", "install", "--yes", "--no-install-recommends", package]
    for command in (install, ["apt-get", "update"], install):
        done = _run(command, {"DEBIAN_FRONTEND": "noninteractive"})
        if is_there():
            return
    unavailable(what, done)


def _build_versitygw(path: Path) -> None:
    if shutil.which("go") is None:
        unavailable("versitygw", "it is built by go, which is not here either")
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        said = _run(["go", "install", f"{MODULE}@{VERSITYGW}"], {"GOBIN": folder})
        built = Path(folder) / "versitygw"
        if not built.exists():
            unavailable("versitygw", said)
        built.replace(path)


def _run(command: list[str], more: dict[str, str]) -> str:
    """The end of what a command said."""
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **more}, check=False)
    return (done.stdout + done.stderr)[-1000:]


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(os.environ.get("TRAINTABLE_SERVERS") or Path(base) / "traintable" / "servers")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def _alone() -> Iterator[None]:
    """One process at a time, for the workers of a test run begin together."""
    with (_cache() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
