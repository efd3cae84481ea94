"""Linear and logistic models of a sample, and what one more column would gain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from traintable.arrays import Bools, Floats

_RIDGE = 1e-6  # for collinear terms
_STEPS, _COLUMN_STEPS = 12, 4
_CLOSE = 1e-6


@dataclass(frozen=True)
class Model:
    """Coefficients of shape (terms,), and the inverse of their curvature, shape (terms, terms)."""

    coefficients: Floats
    inverse: Floats
    is_logistic: bool

    def predict(self, terms: Floats) -> Floats:
        """The number, or the log-odds, of each row."""
        return np.asarray(terms @ self.coefficients)


def fit(terms: Floats, target: Floats, *, is_logistic: bool) -> Model:
    """Least squares, or most likelihood by Newton's method (iteratively reweighted least squares); a trace of ridge."""
    n_terms = terms.shape[1]
    ridge = _RIDGE * len(terms) * np.eye(n_terms)
    coefficients = np.zeros(n_terms)
    for _ in range(_STEPS if is_logistic else 1):
        residual, weight = _slopes(terms @ coefficients, target, is_logistic)
        curvature = (terms * weight[:, None]).T @ terms + ridge
        step = np.linalg.solve(curvature, terms.T @ residual - ridge @ coefficients)
        coefficients = coefficients + step
        if np.abs(step).max() < _CLOSE:
            break
    return Model(coefficients, np.linalg.inv(curvature), is_logistic)


def losses(predicted: Floats, target: Floats, is_logistic: bool) -> Floats:
    """The loss of each row: squared error, or minus log-likelihood; predictions of shape (rows,) or (rows, models)."""
    if predicted.ndim == 2:
        target = target[:, None]
    if not is_logistic:
        return np.asarray((predicted - target) ** 2)
    return np.asarray(np.logaddexp(0.0, predicted) - target * predicted)


def gains(model: Model, terms: Floats, candidates: Floats, target: Floats, train: Bools, held: Bools) -> Floats:
    """By how much the loss of held-out rows falls when one candidate is added, shape (held rows, candidates).

    The candidate's coefficient is found on rows of train with all others adjusted to it, as Frisch and Waugh (1933) do
    for a linear model; for a logistic one they are adjusted at the model's weights, so the gain is less than a full
    fit's, the more so the more the candidate is correlated with them.
    """
    own, ours = target[train], candidates[train]
    base, others = model.predict(terms[train]), terms[train]
    _, weight = _slopes(base, own, model.is_logistic)
    on_terms = model.inverse @ (others.T @ (weight[:, None] * ours))
    adjusted = ours - others @ on_terms
    coefficients = np.zeros(candidates.shape[1])
    for _ in range(_COLUMN_STEPS if model.is_logistic else 1):
        residual, weights = _slopes(base[:, None] + adjusted * coefficients, own[:, None], model.is_logistic)
        curvature = (adjusted**2 * weights).sum(axis=0)
        slope = (adjusted * residual).sum(axis=0)
        coefficients += np.divide(slope, curvature, out=np.zeros(len(slope)), where=curvature > _CLOSE)
    there = model.predict(terms[held])
    with_it = there[:, None] + (candidates[held] - terms[held] @ on_terms) * coefficients
    before = losses(there, target[held], model.is_logistic)
    return np.asarray(before[:, None] - losses(with_it, target[held], model.is_logistic))


def _slopes(predicted: Floats, target: Floats, is_logistic: bool) -> tuple[Floats, Floats]:
    """Residuals and weights of rows."""
    if not is_logistic:
        return target - predicted, np.ones(predicted.shape)
    share = 1.0 / (1.0 + np.exp(-np.clip(predicted, -35.0, 35.0)))
    return target - share, np.maximum(share * (1.0 - share), 1e-9)
