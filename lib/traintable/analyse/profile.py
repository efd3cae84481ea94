"""The profile of a table: all that is known of it, as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from traintable.sample.draw import HIGHEST, LOWEST, keyed_hash

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from traintable.analyse.drift.compare import TableScan, compare_scans, scan_table
from traintable.analyse.json_values import plain
from traintable.analyse.rows.context import AnalysisContext
from traintable.analyse.scanned.kinds import (
    BOOLEAN,
    CATEGORY,
    KEY,
    LABEL,
    NUMBER,
    TIME,
    WORDS,
    Column,
    after_reading,
    columns_of,
    usable_features,
)
from traintable.analyse.scanned.scans import MAX_PAIRED, Codes, codes_of, of_pairs, one_by_one, together
from traintable.analyse.sections import described, flags, headlines, imbalance, missing, relations, tested
from traintable.columns import require_columns
from traintable.errors import ConfigError
from traintable.statistics import Statistics, scan

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

FORMAT = 1
OF_ROWS = ("anomalies", "importance", "hints")  # sections that need rows: a sample of them, and all to be scored
_WHERE = "analyse.profile"


@dataclass(frozen=True)
class Profile:
    """What `profile` has found, as `to_dict` gives it."""

    content: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """All of it as lists, dicts, texts and numbers; a number that is not finite is None."""
        return dict(self.content)

    def to_json(self) -> str:
        """The profile as JSON text, the same for the same rows."""
        return json.dumps(self.content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Profile:
        """The profile that `to_json` wrote; ConfigError when it is none."""
        try:
            content = json.loads(text)
        except ValueError as error:
            raise _no_profile(str(error)) from error
        if not isinstance(content, dict) or content.get("profile") != FORMAT:
            raise _no_profile("something else")
        return cls(content)

    def _repr_html_(self) -> str:
        from traintable.analyse import report

        return report.notebook_html(self.to_dict())


def _no_profile(found: str) -> ConfigError:
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
    of_rows: Sequence[str] = OF_ROWS,
    leaks: Sequence[Mapping[str, Any]] = (),
    reference: DataFrame | None = None,
    against: str = "reference",
) -> Profile:
    """Describe the rows of `df` column by column and together, with the label where one is named.

    Parameters
    ----------
    label : the answer; classes where it is a text, a boolean, or has at most 20 whole values, else continuous.
    time : the column of times by which classes are shown over time; the first one by default.
    partition : a category whose values, in ascending order, are held against those before them (a load, a month as
        text), instead of the periods of `time`.
    key : what tells rows apart; described, but no feature.
    seed : of all chance, which is a keyed hash.
    name : of the table, for the reader.
    cache : a local folder that keeps what the first scan has learned of files.
    of_rows : which sections to make that look at rows, of "anomalies", "importance" and "hints"; they need
        scikit-learn (the extra `analyse`).
    leaks : what `split.examine` has found, as dicts, to be told of in the profile.
    reference, against : another table, or an earlier version, to compare these rows with (see `compare`), and its name.

    Costs two scans of all rows: the columns one by one, then by class and in pairs. The sections of rows cost two more,
    one that draws a keyed sample and one that scores all rows. In a table of more than 100 columns pairs are counted in
    a sample by one more pass. The reference is read once. The result says in `scans` what was read.

    Raises ConfigError when a named column is missing, or the label can't be one.
    """
    roles = [name for name in (label, time, partition, *key) if name is not None]
    require_columns(df, set(roles), where=_WHERE)
    _refuse_two_roles(label, (time, partition, *key))
    columns = columns_of(dict(df.dtypes), label=label, time=time, key=key)
    _refuse_no_label(columns)
    learned = scan(df, one_by_one(columns), cache=cache)
    columns = after_reading(columns, learned)
    _refuse_no_partition(columns, partition)
    codes = codes_of(columns, learned)
    second = scan(df, together(columns, codes))
    pairs = second if not codes.is_wide else _in_sample(df, columns, codes, learned.n_rows, key=key, seed=seed)
    found = _sections(columns, learned, second, pairs, codes)
    head = {"profile": FORMAT, "name": name, "rows": learned.n_rows, "label": label, "time": time, "key": list(key)}
    context = _context(df, columns, learned, codes, label=label, time=time, partition=partition, key=key, seed=seed)
    scans = _scans(learned, second, pairs)
    content = {**head, "scans": scans, **found, **_of_rows(context, of_rows, scans), "leaks": list(leaks)}
    content["drift"] = None if reference is None else _drift(reference, against, columns, learned, key, scans)
    return Profile(plain({**content, "headlines": headlines.first(content)}))


def _sections(
    columns: Sequence[Column], learned: Statistics, second: Statistics, pairs: Statistics, codes: Codes
) -> dict[str, Any]:
    by_name = {column.name: described.describe(column, learned) for column in columns}
    tests, measures = tested.measure(columns, learned, second, codes)
    for column in columns:
        found = by_name[column.name]
        described.by_class(found, second, codes)
        found["label"] = measures.get(column.name)
        found["flags"] = flags.find(column, found, learned)
    balance = imbalance.describe(columns, learned, second, codes, by_name)
    for column in columns:
        by_name[column.name]["flags"] += flags.of_label(column, balance)
    return {
        "columns": list(by_name.values()),
        "missingness": missing.describe(learned),
        "imbalance": balance,
        "associations": relations.describe(columns, learned, second, pairs, codes),
        "tests": tests,
    }


def _in_sample(
    df: DataFrame, columns: Sequence[Column], codes: Codes, n_rows: int, *, key: Sequence[str], seed: int
) -> Statistics:
    """The pairs of the first columns of a wide table, counted in a sample; the label is always among them."""
    label = [c.name for c in columns if c.role == LABEL and c.name in codes.paired]
    names = [*label, *(name for name in codes.paired if name not in label)][:MAX_PAIRED]
    return scan(about(df, SAMPLE_ROWS, n_rows, key=key, seed=seed), of_pairs(names, codes))


def _drift(
    reference: DataFrame,
    against: str,
    columns: tuple[Column, ...],
    learned: Statistics,
    key: Sequence[str],
    scans: list[dict[str, Any]],
) -> dict[str, Any]:
    """The comparison with the reference, for which these rows need not be read again."""
    before = scan_table(reference, key, against)
    scans.append({"what": "the reference", "rows": before.statistics.n_rows, **vars(before.statistics.cost)})
    return {**compare_scans(before, TableScan("current", columns, learned)), "scan": len(scans) - 1}


def _scans(learned: Statistics, second: Statistics, pairs: Statistics) -> list[dict[str, Any]]:
    known = [("columns one by one", learned), ("by class and in pairs", second)]
    known += [("pairs in a sample of rows", pairs)] if pairs is not second else []
    return [{"what": what, "rows": s.n_rows, **vars(s.cost)} for what, s in known]


def _refuse_two_roles(label: str | None, others: Sequence[str | None]) -> None:
    if label is not None and label in others:
        raise ConfigError(
            where=_WHERE,
            expected="a label that has no other role",
            found=f"'{label}', which is named as time or key too",
            remedy="What is to be predicted can't be known beforehand: name another column.",
        )


def _refuse_no_label(columns: Sequence[Column]) -> None:
    label = next((c for c in columns if c.role == LABEL), None)
    if label and label.kind not in (NUMBER, CATEGORY, BOOLEAN):
        raise ConfigError(
            where=f"column '{label.name}'",
            expected="a label that is a number, a text or a boolean",
            found=f"the type {label.type}",
            remedy="Derive a label from it.",
        )


def _refuse_no_partition(columns: Sequence[Column], partition: str | None) -> None:
    found = next((c for c in columns if c.name == partition), None)
    if found and found.kind not in WORDS:
        raise ConfigError(
            where=f"column '{found.name}'",
            expected="a partition: a text of few values, or a boolean",
            found=f"the type {found.type}, a {found.kind}",
            remedy="Cast it to text whose order is that of the partitions, or name a column of times as `time`.",
        )


def _context(
    df: DataFrame,
    columns: Sequence[Column],
    learned: Statistics,
    codes: Codes,
    *,
    label: str | None,
    time: str | None,
    partition: str | None,
    key: Sequence[str],
    seed: int,
) -> AnalysisContext:
    """What the sections that look at rows start from."""
    numbers, words = usable_features(columns, learned)
    return AnalysisContext(
        df,
        learned,
        numbers=numbers,
        categories=tuple(name for name in words if name != partition),
        times=tuple(c.name for c in columns if c.kind == TIME and c.role != KEY),
        label=label,
        label_is_number=label is not None and codes.classes is None,
        key=tuple(key),
        time=time,
        partition=partition,
        seed=seed,
    )


def _of_rows(context: AnalysisContext, wanted: Sequence[str], scans: list[dict[str, Any]]) -> dict[str, Any]:
    """The sections that look at rows; what they have read is added to `scans`."""
    found: dict[str, Any] = {"anomalies": None, "importance": None, "hints": []}
    if not context.statistics.n_rows or not context.features or not wanted:
        return found
    from traintable.analyse.anomalies import detect_anomalies
    from traintable.analyse.hints import collect_hints
    from traintable.analyse.importance import permutation_importance

    scans.append({"what": "a sample of rows", "rows": 0, "engine": "arrow", "jobs": 1, "bytes": None})
    sampled = {"scan": len(scans) - 1}
    if "importance" in wanted:
        measured = permutation_importance(context)
        found["importance"] = measured and {**measured, **sampled}
    if "hints" in wanted:
        found["hints"] = [{**hint, **sampled} for hint in collect_hints(context, found["importance"])]
    if "anomalies" in wanted:
        strange = detect_anomalies(context)
        scans.append(
            {"what": "rows scored", "rows": context.statistics.n_rows, "engine": "arrow", "jobs": 1, "bytes": None}
        )
        found["anomalies"] = strange and {**strange, "scan": [len(scans) - 2, len(scans) - 1]}
    if "sample" in vars(context):
        scans[sampled["scan"]]["rows"] = len(context.sample)
    return found


SAMPLE_ROWS = 50_000


_PURPOSE = "analyse pairs"


def about(df: DataFrame, n: int, n_rows: int, *, key: Sequence[str], seed: int) -> DataFrame:
    """The rows whose draw is below n / n_rows: `n` on average, all of them where there are no more.

    Without a key the row itself is it, so that equal rows are drawn together.
    """
    if n >= n_rows:
        return df
    names = list(key) or [name for name, kind in df.dtypes if "map<" not in kind and "variant" not in kind]
    bound = min(HIGHEST, LOWEST + round(n / n_rows * 2.0**64))
    return df.where(keyed_hash(names, seed=seed, purpose=_PURPOSE) < bound)
