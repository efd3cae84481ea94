"""Arrays of whole numbers as short text for JSON."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable

import numpy as np

from traintable.arrays import Ints


def pack(values: Ints) -> str:
    """Whole numbers, best ascending or small, as text; `unpack` reads it."""
    steps = np.diff(values, prepend=np.int64(0))  # wraps around where it must, and back again
    planes = steps.astype("<i8").view(np.uint8).reshape(-1, 8).T  # bytes of one weight together compress better
    return base64.b64encode(zlib.compress(planes.tobytes(), 1)).decode("ascii")


def unpack(text: str) -> Ints:
    """The array that `pack` wrote."""
    raw = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8)
    steps = np.ascontiguousarray(raw.reshape(8, -1).T).view("<i8").ravel().astype(np.int64)
    return np.cumsum(steps, dtype=np.int64)


def to_hexadecimal(values: Iterable[int]) -> list[str]:
    """Whole numbers of any size as text."""
    return [f"{value:x}" for value in values]


def from_hexadecimal(texts: Iterable[str]) -> list[int]:
    """The whole numbers that `to_hexadecimal` wrote."""
    return [int(text, 16) for text in texts]
