"""An isolation forest for the rows of one table: what it reads, how it scores, and which scores are anomalies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from traintable.analyse.anomalies.bounding_box import BoundingBox, shorten_paths
from traintable.analyse.anomalies.forest import IsolationForest, fit_forest
from traintable.analyse.rows.feature_encoding import FeatureEncoder, Matrix, fit_encoder
from traintable.analyse.rows.requirements import random_state, require_scikit_learn
from traintable.arrays import Floats

if TYPE_CHECKING:
    from traintable.analyse.rows.context import AnalysisContext

N_TREES = 100
FENCE = 3.0  # Tukey's outer fence
MIN_ROWS = 8
MAX_CAUSES = 5
_LEAST_SHARE = 0.1  # of all that shortens a path; a column that does less is no cause


@dataclass(frozen=True)
class AnomalyModel:
    """What `isolation_forest` has fitted, to score rows by; plain arrays, which are sent to where the rows are.

    Attributes
    ----------
    encoder : how columns become features.
    forest : the trees.
    box : where nearly all rows lie; a row outside is isolated sooner than the trees can tell.
    threshold : the score from which a row counts as an anomaly.
    """

    encoder: FeatureEncoder
    forest: IsolationForest
    box: BoundingBox
    threshold: float

    def scores(self, matrix: Matrix) -> Floats:
        """The score of each row: that of the forest, the path shortened where a row lies outside the box."""
        return self.forest.scores(shorten_paths(self.forest.lengths(matrix), _totals(self.box.chances(matrix))))

    def contributions(self, matrix: Matrix) -> Floats:
        """By how many steps each column shortens a row's path, shape (rows, columns).

        What the forest says, and what lying outside the box takes away, shared by the columns' chances.
        """
        column_of_feature, n_columns = self.encoder.column_of_feature, len(self.encoder.columns)
        contributions = self.forest.contributions(matrix, column_of_feature, n_columns)
        lengths, chances = self.forest.lengths(matrix), self.box.chances(matrix)
        total = _totals(chances)
        steps_saved = lengths - shorten_paths(lengths, total)
        by_chance = np.divide(steps_saved, total, out=np.zeros(len(total)), where=total > 0)
        for feature, column in enumerate(column_of_feature.tolist()):
            contributions[:, column] += chances[:, feature] * by_chance
        return contributions

    def causes(self, matrix: Matrix) -> list[list[tuple[str, float]]]:
        """For each row the columns that shorten its path most, at most five, and by how many steps."""
        return [_largest(self.encoder.columns, row) for row in self.contributions(matrix)]


def fit_anomaly_model(context: AnalysisContext, *, n_trees: int = N_TREES) -> AnomalyModel | None:
    """Fit an isolation forest to the sample's rows of train; None where no column differs or rows are too few.

    The threshold is Tukey's outer fence of the scores of all rows of the sample (the upper quartile and three times
    the distance of the quartiles), and at least 0.5, below which a path is no shorter than usual.
    """
    require_scikit_learn()
    sample, encoder = context.sample, fit_encoder(context)
    if not encoder.columns or sample.is_train.sum() < MIN_ROWS:
        return None
    matrix = encoder.transform(sample.inputs)
    forest = fit_forest(matrix[sample.is_train], n_trees=n_trees, random_state=random_state(context.seed))
    model = AnomalyModel(encoder, forest, BoundingBox(*encoder.ranges()), 1.0)
    return replace(model, threshold=_threshold(model.scores(matrix)))


def _totals(chances: Floats) -> Floats:
    """Sums over features, one after the other, so that a row's does not depend on those it is computed with."""
    total = np.zeros(len(chances))
    for feature in range(chances.shape[1]):
        total += chances[:, feature]
    return total


def _threshold(scores: Floats) -> float:
    low, high = np.quantile(scores, [0.25, 0.75])
    return float(max(0.5, high + FENCE * (high - low)))


def _largest(names: Sequence[str], contributions: Floats) -> list[tuple[str, float]]:
    least = _LEAST_SHARE * contributions[contributions > 0].sum()
    ranked = np.argsort(-contributions, kind="stable")[:MAX_CAUSES]
    return [(names[i], float(contributions[i])) for i in ranked if contributions[i] > least]
