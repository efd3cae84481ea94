"""SQL expressions that stand in a configuration: which columns they read."""

from __future__ import annotations

import sqlglot
from sqlglot import exp

from traintable.errors import ConfigError


def references(sql: str, *, where: str) -> frozenset[str]:
    """The names of the columns that a Spark SQL expression reads.

    Raises ConfigError when the text is not one Spark SQL expression. Costs no pass over data.
    """
    try:
        tree = sqlglot.parse_one(f"SELECT {sql}", dialect="spark")
    except sqlglot.errors.SqlglotError as error:
        first_line = str(error).splitlines()[0]
        raise ConfigError(
            where=where,
            expected="a Spark SQL expression",
            found=f"{sql!r} ({first_line})",
            remedy="Correct the expression in the configuration.",
        ) from error
    if not isinstance(tree, exp.Select) or len(tree.expressions) != 1 or tree.find(exp.Subquery, exp.From):
        raise ConfigError(
            where=where,
            expected="one Spark SQL expression over the columns of the row",
            found=repr(sql),
            remedy="Subqueries and lists of expressions are not taken here; declare a join or a second derived column.",
        )
    if any(not isinstance(star.parent, exp.Count) for star in tree.find_all(exp.Star)):
        raise ConfigError(
            where=where,
            expected="columns by their names",
            found=repr(sql),
            remedy="Name the columns instead of `*`, so that it is known which are read.",
        )
    return frozenset(column.parts[0].name for column in tree.find_all(exp.Column))
