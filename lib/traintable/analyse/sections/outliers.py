"""Values of one column that lie far from the others, by three rules."""

from __future__ import annotations

from typing import Any

from traintable.statistics import Weighted

IQR_FACTOR = 1.5
MAD_FACTOR = 3.5
MAD_TO_STD = 1.4826  # of a normal distribution
QUANTILES = (0.001, 0.999)


def describe(values: Weighted) -> dict[str, Any] | None:
    """For each rule the bounds and how many rows lie beyond; None without values.

    `iqr`: 1.5 interquartile ranges beyond the quartiles (Tukey, "Exploratory Data Analysis", 1977). `mad`: 3.5 scaled
    median absolute deviations from the median (Iglewicz and Hoaglin, "How to Detect and Handle Outliers", 1993); none
    where half of the rows are equal. `quantile`: beyond the quantiles at 0.1% and 99.9%.
    """
    if not values.n:
        return None
    q1, median, q3 = (values.quantile(q) for q in (0.25, 0.5, 0.75))
    mad = MAD_TO_STD * values.deviations(median).quantile(0.5)
    reach = IQR_FACTOR * (q3 - q1)
    return {
        "iqr": _beyond(values, q1 - reach, q3 + reach) if reach > 0 else None,
        "mad": _beyond(values, median - MAD_FACTOR * mad, median + MAD_FACTOR * mad) if mad > 0 else None,
        "quantile": _beyond(values, *(values.quantile(q) for q in QUANTILES)),
    }


def _beyond(values: Weighted, low: float, high: float) -> dict[str, Any]:
    beyond = (values.values < low) | (values.values > high)
    return {"low": low, "high": high, "n": int(values.counts[beyond].sum())}
