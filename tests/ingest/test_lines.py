"""Lines are those of Python, however their bytes arrive, and one that is too long leaves its neighbours alone."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from landed import cut as cut_by
from landed import in_pieces
from traintable.ingest.formats import lines
from traintable.ingest.formats.line_cutter import Lines
from traintable.ingest.formats.lines import count, cut, end_with_lines
from traintable.ingest.formats.streams import in_utf8

BLANKS = b" \t\n\f\r"
SIZES = st.lists(st.integers(1, 9), min_size=1, max_size=5)
PARTS = st.sampled_from(
    [b"a", b"bcd", b"\n", b"\r", b"\r\n", b" ", b"\t", b"\xff", b"\xc3\xa4", b"\x0b", b"\0", b"\x85"]
)
CONTENTS = st.one_of(st.lists(PARTS, max_size=40).map(b"".join), st.binary(max_size=40))


def is_blank(line: bytes, max_bytes: int) -> bool:
    return len(line) <= max_bytes and not line.strip(BLANKS)


@given(CONTENTS, st.integers(1, 4))
def test_the_lines_of_some_content(content: bytes, batch: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "BATCH_LINES", batch)
        batches = list(cut(content))
    assert all(len(found) <= batch for found in batches)
    assert [line.as_py() for found in batches for line in found.view(pa.binary())] == content.splitlines()


@given(CONTENTS, SIZES)
def test_pieces_of_whole_lines(content: bytes, sizes: list[int]) -> None:
    found = list(end_with_lines(in_pieces(content, sizes), 10**6))
    assert b"".join(found) == content
    assert [line for piece in found for line in piece.splitlines()] == content.splitlines()


@given(CONTENTS, SIZES, st.integers(1, 6))
def test_a_line_that_is_too_long_is_given_as_its_beginning(content: bytes, sizes: list[int], most: int) -> None:
    found = [line for piece in end_with_lines(in_pieces(content, sizes), most) for line in piece.splitlines()]
    expected = content.splitlines()
    assert len(found) == len(expected)
    for line, whole in zip(found, expected, strict=True):
        assert whole.startswith(line)
        assert line == whole or len(line) > most


@given(CONTENTS, SIZES, st.integers(1, 6), st.booleans(), st.booleans())
@example(b"a\n  \n\t", [2], 1, False, False)
def test_lines_are_numbered_and_counted(content: bytes, sizes: list[int], most: int, keep: bool, marked: bool) -> None:
    marked_content = (b"\xef\xbb\xbf" if marked else b"") + content
    expected = content.removeprefix(b"\xef\xbb\xbf" if not marked else b"").splitlines()
    cutter = Lines(keep, "utf-8", most)
    found = cut_by(cutter, marked_content, sizes)
    assert [(line[: most + 1], number) for line, number in found] == [
        (line[: most + 1], number) for number, line in enumerate(expected, 1)
    ]
    n = sum(keep or not is_blank(line, most) for line in expected)
    assert cutter.count(in_pieces(marked_content, sizes)) == n
    assert count(b"\n".join(expected), keep_blank=True, max_bytes=most) == len(b"\n".join(expected).splitlines())


@given(st.binary(max_size=30), SIZES)
def test_another_encoding_arrives_in_pieces_too(content: bytes, sizes: list[int]) -> None:
    expected = content.removeprefix(b"\xef\xbb\xbf").decode("latin-1").encode()
    assert b"".join(in_utf8(in_pieces(content, sizes), "iso-8859-1")) == expected


def test_a_line_of_many_pieces_costs_no_more_than_its_bytes() -> None:
    """Were the line copied for each of its pieces, these would be 500 GB to copy."""
    pieces = (b"x" * 256 for _ in range(2**16))
    assert [len(line) for line in end_with_lines(pieces, 2**29)] == [2**24]
