"""Bring the distribution of a number into a better shape, by what train says of it."""

from __future__ import annotations

import numpy as np

from traintable.arrays import Floats
from traintable.errors import ConfigError
from traintable.prepare.terms import number_literal
from traintable.statistics import Weighted


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
    return f"log1p(greatest({value}, {number_literal(lowest)}))"


def yeo_johnson(value: str, power: float) -> str:
    """SQL of the Yeo-Johnson transform; `value` is used several times. Biometrika 87 (2000), 954 to 959."""
    return f"IF({value} >= 0.0D, {_transformed_size(value, power)}, -{_transformed_size(f'-{value}', 2 - power)})"


def _transformed_size(size: str, power: float) -> str:
    """SQL of ((1 + size)**power - 1) / power, right to the last digits for a small size too."""
    logarithm = f"log1p({size})"
    return logarithm if power == 0 else f"expm1({number_literal(power)} * {logarithm}) / {number_literal(power)}"


def bin_edges(values: Weighted, n_bins: int) -> list[float]:
    """The inner edges of bins with about equally many values, ascending; fewer where values are frequent.

    As sklearn.preprocessing.KBinsDiscretizer(strategy="quantile", quantile_method="linear") finds them, which leaves
    out bins narrower than 1e-8, and has one bin for two values: see `cut_points`.
    """
    edges = [values.quantile(i / n_bins) for i in range(n_bins + 1)]
    kept = [edge for i, edge in enumerate(edges) if i == 0 or edge - edges[i - 1] > 1e-8]
    return kept[1:-1]


def cut_points(values: Weighted, n_bins: int) -> list[float]:
    """The inner edges of at most `n_bins` bins that keep as much information as so few can.

    Each value has a bin of its own where there are no more of them; else each bin begins at the first value of the next
    share of 1 / `n_bins` of the rows, so a value that fills several shares is alone in its bin.
    """
    if len(values.values) <= n_bins:
        return [float(value) for value in values.values[1:]]
    share = (np.cumsum(values.counts) - values.counts) * n_bins // values.n
    return [float(value) for value in values.values[1:][np.diff(share) > 0]]


def bin_number(value: str, edges: list[float], first: int = 0) -> str:
    """SQL of the number of a value's bin, counted from 0; an edge belongs to the bin above it.

    A search by halves; `value` is used several times.
    """
    if not edges:
        return f"{first}.0D"
    middle = len(edges) // 2
    below, above = bin_number(value, edges[:middle], first), bin_number(value, edges[middle + 1 :], first + middle + 1)
    return f"IF({value} < {number_literal(edges[middle])}, {below}, {above})"


def bin_numbers(values: Floats, edges: list[float]) -> Floats:
    """The number of each value's bin."""
    return np.searchsorted(np.array(edges), values, side="right").astype(np.float64)
