"""The rows of train that are similar to sampled rows: candidates that share a bucket, each compared exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import functions as F

from traintable.arrays import Bools, Floats, Ints
from traintable.columns import TRAIN
from traintable.config.leakage import Limits
from traintable.split.leakage.examined_table import ExaminedTable
from traintable.split.leakage.sample import LeakageSample, label_hash, row_draw
from traintable.text.minhash import Hashes, Sets, buckets, jaccard, signatures

if TYPE_CHECKING:
    from pyspark.sql import Column

MAX_TOKENS = 2_000_000
N_EXAMPLES = 3
_SCHEMA = "i int, similarity double, same boolean, crowded bigint"

Bucketing = Callable[[Sets], Hashes]
Work = Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]


@dataclass(frozen=True)
class Matches:
    """How many of the sampled rows of both sides have a match in train, and how many of the held-out ones its label."""

    n_held: int = 0
    held: int = 0
    same: int = 0
    n_train: int = 0
    train: int = 0
    crowded: int = 0
    similarity: float = 0.0
    examples: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """Of the sampled held-out rows those that have one."""
        return self.held / self.n_held if self.n_held else 0.0


def minhash_bucketing(limits: Limits, seed: int) -> Bucketing:
    """Buckets that similar sets share with the probability of `minhash`, shape (sets, bands)."""
    return lambda sets: buckets(signatures(sets, limits.n_bands * limits.rows_per_band, seed), limits.n_bands)


def n_differing(n_columns: int, similarity: float) -> int:
    """In how many of its columns a row can differ from one that has at least this Jaccard similarity to it."""
    return floor(n_columns * (1 - similarity) / (1 + similarity) + 1e-9)


def column_bucketing(n_columns: int, similarity: float) -> Bucketing:
    """Buckets of which similar rows share at least one, shape (rows, groups).

    Columns are dealt out to one group more than may differ, so one group is equal in all its columns: nothing is
    missed (the pigeonholes of Manku, Jain and Sarma, "Detecting near-duplicates for web crawling", WWW 2007).
    """
    n_groups = n_differing(n_columns, similarity) + 1

    def bucketing(sets: Sets) -> Hashes:
        values = sets.tokens.reshape(-1, n_columns)
        return np.column_stack([buckets(values[:, i::n_groups], 1)[:, 0] for i in range(n_groups)])

    return bucketing


def find_matches(
    table: ExaminedTable, sample: LeakageSample, column: str, tokens: Column, bucketing: Bucketing, *, equal: bool
) -> Matches:
    """Look in train for matches of the sampled rows by the tokens in their `column`; equal sets count, or don't.

    Of the sample as many rows are taken as have two million tokens together. Costs one pass over train.
    """
    chosen = _SampledSets.of(sample, column)
    if not len(chosen.sets):
        return Matches()
    work = _match_task(chosen, bucketing, table.limits, equal=equal)
    rows = table.of_split(TRAIN).select(
        row_draw(table).alias("draw"), label_hash(table).alias("answer"), tokens.alias("t")
    )
    matches = rows.where(F.size("t") > 0).mapInArrow(work, _SCHEMA)
    best = matches.groupBy("i").agg(F.max(F.struct("similarity", "same")).alias("best"), F.sum("crowded").alias("n"))
    return chosen.summary(best.toArrow())


@dataclass(frozen=True)
class _SampledSets:
    """The rows of the sample that have tokens."""

    sets: Sets
    draw: Ints
    label: Ints
    train: Bools
    keys: tuple[str, ...]

    @classmethod
    def of(cls, sample: LeakageSample, column: str) -> _SampledSets:
        rows = sample.rows.select(["draw", "answer", "train", "key", column])
        sizes = pc.fill_null(pc.list_value_length(rows.column(column)), 0)
        rows = rows.filter(pc.greater(sizes, 0))
        total = np.cumsum(np.asarray(sizes)[np.asarray(sizes) > 0])
        rows = rows.slice(0, int(np.searchsorted(total, MAX_TOKENS, side="right")))
        draw, label, train, key, tokens = (_combine_chunks(chunked) for chunked in rows.columns)
        flags = np.asarray(train).astype(bool)
        return cls(Sets.of_arrow(tokens), np.asarray(draw), np.asarray(label), flags, tuple(key.to_pylist()))

    def summary(self, best: pa.Table) -> Matches:
        """How many rows have a match, with the keys of the most similar rows."""
        rows = best.to_pylist()
        matched = sorted((row["best"]["similarity"], -row["i"], row["best"]["same"]) for row in rows if row["i"] >= 0)
        held = [(similarity, -i, same) for similarity, i, same in reversed(matched) if not self.train[-i]]
        n_train = int(self.train.sum())
        return Matches(
            n_held=len(self.train) - n_train,
            held=len(held),
            same=sum(same for _, _, same in held),
            n_train=n_train,
            train=len(matched) - len(held),
            crowded=sum(row["n"] for row in rows),
            similarity=held[0][0] if held else 0.0,
            examples=tuple(self.keys[i] for _, i, _ in held[:N_EXAMPLES]),
        )


def _combine_chunks(chunked: pa.ChunkedArray) -> pa.Array:
    return chunked.combine_chunks() if chunked.num_chunks != 1 else chunked.chunk(0)


def _match_task(chosen: _SampledSets, bucketing: Bucketing, limits: Limits, *, equal: bool) -> Work:
    """The function that finds in rows of train the best match of each sampled row."""
    keys = bucketing(chosen.sets)
    order = np.argsort(keys, axis=0, kind="stable")
    ordered = np.take_along_axis(keys, order, axis=0)

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            if not batch.num_rows:
                continue
            sets = Sets.of_arrow(batch.column(2))
            draw, label = (np.asarray(batch.column(i)) for i in (0, 1))
            i, j, crowded = _candidates(ordered, order, bucketing(sets), limits.max_candidates)
            other = ~(chosen.train[i] & (chosen.draw[i] == draw[j]))
            i, j = i[other], j[other]
            similarity = jaccard(chosen.sets, i, sets, j)
            near = (similarity >= limits.similarity) & (equal | (similarity < 1))
            yield _best(i[near], similarity[near], chosen.label[i[near]] == label[j[near]], crowded)

    return work


def _candidates(ordered: Hashes, order: Ints, own: Hashes, most: int) -> tuple[Ints, Ints, int]:
    """Pairs (sampled row, row of the batch) that share a bucket, each once, and how many were left out as too many."""
    pairs, crowded = [np.zeros(0, np.int64)], 0
    for band in range(own.shape[1]):
        first = np.searchsorted(ordered[:, band], own[:, band], side="left")
        n = np.searchsorted(ordered[:, band], own[:, band], side="right") - first
        kept = np.minimum(n, most)
        crowded += int((n - kept).sum())
        row = np.repeat(np.arange(len(own)), kept)
        position = np.arange(len(row)) - (np.cumsum(kept) - kept)[row] + first[row]
        pairs.append(order[position, band] * len(own) + row)
    both = np.unique(np.concatenate(pairs))
    return both // max(1, len(own)), both % max(1, len(own)), crowded


def _best(i: Ints, similarity: Floats, same: Bools, crowded: int) -> pa.RecordBatch:
    """The most similar match of each sampled row, and one row without a match that counts what was left out."""
    order = np.lexsort((same, similarity, i))
    last = np.flatnonzero(np.append(i[order][1:] != i[order][:-1], True)) if len(i) else np.zeros(0, np.int64)
    chosen = order[last]
    return pa.RecordBatch.from_pydict(
        {
            "i": pa.array(np.append(i[chosen], -1), pa.int32()),
            "similarity": pa.array(np.append(similarity[chosen], 0.0)),
            "same": pa.array(np.append(same[chosen], False)),
            "crowded": pa.array(np.append(np.zeros(len(chosen), np.int64), crowded)),
        }
    )
