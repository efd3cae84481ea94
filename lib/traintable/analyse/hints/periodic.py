"""Hours, weekdays and months in which the label differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from traintable.analyse.document import PeriodicHint, Steps
from traintable.analyse.hints.significance import LEAST_GAIN, bonferroni_limit
from traintable.analyse.rows.labelled_sample import LabelledSample
from traintable.analyse.rows.target_encoding import smoothed_means
from traintable.arrays import Floats, Ints
from traintable.columns import column_name, quote

if TYPE_CHECKING:
    from traintable.analyse.rows.context import AnalysisContext

_LONGEST = 9e10  # seconds: what is beyond has no hour


@dataclass(frozen=True)
class Cycle:
    """A part of a time that comes again: its name, Spark's function for it, how many there are, and the first."""

    name: str
    function: str
    n: int
    first: int


CYCLES = (
    Cycle("hour of day", "hour", 24, 0),
    Cycle("day of week", "dayofweek", 7, 1),
    Cycle("month", "month", 12, 1),
)


class _Gain(NamedTuple):
    """The share of the variance explained on rows held out, that in standard errors, and the means, shape (n,)."""

    share: float
    z: float
    means: Floats


def periodic_hints(context: AnalysisContext, sample: LabelledSample) -> list[PeriodicHint]:
    """Parts of times by which the label differs: for classes their shares, for a number its mean.

    Means by part are learned from the sample's rows of train, drawn towards that of all as if these had 20 rows of
    each, and measured on the rows held out. The gain is the share of the label's variance there that they explain (of
    the class that is explained best), at least 0.005; one-sided, with a chance below 0.01 that any part of no worth
    gains so much (Bonferroni).
    """
    candidates = [(name, cycle) for name in context.times for cycle in CYCLES if _varies(sample, name, cycle)]
    limit = bonferroni_limit(len(candidates) * sample.indicators().shape[1])
    hints = []
    for name, cycle in candidates:
        gain = _gain(_places(sample.rows.number(name), cycle), cycle, sample)
        if gain.share >= LEAST_GAIN and gain.z >= limit:
            hints.append(_hint(name, cycle, gain))
    return sorted(hints, key=lambda hint: -hint["gain"])


def _varies(sample: LabelledSample, name: str, cycle: Cycle) -> bool:
    places = _places(sample.rows.number(name), cycle)
    return len(np.unique(places[places >= 0])) > 1


def _places(seconds: Floats, cycle: Cycle) -> Ints:
    """The number of each time's part, counted from 0; -1 where there is no time. In UTC."""
    is_known = np.abs(seconds) < _LONGEST
    hours = np.floor(np.where(is_known, seconds, 0.0) / 3600).astype(np.int64)
    if cycle.function == "hour":
        places = hours % 24
    elif cycle.function == "dayofweek":
        places = (hours // 24 + 4) % 7  # from Sunday, as Spark counts; 1 January 1970 was a Thursday
    else:
        places = (hours // 24).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12
    return np.where(is_known, places, -1)


def _gain(places: Ints, cycle: Cycle, sample: LabelledSample) -> _Gain:
    """The gain for the class that is explained best, or for the number."""
    train, held = sample.rows.is_train & (places >= 0), ~sample.rows.is_train
    best = _Gain(0.0, 0.0, np.zeros(cycle.n))
    for target in sample.indicators().T:
        overall = target[sample.rows.is_train].mean()
        means = smoothed_means(places[train], target[train], cycle.n, overall)
        predicted = np.append(means, overall)[places[held]]
        saved = (target[held] - overall) ** 2 - (target[held] - predicted) ** 2
        total, error = float(((target[held] - overall) ** 2).mean()), float(saved.std() / np.sqrt(len(saved)))
        if total > 0 and error > 0 and saved.mean() / total > best.share:
            best = _Gain(float(saved.mean() / total), float(saved.mean() / error), means)
    return best


def _hint(name: str, cycle: Cycle, gain: _Gain) -> PeriodicHint:
    angle = f"2 * pi() * {cycle.function}({quote(name)}) / {cycle.n}"
    features: dict[str, Steps] = {
        column_name(f"{name}_{cycle.function}_{wave}"): {"expr": f"{wave}({angle})"} for wave in ("sin", "cos")
    }
    high, low = int(np.argmax(gain.means)) + cycle.first, int(np.argmin(gain.means)) + cycle.first
    return {
        "hint": "periodic",
        "columns": [name],
        "gain": gain.share,
        "z": gain.z,
        "part": cycle.name,
        "text": f"The {cycle.name} of '{name}' explains {gain.share:.1%} of the label's variance on rows held out;"
        f" it is highest at {high} and lowest at {low}.",
        "plan": {"features": features},
    }
