"""Files of a folder, wherever it lies: written whole, or created so that only one of several writers succeeds."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from traintable.addresses import is_remote, is_s3
from traintable.errors import InputMissing
from traintable.spark.hadoop_files import read_file, remove_file, write_file
from traintable.storage import s3
from traintable.storage.s3_file import open_object


class File(NamedTuple):
    """A file of a folder; `modified` in seconds since 1970, by the clock of the storage."""

    name: str
    bytes: int
    modified: float


class Folder(Protocol):
    """Files of a folder, or objects below an address; names are relative to it and may have `/`."""

    address: str

    def names(self) -> list[str]:
        """The names of all files, in ascending order."""

    def files(self) -> list[File]:
        """All files, in ascending order of their names, also unfinished ones that killed writers have left."""

    def open(self, name: str) -> BinaryIO:
        """A file that can be read from any place in it; only what is read is fetched. InputMissing where it is gone."""

    def put(self, name: str, path: str) -> None:
        """Put the content of a local file there, whole, in place of what is there."""

    def create(self, name: str, content: bytes) -> bool:
        """Create a file with its content in one step; False when it is there already."""

    def write(self, name: str, content: bytes) -> None:
        """Put a file there, whole, in place of what is there."""

    def read(self, name: str) -> bytes | None:
        """A file's content; None where there is no such file."""

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""


def folder(address: str) -> Folder:
    """The folder at a path or an address; it need not exist yet.

    On other storage than a local disk and S3 it has only `write`, `read` and `remove`, which need a Spark session; the
    other methods raise NotImplementedError.
    """
    if is_s3(address):
        return _S3Folder(address.rstrip("/"))
    return _HadoopFolder(address.rstrip("/")) if is_remote(address) else _LocalFolder(address)


class _LocalFolder:
    """Files of a local folder; of several writers only one can make a link of a name."""

    def __init__(self, address: str) -> None:
        self.address = address

    def names(self) -> list[str]:
        return [name for name in self._all() if not is_unfinished(name)]

    def files(self) -> list[File]:
        files = []
        for name in self._all():
            with suppress(FileNotFoundError):  # it has gone meanwhile
                state = os.stat(self._path(name))
                files.append(File(name, state.st_size, state.st_mtime))
        return files

    def open(self, name: str) -> BinaryIO:
        try:
            return open(self._path(name), "rb")
        except FileNotFoundError as error:
            raise InputMissing(
                where=f"file {self._path(name)}",
                expected="a file",
                found="nothing there",
                remedy="It was deleted after it was listed. Run again.",
            ) from error

    def put(self, name: str, path: str) -> None:
        os.replace(self._make_unfinished(name, lambda new: shutil.copyfile(path, new)), self._path(name))

    def create(self, name: str, content: bytes) -> bool:
        new = self._write_unfinished(name, content)
        try:
            os.link(new, self._path(name))
        except FileExistsError:
            return False
        finally:
            os.unlink(new)
        _sync_folder(os.path.dirname(new))
        return True

    def write(self, name: str, content: bytes) -> None:
        os.replace(self._write_unfinished(name, content), self._path(name))

    def read(self, name: str) -> bytes | None:
        try:
            with open(self._path(name), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def remove(self, name: str) -> None:
        if os.path.exists(self._path(name)):
            os.unlink(self._path(name))

    def _all(self) -> list[str]:
        paths = [os.path.join(folder, name) for folder, _, names in os.walk(self.address) for name in names]
        return sorted(os.path.relpath(path, self.address) for path in paths)

    def _path(self, name: str) -> str:
        return os.path.join(self.address, name)

    def _write_unfinished(self, name: str, content: bytes) -> str:
        return self._make_unfinished(name, lambda new: Path(new).write_bytes(content))

    def _make_unfinished(self, name: str, make: Callable[[str], object]) -> str:
        """Make a file of another name in the same folder, synced to the disk; returns its path."""
        parent = os.path.dirname(self._path(name))
        os.makedirs(parent, exist_ok=True)
        path = os.path.join(parent, f"{_UNFINISHED}{secrets.token_hex(8)}")
        make(path)
        with open(path, "rb") as file:
            os.fsync(file.fileno())
        return path


_UNFINISHED = ".unfinished-"


def is_unfinished(path: str) -> bool:
    """Whether a file is still being written, or was left by a writer that was killed."""
    return os.path.basename(path).startswith(_UNFINISHED)


def _sync_folder(path: str) -> None:
    """Sync the names in a folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class _S3Folder:
    """Objects below a prefix; with `If-None-Match: *` S3 creates one only where there is none."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.bucket, self.prefix = s3.bucket_and_key(address)

    def names(self) -> list[str]:
        return [file.name for file in self.files()]

    def files(self) -> list[File]:
        return [
            File(listed.key.removeprefix(f"{self.prefix}/"), listed.size, listed.last_modified.timestamp())
            for listed in s3.list_objects(f"{self.address}/")
        ]

    def open(self, name: str) -> BinaryIO:
        return open_object(f"{self.address}/{name}")

    def put(self, name: str, path: str) -> None:
        s3.upload(path, f"{self.address}/{name}")

    def create(self, name: str, content: bytes) -> bool:
        from botocore.exceptions import ClientError

        with s3.translate_s3_errors(self.address, self.bucket):
            try:
                self._put(name, content, IfNoneMatch="*")
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] not in (409, 412):
                    raise
                return self.read(name) == content  # the reply of an attempt that succeeded may have been lost
        return True

    def write(self, name: str, content: bytes) -> None:
        with s3.translate_s3_errors(self.address, self.bucket):
            self._put(name, content)

    def read(self, name: str) -> bytes | None:
        return s3.read_object(f"{self.address}/{name}")

    def remove(self, name: str) -> None:
        with s3.translate_s3_errors(self.address, self.bucket):
            s3.client().delete_object(Bucket=self.bucket, Key=self._key(name))

    def _put(self, name: str, content: bytes, **conditions: str) -> None:
        s3.client().put_object(Bucket=self.bucket, Key=self._key(name), Body=content, **conditions)

    def _key(self, name: str) -> str:
        return f"{self.prefix}/{name}"


class _HadoopFolder:
    """Files of another storage, through the Hadoop file systems of Spark."""

    def __init__(self, address: str) -> None:
        self.address = address

    def names(self) -> list[str]:
        raise NotImplementedError(f"files below {self.address} are not listed")

    def files(self) -> list[File]:
        raise NotImplementedError(f"files below {self.address} are not listed")

    def open(self, name: str) -> BinaryIO:
        raise NotImplementedError(f"files below {self.address} are read whole only")

    def put(self, name: str, path: str) -> None:
        raise NotImplementedError(f"files are not copied to {self.address}")

    def create(self, name: str, content: bytes) -> bool:
        raise NotImplementedError(f"{self.address} does not tell whether another writer has created {name}")

    def write(self, name: str, content: bytes) -> None:
        write_file(f"{self.address}/{name}", content)

    def read(self, name: str) -> bytes | None:
        return read_file(f"{self.address}/{name}")

    def remove(self, name: str) -> None:
        remove_file(f"{self.address}/{name}")
