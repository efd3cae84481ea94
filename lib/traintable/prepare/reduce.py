"""Principal components of scaled numbers, from the correlations that the one scan has learned."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from traintable.prepare.terms import Term, number
from traintable.statistics.exact import Floats

# Loadings are rounded here, so that the last bits of another machine's linear algebra don't reach the features.
DECIMALS = 12


def principal_components(correlation: Floats, k: int) -> Floats:
    """The k leading eigenvectors of a correlation (or covariance) of shape (n, n), as columns of shape (n, k).

    Ordered by falling variance; of each vector the largest loading (the first of equals) is positive. Components of
    equal variance span a plane in which any two directions are as good, so there the choice is the linear algebra
    library's. Jolliffe, "Principal Component Analysis", 2nd ed., section 2.
    """
    _, vectors = np.linalg.eigh(correlation)
    leading = vectors[:, ::-1][:, :k]
    largest = np.argmax(np.round(np.abs(leading), 9), axis=0)
    signs = np.sign(leading[largest, np.arange(k)])
    return np.asarray(np.round(leading * np.where(signs == 0, 1.0, signs), DECIMALS))


def terms(prefix: str, scaled: Sequence[str], loadings: Floats) -> list[Term]:
    """The features `<prefix>1` to `<prefix>k`: sums of the scaled columns times their loadings."""
    return [
        Term(
            f"{prefix}{j + 1}", " + ".join(f"{column} * {number(w)}" for column, w in zip(scaled, vector, strict=True))
        )
        for j, vector in enumerate(loadings.T)
    ]
