"""Work shared out among tasks, which read what they need themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import heapreplace
from typing import TYPE_CHECKING, TypeVar

import pyarrow as pa

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

T = TypeVar("T")


def distribute(ones: Iterable[T], size: Callable[[T], int], n_parts: int) -> list[list[T]]:
    """The ones in `n_parts` parts of about the same size, larger ones first; the same parts for the same ones."""
    parts: list[list[T]] = [[] for _ in range(n_parts)]
    loads = [(0, i) for i in range(n_parts)]  # a heap: the part that has least comes first
    for one in sorted(ones, key=lambda one: -size(one)):
        load, least = loads[0]
        parts[least].append(one)
        heapreplace(loads, (load + size(one), least))
    return parts


def run_tasks(
    spark: SparkSession,
    parts: Sequence[Sequence[T]],
    work: Callable[[Sequence[T]], Iterator[pa.RecordBatch]],
    schema: str,
) -> DataFrame:
    """What `work` makes of each part, in a task of its own."""

    def task(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for number in batch.column(0).to_pylist():
                yield from work(parts[number])

    return spark.range(0, len(parts), 1, len(parts)).mapInArrow(task, schema)
