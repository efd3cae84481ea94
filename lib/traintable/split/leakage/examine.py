"""All guards against leaks, on the rows that will be published."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from traintable.columns import SPLIT, require_columns
from traintable.config.leakage import Limits
from traintable.split.leakage.adversarial_validation import adversarial_validation
from traintable.split.leakage.duplicates import duplicates
from traintable.split.leakage.evidence import Evidence
from traintable.split.leakage.examined_table import ExaminedTable
from traintable.split.leakage.finding import LeakFinding
from traintable.split.leakage.identifiers import identifiers
from traintable.split.leakage.near_duplicates import near_duplicates
from traintable.split.leakage.overlap import overlapping_times, shared_groups
from traintable.split.leakage.predictors import predictors
from traintable.split.leakage.sample import LeakageSample
from traintable.split.leakage.target_statistics import target_statistics

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def examine(
    df: DataFrame,
    *,
    label: str,
    key: Sequence[str],
    features: Sequence[str],
    groups: Sequence[str | Sequence[str]] = (),
    time: str | None = None,
    text: Sequence[str] = (),
    seed: int = 0,
    limits: Limits | None = None,
) -> list[LeakFinding]:
    """What looks like a leak in rows that have `split`, the severe findings first; rows with a null split are left out.

    Parameters
    ----------
    label : the answer; of more than 50 classes only rows, groups and times are examined, and adversarial validation is
        made.
    key : what tells rows apart, by which samples are drawn.
    features : the raw columns that features are made of.
    groups : columns, or lists of columns, whose values may not stand on two sides.
    time : a column by which train must lie before validation, and validation before test.
    text : columns of free text, in which near duplicates are looked for.

    Returns
    -------
    list of Finding
        See each guard for what it looks for: `duplicates`, `near_duplicates`, `shared_groups`, `overlapping_times`,
        `predictors`, `identifiers`, `target_statistics`, `adversarial_validation`. The same rows give the same findings
        in any layout.

    Costs two passes over the features for what is known of single columns, one for exact duplicates, one to draw a
    sample, one over train for near duplicates by rows and one by each text, and one over the groups.

    Examples
    --------
    >>> from traintable import split
    >>> rows = spark.range(400).selectExpr(
    ...     "id", "id % 2 AS answer", "CAST(hash(id) AS DOUBLE) AS noise", "id % 2 = 1 AS refunded",
    ...     "IF(id < 300, 'train', 'test') AS split",
    ... )
    >>> findings = split.examine(rows, label="answer", key=["id"], features=["noise", "refunded"])
    >>> [(finding.severity, finding.check, finding.columns) for finding in findings]
    [('severe', 'predictors', ('refunded',))]
    """
    named = [(name,) if isinstance(name, str) else tuple(name) for name in groups]
    used = {label, SPLIT, *key, *features, *text, *(name for group in named for name in group)}
    require_columns(df, used | ({time} if time else set()), where="split.examine")
    table = ExaminedTable(
        df, label, tuple(key), tuple(features), tuple(named), time, tuple(text), seed, limits or Limits()
    )
    evidence = Evidence(table)
    sample = LeakageSample(evidence)
    findings = [
        *duplicates(evidence),
        *near_duplicates(evidence, sample),
        *shared_groups(table),
        *overlapping_times(evidence),
        *predictors(evidence),
        *identifiers(evidence),
        *target_statistics(evidence),
        *adversarial_validation(evidence, sample),
    ]
    return sorted(findings, key=lambda finding: finding.severity != "severe")
