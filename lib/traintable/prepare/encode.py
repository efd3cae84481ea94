"""One-hot features of a category, with a declared place for the unseen and the missing."""

from __future__ import annotations

from collections.abc import Sequence

from traintable.columns import literal
from traintable.prepare.terms import Term

OTHER, MISSING = "<other>", "<missing>"


def position(value: str, vocabulary: Sequence[str]) -> str:
    """SQL of a category's place: 1 to n in the vocabulary, 0 for any other value, -1 for null."""
    if not vocabulary:
        return f"IF({value} IS NULL, -1, 0)"
    words = ", ".join(literal(word) for word in vocabulary)
    return f"coalesce(CAST(array_position(array({words}), {value}) AS INT), -1)"


def one_hot(name: str, place: str, vocabulary: Sequence[str]) -> list[Term]:
    """One feature for each word of the vocabulary, one for every other value, one for null."""
    places = [*enumerate(vocabulary, start=1), (0, OTHER), (-1, MISSING)]
    return [Term(f"{name}_{word}", f"IF({place} = {index}, 1.0D, 0.0D)") for index, word in places]
