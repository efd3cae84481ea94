"""What is to be learned of the columns of some rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from traintable.statistics.chunk import ANY, NUMBER, TEXT, Range, Role
from traintable.statistics.coding import Coding
from traintable.statistics.targets import TargetGroups

_NUMBERS = ("tinyint", "smallint", "int", "bigint", "float", "double", "date", "timestamp", "timestamp_ntz")


@dataclass(frozen=True)
class Wanted:
    """The statistics that a caller needs; `a | b` is what both need, each learned once.

    Attributes
    ----------
    summary : numbers to count (null, NaN, infinite, zero) and take the extremes of.
    moments : numbers whose exact mean and variance are needed.
    shape : numbers whose skewness and kurtosis are needed.
    covariance : numbers of one exact covariance matrix, with their patterns of missing values; with `correlation`
        also what their correlations in pairs need where values are missing.
    values : numbers whose quantiles or values are needed; with `sketches` also the number of different values and the
        most frequent ones where there are too many to count each.
    frequencies : categories whose values are counted.
    contingency : pairs of categories that are counted together.
    groups : several categories that are counted together.
    targets : sums of a label by category and fold.
    missingness : columns whose pattern of missing values is counted.
    periods : times whose rows are counted by period, in seconds since 1970.
    forms : texts whose lengths and forms are counted.
    tables : pairs of coded columns that are counted together.
    scores : coded columns, each with a score for every code (doubles as bytes), whose second moments are needed.
    ranges : (column, lowest, highest); a number outside counts as missing, in everything else, by class or not.
    classes : (column, wanted): the wanted statistics for the rows of each value of a category; those of one column are
        put together.
    """

    summary: tuple[str, ...] = ()
    moments: tuple[str, ...] = ()
    shape: tuple[str, ...] = ()
    covariance: tuple[str, ...] = ()
    correlation: bool = False
    values: tuple[str, ...] = ()
    sketches: bool = False
    frequencies: tuple[str, ...] = ()
    contingency: tuple[tuple[str, str], ...] = ()
    groups: tuple[tuple[str, ...], ...] = ()
    targets: tuple[TargetGroups, ...] = ()
    missingness: tuple[str, ...] = ()
    periods: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()
    tables: tuple[tuple[Coding, Coding], ...] = ()
    scores: tuple[tuple[Coding, bytes], ...] = ()
    ranges: tuple[tuple[str, float, float], ...] = ()
    classes: tuple[tuple[str, Wanted], ...] = ()

    def __post_init__(self) -> None:
        classes: dict[str, Wanted] = {}
        for name, wanted in self.classes:
            classes[name] = classes[name] | wanted if name in classes else wanted
        object.__setattr__(self, "classes", tuple(classes.items()))

    @classmethod
    def everything(cls, types: Mapping[str, str]) -> Wanted:
        """All there is to know of columns (name -> Spark type) one by one, and of the numbers together.

        Dates and times are numbers (seconds), text and booleans are categories; of others only the missing are counted.
        """
        numbers = tuple(name for name, kind in types.items() if kind in _NUMBERS or kind.startswith("decimal"))
        texts = tuple(name for name, kind in types.items() if kind in ("string", "boolean"))
        return cls(
            summary=numbers,
            shape=numbers,
            covariance=numbers,
            correlation=True,
            values=numbers,
            sketches=True,
            frequencies=texts,
            missingness=tuple(types),
        )

    def __or__(self, other: Wanted) -> Wanted:
        """Both wants together."""
        both: dict[str, Any] = {}
        for field in fields(self):
            mine, theirs = getattr(self, field.name), getattr(other, field.name)
            both[field.name] = mine or theirs if field.type == "bool" else tuple(dict.fromkeys(mine + theirs))
        return Wanted(**both)

    @property
    def roles(self) -> tuple[Role, ...]:
        """The columns that are read, each as what."""
        numbers = [*self.summary, *self.moments, *self.shape, *self.covariance, *self.values]
        numbers += [*self.periods, *(target.label for target in self.targets)]
        texts = [*self.frequencies, *self.forms]
        texts += [name for group in (*self.contingency, *self.groups) for name in group]
        texts += [name for t in self.targets for name in (t.category, t.fold) if name is not None]
        texts += [name for name, _ in self.classes]
        roles = [(NUMBER, name) for name in numbers] + [(TEXT, name) for name in texts]
        roles += [coding.role for pair in self.tables for coding in pair] + [coding.role for coding, _ in self.scores]
        roles += [role for _, wanted in self.classes for role in wanted.roles]
        roles += [(ANY, name) for name in self.missingness]
        known = {name for role, name in roles if role == NUMBER} | self.range_of.keys()  # they say if it is missing
        return tuple(
            dict.fromkeys((NUMBER, name) if role == ANY and name in known else (role, name) for role, name in roles)
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns that are read."""
        return tuple(dict.fromkeys(name for _, name in self.roles))

    @property
    def range_of(self) -> dict[str, Range]:
        """Column -> the range outside which a number counts as missing; ValueError when a column has two."""
        ranges: dict[str, Range] = {}
        inner = [(name, *bounds) for _, wanted in self.classes for name, bounds in wanted.range_of.items()]
        for name, low, high in (*self.ranges, *inner):
            if ranges.setdefault(name, (low, high)) != (low, high):
                raise ValueError(f"column '{name}' is wanted with two ranges, {ranges[name]} and {(low, high)}")
        return ranges

    @property
    def resolution(self) -> int:
        """In how many ranges the values of a column are counted: fewer for more columns, so that states stay small."""
        n = max(1, len(self.values))
        return int(min(2**16, max(2**12, 2 ** ((2**20 // n).bit_length() - 1))))

    @property
    def state_bytes(self) -> int:
        """About how large a state is at most, as JSON; not of categories of very many values, and of few classes."""
        values = len(self.values) * (4 * self.resolution + (32 * self.sketch_size if self.sketches else 0))
        counts = 2**16 * (len(self.frequencies) + len(self.contingency) + len(self.groups) + len(self.targets))
        counts += 2**14 * (len(self.periods) + len(self.forms) + len(self.tables) + len(self.scores))
        numbers = 2**9 * (len(self.columns) + 1) + 2 ** (7 if self.correlation else 6) * len(self.covariance) ** 2
        return values + counts + numbers + sum(8 * wanted.state_bytes for _, wanted in self.classes)

    @property
    def sketch_size(self) -> int:
        """How many hashes and values the sketches of a column hold, from 4,096 down to 256; fewer for more columns."""
        n = max(1, len(self.values) + len(self.frequencies))
        return int(min(2**12, max(2**8, 2 ** ((2**18 // n).bit_length() - 1))))
