"""Rows of a training table, made with or without defects, and the gate's outcome for them."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from frames import of_rows
from traintable.config.dataset import Config
from traintable.quality.previous_version import PublishedVersion
from traintable.run.gate_step import GateOutcome, run_gate
from traintable.run.staging import staging
from traintable.table_columns import TableColumns

NAMES = ["x", "y", "is_big", "constant"]
COLUMNS = TableColumns(key=("id", "word"), label="late", features=tuple(NAMES))
SCHEMA = "id bigint, word string, late int, split string, features array<float>"
RULES = [
    {"type": "expect_column_mean_to_be_between", "column": "late", "min_value": 0.05, "max_value": 0.6},
    {"type": "expect_column_values_to_be_between", "column": "y", "min_value": -50, "max_value": 50},
    {"type": "expect_column_values_to_match_regex", "column": "word", "regex": "^[a-z]+$"},
    {"type": "expect_column_values_to_be_in_set", "column": "constant", "value_set": [1.0]},
]

Row = list[Any]


def config(table: str, rules: list[dict[str, Any]] = RULES, **gate: Any) -> Config:
    """A configuration with a key of two columns."""
    return Config.model_validate(
        {
            "name": "gated",
            "source": {"table": "none", "key": ["id", "word"]},
            "label": {"name": "late", "expr": "late", "classes": [0, 1]},
            "split": {"method": "hash", "hash": {"ratios": {"train": 0.6, "validation": 0.2, "test": 0.2}}},
            "prepare": {"features": {"x": {}, "y": {}, "is_big": {}, "constant": {}}},
            "gate": {"min_rows_per_split": 10, "expectations": rules, **gate},
            "output": {"table": table},
        }
    )


def rows(rng: random.Random, n: int = 400) -> list[Row]:
    """Clean rows: every class in every split, four finite features."""
    found = []
    for i in range(n):
        x, y = rng.gauss(0, 1), rng.gauss(10, 5)
        part = ("train", "train", "train", "validation", "test")[i % 5]
        features = [x, y, float(x > 1), 1.0]
        found.append(
            [rng.randrange(10**12) * n + i, rng.choice(["ab", "cd", "ef"]), int(rng.random() < 0.3), part, features]
        )
    return found


def gate(
    spark: SparkSession, made: list[Row], settings: Config, folder: Path, previous: PublishedVersion | None = None
) -> GateOutcome:
    """The gate's outcome for rows; their files lie in the table's folder."""
    df = of_rows(spark, SCHEMA, [tuple(row) for row in made]).repartition(2)
    with staging(spark, str(folder / "staging")) as files:
        outcome = run_gate(df, COLUMNS, settings, settings.output.table, files, previous=previous, allow=())
        outcome.candidate.audited.cache().count()
        return outcome
