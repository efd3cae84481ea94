"""Features that help a decision tree no more than random columns do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from traintable.columns import literal, quote
from traintable.config.plan import Selector
from traintable.errors import ConfigError
from traintable.prepare.fitted_plan import DroppedFeature
from traintable.prepare.terms import Layers, Term
from traintable.prepare.transform import bin_number, cut_points
from traintable.sample import keyed_hash
from traintable.sample.draw import share_below
from traintable.statistics import Statistics, Wanted, Weighted

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Scan = Callable[["DataFrame", Wanted], Statistics]
Levels = list[list[float]]  # for each column the share of the rows up to each level but the last, ascending
N_BINS = 32
_LABEL, _ROW, _COPY = "__label", "__row", "__copy"
_SEED = 0  # of the random columns: what is fitted depends on the rows and the plan alone


def useless_features(
    train: DataFrame, layers: Layers, terms: Sequence[Term], *, label: str, selector: Selector, scan: Scan
) -> list[DroppedFeature]:
    """The features none of whose columns is more important to a tree than random columns of as many levels.

    All columns are cut into at most 32 levels of about equally many rows, so that pyspark.ml's DecisionTreeClassifier
    tries every cut and samples none; its importances (the impurity that a column's cuts take away) then depend on the
    rows alone. A column of many levels fits chance better than one of few, so each is compared with the best of
    `n_probes` random columns that have as many levels, as frequent as those of such columns are. Costs a `scan` for the
    levels, a shuffle of the rows, and the tree's passes over its own copy of them. The idea is that of Kursa and
    Rudnicki, "Feature selection with the Boruta package" (J. Stat. Softw. 36, 2010).
    """
    names = [f"c{i}" for i in range(len(terms))]
    columns = [f"{term.sql} AS {name}" for term, name in zip(terms, names, strict=True)]
    rows = (
        layers.add_to(train)
        .selectExpr(*columns, f"CAST({quote(label)} AS STRING) AS {_LABEL}")
        .where(f"{_LABEL} IS NOT NULL")
    )
    learned = scan(rows, Wanted(values=tuple(names), frequencies=(_LABEL,)))
    classes = _classes(learned)
    values = [learned.values[name].weighted() for name in names]
    edges = [cut_points(of_column, N_BINS) for of_column in values]
    probes = _probes(
        [_shares(of_column, inner) for of_column, inner in zip(values, edges, strict=True)], selector.n_probes
    )
    cut = _cut_into_levels(rows, dict(zip(names, edges, strict=True)), probes, classes)
    sizes = [len(inner) + 1 for inner in (*edges, *probes)]
    importances = _importances(cut, sizes, selector)
    best = {1: 0.0}
    for size, value in zip(sizes[len(names) :], importances[len(names) :], strict=True):
        best[size] = max(best.get(size, 0.0), value)
    return _not_above(terms, sizes, importances, best, selector.n_probes)


def _classes(learned: Statistics) -> list[str]:
    classes = sorted(learned.frequencies[_LABEL].counts)
    if len(classes) < 2 or learned.n_rows < N_BINS:
        raise ConfigError(
            where="prepare.select",
            expected=f"at least {N_BINS} labelled rows of two classes for `method: tree`",
            found=f"{learned.n_rows} rows of {len(classes)} classes",
            remedy="Select by `variance` or `correlation`, which need no label.",
        )
    return classes


def _not_above(
    terms: Sequence[Term], sizes: Sequence[int], importances: Sequence[float], best: Mapping[int, float], n_probes: int
) -> list[DroppedFeature]:
    """The features of which no column is above the best random one of its size, each with its most important column."""
    ranks: dict[str, tuple[bool, float, int]] = {}
    for term, size, value in zip(terms, sizes, importances, strict=False):
        rank = (value > best[size], value, size)
        ranks[term.feature] = max(ranks.get(term.feature, rank), rank)
    return [
        DroppedFeature(
            feature,
            "tree",
            f"importance {value:.4g}, not above {best[size]:.4g} of the best of {n_probes} random columns of {size}"
            f" level{'s' if size > 1 else ''}",
        )
        for feature, (is_above, value, size) in ranks.items()
        if not is_above
    ]


def _shares(values: Weighted, edges: list[float]) -> list[float]:
    """The share of the rows below each edge."""
    below = np.searchsorted(values.values, edges, side="left")
    return [float(share) for share in np.append(0, np.cumsum(values.counts))[below] / max(1, values.n)]


def _probes(shares: Levels, n_probes: int) -> Levels:
    """The shares of random columns: for each number of levels that occurs, `n_probes` that are like those in turn."""
    alike: dict[int, Levels] = {}
    for inner in shares:
        if inner:
            alike.setdefault(len(inner), []).append(inner)
    return [group[i % len(group)] for _, group in sorted(alike.items()) for i in range(n_probes)]


def _cut_into_levels(
    rows: DataFrame, edges: Mapping[str, list[float]], probes: Levels, classes: Sequence[str]
) -> DataFrame:
    """The level of each column and of each random one, and the number of the class.

    A row's key is all that the tree sees of it, with a number that tells rows apart of which all that is the same.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    same = Window.partitionBy(_ROW).orderBy(_LABEL)
    keyed = rows.withColumn(_ROW, keyed_hash(rows.columns, seed=_SEED, purpose="probes"))
    keyed = keyed.withColumn(_COPY, F.row_number().over(same))
    levels = [F.expr(bin_number(name, inner)).alias(name) for name, inner in edges.items()]
    for i in range(len(probes)):
        draw = share_below(keyed_hash([_ROW, _COPY], seed=_SEED, purpose=f"probe {i}"))
        levels.append(draw.alias(f"p{i}"))
    answer = " ".join(f"WHEN {literal(word)} THEN {i}.0D" for i, word in enumerate(classes))
    drawn = keyed.select(*levels, F.expr(f"CASE {_LABEL} {answer} END").alias(_LABEL))
    cut = [f"{bin_number(f'p{i}', inner)} AS p{i}" for i, inner in enumerate(probes)]
    return drawn.selectExpr(*edges, *cut, _LABEL)


def _importances(cut: DataFrame, sizes: Sequence[int], selector: Selector) -> list[float]:
    """The importance of each column but the class, in their order; `sizes` are their numbers of levels."""
    from pyspark.ml.classification import DecisionTreeClassifier
    from pyspark.ml.feature import VectorAssembler
    from pyspark.sql import functions as F

    columns = [name for name in cut.columns if name != _LABEL]
    nominal = [{"ml_attr": {"type": "nominal", "vals": [str(i) for i in range(size)]}} for size in sizes]
    cut = cut.select(*[F.col(n).alias(n, metadata=m) for n, m in zip(columns, nominal, strict=True)], _LABEL)
    vectors = VectorAssembler(inputCols=columns, outputCol="features").transform(cut).select("features", _LABEL)
    tree = DecisionTreeClassifier(labelCol=_LABEL, maxBins=N_BINS, maxDepth=selector.max_depth).fit(vectors)
    return [float(value) for value in tree.featureImportances.toArray()]
