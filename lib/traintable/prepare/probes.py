"""Features that help a decision tree no more than random columns do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from traintable.columns import literal, quote
from traintable.errors import ConfigError
from traintable.plan import Selector
from traintable.prepare.fitted import Dropped
from traintable.prepare.terms import Layers, Term
from traintable.prepare.transform import binned, cuts
from traintable.statistics import Statistics, Wanted

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Scan = Callable[["DataFrame", Wanted], Statistics]
N_BINS = 32
_LABEL = "__label"


def useless(
    train: DataFrame, layers: Layers, terms: Sequence[Term], *, label: str, selector: Selector, scan: Scan
) -> list[Dropped]:
    """The features none of whose columns is more important to a tree than the best of `n_probes` random columns.

    All columns are cut into at most 32 bins of about equally many rows, so that pyspark.ml's DecisionTreeClassifier
    tries every cut and samples none; its importances (the impurity that a column's cuts take away) then depend on the
    rows alone. A random column is a hash of the row's features. Costs a `scan` for the bins, and the tree's passes over
    its own copy of the rows. The idea is that of Kursa and Rudnicki, "Feature selection with the Boruta package"
    (J. Stat. Softw. 36, 2010).
    """
    names = [f"c{i}" for i in range(len(terms))]
    columns = [f"{term.sql} AS {name}" for term, name in zip(terms, names, strict=True)]
    rows = (
        layers.added(train)
        .selectExpr(*columns, f"CAST({quote(label)} AS STRING) AS {_LABEL}")
        .where(f"{_LABEL} IS NOT NULL")
    )
    importances = _importances(rows, names, selector, scan)
    best = max(importances[len(names) :])
    importance: dict[str, float] = {}
    for term, value in zip(terms, importances, strict=False):
        importance[term.feature] = max(importance.get(term.feature, 0.0), value)
    return [
        Dropped(
            feature,
            "tree",
            f"importance {value:.4g}, not above {best:.4g} of the best of {selector.n_probes} random columns",
        )
        for feature, value in importance.items()
        if value <= best
    ]


def _importances(rows: DataFrame, names: Sequence[str], selector: Selector, scan: Scan) -> list[float]:
    """The importance of each column, and then of each random one."""
    from pyspark.ml.classification import DecisionTreeClassifier
    from pyspark.ml.feature import VectorAssembler
    from pyspark.sql import functions as F

    learned = scan(rows, Wanted(values=tuple(names), frequencies=(_LABEL,)))
    classes = sorted(learned.frequencies[_LABEL].counts)
    if len(classes) < 2 or learned.n_rows < N_BINS:
        raise ConfigError(
            where="prepare.select",
            expected=f"at least {N_BINS} labelled rows of two classes for `method: tree`",
            found=f"{learned.n_rows} of {len(classes)}",
            remedy="Select by `variance` or `correlation`, which need no label.",
        )
    edges = [cuts(learned.values[name].weighted(), N_BINS) for name in names]
    bins = [f"{binned(name, inner)} AS {name}" for name, inner in zip(names, edges, strict=True)]
    everything = ", ".join(names)
    probes = [f"pmod(xxhash64({i}, {everything}), {N_BINS})" for i in range(selector.n_probes)]
    bins += [f"CAST({sql} AS DOUBLE) AS p{i}" for i, sql in enumerate(probes)]
    answer = " ".join(f"WHEN {literal(word)} THEN {i}.0D" for i, word in enumerate(classes))
    nominal = {"ml_attr": {"type": "nominal", "vals": [str(i) for i in range(N_BINS)]}}
    cut = rows.selectExpr(*bins, f"CASE {_LABEL} {answer} END AS {_LABEL}")
    columns = [name for name in cut.columns if name != _LABEL]
    cut = cut.select(*[F.col(name).alias(name, metadata=nominal) for name in columns], _LABEL)
    vectors = VectorAssembler(inputCols=columns, outputCol="features").transform(cut).select("features", _LABEL)
    tree = DecisionTreeClassifier(labelCol=_LABEL, maxBins=N_BINS, maxDepth=selector.max_depth).fit(vectors)
    return [float(value) for value in tree.featureImportances.toArray()]
