"""How the values of a text column are written: their lengths, and their forms such as "AA-99"."""

from __future__ import annotations

from typing import Any, TypedDict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from traintable.arrays import Ints
from traintable.statistics.chunk import NUMBER, Chunk
from traintable.statistics.values import Values, ValuesRecord
from traintable.statistics.weighted import Weighted

MAX_FORMS = 1_000
LONGEST_FORM = 40  # of a longer one the beginning is kept, and an ellipsis
_LENGTHS = 2**12


class FormsRecord(TypedDict):
    """What `to_dict` writes and `from_dict` reads: forms with their rows and an example."""

    column: str
    runs: bool
    forms: list[list[Any]]
    n_other: int
    lengths: ValuesRecord


class Forms:
    """Rows by form of `column`, and the lengths of its values in characters.

    In a form a letter stands as a or A, a digit as 9, white space as a blank, and all else for itself. Once there are
    more than 1,000 forms, runs of the same sign are written once (`runs`): "Aa 99:99" becomes "Aa 9:9". When even these
    are too many, the rarest are counted together in `n_other`; then each count is exact for the rows since the form was
    last in, and `n_other` bounds what it lacks.

    Attributes
    ----------
    forms : form -> (rows, the first value in the order of text that has it).
    """

    def __init__(self, column: str) -> None:
        self.column = column
        self.runs = False
        self.forms: dict[str, tuple[int, str]] = {}
        self.n_other = 0
        self._lengths = Values(column, _LENGTHS)

    def update(self, chunk: Chunk) -> None:
        """Add the rows of a chunk."""
        text = chunk.text(self.column)
        used = np.flatnonzero(text.counts)
        if not len(used):
            return
        words, counts = pa.array([text.words[i] for i in used], pa.string()), text.counts[used]
        lengths = np.repeat(np.asarray(pc.utf8_length(words)), counts)
        self._lengths.update(Chunk({(NUMBER, self.column): pa.array(lengths)}, len(lengths)))
        for form, n, example in _count(_shorten(forms_of(words)), words, counts):
            self._put(_without_runs(form) if self.runs else form, n, example)
        self._bound()

    def _put(self, form: str, n: int, example: str) -> None:
        known = self.forms.get(form)
        self.forms[form] = (n, example) if known is None else (known[0] + n, min(known[1], example))

    def _bound(self) -> None:
        if len(self.forms) > MAX_FORMS:
            self._shorten_runs()
        if len(self.forms) > MAX_FORMS:
            ranked = sorted(self.forms.items(), key=lambda item: (-item[1][0], item[0]))
            self.n_other += sum(n for _, (n, _) in ranked[MAX_FORMS // 2 :])
            self.forms = dict(ranked[: MAX_FORMS // 2])

    def _shorten_runs(self) -> None:
        if not self.runs:
            forms, self.forms, self.runs = self.forms, {}, True
            for form, (n, example) in forms.items():
                self._put(_without_runs(form), n, example)

    def merge(self, other: Forms) -> None:
        """Add the rows of another state of the same column."""
        if self.runs or other.runs:
            self._shorten_runs()
            other._shorten_runs()
        self._lengths.merge(other._lengths)
        self.n_other += other.n_other
        for form, (n, example) in other.forms.items():
            self._put(form, n, example)
        self._bound()

    def lengths(self) -> Weighted:
        """The lengths with how often each occurs."""
        return self._lengths.weighted() if len(self._lengths.buckets) else Weighted(np.zeros(0), np.zeros(0, np.int64))

    def most_frequent(self, n: int) -> list[tuple[str, int, str]]:
        """At most `n` of the most frequent forms, each with its rows and an example."""
        ranked = sorted(self.forms.items(), key=lambda item: (-item[1][0], item[0]))[:n]
        return [(form, count, example) for form, (count, example) in ranked]

    def to_dict(self) -> FormsRecord:
        """The state as plain values for JSON."""
        return {
            "column": self.column,
            "runs": self.runs,
            "forms": [[form, n, example] for form, (n, example) in sorted(self.forms.items())],
            "n_other": self.n_other,
            "lengths": self._lengths.to_dict(),
        }

    @classmethod
    def from_dict(cls, state: FormsRecord) -> Forms:
        """The state that `to_dict` wrote."""
        forms = cls(state["column"])
        forms.runs, forms.n_other = state["runs"], state["n_other"]
        forms.forms = {form: (n, example) for form, n, example in state["forms"]}
        forms._lengths = Values.from_dict(state["lengths"])
        return forms


def _sign_table() -> bytes:
    table = bytearray(range(256))
    for first, last, sign in (("a", "z", "a"), ("A", "Z", "A"), ("0", "9", "9")):
        table[ord(first) : ord(last) + 1] = sign.encode() * (ord(last) - ord(first) + 1)
    for blank in b"\t\n\v\f\r":
        table[blank] = ord(" ")
    return bytes(table)


_SIGNS = _sign_table()


def forms_of(words: pa.Array) -> pa.Array:
    """The form of each word; shape (words,)."""
    if pc.all(pc.string_is_ascii(words)).as_py():
        _, offsets, data = words.buffers()  # bytes and characters are the same: all words are turned at once
        signs = (data.to_pybytes() if data is not None else b"").translate(_SIGNS)
        return pa.StringArray.from_buffers(len(words), offsets, pa.py_buffer(signs), offset=words.offset)
    for pattern, sign in ((r"\p{Lu}|\p{Lt}", "A"), (r"[\p{Ll}\p{Lm}\p{Lo}]", "a"), (r"\p{Nd}", "9"), (r"[\s\v]", " ")):
        words = pc.replace_substring_regex(words, pattern, sign)
    return words


def _shorten(forms: pa.Array) -> pa.Array:
    long = pc.greater(pc.utf8_length(forms), LONGEST_FORM)
    if not pc.any(long).as_py():
        return forms
    return pc.if_else(
        long, pc.binary_join_element_wise(pc.utf8_slice_codeunits(forms, 0, LONGEST_FORM), "…", ""), forms
    )


def _without_runs(form: str) -> str:
    signs = [sign for i, sign in enumerate(form) if sign not in "aA9 " or i == 0 or form[i - 1] != sign]
    return "".join(signs)


def _count(forms: pa.Array, words: pa.Array, counts: Ints) -> list[tuple[str, int, str]]:
    """Each form with its rows and the first of its words in the order of text."""
    table = pa.table({"form": forms, "n": pa.array(counts), "word": words})
    grouped = table.group_by("form").aggregate([("n", "sum"), ("word", "min")])
    return list(zip(*(grouped[name].to_pylist() for name in ("form", "n_sum", "word_min")), strict=True))
