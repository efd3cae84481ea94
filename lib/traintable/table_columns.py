"""The columns of a training table: which there are, in which order, and what each is for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from traintable.columns import FEATURES, SPLIT, quote, refuse_clashes, require_columns
from traintable.config.dataset import Config
from traintable.errors import ConfigError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class TableColumns:
    """The columns of a training table.

    Attributes
    ----------
    key : the columns that identify a row.
    label : the answer.
    features : the names of the features, in their order.
    as_array : whether the features are one column `features array<float>`; otherwise each is a column of its name.
    fold : the fold of a row of train; None for a table without folds.
    weight : the weight of a row in training; None for a table without weights.
    is_synthetic : whether a row was made rather than read; None for a table of rows that were all read.
    passengers : columns that travel with the rows and are no features, such as texts and bytes.

    >>> columns = TableColumns(key=("id",), label="late", features=("x", "y"), weight="weight", passengers=("photo",))
    >>> columns.names
    ('id', 'late', 'split', 'weight', 'photo', 'features')
    >>> columns.private
    ('id', 'photo')
    """

    key: tuple[str, ...]
    label: str
    features: tuple[str, ...]
    as_array: bool = True
    fold: str | None = None
    weight: str | None = None
    is_synthetic: str | None = None
    passengers: tuple[str, ...] = ()

    @classmethod
    def of(cls, config: Config, features: Sequence[str]) -> TableColumns:
        """The columns of the table that a configuration describes, once its features are known."""
        return cls(
            key=tuple(config.source.key),
            label=config.label.name,
            features=tuple(features),
            as_array=config.output.features == "array",
            fold=config.prepare.fold if config.folds else None,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """All columns, in the order of the published table."""
        return (*self.without_features, *self.feature_columns)

    @property
    def without_features(self) -> tuple[str, ...]:
        """All columns but those of the features, in their order."""
        optional = [name for name in (self.fold, self.weight, self.is_synthetic) if name is not None]
        return tuple(dict.fromkeys([*self.key, self.label, SPLIT, *optional, *self.passengers]))

    @property
    def feature_columns(self) -> tuple[str, ...]:
        """The columns that hold the features."""
        return (FEATURES,) if self.as_array else self.features

    @property
    def gated(self) -> tuple[str, ...]:
        """The columns, other than features, that the gate's own rules read."""
        return tuple(dict.fromkeys([*self.key, self.label, SPLIT]))

    @property
    def hashed(self) -> tuple[str, ...]:
        """The columns that count for the content hash: all of them, for a model can learn from any."""
        return self.names

    @property
    def private(self) -> tuple[str, ...]:
        """The columns whose values are shown in no result of the gate: they may identify a person."""
        return tuple(dict.fromkeys([*self.key, *self.passengers]))

    def select(self, rows: DataFrame) -> DataFrame:
        """The rows with these columns, in this order; costs no pass.

        Raises ConfigError for a column that the rows do not have, one that has two roles, and a feature whose name is
        taken or reserved.
        """
        self._require_single_roles()
        refuse_clashes(set(self.feature_columns) - {FEATURES}, self.without_features, where="prepare.features")
        require_columns(rows, set(self.names), where="columns of the training table")
        return rows.select(*map(quote, self.names))

    def _require_single_roles(self) -> None:
        optional = [name for name in (self.fold, self.weight, self.is_synthetic) if name is not None]
        first = {name.lower() for name in self.gated}
        counts = Counter(name.lower() for name in [*first, *optional, *self.passengers])
        repeated = [name for name, n in counts.items() if n > 1]
        if repeated:
            raise ConfigError(
                where="columns of the training table",
                expected="a column of its own for each of key, label, split, fold, weight, is_synthetic and passengers",
                found=f"'{repeated[0]}' in {counts[repeated[0]]} of these roles",
                remedy="Name another column for one of them.",
            )
