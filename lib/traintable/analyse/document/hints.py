"""Features that would help a model, each with the piece of a plan that makes it."""

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import NotRequired

from traintable.analyse.document.base import Number, Part
from traintable.analyse.document.plan import Product, Steps


class FeaturePieces(Part):
    """A piece of a plan that makes features."""

    features: dict[str, Steps]


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
