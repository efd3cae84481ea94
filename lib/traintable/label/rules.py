"""Labels by a rule: an expression over the columns of a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from traintable.columns import quote, refuse_taken
from traintable.errors import ConfigError
from traintable.sql.expressions import evaluate

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def by_expression(df: DataFrame, name: str, expr: str) -> DataFrame:
    """Add the label column `name`, computed by a Spark SQL expression; null where its inputs are null.

    A boolean becomes 0 or 1. Rows are kept. Raises ConfigError when the expression does not fit the table, and for a
    label that is no boolean, whole number or text. Costs no pass.

    >>> flights = spark.sql("SELECT * FROM VALUES (1, 12.0), (2, 45.0), (3, null) AS t(id, arr_delay)")
    >>> by_expression(flights, "late", "arr_delay > 30").show()
    +---+---------+----+
    | id|arr_delay|late|
    +---+---------+----+
    |  1|     12.0|   0|
    |  2|     45.0|   1|
    |  3|     NULL|NULL|
    +---+---------+----+
    """
    refuse_taken(df, {name}, where="label.name")
    labelled = df.withColumn(name, evaluate(df, expr, where="label.expr"))
    kind = labelled.schema[name].dataType.typeName()
    if kind == "boolean":
        return labelled.withColumn(name, F.col(quote(name)).cast("int"))
    if kind not in ("byte", "short", "integer", "long", "string"):
        raise ConfigError(
            where="label.expr",
            expected="a label that is a boolean, a whole number or text",
            found=f"the type {kind}",
            remedy="Cut a continuous label into classes, for example `arr_delay > 30`.",
        )
    return labelled
