"""The input files, the code and the model of a published version, by which it can be built again."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterable
from typing import Any

import traintable
from traintable.addresses import is_catalog_name, is_remote, is_s3
from traintable.delta.manifest import CodeVersion, InputTable
from traintable.delta.opened import list_data_files
from traintable.delta.pinned_input import PinnedInput
from traintable.storage.folder import folder


def input_of(pinned: PinnedInput) -> InputTable:
    """A pinned table with its files: their number, bytes, and a hash of their names, sizes and times.

    A Delta table never changes a file, so equal hashes mean equal rows. Reads the log. Files are left out for a table
    of a catalog, and for one in a storage other than a local disk and S3.
    """
    identity = pinned.to_dict()
    table = pinned.table
    if is_catalog_name(table) or (is_remote(table) and not is_s3(table)):
        return identity
    files = list_data_files(table, pinned.version)
    return {**identity, "files": len(files), "bytes": sum(file[1] for file in files), "files_hash": _hash(files)}


def code_of(root: str) -> CodeVersion:
    """The version of this package, and the git commit of the `root` of a configuration, if it has one."""
    code: CodeVersion = {"traintable": traintable.__version__}
    if is_remote(root):
        return code
    commit = _git(root, "rev-parse", "HEAD")
    if commit:
        code["commit"] = commit
        code["changed"] = bool(_git(root, "status", "--porcelain", "--untracked-files=no"))
    return code


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
    """The output of a git command; None without git, and for a folder that is in no repository."""
    git = shutil.which("git")
    if git is None:
        return None
    try:
        process = subprocess.run([git, "-C", root, *arguments], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return process.stdout.strip() if process.returncode == 0 else None
