"""The label of a sample's rows, as numbers that learners take."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from traintable.analyse.rows.sample import SampledRows
from traintable.arrays import Floats, Ints

if TYPE_CHECKING:
    from traintable.analyse.rows.context import AnalysisContext

MIN_ROWS = 50  # to learn from, and to measure on
MIN_OF_CLASS = 5
MAX_CLASSES = 20


@dataclass(frozen=True)
class LabelledSample:
    """The rows of a sample whose label is known, and their labels.

    Attributes
    ----------
    rows : the rows.
    classes : the classes in order; none where the label is a number.
    values : shape (rows,); the place of the class, or the number.
    """

    rows: SampledRows
    classes: tuple[str, ...]
    values: Floats

    @property
    def codes(self) -> Ints:
        """The places of the classes, shape (rows,)."""
        return self.values.astype(np.int64)

    def indicators(self) -> Floats:
        """What is explained: the number in standard deviations, or for each class whether a row is of it.

        Shape (rows, 1) for a number, also for two classes (of the rarer one), else (rows, classes).
        """
        if not self.classes:
            spread = self.values.std()
            return np.asarray((self.values - self.values.mean()) / (spread if spread > 0 else 1.0))[:, None]
        hits = (self.codes[:, None] == np.arange(len(self.classes))).astype(np.float64)
        return np.asarray(hits[:, [int(np.argmin(hits.sum(axis=0)))]] if len(self.classes) == 2 else hits)


def labelled_sample(context: AnalysisContext) -> LabelledSample | None:
    """The rows whose label is known; None where there is no label to learn, or too few rows.

    Rows of classes that have fewer than 5 rows to learn from, or are not among the 20 most frequent, are left out.
    """
    if context.label is None:
        return None
    sample = _with_numbers(context) if context.label_is_number else _with_classes(context)
    if sample is None:
        return None
    n_train = int(sample.rows.is_train.sum())
    is_enough = min(n_train, len(sample.rows) - n_train) >= MIN_ROWS
    return sample if is_enough and len(np.unique(sample.values[sample.rows.is_train])) > 1 else None


def _with_numbers(context: AnalysisContext) -> LabelledSample:
    values = context.sample.number(str(context.label))
    is_known = np.isfinite(values)
    return LabelledSample(context.sample.where(is_known), (), values[is_known])


def _with_classes(context: AnalysisContext) -> LabelledSample | None:
    """The rows of the most frequent classes that have enough rows of train; None where these are fewer than two."""
    labels = context.sample.category(str(context.label)).to_pylist()
    train = context.sample.is_train.tolist()
    counts = Counter(label for label, is_train in zip(labels, train, strict=True) if is_train and label is not None)
    ranked = sorted(counts, key=lambda label: (-counts[label], label))[:MAX_CLASSES]
    classes = tuple(sorted(label for label in ranked if counts[label] >= MIN_OF_CLASS))
    place_of = {label: i for i, label in enumerate(classes)}
    codes = np.array([place_of.get(label, -1) for label in labels], np.float64)
    is_known = codes >= 0
    rows = context.sample.where(is_known)
    return LabelledSample(rows, classes, codes[is_known]) if len(classes) > 1 else None
