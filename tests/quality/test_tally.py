"""Counts of rows by tasks: parts add up, to the last bit of the sums of hashes."""

from __future__ import annotations

import json
import random
from collections import Counter

import pyarrow as pa

from traintable.quality.suite import SPLIT_CLASS
from traintable.quality.tally import Tally
from traintable.statistics.content_hash import ROW_HASH


def test_parts_add_up_exactly() -> None:
    rng = random.Random(0)
    hashes = [rng.choice([-(2**63), 2**63 - 1, -1, 0, rng.randrange(-(2**63), 2**63)]) for _ in range(1000)]
    answers = [rng.choice(["train/0", "train/1"]) for _ in hashes]
    rows = pa.record_batch({ROW_HASH: pa.array(hashes, pa.int64()), SPLIT_CLASS: answers})
    whole = Tally()
    for start, end in ((0, 1), (1, 400), (400, 400), (400, 1000)):
        part = Tally(n=end - start)
        part.add(rows.slice(start, end - start), "train")
        whole.merge(Tally.from_dict(json.loads(json.dumps(part.to_dict()))))
    assert whole == Tally(1000, 0, Counter(train=1000), Counter(answers), sum(hashes))


def test_what_is_no_split_is_not_counted_there() -> None:
    rows = pa.record_batch({ROW_HASH: pa.array([1], pa.int64()), SPLIT_CLASS: ["other/0"]})
    tally = Tally()
    tally.add(rows, "other")
    tally.add(rows, None)
    assert tally == Tally()
