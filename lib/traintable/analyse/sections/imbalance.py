"""How unequal the classes of a label are, and what that means for the evaluation of a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from traintable.analyse.document import ColumnProfile, Imbalance
from traintable.analyse.scans.classes import OTHERS, Classes
from traintable.analyse.scans.columns import SPLIT_ROLE, TIME, TIME_ROLE, WORDS
from traintable.analyse.scans.table import TableScans

IMBALANCED = 3.0
SEVERE = 20.0
FEW_ROWS = 50

CountsByGroup = dict[str, dict[str, int]]


def describe_imbalance(scans: TableScans, profiles: Mapping[str, ColumnProfile]) -> Imbalance | None:
    """Counts, ratio and entropy of the classes, by split and by time; None without a label of classes.

    `profiles` are those of the columns by name, with the classes in the coverage of times.
    """
    if scans.codes.classes is None:
        return None
    counts = count_classes(scans.codes.classes, scans)
    if not counts:
        return None
    inequality = Inequality.of(counts)
    by_time, time, period = _by_time(scans, profiles)
    return {
        "classes": counts,
        "missing": scans.n_rows - sum(counts.values()),
        "ratio": inequality.ratio,
        "entropy": inequality.entropy,
        "normalised_entropy": inequality.normalised_entropy,
        "constant_accuracy": inequality.constant_accuracy,
        "is_imbalanced": inequality.is_imbalanced,
        "metrics": _metrics(inequality, len(counts)),
        "by_split": _by_split(scans),
        "by_time": by_time,
        "time": time,
        "period": period,
        "advice": _advice(counts, inequality),
        "scan": [0, 1],
    }


def count_classes(classes: Classes, scans: TableScans) -> dict[str, int]:
    """Rows of each class that occurs, the largest first; those beyond the 20 most frequent together."""
    kind = next(c.kind for c in scans.columns if c.name == classes.column)
    if kind in WORDS or classes.coding.words:
        frequencies = scans.first.frequencies[classes.column]
        total = scans.n_rows - frequencies.n_null
        counts = dict(frequencies.most_frequent(len(classes.names))[0])
        counts |= {OTHERS: total - sum(counts.values())} if total > sum(counts.values()) else {}
    else:
        counts = dict(zip(classes.names, scans.first.values[classes.column].counts.tolist(), strict=True))
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


@dataclass(frozen=True)
class Inequality:
    """How unequal counts are; entropy in bits, normalised by that of equally many rows in each class."""

    ratio: float
    entropy: float
    normalised_entropy: float | None
    constant_accuracy: float

    @property
    def is_imbalanced(self) -> bool:
        """Whether the largest class has at least three times the rows of the smallest."""
        return self.ratio >= IMBALANCED

    @classmethod
    def of(cls, counts: Mapping[str, int]) -> Inequality:
        """The inequality of the rows of classes, none of which is 0."""
        n = np.array(list(counts.values()), np.float64)
        share = n / n.sum()
        entropy = float(-(share * np.log2(share, where=share > 0, out=np.zeros_like(share))).sum())
        normalised = entropy / float(np.log2(len(n))) if len(n) > 1 else None
        return cls(float(n.max() / n.min()), entropy + 0.0, normalised, float(share.max()))


def _metrics(inequality: Inequality, n_classes: int) -> list[str]:
    if n_classes < 2:
        return ["There is only one class: nothing can be learned from this label."]
    sentences = [
        f"Always predicting the largest class is right in {inequality.constant_accuracy:.1%} of the rows: "
        "an accuracy below that says little."
    ]
    if n_classes == 2:
        if inequality.is_imbalanced:
            sentences.append(
                "Read average precision (the area under the precision-recall curve) and recall at a fixed precision."
            )
        else:
            sentences.append("Read ROC AUC and the log loss.")
        sentences.append("Read Matthews' correlation or balanced accuracy where a single number has to do.")
    else:
        sentences.append("Read macro-averaged F1 and balanced accuracy, and recall of each class.")
    return [*sentences, "Check calibration (Brier score) if the scores are to be used as probabilities."]


def _advice(counts: Mapping[str, int], inequality: Inequality) -> list[str]:
    sentences = []
    smallest, n = min(counts.items(), key=lambda item: (item[1], item[0]))
    if len(counts) > 1 and inequality.is_imbalanced:
        sentences.append("Stratify the splits by class, so that each has all classes in the same shares.")
        sentences.append("Weight the classes by the inverse of their rows before you try to resample.")
    if inequality.ratio >= SEVERE:
        sentences.append("Choose the threshold on the validation rows; scores will hardly ever reach 0.5.")
    if n < FEW_ROWS:
        sentences.append(f"Class '{smallest}' has {n:,} rows: too few to learn from, or to evaluate on.")
    return sentences


def _by_split(scans: TableScans) -> CountsByGroup | None:
    """Split -> class -> rows."""
    codes = scans.codes
    split = next((c for c in scans.columns if c.role == SPLIT_ROLE and c.name in codes.by_class), None)
    if split is None or codes.classes is None:
        return None
    coding = codes.by_class[split.name]
    counts = scans.counts(codes.classes.coding, coding)
    if counts is None:
        return None
    rows = codes.classes.rows(counts)
    return {word: {name: int(row[code]) for name, row in rows.items()} for code, word in enumerate(coding.words, 1)}


def _by_time(
    scans: TableScans, profiles: Mapping[str, ColumnProfile]
) -> tuple[CountsByGroup | None, str | None, str | None]:
    """Start of a period -> class -> rows, the column of time (the given one, else the first), and the period."""
    times = [c for c in scans.columns if c.kind == TIME]
    chosen = next((c for c in times if c.role == TIME_ROLE), times[0] if times else None)
    coverage = profiles[chosen.name]["coverage"] if chosen else None
    if chosen is None or not coverage or "by_class" not in coverage:
        return None, None, None
    by_period: CountsByGroup = {start: {} for start, _ in coverage["days"]}
    for name, points in coverage["by_class"].items():
        for start, n in points:
            by_period[start][name] = n
    return by_period, chosen.name, coverage["period"]
