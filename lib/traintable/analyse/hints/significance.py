"""When a gain on rows held out is worth a hint."""

from __future__ import annotations

LEAST_GAIN = 0.005  # of the loss, or of the variance: what gains less is not worth a feature
CHANCE = 0.01  # that any candidate of no worth is proposed, by Bonferroni's bound


def bonferroni_limit(n: int) -> float:
    """The standard errors by which a gain must exceed 0 where `n` candidates are tried, one-sided."""
    from scipy.stats import norm  # type: ignore[import-untyped]

    return float(norm.isf(CHANCE / max(1, n)))
