"""The actions of a commit that files make up: what the log says of the table, of them, and of those that go.

Reader version 1 and writer version 2 of the Delta protocol (https://github.com/delta-io/delta/blob/master/PROTOCOL.md).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple

from traintable.delta.data_files import DataFiles
from traintable.delta.log import Action, commit_info
from traintable.delta.properties import OWN_PROPERTIES

if TYPE_CHECKING:
    from deltalake import DeltaTable

READER_VERSION, WRITER_VERSION = 1, 2


class Transaction(NamedTuple):
    """What a commit is known by: it is made once, and not after one of the same `app` with a version as great."""

    app: str
    version: int


def info_action(version: int, files: DataFiles, mode: Literal["Append", "Overwrite"], metadata: str | None) -> Action:
    """What a commit of files says of itself."""
    written = [file.written for file in files.files]
    return commit_info(
        "WRITE",
        operationParameters={"mode": mode, "partitionBy": json.dumps(list(files.partition_by))},
        **({"readVersion": version - 1} if version else {}),
        isolationLevel="Serializable",
        isBlindAppend=mode == "Append",
        operationMetrics={
            "numFiles": str(len(written)),
            "numOutputRows": str(files.n_rows),
            "numOutputBytes": str(sum(file.bytes for file in written)),
        },
        txnId=str(uuid.uuid4()),
        **({} if metadata is None else {"userMetadata": metadata}),
    )


def protocol_action() -> Action:
    """What a new table asks of its readers and writers: no more than all of them know."""
    return {"protocol": {"minReaderVersion": READER_VERSION, "minWriterVersion": WRITER_VERSION}}


def metadata_action(opened: DeltaTable | None, now: int, files: DataFiles, properties: Mapping[str, str]) -> Action:
    """Schema, partitions and properties; of a table that is there, beside the properties that it has."""
    known = None if opened is None else opened.metadata()
    return {
        "metaData": {
            "id": str(uuid.uuid4()) if known is None else str(known.id),
            "format": {"provider": "parquet", "options": {}},
            "schemaString": json.dumps(files.schema),
            "partitionColumns": list(files.partition_by),
            "configuration": {**({} if known is None else known.configuration), **OWN_PROPERTIES, **properties},
            "createdTime": now if known is None or known.created_time is None else known.created_time,
        }
    }


def transaction_actions(transaction: Transaction | None, now: int) -> Iterable[Action]:
    """The mark by which the commit is known, if it is of a transaction."""
    if transaction is not None:
        yield {"txn": {"appId": transaction.app, "version": transaction.version, "lastUpdated": now}}


def remove_actions(opened: DeltaTable, now: int) -> Iterator[Action]:
    """All files that the table has go."""
    files = opened.get_add_actions(flatten=False)
    for path, size, partition in zip(
        *(files.column(name).to_pylist() for name in ("path", "size_bytes", "partition")), strict=True
    ):
        values = {"extendedFileMetadata": True, "partitionValues": dict(partition), "size": size}
        yield {"remove": {"path": path, "deletionTimestamp": now, "dataChange": True, **values}}


def add_actions(files: DataFiles, now: int) -> Iterator[Action]:
    """The files come."""
    for file in files.files:
        yield {
            "add": {
                "path": file.path,
                "partitionValues": dict(file.partition),
                "size": file.written.bytes,
                "modificationTime": now,
                "dataChange": True,
                "stats": file.written.stats,
            }
        }
