"""What the section about the classes of the label shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from traintable.analyse.document import ProfileDocument
from traintable.analyse.report.figures import distinct_names, figure, percent, share_of
from traintable.analyse.report.pictures import ChartColumns, Picture, Pictures

MOST_PERIODS = 60


@dataclass(frozen=True)
class ImbalanceView:
    """The classes, their shares by split and by time, figures of inequality, and sentences."""

    classes: Picture | None = None
    by_split: Picture | None = None
    by_time: Picture | None = None
    figures: Sequence[tuple[str, str]] = ()
    metrics: Sequence[str] = ()
    advice: Sequence[str] = ()


def show_imbalance(profile: ProfileDocument, pictures: Pictures) -> ImbalanceView:
    """The classes, what a constant prediction reaches, and the classes' shares by split and by time."""
    imbalance = profile["imbalance"]
    if imbalance is None:
        return ImbalanceView()
    classes = imbalance["classes"]
    total = sum(classes.values())
    short = dict(zip(classes, distinct_names(list(classes), 60), strict=True))
    bars: ChartColumns = {
        "name": list(short.values()),
        "n": list(classes.values()),
        "share": [share_of(n, total) for n in classes.values()],
    }
    last_periods = dict(list((imbalance["by_time"] or {}).items())[-MOST_PERIODS:])
    by_split = imbalance["by_split"] or {}
    return ImbalanceView(
        classes=pictures.add("bars", bars, "Rows of each class"),
        by_split=_shares("shares", by_split, short, pictures, "Shares of the classes in each split"),
        by_time=_shares("shares_over_time", last_periods, short, pictures, "Shares of the classes over time"),
        figures=[
            ("classes", figure(len(classes))),
            ("rows of the largest class per row of the smallest", figure(imbalance["ratio"])),
            ("entropy in bits", figure(imbalance["entropy"])),
            ("entropy, as a share of the highest possible", percent(imbalance["normalised_entropy"])),
            ("accuracy of always predicting the largest class", percent(imbalance["constant_accuracy"])),
        ],
        metrics=imbalance["metrics"],
        advice=imbalance["advice"],
    )


def _shares(
    kind: str, groups: Mapping[str, Mapping[str, int]], short: Mapping[str, str], pictures: Pictures, words: str
) -> Picture | None:
    cells = [
        (group, short.get(name, name), n, share_of(n, sum(counts.values())))
        for group, counts in groups.items()
        for name, n in counts.items()
    ]
    data: ChartColumns = {
        "name": [cell[0] for cell in cells],
        "class": [cell[1] for cell in cells],
        "n": [cell[2] for cell in cells],
        "share": [cell[3] for cell in cells],
    }
    return pictures.add(kind, data, words)
