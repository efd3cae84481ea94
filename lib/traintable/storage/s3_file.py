"""An object of S3 as a file that can be read from any place in it."""

from __future__ import annotations

import io
import os
from typing import BinaryIO, cast

from traintable.storage import s3

_AHEAD = 2**16  # bytes to read at least, because readers take footers in small pieces


def open_object(address: str) -> BinaryIO:
    """The object as a file; each read costs a request for as many bytes as it takes, and at least 64 KiB.

    Raises InputMissing when it is not there, may not be read, or can't be reached.
    """
    return cast(BinaryIO, io.BufferedReader(_Object(address), _AHEAD))


class _Object(io.RawIOBase):
    def __init__(self, address: str) -> None:
        self._address = address
        bucket, key = s3.bucket_and_key(address)
        with s3.translate_s3_errors(address, bucket):
            self._size = int(s3.client().head_object(Bucket=bucket, Key=key)["ContentLength"])
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = start + offset
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        n = min(len(buffer), self._size - self._at)
        if n <= 0:
            return 0
        buffer[:n] = s3.read_range(self._address, self._at, n)
        self._at += n
        return n
