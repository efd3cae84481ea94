"""Work distributed among tasks, which read what they need themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import heapreplace
from typing import TYPE_CHECKING, TypeVar

import pyarrow as pa

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

T = TypeVar("T")


def distribute(items: Iterable[T], size: Callable[[T], int], n_shares: int) -> list[list[T]]:
    """The items in `n_shares` shares of about the same size, larger items first; the same shares for the same items."""
    shares: list[list[T]] = [[] for _ in range(n_shares)]
    loads = [(0, i) for i in range(n_shares)]  # a heap: the share that has least comes first
    for item in sorted(items, key=lambda item: -size(item)):
        load, least = loads[0]
        shares[least].append(item)
        heapreplace(loads, (load + size(item), least))
    return shares


def run_tasks(
    spark: SparkSession,
    shares: Sequence[Sequence[T]],
    work: Callable[[Sequence[T]], Iterator[pa.RecordBatch]],
    schema: str,
) -> DataFrame:
    """The rows (of `schema`) that `work` makes of each share, in a task of its own when they are computed."""

    def task(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for number in batch.column(0).to_pylist():
                yield from work(shares[number])

    return spark.range(0, len(shares), 1, len(shares)).mapInArrow(task, schema)
