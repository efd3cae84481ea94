"""The label of a sample's rows, as numbers that learners take."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from traintable.analyse.rows.draw import Rows
from traintable.arrays import Floats, Ints

if TYPE_CHECKING:
    from traintable.analyse.rows.context import Context

MIN_ROWS = 50  # to learn from, and to measure on
MIN_OF_CLASS = 5
MAX_CLASSES = 20


@dataclass(frozen=True)
class Answers:
    """The rows of a sample whose label is known, and their labels.

    Attributes
    ----------
    rows : the rows.
    classes : the classes in order; none where the label is a number.
    values : shape (rows,); the place of the class, or the number.
    """

    rows: Rows
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


def answers(context: Context) -> Answers | None:
    """The rows whose label is known; None where there is no label to learn, or too few rows.

    Rows of classes that have fewer than 5 rows to learn from, or are not among the 20 most frequent, are left out.
    """
    if context.label is None:
        return None
    found = _numbers(context) if context.label_is_number else _classes(context)
    if found is None:
        return None
    n_train = int(found.rows.is_train.sum())
    enough = min(n_train, len(found.rows) - n_train) >= MIN_ROWS
    return found if enough and len(np.unique(found.values[found.rows.is_train])) > 1 else None


def _numbers(context: Context) -> Answers:
    values = context.rows.number(str(context.label))
    known = np.isfinite(values)
    return Answers(context.rows.where(known), (), values[known])


def _classes(context: Context) -> Answers | None:
    words = context.rows.word(str(context.label)).to_pylist()
    train = context.rows.is_train.tolist()
    counts = Counter(word for word, is_train in zip(words, train, strict=True) if is_train and word is not None)
    ranked = sorted(counts, key=lambda word: (-counts[word], word))[:MAX_CLASSES]
    classes = tuple(sorted(word for word in ranked if counts[word] >= MIN_OF_CLASS))
    place = {word: i for i, word in enumerate(classes)}
    codes = np.array([place.get(word, -1) for word in words], np.float64)
    known = codes >= 0
    return Answers(context.rows.where(known), classes, codes[known]) if len(classes) > 1 else None
