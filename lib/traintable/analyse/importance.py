"""Which features a quick decision tree needs: permutation importance on rows held out, against random columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from traintable.analyse.document import ColumnImportance, Importance
from traintable.analyse.rows.feature_encoding import LARGEST, centre_and_scale
from traintable.analyse.rows.inputs import category_codes
from traintable.analyse.rows.keyed_random import assign_folds, random_order, random_uniform
from traintable.analyse.rows.labelled_sample import LabelledSample, labelled_sample
from traintable.analyse.rows.metrics import explained_variance, mean_average_precision
from traintable.analyse.rows.requirements import random_state, require_scikit_learn
from traintable.analyse.rows.target_encoding import INNER_FOLDS, encode_by_target
from traintable.arrays import Floats, Ints

if TYPE_CHECKING:
    from traintable.analyse.rows.context import AnalysisContext

N_PROBES = 10
REPEATS = 20
MAX_DEPTH = 8
CONFIDENCE = 0.95
_WHY = {
    "average precision": "only finding the rows of the rarer class raises it above that class's share",
    "mean average precision": "each class counts the same, however rare it is",
    "explained variance": "the share of the squared error of a constant prediction that the model removes",
}


@dataclass(frozen=True)
class _FittedTree:
    """A fitted tree and the held-out rows that it is measured on.

    Attributes
    ----------
    tree : of scikit-learn.
    names : of the columns of `held_out`, the probes after the features.
    held_out, labels : shape (rows, columns) and (rows,).
    metric : of rows and their labels.
    """

    tree: Any
    names: tuple[str, ...]
    n_features: int
    held_out: Floats
    labels: Floats
    metric: Callable[[Floats, Floats], float]
    draws: Ints

    @property
    def used_columns(self) -> list[int]:
        """The columns that the tree cuts; to permute another changes nothing."""
        feature = self.tree.tree_.feature
        return sorted(set(feature[feature >= 0].tolist()))


def permutation_importance(context: AnalysisContext) -> Importance | None:
    """How much worse a decision tree gets on held-out rows when a column's values are permuted; None without a label.

    The tree is fitted to the sample's rows of train: at most 8 deep, numbers as they are, categories as numbers (see
    `encode_by_target`), missing values on the side that is better. Permutation importance is that of Breiman
    ("Random forests", 2001) and of Fisher, Rudin and Dominici (JMLR 20, 2019). It is taken 20 times by keyed hashes,
    each time of another half of the held-out rows, in another order: the deviation over halves is about the standard
    error that all held-out rows have (the jackknife that leaves out half: Shao and Wu, Annals of Statistics 17, 1989),
    so that the 95% interval (Student's t) covers what other rows would give, not only other orders of the same rows.
    The tree is also given 10 probes, columns that tell nothing: random numbers, and permuted copies of the categories
    of most values. A column is useful when the lower end of its interval is above 0 and above the best probe. Of
    correlated columns a tree may use one only.

    Costs no pass beyond that of the sample; needs scikit-learn (the extra `analyse`).
    """
    require_scikit_learn()
    sample = labelled_sample(context)
    if sample is None or not context.features:
        return None
    fitted = _fit(context, sample)
    halves = [random_order(fitted.draws, f"half {i}")[: len(fitted.held_out) // 2] for i in range(REPEATS)]
    scores = [fitted.metric(fitted.held_out[half], fitted.labels[half]) for half in halves]
    drops = {place: scores - _permuted_scores(fitted, place, halves) for place in fitted.used_columns}
    columns = [_column_importance(name, drops.get(place)) for place, name in enumerate(fitted.names)]
    features, probes = columns[: fitted.n_features], columns[fitted.n_features :]
    best = max(probe["importance"] for probe in probes)
    for feature in features:
        feature["is_useful"] = feature["low"] > max(0.0, best)
    metric = _metric_name(sample)
    return {
        "model": "decision tree",
        "rows": int(sample.rows.is_train.sum()),
        "held_out_rows": int((~sample.rows.is_train).sum()),
        "metric": metric,
        "why": _WHY[metric],
        "baseline": _baseline(sample),
        "score": fitted.metric(fitted.held_out, fitted.labels),
        "depth": int(fitted.tree.get_depth()),
        "repeats": REPEATS,
        "columns": sorted(features, key=lambda column: (-column["importance"], column["name"])),
        "probes": {"n": N_PROBES, "best": best},
    }


def _fit(context: AnalysisContext, sample: LabelledSample) -> _FittedTree:
    """A tree fitted to the features and probes of the rows of train, with what it takes to measure it on the others."""
    train = sample.rows.is_train
    columns = _columns(context, sample)
    probes = _probes(context, sample)
    matrix = np.stack([*columns.values(), *probes], axis=1)
    tree = _tree(context, sample).fit(matrix[train].astype(np.float32), sample.values[train])
    constant, rarest = float(sample.values[train].mean()), _rarest(sample)

    def metric(rows: Floats, labels: Floats) -> float:
        matrix = rows.astype(np.float32)
        if not sample.classes:
            return explained_variance(labels, tree.predict(matrix), constant)
        return mean_average_precision(labels.astype(np.int64), tree.predict_proba(matrix), rarest)

    names = (*columns, *(f"probe {i}" for i in range(len(probes))))
    held_out, labels, draws = matrix[~train], sample.values[~train], sample.rows.draws[~train]
    return _FittedTree(tree, names, len(columns), held_out, labels, metric, draws)


def _tree(context: AnalysisContext, sample: LabelledSample) -> Any:
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor  # type: ignore[import-untyped]

    least = max(20, int(sample.rows.is_train.sum()) // 200)
    kind = DecisionTreeClassifier if sample.classes else DecisionTreeRegressor
    return kind(max_depth=MAX_DEPTH, min_samples_leaf=least, random_state=random_state(context.seed))


def _columns(context: AnalysisContext, sample: LabelledSample) -> dict[str, Floats]:
    """Features as numbers, NaN where a number is missing; shape (rows,) each."""
    columns, targets, folds = {}, sample.indicators(), _folds(sample)
    for name in context.numbers:
        values = context.statistics.values[name].weighted()
        centre, scale = centre_and_scale(values) if values.n else (0.0, 1.0)
        with np.errstate(over="ignore"):
            columns[name] = np.clip((sample.rows.number(name) - centre) / scale, -LARGEST, LARGEST)
    for name in context.categories:
        columns[name] = encode_by_target(sample.rows.category(name), targets, sample.rows.is_train, folds)
    return columns


def _folds(sample: LabelledSample) -> Ints:
    return assign_folds(sample.rows.draws, INNER_FOLDS, "folds of importance")


def _probes(context: AnalysisContext, sample: LabelledSample) -> list[Floats]:
    """Columns that tell nothing, as numbers; half of them like the categories of most values, where there are any."""
    draws, targets, folds = sample.rows.draws, sample.indicators(), _folds(sample)
    n_distinct = {name: len(category_codes(sample.rows.category(name))[0]) for name in context.categories}
    widest = sorted(n_distinct, key=lambda name: (-n_distinct[name], name))[: N_PROBES // 2]
    probes = []
    for i in range(N_PROBES):
        purpose = f"{context.seed} probe {i}"
        if i < len(widest):
            permuted = sample.rows.category(widest[i]).take(random_order(draws, purpose))
            probes.append(encode_by_target(permuted, targets, sample.rows.is_train, folds))
        else:
            probes.append(random_uniform(draws, purpose))
    return probes


def _permuted_scores(fitted: _FittedTree, place: int, halves: Sequence[Ints]) -> Floats:
    """The score of each half when a column is permuted in it, shape (repeats,)."""
    scores = np.zeros(len(halves))
    for i, half in enumerate(halves):
        rows = fitted.held_out[half]
        rows[:, place] = rows[random_order(fitted.draws[half], f"{fitted.names[place]} {i}"), place]
        scores[i] = fitted.metric(rows, fitted.labels[half])
    return scores


def _column_importance(name: str, drops: Floats | None) -> ColumnImportance:
    """The mean drop of the score and its interval; 0 of a column that the tree does not use."""
    from scipy.stats import t  # type: ignore[import-untyped]

    if drops is None:
        return {"name": name, "importance": 0.0, "low": 0.0, "high": 0.0, "is_useful": False}
    mean = float(drops.mean())
    width = float(t.ppf((1 + CONFIDENCE) / 2, REPEATS - 1) * drops.std(ddof=1))
    return {"name": name, "importance": mean, "low": mean - width, "high": mean + width, "is_useful": False}


def _metric_name(sample: LabelledSample) -> str:
    if not sample.classes:
        return "explained variance"
    return "average precision" if len(sample.classes) == 2 else "mean average precision"


def _baseline(sample: LabelledSample) -> float:
    """The score of a constant prediction."""
    train = sample.rows.is_train
    labels = sample.values[~train]
    if not sample.classes:
        return 0.0
    shares = np.bincount(sample.codes[train], minlength=len(sample.classes)) / train.sum()
    return mean_average_precision(labels.astype(np.int64), np.tile(shares, (len(labels), 1)), _rarest(sample))


def _rarest(sample: LabelledSample) -> int:
    """The class of fewest rows to learn from."""
    return int(np.argmin(np.bincount(sample.codes[sample.rows.is_train]))) if sample.classes else 0
