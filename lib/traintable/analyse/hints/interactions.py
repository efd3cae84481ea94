"""Products and squares that tell more of the label than the features do one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from traintable.analyse.hints.additive import fit, gains, losses
from traintable.analyse.rows.answers import Answers
from traintable.analyse.rows.draw import fold_of
from traintable.analyse.rows.target_order import INNER_FOLDS, ordered
from traintable.arrays import Bools, Floats, Ints

if TYPE_CHECKING:
    from traintable.analyse.rows.context import Context

MAX_CANDIDATES = 8  # numbers that are squared and multiplied
MAX_LINEAR = 30  # features of the additive model
MAX_HINTS = 5  # of a kind
LEAST_GAIN = 0.005
CHANCE = 0.01  # that any candidate of no worth is proposed, by Bonferroni's bound
FOLDS = 3
_MAX_TARGETS = 4
_KNOTS = (0.1, 0.5, 0.9)
_FAR = 5.0  # standard deviations at which a number is held

Candidates = Mapping[tuple[str, ...], Floats]


def interactions(context: Context, known: Answers, ranked: Sequence[str]) -> list[dict[str, Any]]:
    """Products of two numbers, and squares of one, that an additive model gains from.

    Candidates are made of the eight most important numbers, in standard deviations from the mean. A linear model (of
    classes a logistic one for each against the most frequent one: Begg and Gray, Biometrika 71, 1984) of all features,
    numbers as they are and categories in the order of the label, is fitted on two thirds of the sample and measured on
    the third, three times in turn. A square has to gain over that; a product over the same model with each candidate
    bent at three places, so that no curve of one number passes for a product. The best is taken into the model, and the
    others have to gain over that.

    The gain is the share of the loss on rows held out that a candidate takes away, at least 0.005; one-sided, with a
    chance below 0.01 that any candidate of no worth gains so much (Bonferroni, over all candidates).
    """
    base, numbers, folds = (
        _terms(context, known, ranked),
        _numbers(known, ranked),
        fold_of(known.rows.draws, FOLDS, "folds of hints"),
    )
    squares: Candidates = {(name,): values * values for name, values in numbers.items()}
    products: Candidates = {(a, b): numbers[a] * numbers[b] for a, b in combinations(numbers, 2)}
    bent = [_bent(values) for values in numbers.values()]
    curved = [np.concatenate([part, *bent], axis=1) for part in base] if bent else base
    trial = _Trial(_targets(known), folds, is_logistic=bool(known.classes))
    found = [_hint("interaction", names, *numbers_of) for names, *numbers_of in trial.best(curved, products)]
    return found + [_hint("polynomial", names, *numbers_of) for names, *numbers_of in trial.best(base, squares)]


@dataclass(frozen=True)
class _Trial:
    """How candidates are tried.

    Attributes
    ----------
    targets : what is explained, and of which rows; shape (rows,) both.
    folds : shape (rows,).
    """

    targets: Sequence[tuple[Floats, Bools]]
    folds: Ints
    is_logistic: bool

    def best(self, base: Sequence[Floats], candidates: Candidates) -> list[tuple[tuple[str, ...], float, float]]:
        """Candidates that gain over what is in the model, one after the other: (names, gain, z)."""
        left, terms = dict(candidates), list(base)
        found: list[tuple[tuple[str, ...], float, float]] = []
        limit = _limit(len(left))
        while left and len(found) < MAX_HINTS:
            gain, z = self._gains(terms, np.stack(list(left.values()), axis=1))
            place = int(np.argmax(gain))
            if not (gain[place] >= LEAST_GAIN and z[place] >= limit):
                break
            names = list(left)[place]
            found.append((names, float(gain[place]), float(z[place])))
            added = left.pop(names)[:, None]
            terms = [np.concatenate([part, added], axis=1) for part in terms]
        return found

    def _gains(self, terms: Sequence[Floats], candidates: Floats) -> tuple[Floats, Floats]:
        """Share of the held-out loss that each candidate takes, and how many standard errors of its mean that is."""
        saved, loss = np.zeros(candidates.shape), 0.0
        for fold, part in enumerate(terms):
            for target, of_rows in self.targets:
                train, held = of_rows & (self.folds != fold), of_rows & (self.folds == fold)
                model = fit(part[train], target[train], is_logistic=self.is_logistic)
                loss += float(losses(model.predict(part[held]), target[held], self.is_logistic).sum())
                saved[held] += gains(model, part, candidates, target, train, held)
        error = saved.std(axis=0) / np.sqrt(len(saved))
        z = np.divide(saved.mean(axis=0), error, out=np.zeros(len(error)), where=error > 0)
        return saved.sum(axis=0) / loss if loss > 0 else np.zeros(len(error)), z


def _limit(n: int) -> float:
    from scipy.stats import norm  # type: ignore[import-untyped]

    return float(norm.isf(CHANCE / max(1, n)))


def _targets(known: Answers) -> list[tuple[Floats, Bools]]:
    """What is explained, and of which rows: of classes the most frequent ones, each against the first of them."""
    if not known.classes:
        return [(known.indicators()[:, 0], np.ones(len(known.values), bool))]
    codes = known.codes
    first, *others = np.argsort(-np.bincount(codes), kind="stable")[: 1 + _MAX_TARGETS].tolist()
    return [((codes == k).astype(np.float64), (codes == k) | (codes == first)) for k in others]


def _terms(context: Context, known: Answers, ranked: Sequence[str]) -> list[Floats]:
    """The terms of the additive model for each fold, whose rows no category is learned from; shape (rows, terms)."""
    numbers = [_standard(known.rows.number(name)) for name in ranked[:MAX_LINEAR]]
    missing = [np.isnan(known.rows.number(name)).astype(np.float64) for name in ranked[:MAX_LINEAR]]
    folds, targets = fold_of(known.rows.draws, FOLDS, "folds of hints"), known.indicators()
    inner = fold_of(known.rows.draws, INNER_FOLDS, "inner folds of hints")
    fixed = [np.ones(len(known.rows)), *numbers, *(flag for flag in missing if flag.any())]
    names = context.categories[:MAX_LINEAR]
    return [
        np.stack([*fixed, *(_standard(ordered(known.rows.word(n), targets, folds != k, inner)) for n in names)], axis=1)
        for k in range(FOLDS)
    ]


def _numbers(known: Answers, ranked: Sequence[str]) -> dict[str, Floats]:
    found = {name: _standard(known.rows.number(name)) for name in ranked[:MAX_CANDIDATES]}
    return {name: values for name, values in found.items() if len(np.unique(values)) > 2}


def _standard(values: Floats) -> Floats:
    """Values in standard deviations from the mean, held within 5; what is missing is taken for the mean."""
    present = values[~np.isnan(values)]
    if not len(present):
        return np.zeros(len(values))
    size = float(np.abs(present).max()) or 1.0  # so that no square overflows
    centre, spread = float((present / size).mean()), float((present / size).std())
    return np.nan_to_num(np.clip((values / size - centre) / (spread if spread > 0 else 1.0), -_FAR, _FAR), nan=0.0)


def _bent(values: Floats) -> Floats:
    """Terms by which a straight line may bend at some quantiles, shape (rows, knots)."""
    return np.maximum(values[:, None] - np.quantile(values, _KNOTS), 0.0)


def _hint(kind: str, names: tuple[str, ...], gain: float, z: float) -> dict[str, Any]:
    product = " x ".join(names) if kind == "interaction" else f"{names[0]} squared"
    return {
        "hint": kind,
        "columns": list(names),
        "gain": gain,
        "z": z,
        "text": f"{product} takes {gain:.1%} of a model's held-out loss ({z:.0f} standard errors).",
        "plan": {"interactions": [{"columns": list(names), "degree": 2, "interaction_only": kind == "interaction"}]},
    }
