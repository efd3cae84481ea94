"""Skew that a transform removes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np

from traintable.analyse.document import TransformHint
from traintable.arrays import Floats
from traintable.statistics import Weighted
from traintable.statistics.yeo_johnson import best_power, yeo_johnson

if TYPE_CHECKING:
    from traintable.analyse.rows.context import AnalysisContext

SKEWED = 1.0  # Bulmer, "Principles of statistics" (1979): highly skewed beyond it
LEFT = 0.5  # approximately symmetric below it
FEWEST = 10  # different values; those of fewer have no shape to mend
_SIMPLER = 0.25  # by how much log1p may be worse and still be chosen


def transform_hints(context: AnalysisContext) -> list[TransformHint]:
    """Numbers whose skewness is beyond 1, and not beyond 0.5 after log1p or Yeo-Johnson (Biometrika 87, 2000).

    All from the values of the first scan. The gain is the skewness, as a size, that is taken away. The logarithm is
    chosen where it is about as good, for it needs no power to be fitted.
    """
    hints = []
    for name in context.numbers:
        values = context.statistics.values[name].weighted()
        if len(values.values) < FEWEST:
            continue
        skewed = skewness(values.values, values)
        if math.isfinite(skewed) and abs(skewed) > SKEWED:
            hint = _hint(name, skewed, values)
            hints += [hint] if hint else []
    return sorted(hints, key=lambda hint: -hint["gain"])


def _hint(name: str, before: float, values: Weighted) -> TransformHint | None:
    """The hint on the better transform of a number; None where neither makes it symmetric."""
    after = {"yeo_johnson": skewness(yeo_johnson(values.values, best_power(values)), values)}
    if values.values[0] > -1:
        after["log1p"] = skewness(np.log1p(values.values), values)
    best: Literal["yeo_johnson", "log1p"] = "yeo_johnson"
    log1p = abs(after.get("log1p", math.nan))
    if log1p < abs(after[best]) or (log1p <= abs(after[best]) + _SIMPLER and log1p <= LEFT):
        best = "log1p"
    if not abs(after[best]) <= LEFT:
        return None
    return {
        "hint": "transform",
        "columns": [name],
        "gain": abs(before) - abs(after[best]),
        "text": f"The skewness of '{name}' is {before:.2f}, and {after[best]:.2f} after {best}.",
        "skewness": {"before": before, **after},
        "rank_error": values.rank_error,
        "plan": {"features": {name: {"transform": best}}},
    }


def skewness(transformed: Floats, values: Weighted) -> float:
    """The third standardised moment of values that stand for those of a column; NaN of a constant."""
    with np.errstate(over="ignore", invalid="ignore"):
        largest = np.abs(transformed).max(initial=0.0)
        scaled = transformed / largest if 0 < largest < np.inf else transformed
        deviation = scaled - np.dot(scaled, values.counts) / values.n
        second = np.dot(deviation**2, values.counts) / values.n
        third = np.dot(deviation**3, values.counts) / values.n
    return float(third / second**1.5) if second > 0 else math.nan
