"""Measure `analyse.profile` against fg-data-profiling, the successor of ydata-profiling, as a table in Markdown.

    pip install --target /tmp/peer "fg-data-profiling==4.20.0"
    PYTHONPATH=/tmp/peer python tests/benchmarks/analyse.py [x1] [x10] [columns] [sections] [spark]

It is installed by hand, for it holds pandas below 3 and would pull this project's versions down; with `--target` the
environment stays as it is. `x1` and `x10` are the flights so many times over. `columns` is its pandas mode, minimal,
with the rows in memory already, beside ours without the sections of rows, `sections` beside ours with all of them, and
`spark` is its Spark mode beside ours without them; all where nothing is named, which takes an hour. Both give their
result as JSON text; of ours what both know is checked first to be equal.
"""

from __future__ import annotations

import sys
import tempfile
from typing import Any

import numpy as np
import pandas as pd
from data import flights
from measure import HEADER, Side, compare
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from traintable import analyse, get_spark

KEY = ("time_hour", "carrier", "flight", "origin")


def measure(spark: SparkSession, folder: str, copies: int, wanted: set[str]) -> None:
    """Our profile of some copies of the flights against theirs of the same columns."""
    rows = _plain(flights(spark, folder, copies))
    frame = rows.toPandas()
    if "columns" in wanted:
        _check(analyse.profile(rows, of_rows=()).to_dict(), _theirs(frame))
    columns = Side(lambda: analyse.profile(rows, of_rows=()).to_json())
    sections = Side(lambda: analyse.profile(rows, label="late", time="time_hour", key=KEY).to_json())
    sides = {
        "columns": (columns, frame, "columns and pairs, fg-data-profiling minimal (pandas, in memory)"),
        "sections": (sections, frame, "all sections, fg-data-profiling minimal (pandas, in memory)"),
        "spark": (columns, rows, "columns and pairs, fg-data-profiling minimal (Spark)"),
    }
    for name, (ours, theirs, what) in sides.items():
        if name in wanted:
            fresh = Side(ours.work)
            compare(spark, f"profile, x{copies}, {what}", fresh, Side(lambda rows=theirs: _theirs(rows)))


def _plain(rows: DataFrame) -> DataFrame:
    """The flights with a label, of types that the peer's Spark mode knows."""
    return rows.withColumn("late", (F.col("arr_delay") > 15).cast("string"))


def _theirs(rows: pd.DataFrame | DataFrame) -> dict[str, Any]:
    """The peer's description of the rows; its report is not drawn."""
    from data_profiling import ProfileReport

    if isinstance(rows, DataFrame):  # its Spark mode divides by zero and overflows, which ANSI does not let it
        rows.sparkSession.conf.set("spark.sql.ansi.enabled", "false")
    report = ProfileReport(rows, minimal=True, progress_bar=False)
    report.to_json()
    if isinstance(rows, DataFrame):
        rows.sparkSession.conf.set("spark.sql.ansi.enabled", "true")
    found: dict[str, Any] = report.get_description().variables
    return found


def _check(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Raise unless counts, means and extremes are equal."""
    for column in ours["columns"]:
        known = theirs[column["name"]]
        assert column["n"] == known["count"], column["name"]
        if column["kind"] == "number":
            a = [column[part] for part in ("min", "max", "mean", "std")]
            b = [float(known[part]) for part in ("min", "max", "mean", "std")]
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-9, err_msg=column["name"])


def main(chosen: list[str]) -> None:
    """Measure and print."""
    wanted = {"columns", "sections", "spark"} & set(chosen) or {"columns", "sections", "spark"}
    spark = get_spark("bench", spark__driver__memory="8g")
    with tempfile.TemporaryDirectory() as folder:
        print(HEADER, flush=True)
        for copies in (1, 10):
            if f"x{copies}" in chosen or not {"x1", "x10"} & set(chosen):
                measure(spark, folder, copies, wanted)


if __name__ == "__main__":
    main(sys.argv[1:])
