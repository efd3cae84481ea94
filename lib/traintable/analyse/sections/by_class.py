"""How the values of a column lie in the rows of each class of the label."""

from __future__ import annotations

from traintable.analyse.document import ClassValues, ClassWords, ColumnProfile, Coverage
from traintable.analyse.json_values import finite
from traintable.analyse.scans.ranges import Ranges
from traintable.analyse.scans.table import TableScans
from traintable.analyse.sections.columns import TOP
from traintable.analyse.sections.coverage import dated_counts
from traintable.arrays import Ints


def add_classes(profile: ColumnProfile, scans: TableScans) -> None:
    """Add to the profile of a column how its values lie in each class; nothing where the label has no classes."""
    classes, name = scans.codes.classes, profile["name"]
    if classes is None or name == classes.column or name not in scans.codes.by_class:
        return
    coding = scans.codes.by_class[name]
    counts = scans.counts(classes.coding, coding)
    if counts is None:
        return
    rows = classes.rows(counts)
    if name in scans.codes.ranges:
        edges = profile["histogram"]["edges"] if profile["histogram"] else []
        profile["by_class"] = {
            word: _class_values(scans.codes.ranges[name], row[1:], edges) for word, row in rows.items()
        }
    else:
        profile["by_class"] = {word: _class_words(coding.words, row[1:]) for word, row in rows.items()}
    if profile["coverage"]:
        _add_coverage(profile["coverage"], name, scans)


def _class_values(ranges: Ranges, counts: Ints, edges: list[float]) -> ClassValues:
    values = ranges.subset(counts)
    binned = ranges.histogram(edges, counts).tolist() if edges else []
    return {"n": values.n, "mean": finite(values.mean()), "counts": binned}


def _class_words(words: tuple[str, ...], counts: Ints) -> ClassWords:
    top = [(word, int(n)) for word, n in zip(words[:TOP], counts, strict=False)]
    return {"n": int(counts.sum()), "top": top}


def _add_coverage(coverage: Coverage, name: str, scans: TableScans) -> None:
    classes, coding = scans.codes.classes, scans.codes.periods[name]
    counts = scans.counts(classes.coding, coding) if classes else None
    if classes is not None and counts is not None:
        coverage["by_class"] = {
            word: dated_counts(coverage["period"], coding.edges, row[1:]) for word, row in classes.rows(counts).items()
        }
