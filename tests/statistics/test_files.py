"""Parquet files are read as they are, shared out evenly, and refused when they do not hold what they should."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from traintable.spark.plans import DataFile
from traintable.statistics import files
from traintable.statistics.chunk import ANY, NUMBER, TEXT, Chunk, Role
from traintable.statistics.files import Piece, Unreadable, can_read, chunk_rows, chunks, pieces

N = 1000
TABLE = pa.table(
    {
        "x": pa.array([None if i % 7 == 0 else i / 8 for i in range(N)]),
        "f": pa.array(range(N), pa.float32()),
        "i": pa.array([None if i % 5 == 0 else i % 3 for i in range(N)], pa.int16()),
        "w": pa.array([None if i % 11 == 0 else f"w{i % 4}" for i in range(N)]),
        "b": pa.array([i % 2 == 0 for i in range(N)]),
        "d": pa.array([None if i % 2 else i for i in range(N)], pa.date32()),
        "l": pa.array([None if i % 3 else [i] for i in range(N)]),
        "a.b": pa.array(range(N), pa.int64()),
        "a": pa.array([f"{i % 2}" for i in range(N)]),
    }
)
TYPES = {
    **{"x": "double", "f": "float", "i": "smallint", "w": "string", "b": "boolean", "d": "date", "l": "array<bigint>"},
    **{"a.b": "bigint", "a": "string", "p": "int", "q": "string"},
}


def write(path: Path, table: pa.Table = TABLE, **options: Any) -> DataFile:
    pq.write_table(table, path, **options)
    return DataFile(str(path), os.path.getsize(path), 0)


def whole(file: DataFile) -> list[Piece]:
    return [Piece(file, None, file.bytes)]


def read(share: Sequence[Piece], *roles: Role, types: dict[str, str] = TYPES) -> tuple[list[Chunk], int]:
    found = list(chunks(share, roles, types, {}))
    return [rows for rows, _ in found], sum(n_bytes for _, n_bytes in found)


def column_bytes(file: DataFile, *names: str) -> int:
    """What the column chunks of some columns take in a file."""
    metadata = pq.read_metadata(file.path)
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    every = [group.column(i) for group in groups for i in range(group.num_columns)]
    return sum(column.total_compressed_size for column in every if column.path_in_schema in names)


def words(found: Sequence[Chunk], name: str) -> Counter[str | None]:
    texts = [rows.text(name) for rows in found]
    return Counter(None if code < 0 else text.words[code] for text in texts for code in text.codes)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> DataFile:
    """A file of several row groups."""
    return write(tmp_path_factory.mktemp("files") / "a file.parquet", row_group_size=130)


def test_columns_are_read_as_what_they_are_wanted(file: DataFile) -> None:
    numbers, texts = ("x", "f", "i", "b", "a.b"), ("w", "i", "b", "a", "a.b")
    roles = [*((NUMBER, n) for n in numbers), *((TEXT, n) for n in texts), *((ANY, n) for n in ("d", "l", "w"))]
    found, n_bytes = read(whole(file), *roles)
    assert sum(rows.n_rows for rows in found) == N
    for name in numbers:
        expected = TABLE[name].cast("float64").to_pandas().fillna(0.0)
        np.testing.assert_array_equal(np.concatenate([rows.number(name).values for rows in found]), expected)
        assert sum(rows.number(name).n_null for rows in found) == TABLE[name].null_count
    for name in texts:
        assert words(found, name) == Counter(TABLE[name].cast("string").to_pylist())
    for name in ("d", "l", "w"):
        gone = np.concatenate([rows.is_null(name) for rows in found])
        np.testing.assert_array_equal(gone, TABLE[name].is_null())
    read_names = ("x", "f", "i", "b", "a.b", "w", "a", "d")
    assert n_bytes == column_bytes(file, *read_names)


def test_only_the_wanted_columns_are_read(file: DataFile) -> None:
    assert read(whole(file), (NUMBER, "i"))[1] == column_bytes(file, "i") < column_bytes(file, "i", "x")


def test_row_groups_are_read_alone(file: DataFile) -> None:
    found, n_bytes = read([Piece(file, 7, 0), Piece(file, 2, 0)], (NUMBER, "a.b"))
    rows = np.concatenate([part.number("a.b").values for part in found])
    assert rows.tolist() == [*range(910, 1000), *range(260, 390)]
    assert 0 < n_bytes < column_bytes(file, "a.b")


def test_a_partition_is_a_column_with_one_value(file: DataFile) -> None:
    parts = [("1", "ü"), (None, None), ("-7", "a b")]
    share = [Piece(DataFile(file.path, file.bytes, 0, (("p", p), ("q", q))), None, 0) for p, q in parts]
    roles: list[Role] = [(NUMBER, "p"), (TEXT, "p"), (TEXT, "q"), (ANY, "q")]
    for some in (roles, [*roles, (NUMBER, "x")]):  # without a column of the file itself, and with
        found, n_bytes = read(share, *some)
        assert sum(rows.n_rows for rows in found) == 3 * N
        assert words(found, "p") == {"1": N, None: N, "-7": N}
        assert words(found, "q") == {"ü": N, None: N, "a b": N}
        numbers = np.concatenate([rows.number("p").compact for rows in found])
        assert Counter(numbers.tolist()) == {1.0: N, -7.0: N}
        assert sum(rows.is_null("q").sum() for rows in found) == N
        assert n_bytes == (3 * column_bytes(file, "x") if len(some) > 4 else 0)


def test_dates_and_times_are_seconds(tmp_path: Path) -> None:
    seconds = [None, 0, -1, 951782400, 9_000_000_000]
    dates = pa.array([None if s is None else s // 86400 for s in seconds], pa.int32()).cast(pa.date32())
    times = pa.array([None if s is None else s * 1_000_000 + 1 for s in seconds]).cast(pa.timestamp("us", "UTC"))
    share = whole(write(tmp_path / "a.parquet", pa.table({"d": dates, "t": times})))
    share.append(Piece(DataFile(share[0].file.path, 0, 0, (("d", "-3"), ("t", None))), None, 0))
    share.append(Piece(DataFile(share[0].file.path, 0, 0, (("d", None), ("t", "1500000"))), None, 0))
    found, _ = read(share, (NUMBER, "d"), (NUMBER, "t"), types={"d": "date", "t": "timestamp"})
    days = [0 if s is None else s // 86400 * 86400 for s in seconds]
    exact = [0 if s is None else (s * 1_000_000 + 1) / 1_000_000 for s in seconds]
    assert [rows.number("d").values.tolist() for rows in found] == [days, [-3 * 86400.0] * 5, [0.0] * 5]
    assert [rows.number("t").values.tolist() for rows in found] == [exact, [0.0] * 5, [1.5] * 5]
    assert [rows.number("t").n_null for rows in found] == [1, 5, 0]


@pytest.mark.parametrize("kind", [pa.date32(), pa.timestamp("us"), pa.timestamp("ms", "UTC")])
def test_ancient_dates_and_times_are_left_to_spark(kind: pa.DataType, tmp_path: Path) -> None:
    name = "date" if pa.types.is_date(kind) else "timestamp"
    day = 1 if name == "date" else 86_400 * (1000 if kind.unit == "ms" else 1_000_000)
    of_1900 = -25567  # days since 1970
    for first, is_ancient in ((of_1900 - 1, True), (of_1900, False), (20_000_000, False)):
        table = pa.table(
            {"c": pa.array([None, 5 * day, first * day]).cast(pa.int32() if day == 1 else pa.int64()).cast(kind)}
        )
        share = whole(write(tmp_path / f"{first}.parquet", table))
        if is_ancient:
            with pytest.raises(Unreadable, match="before 1900"):
                read(share, (NUMBER, "c"), types={"c": name})
        else:
            assert read(share, (NUMBER, "c"), types={"c": name})[0][0].number("c").values[2] == first * 86400.0


def test_times_of_96_bits_reach_beyond_2262(tmp_path: Path) -> None:
    times = pa.array([19_880_899_200_000_001, 253_402_214_400_000_000]).cast(pa.timestamp("us"))  # of 2600 and 9999
    share = whole(write(tmp_path / "a.parquet", pa.table({"t": times}), use_deprecated_int96_timestamps=True))
    found, _ = read(share, (NUMBER, "t"), types={"t": "timestamp"})
    assert found[0].number("t").values.tolist() == [19_880_899_200.000001, 253_402_214_400.0]


@pytest.mark.parametrize(("n_columns", "n_rows"), [(0, 2**17), (1, 2**17), (64, 2**17), (65, 129_055), (9999, 2**13)])
def test_fewer_rows_of_wide_tables_are_taken_at_a_time(n_columns: int, n_rows: int) -> None:
    assert chunk_rows(n_columns) == n_rows


def test_rows_are_taken_some_at_a_time(file: DataFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "chunk_rows", lambda n_columns: 50 * n_columns)
    found, n_bytes = read(whole(file), (NUMBER, "a.b"), (TEXT, "a.b"))
    assert max(rows.n_rows for rows in found) == 50
    assert np.concatenate([rows.number("a.b").values for rows in found]).tolist() == list(range(N))
    assert n_bytes == column_bytes(file, "a.b")


def test_a_file_of_no_rows(tmp_path: Path) -> None:
    empty = write(tmp_path / "empty.parquet", TABLE.slice(0, 0))
    found, _ = read(whole(empty), (NUMBER, "x"), (TEXT, "w"))
    assert sum(rows.n_rows for rows in found) == 0
    assert read([], (NUMBER, "x")) == ([], 0)


def test_words_of_pages_that_have_given_up_their_dictionary(tmp_path: Path) -> None:
    table = pa.table({"w": [f"{i % 500:050}" for i in range(5000)]})
    file = write(tmp_path / "a.parquet", table, dictionary_pagesize_limit=1000, data_page_size=1000)
    assert words(read(whole(file), (TEXT, "w"))[0], "w") == Counter(table["w"].to_pylist())


@pytest.mark.parametrize(
    ("stored", "kind", "fits"),
    [
        (pa.int32(), "int", True),
        (pa.int32(), "bigint", True),
        (pa.int64(), "int", False),
        (pa.int32(), "smallint", False),
        (pa.int8(), "tinyint", True),
        (pa.int32(), "double", False),
        (pa.float32(), "float", True),
        (pa.float32(), "double", True),
        (pa.float64(), "float", False),
        (pa.float64(), "bigint", False),
        (pa.decimal128(9, 2), "int", False),
        (pa.timestamp("us"), "bigint", False),
        (pa.timestamp("ms"), "timestamp", True),
        (pa.timestamp("us", "UTC"), "timestamp", True),
        (pa.date32(), "timestamp", False),
        (pa.date32(), "date", True),
        (pa.timestamp("us"), "date", False),
        (pa.int64(), "timestamp", False),
        (pa.bool_(), "boolean", True),
        (pa.bool_(), "int", False),
        (pa.int32(), "boolean", False),
        (pa.string(), "string", True),
        (pa.large_string(), "string", True),
        (pa.dictionary(pa.int32(), pa.string()), "string", True),
        (pa.binary(), "string", False),
        (pa.int32(), "string", False),
        (pa.string(), "int", False),
        (pa.list_(pa.int32()), "int", False),
    ],
)
def test_a_file_of_another_type_is_left_to_spark(stored: pa.DataType, kind: str, fits: bool, tmp_path: Path) -> None:
    file = write(tmp_path / "a.parquet", pa.table({"c": pa.nulls(3, stored)}))
    role = (TEXT, "c") if kind == "string" else (NUMBER, "c")
    assert can_read([role], {"c": kind})
    if fits:
        assert sum(rows.n_rows for rows in read(whole(file), role, types={"c": kind})[0]) == 3
    else:
        with pytest.raises(Unreadable, match=f"column 'c' is .*, not {kind}"):
            read(whole(file), role, types={"c": kind})


def test_a_file_without_the_column_is_left_to_spark(file: DataFile) -> None:
    for name in ("y", "X"):
        with pytest.raises(Unreadable, match=f"column '{name}' is None"):
            read(whole(file), (ANY, name), types={name: "double"})


@pytest.mark.parametrize(
    ("role", "kind", "expected"),
    [
        *(((NUMBER, "c"), kind, True) for kind in ("tinyint", "bigint", "double", "boolean", "date", "timestamp")),
        *(((NUMBER, "c"), kind, False) for kind in ("string", "decimal(3,1)", "timestamp_ntz", "array<int>")),
        *(((TEXT, "c"), kind, True) for kind in ("string", "smallint", "bigint", "boolean")),
        *(
            ((TEXT, "c"), kind, False)
            for kind in ("float", "double", "decimal(3,1)", "date", "string collate UTF8_LCASE")
        ),
        *(((ANY, "c"), kind, True) for kind in ("string", "double", "decimal(3,1)", "date", "array<int>")),
    ],
)
def test_types_that_files_and_spark_give_alike_are_readable(role: Role, kind: str, expected: bool) -> None:
    assert can_read([role], {"c": kind}) == expected
    assert not can_read([(NUMBER, "no"), role], {"c": kind, "no": "map<int,int>"})


def test_many_files_are_shared_out_whole_and_evenly() -> None:
    rng = np.random.default_rng(0)
    many = [DataFile(f"{i}", int(size), 0) for i, size in enumerate(rng.integers(1, 1000, 60))]
    shares = pieces(many, 7)  # the files are not there: they need not be opened
    assert sorted(piece.file.path for share in shares for piece in share) == sorted(file.path for file in many)
    assert all(piece.row_group is None for share in shares for piece in share)
    loads = [sum(piece.bytes for piece in share) for share in shares]
    assert len(loads) == 7
    assert max(loads) - min(loads) <= 1000
    assert pieces(many[::-1], 7) == shares


def test_a_large_file_has_a_task_of_its_own() -> None:
    many = [DataFile(f"{i}", 1000 if i == 5 else 10, 0) for i in range(40)]
    shares = pieces(many, 3)
    assert sorted(len(share) for share in shares) == [1, 19, 20]


def test_few_files_are_shared_out_by_row_group(file: DataFile) -> None:
    shares = pieces([file], 3)
    groups = [(piece.file, piece.row_group) for share in shares for piece in share]
    assert sorted(groups, key=repr) == [(file, i) for i in range(8)]
    assert [len(share) for share in shares] in ([3, 3, 2], [2, 3, 3], [3, 2, 3])
    assert pieces([], 3) == []
    assert len(pieces([file], 99)) == 8
    everything = [rows for share in shares for rows in read(share, (NUMBER, "a.b"))[0]]
    assert sorted(np.concatenate([rows.number("a.b").values for rows in everything])) == list(range(N))
