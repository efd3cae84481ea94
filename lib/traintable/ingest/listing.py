"""Which files there are to read, what they are called, and how one state of a file differs from another."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import quote, unquote

from traintable.addresses import SCHEME, is_remote, is_s3
from traintable.config.ingest import has_time
from traintable.errors import ConfigError, InputMissing
from traintable.ingest.intervals import Interval
from traintable.storage import s3

MAGIC = re.compile(r"[*?\[]")


@dataclass(frozen=True, order=True)
class ListedFile:
    """A file as it was listed, or a part of a table that is landed as if it were a file.

    Attributes
    ----------
    name : the path from the configuration's root where it lies beneath that, else the whole path or address; what
        stands in the table, so that it does not depend on where the root is.
    path : where it is read.
    size : bytes.
    etag : another one whenever the content may be another: S3's own, or size and time of a local file.
    watermark : the greatest value of the rows that this stands for, where it is a part of a table.
    """

    name: str
    path: str
    size: int
    etag: str
    watermark: str | None = None


def unknown_state() -> str:
    """An etag that nothing else has, for what does not show whether it has changed."""
    return secrets.token_hex(8)


def path_at(path: str, interval: Interval) -> str:
    """The path of an interval, strftime's signs replaced by its start."""
    return interval.start.strftime(path) if has_time(path) else path


def address_of(path: str) -> str:
    """A local file's address, as Spark gives it."""
    return f"file:{quote(path)}"


def path_of(address: str) -> str:
    """The path of a local file's address, as Spark gives it; another address as it is, unquoted."""
    return re.sub("^file:/+", "/", unquote(address))


def name_in_table(path: str, root: str) -> str:
    """What a file is called in the table: its path from the root, which is no link, where it lies beneath that."""
    return path.removeprefix(f"{root}/")


def name_at(address: str, root: str) -> str:
    """What the file of an address is called in the table."""
    return name_in_table(path_of(address), root)


def fingerprint(files: Iterable[ListedFile]) -> str:
    """A text of 16 characters that is the same for the same files in the same state."""
    return hashlib.sha256("\n".join(f"{f.name}\t{f.etag}" for f in sorted(files)).encode()).hexdigest()[:16]


def list_files(path: str, *, root: str) -> list[ListedFile]:
    """The files that a path names, in the order of their names: a file, all files of a folder, or a pattern with `*`.

    Files and folders whose name begins with `_` or `.` are not listed, as Spark does not read them. Raises ConfigError
    for a link that leads out of the folder, and InputMissing where the folder is not there.
    """
    if is_s3(path):
        return sorted(set(list_objects(path)))
    if is_remote(path):
        raise ConfigError(
            where="source.path",
            expected="a local path, or s3a://bucket/prefix",
            found=f"'{path}'",
            remedy="Mount it, or copy the files to a local path.",
        )
    return sorted(set(_list_local(path, os.path.realpath(root))))


def folder_of(path: str) -> str:
    """The part of a path before its first pattern, cut at a folder."""
    parts = path.split("/")
    first = next((i for i, part in enumerate(parts) if MAGIC.search(part)), None)
    return path if first is None else "/".join(parts[:first])


def matches(path: str, pattern: str) -> bool:
    """Whether a path is one that a pattern names: part by part; what is below a folder that it names is too."""
    parts, pattern_parts = path.split("/"), pattern.rstrip("/").split("/")
    return len(parts) >= len(pattern_parts) and all(map(fnmatchcase, parts, pattern_parts))


def is_hidden(name: str) -> bool:
    """Whether Spark skips a file or folder of that name."""
    return name.startswith(("_", "."))


def _list_local(path: str, root: str) -> Iterator[ListedFile]:
    folder = folder_of(path) or "/"
    if not os.path.exists(folder):
        raise InputMissing(
            where=f"source.path {path}",
            expected="a folder or a file",
            found="nothing there",
            remedy="Check the path (relative ones start at the configuration's `root`).",
        )
    home = os.path.realpath(folder if os.path.isdir(folder) else os.path.dirname(folder))
    for file in _walk(folder):
        if folder != path and not matches(file, path):
            continue
        real = os.path.realpath(file)
        if os.path.commonpath([real, home]) != home:
            raise ConfigError(
                where=f"file {file}",
                expected=f"a file within {home}",
                found=f"a link to {real}",
                remedy="Copy the file there, or name the folder that it lies in as `source.path`.",
            )
        stat = os.stat(real)
        yield ListedFile(name_in_table(real, root), real, stat.st_size, f"{stat.st_size}-{stat.st_mtime_ns}")


def _walk(folder: str) -> Iterator[str]:
    """The paths of all files below a folder that are not hidden; or of the one file that it is."""
    if os.path.isfile(folder):
        yield folder
        return
    for here, folders, files in os.walk(folder, onerror=_refuse_unlisted):
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        for name in folders:
            if os.path.islink(os.path.join(here, name)):
                raise ConfigError(
                    where=f"folder {os.path.join(here, name)}",
                    expected="a folder",
                    found="a link to one",
                    remedy="Name the folder that it leads to as `source.path`.",
                )
        yield from (os.path.join(here, name) for name in files if not is_hidden(name))


def _refuse_unlisted(error: OSError) -> None:
    raise InputMissing(
        where=f"folder {error.filename}",
        expected="a folder that can be listed",
        found=error.strerror or "an error",
        remedy="Check your access to it; nothing was landed.",
    ) from error


def list_objects(address: str) -> Iterator[ListedFile]:
    """The objects that `s3a://bucket/...` names: one, all below a prefix, or those of a pattern with `*`.

    Only keys that begin as the address does before its first pattern are listed, so that an interval costs its own
    part of the bucket only; a request for each 1,000 objects. Raises InputMissing where nothing is there.
    """
    bucket, _ = s3.bucket_and_key(address)
    home = f"{SCHEME}{bucket}"
    folder, pattern = folder_of(address), MAGIC.search(address)
    is_empty = True
    for listed in s3.list_objects(address[: pattern.start()]) if pattern else _at_or_below(address):
        is_empty = False
        name = f"{home}/{listed.key}"
        below = name.removeprefix(folder).strip("/")  # nothing, where the address is that of the object
        is_folder = listed.key.endswith("/")  # as consoles make them
        if is_folder or any(map(is_hidden, below.split("/"))) or (pattern and not matches(name, address)):
            continue
        yield ListedFile(name, _readable(name, listed.key), listed.size, f"{listed.etag}-{listed.size}")
    if is_empty and not (pattern and _has_objects(folder)):
        raise InputMissing(
            where=f"source.path {address}",
            expected="an object at this address, or objects below it",
            found="nothing there",
            remedy="Check the bucket and the prefix.",
        )


def _at_or_below(address: str) -> Iterator[s3.Object]:
    """The object of an address, and those below it as a folder."""
    _, key = s3.bucket_and_key(address)
    first = next(s3.list_objects(address), None) if key and not key.endswith("/") else None
    if first is not None and first.key == key:
        yield first
    yield from s3.list_objects(f"{address.rstrip('/')}/")


def _has_objects(folder: str) -> bool:
    return next(s3.list_objects(f"{folder}/"), None) is not None


def _readable(address: str, key: str) -> str:
    """The address; ConfigError for one that Spark would take for another, as it does folders without a name."""
    if "//" in f"/{key}":
        raise ConfigError(
            where=f"object {address}",
            expected="a key without empty parts between its slashes, because Spark reads past them",
            found=f"'{key}'",
            remedy="Copy it to another key, or name a path that it does not lie below.",
        )
    return address
