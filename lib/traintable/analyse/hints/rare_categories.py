"""Rare values of categories that say no more of the label apart than together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from traintable.analyse.document import RareCategoriesHint
from traintable.analyse.rows.inputs import category_codes
from traintable.analyse.rows.labelled_sample import LabelledSample
from traintable.analyse.rows.target_encoding import smoothed_means
from traintable.columns import SPLIT, TRAIN

if TYPE_CHECKING:
    from traintable.analyse.rows.context import AnalysisContext

SHARES = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02)
UNLABELLED_SHARE = 0.001  # below which values are merged where no label says what that costs
MOST = 0.2  # of the rows, that are merged
FEWEST = 2  # values that are merged
_CERTAIN = 1.645  # standard errors from which keeping values apart is a gain (one-sided 5%)


class _Merge(NamedTuple):
    """The share of the rows below which values can be merged, 0 if there is none, and rows that was measured on."""

    share: float
    n_measured: int


def rare_category_hints(context: AnalysisContext, sample: LabelledSample | None) -> list[RareCategoriesHint]:
    """Categories of which values below some share of the rows can be taken together.

    For each of some shares up to 0.02 the rare values are taken for one, and then each for itself with a mean drawn
    towards that of all of them as if these had 20 rows of it; means are learned from the sample's rows of train. The
    share is the largest up to which keeping them apart has no lower squared error on the rows held out, beyond 1.645
    standard errors. Without a label it is 0.001, and nothing is said of what that costs. The gain is the number of
    values that go.
    """
    hints = []
    for name, counts in context.category_counts.items():
        merge = _largest_merge(name, counts, context, sample)
        rare = [value for value, n in counts.items() if n < merge.share * context.statistics.n_rows]
        if len(rare) >= FEWEST:
            hints.append(_hint(name, merge, rare, counts, context))
    return sorted(hints, key=lambda hint: -hint["gain"])


def _largest_merge(
    name: str, counts: dict[str, int], context: AnalysisContext, sample: LabelledSample | None
) -> _Merge:
    """The largest merge that costs nothing on rows held out; the first that does ends the search."""
    n_rows = context.statistics.n_rows
    largest = _Merge(0.0, 0)
    for share in (UNLABELLED_SHARE,) if sample is None else SHARES:
        rare = {value for value, n in counts.items() if n < share * n_rows}
        if sum(counts[value] for value in rare) > MOST * n_rows:
            break
        z, n_held = (0.0, 0) if sample is None else _gain_apart(name, rare, sample)
        if z > _CERTAIN:
            break
        largest = _Merge(share, n_held)
    return largest


def _gain_apart(name: str, rare: set[str], sample: LabelledSample) -> tuple[float, int]:
    """What keeping values apart gains on rows held out, in standard errors, and how many rows these are."""
    distinct, codes = category_codes(sample.rows.category(name))
    is_rare = np.array([*(value in rare for value in distinct), False])[codes]
    train, held = sample.rows.is_train & is_rare, ~sample.rows.is_train & is_rare
    if not train.any() or held.sum() < 2:
        return 0.0, int(held.sum())
    saved = np.zeros(int(held.sum()))
    for target in sample.indicators().T:
        together = target[train].mean()
        apart = smoothed_means(codes[train], target[train], len(distinct) + 1, together)[codes[held]]
        saved += (target[held] - together) ** 2 - (target[held] - apart) ** 2
    error = saved.std(ddof=1) / math.sqrt(len(saved))
    return float(saved.mean() / error) if error > 0 else 0.0, len(saved)


def _hint(
    name: str, merge: _Merge, rare: list[str], counts: dict[str, int], context: AnalysisContext
) -> RareCategoriesHint:
    merged = sum(counts[value] for value in rare) / context.statistics.n_rows
    measured = f"keeping them apart gains nothing on {merge.n_measured:,} rows held out"
    reason = measured if merge.n_measured else "no label shows what merging them costs"
    min_frequency = max(2, math.ceil(merge.share * _n_train(context)))
    return {
        "hint": "rare_categories",
        "columns": [name],
        "gain": float(len(rare)),
        "share": merge.share,
        "text": f"{len(rare):,} of {len(counts):,} values of '{name}', {merged:.2%} of the rows, can be merged,"
        f" each being in less than {merge.share:.2%}: {reason}.",
        "plan": {"features": {name: {"encode": "one_hot", "min_frequency": min_frequency}}},
    }


def _n_train(context: AnalysisContext) -> int:
    """Rows that a plan will be fitted to, as far as that is known."""
    splits = context.statistics.frequencies.get(SPLIT)
    return (splits.counts[TRAIN] if splits else 0) or context.statistics.n_rows
