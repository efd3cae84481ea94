"""Read a split by PyTorch: python torch_reader.py TABLE SPLIT N_WORKERS COLUMNS OUT

Writes to OUT (.npz) each column's tensors, the worker that gave each row, and for each worker by how many bytes its
memory grew at most while it read.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

sys.path.append(os.environ["TORCH_FOLDER"])  # the last, for Debian's NumPy is too old for pyarrow

import numpy as np
import pyarrow as pa
import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from traintable.reading import _batches as reading

BATCH_SIZE = 4096


class Rows(IterableDataset):
    """The rows of a split, of which each worker of a DataLoader gives its own."""

    def __init__(self, table: str, version: int, split: str, columns: list[str]) -> None:
        self.table, self.version, self.split, self.columns = table, version, split, columns

    def __iter__(self) -> Iterator[dict[str, torch.Tensor]]:
        worker = get_worker_info()
        read = {"split": self.split, "columns": self.columns, "batch_size": BATCH_SIZE}
        base = None
        for batch in reading.batches(self.table, self.version, shard=(worker.id, worker.num_workers), **read):
            base = base or peak_bytes()
            told = {"worker": worker.id, "grown": peak_bytes() - base}
            yield {name: tensor(batch[name]) for name in self.columns} | {
                name: torch.full((len(batch),), value) for name, value in told.items()
            }


def tensor(column: pa.Array) -> torch.Tensor:
    """A column as a tensor that shares its memory; one row a list."""
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    if pa.types.is_list(column.type):
        return torch.from_dlpack(column.flatten()).reshape(len(column), -1)
    return torch.from_dlpack(column)


def peak_bytes() -> int:
    """The most memory that this process has had so far."""
    with open("/proc/self/status") as status:
        return 1024 * int(next(line for line in status if line.startswith("VmHWM")).split()[1])


def main(table: str, split: str, n_workers: str, columns: str, out: str) -> None:
    """Read and write."""
    rows = Rows(table, reading.newest_gated(table), split, columns.split(","))
    loader = DataLoader(rows, batch_size=None, num_workers=int(n_workers), multiprocessing_context="spawn")
    parts = [{name: np.from_dlpack(values) for name, values in batch.items()} for batch in loader]
    np.savez(out, **{name: np.concatenate([part[name] for part in parts]) for name in parts[0]})


if __name__ == "__main__":
    main(*sys.argv[1:])
