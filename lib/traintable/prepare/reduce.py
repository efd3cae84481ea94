"""Components of numbers, from the covariance that the scans have learned."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from traintable.arrays import Floats
from traintable.config.plan import Reduce
from traintable.errors import ConfigError
from traintable.prepare.terms import Term, number_literal

# Loadings and standard deviations are rounded here, so that the last bits of another machine's linear algebra don't
# reach the features.
DECIMALS = 12


def principal_components(
    covariance: Floats, k: int | None = None, *, explained_variance: float | None = None, whiten: bool = False
) -> Floats:
    """The leading eigenvectors of a covariance (or correlation) of shape (n, n), as columns of shape (n, k).

    `k` of them, or as few as explain that share of the variance. Ordered by falling variance; of each vector the
    largest loading (the first of equals) is positive; `whiten` divides each by its standard deviation. Components of
    equal variance span a plane in which any two directions are as good, so there the choice is the linear algebra
    library's. Jolliffe, "Principal Component Analysis", 2nd ed., section 2.

    Examples
    --------
    >>> import numpy as np
    >>> from traintable import prepare
    >>> prepare.principal_components(np.array([[2.0, 1.0], [1.0, 2.0]]), 1).round(3).tolist()
    [[0.707], [0.707]]
    """
    values, vectors = np.linalg.eigh(covariance)
    values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
    if k is None:
        shares = np.cumsum(values) / (values.sum() or 1.0)
        k = min(int(np.searchsorted(shares, (explained_variance or 1.0) - 1e-12)) + 1, len(values))
    leading = np.round(_with_signs(vectors[:, :k]), DECIMALS)
    if whiten:
        std = np.array([float(f"{value:.{DECIMALS}g}") for value in np.sqrt(values[:k])])
        leading = leading / np.where(std > 1e-9 * std[0], std, np.inf)
    return np.asarray(leading)


def _with_signs(vectors: Floats) -> Floats:
    largest = np.argmax(np.round(np.abs(vectors), 9), axis=0)
    signs = np.sign(vectors[largest, np.arange(vectors.shape[1])])
    return np.asarray(vectors * np.where(signs == 0, 1.0, signs))


def components(section: Reduce, values: Sequence[str], moments: Floats, mean: Floats | None) -> list[Term]:
    """The features `<prefix>1` to `<prefix>k`: sums of the values (SQL) times their loadings.

    `moments` is their covariance, from which `mean` is subtracted, for PCA; or their second moments about 0, for a
    truncated SVD (Halko, Martinsson and Tropp, SIAM Review 53, 2011, for the usual way; here by the eigenvectors of the
    moments, which are the right singular vectors).
    """
    if section.k is not None and section.k > len(values):
        raise ConfigError(
            where="prepare.reduce.k",
            expected=f"at most {len(values)}, as many as there are columns after selection",
            found=str(section.k),
            remedy="Ask for fewer components.",
        )
    loadings = principal_components(
        moments, section.k, explained_variance=section.explained_variance, whiten=section.whiten
    )
    return [
        Term(f"{section.prefix}{j + 1}", _dot(values, vector, mean), f"{section.prefix}{j + 1}", is_bounded=False)
        for j, vector in enumerate(loadings.T)
    ]


def _dot(values: Sequence[str], weights: Floats, mean: Floats | None) -> str:
    if mean is not None:  # taken from each value, for the sums may have few digits left
        values = [
            f"({value} - {number_literal(float(m))})" if m else value for value, m in zip(values, mean, strict=True)
        ]
    return " + ".join(f"{value} * {number_literal(float(w))}" for value, w in zip(values, weights, strict=True))
