"""What Spark raises, as one line with the exit code it deserves: the only place that reads it.

Where Spark runs in this process's own JVM, each exception is asked for its class, its error condition and its SQLSTATE.
Errors that come as text only (Spark Connect, delta-rs) are read for the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from traintable.errors import ConfigError, InputMissing, TraintableError
from traintable.spark.task_results import UnreadableFile

_FOREIGN = ("pyspark.", "py4j.", "_internal")  # modules of foreign errors; the last is what deltalake's say
_READ_FAILED = ("FAILED_READ_FILE", "PATH_NOT_FOUND", "PATH_DOES_NOT_EXIST")  # conditions begin so
_WRITE_FAILED = "TASK_WRITE_FAILED"
_DISCONNECTED = ("08", "28", "3D", "53300", "57P")  # SQLSTATEs of a database that lets nobody in any more
_OF_EXPRESSIONS = ("22", "42")  # SQLSTATEs of values, and of names and types

_COLOURS = re.compile(r"\x1b\[\d*m")
_NAMED = re.compile(r"(?:Caused by: |: )?([a-z][\w.$]+(?:Exception|Error)): (.*)")
_STAGE = re.compile(r"^Job aborted due to stage failure: .*\(TID \d+\) \(.*?\): ")
_CONDITION = re.compile(r"\[([A-Z][A-Z0-9_.]+)\] ")
_STATE = re.compile(r"SQLSTATE: (\w{5})")
_PATH = re.compile(r"(?:reading file|writing rows to) (\S+?)\.\s")
_LOST = re.compile(r"FATAL: |An I/O error |Connection to |This connection |The connection ")
_FULL = re.compile(r"No space left on device|Disk quota exceeded")
_NO_MEMORY = re.compile(r"OutOfMemoryError(?:: [^\n]*)?|\bMemoryError\b|exited with code 52\b")  # Spark's code for it
_IN_WORKER = re.compile(r"Traceback \(most recent call last\):\n(?:[ \t].*\n)+(\S.*)")  # and what a Python task raised


@dataclass(frozen=True)
class Cause:
    """One of the exceptions that an error of Spark's stands for.

    Attributes
    ----------
    kind : the class, as Java names it.
    message : its first line.
    condition : Spark's name of what is wrong, such as FAILED_READ_FILE.NO_HINT; None where it gives none.
    sql_state : five characters of the SQL standard; None where there are none.
    parameters : what the condition is about, such as the `path` of a file.
    """

    kind: str
    message: str
    condition: str | None = None
    sql_state: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}"

    def is_any_of(self, conditions: Sequence[str]) -> bool:
        """Whether its condition is one of these, or a case of one."""
        return self.condition is not None and self.condition.startswith(tuple(conditions))


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
        raise _translation(error, where, expected, remedy) from error


def first_line(error: Exception) -> str:
    """The first line of an error's text."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def is_of_expression(error: Exception) -> bool:
    """Whether Spark says that an expression does not fit the rows: a value, a name or a type.

    A database that says so of a query of its own is not meant.
    """
    states = [cause.sql_state for cause in causes_of(error) if cause.condition and cause.sql_state]  # not a database's
    text_state = _STATE.search(_text_of(error))
    state = states[0] if states else text_state.group(1) if text_state else ""
    return state.startswith(_OF_EXPRESSIONS)


def is_of_python_task(error: Exception) -> bool:
    """Whether it was Python code in a task that raised."""
    from pyspark.errors import PythonException

    return isinstance(error, PythonException)


def unreadable_file(error: Exception) -> UnreadableFile | None:
    """The address of the file that one of Spark's own readers can't read, and why; None where nothing says so."""
    causes = causes_of(error)
    for i, cause in enumerate(causes):
        if cause.is_any_of(_READ_FAILED[:1]) and "path" in cause.parameters:
            return UnreadableFile(cause.parameters["path"], str(causes[-1]) if causes[i + 1 :] else "it can't be read")
    return None


def causes_of(error: Exception) -> list[Cause]:
    """The exceptions that an error of Spark's stands for, the outermost first; none where it names none."""
    from py4j.protocol import Py4JError

    thrown = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
    causes: list[Cause] = []
    with suppress(Py4JError):  # a JVM that has gone says no more than the text does
        while thrown is not None:
            causes.append(_cause_of(thrown))
            thrown = thrown.getCause()
    return causes or _cause_of_client(error) or _causes_in(_text_of(error))


def _cause_of(thrown: Any) -> Cause:
    """What an exception of the JVM says of itself."""
    from py4j.protocol import Py4JError

    condition = sql_state = None
    parameters: dict[str, str] = {}
    with suppress(Py4JError):  # it is not one of Spark's
        condition, parameters = thrown.getCondition(), dict(thrown.getMessageParameters())
    for ask in ("getSqlState", "getSQLState"):  # of Spark's exceptions, and of JDBC's
        with suppress(Py4JError):
            sql_state = getattr(thrown, ask)()
    message = _STAGE.sub("", str(thrown.getMessage() or "")).strip().partition("\n")[0]
    return Cause(thrown.getClass().getName(), message, condition, sql_state, parameters)


