"""Find what belongs to a word, in a SQL expression whose cost does not grow with the number of words."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

from traintable.columns import literal

_FEW = 8  # words that are compared one by one


def lookup(value: str, entries: Mapping[str, str]) -> str:
    """SQL of the entry (itself SQL of one type, constant) of a text; null for a text that has none, and for null.

    Words are spread by their CRC-32 over an array of small maps, which Spark folds into one literal; so a row is
    compared with about eight words, however many there are.
    """
    if not entries:
        return "NULL"
    n = max(1, len(entries) // _FEW)
    shares: list[dict[str, str]] = [{} for _ in range(n)]
    for word, entry in entries.items():
        shares[_share(word, n)][word] = entry
    absent = next(iter(entries))  # fills the maps that would be empty, where it is never looked up
    maps = [_map(share or {absent: entries[absent]}) for share in shares]
    if n == 1:
        return f"try_element_at({maps[0]}, {value})"
    place = f"CAST(crc32(CAST({value} AS BINARY)) % {n} AS INT) + 1"
    return f"try_element_at(element_at(array({', '.join(maps)}), {place}), {value})"


def _share(word: str, n: int) -> int:
    return zlib.crc32(word.encode("utf-8", "surrogatepass")) % n


def _map(entries: Mapping[str, str]) -> str:
    return f"map({', '.join(f'{literal(word)}, {entry}' for word, entry in entries.items())})"
