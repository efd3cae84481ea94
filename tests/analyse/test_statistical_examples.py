"""The examples in the docstrings of tests and measures of association are run, and there is one in each."""

from __future__ import annotations

import doctest
import importlib
import inspect
from collections.abc import Callable
from typing import Any

import pytest

from traintable.analyse import association, hypothesis

OFFERED = {
    f"{room.__name__}.{name}": function
    for room in (association, hypothesis)
    for name, function in inspect.getmembers(room, inspect.isfunction)
}


@pytest.mark.parametrize("name", OFFERED)
def test_the_example_of_a_statistic_runs(name: str) -> None:
    function: Callable[..., Any] = OFFERED[name]
    names = dict(vars(importlib.import_module(function.__module__)))
    [example] = doctest.DocTestFinder(recurse=False).find(function, name, globs=names)
    assert example.examples, "its docstring has no example"
    output: list[str] = []
    result = doctest.DocTestRunner().run(example, out=output.append)
    assert result.failed == 0, "".join(output)


def test_no_statistic_that_is_offered_is_left_out() -> None:
    functions = {name for room in (association, hypothesis) for name in room.__all__ if name.islower()}
    assert {name.rpartition(".")[2] for name in OFFERED} == functions
