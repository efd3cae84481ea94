"""The profile of a table: all that is known of it, as plain data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from traintable.analyse.document import (
    FORMAT,
    ColumnProfile,
    HypothesisTest,
    Leak,
    ProfileDocument,
    Scan,
    TableDrift,
)
from traintable.analyse.drift.compare import ComparedTable, compare_tables, scan_for_comparison
from traintable.analyse.json_values import as_json
from traintable.analyse.rows.context import AnalysisContext
from traintable.analyse.scans.columns import (
    BOOLEAN,
    CATEGORY,
    LABEL,
    NUMBER,
    WORDS,
    AnalysedColumn,
    columns_of,
)
from traintable.analyse.scans.table import TableScans, cost_of, scan_columns, scan_together
from traintable.analyse.sections.associations import describe_associations
from traintable.analyse.sections.by_class import add_classes
from traintable.analyse.sections.columns import describe_column
from traintable.analyse.sections.flags import flag_column, flag_label
from traintable.analyse.sections.headlines import rank_headlines
from traintable.analyse.sections.imbalance import describe_imbalance
from traintable.analyse.sections.missingness import describe_missingness
from traintable.analyse.sections.rows import ROW_SECTIONS, describe_rows
from traintable.analyse.sections.tests import run_tests
from traintable.columns import require_columns
from traintable.errors import ConfigError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_WHERE = "analyse.profile"


@dataclass(frozen=True)
class Profile:
    """What `profile` says of a table; `profile_schema` says which keys its document has."""

    document: ProfileDocument

    def to_dict(self) -> ProfileDocument:
        """All of it as lists, dicts, texts and numbers; a number that is not finite is None."""
        return self.document.copy()

    def to_json(self) -> str:
        """The profile as JSON text, the same for the same rows."""
        return json.dumps(self.document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Profile:
        """The profile that `to_json` wrote; ConfigError when the text is none, or has another format."""
        try:
            document = json.loads(text)
        except ValueError as error:
            raise _not_a_profile(str(error)) from error
        if not isinstance(document, dict):
            raise _not_a_profile(f"a {type(document).__name__}")
        if document.get("profile") != FORMAT:
            raise _not_a_profile(f"format {document.get('profile')}")
        return cls(cast("ProfileDocument", document))

    def _repr_html_(self) -> str:
        from traintable.analyse import report

        return report.notebook_html(self.to_dict())


def _not_a_profile(found: str) -> ConfigError:
    return ConfigError(
        where="analyse.Profile",
        expected=f"a profile of format {FORMAT} as JSON",
        found=found,
        remedy="Analyse the table again.",
    )


def profile(
    df: DataFrame,
    *,
    label: str | None = None,
    time: str | None = None,
    partition: str | None = None,
    key: Sequence[str] = (),
    seed: int = 0,
    name: str = "table",
    cache: str | None = None,
    of_rows: Sequence[str] = ROW_SECTIONS,
    leaks: Sequence[Leak] = (),
    reference: DataFrame | None = None,
    against: str = "reference",
) -> Profile:
    """Describe the rows of `df` column by column and together, with the label where one is named.

    Parameters
    ----------
    label : the column to predict; it has classes where it is a text, a boolean, or has at most 20 whole values, else it
        is continuous.
    time : the column of times by which classes are shown over time; the first one by default.
    partition : a category whose values, in ascending order, are compared with those before them (a load, a month as
        text), instead of the periods of `time`.
    key : the columns that identify a row; described, but no features.
    seed : of all chance, which is a keyed hash.
    name : of the table, for the reader.
    cache : a local folder that keeps what the first scan has learned of files.
    of_rows : which sections to make that look at rows, of "anomalies", "importance" and "hints"; they need
        scikit-learn (the extra `analyse`).
    leaks : what `split.examine` has reported, as `split.manifest_findings` gives it, to be shown in the profile.
    reference, against : another table, or an earlier version, to compare these rows with (see `compare`), and its name.

    Returns
    -------
    Profile
        `to_dict` gives its document, whose keys are those of `profile_schema`; in a notebook it shows a report.

    Costs two scans of all rows: the columns one by one, then by class and in pairs. The sections of rows cost two more,
    one that draws a keyed sample and one that scores all rows. In a table of more than 100 columns pairs are counted in
    a sample by one more pass. The reference is read once. The result says in `scans` what was read.

    Raises ConfigError when a named column is missing, or when the label can't be one.

    Examples
    --------
    >>> df = spark.createDataFrame([(1.0, "no"), (2.0, "no"), (4.0, "yes"), (None, "yes")], "hours double, late string")
    >>> document = profile(df, label="late", of_rows=()).to_dict()
    >>> hours, late = document["columns"]
    >>> hours["kind"], hours["n_null"], hours["quantiles"]["0.5"], hours["flags"][0]["text"]
    ('number', 1, 2.0, '25.0% of the rows (1) have no value.')
    >>> document["imbalance"]["classes"]
    {'no': 2, 'yes': 2}
    """
    roles = [name for name in (label, time, partition, *key) if name is not None]
    require_columns(df, set(roles), where=_WHERE)
    _refuse_two_roles(label, (time, partition, *key))
    declared = columns_of(dict(df.dtypes), label=label, time=time, key=key)
    _refuse_no_label(declared)
    columns, first = scan_columns(df, declared, cache=cache)
    _refuse_no_partition(columns, partition)
    table = scan_together(df, columns, first, key=key, seed=seed)
    context = AnalysisContext.of(
        df,
        columns,
        first,
        label_is_number=label is not None and table.codes.classes is None,
        time=time,
        partition=partition,
        key=key,
        seed=seed,
    )
    scans = table.costs()
    profiles, tests = _describe_columns(table)
    imbalance = describe_imbalance(table, {column["name"]: column for column in profiles})
    for column, described in zip(columns, profiles, strict=True):
        described["flags"] += flag_label(column, imbalance)
    rows = describe_rows(context, of_rows, scans)
    document: ProfileDocument = {
        "profile": FORMAT,
        "name": name,
        "rows": table.n_rows,
        "label": label,
        "time": time,
        "key": list(key),
        "scans": scans,
        "columns": profiles,
        "missingness": describe_missingness(first),
        "imbalance": imbalance,
        "associations": describe_associations(table),
        "tests": tests,
        "anomalies": rows.anomalies,
        "importance": rows.importance,
        "hints": list(rows.hints),
        "leaks": list(leaks),
        "drift": None if reference is None else _compare(reference, against, table, key, scans),
        "headlines": [],
    }
    document["headlines"] = rank_headlines(document)
    return Profile(as_json(document))


def _describe_columns(table: TableScans) -> tuple[list[ColumnProfile], list[HypothesisTest]]:
    profiles = []
    tests, associations = run_tests(table)
    for column in table.columns:
        described = describe_column(column, table.first)
        add_classes(described, table)
        described["label"] = associations.get(column.name)
        described["flags"] = flag_column(column, described, table.first)
        profiles.append(described)
    return profiles, tests


def _compare(
    reference: DataFrame, against: str, table: TableScans, key: Sequence[str], scans: list[Scan]
) -> TableDrift:
    """The comparison with the reference, for which these rows need not be read again."""
    earlier = scan_for_comparison(reference, key, against)
    scans.append(cost_of("the reference", earlier.statistics))
    drift = compare_tables(earlier, ComparedTable("current", table.columns, table.first))
    drift["scan"] = len(scans) - 1
    return drift


def _refuse_two_roles(label: str | None, others: Sequence[str | None]) -> None:
    if label is not None and label in others:
        raise ConfigError(
            where=_WHERE,
            expected="a label that has no other role",
            found=f"'{label}', which is named as time, partition or key too",
            remedy="What is to be predicted can't be known beforehand: name another column.",
        )


def _refuse_no_label(columns: Sequence[AnalysedColumn]) -> None:
    label = next((c for c in columns if c.role == LABEL), None)
    if label and label.kind not in (NUMBER, CATEGORY, BOOLEAN):
        raise ConfigError(
            where=f"column '{label.name}'",
            expected="a label that is a number, a text or a boolean",
            found=f"the type {label.type}",
            remedy="Derive a label from it.",
        )


def _refuse_no_partition(columns: Sequence[AnalysedColumn], partition: str | None) -> None:
    column = next((c for c in columns if c.name == partition), None)
    if column and column.kind not in WORDS:
        raise ConfigError(
            where=f"column '{column.name}'",
            expected="a partition: a text of few values, or a boolean",
            found=f"the type {column.type}, a {column.kind}",
            remedy="Cast it to text whose order is that of the partitions, or name a column of times as `time`.",
        )
