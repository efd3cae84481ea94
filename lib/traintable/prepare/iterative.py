"""Replace missing numbers by what the other numbers of the same row let one expect."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from traintable.arrays import Floats, Ints
from traintable.prepare.terms import ITERATED, Layers, array_literal, number_literal
from traintable.statistics import Covariance

N_ROUNDS = 5
DECIMALS = 12  # so that the last bits of another machine's linear algebra don't reach the features
_LEAST_EIGENVALUE = 1e-6  # of the correlations; below it a column is a combination of others


@dataclass(frozen=True)
class Normal:
    """A normal distribution of some columns.

    Attributes
    ----------
    mean : shape (columns,).
    unit : standard deviation of each column given all others, shape (columns,); 0 of a constant.
    precision : inverse of the covariance in these units, shape (columns, columns), with 1 on the diagonal.
    """

    mean: Floats
    unit: Floats
    precision: Floats


def uncertainty(present: Ints) -> float:
    """How far eigenvalues of pairwise complete correlations can be off, as each pair is complete in rows of its own.

    `present` counts the rows in which columns i and j both have a value. To first order a covariance over n rows and
    the variances over m rows differ by chance by the root of 1 / n - 1 / m; of a matrix of such errors the largest
    eigenvalue grows with the root of its width (Wigner, Annals of Mathematics 62, 1955). 0 where nothing is missing.
    """
    width = len(present)
    i, j = np.nonzero(np.triu(present > 1, 1))
    if not len(i):
        return 0.0
    own = np.diag(present)
    squares = 1 / present[i, j] - (1 / own[i] + 1 / own[j]) / 2
    return math.sqrt(width * float(np.mean(squares)))


def normal(covariance: Covariance, least: float = 0.0) -> Normal:
    """The normal distribution of some columns, from pairwise complete covariances.

    These need not belong to any one set of rows, so the correlations are first moved to ones that are positive
    definite: eigenvalues below `least`, and below 1e-6, are raised to it. Constant columns are independent of others.
    """
    std = np.nan_to_num(covariance.std)
    used = np.flatnonzero(std > 0)
    unit, precision = np.zeros(len(std)), np.eye(len(std))
    if len(used):
        scale = np.outer(std[used], std[used])
        correlation = np.clip(np.nan_to_num(covariance.covariance[np.ix_(used, used)]) / scale, -1.0, 1.0)
        np.fill_diagonal(correlation, 1.0)
        values, vectors = np.linalg.eigh(correlation)
        inverse = (vectors / np.maximum(values, max(least, _LEAST_EIGENVALUE))) @ vectors.T
        given = np.sqrt(np.diag(inverse))
        precision[np.ix_(used, used)] = np.round(inverse / np.outer(given, given), DECIMALS)
        unit[used] = [float(f"{value:.{DECIMALS}g}") for value in std[used] / given]
    return Normal(np.nan_to_num(covariance.mean), unit, precision)


def fill_iteratively(
    layers: Layers, values: Mapping[str, str], known: Normal, rounds: int = N_ROUNDS
) -> dict[str, str]:
    """Add columns that have the missing values of all `values` (feature -> SQL) filled; gives the SQL that reads them.

    What is filled in is the conditional mean of what a row misses given what it has, to which the regressions of
    sklearn.impute.IterativeImputer converge: the solution of precision[missing, missing] x = -precision[missing, given]
    given. A row can miss any of the columns, so the equations are solved row by row, over arrays of what the row
    misses, by at most `rounds` steps of conjugate gradients. It is exact for a row that misses no more than `rounds`
    numbers, and near that after fewer where they are related. A row that misses nothing is left out.
    """
    related = [i for i in range(len(values)) if np.count_nonzero(known.precision[i]) > 1]
    solution = _solution(layers, list(values.values()), known, related, rounds) if related else ""
    filled = {}
    for i, (name, value) in enumerate(values.items()):
        expected = number_literal(float(known.mean[i]))
        if i in related:
            expected = f"{expected} + try_element_at({solution}, {i}) * {number_literal(float(known.unit[i]))}"
        filled[name] = layers.add(ITERATED + 4, name, f"coalesce({value}, {expected})")
    return filled


def _solution(layers: Layers, values: Sequence[str], known: Normal, related: Sequence[int], rounds: int) -> str:
    """SQL of a map from the number of each value that a row misses to its distance from the mean, in its unit.

    `related` says which values are related to others. The map is null for a row that misses none of them.
    """
    gone = {i: f"{values[i]} IS NULL" for i in related}
    units = {
        i: f"({values[i]} - {number_literal(float(known.mean[i]))}) / {number_literal(float(known.unit[i]))}"
        for i in related
    }
    given = [f"coalesce({units[i]}, 0.0D)" if i in units else "0.0D" for i in range(len(values))]
    missing = f"array_compact(array({', '.join(f'IF({is_gone}, {i}, NULL)' for i, is_gone in gone.items())}))"
    weights = array_literal(known.precision.tolist(), "array<array<double>>")
    missing = layers.add(ITERATED, "missing", f"IF({' OR '.join(gone.values())}, {missing}, NULL)")
    given_ = layers.add(ITERATED, "given", f"array({', '.join(given)})")
    weights = layers.add(ITERATED, "weights", weights)
    rest = layers.add(ITERATED + 1, "rest", f"transform({missing}, i -> -{_dot(f'{weights}[i]', given_)})")
    square = f"transform({missing}, i -> transform({missing}, j -> {weights}[i][j]))"
    square = layers.add(ITERATED + 1, "square", f"IF(size({missing}) > 1, {square}, NULL)")
    solved = f"CASE size({missing}) WHEN 1 THEN {rest} ELSE {_conjugate_gradients(square, rest, rounds)} END"
    solved = layers.add(ITERATED + 2, "solved", f"IF({missing} IS NULL, NULL, {solved})")
    return layers.add(ITERATED + 3, "solution", f"map_from_arrays({missing}, {solved})")


def _conjugate_gradients(matrix: str, right: str, rounds: int) -> str:
    """SQL of the array x that solves matrix x = right, after at most `rounds` steps (an array's length is enough).

    Hestenes and Stiefel, J. Res. Nat. Bur. Stand. 49, 1952. The state of a step: the solution so far, the residual, its
    squared length, and the direction to go.
    """
    start = f"'x', transform({right}, v -> 0.0D), 'rest', {right}, 'length', {_dot(right, right)}, 'way', {right}"
    far = f"coalesce(try_divide(s.length, {_dot('s.way', 'image')}), 0.0D)"
    share = "coalesce(try_divide(length, s.length), 0.0D)"
    step = f"'x', {_sum('s.x', 'far', 's.way')}, 'rest', rest, 'length', length"
    step = f"named_struct({step}, 'way', {_sum('rest', 'share', 's.way')})"
    step = _with("share", share, step)
    step = _with("length", _dot("rest", "rest"), step)
    step = _with("rest", _sum("s.rest", "-far", "image"), step)
    step = _with("image", f"transform({matrix}, row -> {_dot('row', 's.way')})", _with("far", far, step))
    return f"aggregate(sequence(1, least({rounds}, size({right}))), named_struct({start}), (s, i) -> {step}, s -> s.x)"


def _with(name: str, value: str, body: str) -> str:
    """SQL of what `body` gives where `name` stands for a value that is computed once."""
    return f"transform(array({value}), {name} -> {body})[0]"


def _dot(a: str, b: str) -> str:
    """SQL of the inner product of two arrays."""
    return f"aggregate(zip_with({a}, {b}, (a, b) -> a * b), 0.0D, (sum, part) -> sum + part)"


def _sum(a: str, factor: str, b: str) -> str:
    """SQL of an array and `factor` times another."""
    return f"zip_with({a}, {b}, (a, b) -> a + {factor} * b)"