def _cause_of_client(error: Exception) -> list[Cause]:
    """What an error of PySpark's says of itself, as those of Spark Connect do; nothing where it has no condition."""
    from pyspark.errors import PySparkException

    condition = error.getCondition() if isinstance(error, PySparkException) else None
    if not isinstance(error, PySparkException) or condition is None:
        return []
    parameters = error.getMessageParameters() or {}
    return [Cause(type(error).__name__, first_line(error), condition, error.getSqlState(), parameters)]


def _causes_in(text: str) -> list[Cause]:
    """The exceptions that a text names, each on a line of its own."""
    causes = []
    for line in text.splitlines():
        named = _NAMED.match(line.strip())
        inner = _NAMED.match(_STAGE.sub("", named.group(2))) if named else None  # what made a stage fail
        if named is None:
            continue
        kind, message = (inner or named).groups()
        condition, state, path = _CONDITION.match(message), _STATE.search(message), _PATH.search(f"{message} ")
        causes.append(
            Cause(
                kind,
                message,
                condition.group(1) if condition else None,
                state.group(1) if state else None,
                {"path": path.group(1)} if path else {},
            )
        )
    return causes


def _text_of(error: Exception) -> str:
    return _COLOURS.sub("", str(error))


def _is_foreign(error: Exception) -> bool:
    return isinstance(error, OSError) or type(error).__module__.startswith(_FOREIGN)


def _translation(error: Exception, where: str, expected: str, remedy: str) -> TraintableError:
    """The error to raise in place of a foreign one; the first of these that it is.

    That is: a database that has gone, tasks without memory, a file that can't be read, an expression that does not fit
    the rows; else what was expected and was not met. A disk without room is of the last kind, although Java says "file
    not found" of a file that it has no room for.
    """
    text, causes = _text_of(error), causes_of(error)
    lost = next((cause for cause in causes if _is_disconnected(cause)), None)
    if lost is not None:
        return InputMissing(
            where=where,
            expected="a database that answers until all rows are read",
            found=lost.message.rstrip("."),
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
    found = _explanation(text, causes)
    if not _FULL.search(text) and _is_read_failure(error, causes):
        return InputMissing(
            where=where,
            expected="the files of the pinned versions",
            found=found,
            remedy="A version whose files were vacuumed can't be read: pin a newer one.",
        )
    if is_of_expression(error):
        return ConfigError(
            where="configuration",
            expected="expressions and types that fit the rows",
            found=" ".join(_without_plan(text)),
            remedy="Correct the expression. `try_divide`, `try_cast` and others give null for what can't be computed.",
        )
    return TraintableError(where=where, expected=expected, found=found, remedy=remedy)


def _is_disconnected(cause: Cause) -> bool:
    """Whether a database has ended the connection, or takes none."""
    if not cause.kind.endswith("PSQLException"):
        return False
    if cause.sql_state is not None:
        return cause.sql_state.startswith(_DISCONNECTED)
    return _LOST.match(cause.message) is not None


def _is_read_failure(error: Exception, causes: Sequence[Cause]) -> bool:
    return isinstance(error, FileNotFoundError) or any(
        cause.is_any_of(_READ_FAILED) or cause.kind.endswith("FileNotFoundException") for cause in causes
    )


def _without_plan(text: str) -> list[str]:
    """The message, and of what follows it the piece of SQL that it is about."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and set(line.strip()) != {"^"}]
    about = [f"({after})" for line, after in pairwise(lines) if line.startswith("== SQL")]
    return [lines[0], *about]


def _explanation(text: str, causes: Sequence[Cause]) -> str:
    """That a disk is full, else what Python raised in a task, else the first exception of Java's, or the first line.

    That a task has failed explains nothing.
    """
    full = _FULL.search(text)
    if full:
        paths = [cause.parameters["path"] for cause in causes if cause.is_any_of([_WRITE_FAILED]) and cause.parameters]
        return full.group() + (f", writing to {paths[0].removeprefix('file:')}" if paths else "")
    raised = _IN_WORKER.findall(text)
    if raised:
        return str(raised[-1]).strip().removeprefix("traintable.errors.").rstrip(".")
    if causes:
        return str(next((cause for cause in causes if not cause.is_any_of([_WRITE_FAILED])), causes[0]))
    lines = [line.strip().removeprefix(": ") for line in text.splitlines() if line.strip()]
    inner = [line.lstrip("↳ ") for line in lines[1:] if line.startswith("↳")]  # as delta-rs writes causes
    return ": ".join([*lines[:1], *inner]) or "no message"
