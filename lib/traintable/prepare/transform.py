"""Bring the distribution of a number into a better shape, by what train says of it."""

from __future__ import annotations

import math

import numpy as np

from traintable.errors import ConfigError
from traintable.prepare.terms import number
from traintable.statistics import Weighted
from traintable.statistics.exact import Floats

DECIMALS = 9  # of lambda: the search's last bits mean nothing


def log1p(name: str, value: str, lowest: float) -> str:
    """SQL of log(1 + value); a value below the lowest of train is taken for that.

    Raises ConfigError when train has a value that is not above -1.
    """
    if not lowest > -1:
        raise ConfigError(
            where=f"prepare.features.{name}",
            expected="values above -1 for `transform: log1p`",
            found=f"{lowest!r} in train",
            remedy="Use `transform: yeo_johnson`, which takes any number.",
        )
    return f"log1p(greatest({value}, {number(lowest)}))"


def yeo_johnson(value: str, power: float) -> str:
    """SQL of the Yeo-Johnson transform; `value` is used several times. Biometrika 87 (2000), 954 to 959."""
    return f"IF({value} >= 0.0D, {_moved(value, power)}, -{_moved(f'-{value}', 2 - power)})"


def _moved(size: str, power: float) -> str:
    """SQL of ((1 + size)**power - 1) / power, right to the last digits for a small size too."""
    logarithm = f"log1p({size})"
    return logarithm if power == 0 else f"expm1({number(power)} * {logarithm}) / {number(power)}"


def yeo_johnson_values(values: Floats, power: float) -> Floats:
    """The Yeo-Johnson transform of some values."""
    positive = values >= 0
    x = np.abs(values)
    rest = np.where(positive, power, 2 - power)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        moved = np.where(rest == 0, np.log1p(x), np.expm1(rest * np.log1p(x)) / np.where(rest == 0, 1.0, rest))
    return np.where(positive, moved, -moved)


def power(values: Weighted) -> float:
    """The lambda of the Yeo-Johnson transform that makes the values most like a normal distribution's.

    By maximum likelihood, as scipy.stats.yeojohnson_normmax, over the values with their counts; 1 (which changes
    nothing) where all values are equal. Rounded to 9 decimals.
    """
    from scipy.optimize import minimize_scalar  # type: ignore[import-untyped]

    if len(values.values) < 2:
        return 1.0
    logs = float(np.dot(values.counts, np.sign(values.values) * np.log1p(np.abs(values.values))))

    def cost(candidate: float) -> float:
        moved = yeo_johnson_values(values.values, candidate)
        mean = float(np.dot(values.counts, moved)) / values.n
        with np.errstate(over="ignore"):
            variance = float(np.dot(values.counts, (moved - mean) ** 2)) / values.n
        if not math.isfinite(variance) or variance < np.finfo(np.float64).tiny:
            return math.inf
        return values.n / 2 * math.log(variance) - (candidate - 1) * logs

    found = minimize_scalar(cost, bracket=(-2, 2), method="brent", options={"xtol": 1.48e-8})
    return round(float(found.x), DECIMALS) if math.isfinite(found.fun) else 1.0


def bin_edges(values: Weighted, n_bins: int) -> list[float]:
    """The inner edges of bins with about equally many values, ascending; fewer where values are frequent.

    As sklearn.preprocessing.KBinsDiscretizer(strategy="quantile", quantile_method="linear") finds them, which leaves
    out bins narrower than 1e-8, and has one bin for two values: see `cuts`.
    """
    edges = [values.quantile(i / n_bins) for i in range(n_bins + 1)]
    kept = [edge for i, edge in enumerate(edges) if i == 0 or edge - edges[i - 1] > 1e-8]
    return kept[1:-1]


def cuts(values: Weighted, n_bins: int) -> list[float]:
    """Where to cut values into at most `n_bins` bins that tell as much as so few can: edges as those of `bin_edges`.

    Each value has a bin of its own where there are no more of them; else each bin begins at the first value of the next
    share of 1 / `n_bins` of the rows, so a value that fills several shares is alone in its bin.
    """
    if len(values.values) <= n_bins:
        return [float(value) for value in values.values[1:]]
    share = (np.cumsum(values.counts) - values.counts) * n_bins // values.n
    return [float(value) for value in values.values[1:][np.diff(share) > 0]]


def binned(value: str, edges: list[float], first: int = 0) -> str:
    """SQL of the number of a value's bin, counted from 0; an edge belongs to the bin above it.

    A search by halves; `value` is used several times.
    """
    if not edges:
        return f"{first}.0D"
    middle = len(edges) // 2
    below, above = binned(value, edges[:middle], first), binned(value, edges[middle + 1 :], first + middle + 1)
    return f"IF({value} < {number(edges[middle])}, {below}, {above})"


def binned_values(values: Floats, edges: list[float]) -> Floats:
    """The number of each value's bin."""
    return np.searchsorted(np.array(edges), values, side="right").astype(np.float64)
