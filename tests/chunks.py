"""Rows for the states of statistics, and what holds for every state: neither layout nor JSON changes it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from traintable.statistics.chunk import ANY, NUMBER, TEXT, Chunk, Range

NAN, INF = float("nan"), float("inf")

# Numbers at which something may break: signs of zero, subnormals, the largest, neighbours of digits, huge offsets.
EDGES = [
    *(0.0, -0.0, 0.1, 1.0, -1.0, 5e-324, -5e-324, 2.2250738585072014e-308, -1e-310),
    *(1e308, -1e308, 1.7976931348623157e308, 1e300, -1e300, 1e-300, 2.0**20, 2.0**20 - 1, 2.0**-20, 2.0**-30, 2.0**40),
    *(1e9 + 1e-6, 1e9, 2.0**53 + 2, -(2.0**53)),
]
finite = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.floats(-1e3, 1e3), st.sampled_from(EDGES))
# A number, or why there is none.
numbers = st.one_of(finite, st.integers(-3, 3).map(float), st.sampled_from([None, NAN, INF, -INF]))
words = st.one_of(
    st.sampled_from([None, "", " ", "a", "A", "b", "é", "e\u0301", "null", "None", "true", "\0", "\U0001f600"]),
    st.text(max_size=2),
)


def chunk(
    numbers: Mapping[str, Any] | None = None,
    texts: Mapping[str, Any] | None = None,
    others: Mapping[str, Any] | None = None,
    ranges: Mapping[str, Range] | None = None,
) -> Chunk:
    """Rows of lists or Arrow arrays, in which None is null; `others` are columns of which only that is wanted."""
    columns = {(NUMBER, name): _array(values, pa.float64()) for name, values in (numbers or {}).items()}
    columns |= {(TEXT, name): _array(values, pa.string()) for name, values in (texts or {}).items()}
    columns |= {(ANY, name): _array(values, None) for name, values in (others or {}).items()}
    return Chunk(columns, len(next(iter(columns.values()))), ranges)


def _array(values: Any, kind: pa.DataType | None) -> pa.Array:
    return values if isinstance(values, pa.Array) else pa.array(list(values), kind)


def taken(rows: Chunk, places: Sequence[int]) -> Chunk:
    """The rows at some places, in that order."""
    index = pa.array(places, pa.int64())
    return Chunk({role: column.take(index) for role, column in rows._columns.items()}, len(places), rows._ranges)


def pieces(rows: Chunk, random: Random) -> list[Chunk]:
    """The rows in another order, cut in up to five pieces, of which some may be empty."""
    order = list(range(rows.n_rows))
    random.shuffle(order)
    cuts = sorted(random.randint(0, len(order)) for _ in range(random.randint(0, 4)))
    return [taken(rows, part.tolist()) for part in np.split(np.array(order, dtype=np.int64), cuts)]


def learned(state: Any, *chunks: Chunk) -> Any:
    """The state with the chunks added."""
    for rows in chunks:
        state.update(rows)
    return state


def reread(state: Any) -> Any:
    """The state after a round trip through JSON."""
    return type(state).from_dict(json.loads(json.dumps(state.to_dict())))


def merged(states: Sequence[Any], random: Random) -> Any:
    """All states in one, merged in any order."""
    left = list(states)
    while len(left) > 1:
        random.shuffle(left)
        left[0].merge(left.pop())
    return left[0]


def canonical(value: Any) -> Any:
    """What a state knows, with the counts of values in one order, for that is no part of it."""
    if isinstance(value, dict):
        return {
            k: sorted(map(canonical, v), key=repr) if _is_unordered(k, v) else canonical(v) for k, v in value.items()
        }
    return [canonical(v) for v in value] if isinstance(value, list) else value


def _is_unordered(name: str, value: Any) -> bool:
    return name in ("counts", "groups") and isinstance(value, list)


def in_any_layout(
    new: Callable[[], Any], rows: Chunk, random: Random, again: Callable[[Any], Any] = reread
) -> tuple[Any, Any]:
    """The state of all rows at once and that of pieces: the same, whatever the layout, the merges, and JSON between."""
    whole = learned(new(), rows)
    parts = pieces(rows, random)
    together = merged([again(learned(new(), part)) for part in parts], random)
    expected = canonical(whole.to_dict())
    for state in (together, learned(new(), *parts), again(whole), merged([new(), again(whole), new()], random)):
        assert canonical(state.to_dict()) == expected
    return whole, together
