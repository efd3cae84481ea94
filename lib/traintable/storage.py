"""Small files beside a table, wherever it lies: whole ones, and ones that only one of several writers can make."""

from __future__ import annotations

import os
import secrets
from typing import Protocol

from traintable import s3
from traintable.columns import is_remote
from traintable.session import read_file, remove_file, write_file


class Folder(Protocol):
    """Files of a folder, or objects below an address; names are relative to it and may have `/`."""

    address: str

    def names(self) -> list[str]:
        """The names of all files, in ascending order."""

    def create(self, name: str, content: bytes) -> bool:
        """Make a file with its content at once; False when somebody else has made it."""

    def write(self, name: str, content: bytes) -> None:
        """Put a file there, whole, in place of what is there."""

    def read(self, name: str) -> bytes | None:
        """A file's content; None where there is no such file."""

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""


def folder(address: str) -> Folder:
    """The folder at a path or an address; it need not be there yet.

    On other storage than a local disk and S3, `create` and `names` are not to be had, and a session is needed.
    """
    if s3.is_s3(address):
        return _S3(address.rstrip("/"))
    return _BySpark(address.rstrip("/")) if is_remote(address) else _Local(address)


class _Local:
    """Files of a local folder; a link is what only one can make."""

    def __init__(self, address: str) -> None:
        self.address = address

    def names(self) -> list[str]:
        found = [os.path.join(place, name) for place, _, names in os.walk(self.address) for name in names]
        return sorted(os.path.relpath(path, self.address) for path in found if not _is_unfinished(path))

    def create(self, name: str, content: bytes) -> bool:
        new = self._written(name, content)
        try:
            os.link(new, self._path(name))
        except FileExistsError:
            return False
        finally:
            os.unlink(new)
        _settle(os.path.dirname(new))
        return True

    def write(self, name: str, content: bytes) -> None:
        os.replace(self._written(name, content), self._path(name))

    def read(self, name: str) -> bytes | None:
        try:
            with open(self._path(name), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def remove(self, name: str) -> None:
        if os.path.exists(self._path(name)):
            os.unlink(self._path(name))

    def _path(self, name: str) -> str:
        return os.path.join(self.address, name)

    def _written(self, name: str, content: bytes) -> str:
        """A new file of another name, which holds the content even after the machine has gone down."""
        place = os.path.dirname(self._path(name))
        os.makedirs(place, exist_ok=True)
        path = os.path.join(place, f"{_UNFINISHED}{secrets.token_hex(8)}")
        with open(path, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        return path


_UNFINISHED = ".unfinished-"


def _is_unfinished(path: str) -> bool:
    return os.path.basename(path).startswith(_UNFINISHED)


def _settle(place: str) -> None:
    """Have the names in a folder on the disk, too."""
    opened = os.open(place, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


class _S3:
    """Objects below a prefix; S3 makes one only where there is none (`If-None-Match: *`)."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.bucket, self.prefix = s3.split(address)

    def names(self) -> list[str]:
        return [one.key.removeprefix(f"{self.prefix}/") for one in s3.objects(f"{self.address}/")]

    def create(self, name: str, content: bytes) -> bool:
        from botocore.exceptions import ClientError

        with s3.told(self.address, self.bucket):
            try:
                self._put(name, content, IfNoneMatch="*")
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] not in (409, 412):
                    raise
                return self.read(name) == content  # the reply of an attempt that succeeded may have been lost
        return True

    def write(self, name: str, content: bytes) -> None:
        with s3.told(self.address, self.bucket):
            self._put(name, content)

    def read(self, name: str) -> bytes | None:
        return s3.content(f"{self.address}/{name}")

    def remove(self, name: str) -> None:
        with s3.told(self.address, self.bucket):
            s3.client().delete_object(Bucket=self.bucket, Key=self._key(name))

    def _put(self, name: str, content: bytes, **conditions: str) -> None:
        s3.client().put_object(Bucket=self.bucket, Key=self._key(name), Body=content, **conditions)

    def _key(self, name: str) -> str:
        return f"{self.prefix}/{name}"


class _BySpark:
    """Files of whatever storage Spark knows."""

    def __init__(self, address: str) -> None:
        self.address = address

    def names(self) -> list[str]:
        raise NotImplementedError(f"files below {self.address} are not listed")

    def create(self, name: str, content: bytes) -> bool:
        raise NotImplementedError(f"nothing says whether another writer has made {name} below {self.address}")

    def write(self, name: str, content: bytes) -> None:
        write_file(f"{self.address}/{name}", content)

    def read(self, name: str) -> bytes | None:
        return read_file(f"{self.address}/{name}")

    def remove(self, name: str) -> None:
        remove_file(f"{self.address}/{name}")
