"""How many rows each stratum gives: whole numbers that add up to the size of the sample, none above its stratum."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def proportional(sizes: Sequence[int], n: int) -> list[int]:
    """`n` in proportion to `sizes`, by the largest remainder; of equal remainders the first stratum's counts."""
    total = sum(sizes)
    if not total:
        return [0] * len(sizes)
    shares = [divmod(n * size, total) for size in sizes]
    rows = [whole for whole, _ in shares]
    largest = sorted(range(len(sizes)), key=lambda i: -shares[i][1])
    for i in largest[: n - sum(rows)]:
        rows[i] += 1
    return rows


def equal(sizes: Sequence[int], n: int) -> list[int]:
    """`n` as evenly as `sizes` allow.

    Small strata are taken whole and leave more to the others, of which the largest give one more where `n` can't be
    divided.
    """
    rows, left = [0] * len(sizes), n
    ascending = sorted(range(len(sizes)), key=lambda i: (sizes[i], -i))
    for n_done, i in enumerate(ascending):
        rows[i] = min(sizes[i], left // (len(sizes) - n_done))
        left -= rows[i]
    return rows


def neyman(sizes: Sequence[int], deviations: Sequence[float], n: int) -> list[int]:
    """The allocation with the smallest variance of the estimated mean, to the row.

    It is in proportion to size times standard deviation (Neyman, JRSS 97, 1934), with at least one row of each stratum
    that has any, where `n` allows, and all rows at most. Whole numbers are found exactly, as Wright has shown ("The
    equivalence of Neyman optimum allocation for sampling and equal proportions for apportioning", American Statistician
    66, 2012): the next row goes where weight / sqrt(m (m + 1)) is largest, m being what the stratum has. Rows that are
    left when all strata with a deviation are whole go to the others in proportion to their sizes, and so do all when
    none has one.
    """
    size, weight = np.array(sizes, np.int64), np.array(sizes, np.float64) * np.array(deviations, np.float64)
    if n < np.count_nonzero(size):
        first = sorted(range(len(sizes)), key=lambda i: (-weight[i], -sizes[i], i))
        rows = np.zeros(len(sizes), np.int64)
        rows[first[:n]] = 1
        return [int(k) for k in rows]
    varies = weight > 0
    least = np.minimum(size, 1)
    rows = np.where(varies, 0, least)
    rows[varies] = _by_priority(weight[varies], size[varies], min(n - int(rows.sum()), int(size[varies].sum())))
    left = n - int(rows.sum())
    if left:
        room = np.where(varies, 0, size - rows)
        rows += np.array(proportional([int(k) for k in room], left), np.int64)
    return [int(k) for k in rows]


def _by_priority(weight: Floats, size: Ints, n: int) -> Ints:
    """One row of each, and the n - k rows of the highest priority weight / sqrt(m (m + 1)), m from 1 to size - 1."""
    if not len(size):
        return size
    low, high = 0.0, float(weight.max())
    while True:  # the highest bound of priority that still gives n rows
        middle = (low + high) / 2
        if not low < middle < high:
            break
        low, high = (middle, high) if _rows_above(weight, size, middle).sum() >= n else (low, middle)
    rows = _rows_above(weight, size, high)
    more = _rows_above(weight, size, low) - rows  # those whose priority is the bound itself
    for i in np.flatnonzero(more):
        rows[i] += min(n - int(rows.sum()), int(more[i]))
    return rows


def _rows_above(weight: Floats, size: Ints, bound: float) -> Ints:
    """How many rows of each stratum have a priority of at least `bound`, the first row always among them."""
    if bound == 0:
        everything: Ints = size.copy()
        return everything
    ratio = np.minimum(weight / bound, 4e18)
    rows = np.floor((1 + np.sqrt(1 + 4 * ratio * ratio)) / 2)
    reached: Ints = np.clip(rows, 1, size).astype(np.int64)
    return reached
