"""Wants are put together without repeating any, and say which columns are read as what."""

from __future__ import annotations

import pytest

from traintable.statistics import TargetGroups, Wanted
from traintable.statistics.chunk import ANY, NUMBER, TEXT

BY_CLASS = Wanted(summary=("x",), frequencies=("w",))
EVERYTHING = Wanted(
    summary=("a",),
    moments=("b",),
    shape=("c",),
    covariance=("d", "a"),
    values=("e",),
    frequencies=("f", "a"),
    contingency=(("f", "g"),),
    groups=(("f", "i", "g"),),
    targets=(TargetGroups("h", "y", "fold"), TargetGroups("h", "y")),
    missingness=("a", "m", "f"),
    classes=(("label", BY_CLASS),),
)


def test_wants_together_are_learned_once() -> None:
    both = Wanted(summary=("a", "b"), frequencies=("c",)) | Wanted(summary=("b", "d"), moments=("a",), sketches=True)
    assert both == Wanted(summary=("a", "b", "d"), moments=("a",), frequencies=("c",), sketches=True)
    assert EVERYTHING | EVERYTHING == EVERYTHING | Wanted() == Wanted() | EVERYTHING == EVERYTHING
    assert not (Wanted() | Wanted()).sketches


def test_wants_of_the_classes_of_one_column_are_put_together() -> None:
    more = Wanted(classes=(("label", Wanted(values=("x",))), ("other", BY_CLASS)))
    both = EVERYTHING | more
    assert dict(both.classes) == {"label": BY_CLASS | Wanted(values=("x",)), "other": BY_CLASS}
    assert Wanted(classes=(*EVERYTHING.classes, *more.classes)).classes == both.classes


def test_columns_are_read_once_in_each_role() -> None:
    assert set(EVERYTHING.roles) == {
        *((NUMBER, name) for name in "abcdeyx"),
        *((TEXT, name) for name in ("f", "a", "g", "i", "h", "fold", "label", "w")),
        *((ANY, name) for name in "mf"),
    }
    assert len(set(EVERYTHING.roles)) == len(EVERYTHING.roles)
    assert sorted(EVERYTHING.columns) == sorted({name for _, name in EVERYTHING.roles})
    assert Wanted().roles == Wanted().columns == ()


def test_a_range_holds_for_all_that_is_wanted() -> None:
    inner = Wanted(missingness=("y",), ranges=(("y", 1.0, 2.0),))
    both = Wanted(missingness=("x", "y", "z"), ranges=(("x", 0.0, 1.0),), classes=(("c", inner),))
    assert both.range_of == {"x": (0.0, 1.0), "y": (1.0, 2.0)}
    assert set(both.roles) == {(NUMBER, "x"), (NUMBER, "y"), (ANY, "z"), (TEXT, "c")}
    assert (both | Wanted(ranges=(("x", 0.0, 1.0),))).range_of == both.range_of


def test_a_range_holds_inside_classes_too() -> None:
    inner = Wanted(missingness=("x",))
    assert set(Wanted(ranges=(("x", 0.0, 1.0),), classes=(("c", inner),)).roles) >= {(NUMBER, "x"), (TEXT, "c")}


def test_two_ranges_of_a_column_are_refused() -> None:
    with pytest.raises(ValueError, match="'x' is wanted with two ranges"):
        _ = (Wanted(ranges=(("x", 0.0, 1.0),)) | Wanted(ranges=(("x", 0.0, 2.0),))).range_of


@pytest.mark.parametrize(
    ("n", "resolution"), [(0, 2**16), (1, 2**16), (16, 2**16), (17, 2**15), (40, 2**14), (256, 2**12), (9999, 2**12)]
)
def test_more_columns_are_counted_in_fewer_ranges(n: int, resolution: int) -> None:
    assert Wanted(values=tuple(map(str, range(n)))).resolution == resolution


def test_everything_is_all_that_the_types_allow() -> None:
    types = {
        "i": "int",
        "x": "double",
        "e": "decimal(3,1)",
        "d": "date",
        "t": "timestamp",
        "b": "boolean",
        "w": "string",
    }
    wanted = Wanted.everything({**types, "a": "array<int>"})
    numbers, texts = ("i", "x", "e", "d", "t"), ("b", "w")
    assert wanted.summary == wanted.shape == wanted.covariance == wanted.values == numbers
    assert wanted.frequencies == texts
    assert wanted.sketches
    assert set(wanted.roles) == {
        *((NUMBER, n) for n in numbers),
        *((TEXT, n) for n in texts),
        *((ANY, n) for n in "bwa"),
    }
