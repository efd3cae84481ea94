"""What a published version was made from and by, so that it can be made again: input files, code, model."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterable
from typing import Any

import traintable
from traintable.addresses import is_catalog_name, is_remote, is_s3
from traintable.delta.manifest import InputTable
from traintable.delta.opened import list_data_files
from traintable.delta.pin import Pinned
from traintable.storage.folder import folder


def input_of(pinned: Pinned) -> InputTable:
    """A pinned table with its files: their number, bytes, and a hash of their names, sizes and times.

    A Delta table never changes a file, so equal hashes are equal rows. Reads the log. Files are not told of a table of
    a catalog, or in another storage than a local disk and S3.
    """
    known = pinned.to_dict()
    table = pinned.table
    if is_catalog_name(table) or (is_remote(table) and not is_s3(table)):
        return known
    files = list_data_files(table, pinned.version)
    return {**known, "files": len(files), "bytes": sum(file[1] for file in files), "files_hash": _hash(files)}


def code_of(root: str) -> dict[str, Any]:
    """The version of this package, and the commit of the folder that is the root of a configuration, if it has one."""
    told: dict[str, Any] = {"traintable": traintable.__version__}
    if is_remote(root):
        return told
    commit = _git(root, "rev-parse", "HEAD")
    if commit:
        told |= {"commit": commit, "changed": bool(_git(root, "status", "--porcelain", "--untracked-files=no"))}
    return told


def model_hash(model: str) -> str | None:
    """A hash of the names and contents of a saved model's files; None where they can't be listed."""
    if is_remote(model) and not is_s3(model):
        return None
    files = folder(model)
    names = [name for name in files.names() if not name.endswith(".crc")]
    return _hash((name, hashlib.sha256(files.read(name) or b"").hexdigest()) for name in names)


def _hash(values: Iterable[Any]) -> str:
    return hashlib.sha256(json.dumps(list(values), default=str).encode()).hexdigest()


def _git(root: str, *arguments: str) -> str | None:
    """What git says; None where there is none, or the folder is none of its."""
    git = shutil.which("git")
    if git is None:
        return None
    try:
        found = subprocess.run([git, "-C", root, *arguments], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found.stdout.strip() if found.returncode == 0 else None
