"""Which files there are to read, and what tells one state of a file from another."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from traintable.addresses import SCHEME, is_remote, is_s3
from traintable.config.ingest import has_time
from traintable.errors import ConfigError, InputMissing
from traintable.ingest.intervals import Interval
from traintable.storage import s3

MAGIC = re.compile(r"[*?\[]")


@dataclass(frozen=True, order=True)
class ListedFile:
    """A file as it was listed.

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


class Unreadable(Exception):
    """A file that can't be read."""

    def __init__(self, path: str, error: str) -> None:
        super().__init__(path)
        self.path, self.error = path, error


def unknown_state() -> str:
    """An etag that nothing else has, for what does not tell whether it has changed."""
    return secrets.token_hex(8)


def at(path: str, interval: Interval) -> str:
    """The path of an interval, strftime's signs replaced by its start."""
    return interval.start.strftime(path) if has_time(path) else path


def list_files(path: str, *, root: str) -> list[ListedFile]:
    """The files that a path names, in the order of their names: a file, all files of a folder, or a pattern with `*`.

    Files and folders whose name begins with `_` or `.` are not listed, as Spark does not read them. Raises ConfigError
    for a link that leads out of the folder, and InputMissing where the folder is not there.
    """
    if is_s3(path):
        pass

        return sorted(set(list_objects(path)))
    if is_remote(path):
        raise ConfigError(
            where="source.path",
            expected="a local path, or s3a://bucket/prefix",
            found=f"'{path}'",
            remedy="Mount it, or copy the files to a local path.",
        )
    return sorted(set(_local(path, os.path.realpath(root))))


def name_in_table(path: str, root: str) -> str:
    """What a file is called in the table: its path from the root, which is no link, where it lies beneath that."""
    return path.removeprefix(f"{root}/")


def folder_of(path: str) -> str:
    """The part of a path before its first pattern, cut at a folder."""
    parts = path.split("/")
    first = next((i for i, part in enumerate(parts) if MAGIC.search(part)), None)
    return path if first is None else "/".join(parts[:first])


def _local(path: str, root: str) -> Iterator[ListedFile]:
    folder = folder_of(path) or "/"
    if not os.path.exists(folder):
        raise InputMissing(
            where=f"source.path {path}",
            expected="a folder or a file",
            found="nothing there",
            remedy="Check the path (relative ones start at the configuration's `root`).",
        )
    home = os.path.realpath(folder if os.path.isdir(folder) else os.path.dirname(folder))
    for found in _walk(folder):
        if folder != path and not matches(found, path):
            continue
        real = os.path.realpath(found)
        if os.path.commonpath([real, home]) != home:
            raise ConfigError(
                where=f"file {found}",
                expected=f"a file within {home}",
                found=f"a link to {real}",
                remedy="Copy the file there, or name the folder that it lies in as `source.path`.",
            )
        stat = os.stat(real)
        yield ListedFile(name_in_table(real, root), real, stat.st_size, f"{stat.st_size}-{stat.st_mtime_ns}")


def _walk(folder: str) -> Iterator[str]:
    if os.path.isfile(folder):
        yield folder
        return
    for here, folders, files in os.walk(folder, onerror=_unlisted):
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


def _unlisted(error: OSError) -> None:
    raise InputMissing(
        where=f"folder {error.filename}",
        expected="a folder that can be listed",
        found=error.strerror or "an error",
        remedy="Check your access to it; nothing was landed.",
    ) from error


def is_hidden(name: str) -> bool:
    """Whether Spark passes a file or folder of that name over."""
    return name.startswith(("_", "."))


def matches(path: str, pattern: str) -> bool:
    """Whether a path is one that a pattern names: part by part; what is below a folder that it names is too."""
    parts, wanted = path.split("/"), pattern.rstrip("/").split("/")
    return len(parts) >= len(wanted) and all(map(fnmatchcase, parts, wanted))


def fingerprint(files: Iterable[ListedFile]) -> str:
    """A text of 16 characters that is the same for the same files in the same state."""
    return hashlib.sha256("\n".join(f"{f.name}\t{f.etag}" for f in sorted(files)).encode()).hexdigest()[:16]


def list_objects(address: str) -> Iterator[ListedFile]:
    """The objects that `s3a://bucket/...` names: one, all below a prefix, or those of a pattern with `*`.

    What is listed is what begins as the address does before its first pattern, so that an interval costs its own part
    of the bucket only; a request for each 1,000 objects. Raises InputMissing where nothing is there.
    """
    bucket, _ = s3.bucket_and_key(address)
    home = f"{SCHEME}{bucket}"
    folder, pattern = folder_of(address), MAGIC.search(address)
    found = s3.list_objects(address[: pattern.start()]) if pattern else _exactly(address)
    nothing = True
    for one in found:
        nothing = False
        name = f"{home}/{one.key}"
        below = name.removeprefix(folder).strip("/")  # nothing, where the address is that of the object
        if one.key.endswith("/") or any(map(is_hidden, below.split("/"))):  # the first is what consoles make of folders
            continue
        if pattern and not matches(name, address):
            continue
        yield ListedFile(name, _readable(name, one.key), one.size, f"{one.etag}-{one.size}")
    if nothing and not (pattern and _is_there(folder)):
        raise InputMissing(
            where=f"source.path {address}",
            expected="an object, or some that lie below it",
            found="nothing there",
            remedy="Check the bucket and the prefix.",
        )


def _exactly(address: str) -> Iterator[s3.Object]:
    """The object of an address, or those below it as a folder."""
    _, key = s3.bucket_and_key(address)
    one = next(s3.list_objects(address), None) if key and not key.endswith("/") else None
    if one is not None and one.key == key:
        yield one
    yield from s3.list_objects(f"{address.rstrip('/')}/")


def _is_there(folder: str) -> bool:
    return next(s3.list_objects(f"{folder}/"), None) is not None


def _readable(address: str, key: str) -> str:
    """The address; ConfigError for one that Spark would take for another, as it does folders without a name."""
    if "//" in f"/{key}":
        raise ConfigError(
            where=f"object {address}",
            expected="a key without empty parts between its slashes, which Spark reads as if they were not there",
            found=f"'{key}'",
            remedy="Copy it to another key, or name a path that it does not lie below.",
        )
    return address
