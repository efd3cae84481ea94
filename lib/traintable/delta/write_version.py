"""The one entry of a Delta log that makes files the next version of their table, put where there is none.

Nobody else's entry is ever overwritten: on a local disk a link is made, on S3 an object with `If-None-Match: *`. When
the reply to that is lost, the content of the entry shows whether it is ours. The format is that of the Delta protocol
(https://github.com/delta-io/delta/blob/master/PROTOCOL.md), reader version 1 and writer version 2.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from traintable.delta.commit_actions import (
    READER_VERSION,
    WRITER_VERSION,
    Transaction,
    add_actions,
    info_action,
    metadata_action,
    protocol_action,
    remove_actions,
    transaction_actions,
)
from traintable.delta.commits import storage_options
from traintable.delta.data_files import DataFiles, TableFile
from traintable.delta.log import create_commit, now_ms
from traintable.errors import ConfigError, LeaseLost, TableBusy
from traintable.storage.folder import folder

if TYPE_CHECKING:
    from deltalake import DeltaTable

_CHECKPOINT_EVERY = 10  # versions
_TRIES = 15  # of an append, where others append at the same time


def replace_with_files(
    table: str,
    files: DataFiles,
    *,
    metadata: str | None,
    properties: Mapping[str, str],
    transaction: Transaction | None = None,
) -> int:
    """Make files all that the table holds, with their schema, in one commit; gives the version. Costs no pass.

    Properties that the table has already and that are not given stay. Raises LeaseLost when somebody else has committed
    meanwhile, or files are not there; then nothing is published.
    """
    opened = _open_table(table)
    if opened is not None and is_done(opened, transaction):
        return opened.version()
    if not _is_replaceable(opened, files.partition_by):
        raise _not_replaceable(table)
    _require_there(table, files.files)
    version, now = _next_version(opened), now_ms()
    actions = [
        info_action(version, files, "Overwrite", metadata),
        *([] if opened is not None else [protocol_action()]),
        metadata_action(opened, now, files, properties),
        *transaction_actions(transaction, now),
        *([] if opened is None else remove_actions(opened, now)),
        *add_actions(files, now),
    ]
    if not create_commit(folder(table), version, actions):
        raise LeaseLost(
            where=f"table {table}",
            expected=f"to write its version {version} first",
            found="that another writer has written it, without a lease",
            remedy="Nothing was published. Run again, and let nobody else write to this table.",
        )
    _sum_up(table, version)
    return version


def append_files(
    table: str,
    files: DataFiles,
    *,
    metadata: str | None,
    properties: Mapping[str, str],
    transaction: Transaction | None = None,
    require: Callable[[], None] = lambda: None,
) -> int:
    """Add files to a table, which is made if there is none, in one commit; gives the version. Costs no pass.

    Where another writer has committed meanwhile, the commit is tried again behind that one; `require` is called before
    each try. Raises ConfigError where the table does not take the files as they are (see `takes_files`), and TableBusy
    where all tries came too late.
    """
    for _ in range(_TRIES):
        opened = _open_table(table)
        if opened is not None and is_done(opened, transaction):
            return opened.version()
        if not _is_appendable(opened, files):
            raise _not_appendable(table)
        version, now = _next_version(opened), now_ms()
        actions = [
            info_action(version, files, "Append", metadata),
            *([protocol_action(), metadata_action(None, now, files, properties)] if opened is None else []),
            *transaction_actions(transaction, now),
            *add_actions(files, now),
        ]
        require()
        if create_commit(folder(table), version, actions):
            _sum_up(table, version)
            return version
    raise TableBusy(
        where=f"table {table}",
        expected=f"to add to it in {_TRIES} tries",
        found="that other writers were first each time",
        remedy="Nothing was added. Run again when fewer write to it.",
    )


def takes_files(table: str, files: DataFiles) -> bool:
    """Whether all that it takes to append rows is a commit of files: nothing has to be checked, split or changed.

    So it is where the table has these columns, of these types, is partitioned by the same ones, and has no constraints
    or other features; or where there is none, and it can be of the first kind.
    """
    return _is_appendable(_open_table(table), files)


def can_replace_with_files(table: str, partition_by: Sequence[str]) -> bool:
    """Whether nobody has given the table features that other readers, and this writer, do not know."""
    return _is_replaceable(_open_table(table), partition_by)


def is_done(opened: DeltaTable, transaction: Transaction | None) -> bool:
    """Whether a table has a commit of the transaction, or of a later version of the same application."""
    if transaction is None:
        return False
    version = opened.transaction_version(transaction.app)
    return version is not None and version >= transaction.version


def _next_version(opened: DeltaTable | None) -> int:
    return 0 if opened is None else opened.version() + 1


def _is_replaceable(opened: DeltaTable | None, partition_by: Sequence[str]) -> bool:
    return opened is None or (
        _is_plain(opened, partition_by) and opened.metadata().configuration.get("delta.appendOnly") != "true"
    )


def _is_appendable(opened: DeltaTable | None, files: DataFiles) -> bool:
    if "timestamp_ntz" in json.dumps(files.schema):
        return False
    if opened is None:
        return True
    columns = {field["name"]: field for field in json.loads(opened.schema().to_json())["fields"]}
    are_plain = all(field["nullable"] and not field.get("metadata") for field in columns.values())
    ours = [(field["name"], field["type"]) for field in files.schema["fields"]]
    are_there = all(name in columns and kind == columns[name]["type"] for name, kind in ours)
    return _is_plain(opened, files.partition_by) and are_plain and are_there


def _is_plain(opened: DeltaTable, partition_by: Sequence[str]) -> bool:
    protocol = opened.protocol()
    is_known = protocol.min_reader_version <= READER_VERSION and protocol.min_writer_version <= WRITER_VERSION
    return is_known and opened.metadata().partition_columns == list(partition_by)


def _not_replaceable(table: str) -> ConfigError:
    return ConfigError(
        where=f"table {table}",
        expected="a table whose rows may be replaced, without features of later versions of Delta",
        found="one that has been changed meanwhile",
        remedy="Nothing was published. Run again: its rows are then written by Spark, if Delta lets it.",
    )


def _not_appendable(table: str) -> ConfigError:
    return ConfigError(
        where=f"table {table}",
        expected="a table of the same columns and partitions, without constraints or features of later versions",
        found="another one, or one that has been changed meanwhile",
        remedy="Nothing was added. Run again: its rows are then written by Spark, if Delta lets it.",
    )


def _require_there(table: str, files: Sequence[TableFile]) -> None:
    """Raise LeaseLost unless all files are where this process finds them, and whole."""
    by_folder: dict[str, list[TableFile]] = {}
    for file in files:
        by_folder.setdefault(os.path.dirname(file.path), []).append(file)
    for place, expected in by_folder.items():
        there = {file.name: file.bytes for file in folder(f"{table}/{place}".rstrip("/")).files()}
        missing = [file.path for file in expected if there.get(os.path.basename(file.path)) != file.written.bytes]
        if missing:
            raise LeaseLost(
                where=f"table {table}",
                expected=f"the files that tasks have written, {len(expected)} in the folder '{place}'",
                found=f"{len(missing)} of them gone, or on the disk of another machine, such as {missing[0]}",
                remedy="Nothing was published. Run again; a table of a cluster lies on storage that all of it shares.",
            )


def _open_table(table: str) -> DeltaTable | None:
    """The table as it is now; None where there is none."""
    from deltalake import DeltaTable
    from deltalake.exceptions import TableNotFoundError

    try:
        return DeltaTable(table, storage_options=storage_options(table))
    except TableNotFoundError:
        return None


def _sum_up(table: str, version: int) -> None:
    """Write a checkpoint now and then, so that readers are quick; where that fails they are slower until the next."""
    from deltalake import DeltaTable

    if version and version % _CHECKPOINT_EVERY == 0:
        with suppress(Exception):  # whatever it is, the version is published
            DeltaTable(table, storage_options=storage_options(table)).create_checkpoint()
