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
from traintable.delta.commits import LOG
from traintable.delta.versions import Action, Version, commit, file_name, info_of, now, table_folder, versions
from traintable.errors import InputMissing
from traintable.publish.erasure.key import Key
from traintable.publish.erasure.log import Replaced, rewrite, summaries
from traintable.publish.erasure.rows import Rows, count, write_without
from traintable.publish.vacuum import remove_files
from traintable.storage.folder import is_unfinished


class Target:
    """A table, and the rows in it that are meant: reads the key's columns in all its data files, named or not.

    Attributes
    ----------
    hits : for each data file that has such rows, how many, by the values of the column `by`.
    versions : as they are before anything is done.
    """

    def __init__(self, table: str, key: Key, rows: Rows, *, by: str | None = None) -> None:
        self.table, self.key, self.rows, self._by = table, key, rows, by
        self.files = table_folder(table)
        listed = [file.name for file in self.files.files()]
        self.leftovers = [name for name in listed if is_unfinished(name)]
        self.names = set(listed) - set(self.leftovers)
        self.versions = list(versions(self.files, self.names))
        data = sorted(name for name in self.names if name.endswith(".parquet") and not name.startswith(f"{LOG}/"))
        counted = {name: self._counted(name) for name in data}
        self.hits = {name: n for name, n in counted.items() if n.total()}

    @property
    def newest(self) -> Version:
        """The newest version before anything is done."""
        return self.versions[-1]

    def n_meant(self, version: Version) -> int:
        """How many rows of a version are meant, as far as its files are there."""
        return sum(self.hits[name].total() for name in version.files.keys() & self.hits.keys())

    def by_split(self) -> Counter[str]:
        """How many rows of the newest version are meant in each split."""
        found = Counter[str]()
        for name in self.newest.files.keys() & self.hits.keys():
            found[str((self.newest.files[name].get("partitionValues") or {}).get(SPLIT))] += self.hits[name].total()
        return found

    def forget(self, require: Callable[[], None], told: Callable[[list[str]], str | None]) -> dict[str, Any]:
        """Exchange the files with rows that are meant, in every version, and remove them.

        First a commit gives the newest version its new files, then the log names them in the older versions, then the
        old files go. `require` is called before anything that others see; `told` gives the userMetadata of the commit
        for the paths of the files that the table then has.
        Returns what was done: `rewritten` and `deleted` files, those of the log that were `redacted`.
        """
        remove_files(self.files, self.leftovers, self.leftovers)
        named = {name for version in self.versions for name in version.files}
        replaced = {name: self._replaced(name) for name in sorted(self.hits) if name in named}
        require()
        commits = self._commit(replaced, told) if self.newest.files.keys() & replaced.keys() else set()
        names = self.names | commits
        for name in summaries(names):
            remove_files(self.files, [name], names)
        there = (self.names - self.hits.keys()) | {file_name(new.path) for new in replaced.values()}
        redacted = rewrite(self.files, names, self.key, replaced, there)
        remove_files(self.files, self.hits, self.names)
        return {
            "rewritten": [new.path for new in replaced.values()],
            "deleted": sorted(self.hits),
            "redacted": redacted,
        }

    def _counted(self, name: str) -> Counter[str]:
        try:
            with self.files.open(name) as opened:
                return count(opened, self.rows, by=self._by)
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

    def _replaced(self, name: str) -> Replaced:
        """Write a file of a new name without the rows that are meant."""
        place, slash, _ = name.rpartition("/")
        last = f"part-{secrets.token_hex(16)}.parquet"
        with tempfile.TemporaryDirectory() as temporary:
            path = Path(temporary, last)
            with self.files.open(name) as opened:
                n = write_without(opened, self.rows, str(path))
            size = path.stat().st_size
            self.files.put(f"{place}{slash}{last}", str(path))
        old = next(v.files[name]["path"] for v in self.versions if name in v.files)
        return Replaced(f"{old.rpartition('/')[0]}{slash}{last}", size, n, self.hits[name].total(), now())

    def _commit(self, replaced: dict[str, Replaced], told: Callable[[list[str]], str | None]) -> set[str]:
        new = {n: replaced[n].action(add) if n in replaced else add for n, add in self.newest.files.items()}
        metadata = told([add["path"] for add in new.values()])
        actions = [info_of("DELETE", **({} if metadata is None else {"userMetadata": metadata}))]
        for name in sorted(new.keys() & replaced.keys()):
            actions += [{"remove": _removed(self.newest.files[name])}, {"add": {**new[name], "dataChange": True}}]
        return {commit(self.files, self.newest.number + 1, actions)}


def _removed(add: Action) -> Action:
    about = {name: add[name] for name in ("path", "partitionValues", "size")}
    return {**about, "deletionTimestamp": now(), "dataChange": True, "extendedFileMetadata": True}
