"""The columns that the gate reads of each row, in addition to those that will be published."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from typing import TYPE_CHECKING

import pyarrow as pa
from pyspark.sql import functions as F
from pyspark.sql.types import IntegerType, StructField, StructType

from traintable.columns import FEATURES, SPLIT, SPLITS, literal, nearest, quote, refuse_taken
from traintable.config.dataset import Gate
from traintable.contract.json_text import to_json
from traintable.errors import ConfigError
from traintable.quality.matrix import COUNTS, counts, matrix
from traintable.quality.row_rules import failed_rules
from traintable.quality.suite import SPLIT_CLASS, Rule, configured_rules
from traintable.statistics.content_hash import ROW_HASH, row_hash
from traintable.table_columns import TableColumns

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

FAILED = "_failed"  # the ids of the rules of level quarantine that a row breaks
ROW = "_row"  # a row that breaks such a rule, as JSON


def with_gate_columns(df: DataFrame, gate: Gate, columns: TableColumns) -> DataFrame:
    """Add to the rows of a training table all columns that the gate reads; see `gate_columns` for which these are.

    Costs no pass by itself. Raises ConfigError for a rule that names an unknown column.

    >>> columns = TableColumns(key=("id",), label="late", features=("x", "y"))
    >>> rows = spark.sql("SELECT 7 AS id, 1 AS late, 'test' AS split, array(0.5F, float('nan')) AS features")
    >>> audited = with_gate_columns(rows, Gate(), columns)
    >>> audited.select("split_class", "n_features", "n_features_not_finite").show()
    +-----------+----------+---------------------+
    |split_class|n_features|n_features_not_finite|
    +-----------+----------+---------------------+
    |     test/1|         2|                    1|
    +-----------+----------+---------------------+
    """
    rows = with_rule_columns(df, gate, columns)
    counted = [StructField(name, IntegerType()) for name in COUNTS]
    features = columns.features

    def count(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for name, column in counts(*matrix(batch, features)).items():
                batch = batch.append_column(name, column)
            yield batch

    return rows.mapInArrow(count, StructType([*rows.schema, *counted]))


def with_rule_columns(df: DataFrame, gate: Gate, columns: TableColumns) -> DataFrame:
    """Add what the gate reads of rows, but for how many features there are, and how many of them are not finite.

    Added are the single features that configured rules name, the row's hash, the ids of the rules of level quarantine
    that it breaks (`_failed`), and, where it breaks some, the whole row as JSON (`_row`). Costs no pass by itself.
    Raises ConfigError for a rule that names an unknown column, and for a column with one of the names that are added.

    >>> rule = {"type": "expect_column_values_to_be_between", "column": "x", "max_value": 1, "level": "quarantine"}
    >>> gate = Gate.model_validate({"expectations": [{**rule, "id": "small"}]})
    >>> columns = TableColumns(key=("id",), label="late", features=("x",))
    >>> rows = spark.sql("SELECT id, 0 AS late, 'train' AS split, array(float(id)) AS features FROM range(3)")
    >>> with_rule_columns(rows, gate, columns).select("id", "x", "_failed").show()
    +---+---+-------+
    | id|  x|_failed|
    +---+---+-------+
    |  0|0.0|     []|
    |  1|1.0|     []|
    |  2|2.0|[small]|
    +---+---+-------+
    """
    added: dict[str, Column] = {
        **{f"is_{name}": F.expr(f"int({SPLIT} <=> {literal(name)})") for name in SPLITS},
        SPLIT_CLASS: F.concat_ws("/", F.col(SPLIT), F.col(quote(columns.label)).cast("string")),
        ROW_HASH: row_hash(columns.hashed),
    }
    rules = configured_rules(gate)
    added |= _named_features(df, rules, columns, others={*added, *COUNTS})
    refuse_taken(df, {*added, *COUNTS, FAILED}, where="columns that the gate adds")
    wide = df.select("*", *[column.alias(name) for name, column in added.items()])
    quarantining = [rule for rule in rules if rule.expectation.level == "quarantine"]
    whole = to_json(F.struct(*[F.col(quote(name)) for name in df.columns]))
    wide = wide.withColumn(FAILED, failed_rules(wide, quarantining))
    return wide.withColumn(ROW, F.when(F.size(FAILED) > 0, whole))


def gate_columns(gate: Gate, columns: TableColumns) -> list[str]:
    """The columns of `with_gate_columns` that the gate reads, each once.

    >>> gate_columns(Gate(), TableColumns(key=("id",), label="late", features=("x",)))[:6]
    ['id', 'late', 'split', 'is_train', 'is_validation', 'is_test']
    """
    named = [name for rule in configured_rules(gate) for name in rule.columns]
    own = [*(f"is_{name}" for name in SPLITS), SPLIT_CLASS, *COUNTS, FAILED, ROW]
    return list(dict.fromkeys([*columns.gated, *named, *own]))


def _named_features(
    df: DataFrame, rules: Sequence[Rule], columns: TableColumns, *, others: Set[str]
) -> dict[str, Column]:
    """The single features that rules name, where they are in the array; ConfigError for a name of no column.

    `others` are further names that a rule may have.
    """
    others = {*others, *columns.without_features}
    named = sorted({name for rule in rules for name in rule.columns} - others)
    unknown = [name for name in named if name not in columns.features]
    if unknown:
        raise ConfigError(
            where="gate.expectations",
            expected="a feature or another column of the training table",
            found=f"'{unknown[0]}'",
            remedy=nearest(unknown[0], [*columns.without_features, *columns.features]),
        )
    places = {name: columns.features.index(name) for name in named if name not in df.columns}
    return {name: F.get(F.col(FEATURES), F.lit(i)) for name, i in places.items()}  # null where a row has too few
