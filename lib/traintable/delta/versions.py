"""The files that each version of a table consists of, read from its log without Spark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from traintable.addresses import is_catalog_name, is_remote, is_s3
from traintable.delta.commits import UPKEEP
from traintable.delta.log import (
    Action,
    commit_names,
    data_file_name,
    first_checkpoint,
    only_spark_reads,
    read_actions,
    unreadable_log,
    version_in,
)
from traintable.delta.manifest import Manifest, parse_manifest
from traintable.errors import ConfigError
from traintable.storage.folder import Folder, folder

# Features that leave it to the paths, sizes and statistics in the log what a version consists of.
_PLAIN = {"appendOnly", "invariants", "checkConstraints", "generatedColumns", "changeDataFeed", "identityColumns"}
_PLAIN |= {"timestampNtz", "vacuumProtocolCheck"}


@dataclass(frozen=True)
class TableVersion:
    """One version of a table.

    Attributes
    ----------
    number : 0 for the first.
    committed_ms : when it was committed, in milliseconds since 1970 by its writer's clock; None where it isn't known.
    manifest : what was published with its rows, which upkeep leaves as they are; None where somebody else wrote them.
    files : all its data files by name, each with the log's `add` of it.
    metadata, protocol : the actions of these names that hold for it.
    """

    number: int
    committed_ms: int | None
    manifest: Manifest | None
    files: dict[str, Action]
    metadata: Action
    protocol: Action

    @property
    def model(self) -> str | None:
        """Where the model of the rows was saved, if they have one."""
        return self.manifest.get("model") if self.manifest else None


def table_folder(table: str) -> Folder:
    """The folder of a table at a path or on S3; ConfigError for other places, whose files can't be listed here."""
    if is_catalog_name(table) or (is_remote(table) and not is_s3(table)):
        raise ConfigError(
            where=f"table {table}",
            expected="a path, or an address s3a://bucket/prefix",
            found="a table of a catalog" if is_catalog_name(table) else "another kind of storage",
            remedy="Give the place where the table's files lie, if that is one of these.",
        )
    return folder(table)


def table_versions(files: Folder, names: Iterable[str] | None = None) -> Iterator[TableVersion]:
    """The versions of a table that its log still has, in ascending order.

    `names` are those of all files of the folder, where they have been listed. Costs a request for each commit, and
    memory for the names of one version's files. Raises InputMissing where there is no table, or commits are missing in
    its log, and ConfigError for a table with features that only Spark knows.
    """
    listed = list(files.names() if names is None else names)
    commits = commit_names(listed)
    if not commits:
        raise unreadable_log(files, "no log" if listed else "nothing there")
    first, state = min(commits), _State()
    if first > 0:
        checkpoint = first_checkpoint(listed)
        if not checkpoint:
            raise unreadable_log(files, f"a log that begins at version {first}, without a checkpoint of what was there")
        for name in checkpoint:
            state.apply(read_actions(files, name))
        first = version_in(checkpoint[0])
        yield state.version(first)
        first += 1
    for number in range(first, max(commits) + 1):
        if number not in commits:
            raise unreadable_log(files, f"a log without version {number}")
        state.apply(read_actions(files, commits[number]))
        yield state.version(number)


def newest_version(files: Folder) -> TableVersion:
    """The newest version of a table; errors and cost are those of `table_versions`."""
    *_, newest = table_versions(files)
    return newest


class _State:
    """What the actions up to some version come to."""

    def __init__(self) -> None:
        self.files: dict[str, Action] = {}
        self.info: Action = {}
        self.manifest: Manifest | None = None
        self.metadata: Action = {}
        self.protocol: Action = {}

    def apply(self, actions: list[Action]) -> None:
        """Apply the actions of one commit, or of a checkpoint."""
        self.info, added, same_rows = {}, dict[str, Action](), True
        for action in actions:
            same_rows = same_rows and not (action.get("add") or action.get("remove"))
            if action.get("add"):
                added[data_file_name(action["add"]["path"])] = action["add"]
            if action.get("remove"):
                self.files.pop(data_file_name(action["remove"]["path"]), None)
            self.info = action.get("commitInfo") or self.info
            self.metadata = action.get("metaData") or self.metadata
            self.protocol = action.get("protocol") or self.protocol
        self.files.update(added)
        manifest = parse_manifest(self.info.get("userMetadata"))
        if not same_rows or manifest:
            is_upkeep = self.info.get("operation") in UPKEEP
            self.manifest = manifest or (self.manifest if is_upkeep else None)
        self._require_plain()

    def version(self, number: int) -> TableVersion:
        """What they come to, as the version of that number."""
        at = self.info.get("inCommitTimestamp") or self.info.get("timestamp")
        return TableVersion(
            number,
            None if at is None else int(at),
            self.manifest,
            dict(self.files),
            self.metadata,
            self.protocol,
        )

    def _require_plain(self) -> None:
        protocol, configuration = self.protocol, self.metadata.get("configuration") or {}
        features = {*(protocol.get("readerFeatures") or ()), *(protocol.get("writerFeatures") or ())} - _PLAIN
        if configuration.get("delta.columnMapping.mode", "none") != "none":
            features.add("columnMapping")
        if features:
            raise only_spark_reads(
                str(self.metadata.get("id")), "no features but those of plain tables", str(sorted(features))
            )
