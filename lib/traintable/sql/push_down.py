"""A condition of a configuration that a database evaluates: what was checked is what is sent."""

from __future__ import annotations

import sqlglot
from sqlglot import exp

from traintable.errors import ConfigError
from traintable.spark.errors import first_line
from traintable.sql.expressions import function_names
from traintable.sql.functions import FUNCTIONS

_DIALECT = "postgres"
_NEVER = (
    exp.Select,
    exp.Subquery,
    exp.Table,
    exp.Window,
    exp.AggFunc,
    exp.Star,
    exp.Command,
    exp.Placeholder,
    exp.Parameter,
)
_SYNTAX = (exp.And, exp.Or, exp.Cast, exp.Case, exp.JSONExtract, exp.JSONExtractScalar)  # what sqlglot calls functions


def push_down(sql: str, *, where: str) -> str:
    """The condition as it is sent to the database: written anew from its parsed form.

    Raises ConfigError when it is not one condition over the columns of a row, or calls a function that is not among
    `functions.FUNCTIONS`.
    """
    try:
        tree = sqlglot.parse_one(f"select 1 where {sql}", dialect=_DIALECT)
    except sqlglot.errors.SqlglotError as error:
        raise _refusal(where, sql, f"({first_line(error)})") from error
    parsed = tree.args.get("where") if isinstance(tree, exp.Select) else None
    extra = [part for name, part in tree.args.items() if part and name not in ("where", "expressions", "kind")]
    if parsed is None or extra:
        raise _refusal(where, sql, "which is more than that")
    condition: exp.Expr = parsed.this
    for node in condition.walk():
        if isinstance(node, _NEVER):
            raise _refusal(where, sql, f"with {node.sql(_DIALECT)}")
        if isinstance(node, exp.Func) and not isinstance(node, _SYNTAX):
            names = function_names(node)
            if not names & FUNCTIONS:
                raise _refusal(where, sql, f"with {min(names)}, which is not an allowed function")
    return condition.sql(_DIALECT)


def _refusal(where: str, sql: str, found: str) -> ConfigError:
    return ConfigError(
        where=where,
        expected="a SQL condition over the columns of one row",
        found=f"{sql!r} {found}",
        remedy="Correct the condition in the configuration.",
    )
