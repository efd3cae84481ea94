"""Products and squares that tell more of the label than the features do one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from traintable.analyse.document import InteractionHint
from traintable.analyse.hints.linear_model import fit_linear, gains, losses
from traintable.analyse.hints.significance import LEAST_GAIN, bonferroni_limit
from traintable.analyse.rows.keyed_random import assign_folds
from traintable.analyse.rows.labelled_sample import LabelledSample
from traintable.analyse.rows.target_encoding import INNER_FOLDS, encode_by_target
from traintable.arrays import Bools, Floats, Ints

if TYPE_CHECKING:
    from traintable.analyse.rows.context import AnalysisContext

MAX_CANDIDATES = 8  # numbers that are squared and multiplied
MAX_LINEAR = 30  # features of the additive model
MAX_HINTS = 5  # of a kind
FOLDS = 3
_MAX_TARGETS = 4
_KNOTS = (0.1, 0.5, 0.9)
_FAR = 5.0  # standard deviations at which a number is held

Candidates = Mapping[tuple[str, ...], Floats]


class Selected(NamedTuple):
    """A candidate that the model gains from: its columns, the gain, and how many standard errors that is."""

    columns: tuple[str, ...]
    gain: float
    z: float


def interaction_hints(
    context: AnalysisContext, sample: LabelledSample, by_importance: Sequence[str]
) -> list[InteractionHint]:
    """Products of two numbers, and squares of one, that an additive model gains from.

    Candidates are made of the eight most important numbers, in standard deviations from the mean. A linear model (of
    classes a logistic one for each against the most frequent one: Begg and Gray, Biometrika 71, 1984) of all features,
    numbers as they are and categories in the order of the label, is fitted to two thirds of the sample and measured on
    the third, three times in turn. A square has to gain over that; a product over the same model with each candidate
    bent at three places, so that no curve of one number passes for a product. The best is taken into the model, and the
    others have to gain over that.

    The gain is the share of the loss on rows held out that a candidate takes away, at least 0.005; one-sided, with a
    chance below 0.01 that any candidate of no worth gains so much (Bonferroni, over all candidates).
    """
    base, numbers = _terms(context, sample, by_importance), _candidate_numbers(sample, by_importance)
    squares: Candidates = {(name,): values * values for name, values in numbers.items()}
    products: Candidates = {(a, b): numbers[a] * numbers[b] for a, b in combinations(numbers, 2)}
    bends = [_bends(values) for values in numbers.values()]
    curved = [np.concatenate([terms, *bends], axis=1) for terms in base] if bends else base
    folds = assign_folds(sample.rows.draws, FOLDS, "folds of hints")
    selection = _ForwardSelection(_targets(sample), folds, is_logistic=bool(sample.classes))
    return [
        *(_hint("interaction", product) for product in selection.select(curved, products)),
        *(_hint("polynomial", square) for square in selection.select(base, squares)),
    ]


@dataclass(frozen=True)
class _ForwardSelection:
    """Takes the best candidate into a model, one after the other, as long as that gains on rows held out.

    Attributes
    ----------
    targets : what is explained, and of which rows; shape (rows,) both.
    folds : shape (rows,).
    """

    targets: Sequence[tuple[Floats, Bools]]
    folds: Ints
    is_logistic: bool

    def select(self, base: Sequence[Floats], candidates: Candidates) -> list[Selected]:
        """The candidates that gain over what is in the model; `base` has the model's terms for each fold."""
        remaining, terms = dict(candidates), list(base)
        selected: list[Selected] = []
        limit = bonferroni_limit(len(remaining))
        while remaining and len(selected) < MAX_HINTS:
            gain, z = self._gains(terms, np.stack(list(remaining.values()), axis=1))
            best = int(np.argmax(gain))
            if not (gain[best] >= LEAST_GAIN and z[best] >= limit):
                break
            columns = list(remaining)[best]
            selected.append(Selected(columns, float(gain[best]), float(z[best])))
            values = remaining.pop(columns)[:, None]
            terms = [np.concatenate([of_fold, values], axis=1) for of_fold in terms]
        return selected

    def _gains(self, terms: Sequence[Floats], candidates: Floats) -> tuple[Floats, Floats]:
        """Share of the held-out loss that each candidate takes, and how many standard errors of its mean that is."""
        saved, loss = np.zeros(candidates.shape), 0.0
        for fold, of_fold in enumerate(terms):
            for target, of_rows in self.targets:
                train, held = of_rows & (self.folds != fold), of_rows & (self.folds == fold)
                model = fit_linear(of_fold[train], target[train], is_logistic=self.is_logistic)
                loss += float(losses(model.predict(of_fold[held]), target[held], self.is_logistic).sum())
                saved[held] += gains(model, of_fold, candidates, target, train, held)
        error = saved.std(axis=0) / np.sqrt(len(saved))
        z = np.divide(saved.mean(axis=0), error, out=np.zeros(len(error)), where=error > 0)
        return saved.sum(axis=0) / loss if loss > 0 else np.zeros(len(error)), z


