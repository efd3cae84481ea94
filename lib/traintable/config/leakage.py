"""What counts as a leak, and which findings are known to be none: a section of the configuration."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from traintable.config.section import Mismatch, Names, Section

Check = Literal[
    "duplicates",
    "near_duplicates",
    "groups",
    "times",
    "predictors",
    "unavailable",
    "target_statistics",
    "identifiers",
    "gap",
]


def _reason(text: str) -> str:
    if not text.strip():
        raise ValueError("a reason in words")
    return text


class Limits(Section):
    """From where on the guards report.

    Attributes
    ----------
    max_duplicates, max_near_duplicates : share of held-out rows that may have a copy in train.
    similarity : Jaccard similarity of two sets of tokens from which on rows are near duplicates.
    n_bands, rows_per_band : of MinHash. A pair of similarity s is found with the probability
        1 - (1 - s ** rows_per_band) ** n_bands: 0.958 for 0.8 with 8 bands of 5 rows.
    shingle_words : how many consecutive words make a token of a text.
    max_candidates : how many candidates of a row are compared in one crowded bucket.
    sample_rows : so many rows of a side are looked at where not all are.
    max_auc : area under the ROC curve of a number that alone tells the label.
    max_information : share of the label's entropy that a category tells.
    max_order_information : the same for the order of a number that is different in nearly all rows.
    max_lookup : share of the constant answer's errors that the answers looked up in train save.
    max_gap_auc, severe_gap_auc : area under the ROC curve of a classifier that tells train from the other splits.
    """

    max_duplicates: float = Field(0.01, ge=0, le=1)
    max_near_duplicates: float = Field(0.01, ge=0, le=1)
    similarity: float = Field(0.8, gt=0, le=1)
    n_bands: int = Field(8, ge=1, le=256)
    rows_per_band: int = Field(5, ge=1, le=64)
    shingle_words: int = Field(3, ge=1, le=20)
    max_candidates: int = Field(50, ge=1, le=10_000)
    sample_rows: int = Field(5_000, ge=100, le=50_000)
    max_auc: float = Field(0.995, gt=0.5, le=1)
    max_information: float = Field(0.95, gt=0, le=1)
    max_order_information: float = Field(0.5, gt=0, le=1)
    max_lookup: float = Field(0.8, gt=0, le=1)
    max_gap_auc: float = Field(0.7, gt=0.5, le=1)
    severe_gap_auc: float = Field(0.9, gt=0.5, le=1)


class Allowed(Section):
    """Findings of one check that are no leak, and why; of all columns unless `columns` names some."""

    check: Check
    columns: tuple[str, ...] = ()
    because: Annotated[str, AfterValidator(_reason)]

    def covers(self, check: str, columns: tuple[str, ...]) -> bool:
        """Whether a finding of `check` about `columns` is allowed: all of them are named, or none is."""
        return self.check == check and (not self.columns or set(columns) <= set(self.columns))


class Leakage(Section):
    """What the guards need to know beyond the roles of columns.

    `groups` are columns, or lists of columns, whose values may not stand on two sides of the split; `time` orders the
    splits (the column of a split by time needs no mention); `text` names columns of free text.
    """

    groups: tuple[str | Names, ...] = ()
    time: str | None = None
    text: tuple[str, ...] = ()
    limits: Limits = Limits()
    allow: tuple[Allowed, ...] = ()

    @model_validator(mode="after")
    def _names_are_columns(self) -> Leakage:
        if not all([*self.columns]):
            raise Mismatch("names of columns", "an empty name")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the section names, beyond those that are allowed."""
        names = [name for group in self.groups for name in ((group,) if isinstance(group, str) else group)]
        return tuple(dict.fromkeys([*names, *self.text, *([self.time] if self.time else [])]))
