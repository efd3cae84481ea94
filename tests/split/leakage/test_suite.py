"""Every planted leak is found, by the guard that is for it, and nothing is found in tables without one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tables import CLEAN, LEAKS, Case

from traintable.split import examine

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from traintable.split import LeakFinding


def some(names: Iterable[str]) -> list[Any]:
    """All names, but only each third without `make test-all`: a table takes some seconds."""
    return [pytest.param(name, marks=[pytest.mark.slow] if i % 3 else []) for i, name in enumerate(names)]


def found_in(case: Case, spark: SparkSession, folder: Path) -> list[LeakFinding]:
    rows = case.written(spark, folder / "rows")
    return examine(rows, label=case.label, key=["id"], features=case.features, **case.options)


@pytest.mark.parametrize("leak", some(LEAKS))
def test_a_planted_leak_is_found_and_nothing_else(leak: str, spark: SparkSession, tmp_path: Path) -> None:
    case = LEAKS[leak]()
    findings = found_in(case, spark, tmp_path)
    assert [(f.check, f.columns, f.severity) for f in findings] == [case.leak], [str(f) for f in findings]


@pytest.mark.parametrize("table", some(CLEAN))
def test_nothing_is_found_in_a_clean_table(table: str, spark: SparkSession, tmp_path: Path) -> None:
    assert [str(finding) for finding in found_in(CLEAN[table](), spark, tmp_path)] == []
