"""A Delta table: the one way to write to it, and to read what it says of itself.

    table = Table("/data/landed")
    version = table.append(rows, transaction=Transaction("stream-7", batch), metadata={"batch": batch})
    table.rows(spark, version)

Every table gets the properties by which all readers can open it and its history stays. A commit is there whole or not
at all, and gives its version; with a transaction it is made once, however often it is repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from typing_extensions import Unpack

from traintable.addresses import identifier, is_catalog_name
from traintable.delta import write_rows, write_version
from traintable.delta.commit_actions import Transaction
from traintable.delta.commits import (
    Commit,
    commits,
    has_commits,
    has_plain_log,
    is_read_without_spark,
    newest_commits,
    storage_options,
    version_numbers,
)
from traintable.delta.data_files import DataFiles
from traintable.delta.lease import TTL_SECONDS, WAIT_SECONDS, Lease, lease
from traintable.delta.manifest import manifest_json
from traintable.delta.opened import require_path
from traintable.delta.properties import OWN_PROPERTIES
from traintable.delta.write_rows import CommitOptions, MergeClauses, Mode, WriteOptions
from traintable.spark.session import get_spark

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["DataFiles", "MergeClauses", "Table", "Transaction", "WriteOptions"]


class Table:
    """A Delta table at a path or an address, or under a name of a catalog; it need not be there yet.

    Parameters
    ----------
    spark : the session whose catalog has the table, if it is one of a catalog.
    is_shared : other writers may write to the table at the same time, so that every commit takes the lease on it. In
        the body of `exclusive` one lease is held for all commits.

    Attributes
    ----------
    address : as it was given.

    What writes gives the version of the commit, or the newest where its transaction was there already or nothing was to
    be done; for the options see `WriteOptions`. It raises TableBusy where others hold the lease, or write, too long,
    and LeaseLost where the lease has passed to somebody else meanwhile: then nothing was committed.
    """

    def __init__(self, address: str, *, spark: SparkSession | None = None, is_shared: bool = False) -> None:
        self.address = address
        self.is_shared = is_shared
        self._spark = spark
        self._lease: Lease | None = None

    @property
    def exists(self) -> bool:
        """Whether there is a table: not where its first write was cut short before the commit."""
        if is_read_without_spark(self.address):
            return has_commits(self.address)
        if is_catalog_name(self.address):
            return self._session.catalog.tableExists(identifier(self.address))
        from delta.tables import DeltaTable

        return DeltaTable.isDeltaTable(self._session, self.address)

    @property
    def version(self) -> int:
        """The newest version; InputMissing where there is no table. Costs a listing of the log."""
        if is_read_without_spark(self.address):
            return version_numbers(self.address)[-1]
        return next(newest_commits(self.address, self._session)).version

    @property
    def id(self) -> str:
        """The identity that Delta gives the table; another one made in its place has another."""
        return str(self._open_table().metadata().id)

    def commits(self, *, after: int = -1) -> list[Commit]:
        """The commits, newest first; with `after` those of later versions only. InputMissing where none is."""
        return commits(self.address, self._spark, after=after)

    def newest_commits(self) -> Iterator[Commit]:
        """The commits, newest first, each read when it is needed."""
        return newest_commits(self.address, self._spark)

    def has(self, transaction: Transaction) -> bool:
        """Whether the table has a commit of the transaction; at a path or on S3 only. Reads the log."""
        return self.exists and write_version.is_done(self._open_table(), transaction)

    def rows(
        self, spark: SparkSession, version: int | None = None, *, options: Mapping[str, Any] | None = None
    ) -> DataFrame:
        """The rows of a version (default: the newest), with these options of Delta's reader; costs no pass itself."""
        reader = spark.read if version is None else spark.read.option("versionAsOf", version)
        return write_rows.load(reader.options(**(options or {})), self.address)

    def to_arrow(self) -> pa.Table:
        """All rows of the newest version, in memory, without Spark; for small tables at a path or on S3."""
        return self._open_table().to_pyarrow_table()

    @contextmanager
    def exclusive(self, *, ttl_seconds: float = TTL_SECONDS, wait_seconds: float = WAIT_SECONDS) -> Iterator[Lease]:
        """Hold the lease on the table while the body runs; each commit in it makes sure of it. See `delta.lease`."""
        with lease(self.address, ttl_seconds=ttl_seconds, wait_seconds=wait_seconds) as held:
            self._lease = held
            try:
                yield held
            finally:
                self._lease = None

    def append(self, rows: DataFrame, **options: Unpack[WriteOptions]) -> int:
        """Add rows to the table, which is made if there is none. Costs one pass over the rows."""
        return self._write(rows, "append", CommitOptions.of(options))

    def create(self, rows: DataFrame, **options: Unpack[WriteOptions]) -> int:
        """Make the table of these rows; an error of Spark where there is one already. Costs one pass over the rows."""
        return self._write(rows, "errorifexists", CommitOptions.of(options))

    def replace(
        self, rows: DataFrame, *, where: str | None = None, new_schema: bool = False, **options: Unpack[WriteOptions]
    ) -> int:
        """Put rows in place of all that the table has, or of those where a condition in SQL holds; it may be new.

        With `new_schema` columns, partitions and properties become those that are given, too (CREATE OR REPLACE TABLE);
        otherwise the rows must have the table's, but for `add_columns`. Costs one pass over the rows.
        """
        own = CommitOptions.of(options)
        if new_schema:
            return self._commit_by_spark(own, lambda: write_rows.create_or_replace(rows, self.address, own), rows)
        return self._write(rows, "overwrite", own, where=where)

    def merge(self, rows: DataFrame, clauses: MergeClauses, **options: Unpack[WriteOptions]) -> int:
        """Change, delete and insert rows by those that are given, in one MERGE. Costs what Delta's MERGE costs."""
        own = CommitOptions.of(options)
        return self._commit_by_spark(own, lambda: write_rows.merge(rows, self.address, clauses, own), rows)

    def update(
        self, spark: SparkSession, where: str, values: Mapping[str, str], *, metadata: Mapping[str, Any] | None = None
    ) -> int:
        """Set columns to SQL values where a condition holds; no commit when there are no such rows."""
        own = CommitOptions.of({"metadata": metadata})
        return self._commit_by_spark(own, lambda: write_rows.update(spark, self.address, where, values, own))

    def delete(self, spark: SparkSession, where: str, *, metadata: Mapping[str, Any] | None = None) -> int:
        """Delete the rows where a condition holds; no commit when there are none."""
        own = CommitOptions.of({"metadata": metadata})
        return self._commit_by_spark(own, lambda: write_rows.delete(spark, self.address, where, own))

    def takes_files(self, files: DataFiles) -> bool:
        """Whether `append_files` can add files as they are: nothing has to be checked, cast, split or changed."""
        return has_plain_log(self.address) and write_version.takes_files(self.address, files)

    def can_be_replaced_with_files(self, partition_by: Sequence[str]) -> bool:
        """Whether `replace_with_files` can do so: nobody has given the table features that other readers don't know."""
        return has_plain_log(self.address) and write_version.can_replace_with_files(self.address, partition_by)

    def append_files(
        self,
        files: DataFiles,
        *,
        transaction: Transaction | None = None,
        metadata: Mapping[str, Any] | None = None,
        properties: Mapping[str, str] | None = None,
    ) -> int:
        """Add files, which lie in the table's folder, in one commit; the table may be new. Costs no pass.

        Raises ConfigError where it does not take them.
        """
        text = None if metadata is None else manifest_json(metadata)
        with self._right_to_write() as require:
            return write_version.append_files(
                self.address,
                files,
                metadata=text,
                properties=properties or {},
                transaction=transaction,
                require=require,
            )

    def replace_with_files(
        self,
        files: DataFiles,
        *,
        transaction: Transaction | None = None,
        metadata: Mapping[str, Any] | None = None,
        properties: Mapping[str, str] | None = None,
    ) -> int:
        """Make files, which lie in the table's folder, and their schema all that the table has. Costs no pass.

        Raises LeaseLost when somebody else has committed meanwhile, or files are gone: then nothing was committed.
        """
        text = None if metadata is None else manifest_json(metadata)
        with self._right_to_write():
            return write_version.replace_with_files(
                self.address, files, metadata=text, properties=properties or {}, transaction=transaction
            )

    def append_arrow(self, rows: pa.Table, *, compact_above: int | None = None) -> int:
        """Add few rows that are in memory, without Spark; columns that the table has not are added to it.

        With `compact_above` its files are made fewer when they are more than so many. At a path or on S3 only.
        """
        from deltalake import write_deltalake

        options = storage_options(self.address)
        with self._right_to_write():
            write_deltalake(
                self.address,
                rows,
                mode="append",
                schema_mode="merge",
                configuration=dict(OWN_PROPERTIES),
                storage_options=options,
            )
            written = self._open_table()
            version = int(written.version())
            if compact_above is not None and len(written.file_uris()) > compact_above:
                written.optimize.compact()
            return version

    @property
    def _session(self) -> SparkSession:
        self._spark = self._spark or get_spark()
        return self._spark

    def _open_table(self) -> Any:
        from deltalake import DeltaTable

        require_path(self.address)
        return DeltaTable(self.address, storage_options=storage_options(self.address))

    def _write(self, rows: DataFrame, mode: Mode, options: CommitOptions, *, where: str | None = None) -> int:
        def write() -> None:
            write_rows.write(rows, self.address, mode, options, where=where if where and self.exists else None)

        return self._commit_by_spark(options, write, rows)

    def _commit_by_spark(self, options: CommitOptions, write: Callable[[], None], rows: DataFrame | None = None) -> int:
        """Let Spark write, and give the version that it has made: the newest one whose commit says what it was to."""
        if rows is not None:
            self._spark = self._spark or rows.sparkSession
        with self._right_to_write():
            newest = self.version if self.exists else -1
            write()
            later = list(takewhile(lambda commit: commit.version > newest, self.newest_commits()))
            ours = [commit.version for commit in later if commit.metadata == options.metadata]
            return ours[0] if ours else later[0].version if later else newest

    @contextmanager
    def _right_to_write(self) -> Iterator[Callable[[], None]]:
        """Hold the lease where the table is shared; gives what makes sure, just before a commit, that it is held."""
        if self._lease is None and self.is_shared:
            with self.exclusive() as held:
                yield held.require
        elif self._lease is not None:
            self._lease.require()
            yield self._lease.require
        else:
            yield lambda: None
