"""Both scans of a whole table, and what they have learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from traintable.analyse.document import Scan
from traintable.analyse.scans.codes import Codes, codes_of
from traintable.analyse.scans.columns import LABEL, AnalysedColumn, separate_texts
from traintable.analyse.scans.wanted import wanted_by_class_and_pair, wanted_of_columns, wanted_of_pairs
from traintable.arrays import Ints
from traintable.sample.draw import HIGHEST, LOWEST, keyed_hash
from traintable.statistics import Coding, Statistics, scan

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

MAX_PAIRED = 200  # columns of a wide table whose pairs are counted in a sample
SAMPLE_ROWS = 50_000
_PURPOSE = "analyse pairs"


@dataclass(frozen=True)
class TableScans:
    """What the scans of a table have learned.

    Attributes
    ----------
    columns : the columns with their kinds and roles.
    first : statistics of the columns one by one, of what is missing, and of the numbers together.
    codes : by which the rows were counted then.
    second : counts by class, and ranks.
    pairs : counts by pair of columns; `second`, or of a wide table what was learned of a sample.
    """

    columns: tuple[AnalysedColumn, ...]
    first: Statistics
    codes: Codes
    second: Statistics
    pairs: Statistics

    @property
    def n_rows(self) -> int:
        """Rows of the table."""
        return self.first.n_rows

    @property
    def label(self) -> AnalysedColumn | None:
        """The label, where one is named."""
        return next((c for c in self.columns if c.role == LABEL), None)

    def counts(self, first: Coding, second: Coding) -> Ints | None:
        """Rows by code of two columns, missing values first; None when they were not counted."""
        return _table(self.second, first, second)

    def pair_counts(self, first: Coding, second: Coding) -> Ints | None:
        """The same of a pair of columns, which may have been counted in a sample."""
        return _table(self.pairs, first, second)

    def costs(self) -> list[Scan]:
        """What the scans have read."""
        scans = [("columns one by one", self.first), ("by class and in pairs", self.second)]
        scans += [("pairs in a sample of rows", self.pairs)] if self.pairs is not self.second else []
        return [cost_of(what, statistics) for what, statistics in scans]


def cost_of(what: str, learned: Statistics) -> Scan:
    """A scan as the profile lists it."""
    cost = learned.cost
    return {"what": what, "rows": learned.n_rows, "engine": cost.engine, "jobs": cost.jobs, "bytes": cost.bytes}


def scan_columns(
    df: DataFrame, columns: Sequence[AnalysedColumn], *, cache: str | None
) -> tuple[tuple[AnalysedColumn, ...], Statistics]:
    """The first scan: the columns, now that texts are told from categories, and what was learned of them one by one."""
    learned = scan(df, wanted_of_columns(columns), cache=cache)
    return separate_texts(columns, learned), learned


def scan_together(
    df: DataFrame, columns: tuple[AnalysedColumn, ...], first: Statistics, *, key: Sequence[str], seed: int
) -> TableScans:
    """The second scan: the columns by class and in pairs; of a wide table one more, of a sample, for the pairs."""
    codes = codes_of(columns, first)
    second = scan(df, wanted_by_class_and_pair(columns, codes))
    pairs = second
    if codes.is_wide:
        sample = _sample_about(df, SAMPLE_ROWS, first.n_rows, key=key, seed=seed)
        pairs = scan(sample, wanted_of_pairs(_first_columns(columns, codes), codes))
    return TableScans(columns, first, codes, second, pairs)


def _first_columns(columns: Sequence[AnalysedColumn], codes: Codes) -> list[str]:
    """The first columns of a wide table; the label is always among them."""
    label = [c.name for c in columns if c.role == LABEL and c.name in codes.paired]
    return [*label, *(name for name in codes.paired if name not in label)][:MAX_PAIRED]


def _sample_about(df: DataFrame, n: int, n_rows: int, *, key: Sequence[str], seed: int) -> DataFrame:
    """The rows whose draw is below n / n_rows: `n` on average, all of them where there are no more.

    Without a key a draw is that of the whole row, so that equal rows are drawn together.
    """
    if n >= n_rows:
        return df
    names = list(key) or [name for name, kind in df.dtypes if "map<" not in kind and "variant" not in kind]
    bound = min(HIGHEST, LOWEST + round(n / n_rows * 2.0**64))
    return df.where(keyed_hash(names, seed=seed, purpose=_PURPOSE) < bound)


def _table(learned: Statistics, first: Coding, second: Coding) -> Ints | None:
    counts = learned.tables.counts
    if (first, second) in counts:
        return counts[first, second]
    return counts[second, first].T if (second, first) in counts else None
