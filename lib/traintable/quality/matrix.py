"""The features of rows in Arrow as an array of NumPy, and how many of them are not finite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from traintable.columns import FEATURES
from traintable.quality.suite import N_FEATURES, N_NOT_FINITE

COUNTS = (N_NOT_FINITE, N_FEATURES)

Numbers = NDArray[np.floating[Any]]


def matrix(rows: pa.RecordBatch, features: Sequence[str]) -> tuple[Numbers, NDArray[np.int32]]:
    """Features as numbers, shape (rows, features), and how many each row has; null is NaN.

    They are columns of these names, or lists in the column `features`. A row whose list is null, or whose length is not
    the number of names, is all NaN.
    """
    if not _are_lists(rows):
        columns = [_numbers(rows.column(name)) for name in features]
        values = np.stack(columns, axis=1) if columns else np.empty((len(rows), 0), np.float32)
        return values, np.full(len(rows), len(features), np.int32)
    lists, n = rows.column(FEATURES), len(features)
    lengths = lists.value_lengths().fill_null(0).to_numpy(zero_copy_only=False).astype(np.int32)
    flat = _numbers(lists.flatten())
    is_whole = lengths == n
    if is_whole.all():
        return flat.reshape(len(lengths), n), lengths
    values = np.full((len(lengths), n), np.nan, flat.dtype)
    values[is_whole] = flat[np.repeat(is_whole, lengths)].reshape(-1, n)
    return values, lengths


def counts(values: Numbers, lengths: NDArray[np.int32]) -> dict[str, pa.Array]:
    """Columns for the gate: how many features each row has, and how many of these are not finite.

    The latter is 0 for a row with too few or too many features, for which there is a rule of its own.
    """
    not_finite = np.count_nonzero(~np.isfinite(values), axis=1).astype(np.int32)
    not_finite[lengths != values.shape[1]] = 0
    return {N_NOT_FINITE: pa.array(not_finite), N_FEATURES: pa.array(lengths)}


def _are_lists(rows: pa.RecordBatch) -> bool:
    return FEATURES in rows.schema.names and pa.types.is_list(rows.schema.field(FEATURES).type)


def _numbers(column: pa.Array) -> Numbers:
    kind = pa.float32() if pa.types.is_float32(column.type) else pa.float64()
    return np.asarray(column.cast(kind, safe=False).to_numpy(zero_copy_only=False))
