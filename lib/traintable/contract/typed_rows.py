"""Rows whose values have types, held against the contract of a table that is landed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from traintable.columns import quote
from traintable.contract.json_text import to_json
from traintable.contract.record_columns import BLOCK, FILE, PLACE, RAW
from traintable.contract.rules import Field, Violation
from traintable.contract.spark_columns import check_column

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

WRONG = "_wrong"
_REASONS, _RULES = "_reasons", "_rules"
_BAD_RECORD = (
    f"struct<{RAW}: string, {BLOCK}: bigint, {PLACE}: bigint, {_REASONS}: array<string>, {_RULES}: array<string>>"
)


def check_rows(
    rows: DataFrame,
    names: Sequence[str],
    fields: Sequence[Field],
    *,
    drift: str | None = None,
    large: str | None = None,
    is_utf8: bool = False,
) -> DataFrame:
    """The rows as those of the landed table: the columns of `fields`, `_file`, and `_wrong`.

    Of a bad row `_wrong` has the whole row as JSON (`_raw`), where it is (`_block`, `_place`), the reasons and the
    rules; of a good row it is null. Costs no pass by itself.

    Parameters
    ----------
    rows : the columns `names`, in that order and whatever they are called, then `_file`, `_block` and `_place`.
    drift : a column that nobody has declared, for which all rows are quarantined.
    large : a column that is left out of `_raw`.
    is_utf8 : texts are known to be valid, so that they need no check.
    """
    plain = rows.toDF(*(f"_{i}" for i in range(len(names))), FILE, BLOCK, PLACE)
    targets = plain.select(*(F.lit(None).cast(field.spark) for field in fields)).schema.fields
    values: list[Column] = []
    violations: list[tuple[Column, Violation]] = []
    if drift is not None:
        violations.append((F.lit(True), Violation(f"drift:{drift}", "declared columns only")))
    for field, target in zip(fields, targets, strict=True):
        if field.source in names:
            i = names.index(field.source)
            column, kind = F.col(f"_{i}"), plain.schema[i].dataType
        else:
            column, kind = F.lit(None).cast(field.spark), target.dataType
        checked = check_column(plain, column, kind, field, target.dataType, is_utf8=is_utf8)
        values.append(checked.value.alias(field.name))
        violations += checked.violations
    raw = to_json(F.struct(*(F.col(f"_{i}").alias(name) for i, name in enumerate(names) if name != large)))
    return plain.select(*values, FILE, _bad_record(violations, raw).alias(WRONG))


def _bad_record(violations: Sequence[tuple[Column, Violation]], raw: Column) -> Column:
    """What is kept of a bad row; null of a good one, for which it costs the conditions alone."""
    if not violations:
        return F.lit(None).cast(_BAD_RECORD)
    holds = [F.coalesce(condition, F.lit(False)) for condition, _ in violations]
    reasons, rules = (
        F.array_compact(F.array(*(F.when(hold, F.lit(text)) for hold, text in zip(holds, texts, strict=True))))
        for texts in zip(*(violation for _, violation in violations), strict=True)
    )
    record = F.struct(raw.alias(RAW), BLOCK, PLACE, reasons.alias(_REASONS), rules.alias(_RULES))
    return F.when(reduce(or_, holds), record)


def bad_records(rows: DataFrame, names: Sequence[str]) -> DataFrame:
    """The bad ones among checked rows, what is kept of each in columns of its own; `names` are their source's."""
    kept = (f"{WRONG}.{quote(name)}" for name in (RAW, BLOCK, PLACE, _REASONS, _RULES))
    more = {"_names": F.array(*map(F.lit, names)), "_bytes": F.lit(None).cast("binary")}
    return rows.where(F.col(WRONG).isNotNull()).select(FILE, *kept).withColumns(more)
