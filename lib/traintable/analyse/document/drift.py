"""How a table differs from another one, or from an earlier version of itself."""

from typing import Literal

from typing_extensions import NotRequired

from traintable.analyse.document.base import Number, Part
from traintable.analyse.document.columns import Kind

Severity = Literal["none", "moderate", "severe", "unknown"]


class RowsBeforeAfter(Part):
    """Rows of the two sides."""

    before: int
    after: int


class SharesBeforeAfter(Part):
    """Shares of the rows of the two sides; None where a side has no rows."""

    before: Number
    after: Number


class ColumnDrift(Part):
    """How far one column has moved.

    Attributes
    ----------
    psi, severity : the population stability index, and what it is usually taken for.
    test, statistic, p_value, q_value : a test of no difference; `q_value` is adjusted for all columns.
    rank_error : 0 where the values are the column's own.
    ks, chi2 : `statistic` again, where it is that of Kolmogorov and Smirnov, or chi-square.
    missing : shares of rows without a value.
    """

    name: str
    kind: Kind
    psi: Number
    severity: Severity
    test: str
    statistic: Number
    p_value: Number
    q_value: Number
    rank_error: float
    ks: Number
    chi2: Number
    missing: SharesBeforeAfter


class TypeChange(Part):
    """A column that was added or removed, or has another type; `before` and `after` are types of Spark."""

    change: Literal["added", "removed", "type"]
    column: str
    before: str | None
    after: str | None


class NotCompared(Part):
    """A column that could not be compared, and why."""

    column: str
    because: str


class TableDrift(Part):
    """How a table differs from the reference, whose name is `against`; `scan` is added by `profile`."""

    against: str
    rows: RowsBeforeAfter
    columns: list[ColumnDrift]
    schema: list[TypeChange]
    left_out: list[NotCompared]
    scan: NotRequired[int]
