"""How unequal the classes of a label are, and what that means for how a model is judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from traintable.analyse.scanned.kinds import PART, TIME, WHEN, WORDS, Column
from traintable.analyse.scanned.label import OTHERS, Classes
from traintable.analyse.scanned.scans import Codes, table
from traintable.statistics import Statistics

IMBALANCED = 3.0
SEVERE = 20.0
FEW_ROWS = 50


def describe(
    columns: Sequence[Column], learned: Statistics, second: Statistics, codes: Codes, found: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Counts, ratio and entropy of the classes, by split and by time; None without a label of classes."""
    if codes.classes is None:
        return None
    counts = class_counts(codes.classes, columns, learned)
    if not counts:
        return None
    figures = of_counts(counts)
    return {
        "classes": counts,
        "missing": learned.n_rows - sum(counts.values()),
        **figures,
        "metrics": _metrics(figures, len(counts)),
        "by_split": _by_split(columns, second, codes),
        **_by_time(columns, found),
        "advice": _advice(counts, figures),
        "scan": [0, 1],
    }


def class_counts(classes: Classes, columns: Sequence[Column], learned: Statistics) -> dict[str, int]:
    """Rows of each class that occurs, the largest first; those beyond the 20 most frequent together."""
    kind = next(c.kind for c in columns if c.name == classes.column)
    if kind in WORDS or classes.coding.words:
        known = learned.frequencies[classes.column]
        total = learned.n_rows - known.n_null
        counts = dict(known.most_frequent(len(classes.names))[0])
        counts |= {OTHERS: total - sum(counts.values())} if total > sum(counts.values()) else {}
    else:
        counts = dict(zip(classes.names, learned.values[classes.column].counts.tolist(), strict=True))
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def of_counts(counts: Mapping[str, int]) -> dict[str, Any]:
    """Figures of inequality; entropy in bits, normalised by that of equally many rows in each class."""
    n = np.array(list(counts.values()), np.float64)
    share = n / n.sum()
    entropy = float(-(share * np.log2(share, where=share > 0, out=np.zeros_like(share))).sum())
    ratio = float(n.max() / n.min())
    return {
        "ratio": ratio,
        "entropy": entropy + 0.0,
        "normalised_entropy": entropy / float(np.log2(len(n))) if len(n) > 1 else None,
        "constant_accuracy": float(share.max()),
        "is_imbalanced": ratio >= IMBALANCED,
    }


def _metrics(figures: Mapping[str, Any], n_classes: int) -> list[str]:
    if n_classes < 2:
        return ["There is one class only: nothing can be learned from this label."]
    found = [
        f"Always answering with the largest class is right in {figures['constant_accuracy']:.1%} of the rows: "
        "accuracy says little below that."
    ]
    if n_classes == 2:
        if figures["is_imbalanced"]:
            found.append("Read average precision (the area below precision and recall) and recall at a set precision.")
        else:
            found.append("Read ROC AUC and the log loss.")
        found.append("Read Matthews' correlation or balanced accuracy where one number has to do.")
    else:
        found.append("Read macro-averaged F1 and balanced accuracy, and recall of each class.")
    return [*found, "Check calibration (Brier score) if the scores are to be used as probabilities."]


def _advice(counts: Mapping[str, int], figures: Mapping[str, Any]) -> list[str]:
    found = []
    smallest, n = min(counts.items(), key=lambda item: (item[1], item[0]))
    if len(counts) > 1 and figures["is_imbalanced"]:
        found.append("Split by class (stratified), so that each part has all classes in the same shares.")
        found.append("Weight the classes by the inverse of their rows before resampling is tried.")
    if figures["ratio"] >= SEVERE:
        found.append("Choose the threshold on the validation rows; 0.5 will hardly ever be reached.")
    if n < FEW_ROWS:
        found.append(f"Class '{smallest}' has {n:,} rows: too few to learn from or to judge by.")
    return found


def _by_split(columns: Sequence[Column], second: Statistics, codes: Codes) -> dict[str, dict[str, int]] | None:
    """Part -> class -> rows."""
    part = next((c for c in columns if c.role == PART and c.name in codes.by_class), None)
    if part is None or codes.classes is None:
        return None
    coding = codes.by_class[part.name]
    counts = table(second, codes.classes.coding, coding)
    if counts is None:
        return None
    rows = codes.classes.rows(counts)
    return {
        word: {name: int(row[place]) for name, row in rows.items()} for place, word in enumerate(coding.words, start=1)
    }


def _by_time(columns: Sequence[Column], found: Mapping[str, Any]) -> dict[str, Any]:
    """Start of a period -> class -> rows, over the column of time: the given one, else the first."""
    times = [c for c in columns if c.kind == TIME]
    chosen = next((c for c in times if c.role == WHEN), times[0] if times else None)
    covered = found[chosen.name]["coverage"] if chosen else None
    if chosen is None or not covered or "by_class" not in covered:
        return {"by_time": None, "time": None, "period": None}
    by_period: dict[str, dict[str, int]] = {start: {} for start, _ in covered["days"]}
    for name, points in covered["by_class"].items():
        for start, n in points:
            by_period[start][name] = n
    return {"by_time": by_period, "time": chosen.name, "period": covered["period"]}
