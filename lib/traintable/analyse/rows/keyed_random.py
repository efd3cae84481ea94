"""Chance for what is done with a sample on the driver: a function of each row's draw and a purpose, nothing else."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from traintable.arrays import Floats, Ints


def keyed_bits(draws: Ints, purpose: str) -> NDArray[np.uint64]:
    """A 64-bit number for each draw that depends on (draw, purpose, place among the rows) alone.

    The keyed hash of a row, hashed again with a purpose by the finaliser of splitmix64 (Steele et al., 2014). The place
    tells rows of one draw apart.
    """
    salt = np.uint64(int.from_bytes(hashlib.sha256(purpose.encode()).digest()[:8], "big"))
    bits = draws.view(np.uint64) ^ salt
    bits = bits + np.arange(len(draws), dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(bits ^ (bits >> np.uint64(31)))


def random_order(draws: Ints, purpose: str) -> Ints:
    """The rows in an order that depends on their draws and a purpose."""
    return np.argsort(keyed_bits(draws, purpose), kind="stable")


def random_uniform(draws: Ints, purpose: str) -> Floats:
    """A number from 0 to 1 for each row that depends on its draw and a purpose."""
    return np.asarray(keyed_bits(draws, purpose) / 2.0**64, np.float64)


def assign_folds(draws: Ints, n: int, purpose: str) -> Ints:
    """The fold of each row, from 0 to n - 1, which depends on its draw and a purpose."""
    return np.asarray((random_uniform(draws, purpose) * n).astype(np.int64).clip(0, n - 1))
