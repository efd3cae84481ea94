"""How far rows lie from the mean, in all numbers together: Mahalanobis distances from one Gram matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from traintable.analyse.rows.add_columns import add_columns
from traintable.analyse.rows.inputs import InputColumns, InputRows
from traintable.arrays import Floats
from traintable.columns import refuse_taken, require_columns
from traintable.errors import ConfigError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from traintable.statistics import Gram, Statistics

SMALLEST = 1e-10  # of an eigenvalue of the correlation matrix, relative to the largest
_BLOCK = 4096  # rows of every matrix product, so that a row's distance does not depend on the others of its batch
DISTANCE, P_VALUE = "mahalanobis", "mahalanobis_p_value"


@dataclass(frozen=True)
class Ellipsoid:
    """Mean, standard deviations and whitening matrix of some columns.

    Attributes
    ----------
    mean, scale : shape (columns,); what is missing is taken for the mean.
    whitening : shape (columns, rank); standard scores times it have the unit matrix for a covariance.
    """

    columns: tuple[str, ...]
    mean: Floats
    scale: Floats
    whitening: Floats

    @property
    def inputs(self) -> InputColumns:
        """What is read of rows."""
        return InputColumns(self.columns, ())

    @property
    def rank(self) -> int:
        """Directions in which the rows vary: the degrees of freedom of the distances."""
        return int(self.whitening.shape[1])

    def squared_distances(self, rows: InputRows) -> Floats:
        """Squared distances of rows, shape (rows,)."""
        n_rows = len(rows)
        squared = np.empty(n_rows)
        for start in range(0, n_rows, _BLOCK):
            block = np.zeros((_BLOCK, len(self.columns)))
            n = min(_BLOCK, n_rows - start)
            for i, name in enumerate(self.columns):
                block[:n, i] = (rows.number(name)[start : start + n] - self.mean[i]) / self.scale[i]
            whitened = np.nan_to_num(block, nan=0.0) @ self.whitening
            squared[start : start + n] = (whitened * whitened).sum(axis=1)[:n]
        return squared


def ellipsoid(gram: Gram, columns: Sequence[str]) -> Ellipsoid | None:
    """The ellipsoid of columns, missing values imputed by the mean; None where none of them varies.

    By the pseudo-inverse of the correlation matrix: directions with an eigenvalue below 1e-10 of the largest, which
    collinear columns leave, count for nothing. Columns that are constant, or whose variance overflows, are left out.
    """
    means = {name: gram.mean_and_variance(name)[0] for name in columns}
    varying = {name: mean for name, mean in means.items() if np.isfinite(mean)}
    spread = gram.imputed_covariance(varying)
    deviations = dict(zip(spread.columns, spread.std.tolist(), strict=True))
    names = [name for name in spread.columns if np.isfinite(deviations[name]) and deviations[name] > 0]
    if not names:
        return None
    place = [spread.columns.index(name) for name in names]
    values, vectors = np.linalg.eigh(spread.correlation[np.ix_(place, place)])
    kept = values > SMALLEST * values[-1]
    whitening = vectors[:, kept] / np.sqrt(values[kept])
    scale = np.array([deviations[name] for name in names])
    return Ellipsoid(tuple(names), np.array([varying[name] for name in names]), scale, whitening)


def mahalanobis(df: DataFrame, statistics: Statistics, columns: Sequence[str] | None = None) -> DataFrame:
    """Add to each row its squared Mahalanobis distance from the mean, and how rare such a distance is.

    Parameters
    ----------
    df : rows with the columns.
    statistics : of the rows that say what is usual, with `covariance` of the columns.
    columns : numbers; all of the covariance where none are named.

    Returns
    -------
    DataFrame
        All rows with `mahalanobis double`, the squared distance, and `mahalanobis_p_value double` added. Missing values
        are taken for the mean, collinear columns are counted once (see `ellipsoid`). The p-value is that of a
        chi-square distribution with as many degrees of freedom as there are directions: right for rows of a
        multivariate normal distribution. Costs one pass, as the rows are computed.

    Raises
    ------
    ConfigError
        When a column is missing, no column varies, or the new names are taken.

    Source: Mahalanobis, "On the generalised distance in statistics" (1936).

    Examples
    --------
    >>> from traintable import analyse, statistics
    >>> df = spark.createDataFrame([(1.0, 2.0), (2.0, 1.0), (3.0, 4.0), (4.0, 3.0)], "x double, y double")
    >>> learned = statistics.scan(df, statistics.Wanted(covariance=("x", "y")))
    >>> [round(row.mahalanobis, 6) for row in analyse.mahalanobis(df, learned).collect()]
    [1.5, 1.5, 1.5, 1.5]
    """
    names = tuple(columns) if columns is not None else statistics.gram.columns
    require_columns(df, set(names), where="analyse.mahalanobis")
    refuse_taken(df, {DISTANCE, P_VALUE}, where="analyse.mahalanobis")
    shape = ellipsoid(statistics.gram, names) if names else None
    if shape is None:
        raise ConfigError(
            where="analyse.mahalanobis",
            expected="at least one number that varies",
            found=f"none among {', '.join(names) or 'no columns'}",
            remedy="Name other columns.",
        )
    schema = f"{DISTANCE} double, {P_VALUE} double"
    return add_columns(df, shape.inputs, schema, lambda rows: _measure(shape, rows))


def _measure(shape: Ellipsoid, rows: InputRows) -> list[pa.Array]:
    from scipy.stats import chi2  # type: ignore[import-untyped]

    squared = shape.squared_distances(rows)
    return [pa.array(squared), pa.array(chi2.sf(squared, shape.rank))]
