"""What a profile says of the columns together: missing values, classes, associations and tests."""

from traintable.analyse.document.base import Number, Part


class MissingPattern(Part):
    """Columns that are missing together, and in how many rows just these are."""

    columns: list[str]
    rows: int


class Missingness(Part):
    """Which values are missing together.

    Attributes
    ----------
    patterns : the most frequent ones.
    complete_rows, other_patterns : rows that lack nothing, and rows of the patterns that are not listed.
    error : by how many rows the count of a pattern may be too low.
    missing : column -> rows without a value, of the columns that lack some.
    together : pairs of columns with the phi coefficient of their being missing, the largest in size first.
    """

    patterns: list[MissingPattern]
    complete_rows: int
    other_patterns: int
    error: int
    missing: dict[str, int]
    scan: int
    together: list[tuple[str, str, float]]


class Imbalance(Part):
    """How unequal the classes of the label are, and what follows from it.

    Attributes
    ----------
    classes : class -> rows, the largest first.
    missing : rows without a label.
    ratio : rows of the largest class by those of the smallest.
    entropy : in bits; `normalised_entropy` is 1 where all classes have the same number of rows.
    constant_accuracy : the accuracy of always predicting the largest class.
    metrics, advice : sentences on how to evaluate a model, and on what to do.
    by_split : split -> class -> rows.
    by_time : start of a `period` -> class -> rows, over the column `time`.
    """

    classes: dict[str, int]
    missing: int
    ratio: float
    entropy: float
    normalised_entropy: Number
    constant_accuracy: float
    is_imbalanced: bool
    metrics: list[str]
    by_split: dict[str, dict[str, int]] | None
    by_time: dict[str, dict[str, int]] | None
    time: str | None
    period: str | None
    advice: list[str]
    scan: list[int]


class CorrelationRatio(Part):
    """The association of a number and a category; exact where no values of the number were put together."""

    number: str
    category: str
    correlation_ratio: Number
    exact: bool


class InformationMatrix(Part):
    """Normalised mutual information of each pair of columns, 0 to 1; shape (columns, columns)."""

    columns: list[str]
    matrix: list[list[Number]]


class Cluster(Part):
    """Columns that say nearly the same, the one to keep, and why."""

    columns: list[str]
    representative: str
    reason: str


class Associations(Part):
    """How strongly columns are associated with each other.

    Attributes
    ----------
    numbers : the columns of `pearson` and `spearman`, shape (numbers, numbers).
    spearman_error : the largest error of a rank, as a share of the rows.
    categories : the columns of `cramers_v`, shape (categories, categories).
    other_values : the categories whose rare values are counted as one.
    vif : number -> variance inflation factor; `collinear` are those for which it is infinite.
    condition_number : of the correlation matrix of the numbers.
    rows, exact : rows in which pairs were counted, and whether these are all.
    left_out : numbers and times that are in no matrix, as the table has too many columns.
    """

    numbers: list[str]
    pearson: list[list[Number]]
    spearman: list[list[Number]]
    spearman_error: float
    categories: list[str]
    cramers_v: list[list[Number]]
    other_values: list[str]
    mixed: list[CorrelationRatio]
    information: InformationMatrix
    vif: dict[str, Number]
    collinear: list[str]
    condition_number: Number
    clusters: list[Cluster]
    scan: list[int]
    rows: int
    exact: bool
    left_out: list[str]


class EffectSize(Part):
    """The size of an effect with its confidence interval."""

    name: str
    value: Number
    low: Number
    high: Number


class HypothesisTest(Part):
    """The outcome of a test, and what it means in a sentence (`reading`).

    `columns` are a feature and the label, or one column where its distribution is tested. `q_value` is the p-value
    adjusted for the number of tests by Benjamini and Hochberg.
    """

    test: str
    columns: list[str]
    statistic: Number
    p_value: Number
    q_value: Number
    n: int
    effect: EffectSize | None
    rank_error: float
    reading: str
    scan: int
