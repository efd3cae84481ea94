"""Rare values of categories that say no more of the label apart than together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from traintable.analyse.rows.answers import Answers
from traintable.columns import SPLIT, TRAIN

if TYPE_CHECKING:
    from traintable.analyse.rows.context import Context

SHARES = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02)
UNLABELLED_SHARE = 0.001  # below which values are merged where no label says what that costs
MOST = 0.2  # of the rows, that are merged
FEWEST = 2  # values that are merged
SMOOTHING = 20.0
_CERTAIN = 1.645  # standard errors from which keeping values apart is a gain (one-sided 5%)


def rare_categories(context: Context, known: Answers | None) -> list[dict[str, Any]]:
    """Categories of which values below some share of the rows can be taken together.

    For each of some shares up to 0.02 the rare values are taken for one, and then each for itself with a mean drawn
    towards that of all of them as if these had 20 rows of it; means are learned from the sample's rows of train. The
    share is the largest up to which keeping them apart has no lower squared error on the rows held out, beyond 1.645
    standard errors. Without a label it is 0.001, and nothing is said of what that costs. The gain is the number of
    values that go.
    """
    found = []
    for name, counts in context.words.items():
        share, rows = _share(name, counts, context, known)
        rare = [word for word, n in counts.items() if n < share * context.statistics.n_rows]
        if len(rare) >= FEWEST:
            found.append(_hint(name, share, rare, counts, context, rows))
    return sorted(found, key=lambda hint: -hint["gain"])


def _share(name: str, counts: dict[str, int], context: Context, known: Answers | None) -> tuple[float, int]:
    """The largest share below which values can be merged, 0 if there is none, and rows on which that was measured."""
    n_rows = context.statistics.n_rows
    best, measured = 0.0, 0
    for share in (UNLABELLED_SHARE,) if known is None else SHARES:
        rare = {word for word, n in counts.items() if n < share * n_rows}
        if sum(counts[word] for word in rare) > MOST * n_rows:
            break
        z, n_held = (0.0, 0) if known is None else _apart(name, rare, known)
        if z > _CERTAIN:
            break
        best, measured = share, n_held
    return best, measured


def _apart(name: str, rare: set[str], known: Answers) -> tuple[float, int]:
    """What keeping values apart gains on rows held out, in standard errors, and how many rows these are."""
    coded = known.rows.word(name).dictionary_encode()
    codes = np.asarray(coded.indices.fill_null(len(coded.dictionary))).astype(np.int64)
    is_rare = np.array([*(word in rare for word in coded.dictionary.to_pylist()), False])[codes]
    train, held = known.rows.is_train & is_rare, ~known.rows.is_train & is_rare
    if not train.any() or held.sum() < 2:
        return 0.0, int(held.sum())
    saved = np.zeros(int(held.sum()))
    for target in known.indicators().T:
        together = target[train].mean()
        n = np.bincount(codes[train], minlength=len(coded.dictionary) + 1)
        sums = np.bincount(codes[train], target[train], len(coded.dictionary) + 1)
        means = (sums + SMOOTHING * together) / (n + SMOOTHING)
        saved += (target[held] - together) ** 2 - (target[held] - means[codes[held]]) ** 2
    error = saved.std(ddof=1) / math.sqrt(len(saved))
    return float(saved.mean() / error) if error > 0 else 0.0, len(saved)


def _hint(
    name: str, share: float, rare: list[str], counts: dict[str, int], context: Context, measured: int
) -> dict[str, Any]:
    merged = sum(counts[word] for word in rare) / context.statistics.n_rows
    seen = f"on {measured:,} rows held out they say no more apart" if measured else "no label says what that costs"
    return {
        "hint": "rare_categories",
        "columns": [name],
        "gain": float(len(rare)),
        "share": share,
        "text": f"{len(rare):,} of {len(counts):,} values of {name}, {merged:.2%} of the rows, each in less than"
        f" {share:.2%}, can be one: {seen}.",
        "plan": {
            "features": {name: {"encode": "one_hot", "min_frequency": max(2, math.ceil(share * _train(context)))}}
        },
    }


def _train(context: Context) -> int:
    """Rows that a plan will be fitted to, as far as that is known."""
    known = context.statistics.frequencies.get(SPLIT)
    return (known.counts[TRAIN] if known else 0) or context.statistics.n_rows
