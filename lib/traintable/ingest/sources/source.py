"""What a source gives of that which is to be landed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from traintable.columns import column_name
from traintable.config.ingest import RESERVED, IngestConfig
from traintable.config.promise import Promise
from traintable.contract.rules import Field, fields_of
from traintable.errors import ConfigError
from traintable.ingest.intervals import Interval
from traintable.ingest.ledger import Unit
from traintable.ingest.listing import FoundFile

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


class Rows(Protocol):
    """Records of some files, or rows of a table, to be landed; the same whenever they are computed."""

    @property
    def fields(self) -> Sequence[Field]:
        """The columns of the landed table."""

    def rows(self) -> DataFrame:
        """The columns of `fields`, `_file`, and `_wrong`: null of a good row, of which one is landed."""

    def counts(self) -> Counter[str]:
        """How many records each `_file` has, counted apart from reading them."""

    def bad(self) -> DataFrame:
        """What is told of the bad records: `_file`, `position`, `_raw`, `_bytes`, `_names`, `_reasons`, `_rules`."""


class Origin(Protocol):
    """A source, as a configuration describes it."""

    def found(self, interval: Interval | None, known: Unit) -> list[FoundFile]:
        """The files there are, or what stands for them; of an interval its own. InputMissing where there are none."""

    def open(self, spark: SparkSession, files: Sequence[FoundFile]) -> Rows:
        """Those of the files that were found as rows; raises Unreadable for one that can't be read."""

    def close(self) -> None:
        """Give back what `found` and `open` hold."""


def undeclared_column(column: str, file: str, config: IngestConfig) -> ConfigError:
    """The error of a column that nobody has declared, for the policy `fail`."""
    return ConfigError(
        where=f"{file}: column '{column}'",
        expected=f"a declared column ({', '.join(list(config.columns)[:20])})",
        found="one that nobody has declared",
        remedy="Declare it in `columns` (with `source` where the table can't have its name), or set `load.drift` to"
        " 'add_columns' or 'quarantine'. Nothing was landed.",
    )


def after_drift(names: Sequence[str], file: str, config: IngestConfig) -> tuple[str | None, Mapping[str, Promise]]:
    """What undeclared columns among `names` lead to: the one for which rows are kept apart, or those that are added.

    Raises ConfigError where the policy is `fail`.
    """
    unknown = undeclared(names, config)
    if not unknown or config.load.drift == "add_columns":
        return None, added_columns(unknown, file, config)
    if config.load.drift == "fail":
        raise undeclared_column(unknown[0], file, config)
    return unknown[0], {}


def undeclared(names: Sequence[str], config: IngestConfig) -> list[str]:
    """The columns of a source that nobody has declared."""
    declared = set(config.source_names)
    return [name for name in names if name not in declared]


def added_columns(names: Sequence[str], file: str, config: IngestConfig) -> Mapping[str, Promise]:
    """Undeclared columns as columns of the table; ConfigError for one whose name it has already."""
    added: dict[str, Promise] = {}
    taken = {*RESERVED, *(name.lower() for name in config.columns)}
    for name in names:
        plain = column_name(name)
        if plain.lower() in taken:
            raise undeclared_column(name, file, config)
        taken.add(plain.lower())
        added[plain] = Promise() if plain == name else Promise(source=name)
    return added


def declared_fields(config: IngestConfig, added: Mapping[str, Promise]) -> tuple[Field, ...]:
    """The columns of the landed table: those that are declared, then those that are added."""
    return fields_of({**config.columns, **added}, config.key or ())
