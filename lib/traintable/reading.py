"""Read a training table without Spark: which version the gate let through, the next ones as they come, and the rows.

Tables lie at a local path or on S3 (`s3a://bucket/prefix`). A version is read as it was published, whatever has been
written to the table since, for as long as its files are kept.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from traintable.columns import SPLIT, SPLITS, nearest
from traintable.delta_log import UPKEEP, Commit, commits, has_plain_log, storage_options, versions
from traintable.errors import ConfigError, InputMissing
from traintable.spark_errors import first_line

if TYPE_CHECKING:
    import pyarrow as pa

_LOG = logging.getLogger(__name__)
_SPAWN = "Start workers anew: in PyTorch, DataLoader(..., multiprocessing_context='spawn')."


def passed_gate(manifest: Mapping[str, Any] | None) -> bool:
    """Whether a manifest says that the gate let the rows through."""
    gate = (manifest or {}).get("gate")
    return isinstance(gate, dict) and not gate.get("refusals")


def newest_gated(table: str) -> int:
    """The newest version that the gate let through, and that has as many rows of each split as its manifest says.

    What somebody else has written on top is not taken. Where upkeep (OPTIMIZE, then VACUUM) has replaced the files of
    that version, it is the newest version of the upkeep, which holds the same rows.

    Raises InputMissing when there is no such version, or no such table. Costs a listing of the log, a file for each of
    its commits, and the footers of the files of one version.
    """
    _require_path(table)
    found = next(_readable(table, _gated(commits(table))), None)
    if found is None:
        raise InputMissing(
            where=f"table {table}",
            expected="a version that the gate let through, with all its rows",
            found="none",
            remedy="Publish one with `traintable run`; `traintable history` tells what is there.",
        )
    return found


def follow(
    table: str, *, after: int | None = None, poll_seconds: float = 1.0, stop: threading.Event | None = None
) -> Iterator[int]:
    """Yield each version that the gate lets through, once and in order, soon after it is there, until `stop` is set.

    Versions that were published between two polls all come; those without a passed gate never do. One that passed it,
    but whose files have been removed since, or whose rows are not as many as its manifest says, is left out, and this
    module's logger warns of it.

    Parameters
    ----------
    after : the version that was read last. Without it the newest one comes first, and then those that follow.

    Raises InputMissing when there is no such table, when commits after `after` have gone from the log, for versions may
    have been missed then, and when another table with fewer versions has taken its place. A poll costs a listing of the
    log; a new version its commit and the footers of its files.
    """
    _require_path(table)
    if poll_seconds <= 0:
        raise _wrong("poll_seconds", "more than 0", poll_seconds, "Give the seconds between two looks.")
    return _followed(table, after, poll_seconds, stop or threading.Event())


def batches(
    table: str,
    version: int | None = None,
    *,
    split: str,
    columns: Sequence[str] | None = None,
    batch_size: int = 65_536,
    shard: tuple[int, int] = (0, 1),
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of one split of a version, at most `batch_size` at a time, without loading the table.

    Parameters
    ----------
    version : by default the newest that the gate let through. Readers that share the work must name the same.
    columns : by default all, in the table's order.
    shard : (i, n) gives the i-th of n readers, from 0, its row groups: every n-th, in the order of file names. All n
        together get each row once; a reader beyond the number of row groups gets none.

    The order is the same each time. Memory: the columns of one row group as stored (Spark's have up to 128 MB), and a
    few batches. Each reader opens the footers of all files of the split. deltalake works in no process that was forked
    from one where it has been used, so PyTorch's DataLoader needs `multiprocessing_context="spawn"`.

    Raises ConfigError for a split, column, batch size or shard that can't be, and InputMissing when the table or the
    version is not there, or goes while it is read.
    """
    _require_path(table)
    if batch_size < 1:
        raise _wrong("batch_size", "1 or more", batch_size, "Give a number of rows.")
    if not 0 <= shard[0] < shard[1]:
        raise _wrong("shard", "(i, n) with 0 <= i < n", shard, "The first of n readers is (0, n).")
    version = newest_gated(table) if version is None else version
    schema, files = _opened(table, version)
    known = {*SPLITS, *files}
    if split not in known:
        raise _wrong("split", f"a split of {table}", f"'{split}'", nearest(split, known))
    names = list(schema.names if columns is None else columns)
    for name in names:
        if name not in schema.names:
            raise _wrong("columns", f"a column of {table}", f"'{name}'", nearest(name, schema.names))
    options = {"schema": schema, "columns": names, "batch_size": batch_size, "batch_readahead": 1}
    return _streamed(table, version, files.get(split, []), shard, options)


class _Gated(NamedTuple):
    """A version that the gate let through; `copies` are versions of upkeep that hold its rows in other files."""

    version: int
    manifest: Mapping[str, Any]
    copies: list[int]


