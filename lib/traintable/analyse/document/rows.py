"""What a profile says of rows and periods that are unlike the others, and of the features that a model needs."""

from typing_extensions import NotRequired

from traintable.analyse.document.base import Histogram, Number, Part, Scalar


class UnusualRow(Part):
    """One of the rows with the highest anomaly scores; of a row only its key is shown.

    Attributes
    ----------
    key : column of the key -> value.
    because : columns, and the steps by which each shortens the path to the row.
    n : rows that are equal to it.
    """

    key: dict[str, Scalar]
    score: float
    because: list[tuple[str, float]]
    n: int


class MahalanobisDistances(Part):
    """How many rows lie far from the mean in all numbers together.

    Attributes
    ----------
    columns, rank : the numbers, and in how many directions they vary.
    p_value, limit : the squared distance `limit` would be exceeded by a share `p_value` of normal rows.
    n, expected : rows beyond the limit, and how many would be if all were normal.
    distances : squared distances up to the limit.
    """

    columns: list[str]
    rank: int
    p_value: float
    limit: float
    n: int
    expected: float
    distances: Histogram


class PeriodReason(Part):
    """A statistic that is unusual in a period, and its distance from what is usual; no column where it is the rows."""

    column: str | None
    statistic: str
    z: float


class Period(Part):
    """A period and its score: the largest distance of a statistic from what is usual; None of the first periods."""

    period: str
    rows: int
    score: Number
    is_strange: bool
    columns: list[str]
    because: list[PeriodReason]


class Anomalies(Part):
    """Rows and periods that do not look like the others.

    Attributes
    ----------
    method, trees, sample_rows, features : the model that scores rows, and the rows and columns it was fitted to; no
        method, and no trees, where there was too little to fit one.
    n, threshold : rows whose score is `threshold` or more.
    scores : of all rows.
    rows : those with the highest scores.
    period, by_time : by which periods the rows are divided, and each of these.
    scan : the scans of the sample and of all rows; added by `profile`.
    """

    method: str | None
    trees: NotRequired[int]
    sample_rows: int
    features: list[str]
    n: int
    threshold: Number
    scores: Histogram | None
    rows: list[UnusualRow]
    mahalanobis: MahalanobisDistances | None
    period: str | None
    by_time: list[Period]
    scan: NotRequired[list[int]]


class ColumnImportance(Part):
    """The importance of a column, with the ends of a 95% interval."""

    name: str
    importance: float
    low: float
    high: float
    is_useful: bool


class Probes(Part):
    """Random columns that were given to the model too: how many, and the importance of the best."""

    n: int
    best: float


class Importance(Part):
    """Which features a quick model needs.

    Attributes
    ----------
    model, depth, rows, held_out_rows : the model, and the rows it was fitted to and measured on.
    metric, why : what is measured, and why this.
    score, baseline : of the model, and of a constant prediction.
    repeats : how often the values of each column were permuted.
    columns : the most important first.
    scan : that of the sample; added by `profile`.
    """

    model: str
    rows: int
    held_out_rows: int
    metric: str
    why: str
    baseline: float
    score: float
    depth: int
    repeats: int
    columns: list[ColumnImportance]
    probes: Probes
    scan: NotRequired[int]
