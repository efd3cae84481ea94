"""Centre numbers and divide them by their standard deviation, as learned from train."""

from __future__ import annotations

from traintable.prepare.terms import number


def standard(value: str, mean: float, std: float) -> str:
    """SQL of the standard score; 0 for a column that is constant in train, as StandardScaler does.

    `std` is the sample standard deviation (n - 1), as pyspark.ml.feature.StandardScaler takes it.
    """
    return f"(({value} - {number(mean)}) / {number(std)})" if std > 0 else "0.0D"
