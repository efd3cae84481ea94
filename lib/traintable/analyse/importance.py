"""Which features a quick decision tree needs: permutation importance on rows held out, against random columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from traintable.analyse.rows.answers import Answers, answers
from traintable.analyse.rows.draw import fold_of, order, uniform
from traintable.analyse.rows.encoding import LARGEST, centre_and_scale
from traintable.analyse.rows.learners import random_state, require_scikit_learn
from traintable.analyse.rows.scores import explained, mean_average_precision
from traintable.analyse.rows.target_order import INNER_FOLDS, ordered
from traintable.arrays import Floats, Ints

if TYPE_CHECKING:
    from traintable.analyse.rows.context import Context

N_PROBES = 10
REPEATS = 20
MAX_DEPTH = 8
CONFIDENCE = 0.95
_WHY = {
    "average precision": "only finding the rows of the rarer class raises it above that class's share",
    "mean average precision": "each class counts the same, however rare it is",
    "explained variance": "the share of the squared error that the model takes from the constant answer",
}


@dataclass(frozen=True)
class Learned:
    """A fitted tree and the held-out rows that it is measured on.

    Attributes
    ----------
    names : of the columns of `held`, the probes after the features.
    held : shape (rows, columns).
    """

    tree: Any
    names: tuple[str, ...]
    n_features: int
    held: Floats
    answers: Floats
    score: Callable[[Floats, Floats], float]
    draws: Ints

    @property
    def used(self) -> list[int]:
        """The columns that the tree cuts; to permute another changes nothing."""
        feature = self.tree.tree_.feature
        return sorted(set(feature[feature >= 0].tolist()))


def measure(context: Context) -> dict[str, Any] | None:
    """How much worse a decision tree gets on held-out rows when a column's values are permuted; None without a label.

    The tree is fitted to the sample's rows of train: at most 8 deep, numbers as they are, categories as numbers (see
    `target_order.ordered`), missing values on the side that is better. Permutation importance is that of Breiman
    ("Random forests", 2001) and of Fisher, Rudin and Dominici (JMLR 20, 2019). It is taken 20 times by keyed hashes,
    each time of another half of the held-out rows, in another order: the deviation over halves is about the standard
    error that all held-out rows have (the jackknife that leaves out half: Shao and Wu, Annals of Statistics 17, 1989),
    so that the interval tells what other rows would say, not only other orders of the same rows. Beside the features
    the tree gets 10 probes, columns that tell nothing: random numbers, and permuted copies of the categories of most
    words. A column is useful when the lower end of its interval is above 0 and above the best probe. Costs no pass
    beyond that of the sample.

    Returns
    -------
    dict
        model, rows, held_out_rows, metric, why, baseline (of the constant answer), score, depth, repeats.
        columns : by importance, {"name", "importance", "low", "high", "is_useful"}; the ends of a 95% interval, by
            Student's t. Of correlated columns a tree may use one only.
        probes : {"n", "best"}: the importance of the best probe.
    """
    require_scikit_learn()
    known = answers(context)
    if known is None or not context.features:
        return None
    learned = _learn(context, known)
    metric = _metric(known)
    halves = [order(learned.draws, f"half {i}")[: len(learned.held) // 2] for i in range(REPEATS)]
    before = [learned.score(learned.held[half], learned.answers[half]) for half in halves]
    drops = {place: before - _permuted(learned, place, halves) for place in learned.used}
    found = [_column(name, drops.get(place)) for place, name in enumerate(learned.names)]
    probes = found[learned.n_features :]
    best = max(probe["importance"] for probe in probes)
    columns = [{**column, "is_useful": column["low"] > max(0.0, best)} for column in found[: learned.n_features]]
    return {
        "model": "decision tree",
        "rows": int(known.rows.is_train.sum()),
        "held_out_rows": int((~known.rows.is_train).sum()),
        "metric": metric,
        "why": _WHY[metric],
        "baseline": _baseline(known),
        "score": learned.score(learned.held, learned.answers),
        "depth": int(learned.tree.get_depth()),
        "repeats": REPEATS,
        "columns": sorted(columns, key=lambda column: (-column["importance"], column["name"])),
        "probes": {"n": N_PROBES, "best": best},
    }


def _learn(context: Context, known: Answers) -> Learned:
    train = known.rows.is_train
    columns = _columns(context, known)
    probes = _probes(context, known, columns)
    matrix = np.stack([*columns.values(), *probes], axis=1)
    tree = _tree(context, known).fit(matrix[train].astype(np.float32), known.values[train])
    constant, rarest = float(known.values[train].mean()), _rarest(known)

    def score(rows: Floats, held: Floats) -> float:
        given = rows.astype(np.float32)
        if not known.classes:
            return explained(held, tree.predict(given), constant)
        return mean_average_precision(held.astype(np.int64), tree.predict_proba(given), rarest)

    names = (*columns, *(f"probe {i}" for i in range(len(probes))))
    return Learned(tree, names, len(columns), matrix[~train], known.values[~train], score, known.rows.draws[~train])


def _tree(context: Context, known: Answers) -> Any:
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor  # type: ignore[import-untyped]

    least = max(20, int(known.rows.is_train.sum()) // 200)
    kind = DecisionTreeClassifier if known.classes else DecisionTreeRegressor
    return kind(max_depth=MAX_DEPTH, min_samples_leaf=least, random_state=random_state(context.seed))


def _columns(context: Context, known: Answers) -> dict[str, Floats]:
    """Features as numbers, NaN where a number is missing; shape (rows,) each."""
    found, targets, folds = {}, known.indicators(), _folds(known)
    for name in context.numbers:
        values = context.statistics.values[name].weighted()
        centre, scale = centre_and_scale(values) if values.n else (0.0, 1.0)
        with np.errstate(over="ignore"):
            found[name] = np.clip((known.rows.number(name) - centre) / scale, -LARGEST, LARGEST)
    for name in context.categories:
        found[name] = ordered(known.rows.word(name), targets, known.rows.is_train, folds)
    return found


def _folds(known: Answers) -> Ints:
    return fold_of(known.rows.draws, INNER_FOLDS, "folds of importance")


def _probes(context: Context, known: Answers, columns: dict[str, Floats]) -> list[Floats]:
    """Columns that tell nothing, as numbers; half of them like the categories of most words, where there are any."""
    draws, targets = known.rows.draws, known.indicators()
    sizes = {name: known.rows.word(name).dictionary_encode() for name in context.categories}
    widest = sorted(sizes, key=lambda name: (-len(sizes[name].dictionary), name))[: N_PROBES // 2]
    found = []
    for i in range(N_PROBES):
        purpose = f"{context.seed} probe {i}"
        if i < len(widest):
            words = known.rows.word(widest[i]).take(order(draws, purpose))
            found.append(ordered(words, targets, known.rows.is_train, _folds(known)))
        else:
            found.append(uniform(draws, purpose))
    return found


def _permuted(learned: Learned, place: int, halves: Sequence[Ints]) -> Floats:
    """The score of each half when a column is permuted in it, shape (repeats,)."""
    found = np.zeros(len(halves))
    for i, half in enumerate(halves):
        rows = learned.held[half]
        rows[:, place] = rows[order(learned.draws[half], f"{learned.names[place]} {i}"), place]
        found[i] = learned.score(rows, learned.answers[half])
    return found


def _column(name: str, drops: Floats | None) -> dict[str, Any]:
    from scipy.stats import t  # type: ignore[import-untyped]

    if drops is None:
        return {"name": name, "importance": 0.0, "low": 0.0, "high": 0.0}
    mean = float(drops.mean())
    width = float(t.ppf((1 + CONFIDENCE) / 2, REPEATS - 1) * drops.std(ddof=1))
    return {"name": name, "importance": mean, "low": mean - width, "high": mean + width}


def _metric(known: Answers) -> str:
    if not known.classes:
        return "explained variance"
    return "average precision" if len(known.classes) == 2 else "mean average precision"


def _baseline(known: Answers) -> float:
    """The score of the constant answer."""
    train = known.rows.is_train
    held = known.values[~train]
    if not known.classes:
        return 0.0
    constant = np.bincount(known.codes[train], minlength=len(known.classes)) / train.sum()
    return mean_average_precision(held.astype(np.int64), np.tile(constant, (len(held), 1)), _rarest(known))


def _rarest(known: Answers) -> int:
    """The class of fewest rows to learn from."""
    return int(np.argmin(np.bincount(known.codes[known.rows.is_train]))) if known.classes else 0
