"""The transform of Yeo and Johnson, "A new family of power transformations ..." (Biometrika 87, 2000)."""

from __future__ import annotations

import math

import numpy as np

from traintable.arrays import Floats
from traintable.statistics.weighted import Weighted

DECIMALS = 9  # of lambda: the search's last bits mean nothing


def yeo_johnson(values: Floats, power: float) -> Floats:
    """The Yeo-Johnson transform of some values."""
    positive = values >= 0
    x = np.abs(values)
    rest = np.where(positive, power, 2 - power)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        moved = np.where(rest == 0, np.log1p(x), np.expm1(rest * np.log1p(x)) / np.where(rest == 0, 1.0, rest))
    return np.where(positive, moved, -moved)


def best_power(values: Weighted) -> float:
    """The lambda of the Yeo-Johnson transform that makes the values most like a normal distribution's.

    By maximum likelihood, as scipy.stats.yeojohnson_normmax, over the values with their counts; 1 (which changes
    nothing) where all values are equal. Rounded to 9 decimals.
    """
    from scipy.optimize import minimize_scalar  # type: ignore[import-untyped]

    if len(values.values) < 2:
        return 1.0
    logs = float(np.dot(values.counts, np.sign(values.values) * np.log1p(np.abs(values.values))))

    def cost(candidate: float) -> float:
        moved = yeo_johnson(values.values, candidate)
        mean = float(np.dot(values.counts, moved)) / values.n
        with np.errstate(over="ignore"):
            variance = float(np.dot(values.counts, (moved - mean) ** 2)) / values.n
        if not math.isfinite(variance) or variance < np.finfo(np.float64).tiny:
            return math.inf
        return values.n / 2 * math.log(variance) - (candidate - 1) * logs

    optimum = minimize_scalar(cost, bracket=(-2, 2), method="brent", options={"xtol": 1.48e-8})
    return round(float(optimum.x), DECIMALS) if math.isfinite(optimum.fun) else 1.0
