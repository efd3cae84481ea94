"""What Spark says when something goes wrong, as one line with the exit code it deserves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

from traintable.errors import ConfigError, InputMissing, TraintableError

_STATE = re.compile(r"SQLSTATE: (\w{5})")
_UNREADABLE = re.compile(r"FAILED_READ_FILE|FileNotFoundException|PATH_NOT_FOUND|PATH_DOES_NOT_EXIST")
_FULL = re.compile(r"No space left on device|Disk quota exceeded")
_NO_MEMORY = re.compile(r"OutOfMemoryError(?:: [^\n]*)?|\bMemoryError\b|exited with code 52\b")  # Spark's for it
_WRITTEN = re.compile(r"writing rows to (?:file:)?(\S+?)\. ")
_LOST = re.compile(r"PSQLException: (?:FATAL: |An I/O error |Connection to |This connection |The connection )[^\n]*")
_STAGE = re.compile(r"^org\.apache\.spark\.SparkException: Job aborted due to stage failure: .*\(TID \d+\) \(.*?\): ")
_WORKER = re.compile(
    r"Traceback \(most recent call last\):\n(?:[ \t].*\n)+(\S.*)"
)  # and what a task of Python's raised
_COLOURS = re.compile(r"\x1b\[\d*m")
_FOREIGN = ("pyspark.", "py4j.", "_internal")  # the last is what deltalake's errors say they are of


@contextmanager
def translate_spark_errors(
    where: str, *, expected: str = "Spark to do its work", remedy: str = "Nothing was published."
) -> Iterator[None]:
    """Turn what Spark, its gateway or the file system raises in the body into a TraintableError.

    An error of SQLSTATE class 22 (a value) or 42 (a name or type) is one of an expression, so a ConfigError; a file
    that can't be read, or a database that has gone, is InputMissing; of tasks without memory it says how they get more;
    the rest says that `expected` was not met at `where`.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, TraintableError) or not _is_foreign(error):
            raise
        raise _explained(error, where, expected, remedy) from error


def first_line(error: Exception) -> str:
    """The first line of an error's text."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def is_of_expression(error: Exception) -> bool:
    """Whether Spark says that an expression does not fit the rows: a value, a name or a type."""
    state = _STATE.search(_COLOURS.sub("", str(error)))
    return state is not None and state.group(1)[:2] in ("22", "42")


def _is_foreign(error: Exception) -> bool:
    return isinstance(error, OSError) or type(error).__module__.startswith(_FOREIGN)


def _explained(error: Exception, where: str, expected: str, remedy: str) -> TraintableError:
    text = _COLOURS.sub("", str(error))
    lost = _LOST.search(text)
    if lost:
        return InputMissing(
            where=where,
            expected="a database that answers until all rows are read",
            found=lost.group().partition(": ")[2].rstrip("."),
            remedy=f"Wait until it does. {remedy}",
        )
    no_memory = _NO_MEMORY.search(text)
    if no_memory:
        return TraintableError(
            where=where,
            expected="tasks that have enough memory",
            found=no_memory.group(),
            remedy="Give them more (spark.executor.memory and memoryOverhead; spark.driver.memory of a local session),"
            f" or fewer rows (spark.sql.files.maxPartitionBytes, spark.sql.shuffle.partitions). {remedy}",
        )
    if _UNREADABLE.search(text) and not _FULL.search(text):  # Java says "not found" of a file that it has no room for
        return InputMissing(
            where=where,
            expected="the files of the pinned versions",
            found=_cause(text),
            remedy="A version whose files were vacuumed can't be read: pin a newer one.",
        )
    if is_of_expression(error):
        return ConfigError(
            where="configuration",
            expected="expressions and types that fit the rows",
            found=" ".join(_without_plan(text)),
            remedy="Correct the expression; `try_divide`, `try_cast` and such give null where a value does not fit.",
        )
    return TraintableError(where=where, expected=expected, found=_cause(text), remedy=remedy)


def _without_plan(text: str) -> list[str]:
    """The message, and of what follows it the piece of SQL that it is about."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and set(line.strip()) != {"^"}]
    about = [f"({after})" for line, after in pairwise(lines) if line.startswith("== SQL")]
    return [lines[0], *about]


def _cause(text: str) -> str:
    """That a disk is full, else what Python raised in a task, else the first Java exception, or the first line.

    That a task has failed is no cause.
    """
    full, written = _FULL.search(text), _WRITTEN.search(text)
    if full:
        return full.group() + (f", writing to {written.group(1)}" if written else "")
    raised = _WORKER.findall(text)
    if raised:
        return str(raised[-1]).strip().removeprefix("traintable.errors.").rstrip(".")
    lines = [line.strip().removeprefix(": ") for line in text.splitlines() if line.strip()]
    named = [line for line in lines if re.match(r"(Caused by: )?[a-z][\w.]+(Exception|Error): ", line)]
    told = [line for line in named if "[TASK_WRITE_FAILED]" not in line]
    inner = [line.lstrip("↳ ") for line in lines[1:] if line.startswith("↳")]  # as delta-rs tells of causes
    found = (told or named or [": ".join([*lines[:1], *inner]) or "no message"])[0]
    return _STAGE.sub("", found.removeprefix("Caused by: "))
