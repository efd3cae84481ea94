"""Names of columns and tables."""

from __future__ import annotations

import pytest

from traintable.addresses import identifier, is_catalog_name, resolve, sibling
from traintable.columns import nearest, quote


@pytest.mark.parametrize(
    ("table", "in_catalog", "sql"),
    [
        ("schema.table", True, "`schema`.`table`"),
        ("catalog.schema.table", True, "`catalog`.`schema`.`table`"),
        ("flights", False, "delta.`flights`"),
        ("data/training/flights", False, "delta.`data/training/flights`"),
        ("./schema.table", False, "delta.`./schema.table`"),
        ("a.b.c.d", False, "delta.`a.b.c.d`"),
        ("s3a://bucket/a.b/c`d", False, "delta.`s3a://bucket/a.b/c``d`"),
    ],
)
def test_tables_are_told_from_paths(table: str, in_catalog: bool, sql: str) -> None:
    assert is_catalog_name(table) is in_catalog
    assert identifier(table) == sql


@pytest.mark.parametrize(
    ("path", "root", "expected"),
    [
        ("data/x", "/work", "/work/data/x"),
        ("../x", "/work/conf", "/work/x"),
        ("/data/x", "/work", "/data/x"),
        ("data/x", "s3a://bucket/dir/", "s3a://bucket/dir/data/x"),
        ("s3a://bucket/x", "/work", "s3a://bucket/x"),
        ("catalog.schema.table", "/work", "catalog.schema.table"),
    ],
)
def test_relative_paths_start_at_the_root(path: str, root: str, expected: str) -> None:
    assert resolve(path, root) == expected


def test_siblings_lie_beside_the_table() -> None:
    assert sibling("data/flights/", "models") == "data/flights_models"
    assert sibling("catalog.schema.flights", "quarantine") == "catalog.schema.flights_quarantine"


def test_backticks_in_a_name_are_doubled() -> None:
    assert quote("a`b.c d") == "`a``b.c d`"


def test_the_nearest_name_is_suggested_or_all_are_listed() -> None:
    assert nearest("distanc", ["distance", "dest"]) == "Did you mean 'distance'?"
    assert nearest("zzz", ["b", "a"]) == "Known: a, b."
    assert nearest("zzz", []) == "There are none."
