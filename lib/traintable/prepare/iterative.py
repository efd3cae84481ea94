"""Replace missing numbers by what the other numbers of the same row let one expect."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from traintable.prepare.terms import ITERATED, Layers, number
from traintable.statistics.exact import Floats, Ints
from traintable.statistics.gram import Covariance

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
    given. A row can miss any of the columns, so the equations are solved row by row, by conjugate gradients (Hestenes
    and Stiefel, J. Res. Nat. Bur. Stand. 49, 1952), one column of SQL for each number in each of `rounds` steps. It is
    exact for a row that misses no more than `rounds` numbers, and near that after fewer where they hang together.
    """
    solver = _Solver(layers, values, known)
    for _ in range(min(rounds, len(solver.names))):
        solver.step()
    filled = {}
    for i, (name, value) in enumerate(values.items()):
        expected = number(float(known.mean[i]))
        if name in solver.found:
            expected = f"{expected} + {solver.found[name]} * {number(float(known.unit[i]))}"
        filled[name] = layers.add(solver.depth + 1, name, f"coalesce({value}, {expected})")
    return filled


class _Solver:
    """Conjugate gradients in SQL: a missing number is solved for, one that is there takes no part.

    Attributes
    ----------
    names : the features that hang together with others.
    depth : the next layer.
    found, rest, way : feature -> SQL of the solution so far, of the residual, and of the direction to go.
    length : SQL of the squared length of the residual.
    """

    def __init__(self, layers: Layers, values: Mapping[str, str], known: Normal) -> None:
        self.layers, self.values, self.depth = layers, values, ITERATED
        place = {name: i for i, name in enumerate(values) if np.count_nonzero(known.precision[i]) > 1}
        self.names = list(place)
        self.weights = {a: {b: float(known.precision[place[a], place[b]]) for b in place if b != a} for a in place}
        given = {
            name: f"coalesce(({values[name]} - {number(float(known.mean[i]))}) / {number(float(known.unit[i]))}, 0.0D)"
            for name, i in place.items()
        }
        given = self._layer("given", given)
        rest = {name: self._if_missing(name, f"-({self._sum(name, given)})") for name in place}
        self.rest = self.way = self._layer("rest", rest)
        self.found: dict[str, str] = {}
        self.length = ""

    def step(self) -> None:
        """Go along the direction as far as makes the residual shortest."""
        self._turn()
        image = {name: self._if_missing(name, f"{self.way[name]} + {self._sum(name, self.way)}") for name in self.names}
        image = self._layer("image", image)
        slope = " + ".join(f"{self.way[name]} * {image[name]}" for name in self.names)
        far = self._layer("far", {"": f"coalesce(try_divide({self.length}, {slope}), 0.0D)"})[""]
        found = {name: f"{far} * {way}" for name, way in self.way.items()}
        if self.found:
            found = {name: f"{self.found[name]} + {sql}" for name, sql in found.items()}
        self.found = self._layer("found", found)
        self.rest = self._layer("rest", {name: f"{self.rest[name]} - {far} * {image[name]}" for name in self.names})

    def _turn(self) -> None:
        """Find the next direction: that of the residual at first, then conjugate to all before."""
        before, squares = self.length, " + ".join(f"{rest} * {rest}" for rest in self.rest.values())
        self.length = self._layer("length", {"": squares})[""]
        if before:
            share = f"coalesce(try_divide({self.length}, {before}), 0.0D)"
            way = {name: f"{rest} + {share} * {self.way[name]}" for name, rest in self.rest.items()}
            self.way = self._layer("way", way)

    def _layer(self, kind: str, columns: Mapping[str, str]) -> dict[str, str]:
        self.depth += 1
        return {name: self.layers.add(self.depth, f"{name} {kind}", sql) for name, sql in columns.items()}

    def _sum(self, name: str, columns: Mapping[str, str]) -> str:
        """SQL of what the other columns add up to in the equation of one."""
        return " + ".join(f"{columns[b]} * {number(weight)}" for b, weight in self.weights[name].items() if weight)

    def _if_missing(self, name: str, sql: str) -> str:
        return f"IF({self.values[name]} IS NULL, {sql}, 0.0D)"
