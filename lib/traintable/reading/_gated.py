"""Which versions of a training table passed the gate: the newest, and the next ones as they come."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from traintable.delta.commits import UPKEEP, Commit, commits, version_numbers
from traintable.delta.opened import open_version, require_path
from traintable.errors import ConfigError, InputMissing

_LOG = logging.getLogger(__name__)


def passed_gate(manifest: Mapping[str, Any] | None) -> bool:
    """Whether a manifest says that the rows passed the gate.

    >>> passed_gate({"traintable": "0.1.0", "gate": {"refusals": []}})
    True
    >>> passed_gate(None)  # a version that somebody else has written
    False
    """
    gate = (manifest or {}).get("gate")
    return isinstance(gate, dict) and not gate.get("refusals")


def newest_gated(table: str) -> int:
    """The newest version that passed the gate and has as many rows of each split as its manifest says.

    Rows that were erased since (`traintable forget`) do not count as missing. What others have written on top is
    skipped. Where upkeep (OPTIMIZE, then VACUUM) has replaced the files of that version, it is the newest version of
    the upkeep, which holds the same rows.

    Raises InputMissing when there is no such version, or no such table. Costs a listing of the log, a file for each of
    its commits, and the footers of the files of one version.

    >>> from traintable.delta.table import Table
    >>> manifest = {"traintable": "0.1.0", "gate": {"refusals": []}, "rows": {"published": {"train": 3}}}
    >>> rows = spark.range(3).selectExpr("id", "'train' AS split")
    >>> Table(f"{folder}/t").append(rows, partition_by=["split"], metadata=manifest)
    0
    >>> Table(f"{folder}/t").append(rows.limit(1))  # by somebody else
    1
    >>> newest_gated(f"{folder}/t")
    0
    """
    require_path(table)
    newest = next(_readable(table, _gated(commits(table))), None)
    if newest is None:
        raise InputMissing(
            where=f"table {table}",
            expected="a version that passed the gate, with all its rows",
            found="none",
            remedy="Publish one with `traintable run`; `traintable history` lists the versions.",
        )
    return newest


def follow(
    table: str, *, after: int | None = None, poll_seconds: float = 1.0, stop: threading.Event | None = None
) -> Iterator[int]:
    """Yield each version that passes the gate, once and in order, soon after its commit, until `stop` is set.

    Versions that were published between two polls all come; those without a passed gate never do. One that passed it,
    but whose files have been removed since, or whose rows are not as many as its manifest says, is left out, and this
    module's logger warns of it.

    Parameters
    ----------
    after : the version that was read last. Without it the newest one comes first, and then those that follow.

    Raises InputMissing when there is no such table, when commits after `after` have gone from the log, for versions may
    have been missed then, and when another table with fewer versions has taken its place. A poll costs a listing of the
    log; a new version its commit and the footers of its files.

    >>> from traintable.delta.table import Table
    >>> manifest = {"traintable": "0.1.0", "gate": {"refusals": []}, "rows": {"published": {"train": 3}}}
    >>> rows = spark.range(3).selectExpr("id", "'train' AS split")
    >>> Table(f"{folder}/t").append(rows, partition_by=["split"], metadata=manifest)
    0
    >>> versions = follow(f"{folder}/t")
    >>> next(versions)
    0
    """
    require_path(table)
    if poll_seconds <= 0:
        raise ConfigError(
            where="poll_seconds",
            expected="more than 0",
            found=str(poll_seconds),
            remedy="Give the seconds between two polls.",
        )
    return _followed(table, after, poll_seconds, stop or threading.Event())


class _Gated(NamedTuple):
    """A version that passed the gate; `copies` are versions of upkeep that hold its rows in other files."""

    version: int
    manifest: Mapping[str, Any]
    copies: list[int]


def _gated(newest_first: Sequence[Commit]) -> Iterator[_Gated]:
    """The versions that passed the gate, among some commits in their order."""
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
    """For each version that passed the gate, the one where its rows are; those without are left out."""
    for one in gated:
        found = _whole(table, one)
        if found is not None:
            yield found


def _whole(table: str, gated: _Gated) -> int | None:
    """The version that has as many rows of each split as the manifest says, in files that are there."""
    published = (gated.manifest.get("rows") or {}).get("published") or {}
    present = {}
    for version in (gated.version, *gated.copies):
        present[version] = _rows(table, version)
        if _agree(published, present[version], n_forgotten=_n_forgotten(gated.manifest)):
            return version
    counts = ", ".join(f"version {version} {rows or 'none that can be read'}" for version, rows in present.items())
    _LOG.warning("table %s version %s is left out: published %s, found %s", table, gated.version, published, counts)
    return None


def _agree(published: Mapping[str, int], present: Mapping[str, int] | None, *, n_forgotten: int) -> bool:
    """Whether the published rows are present, but for at most `n_forgotten`."""
    if present is None:
        return False
    missing = [published.get(split, 0) - present.get(split, 0) for split in {*published, *present}]
    return all(n >= 0 for n in missing) and sum(missing) <= n_forgotten


def _n_forgotten(manifest: Mapping[str, Any]) -> int:
    """How many rows an erasure has taken out of the version, whose manifest still counts them."""
    forgotten = manifest.get("forgotten") or {}
    return int(forgotten["rows"]) if forgotten.get("content_hash") == "of the rows before" else 0


def _rows(table: str, version: int) -> dict[str, int] | None:
    """The number of rows of each split, by the footers of the files; None where files, or the log, have gone."""
    from deltalake.exceptions import DeltaError
    from pyarrow import ArrowException

    try:
        opened = open_version(table, version)
    except InputMissing as error:
        if isinstance(error.__cause__, DeltaError):
            return None
        raise
    try:
        return {split: sum(file.count_rows() for file in files) for split, files in opened.splits.items()}
    except FileNotFoundError:
        return None
    except (OSError, ArrowException) as error:
        raise opened.unreadable(error) from error


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
    there = version_numbers(table)
    if there[0] <= after + 1 and after <= there[-1]:
        return there[-1]
    raise InputMissing(
        where=f"table {table}",
        expected=f"version {after} and all that came after it in the log",
        found=f"versions {there[0]} to {there[-1]}",
        remedy="Versions may have been missed. Follow it without `after`, which begins with the newest one.",
    )
