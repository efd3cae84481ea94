"""One version of a table at a local path or on S3, opened without Spark: its schema and its files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from traintable.columns import SPLIT
from traintable.delta.commits import has_plain_log, storage_options
from traintable.errors import ConfigError, InputMissing
from traintable.spark.errors import first_line

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Opened:
    """A version of a table.

    Attributes
    ----------
    filesystem : pyarrow's, whose paths begin at the table.
    splits : pyarrow's fragments, one a file, of each split in the order of their names; "" without a split.
    """

    table: str
    version: int
    schema: pa.Schema
    filesystem: Any
    splits: dict[str, list[Any]]

    def unreadable(self, error: Exception) -> InputMissing:
        """What to raise where a file can't be read."""
        return _unreadable(self.table, self.version, error)


def open_version(table: str, version: int) -> Opened:
    """Open a version; reads the log, no file of rows.

    Raises InputMissing when it is not there or can't be reached (a log that no longer has it is a DeltaError, which is
    then the cause), and ConfigError in a process that was forked after deltalake had been used.
    """
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    try:
        dataset = DeltaTable(table, version=version, storage_options=storage_options(table)).to_pyarrow_dataset()
    except (DeltaError, OSError, OverflowError) as error:
        raise _unreadable(table, version, error) from error
    except BaseException as error:  # a panic of Rust is no Exception
        if "Forked process" not in str(error):
            raise
        raise _forked() from error
    splits: dict[str, list[Any]] = {}
    for file in sorted(dataset.get_fragments(), key=lambda file: str(file.path)):
        splits.setdefault(partition_of(file).get(SPLIT, ""), []).append(file)
    return Opened(table, version, dataset.schema, dataset.filesystem, splits)


def list_data_files(table: str, version: int) -> list[tuple[str, int, int]]:
    """Path, bytes and time of modification (ms) of each data file of a version, in order; reads the log."""
    from deltalake import DeltaTable

    files = DeltaTable(table, version=version, storage_options=storage_options(table)).get_add_actions()
    columns = [files.column(name).to_pylist() for name in ("path", "size_bytes", "modification_time")]
    return sorted(zip(*columns, strict=True))


def partition_of(file: Any) -> dict[str, Any]:
    """The values that the rows of a file have in the columns by which the table is partitioned."""
    from pyarrow.dataset import get_partition_keys

    return dict(get_partition_keys(file.partition_expression))


def require_path(table: str) -> None:
    """Raise ConfigError unless a table is named by a local path or an address of S3."""
    if not has_plain_log(table):
        raise ConfigError(
            where="table",
            expected="a local path or an address s3a://bucket/prefix",
            found=f"'{table}'",
            remedy="Name the place where its files lie, or read it with Spark.",
        )


def _unreadable(table: str, version: int, error: Exception) -> InputMissing:
    return InputMissing(
        where=f"table {table} version {version}",
        expected="a version whose log and files are there and can be read",
        found=first_line(error),
        remedy="`traintable history` lists the versions; VACUUM removes the files of old ones.",
    )


def _forked() -> ConfigError:
    return ConfigError(
        where="process",
        expected="one that was not forked from one where deltalake had been used",
        found="one that was",
        remedy="Start workers anew: in PyTorch, DataLoader(..., multiprocessing_context='spawn').",
    )
