"""Contexts of pandas frames: with rows and statistics made without Spark, or from a DataFrame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

import chunks
from traintable.analyse.rows.context import Context
from traintable.analyse.rows.draw import Rows
from traintable.analyse.rows.reading import Read, Reading
from traintable.statistics import Statistics, Wanted, scan

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def numbers_of(frame: pd.DataFrame, names: Sequence[str]) -> dict[str, pa.Array]:
    """Columns as doubles, NaN as null; times as seconds."""
    found = {}
    for name in names:
        values = frame[name]
        if values.dtype.kind == "M":
            values = (values.astype("datetime64[us]").astype(np.int64) / 1e6).where(values.notna())
        found[name] = pa.array(values.astype(float), pa.float64(), from_pandas=True)
    return found


def words_of(frame: pd.DataFrame, names: Sequence[str]) -> dict[str, pa.Array]:
    """Columns as text, None as null."""
    return {name: pa.array(frame[name].astype(object), pa.string(), from_pandas=True) for name in names}


def read(frame: pd.DataFrame, numbers: Sequence[str], words: Sequence[str]) -> Read:
    """The rows of a frame as tasks and the driver get them."""
    reading = Reading.of(numbers, words)
    arrays = [*numbers_of(frame, reading.numbers).values(), *words_of(frame, reading.words).values()]
    names = [f"number {i}" for i in range(len(reading.numbers))] + [f"word {i}" for i in range(len(reading.words))]
    return Read(reading, pa.table(dict(zip(names, arrays, strict=True))))


def in_memory(frame: pd.DataFrame, *, seed: int = 0, train: float = 2 / 3, **roles: Any) -> Context:
    """A context without a DataFrame, whose sample is all rows in their order."""
    context = Context(None, learned(frame, **roles), seed=seed, **roles)  # type: ignore[arg-type]
    label = [] if context.label is None else [context.label]
    numbers, words = [*context.numbers, *context.times], list(context.categories)
    (numbers if context.label_is_number else words).extend(label)
    draws = np.random.default_rng(seed + 1).integers(-(2**63), 2**63 - 1, len(frame))
    is_train = np.arange(len(frame)) < train * len(frame)
    context.__dict__["rows"] = Rows(read(frame, numbers, words), draws, is_train)
    return context


def learned(frame: pd.DataFrame, **roles: Any) -> Statistics:
    """What the first scan knows of a frame."""
    numbers = dict.fromkeys([*roles.get("numbers", ()), *roles.get("times", ())])
    words = list(roles.get("categories", ()))
    types = dict.fromkeys(numbers, "double") | dict.fromkeys(words, "string")
    found = Statistics(Wanted.everything(types))
    if len(frame) and types:
        texts = words_of(frame, words)
        found.update(chunks.chunk(numbers_of(frame, list(numbers)), texts, texts))
    return found


def of_table(df: DataFrame, **roles: Any) -> Context:
    """A context of a DataFrame, with a scan of all columns."""
    return Context(df, scan(df, Wanted.everything(dict(df.dtypes))), **roles)
