"""What a source is, whatever it reads: it lists what is new, and reads it as rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from traintable.contract.rules import Field
from traintable.ingest.intervals import Interval
from traintable.ingest.ledger import LoadState
from traintable.ingest.listing import ListedFile

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Session = Callable[[], "SparkSession"]  # gives the session, which is started when it is first needed


class SourceRows(Protocol):
    """Records of some files, or rows of a table, to be landed; the same whenever they are computed."""

    @property
    def fields(self) -> Sequence[Field]:
        """The columns of the landed table."""

    def rows(self) -> DataFrame:
        """The columns of `fields`, `_file`, and `_wrong`: null of a good row, of which one is landed."""

    def counts(self) -> Counter[str]:
        """How many records each `_file` has, counted apart from reading them."""

    def bad(self) -> DataFrame:
        """The bad records: `_file`, `position`, `_raw`, `_bytes`, `_names`, `_reasons`, `_rules`."""


class Source(Protocol):
    """A source, as a configuration describes it."""

    def list_new(self, interval: Interval | None, known: LoadState) -> list[ListedFile]:
        """The files there are, or what stands for them; of an interval its own. InputMissing where there are none."""

    def read(self, spark: SparkSession, files: Sequence[ListedFile]) -> SourceRows:
        """Those of the listed files as rows; raises UnreadableFiles for any that can't be read."""

    def close(self) -> None:
        """Give back what `list_new` and `read` hold."""
