"""Records whose values may hold line ends: those of a reading letter by letter, however the bytes arrive."""

from __future__ import annotations

import csv
import io
import tracemalloc
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from landed import cut, in_pieces, of, rows
from traintable.ingest.formats.csv_records import CsvRecords

SIZES = st.lists(st.integers(1, 9), min_size=1, max_size=5)
ESCAPES = st.sampled_from(['"', "\\"])
PARTS = [
    b'"',
    b'""',
    b",",
    b',"',
    b'",',
    b"\n",
    b"\r\n",
    b"\r",
    b"a",
    b" ",
    b"\\",
    b'\\"',
    b'"b"',
    b"\xc3\xa4",
    b"\xff",
]
CONTENTS = st.lists(st.sampled_from(PARTS), max_size=40).map(b"".join)


def reference(content: bytes, escape: str, most: int) -> list[tuple[bytes, int]]:
    """The records and the lines that they begin at, letter by letter."""
    found, at, line = list[tuple[bytes, int]](), 0, 1
    while at < len(content):
        end = end_of(content, at, escape.encode(), at + most)
        after = end + 2 if content[end : end + 2] == b"\r\n" else end + 1
        found.append((content[at:end][: most + 1], line))
        line += len(content[at:after].splitlines())
        at = after
    return found


def end_of(content: bytes, at: int, escape: bytes, stop: int) -> int:
    """Where the record ends that begins at `at`; quotes count before `stop`."""
    is_start, opened, i = True, -1, at
    while i < len(content):
        one, after = content[i : i + 1], content[i + 1 : i + 2] if i + 1 < stop else b""
        if opened >= 0:
            if i >= stop:
                break
            if one == b'"' == escape == after or (one == escape != b'"' and after):
                i += 1
            elif one == b'"':
                opened, is_start = -1, False
        elif one in (b"\r", b"\n"):
            return i
        elif one == b'"' and is_start and i < stop:
            opened = i
        else:
            is_start = one == b","
            if one == escape and after not in (b"\r", b"\n", b""):
                i += 1
        i += 1
    if opened < 0:
        return len(content)
    ends = [i for i in (content.find(b"\r", opened), content.find(b"\n", opened)) if i >= 0]  # never closed
    return min(ends, default=len(content))


@given(CONTENTS, SIZES, ESCAPES, st.one_of(st.integers(1, 12), st.just(10**6)))
@example(b'"a\n' * 3, [1], '"', 2)
@example(b'1,5" pipe\n2,6" pipe\n', [3], '"', 100)
@example(b'1,a\\,"b\n2,"c\n', [3], "\\", 100)
@example(b'"a""b"\n2,c\n', [1], "\\", 100)
@example(b'"a"\r\n"b"\r\n', [4], '"', 3)
def test_records_however_their_bytes_arrive(content: bytes, sizes: list[int], escape: str, most: int) -> None:
    cutter = CsvRecords(",", '"', escape, "utf-8", most)
    expected = reference(content, escape, most)
    assert cut(cutter, content, sizes) == expected
    blank = sum(len(raw) <= most and not raw.strip(b" \t\n\f\r") for raw, _ in expected)
    assert cutter.count(in_pieces(content, sizes)) == len(expected) - blank


TEXTS = st.text(st.sampled_from('ab",\\\r\n ä;'), max_size=6)


@given(
    st.lists(st.tuples(TEXTS, TEXTS, TEXTS), max_size=8),
    SIZES,
    ESCAPES,
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
)
def test_what_python_writes(table: list[tuple[str, ...]], sizes: list[int], escape: str, end: str, all_: bool) -> None:
    options: dict[str, Any] = {"doublequote": escape == '"', "escapechar": None if escape == '"' else escape}
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator=end, quoting=csv.QUOTE_ALL if all_ else csv.QUOTE_NONNUMERIC, **options).writerows(
        table
    )
    assert list(csv.reader(io.StringIO(out.getvalue(), newline=""), **options)) == [list(row) for row in table]
    found = cut(CsvRecords(",", '"', escape, "utf-8", 10**6), out.getvalue().encode(), sizes)
    columns = {"a": {}, "b": {}, "c": {}}
    assert rows(of("csv", [raw for raw, _ in found], columns, escape=escape, multi_line=True)) == table


@given(CONTENTS, SIZES)
def test_what_has_no_quotes_is_lines(content: bytes, sizes: list[int]) -> None:
    plain = content.replace(b'"', b"'")
    assert cut(CsvRecords(",", '"', '"', "utf-8", 5), plain, sizes) == [
        (line[:6], number) for number, line in enumerate(plain.splitlines(), 1)
    ]


def test_another_separator_and_encoding() -> None:
    content = "'a\n;';\"b\n;'ä\n';'d".encode("iso-8859-1")
    assert cut(CsvRecords(";", "'", "'", "iso-8859-1", 99), content, [2]) == [
        (b"'a\n;';\"b", 1),
        (";'ä\n';'d".encode(), 3),
    ]


N = 200_000
HOSTILE = {
    "quotes": (b'"' * 10 * N, '"', 1),
    "quotes by twos": (b'"' + b'""a' * N, '"', 1),
    "a quote each line": (b'"\n' * N, '"', N // 2),
    "two quotes each line": (b'"\n' + b'""a\n' * N, '"', N + 1),
    "escaped quotes": (b'"' + b'\\"' * N, "\\", 1),
    "an escaped quote each line": (b'"\n' + b'\\"\n' * N, "\\", N + 1),
    "an escape each line": (b'a"\\\n' * N, "\\", N),
    "values": (b',"a"' * N, '"', 1),
    "values that are never closed": (b'a,"b\n' * N, '"', N // 2),
    "separators": (b"," * 4 * N, '"', 1),
    "one line": (b"a" * 10 * N, '"', 1),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_content_takes_time_by_its_length(name: str) -> None:
    """Anything quadratic would take an hour."""
    content, escape, n = HOSTILE[name]
    for most in (2**24, 1000):
        found = sum(1 for _ in CsvRecords(",", '"', escape, "utf-8", most)._records(in_pieces(content, [2**20])))
        assert found == n or most == 1000


@pytest.mark.parametrize("name", ["quotes", "quotes by twos", "escaped quotes", "values"])
def test_a_long_record_takes_memory_by_its_length(name: str) -> None:
    """What keeps each step of its way would take 100 bytes for each."""
    content, escape, _ = HOSTILE[name]
    tracemalloc.start()
    for _ in CsvRecords(",", '"', escape, "utf-8", 2**24)._records([content[: N // 2]]):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * N
