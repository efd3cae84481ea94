"""Linear and logistic models of a sample, and what one more column would gain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from traintable.arrays import Bools, Floats

_RIDGE = 1e-6  # for collinear terms
_STEPS, _COLUMN_STEPS = 12, 4
_CLOSE = 1e-6


@dataclass(frozen=True)
class LinearModel:
    """Coefficients of shape (terms,), and the inverse of their curvature, shape (terms, terms)."""

    coefficients: Floats
    inverse: Floats
    is_logistic: bool

    def predict(self, terms: Floats) -> Floats:
        """The number, or the log-odds, of each row."""
        return np.asarray(terms @ self.coefficients)


def fit_linear(terms: Floats, target: Floats, *, is_logistic: bool) -> LinearModel:
    """Least squares, or maximum likelihood by Newton's method (iteratively reweighted least squares); slightly ridged.

    Parameters
    ----------
    terms, target : shape (rows, terms) and (rows,); the target of a logistic model is 0 or 1.
    """
    n_terms = terms.shape[1]
    ridge = _RIDGE * len(terms) * np.eye(n_terms)
    coefficients = np.zeros(n_terms)
    for _ in range(_STEPS if is_logistic else 1):
        residual, weight = _residuals_and_weights(terms @ coefficients, target, is_logistic)
        curvature = (terms * weight[:, None]).T @ terms + ridge
        step = np.linalg.solve(curvature, terms.T @ residual - ridge @ coefficients)
        coefficients = coefficients + step
        if np.abs(step).max() < _CLOSE:
            break
    return LinearModel(coefficients, np.linalg.inv(curvature), is_logistic)


def losses(predicted: Floats, target: Floats, is_logistic: bool) -> Floats:
    """The loss of each row: squared error, or minus log-likelihood; predictions of shape (rows,) or (rows, models)."""
    if predicted.ndim == 2:
        target = target[:, None]
    if not is_logistic:
        return np.asarray((predicted - target) ** 2)
    return np.asarray(np.logaddexp(0.0, predicted) - target * predicted)


def gains(model: LinearModel, terms: Floats, candidates: Floats, target: Floats, train: Bools, held: Bools) -> Floats:
    """By how much the loss of held-out rows falls when one candidate is added, shape (held rows, candidates).

    The candidate's coefficient is fitted to rows of train with all others adjusted to it, as Frisch and Waugh (1933) do
    for a linear model; for a logistic one they are adjusted at the model's weights, so the gain is less than a full
    fit's, the more so the more the candidate is correlated with them.

    Parameters
    ----------
    model : fitted to the rows of train.
    terms, candidates, target : shape (rows, terms), (rows, candidates) and (rows,).
    train, held : which rows are of train, and which are held out; shape (rows,).
    """
    train_target, train_terms, train_candidates = target[train], terms[train], candidates[train]
    base = model.predict(train_terms)
    _, weight = _residuals_and_weights(base, train_target, model.is_logistic)
    projection = model.inverse @ (train_terms.T @ (weight[:, None] * train_candidates))
    adjusted = train_candidates - train_terms @ projection
    coefficients = np.zeros(candidates.shape[1])
    for _ in range(_COLUMN_STEPS if model.is_logistic else 1):
        predicted = base[:, None] + adjusted * coefficients
        residual, weights = _residuals_and_weights(predicted, train_target[:, None], model.is_logistic)
        curvature = (adjusted**2 * weights).sum(axis=0)
        slope = (adjusted * residual).sum(axis=0)
        coefficients += np.divide(slope, curvature, out=np.zeros(len(slope)), where=curvature > _CLOSE)
    without = model.predict(terms[held])
    with_candidate = without[:, None] + (candidates[held] - terms[held] @ projection) * coefficients
    loss = losses(without, target[held], model.is_logistic)
    return np.asarray(loss[:, None] - losses(with_candidate, target[held], model.is_logistic))


def _residuals_and_weights(predicted: Floats, target: Floats, is_logistic: bool) -> tuple[Floats, Floats]:
    """Residuals of rows, and the weights that they have in a step of Newton's method."""
    if not is_logistic:
        return target - predicted, np.ones(predicted.shape)
    share = 1.0 / (1.0 + np.exp(-np.clip(predicted, -35.0, 35.0)))
    return target - share, np.maximum(share * (1.0 - share), 1e-9)
