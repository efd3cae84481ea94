"""Adjusted p-values are those of statsmodels."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from traintable.analyse import TestResult, adjust_p_values


@given(st.lists(st.floats(0, 1) | st.just(math.nan), max_size=30))
def test_they_are_those_of_statsmodels(p_values: list[float]) -> None:
    q_values = adjust_p_values({("x", i): TestResult("t", 0.0, p, 9) for i, p in enumerate(p_values)})
    assert list(q_values) == [("x", i) for i in range(len(p_values))]
    made = [i for i, p in enumerate(p_values) if p == p]
    assert all(math.isnan(q_values["x", i]) for i in range(len(p_values)) if i not in made)
    if made:
        expected = multipletests([p_values[i] for i in made], method="fdr_bh")[1]
        np.testing.assert_allclose([q_values["x", i] for i in made], expected, rtol=1e-12, atol=1e-300)
