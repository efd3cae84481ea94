"""Find what belongs to a word, in a SQL expression whose cost does not grow with the number of words."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

from traintable.prepare.terms import constant

_FEW = 8  # words that are compared one by one


def lookup(value: str, entries: Mapping[str, float]) -> str:
    """SQL of the number of a text, a double, or an int where all are; null for a text that has none, and for null.

    Words are spread by their CRC-32 over an array of short lists, so a row is compared with about eight words, however
    many there are. `value` is used several times.
    """
    if not entries:
        return "NULL"
    n = max(1, len(entries) // _FEW)
    shares: list[dict[str, float]] = [{} for _ in range(n)]
    for word, number in sorted(entries.items()):  # in one order, so that the same entries give the same statement
        shares[_share(word, n)][word] = number
    kind = "int" if all(isinstance(number, int) for number in entries.values()) else "double"
    place = f"CAST(crc32(CAST({value} AS BINARY)) % {n} AS INT)" if n > 1 else "0"
    words = f"{constant([list(share) for share in shares], 'array<array<string>>')}[{place}]"
    numbers = f"{constant([list(share.values()) for share in shares], f'array<array<{kind}>>')}[{place}]"
    return f"try_element_at({numbers}, CAST(nullif(array_position({words}, {value}), 0) AS INT))"


def _share(word: str, n: int) -> int:
    return zlib.crc32(word.encode("utf-8", "surrogatepass")) % n
