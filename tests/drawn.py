"""Random tables that hypothesis makes, many in one DataFrame, and what is fair of parts that were drawn many times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, chi2_contingency

T = TypeVar("T")
WORDS = (None, "", " ", "null", "it's", "a.b", "`", '"', "\\", "é", "a", "A", "0")
N_SEEDS = 2000


def collected(strategy: st.SearchStrategy[T], n: int) -> list[T]:
    """About `n` different examples of a strategy, the same at each run: a Spark job for each would take too long."""
    found: list[T] = []

    @settings(
        max_examples=n,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(example: T) -> None:
        found.append(example)

    collect()
    return found


def strata(n_cases: int, max_rows: int = 25) -> pd.DataFrame:
    """Rows of many random tables: `case`, the strata `s.1` and `s 2` with nulls, a unique `id` and a text `k`."""
    sizes = st.dictionaries(
        st.tuples(st.sampled_from(WORDS), st.sampled_from([None, 0, 1, -7])), st.integers(1, max_rows), max_size=6
    )
    rows = [
        (case, word, number)
        for case, table in enumerate(collected(sizes, n_cases))
        for (word, number), n in table.items()
        for _ in range(n)
    ]
    frame = pd.DataFrame(rows, columns=["case", "s.1", "s 2"])
    frame["s 2"] = frame["s 2"].astype("Int64")
    return frame.assign(id=range(len(frame)), k=[f"k{i % 17}" for i in range(len(frame))])


def parts_are_fair(parts: Any, ratios: Sequence[float]) -> tuple[float, float]:
    """p-values of chi-square tests of drawn parts, shape (seeds, rows), as numbers of parts.

    The first: that each row is in each part as often as it should. The second, the smallest of all pairs times their
    number: that the parts of two rows are independent of each other.
    """
    parts = np.asarray(parts)
    counts = np.stack([(parts == part).sum(axis=0) for part in range(len(ratios))])
    expected = len(parts) * np.asarray(ratios)[:, None]
    statistic = ((counts - expected) ** 2 / expected).sum()
    each = float(chi2.sf(statistic, counts.shape[1] * (len(ratios) - 1)))
    pairs = [
        chi2_contingency(pd.crosstab(parts[:, i], parts[:, j])).pvalue for i in range(parts.shape[1]) for j in range(i)
    ]
    return each, min(1.0, min(pairs) * len(pairs))
