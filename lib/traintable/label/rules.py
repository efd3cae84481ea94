"""Labels by rule: an expression over the columns of the row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.errors import AnalysisException
from pyspark.sql import functions as F

from traintable.columns import require_columns
from traintable.errors import ConfigError
from traintable.expressions import references

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def by_expression(df: DataFrame, name: str, expr: str) -> DataFrame:
    """Add the label column `name`, computed by a Spark SQL expression; null where its inputs are.

    A boolean becomes 0 or 1. Rows are kept. Raises ConfigError when the expression does not fit the table or gives
    neither a boolean, a whole number nor text. Costs no pass.
    """
    if name in df.columns:
        raise ConfigError(
            where="label.name",
            expected="a new column",
            found=f"'{name}', which the rows have already",
            remedy="Choose another name.",
        )
    require_columns(df, references(expr, where="label.expr"), where="label.expr")
    try:
        labelled = df.withColumn(name, F.expr(expr))
    except AnalysisException as error:
        raise ConfigError(
            where="label.expr",
            expected="an expression that fits the columns",
            found=f"{expr!r} ({str(error).splitlines()[0]})",
            remedy="Correct the expression.",
        ) from error
    kind = labelled.schema[name].dataType.typeName()
    if kind == "boolean":
        return labelled.withColumn(name, F.col(f"`{name}`").cast("int"))
    if kind not in ("byte", "short", "integer", "long", "string"):
        raise ConfigError(
            where="label.expr",
            expected="a boolean, a whole number or text",
            found=kind,
            remedy="Cut a continuous answer into classes, for example `arr_delay > 30`.",
        )
    return labelled
