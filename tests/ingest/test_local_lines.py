"""Lines that tasks read themselves: the same as Python's, however a file is cut."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traintable.ingest.formats import lines, local_lines
from traintable.ingest.formats.local_lines import FileBlock, _batches, _count_lines
from traintable.spark.task_results import UnreadableFile, UnreadableFiles

PIECES = st.lists(
    st.sampled_from([b"a", b"bc", b"\n", b"\r", b"\r\n", b" ", b"\xff", b"\xc3\xa4", b"\x0b"]), max_size=30
)


def lines_of(content: bytes) -> list[bytes]:
    """What Python takes for lines when they end at LF, CRLF or CR."""
    return content.removeprefix(b"\xef\xbb\xbf").splitlines()  # of bytes: at these three only


@settings(max_examples=300, deadline=None)
@given(PIECES, st.integers(1, 7), st.integers(1, 5), st.booleans())
def test_any_cut_gives_the_lines_each_once(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], width: int, batch: int, has_mark: bool
) -> None:
    content = (b"\xef\xbb\xbf" if has_mark else b"") + b"".join(pieces)
    width = max(width, 3)  # a mark is within the first block
    path = tmp_path_factory.getbasetemp() / "lines"
    path.write_bytes(content)
    size = len(content)
    blocks = [FileBlock(str(path), at, min(at + width, size), size) for at in range(0, max(size, 1), width)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "BATCH_LINES", batch)
        patch.setattr(local_lines, "_AHEAD", 2)
        patch.setattr(local_lines, "_PIECE", 3)
        batches = list(_batches(blocks, encoding="utf-8", max_bytes=10**6))
    found = [value.as_buffer().to_pybytes() if value.is_valid else b"" for b in batches for value in b.column(0)]
    assert found == lines_of(content)
    places = [
        (block, place) for b in batches for block, place in zip(*(b.column(i).to_pylist() for i in (2, 3)), strict=True)
    ]
    assert places == sorted(set(places))
    for keep in (True, False):
        counted = sum(_count_lines(block, keep_blank=keep, max_bytes=10**6).n for block in blocks)
        assert counted == sum(keep or bool(line.strip(b" \t\n\f\r")) for line in lines_of(content))


def test_a_file_that_has_changed_is_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "a b.csv"
    path.write_bytes(b"a\nb\n")
    block = FileBlock(str(path), 0, 10, 10)
    with pytest.raises(UnreadableFiles) as raised:
        list(_batches([block], encoding="utf-8", max_bytes=100))
    assert raised.value.files == (UnreadableFile(str(path), "it is shorter than when it was listed"),)
    with pytest.raises(UnreadableFiles, match=r"a b\.csv: it has become shorter"):
        _count_lines(block, keep_blank=True, max_bytes=100)
