"""What tests of scans share."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.sql import Row, SparkSession


@pytest.fixture
def collected(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> list[list[Row]]:
    """The rows of each `collect` from here on: what comes to the driver."""
    calls: list[list[Row]] = []
    frame = type(spark.range(0))
    collect = frame.collect

    def recorded(df: Any) -> list[Row]:
        calls.append(collect(df))
        return calls[-1]

    monkeypatch.setattr(frame, "collect", recorded)
    return calls
