"""Features that would help a model, each with the piece of a plan that makes it."""

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import NotRequired

from traintable.analyse.document.base import Number, Part


class OutlierDecision(Part, total=False):
    """Bounds of a number, as `traintable.config.plan.Outliers` has them."""

    method: Literal["quantile", "iqr", "mad"]
    action: Literal["cap", "flag", "drop"]
    low: float
    high: float
    factor: float


class FeatureDecision(Part, total=False):
    """How one column becomes a feature: the keys of `traintable.config.plan.Feature` that an analysis proposes."""

    expr: str
    impute: Literal["mean", "median", "mode"]
    indicator: bool
    outliers: OutlierDecision
    transform: Literal["log1p", "yeo_johnson", "quantile_bins"]
    n_bins: int
    scale: Literal["standard", "robust", "min_max", "max_abs"]
    encode: Literal["one_hot", "ordinal", "frequency", "hashing", "target"]
    n_buckets: int
    trim: bool
    min_frequency: int
    because: str


class Product(Part):
    """Products of numbers, as `traintable.config.plan.Interactions` has them."""

    columns: list[str]
    degree: int
    interaction_only: bool


class FeaturePieces(Part):
    """A piece of a plan that makes features."""

    features: dict[str, FeatureDecision]


class ProductPieces(Part):
    """A piece of a plan that makes products."""

    interactions: list[Product]


class _Hint(Part):
    """What all hints have.

    Attributes
    ----------
    columns : what the hint is about.
    gain : the number that speaks for it; what it measures depends on the kind of hint.
    text : a sentence.
    scan : the scan of the sample; added by `profile`.
    """

    columns: list[str]
    gain: float
    text: str
    scan: NotRequired[int]


class InteractionHint(_Hint):
    """A product of two numbers, or the square of one, from which an additive model gains; `z` in standard errors."""

    hint: Literal["interaction", "polynomial"]
    z: float
    plan: ProductPieces


class PeriodicHint(_Hint):
    """A part of a time, such as the hour of the day, by which the label differs; `z` in standard errors."""

    hint: Literal["periodic"]
    z: float
    part: str
    plan: FeaturePieces


class TransformHint(_Hint):
    """A transform that removes the skew of a number; `skewness` before, and after each transform."""

    hint: Literal["transform"]
    skewness: dict[str, Number]
    rank_error: float
    plan: FeaturePieces


class RareCategoriesHint(_Hint):
    """Values of a category, each in less than a `share` of the rows, that can be taken for one."""

    hint: Literal["rare_categories"]
    share: float
    plan: FeaturePieces


Hint = Annotated[InteractionHint | PeriodicHint | TransformHint | RareCategoriesHint, Field(discriminator="hint")]
