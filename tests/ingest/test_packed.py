"""Packed files: what they hold, all of it and no more than was allowed, or an error; never a part of it."""

from __future__ import annotations

import bz2
import gzip
import random
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pytest
from folders import PACKED, packed

from traintable.config.sources import TextSource
from traintable.ingest.formats.headers import _head, headers
from traintable.ingest.formats.line_cutter import Lines
from traintable.ingest.formats.streams import beginning, codec_of, pieces
from traintable.ingest.listing import ListedFile

CONTENT = b"".join(b"%d,%d\n" % (i, i * i) for i in range(20_000))
UNPACK = {
    ".gz": gzip.decompress,
    ".bz2": bz2.decompress,
    ".zst": lambda stored: pa.CompressedInputStream(pa.BufferReader(stored), "zstd").read(),
}
endings = pytest.mark.parametrize("ending", PACKED)


def unpacked(stored: bytes, ending: str, max_bytes: int = 2**30) -> bytes:
    return b"".join(pieces(stored, f"file:/a{ending}", max_bytes))


@endings
def test_all_of_a_file_and_of_several_in_one(ending: str) -> None:
    whole = packed(f"a{ending}", CONTENT)
    assert unpacked(whole, ending) == CONTENT
    assert unpacked(whole + whole + packed(f"a{ending}", b""), ending) == CONTENT * 2
    assert unpacked(packed(f"a{ending}", b""), ending) == b""


@endings
def test_what_was_cut_off_or_has_more_behind_it_is_reported(ending: str, tmp_path: Path) -> None:
    whole = packed(f"a{ending}", CONTENT)
    rng = random.Random(0)
    cuts = [0, 1, 2, 5, len(whole) - 1, len(whole) - 5, *(rng.randrange(len(whole)) for _ in range(60))]
    for stored in [*(whole[:n] for n in cuts), whole + b"more", whole + whole[: len(whole) // 2]]:
        with pytest.raises(OSError, match=r"."):
            unpacked(stored, ending)
    path = tmp_path / f"a{ending}"
    path.write_bytes(whole[:-1])
    with pytest.raises(OSError, match="Truncated"):
        list(pieces(str(path), str(path), 2**30))


@endings
def test_bits_that_have_flipped_are_reported_where_the_codec_can_tell(ending: str) -> None:
    whole, rng = packed(f"a{ending}", CONTENT), random.Random(1)
    for _ in range(150):
        bit = rng.randrange(8 * len(whole))
        stored = whole[: bit // 8] + bytes([whole[bit // 8] ^ 1 << bit % 8]) + whole[bit // 8 + 1 :]
        try:
            found = unpacked(stored, ending)
        except OSError:
            continue
        if ending == ".zst":  # these have no checksum
            assert len(found) == len(CONTENT) or found == UNPACK[ending](stored)
        else:
            assert found == CONTENT, bit


@endings
def test_a_file_that_unpacks_to_more_than_it_may_is_refused_before_it_has(ending: str) -> None:
    bomb = packed(f"a{ending}", bytes(2**27))
    assert len(bomb) < 2**18
    tracemalloc.start()
    held, found = pa.total_allocated_bytes(), list[int]()

    def read() -> None:
        for piece in pieces(bomb, f"a{ending}", 5_000_000):
            found.append(len(piece))
            assert pa.total_allocated_bytes() - held < 2**24

    with pytest.raises(OSError, match=r"more than 5,000,000 bytes \(`source.max_file_bytes`\)"):
        read()
    assert (sum(found) <= 5_000_000, tracemalloc.get_traced_memory()[1] < 2**23) == (True, True)
    tracemalloc.stop()


@endings
def test_a_line_of_many_million_bytes_is_not_held(ending: str) -> None:
    bomb = packed(f"a{ending}", b"a\n" + bytes(2**26) + b"\nb\n")
    tracemalloc.start()
    found = [line for raw, _ in Lines(True, "utf-8", 2**20).cut(pieces(bomb, f"a{ending}", 2**30)) for line in raw]
    assert tracemalloc.get_traced_memory()[1] < 2**24
    tracemalloc.stop()
    assert [len(line.as_buffer()) for line in found] == [1, 2**20 + 1, 1]


@endings
def test_the_beginning_is_as_much_as_was_requested(ending: str, tmp_path: Path) -> None:
    noise = random.Random(2).randbytes(3 * 10**6)
    for content in (CONTENT, bytes(2**24), noise, b"", b"a"):
        path = tmp_path / f"a{ending}"
        path.write_bytes(packed(path.name, content))
        assert _head(ListedFile("a", str(path), 0, "")) == content[: 2**16]
    assert beginning(b"no packing at all", f"a{ending}", 100) == b""


def test_packings_that_are_not_unpacked_are_reported() -> None:
    for ending in (".lz4", ".snappy", ".deflate"):
        with pytest.raises(OSError, match="are read"):
            codec_of(f"a.csv{ending}")
    assert [codec_of(name) for name in ("a.csv", "a.gz.csv", "a", "a.GZ")] == [None] * 4


HEADERS = [
    ("id,name\n1,a\n", ("id", "name"), None),
    ("\n \nid,name\n", ("id", "name"), None),
    ("id,na\u2028me\r1,a", ("id", "na\u2028me"), None),
    ("id,na\x0cme\r\n", ("id", "na\x0cme"), None),
    ('id,"a\nb"\n1,2\n', ("id", "a\nb"), None),
    ('id,"a""b"\n', ("id", 'a"b'), None),
    ("id,ID\n", ("id", "ID"), "one with the column 'id' twice"),
    ("", (), None),
]


@pytest.mark.parametrize("ending", ["", *PACKED])
@pytest.mark.parametrize(("text", "names", "fault"), HEADERS)
def test_the_header_is_the_first_record(
    tmp_path: Path, ending: str, text: str, names: tuple[str, ...], fault: str | None
) -> None:
    source = TextSource.model_validate({"format": "csv", "path": "x", "multi_line": True})
    for more in (b"", b"1,\xff\n" * 2**15):
        path = tmp_path / f"a.csv{ending}"
        path.write_bytes(packed(path.name, text.encode() + more * bool(text)))
        (header,) = headers([ListedFile("a", str(path), path.stat().st_size, "")], source)
        assert (header.names, header.fault) == (names, fault)
    path.write_bytes(packed(path.name, b"id,na\xffme\n" + more))
    (header,) = headers([ListedFile("a", str(path), path.stat().st_size, "")], source)
    assert header.fault == "a first line that is not valid utf-8"