def _targets(sample: LabelledSample) -> list[tuple[Floats, Bools]]:
    """What is explained, and of which rows: of classes the most frequent ones, each against the first of them."""
    if not sample.classes:
        return [(sample.indicators()[:, 0], np.ones(len(sample.values), bool))]
    codes = sample.codes
    first, *others = np.argsort(-np.bincount(codes), kind="stable")[: 1 + _MAX_TARGETS].tolist()
    return [((codes == k).astype(np.float64), (codes == k) | (codes == first)) for k in others]


def _terms(context: AnalysisContext, sample: LabelledSample, by_importance: Sequence[str]) -> list[Floats]:
    """The terms of the additive model for each fold, whose rows no category is learned from; shape (rows, terms)."""
    rows = sample.rows
    numbers = [rows.number(name) for name in by_importance[:MAX_LINEAR]]
    flags = [np.isnan(values).astype(np.float64) for values in numbers]
    fixed = [np.ones(len(rows)), *(_standardise(values) for values in numbers), *(flag for flag in flags if flag.any())]
    categories = [rows.category(name) for name in context.categories[:MAX_LINEAR]]
    folds, targets = assign_folds(rows.draws, FOLDS, "folds of hints"), sample.indicators()
    inner = assign_folds(rows.draws, INNER_FOLDS, "inner folds of hints")
    by_fold = []
    for fold in range(FOLDS):
        encoded = [encode_by_target(values, targets, folds != fold, inner) for values in categories]
        by_fold.append(np.stack([*fixed, *(_standardise(values) for values in encoded)], axis=1))
    return by_fold


def _candidate_numbers(sample: LabelledSample, by_importance: Sequence[str]) -> dict[str, Floats]:
    numbers = {name: _standardise(sample.rows.number(name)) for name in by_importance[:MAX_CANDIDATES]}
    return {name: values for name, values in numbers.items() if len(np.unique(values)) > 2}


def _standardise(values: Floats) -> Floats:
    """Values in standard deviations from the mean, held within 5; what is missing is taken for the mean."""
    present = values[~np.isnan(values)]
    if not len(present):
        return np.zeros(len(values))
    size = float(np.abs(present).max()) or 1.0  # so that no square overflows
    centre, spread = float((present / size).mean()), float((present / size).std())
    return np.nan_to_num(np.clip((values / size - centre) / (spread if spread > 0 else 1.0), -_FAR, _FAR), nan=0.0)


def _bends(values: Floats) -> Floats:
    """Terms by which a straight line may bend at some quantiles, shape (rows, knots)."""
    return np.maximum(values[:, None] - np.quantile(values, _KNOTS), 0.0)


def _hint(kind: Literal["interaction", "polynomial"], selected: Selected) -> InteractionHint:
    names = selected.columns
    product = " x ".join(f"'{name}'" for name in names) if kind == "interaction" else f"'{names[0]}' squared"
    saved = f"{selected.gain:.1%} of the loss on held-out rows ({selected.z:.0f} standard errors)"
    return {
        "hint": kind,
        "columns": list(names),
        "gain": selected.gain,
        "z": selected.z,
        "text": f"Adding {product} to a model removes {saved}.",
        "plan": {"interactions": [{"columns": list(names), "degree": 2, "interaction_only": kind == "interaction"}]},
    }
