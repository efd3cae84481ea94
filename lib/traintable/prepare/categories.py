"""One categorical feature: brought to one form, imputed and encoded."""

from __future__ import annotations

from traintable.columns import literal
from traintable.config.plan import Feature, Plan
from traintable.errors import ConfigError
from traintable.prepare import clean, encode
from traintable.prepare.target import target_terms
from traintable.prepare.terms import Layers, Term
from traintable.statistics import Statistics, TargetGroups, Wanted


class CategoricalFeature:
    """One categorical feature of a plan; `column` is what the scan calls it, `sql` gives its text."""

    def __init__(self, name: str, feature: Feature, plan: Plan) -> None:
        self.name, self.feature = name, feature
        self.is_plain = feature.expr is None and not feature.trim and feature.case is None
        self.column = name if self.is_plain else f"{name} (text)"
        self.sql = clean.categorical(name, feature)
        self._target = TargetGroups(self.column, plan.label or "", plan.fold)

    def wanted(self) -> Wanted:
        """What the scan has to learn of the column."""
        wanted = Wanted()
        if self.needs_words or self.feature.impute == "mode":
            wanted |= Wanted(frequencies=(self.column,))
        if self.feature.encode == "target":
            wanted |= Wanted(targets=(self._target,))
        return wanted

    @property
    def needs_words(self) -> bool:
        """Whether the feature is made from a vocabulary."""
        return self.feature.encode in ("one_hot", "ordinal", "frequency")

    def terms(self, statistics: Statistics, layers: Layers) -> list[Term]:
        """The features, by what the scan has learned."""
        feature, name, fill = self.feature, self.name, self._fill(statistics)
        value = self.sql if fill is None else f"coalesce({self.sql}, {literal(fill)})"
        if feature.encode == "target":
            text, sums = layers.add(0, name, value), statistics.targets[self._target]
            return target_terms(name, text, self._target.fold or "", sums, feature.smoothing, fill=fill)
        if feature.encode == "hashing":
            index = layers.add(1, name, encode.hashed_index(layers.add(0, name, value), feature.n_buckets))
            return encode.one_hot(name, index, encode.hashed_level_names(feature.n_buckets))
        frequencies = statistics.frequencies[self.column]
        if fill is not None:
            frequencies = frequencies.with_null_as(fill)
        if feature.encode == "frequency":
            text = layers.add(0, name, value)
            return encode.frequency(
                name, text, frequencies, statistics.n_rows, top_k=feature.top_k, min_frequency=feature.min_frequency
            )
        vocabulary = frequencies.vocabulary(top_k=feature.top_k, min_frequency=feature.min_frequency)
        depth = 0
        if value != self.sql or not self.is_plain:  # a column of its own, for it is used several times
            value, depth = layers.add(0, name, value), 1
        index = layers.add(depth, name, encode.level_index(value, vocabulary, feature.num_oov_buckets))
        if feature.encode == "ordinal":
            return encode.ordinal(name, index)
        return encode.one_hot(name, index, encode.level_names(vocabulary, feature.num_oov_buckets))

    def _fill(self, statistics: Statistics) -> str | None:
        """The word that stands for null; None where null has a level of its own."""
        if self.feature.impute != "mode":
            return None if self.feature.impute is None else str(self.feature.fill_value)
        top, _ = statistics.frequencies[self.column].most_frequent(1)
        if not top:
            raise ConfigError(
                where=f"prepare.features.{self.name}",
                expected="at least one value in train, to impute the most frequent one",
                found="none",
                remedy="Remove the feature, or use `impute: constant` with a `fill_value`.",
            )
        return top[0][0]
