"""Tables with one seeded defect each are not published, and clean ones are."""

from __future__ import annotations

import math
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from gated_rows import NAMES, Row, config, gate, rows
from pyspark.sql import SparkSession

from traintable.quality.previous_version import PublishedVersion

Defect = Callable[[list[Row], random.Random], list[Row]]


def each(change: Callable[[Row], None], share: float = 1.0) -> Defect:
    """The defect that a change does to a share of the rows, at least one."""

    def planted(made: list[Row], rng: random.Random) -> list[Row]:
        for row in rng.sample(made, max(1, int(share * len(made)))):
            change(row)
        return made

    return planted


def feature(i: int, value: Callable[[float], float | None], share: float = 1.0) -> Defect:
    def change(row: Row) -> None:
        row[4][i] = value(row[4][i])

    return each(change, share)


def a_key_twice(made: list[Row], rng: random.Random) -> list[Row]:
    one, other = rng.sample(made, 2)
    other[:2] = one[:2]
    return made


def set_to(i: int, value: object, share: float = 0.0) -> Defect:
    return each(lambda row: row.__setitem__(i, value), share)


def without(keep: Callable[[Row], bool]) -> Defect:
    return lambda made, _: [row for row in made if keep(row)]


DEFECTS: dict[str, Defect] = {
    "a key twice": a_key_twice,
    "a row twice": lambda made, rng: [*made, rng.choice(made)],
    "all rows twice": lambda made, _: made * 2,
    "a key that is null": set_to(0, None),
    "half a key that is null": set_to(1, None),
    "a label that is null": set_to(2, None),
    "a class of its own": set_to(2, 7),
    "a split of its own": set_to(3, "holdout"),
    "no validation": without(lambda row: row[3] != "validation"),
    "hardly any test": lambda made, _: (
        [row for row in made if row[3] != "test"] + [r for r in made if r[3] == "test"][:5]
    ),
    "one class in test": without(lambda row: row[3] != "test" or row[2] == 0),
    "one class only": set_to(2, 0, 1.0),
    "no rows": without(lambda _: False),
    "a feature that is NaN": feature(0, lambda _: math.nan, 0),
    "a feature that is infinite": feature(1, lambda _: -math.inf, 0),
    "a feature that is null": feature(2, lambda _: None, 0),
    "a feature that is always null": feature(3, lambda _: None),
    "a feature that is always NaN": feature(0, lambda _: math.nan),
    "a feature too few": each(lambda row: row[4].pop(), 0),
    "a feature too many": each(lambda row: row[4].append(0.0), 0),
    "no features": set_to(4, None),
    "features in another order": each(lambda row: row[4].reverse()),
    "another unit": feature(1, lambda y: y * 25.4),
    "another sign": feature(1, lambda y: -y),
    "a value instead of null": feature(0, lambda _: -999.0, 0.5),
    "a feature that stands still": feature(0, lambda _: 0.25),
    "less than half of the rows before": lambda made, _: made[:180],
    "labels turned round": each(lambda row: row.__setitem__(2, 1 - row[2])),
    "a value out of range": feature(1, lambda _: 51.0, 0),
    "a word of another form": set_to(1, "AB1"),
}


def trial(spark: SparkSession, tmp_path: Path, names: Iterable[str], n_clean: int) -> tuple[int, list[str], list[str]]:
    """How many were tried, the defects that would have been published, and why clean tables were refused."""
    rng = random.Random(0)
    first = gate(spark, rows(rng), config(str(tmp_path / "first")), tmp_path)
    previous = PublishedVersion(
        0, *(getattr(first.version, name) for name in ("columns", "features", "inputs", "rows", "summary"))
    )
    missed, blocked, tried = list[str](), list[str](), 0
    for i, name in enumerate([*names, *["clean"] * n_clean]):
        made = rows(rng, rng.randrange(300, 500))
        settings = config(str(tmp_path / f"{i}"))
        found = gate(spark, made if name == "clean" else DEFECTS[name](made, rng), settings, tmp_path, previous)
        found.candidate.audited.unpersist()
        found.candidate.discard()
        tried += 1
        if name == "clean":
            blocked += [f"{rule.id}: {rule.found}" for rule in found.verdict.refusals]
        elif not found.verdict.refusals:
            missed.append(name)
    return tried, missed, blocked


def test_each_defect_is_refused(spark: SparkSession, tmp_path: Path) -> None:
    names = list(DEFECTS)[::4]
    tried, missed, blocked = trial(spark, tmp_path, names, 3)
    assert (tried, missed, blocked) == (len(names) + 3, [], [])
    assert len(NAMES) == 4


@pytest.mark.slow
def test_300_defects_and_300_clean_tables(spark: SparkSession, tmp_path: Path) -> None:
    start = time.monotonic()
    names = [name for name in DEFECTS for _ in range(300 // len(DEFECTS))]
    tried, missed, blocked = trial(spark, tmp_path, names, 300)
    print(
        f"\n{tried} tables in {time.monotonic() - start:.0f} s: {len(names)} defects, {len(missed)} published;", end=" "
    )
    print(f"{tried - len(names)} clean, {len(blocked)} refused {Counter(blocked)}")
    assert len(names) == 300
    assert missed == []
    assert len(blocked) <= 1
