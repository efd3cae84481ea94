"""The plan that an analysis proposes, as its YAML has it; `traintable.config.plan.Plan` says what each key does."""

from typing import Literal

from typing_extensions import NotRequired

from traintable.analyse.document.base import Part


class OutlierDecision(Part, total=False):
    """Bounds of a number, as `traintable.config.plan.Outliers` has them."""

    method: Literal["quantile", "iqr", "mad"]
    low: float
    high: float


class Steps(Part, total=False):
    """How one column becomes features: the keys of `traintable.config.plan.Feature` that an analysis proposes."""

    expr: str
    impute: Literal["mean", "median", "mode"]
    indicator: bool
    outliers: OutlierDecision
    transform: Literal["log1p", "yeo_johnson", "quantile_bins"]
    n_bins: int
    scale: Literal["standard", "robust"]
    encode: Literal["one_hot", "ordinal", "frequency", "hashing", "target"]
    n_buckets: int
    trim: bool
    min_frequency: int


class Alternative(Steps, total=False):
    """Something else that could become of a column: other steps, no feature at all (`drop`), or features of it."""

    drop: Literal[True]
    features: dict[str, Steps]


class FeatureDecision(Steps, total=False):
    """What becomes of a column, why, and what else could; the steps are carried out, the rest is for the reader."""

    because: str
    alternatives: list[Alternative]


class DropDecision(Part):
    """Why a column is no feature, and what it could become."""

    because: str
    alternatives: NotRequired[list[Alternative]]


class Product(Part):
    """Products of numbers, as `traintable.config.plan.Interactions` has them."""

    columns: list[str]
    degree: int
    interaction_only: bool


class Advice(Part, total=False):
    """Sentences on what a plan can't decide; a subject without any is absent."""

    classes: list[str]
    metrics: list[str]
    split: list[str]
    rows: list[str]


class ProposedPlan(Part):
    """The plan that follows from a profile.

    Attributes
    ----------
    features : name -> what becomes of it, in the order of the table's columns.
    interactions : products that gain over an additive model; absent where there are none.
    drop : column -> why it is no feature; absent where there is none.
    """

    features: dict[str, FeatureDecision]
    interactions: NotRequired[list[Product]]
    drop: NotRequired[dict[str, DropDecision]]
    advice: NotRequired[Advice]
