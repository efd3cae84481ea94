"""A small source, the configuration of a run that makes a training table of it, and rows that are easily compared."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import write_deltalake

N_ROWS = 400
ALLOWED = ("drift", "rows")  # another seed splits these few rows otherwise


def put_source(path: Path, n: int = N_ROWS, share_of_one_word: float = 0.3, note_bytes: int = 0) -> None:
    """Write a Delta table of so many rows, of which a share have the same word, and each a note of so many bytes."""
    rng = random.Random(n)
    words = ["most" if rng.random() < share_of_one_word else rng.choice(["ab", "cd", "ef"]) for _ in range(n)]
    x = [None if i % 17 == 0 else rng.gauss(0, 1) for i in range(n)]
    rows = {
        "id": pa.array(range(n), pa.int64()),
        "word": words,
        "x": pa.array(x, pa.float64()),
        "y": [rng.gauss(10, 5) for _ in range(n)],
        "minutes": pa.array([int(rng.random() < 0.4) for _ in range(n)], pa.int32()),
    }
    if note_bytes:
        rows["note"] = [str(i % 10) * note_bytes + str(i) for i in range(n)]
    write_deltalake(str(path), pa.table(rows))


def config(source: Path, table: str, folder: Path, seed: int) -> dict[str, Any]:
    """A run of that source; with another seed the rows are split otherwise, so that it publishes another version."""
    return {
        "name": "faults",
        "seed": seed,
        "source": {"table": str(source), "key": ["id"]},
        "columns": {"id": {"type": "bigint", "nullable": False}, "x": {"type": "double", "max": 2}},
        "label": {"name": "late", "expr": "minutes", "classes": [0, 1]},
        "split": {"method": "hash", "hash": {"ratios": {"train": 0.6, "validation": 0.2, "test": 0.2}}},
        "prepare": {"features": {"x": {"impute": "mean"}, "y": {"scale": "standard"}, "word": {"encode": "one_hot"}}},
        "gate": {"min_rows_per_split": 10},
        "output": {"table": table, "staging_dir": str(folder / "staging"), "quarantine": str(folder / "removed")},
    }
