"""What the gate looks at of each row, beside the rows that will be published."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
from pyspark.sql import functions as F
from pyspark.sql.types import IntegerType, StructField, StructType

from traintable.columns import FEATURES, SPLIT, SPLITS, literal, nearest, quote, refuse_taken
from traintable.config.dataset import Gate
from traintable.contract.json_text import to_json
from traintable.errors import ConfigError
from traintable.quality.matrix import counts, matrix
from traintable.quality.row_rules import failed_rules
from traintable.quality.suite import N_FEATURES, N_NOT_FINITE, SPLIT_CLASS, configured
from traintable.statistics.content_hash import ROW_HASH, row_hash

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

FAILED = "_failed"  # the ids of the rules of level quarantine that a row fails
ROW = "_row"  # a row that fails one, as JSON


def with_gate_columns(
    df: DataFrame, gate: Gate, *, key: Sequence[str], label: str, features: Sequence[str]
) -> DataFrame:
    """The rows of a training table with all that the gate reads of them: see `looked_at` for which columns that are.

    Costs no pass by itself. Raises ConfigError for a rule that names an unknown column.
    """
    rows = with_rule_columns(df, gate, key=key, label=label, features=features)
    schema = StructType(
        [*rows.schema, StructField(N_NOT_FINITE, IntegerType()), StructField(N_FEATURES, IntegerType())]
    )
    names = tuple(features)

    def task(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for name, column in counts(*matrix(batch, names)).items():
                batch = batch.append_column(name, column)
            yield batch

    return rows.mapInArrow(task, schema)


def with_rule_columns(
    df: DataFrame, gate: Gate, *, key: Sequence[str], label: str, features: Sequence[str]
) -> DataFrame:
    """The rows with what the gate reads of them but for the counts of what is wrong among the features.

    Added are the single features that configured rules name, the row's hashes, the ids of the rules of level quarantine
    that it fails (`_failed`), and, where it fails some, the whole row as JSON (`_row`).
    """
    own = _own(key, label)
    added: dict[str, Column] = {
        **{f"is_{part}": F.expr(f"int({SPLIT} <=> {literal(part)})") for part in SPLITS},
        SPLIT_CLASS: F.concat_ws("/", F.col(SPLIT), F.col(quote(label)).cast("string")),
        ROW_HASH: row_hash(df.columns),
    }
    rules = configured(gate)
    named = sorted({name for rule in rules for name in rule.columns} - set(own) - {*added, N_NOT_FINITE, N_FEATURES})
    unknown = sorted(set(named) - set(features))
    if unknown:
        raise ConfigError(
            where="gate.expectations",
            expected="a feature, the label, the key or split",
            found=f"'{unknown[0]}', which is none of them",
            remedy=nearest(unknown[0], [*own, *features]),
        )
    at = {name: F.lit(features.index(name)) for name in named if name not in df.columns}
    added |= {name: F.get(F.col(FEATURES), place) for name, place in at.items()}  # null where a row has too few
    refuse_taken(df, {*added, N_NOT_FINITE, N_FEATURES, FAILED}, where="columns of the gate")
    wide = df.select("*", *[column.alias(name) for name, column in added.items()])
    quarantining = [rule for rule in rules if rule.expectation.level == "quarantine"]
    whole = to_json(F.struct(*[F.col(quote(name)) for name in df.columns]))
    wide = wide.withColumn(FAILED, failed_rules(wide, quarantining))
    return wide.withColumn(ROW, F.when(F.size(FAILED) > 0, whole))


def gate_columns(audited: Sequence[str], gate: Gate, *, key: Sequence[str], label: str) -> list[str]:
    """Which columns of `audit` the gate reads."""
    fixed = [f"is_{part}" for part in SPLITS] + [SPLIT_CLASS, N_NOT_FINITE, N_FEATURES, FAILED, ROW]
    named = [name for rule in configured(gate) for name in rule.columns]
    wanted = dict.fromkeys([*_own(key, label), *named, *fixed])
    return [name for name in wanted if name in audited]


def _own(key: Sequence[str], label: str) -> list[str]:
    return list(dict.fromkeys([*key, label, SPLIT]))