def _gated(newest_first: Sequence[Commit]) -> Iterator[_Gated]:
    """The versions that the gate let through, among some commits in their order."""
    copies: list[int] = []
    for commit in newest_first:
        manifest = commit.manifest()
        if manifest is None and commit.operation in UPKEEP:
            copies.append(commit.version)
            continue
        if manifest is not None and passed_gate(manifest):
            yield _Gated(commit.version, manifest, copies)
        copies = []


def _readable(table: str, gated: Iterable[_Gated]) -> Iterator[int]:
    """For each version that the gate let through, the one where its rows are; those without are left out."""
    for one in gated:
        found = _whole(table, one)
        if found is not None:
            yield found


def _whole(table: str, gated: _Gated) -> int | None:
    """The version that has as many rows of each split as the manifest says, in files that are there."""
    published = (gated.manifest.get("rows") or {}).get("published") or {}
    expected = {split: n for split, n in published.items() if n}
    found = {}
    for version in (gated.version, *gated.copies):
        found[version] = _rows(table, version)
        if found[version] == expected:
            return version
    counts = ", ".join(f"version {version} {rows or 'none that can be read'}" for version, rows in found.items())
    _LOG.warning("table %s version %s is left out: published %s, found %s", table, gated.version, expected, counts)
    return None


def _rows(table: str, version: int) -> dict[str, int] | None:
    """The number of rows of each split, by the footers of the files; None where files, or the log, have gone."""
    from deltalake.exceptions import DeltaError
    from pyarrow import ArrowException

    try:
        _, files = _opened(table, version)
        return {split: sum(file.count_rows() for file in files[split]) for split in files}
    except InputMissing as error:
        if isinstance(error.__cause__, DeltaError):
            return None
        raise
    except FileNotFoundError:
        return None
    except (OSError, ArrowException) as error:
        raise _unreadable(table, version, error) from error


def _followed(table: str, after: int | None, poll_seconds: float, stop: threading.Event) -> Iterator[int]:
    if after is None:
        found = commits(table)
        after = found[0].version
        yield from islice(_readable(table, _gated(found)), 1)
    while not stop.is_set():
        newest = _require_all_since(table, after)
        if newest > after:
            found = commits(table, after=after)
            for version in _readable(table, reversed(list(_gated(found)))):
                if stop.is_set():
                    return
                yield version
            after = found[0].version
        stop.wait(poll_seconds)


def _require_all_since(table: str, after: int) -> int:
    """The newest version; InputMissing unless all that came after `after` are in the log."""
    there = versions(table)
    if there[0] <= after + 1 and after <= there[-1]:
        return there[-1]
    raise InputMissing(
        where=f"table {table}",
        expected=f"version {after} and all that came after it in the log",
        found=f"versions {there[0]} to {there[-1]}",
        remedy="Versions may have been missed. Follow it without `after`, which begins with the newest one.",
    )


def _opened(table: str, version: int) -> tuple[pa.Schema, dict[str, list[Any]]]:
    """The schema of a version, and its files (pyarrow's fragments) by split, in the order of their names."""
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError
    from pyarrow.dataset import get_partition_keys

    try:
        opened = DeltaTable(table, version=version, storage_options=storage_options(table))
        dataset = opened.to_pyarrow_dataset()
    except (DeltaError, OSError, OverflowError) as error:
        raise _unreadable(table, version, error) from error
    except BaseException as error:  # a panic of Rust is no Exception
        if "Forked process" not in str(error):
            raise
        raise _wrong(
            "the process", "one that was not forked after deltalake had been used", "one that was", _SPAWN
        ) from error
    files: dict[str, list[Any]] = {}
    for file in sorted(dataset.get_fragments(), key=lambda file: str(file.path)):
        files.setdefault(get_partition_keys(file.partition_expression).get(SPLIT, ""), []).append(file)
    return dataset.schema, files


def _streamed(
    table: str, version: int, files: list[Any], shard: tuple[int, int], options: dict[str, Any]
) -> Iterator[pa.RecordBatch]:
    from pyarrow import ArrowException

    number = 0
    try:
        for file in files:
            for group in file.split_by_row_group():
                if number % shard[1] == shard[0]:
                    yield from group.to_batches(**options)
                number += 1
    except (OSError, ArrowException) as error:
        raise _unreadable(table, version, error) from error


def _require_path(table: str) -> None:
    if not has_plain_log(table):
        raise _wrong("table", "a local path or an address s3a://bucket/prefix", f"'{table}'", "Others need Spark.")


def _unreadable(table: str, version: int, error: Exception) -> InputMissing:
    return InputMissing(
        where=f"table {table} version {version}",
        expected="a version whose log and files are there and can be read",
        found=first_line(error),
        remedy="`traintable history` tells which versions there are; VACUUM removes the files of old ones.",
    )


def _wrong(where: str, expected: str, found: object, remedy: str) -> ConfigError:
    return ConfigError(where=where, expected=expected, found=str(found), remedy=remedy)
