"""SQL expressions that stand in a configuration: what they read, what they may not do, and how they are evaluated."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import sqlglot
from sqlglot import exp

from traintable.columns import require_columns
from traintable.errors import ConfigError
from traintable.spark.errors import first_line
from traintable.sql.functions import FUNCTIONS, TYPES, WORDS

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_WORD = re.compile(r"\w+$")

# Functions whose value changes with the time, the cluster or the order of rows.
CHANGING = frozenset(
    {"rand", "random", "randn", "uuid", "shuffle", "randstr", "uniform"}
    | {"now", "curdate", "current_date", "current_time", "current_timestamp", "current_timezone", "localtimestamp"}
    | {"current_user", "current_database", "current_catalog", "current_schema", "session_user", "user", "version"}
    | {"monotonically_increasing_id", "spark_partition_id", "input_file_name"}
    | {"input_file_block_start", "input_file_block_length"}
)
# Texts that Spark takes for the date or time of the run.
TODAY = frozenset({"now", "today", "tomorrow", "yesterday"})
# Functions that give several rows for one.
MULTIPLYING = frozenset({"explode", "explode_outer", "posexplode", "posexplode_outer"}) | frozenset(
    {"inline", "inline_outer", "stack", "json_tuple"}
)


def references(sql: str, *, where: str) -> frozenset[str]:
    """The names of the columns that a Spark SQL expression reads.

    Raises ConfigError when the text is not one expression over the columns of a row: subqueries, `*`, windows and
    aggregates (which see other rows), generators, functions of chance, time or layout, and all functions that are not
    among `functions.FUNCTIONS`. Costs no pass over data.
    """
    try:
        tree = sqlglot.parse_one(f"SELECT {sql}", dialect="spark")
    except sqlglot.errors.SqlglotError as error:
        raise _refusal(where, sql, f"({first_line(error)})") from error
    if not isinstance(tree, exp.Select) or len(tree.expressions) != 1 or tree.find(exp.Subquery, exp.From, exp.Table):
        raise _refusal(where, sql, "which is more than that: declare a join, or a second derived column")
    for node in tree.walk():
        reason = _reason_against(node)
        if reason:
            raise _refusal(where, sql, reason)
    if "${" in sql:
        raise _refusal(where, sql, "with ${, which Spark replaces by its settings or the environment")
    tokens = sqlglot.tokenize(sql, read="spark")
    for token in tokens:
        if token.token_type.name == "TABLE":
            raise _refusal(where, sql, "with a table")
        if token.token_type.name == "STRING" and token.text.strip().lower() in TODAY:
            raise _refusal(where, sql, f"with '{token.text}', which is another date tomorrow")
    unknown = next((name for name in _called(tokens) if name not in FUNCTIONS | WORDS | TYPES), None)
    if unknown is not None:
        raise _refusal(where, sql, f"with {unknown}, which is not an allowed function")
    return frozenset(column.parts[0].name for column in tree.find_all(exp.Column))


def _called(tokens: Sequence[Any]) -> Iterator[str]:
    """The words before an opening bracket, quoted or not."""
    for token, after in pairwise(tokens):
        if after.token_type.name == "L_PAREN" and _is_name(token):
            yield token.text.lower()


def _is_name(token: Any) -> bool:
    return token.token_type.name == "IDENTIFIER" or (
        token.token_type.name != "STRING" and bool(_WORD.match(token.text))
    )


def evaluate(df: DataFrame, sql: str, *, where: str) -> Column:
    """The expression as a column of `df`.

    Raises ConfigError when it is refused, names a column that `df` has not, or does not fit the columns' types.
    """
    from pyspark.errors import AnalysisException
    from pyspark.sql import functions as F

    require_columns(df, references(sql, where=where), where=where)
    column = F.expr(sql)
    try:
        df.select(column)
    except AnalysisException as error:
        raise ConfigError(
            where=where,
            expected="an expression that fits the columns",
            found=f"{sql!r} ({first_line(error)})",
            remedy="Correct the expression.",
        ) from error
    return column


def function_names(node: exp.Func) -> set[str]:
    """What a function may be called, in small letters."""
    return {node.name.lower()} if isinstance(node, exp.Anonymous) else {name.lower() for name in node.sql_names()}


def _reason_against(node: exp.Expr) -> str | None:
    if isinstance(node, exp.Star):
        return "with `*`: name the columns instead"
    if isinstance(node, exp.Window):
        return "with a window, which reads other rows"
    if isinstance(node, exp.AggFunc):
        return "with an aggregate, which reads other rows"
    if not isinstance(node, exp.Func):
        return None
    names = function_names(node)
    if names & MULTIPLYING:
        return f"with {min(names)}, which makes several rows out of one"
    if names & CHANGING or ("unix_timestamp" in names and not node.args.get("this")):
        return f"with {min(names)}, whose value changes from run to run"
    return None


def _refusal(where: str, sql: str, found: str) -> ConfigError:
    return ConfigError(
        where=where,
        expected="a Spark SQL expression over the columns of one row",
        found=f"{sql!r} {found}",
        remedy="Correct the expression in the configuration.",
    )
