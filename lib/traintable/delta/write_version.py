"""The one entry of a Delta log that makes a candidate the next version of its table, put where there is none.

Nobody else's entry is ever overwritten: on a local disk a link is made, on S3 an object with `If-None-Match: *`. When
the reply to that is lost, the entry tells whether it is ours. The format is that of the Delta protocol
(https://github.com/delta-io/delta/blob/master/PROTOCOL.md), reader version 1 and writer version 2.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import traintable
from traintable.columns import SPLIT, split_folder
from traintable.delta.commits import KEEP_HISTORY, READABLE_BY_ALL, commit_name, storage_options
from traintable.delta.data_files import Written
from traintable.errors import ConfigError, LeaseLost
from traintable.storage.folder import folder

if TYPE_CHECKING:
    from deltalake import DeltaTable

READER_VERSION, WRITER_VERSION = 1, 2
_CHECKPOINT_EVERY = 10  # versions


def commit_files(
    table: str,
    files: Mapping[str, Sequence[Written]],
    *,
    schema: Mapping[str, Any],
    features: Sequence[str],
    manifest: str,
) -> int:
    """Make files of splits, which lie in the table's folder, all that the table holds; gives the version.

    `schema` is that of the table, as Spark writes it in JSON. The rows, the names of the features (table property
    `traintable.features`, JSON) and the manifest (the commit's `userMetadata`) appear in one commit. Costs no pass.
    Raises LeaseLost when somebody else has committed meanwhile; then nothing is published.
    """
    opened = _opened(table)
    if not _is_plain(opened):
        raise _not_takeable(table)
    _require_there(table, files)
    version = 0 if opened is None else opened.version() + 1
    now = int(time.time() * 1000)
    actions = [
        _about(version, now, files, manifest),
        *([] if opened is not None else [_protocol()]),
        _metadata(opened, now, schema, features),
        *([] if opened is None else _removed(opened, now)),
        *(_added(part, file, now) for part, found in sorted(files.items()) for file in found),
    ]
    content = "\n".join(json.dumps(action, separators=(",", ":")) for action in actions) + "\n"
    if not folder(table).create(commit_name(version), content.encode()):
        raise LeaseLost(
            where=f"table {table}",
            expected=f"to write its version {version} first",
            found="that another writer has written it, without a lease",
            remedy="Nothing was published. Run again, and let nobody else write to this table.",
        )
    if version and version % _CHECKPOINT_EVERY == 0:
        _checkpoint(table)
    return version


def can_take(table: str) -> bool:
    """Whether nobody has given the table features that other readers, and this writer, do not know."""
    return _is_plain(_opened(table))


def _is_plain(opened: DeltaTable | None) -> bool:
    return opened is None or (
        opened.protocol().min_reader_version <= READER_VERSION
        and opened.protocol().min_writer_version <= WRITER_VERSION
        and opened.metadata().partition_columns == [SPLIT]
        and opened.metadata().configuration.get("delta.appendOnly") != "true"
    )


def _not_takeable(table: str) -> ConfigError:
    return ConfigError(
        where=f"table {table}",
        expected="a table whose rows may be replaced, without features of later versions of Delta",
        found="one that has been changed meanwhile",
        remedy="Nothing was published. Run again: its rows are then written by Spark, if Delta lets it.",
    )


def _require_there(table: str, files: Mapping[str, Sequence[Written]]) -> None:
    """Raise LeaseLost unless all files are where this process finds them, and whole."""
    for part, written in files.items():
        there = {file.name: file.bytes for file in folder(f"{table}/{split_folder(part)}").files()}
        gone = [file.path for file in written if there.get(file.path) != file.bytes]
        if gone:
            raise LeaseLost(
                where=f"table {table}",
                expected=f"the files that tasks have written, {len(written)} of split '{part}'",
                found=f"{len(gone)} of them gone, or on the disk of another machine, such as {gone[0]}",
                remedy="Nothing was published. Run again; a table of a cluster lies on storage that all of it shares.",
            )


def _opened(table: str) -> DeltaTable | None:
    """The table as it is now; None where there is none."""
    from deltalake import DeltaTable
    from deltalake.exceptions import TableNotFoundError

    try:
        return DeltaTable(table, storage_options=storage_options(table))
    except TableNotFoundError:
        return None


def _about(version: int, now: int, files: Mapping[str, Sequence[Written]], manifest: str) -> dict[str, Any]:
    every = [file for found in files.values() for file in found]
    return {
        "commitInfo": {
            "timestamp": now,
            "operation": "WRITE",
            "operationParameters": {"mode": "Overwrite", "partitionBy": json.dumps([SPLIT])},
            **({"readVersion": version - 1} if version else {}),
            "isolationLevel": "Serializable",
            "isBlindAppend": False,
            "operationMetrics": {
                "numFiles": str(len(every)),
                "numOutputRows": str(sum(file.n for file in every)),
                "numOutputBytes": str(sum(file.bytes for file in every)),
            },
            "engineInfo": f"traintable/{traintable.__version__}",
            "txnId": str(uuid.uuid4()),
            "userMetadata": manifest,
        }
    }


def _protocol() -> dict[str, Any]:
    return {"protocol": {"minReaderVersion": READER_VERSION, "minWriterVersion": WRITER_VERSION}}


def _metadata(
    opened: DeltaTable | None, now: int, schema: Mapping[str, Any], features: Sequence[str]
) -> dict[str, Any]:
    known = None if opened is None else opened.metadata()
    configuration = {**({} if known is None else known.configuration), **READABLE_BY_ALL, **KEEP_HISTORY}
    return {
        "metaData": {
            "id": str(uuid.uuid4()) if known is None else str(known.id),
            "format": {"provider": "parquet", "options": {}},
            "schemaString": json.dumps(schema),
            "partitionColumns": [SPLIT],
            "configuration": {**configuration, "traintable.features": json.dumps(list(features))},
            "createdTime": now if known is None or known.created_time is None else known.created_time,
        }
    }


def _removed(opened: DeltaTable, now: int) -> Iterable[dict[str, Any]]:
    found = opened.get_add_actions(flatten=False)
    for path, size, partition in zip(
        *(found.column(name).to_pylist() for name in ("path", "size_bytes", "partition")), strict=True
    ):
        values = {"extendedFileMetadata": True, "partitionValues": dict(partition), "size": size}
        yield {"remove": {"path": path, "deletionTimestamp": now, "dataChange": True, **values}}


def _added(part: str, file: Written, now: int) -> dict[str, Any]:
    return {
        "add": {
            "path": f"{split_folder(part)}/{file.path}",
            "partitionValues": {SPLIT: part},
            "size": file.bytes,
            "modificationTime": now,
            "dataChange": True,
            "stats": file.stats,
        }
    }


def _checkpoint(table: str) -> None:
    """Sum up the log, so that readers are quick; where that fails they are slower, and the next one sums up."""
    from deltalake import DeltaTable

    with suppress(Exception):  # whatever it is, the version is published
        DeltaTable(table, storage_options=storage_options(table)).create_checkpoint()
