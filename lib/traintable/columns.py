"""Names of columns: those of the splits, quoting in SQL, checks against the rows, and the nearest known name."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Set
from typing import TYPE_CHECKING

from traintable.errors import ConfigError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

SPLIT = "split"
TRAIN, VALIDATION, TEST = "train", "validation", "test"
SPLITS = (TRAIN, VALIDATION, TEST)
FEATURES = "features"
RESERVED = frozenset({SPLIT, FEATURES, "_kind", "_reasons", "_unparsed", "_row"})

# Delta takes these in no column name unless column mapping is on, which locks out other readers.
_NOT_IN_NAMES = re.compile(r"[ ,;{}()\n\t=]")


def split_folder(split: str) -> str:
    """The folder, within that of a training table, in which the rows of a split lie."""
    return f"{SPLIT}={split}"


def quote(name: str) -> str:
    """`name` as one SQL identifier, whatever characters it holds."""
    return "`" + name.replace("`", "``") + "`"


def literal(value: str) -> str:
    """`value` as a SQL string literal."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    escaped = escaped.replace("$", "\\u0024").replace("__", "_\\u005F")  # else Spark substitutes ${...} and __THIS__
    return f"'{escaped}'"


def nearest(name: str, known: Iterable[str]) -> str:
    """A sentence that names the nearest known name, or lists the known ones."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"Did you mean '{close[0]}'?"
    return f"Known: {', '.join(names[:40])}." if names else "There are none."


def require_columns(df: DataFrame, names: Set[str], *, where: str) -> None:
    """Raise ConfigError for the first of `names` that `df` lacks (with the nearest that it has), or has twice."""
    unknown = sorted(names - set(df.columns))
    if unknown:
        raise ConfigError(
            where=where,
            expected="the name of a column of the rows",
            found=f"'{unknown[0]}', which is not among them",
            remedy=nearest(unknown[0], df.columns),
        )
    counts = Counter(name.lower() for name in df.columns)  # as Spark looks for them
    twice = sorted(name for name in names if counts[name.lower()] > 1)
    if twice:
        raise ConfigError(
            where=where,
            expected="columns with different names",
            found=f"'{twice[0]}' {counts[twice[0].lower()]} times",
            remedy="Drop or rename all but one of them, for example before a join (Spark ignores case).",
        )


def refuse_taken(df: DataFrame, names: Set[str], *, where: str) -> None:
    """Raise ConfigError for one of `names` that `df` has, or that is reserved; case is ignored, as in Spark."""
    refuse_clashes(names, df.columns, where=where)


def refuse_clashes(names: Set[str], columns: Iterable[str], *, where: str) -> None:
    """Raise ConfigError for one of `names` that is one of `columns`, or reserved; case is ignored, as in Spark."""
    taken = {name.lower() for name in columns} | RESERVED
    clashes = sorted(name for name in names if name.lower() in taken)
    if clashes:
        raise ConfigError(
            where=where,
            expected="names that are free",
            found=f"'{clashes[0]}', which is a column of the rows already, or reserved",
            remedy="Choose another name.",
        )


def column_name(name: str) -> str:
    """`name` as a column of a Delta table can have it."""
    return _NOT_IN_NAMES.sub("_", name)
