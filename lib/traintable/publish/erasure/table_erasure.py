"""One table that rows are to be forgotten in: the training table, its quarantine, or a copy."""

from __future__ import annotations

import secrets
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from traintable.columns import SPLIT
from traintable.delta.log import (
    Action,
    add_commit,
    commit_info,
    data_file_name,
    is_log_file,
    now_ms,
    summary_names,
)
from traintable.delta.versions import TableVersion, table_folder, table_versions
from traintable.errors import InputMissing
from traintable.publish.erasure.key import Key
from traintable.publish.erasure.log import Replacement, rewrite_log
from traintable.publish.erasure.matching_rows import RowMatch, count_matches, write_without
from traintable.publish.vacuum import remove_files
from traintable.storage.folder import is_unfinished


class TableErasure:
    """A table, and its rows of the key: reads the key's columns in all its data files, named or not.

    Attributes
    ----------
    hits : for each data file that has such rows, how many, by the values of the column `by`.
    versions : as they are before anything is done.
    """

    def __init__(self, table: str, key: Key, rows: RowMatch, *, by: str | None = None) -> None:
        self.table, self.key, self.rows, self._by = table, key, rows, by
        self.files = table_folder(table)
        listed = [file.name for file in self.files.files()]
        self.leftovers = [name for name in listed if is_unfinished(name)]
        self.names = set(listed) - set(self.leftovers)
        self.versions = list(table_versions(self.files, self.names))
        data = sorted(name for name in self.names if name.endswith(".parquet") and not is_log_file(name))
        counted = {name: self._count(name) for name in data}
        self.hits = {name: n for name, n in counted.items() if n.total()}

    @property
    def newest(self) -> TableVersion:
        """The newest version before anything is done."""
        return self.versions[-1]

    def n_matching(self, version: TableVersion) -> int:
        """How many rows of a version are of the key, as far as its files are there."""
        return sum(self.hits[name].total() for name in version.files.keys() & self.hits.keys())

    def by_split(self) -> Counter[str]:
        """How many rows of the newest version are of the key, in each split."""
        counts = Counter[str]()
        for name in self.newest.files.keys() & self.hits.keys():
            counts[str((self.newest.files[name].get("partitionValues") or {}).get(SPLIT))] += self.hits[name].total()
        return counts

    def forget(self, require: Callable[[], None], describe: Callable[[list[str]], str | None]) -> dict[str, Any]:
        """Exchange the files with rows of the key, in every version, and remove them.

        First a commit gives the newest version its new files, then the log names them in the older versions, then the
        old files go. `require` is called before anything that others see; `describe` gives the userMetadata of the
        commit for the paths of the files that the table then has.
        Returns what was done: `rewritten` and `deleted` files, those of the log that were `redacted`.
        """
        remove_files(self.files, self.leftovers, self.leftovers)
        named = {name for version in self.versions for name in version.files}
        replacements = {name: self._replace(name) for name in sorted(self.hits) if name in named}
        require()
        commits = self._commit(replacements, describe) if self.newest.files.keys() & replacements.keys() else set()
        names = self.names | commits
        for name in summary_names(names):
            remove_files(self.files, [name], names)
        there = (self.names - self.hits.keys()) | {data_file_name(new.path) for new in replacements.values()}
        redacted = rewrite_log(self.files, names, self.key, replacements, there)
        remove_files(self.files, self.hits, self.names)
        return {
            "rewritten": [new.path for new in replacements.values()],
            "deleted": sorted(self.hits),
            "redacted": redacted,
        }

    def _count(self, name: str) -> Counter[str]:
        try:
            with self.files.open(name) as opened:
                return count_matches(opened, self.rows, by=self._by)
        except KeyError as error:
            found = f"none named {error}"
        except pa.ArrowException:
            found = "no Parquet file, or a damaged one"
        raise InputMissing(
            where=f"file {self.files.address}/{name}",
            expected="the columns of the key",
            found=found,
            remedy="Nothing was changed, for nobody knows whose rows it has. Remove the versions that have it, or wait "
            "a day if none has it: traintable vacuum.",
        )

    def _replace(self, name: str) -> Replacement:
        """Write a file of a new name without the rows of the key."""
        place, slash, _ = name.rpartition("/")
        last = f"part-{secrets.token_hex(16)}.parquet"
        with tempfile.TemporaryDirectory() as temporary:
            path = Path(temporary, last)
            with self.files.open(name) as opened:
                n = write_without(opened, self.rows, str(path))
            size = path.stat().st_size
            self.files.put(f"{place}{slash}{last}", str(path))
        old = next(v.files[name]["path"] for v in self.versions if name in v.files)
        return Replacement(f"{old.rpartition('/')[0]}{slash}{last}", size, n, self.hits[name].total(), now_ms())

    def _commit(self, replacements: dict[str, Replacement], describe: Callable[[list[str]], str | None]) -> set[str]:
        new = {n: replacements[n].action(add) if n in replacements else add for n, add in self.newest.files.items()}
        metadata = describe([add["path"] for add in new.values()])
        actions = [commit_info("DELETE", **({} if metadata is None else {"userMetadata": metadata}))]
        for name in sorted(new.keys() & replacements.keys()):
            actions += [{"remove": _remove_action(self.newest.files[name])}, {"add": {**new[name], "dataChange": True}}]
        return {add_commit(self.files, self.newest.number + 1, actions)}


def _remove_action(add: Action) -> Action:
    known = {name: add[name] for name in ("path", "partitionValues", "size")}
    return {**known, "deletionTimestamp": now_ms(), "dataChange": True, "extendedFileMetadata": True}
