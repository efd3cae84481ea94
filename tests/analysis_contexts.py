"""Contexts of pandas frames: with rows and statistics made without Spark, or from a DataFrame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

import chunks
from traintable.analyse.rows.context import AnalysisContext
from traintable.analyse.rows.inputs import InputColumns, InputRows
from traintable.analyse.rows.sample import SampledRows
from traintable.statistics import Statistics, Wanted, scan

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def numbers_of(frame: pd.DataFrame, names: Sequence[str]) -> dict[str, pa.Array]:
    """Columns as doubles, NaN as null; times as seconds."""
    arrays = {}
    for name in names:
        values = frame[name]
        if values.dtype.kind == "M":
            values = (values.astype("datetime64[us]").astype(np.int64) / 1e6).where(values.notna())
        arrays[name] = pa.array(values.astype(float), pa.float64(), from_pandas=True)
    return arrays


def texts_of(frame: pd.DataFrame, names: Sequence[str]) -> dict[str, pa.Array]:
    """Columns as text, None as null."""
    return {name: pa.array(frame[name].astype(object), pa.string(), from_pandas=True) for name in names}


def read(frame: pd.DataFrame, numbers: Sequence[str], categories: Sequence[str]) -> InputRows:
    """The rows of a frame as tasks and the driver get them."""
    columns = InputColumns.of(numbers, categories)
    arrays = [*numbers_of(frame, columns.numbers).values(), *texts_of(frame, columns.categories).values()]
    names = [f"number {i}" for i in range(len(columns.numbers))]
    names += [f"category {i}" for i in range(len(columns.categories))]
    return InputRows(columns, pa.table(dict(zip(names, arrays, strict=True))))


def in_memory(frame: pd.DataFrame, *, seed: int = 0, train: float = 2 / 3, **roles: Any) -> AnalysisContext:
    """A context without a DataFrame, whose sample is all rows in their order."""
    context = AnalysisContext(None, learned(frame, **roles), seed=seed, **roles)  # type: ignore[arg-type]
    label = [] if context.label is None else [context.label]
    numbers, categories = [*context.numbers, *context.times], list(context.categories)
    (numbers if context.label_is_number else categories).extend(label)
    draws = np.random.default_rng(seed + 1).integers(-(2**63), 2**63 - 1, len(frame))
    is_train = np.arange(len(frame)) < train * len(frame)
    context.__dict__["sample"] = SampledRows(read(frame, numbers, categories), draws, is_train)
    return context


def learned(frame: pd.DataFrame, **roles: Any) -> Statistics:
    """What the first scan knows of a frame."""
    numbers = dict.fromkeys([*roles.get("numbers", ()), *roles.get("times", ())])
    words = list(roles.get("categories", ()))
    types = dict.fromkeys(numbers, "double") | dict.fromkeys(words, "string")
    statistics = Statistics(Wanted.everything(types))
    if len(frame) and types:
        texts = texts_of(frame, words)
        statistics.update(chunks.chunk(numbers_of(frame, list(numbers)), texts, texts))
    return statistics


def of_table(df: DataFrame, **roles: Any) -> AnalysisContext:
    """A context of a DataFrame, with a scan of all columns."""
    return AnalysisContext(df, scan(df, Wanted.everything(dict(df.dtypes))), **roles)
