"""MinHash against sets of Python, and its recall against the curve it promises."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from traintable.config.leakage import Limits
from traintable.text.minhash import Sets, buckets, jaccard, recall, signatures


def of_lists(lists: list[list[int]]) -> Sets:
    return Sets.of_arrow(pa.array(lists, pa.list_(pa.int64())))


def hashes(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.integers(-(2**63), 2**63 - 1, n)


def pair(rng: np.random.Generator, similarity: float, size: int) -> tuple[list[int], list[int]]:
    """Two sets of about `size` tokens and this similarity."""
    shared = round(2 * size * similarity / (1 + similarity))
    tokens = hashes(rng, 2 * size - shared).tolist()
    return tokens[:size], tokens[:shared] + tokens[size:]


def test_similarities_are_those_of_sets() -> None:
    rng = np.random.default_rng(0)
    universe = hashes(rng, 60)
    lists = [rng.choice(universe, rng.integers(1, 40), replace=False).tolist() for _ in range(200)]
    sets = of_lists(lists)
    i, j = rng.integers(0, 200, 5000), rng.integers(0, 200, 5000)
    expected = [len({*lists[a]} & {*lists[b]}) / len({*lists[a]} | {*lists[b]}) for a, b in zip(i, j, strict=True)]
    assert jaccard(sets, i, sets, j).tolist() == expected


def test_many_pairs_are_compared_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    sets = of_lists([hashes(rng, rng.integers(1, 30)).tolist() for _ in range(50)])
    i, j = rng.integers(0, 50, 400), rng.integers(0, 50, 400)
    whole = jaccard(sets, i, sets, j)
    monkeypatch.setattr("traintable.text.minhash._MAX_TOKENS", 37)
    assert jaccard(sets, i, sets, j).tolist() == whole.tolist()
    assert ((whole == 1) == (i == j)).all()


def test_a_slice_of_a_column_gives_its_own_sets() -> None:
    whole = pa.array([[1, 2], [3], [4, 5, 6]], pa.list_(pa.int64()))
    sets = Sets.of_arrow(whole.slice(1))
    assert sets.sizes.tolist() == [1, 3]
    assert sets.tokens.tolist() == [3, 4, 5, 6]


@pytest.mark.parametrize("similarity", [0.2, 0.5, 0.8, 0.95])
def test_signatures_agree_as_often_as_the_similarity_says(similarity: float) -> None:
    rng = np.random.default_rng(2)
    pairs = [pair(rng, similarity, 100) for _ in range(100)]
    left, right = (of_lists([p[side] for p in pairs]) for side in (0, 1))
    exact = jaccard(left, np.arange(100), right, np.arange(100)).mean()
    agree = signatures(left, 128, 1) == signatures(right, 128, 1)
    assert agree.mean() == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / agree.size))


def test_the_order_of_tokens_does_not_matter_and_the_seed_does() -> None:
    rng = np.random.default_rng(3)
    tokens = hashes(rng, 50).tolist()
    found = signatures(of_lists([tokens, tokens[::-1]]), 40)
    assert (found[0] == found[1]).all()
    assert (found[0] != signatures(of_lists([tokens]), 40, seed=1)[0]).mean() > 0.9


@pytest.mark.parametrize("size", [20, 200])
def test_recall_follows_the_promised_curve_and_is_0_95_at_the_threshold(size: int) -> None:
    limits, n = Limits(), 4000
    rng = np.random.default_rng(size)
    for similarity in (0.4, 0.6, 0.8, 0.9):
        pairs = [pair(rng, similarity, size) for _ in range(n)]
        left, right = (of_lists([p[side] for p in pairs]) for side in (0, 1))
        exact = float(jaccard(left, np.arange(1), right, np.arange(1))[0])
        drawn = [signatures(s, limits.n_bands * limits.rows_per_band) for s in (left, right)]
        shared = (buckets(drawn[0], limits.n_bands) == buckets(drawn[1], limits.n_bands)).any(axis=1).mean()
        expected = recall(exact, limits.n_bands, limits.rows_per_band)
        assert shared == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / n) + 1e-3)
        if similarity == 0.8 and exact >= 0.8:
            assert shared >= 0.95
    assert recall(0.8, limits.n_bands, limits.rows_per_band) > 0.95


def test_no_sets_have_no_signatures() -> None:
    empty = of_lists([])
    assert signatures(empty, 8).shape == (0, 8)
    assert buckets(signatures(empty, 8), 2).shape == (0, 2)
    assert jaccard(empty, np.zeros(0, int), empty, np.zeros(0, int)).tolist() == []
