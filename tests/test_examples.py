"""The examples in the docstrings of what rooms offer to users are run, and there is one in each."""

from __future__ import annotations

import doctest
import importlib
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pyspark.sql import SparkSession

ROOMS = (
    *("statistics", "sample", "split", "assemble", "analyse", "prepare", "quality", "publish", "reading", "run"),
    *("label", "ingest", "config", "delta"),
)


def offered() -> Iterator[tuple[str, Callable[..., Any]]]:
    """The functions that the faces of rooms offer, without the modules that these list."""
    for room in ROOMS:
        module = importlib.import_module(f"traintable.{room}")
        for name in module.__all__:
            found = getattr(module, name, None)
            if inspect.isfunction(found):
                yield f"{room}.{name}", found


OFFERED = dict(offered())


@pytest.mark.parametrize("name", OFFERED)
def test_the_example_of_a_function_runs(
    name: str, spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> None:
    function = OFFERED[name]
    folder = tmp_path_factory.mktemp("example")
    names = {"spark": spark, "folder": str(folder), **vars(importlib.import_module(function.__module__))}
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    [example] = doctest.DocTestFinder(recurse=False).find(function, name, globs=names)
    assert example.examples, "its docstring has no example"
    said: list[str] = []
    result = doctest.DocTestRunner(optionflags=flags).run(example, out=said.append)
    assert result.failed == 0, "".join(said)
