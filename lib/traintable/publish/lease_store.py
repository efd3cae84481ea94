"""Where leases lie: small files that only one of several writers can make, on a local disk or on S3."""

from __future__ import annotations

import os
import secrets
from typing import Protocol

from traintable import s3

_ENDING = ".json"


class Store(Protocol):
    """Files named by numbers."""

    def numbers(self) -> list[int]:
        """The numbers that there are, in ascending order."""

    def create(self, number: int, content: bytes) -> bool:
        """Make a file with its content at once; False when somebody else has made it."""

    def write(self, number: int, content: bytes) -> None:
        """Put new content in place of a file's."""

    def read(self, number: int) -> bytes | None:
        """A file's content; None where there is no such file."""

    def remove(self, number: int) -> None:
        """Remove a file, if it is there."""


def store_of(address: str) -> Store:
    """Where the leases of a folder, or of an address of S3's, lie."""
    return _S3(address.rstrip("/")) if s3.is_s3(address) else _Local(address)


def _name(number: int) -> str:
    return f"{number:020}{_ENDING}"


class _Local:
    """Files of a folder; a link is what only one can make."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def numbers(self) -> list[int]:
        if not os.path.isdir(self.folder):
            return []
        return sorted(int(name.removesuffix(_ENDING)) for name in os.listdir(self.folder) if name.endswith(_ENDING))

    def create(self, number: int, content: bytes) -> bool:
        os.makedirs(self.folder, exist_ok=True)
        new = self._written(content)
        try:
            os.link(new, self._path(number))
        except FileExistsError:
            return False
        finally:
            os.unlink(new)
        return True

    def write(self, number: int, content: bytes) -> None:
        os.replace(self._written(content), self._path(number))

    def read(self, number: int) -> bytes | None:
        try:
            with open(self._path(number), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def remove(self, number: int) -> None:
        if os.path.exists(self._path(number)):
            os.unlink(self._path(number))

    def _path(self, number: int) -> str:
        return os.path.join(self.folder, _name(number))

    def _written(self, content: bytes) -> str:
        """A new file of another name, which holds the content even after the machine has gone down."""
        path = os.path.join(self.folder, f".{secrets.token_hex(8)}")
        with open(path, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        return path


class _S3:
    """Objects below a prefix; S3 makes one only where there is none (`If-None-Match: *`)."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.bucket, self.prefix = s3.split(address)

    def numbers(self) -> list[int]:
        keys = (one.key.rpartition("/")[2] for one in s3.objects(f"{self.address}/"))
        return sorted(int(name.removesuffix(_ENDING)) for name in keys if name.endswith(_ENDING))

    def create(self, number: int, content: bytes) -> bool:
        from botocore.exceptions import ClientError

        with s3.told(self.address, self.bucket):
            try:
                self._put(number, content, IfNoneMatch="*")
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] not in (409, 412):
                    raise
                return self.read(number) == content  # the reply of an attempt that succeeded may have been lost
        return True

    def write(self, number: int, content: bytes) -> None:
        with s3.told(self.address, self.bucket):
            self._put(number, content)

    def read(self, number: int) -> bytes | None:
        client = s3.client()
        with s3.told(self.address, self.bucket):
            try:
                answer = client.get_object(Bucket=self.bucket, Key=self._key(number))
            except client.exceptions.NoSuchKey:
                return None
            return bytes(answer["Body"].read())

    def remove(self, number: int) -> None:
        with s3.told(self.address, self.bucket):
            s3.client().delete_object(Bucket=self.bucket, Key=self._key(number))

    def _put(self, number: int, content: bytes, **conditions: str) -> None:
        s3.client().put_object(Bucket=self.bucket, Key=self._key(number), Body=content, **conditions)

    def _key(self, number: int) -> str:
        return f"{self.prefix}/{_name(number)}"
