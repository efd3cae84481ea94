"""Correcting for many tests at once."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TypeVar

from traintable.analyse.hypothesis.result import TestResult
from traintable.statistics.association import benjamini_hochberg

Key = TypeVar("Key", bound=Hashable)


def adjust_p_values(results: Mapping[Key, TestResult]) -> dict[Key, float]:
    """The p-values of all these tests, adjusted for their number by Benjamini and Hochberg.

    A test that is undefined (p NaN) keeps NaN and does not count. To call those of at most q discoveries makes at most
    a share of q of them false on average, if the tests are independent or depend positively; hand over all that were
    made, not those that look promising.

    Source: Benjamini and Hochberg, "Controlling the False Discovery Rate" (JRSS B 57, 1995).

    Examples
    --------
    >>> p_values = {"x": 0.01, "y": 0.04, "z": 0.5}
    >>> adjust_p_values({name: TestResult("welch t", 2.0, p, 50) for name, p in p_values.items()})
    {'x': 0.03, 'y': 0.06, 'z': 0.5}
    """
    p_values = benjamini_hochberg([result.p_value for result in results.values()])
    return dict(zip(results, p_values.tolist(), strict=True))
