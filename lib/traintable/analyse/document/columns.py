"""What a profile says of one column."""

from typing import Literal, final

from typing_extensions import NotRequired

from traintable.analyse.document.base import Histogram, Number, Part

Kind = Literal["number", "category", "text", "time", "boolean", "other"]
Role = Literal["feature", "label", "key", "time", "split"]
Value = int | float | str  # a time is ISO text in UTC
FlagName = Literal[
    "all_missing",
    "constant",
    "heavy_tails",
    "high_cardinality",
    "high_missing",
    "id_like",
    "imbalanced",
    "infinite_values",
    "many_zeros",
    "mixed_formats",
    "near_key",
    "outliers",
    "rare_categories",
    "seasonal",
    "skewed",
    "suspicious_value",
    "time_gaps",
]


class Flag(Part):
    """Something remarkable about a column, and a sentence that gives the numbers."""

    flag: FlagName
    text: str


class Distinct(Part):
    """The number of different values, and its standard error in values; 0 where it is exact."""

    value: int
    error: int


class Lengths(Part):
    """How long texts are, in characters."""

    min: int
    mean: float
    max: int
    quantiles: dict[str, float]
    rank_error: float


class Bounds(Part):
    """Bounds, and how many values lie beyond them."""

    low: Number
    high: Number
    n: int


class OutlierRules(Part):
    """The bounds of three rules; None for one that has none, as where half of the values are equal."""

    iqr: Bounds | None
    mad: Bounds | None
    quantile: Bounds


@final  # so that mypy knows it by its keys
class ClassValues(Part):
    """The numbers or times of the rows of one class: rows, mean, and counts between the edges of the histogram."""

    n: int
    mean: Number
    counts: list[int]


@final
class ClassWords(Part):
    """The categories of the rows of one class: rows, and those of the values that are most frequent in all rows."""

    n: int
    top: list[tuple[str, int]]


class Coverage(Part):
    """What stretch of time the rows cover.

    Attributes
    ----------
    first, last : ISO text in UTC, as are all times here.
    step_seconds : the median distance between times that follow each other; None where not all are known.
    period : "hour", "day", "week", "month" or "year": by what the rows are counted.
    days : start of each period that has rows, and its rows.
    gaps : first and last empty period of an unusual stretch without rows, and how many periods it has.
    gap_period : what the gaps are counted in.
    hour_of_week : rows of each of 168 hours, from Monday at midnight on.
    beyond_calendar : rows whose time lies beyond the years -9999 to 9999; they belong to no period.
    by_class : class -> `days` of its rows; absent where the label has no classes.
    """

    first: str
    last: str
    step_seconds: Number
    period: str
    days: list[tuple[str, int]]
    gaps: list[tuple[str, str, int]]
    gap_period: str
    hour_of_week: list[int]
    beyond_calendar: int
    by_class: NotRequired[dict[str, list[tuple[str, int]]]]


class LabelAssociation(Part, total=False):
    """How a feature is associated with the label: the measures that suit the kinds of the two, and their test.

    `auc` is of the class that comes last in order, where there are two.
    """

    mutual_information: Number
    cramers_v: Number
    correlation_ratio: Number
    auc: Number
    pearson: Number
    spearman: Number
    test: str
    p_value: Number
    q_value: Number


class ColumnProfile(Part):
    """What is known of one column; what does not apply to its kind is None.

    Attributes
    ----------
    name, type : the column and its type as Spark names it.
    kind : what the values are taken for; a `text` has too many different values to be a category.
    role : what the column is for.
    n, n_null, n_nan, n_infinite, n_zero : rows that have a value, and rows of each kind that has none, or 0.
    min, max : the extremes; of times ISO text.
    mean, std, variance, skewness, kurtosis : the moments; the excess kurtosis, which is 0 of a normal distribution.
    quantiles : level as text, such as "0.25", -> value; of times seconds since 1970.
    rank_error : the largest error of a quantile, as a share of the rows; 0 where they are exact.
    by_class : class of the label -> the values in its rows.
    top : the most frequent values with their rows.
    top_error : by how much a count of `top` may be too low.
    other, other_formats : rows whose value is not in `top`, or whose format is not in `formats`.
    formats : a format such as "AA-99", its rows, and a value that has it.
    """

    name: str
    type: str
    kind: Kind
    role: Role
    n: int
    n_null: int
    n_nan: int | None
    n_infinite: int | None
    n_zero: int | None
    distinct: Distinct | None
    min: Value | None
    max: Value | None
    mean: Number
    std: Number
    variance: Number
    skewness: Number
    kurtosis: Number
    quantiles: dict[str, float] | None
    rank_error: Number
    histogram: Histogram | None
    by_class: dict[str, ClassValues] | dict[str, ClassWords] | None
    top: list[tuple[Value, int]] | None
    top_error: int | None
    other: int | None
    lengths: Lengths | None
    formats: list[tuple[str, int, str]] | None
    coverage: Coverage | None
    outliers: OutlierRules | None
    label: LabelAssociation | None
    other_formats: NotRequired[int]
    flags: list[Flag]
    scan: int
