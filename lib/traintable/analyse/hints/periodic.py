"""Hours, weekdays and months in which the label differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from traintable.analyse.rows.answers import Answers
from traintable.arrays import Floats, Ints
from traintable.columns import column_name, quote

if TYPE_CHECKING:
    from traintable.analyse.rows.context import Context

LEAST_GAIN = 0.005
CHANCE = 0.01
SMOOTHING = 20.0
_LONGEST = 9e10  # seconds: what is beyond has no hour


@dataclass(frozen=True)
class Part:
    """A part of a time that comes again: its name, Spark's function for it, how many there are, and the first."""

    name: str
    function: str
    n: int
    first: int


PARTS = (
    Part("hour of day", "hour", 24, 0),
    Part("day of week", "dayofweek", 7, 1),
    Part("month", "month", 12, 1),
)


def periodic(context: Context, known: Answers) -> list[dict[str, Any]]:
    """Parts of times by which the label differs: for classes their shares, for a number its mean.

    Means by part are learned from the sample's rows of train, drawn towards that of all as if these had 20 rows of
    each, and measured on the rows held out. The gain is the share of the label's variance there that they explain (of
    the class that is explained best), at least 0.005; one-sided, with a chance below 0.01 that any part of no worth
    gains so much (Bonferroni).
    """
    tried = [(name, part) for name in context.times for part in PARTS if _varies(known, name, part)]
    limit = _limit(len(tried) * known.indicators().shape[1])
    found = []
    for name, part in tried:
        gain, z, means = _gain(_places(known.rows.number(name), part), part, known)
        if gain >= LEAST_GAIN and z >= limit:
            found.append(_hint(name, part, gain, z, means))
    return sorted(found, key=lambda hint: -hint["gain"])


def _varies(known: Answers, name: str, part: Part) -> bool:
    places = _places(known.rows.number(name), part)
    return len(np.unique(places[places >= 0])) > 1


def _places(seconds: Floats, part: Part) -> Ints:
    """The number of each time's part, counted from 0; -1 where there is no time. In UTC."""
    known = np.abs(seconds) < _LONGEST
    hours = np.floor(np.where(known, seconds, 0.0) / 3600).astype(np.int64)
    if part.function == "hour":
        places = hours % 24
    elif part.function == "dayofweek":
        places = (hours // 24 + 4) % 7  # from Sunday, as Spark counts; 1 January 1970 was a Thursday
    else:
        places = (hours // 24).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12
    return np.where(known, places, -1)


def _gain(places: Ints, part: Part, known: Answers) -> tuple[float, float, Floats]:
    """The share explained on rows held out, its distance from 0 in standard errors, and the means by part."""
    targets, train = known.indicators(), known.rows.is_train & (places >= 0)
    held = ~known.rows.is_train
    best = (0.0, 0.0, np.zeros(part.n))
    for target in targets.T:
        overall = target[known.rows.is_train].mean()
        n = np.bincount(places[train], minlength=part.n)
        means = (np.bincount(places[train], target[train], part.n) + SMOOTHING * overall) / (n + SMOOTHING)
        predicted = np.append(means, overall)[places[held]]
        saved = (target[held] - overall) ** 2 - (target[held] - predicted) ** 2
        total, error = float(((target[held] - overall) ** 2).mean()), float(saved.std() / np.sqrt(len(saved)))
        if total > 0 and error > 0 and saved.mean() / total > best[0]:
            best = (float(saved.mean() / total), float(saved.mean() / error), means)
    return best


def _limit(n: int) -> float:
    from scipy.stats import norm  # type: ignore[import-untyped]

    return float(norm.isf(CHANCE / max(1, n)))


def _hint(name: str, part: Part, gain: float, z: float, means: Floats) -> dict[str, Any]:
    angle = f"2 * pi() * {part.function}({quote(name)}) / {part.n}"
    features = {column_name(f"{name}_{part.function}_{wave}"): {"expr": f"{wave}({angle})"} for wave in ("sin", "cos")}
    high, low = int(np.argmax(means)) + part.first, int(np.argmin(means)) + part.first
    return {
        "hint": "periodic",
        "columns": [name],
        "gain": gain,
        "z": z,
        "part": part.name,
        "text": f"The {part.name} of {name} explains {gain:.1%} of the label's variance on rows held out;"
        f" it is highest at {high} and lowest at {low}.",
        "plan": {"features": features},
    }
