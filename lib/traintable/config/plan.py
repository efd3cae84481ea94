"""The plan: what becomes of each column, as a person reads, edits and commits it, and as `prepare` carries it out."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from traintable.config.section import Names, Section, _different

# What a feature can have only if it is a number, or only if it is a category.
_OF_NUMBERS = frozenset({"indicator", "by", "time", "statistic", "outliers", "transform", "n_bins", "scale"})
_OF_CATEGORIES = frozenset({"top_k", "min_frequency", "num_oov_buckets", "n_buckets", "smoothing", "trim", "case"})
_GOES_WITH = {
    "top_k": ("one_hot", "ordinal", "frequency"),
    "min_frequency": ("one_hot", "ordinal", "frequency"),
    "num_oov_buckets": ("one_hot", "ordinal"),
    "n_buckets": ("hashing",),
    "smoothing": ("target",),
}
_NEEDS = {"by": ("group", "forward_fill"), "time": ("forward_fill",), "statistic": ("group",)}


class Outliers(Section):
    """Bounds that train decides, and what becomes of values outside them.

    `quantile` takes the quantiles at `low` and `high`; `iqr` the quartiles less and plus `factor` times their distance
    (Tukey, 1.5); `mad` the median less and plus `factor` times the median absolute deviation scaled to a normal
    distribution's standard deviation (3). `cap` moves a value to the bound, `flag` adds a feature that says so, and
    `drop` removes such rows from train, never from validation, test or what is served.
    """

    method: Literal["quantile", "iqr", "mad"]
    action: Literal["cap", "flag", "drop"] = "cap"
    low: float = Field(0.01, ge=0, lt=0.5)
    high: float = Field(0.99, gt=0.5, le=1)
    factor: float | None = Field(None, gt=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _bounds_belong_to_the_method(self) -> Outliers:
        wrong = {"low", "high"} if self.method != "quantile" else {"factor"}
        given = sorted(wrong & self.model_fields_set)
        if given:
            raise ValueError(f"{', '.join(given)} does not apply to method '{self.method}'")
        return self


class Feature(Section):
    """How one column becomes features.

    A number is imputed, held within bounds, transformed and scaled, in this order; a category (`encode`) is trimmed,
    imputed and encoded. Each step learns from the output of the previous step, on train only. `expr` makes the feature
    from other columns of the same row: a ratio (by `try_divide`, for `/` fails on 0), a difference, two categories as
    a single one.

    `impute: forward_fill` reads other rows: each batch that is transformed is filled from its own rows only. Train is
    not filled from test, nor a batch that is served from train, and rows of a stream, which come one by one, can't be.
    """

    expr: str | None = None
    impute: Literal["mean", "median", "mode", "constant", "group", "forward_fill", "iterative"] | None = None
    fill_value: Annotated[float, Field(allow_inf_nan=False)] | str | None = None
    by: str | None = None
    time: str | None = None
    statistic: Literal["mean", "median"] = "mean"
    indicator: bool = False
    outliers: Outliers | None = None
    transform: Literal["log1p", "yeo_johnson", "quantile_bins"] | None = None
    n_bins: int = Field(10, ge=2, le=1000)
    scale: Literal["standard", "robust", "min_max", "max_abs"] | None = None
    encode: Literal["one_hot", "ordinal", "frequency", "hashing", "target"] | None = None
    trim: bool = False
    case: Literal["lower", "upper"] | None = None
    top_k: int = Field(200, ge=1, le=100_000)
    min_frequency: int = Field(1, ge=1)
    num_oov_buckets: int = Field(1, ge=0, le=1000)
    n_buckets: int = Field(32, ge=2, le=10_000)
    smoothing: float | Literal["auto"] = "auto"
    because: str | None = None
    alternatives: tuple[dict[str, Any], ...] = ()

    @model_validator(mode="after")
    def _is_one_kind(self) -> Feature:
        given = self.model_fields_set
        wrong = given & (_OF_NUMBERS if self.encode else _OF_CATEGORIES)
        if wrong:
            kind = "an encoded category" if self.encode else "a number (no `encode`)"
            raise ValueError(f"{', '.join(sorted(wrong))} does not apply to {kind}")
        if self.encode and self.impute not in (None, "mode", "constant"):
            raise ValueError(f"impute '{self.impute}' does not apply to an encoded category")
        if (self.impute == "constant") != (self.fill_value is not None):
            raise ValueError("`impute: constant` and `fill_value` go together")
        if self.fill_value is not None and isinstance(self.fill_value, str) != bool(self.encode):
            raise ValueError("fill_value is a text for an encoded category and a number otherwise")
        return self

    @model_validator(mode="after")
    def _parts_fit(self) -> Feature:
        for name, methods in _NEEDS.items():
            if name in self.model_fields_set and self.impute not in methods:
                raise ValueError(f"{name} does not apply to impute '{self.impute or 'mean'}'")
        if self.impute == "group" and self.by is None:
            raise ValueError("`impute: group` needs `by`, the column of the groups")
        if self.impute == "forward_fill" and self.time is None:
            raise ValueError("`impute: forward_fill` needs `time`, the column that orders the rows")
        if "n_bins" in self.model_fields_set and self.transform != "quantile_bins":
            raise ValueError("n_bins goes with `transform: quantile_bins`")
        for name, encodings in _GOES_WITH.items():
            if name in self.model_fields_set and self.encode not in encodings:
                raise ValueError(f"{name} goes with `encode: {', '.join(encodings)}`")
        if isinstance(self.smoothing, float) and not 0 <= self.smoothing < float("inf"):
            raise ValueError("smoothing is 'auto' or a number of rows, 0 or more")
        return self


class Interactions(Section):
    """Products of numeric features up to `degree`, as sklearn.preprocessing.PolynomialFeatures makes them.

    More than `max_features` of them are refused: a plan that explodes is a mistake.
    """

    columns: Names
    degree: int = Field(2, ge=2, le=4)
    interaction_only: bool = False
    max_features: int = Field(100, ge=1)


class Normalize(Section):
    """Numeric features of one row divided by their norm; a row of zeros stays as it is."""

    columns: Annotated[Names, Field(min_length=2)]
    norm: Literal["l1", "l2", "max"] = "l2"


class Selector(Section):
    """One way to leave features out, by what train says of them.

    `variance`: numbers whose variance after imputation is not above `threshold`, categories of one value.
    `correlation`: numbers that correlate above `threshold` with one that is kept; the earlier in the plan is kept.
    `anova_f`, `chi2`, `mutual_info`: features that are not associated with the label, at a false discovery rate of
    `alpha`, or all but the best `k`. `mrmr`: all numbers but the `k` that tell most of the label and least of each
    other.
    `tree`: features that a decision tree finds no more useful than the best of `n_probes` random columns of as many
    levels.
    """

    method: Literal["variance", "correlation", "anova_f", "chi2", "mutual_info", "mrmr", "tree"]
    threshold: float | None = Field(None, ge=0, allow_inf_nan=False)
    alpha: float = Field(0.05, gt=0, lt=1)
    k: int | None = Field(None, ge=1)
    n_probes: int = Field(10, ge=1, le=100)
    max_depth: int = Field(6, ge=1, le=12)

    @model_validator(mode="after")
    def _settings_belong_to_the_method(self) -> Selector:
        univariate = ("anova_f", "chi2", "mutual_info")
        applies = {
            "threshold": ("variance", "correlation"),
            "alpha": univariate,
            "k": (*univariate, "mrmr"),
            "n_probes": ("tree",),
            "max_depth": ("tree",),
        }
        for name, methods in applies.items():
            if name in self.model_fields_set and self.method not in methods:
                raise ValueError(f"{name} does not apply to method '{self.method}'")
        if {"alpha", "k"} <= self.model_fields_set:
            raise ValueError("either `alpha` or `k` is expected, not both")
        if self.method == "mrmr" and self.k is None:
            raise ValueError("method 'mrmr' needs `k`, the number of features to keep")
        return self

    @property
    def limit(self) -> float:
        """The threshold, or the usual one of the method."""
        return self.threshold if self.threshold is not None else 0.95 if self.method == "correlation" else 0.0


class Reduce(Section):
    """Components of some features, which they replace.

    `pca` centres its columns, `truncated_svd` does not, and takes encoded categories too. Either `k` components, or as
    many as explain a share of the variance.
    """

    method: Literal["pca", "truncated_svd"] = "pca"
    columns: Annotated[Names, Field(min_length=2)]
    k: int | None = Field(None, ge=1)
    explained_variance: float | None = Field(None, gt=0, le=1)
    whiten: bool = False
    prefix: str = "pc"

    @model_validator(mode="after")
    def _size_is_given(self) -> Reduce:
        if (self.k is None) == (self.explained_variance is None):
            raise ValueError("either `k` or `explained_variance` is expected")
        if self.method == "pca" and self.k is not None and self.k > len(self.columns):
            raise ValueError(f"k is {self.k} but only {len(self.columns)} columns are given")
        if self.method == "truncated_svd" and self.whiten:
            raise ValueError("whiten goes with `method: pca`")
        return self


class LeftOut(Section):
    """A column that is no feature, and why; what it could be made into, for the reader."""

    because: str = ""
    alternatives: tuple[dict[str, Any], ...] = ()


class Plan(Section):
    """The decisions of the analysis, which preparation executes.

    `label` and `fold` name the columns that target encoding and selection learn from; a run uses its own label, and
    adds `n_folds` folds where target encoding needs them. `drop` and `advice` say what was decided against and what the
    plan can't decide; preparation does not read them.
    """

    features: dict[str, Feature] = Field(min_length=1)
    label: str | None = None
    fold: str = "fold"
    n_folds: int = Field(5, ge=2, le=100)
    interactions: tuple[Interactions, ...] = ()
    normalize: tuple[Normalize, ...] = ()
    select: tuple[Selector, ...] = ()
    reduce: Reduce | None = None
    drop: dict[str, LeftOut] = Field(default_factory=dict)
    advice: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _names_are_of_features(self) -> Plan:
        sections = [("interactions", products.columns) for products in self.interactions]
        sections += [("normalize", norm.columns) for norm in self.normalize]
        if self.reduce and self.reduce.method == "pca":
            sections.append(("reduce", self.reduce.columns))
        for section, names in sections:
            for name in names:
                if name not in self.features or self.features[name].encode:
                    raise ValueError(f"{section}.columns names '{name}', which is not a numeric feature")
        for name in self.reduce.columns if self.reduce else ():
            if name not in self.features:
                raise ValueError(f"reduce.columns names '{name}', which is not a feature")
        normalized = [name for norm in self.normalize for name in norm.columns]
        if len(set(normalized)) != len(normalized):
            raise ValueError("normalize names a feature twice")
        _different(tuple(self.features))
        both = sorted(self.features.keys() & self.drop.keys())
        if both:
            raise ValueError(f"'{both[0]}' is both among `features` and among `drop`")
        for role, own in (("label", self.label), ("fold", self.fold if self.needs_fold else None)):
            if own in self.features:
                raise ValueError(f"'{own}' is the {role}, which is no feature")
        return self

    @property
    def numbers(self) -> tuple[str, ...]:
        """The features that are numbers."""
        return tuple(name for name, feature in self.features.items() if not feature.encode)

    @property
    def categories(self) -> tuple[str, ...]:
        """The features that are encoded categories."""
        return tuple(name for name, feature in self.features.items() if feature.encode)

    @property
    def drops_rows(self) -> bool:
        """Whether outliers take rows out of train."""
        return any(f.outliers is not None and f.outliers.action == "drop" for f in self.features.values())

    @property
    def fills_forward(self) -> bool:
        """Whether what becomes of a row depends on the rows that are transformed with it."""
        return any(feature.impute == "forward_fill" for feature in self.features.values())

    @property
    def needs_label(self) -> bool:
        """Whether something is learned from the label."""
        supervised = any(s.method not in ("variance", "correlation") for s in self.select)
        return supervised or self.needs_fold

    @property
    def needs_fold(self) -> bool:
        """Whether the rows of train need folds, so that no row's own label is in its features."""
        return any(feature.encode == "target" for feature in self.features.values())
