"""Errors of Spark as one line with the right exit code."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from py4j.protocol import Py4JError
from pyspark.sql import SparkSession

from traintable.errors import ConfigError, GateRefused, InputMissing, TraintableError
from traintable.spark.errors import causes_of, translate_spark_errors, unreadable_file


def test_a_value_that_does_not_fit_names_its_expression(spark: SparkSession) -> None:
    with pytest.raises(ConfigError, match=r"DIVIDE_BY_ZERO.*\(id / \(id - id\)\)"), translate_spark_errors("run"):
        spark.range(3).selectExpr("id / (id - id)").collect()


def test_a_missing_file_is_a_missing_input(spark: SparkSession) -> None:
    with pytest.raises(InputMissing, match="vacuumed"), translate_spark_errors("run"):
        spark.read.parquet("/nowhere/at/all").collect()


def test_spark_s_own_readers_say_which_file_they_can_t_read(spark: SparkSession, tmp_path: Path) -> None:
    path = tmp_path / "a b.parquet"
    spark.range(1000).toPandas().to_parquet(path)
    path.write_bytes(path.read_bytes()[:40] + bytes(100) + path.read_bytes()[140:])
    with pytest.raises(Exception, match="FAILED_READ_FILE") as caught:
        spark.read.parquet(str(path)).write.format("delta").save(str(tmp_path / "copy"))
    file = unreadable_file(caught.value)
    assert file is not None
    assert file.path.endswith(f"{tmp_path}/a%20b.parquet")
    assert re.match(r"[a-z][\w.]+(Exception|Error): ", file.reason)
    causes = causes_of(caught.value)
    assert [cause.condition for cause in causes[:2]] == ["TASK_WRITE_FAILED", "FAILED_READ_FILE.NO_HINT"]
    assert {*[(cause.kind, cause.condition) for cause in causes[:2]]} <= {  # read from the text, where there is no JVM
        (cause.kind, cause.condition) for cause in causes_of(RuntimeError(str(caught.value)))
    }
    by_text = unreadable_file(RuntimeError(str(caught.value)))
    assert by_text is not None
    assert (by_text.path, by_text.reason) == (file.path, file.reason)
    with pytest.raises(InputMissing, match=r"FAILED_READ_FILE.*pin a newer one"), translate_spark_errors("run"):
        raise caught.value


def test_other_errors_name_no_file(spark: SparkSession) -> None:
    with pytest.raises(Exception, match="DIVIDE_BY_ZERO") as caught:
        spark.range(3).selectExpr("id / (id - id)").collect()
    assert unreadable_file(caught.value) is None
    assert unreadable_file(OSError("no such thing")) is None


@pytest.mark.parametrize(
    ("state", "kind"),
    [("57P01", InputMissing), ("08006", InputMissing), ("22012", TraintableError), ("53100", TraintableError)],
)
def test_a_database_says_by_its_sqlstate_whether_it_has_gone(state: str, kind: type[Exception]) -> None:
    error = ThrownInJvm(f"o1.{state}", Thrown("org.apache.spark.SparkException", None, Thrown(PSQL, state)))
    with pytest.raises(TraintableError) as caught, translate_spark_errors("w"):
        raise error
    assert type(caught.value) is kind


PSQL = "org.postgresql.util.PSQLException"


class Thrown:
    """An exception of Java's, as the gateway shows it; one of JDBC's where it has a state."""

    def __init__(self, kind: str, state: str | None, cause: Thrown | None = None) -> None:
        self.kind, self.state, self.cause = kind, state, cause

    def getClass(self) -> Any:  # noqa: N802
        return SimpleNamespace(getName=lambda: self.kind)

    def getMessage(self) -> str:  # noqa: N802
        return "FATAL: in any language"

    def getCause(self) -> Thrown | None:  # noqa: N802
        return self.cause

    def getSQLState(self) -> str | None:  # noqa: N802
        return self.state

    def getCondition(self) -> str:  # noqa: N802
        raise Py4JError("no such method")

    getSqlState = getCondition  # noqa: N815


class ThrownInJvm(Exception):
    """An error of the gateway, which has an exception of Java's."""

    __module__ = "py4j.protocol"

    def __init__(self, text: str, thrown: Thrown) -> None:
        super().__init__(text)
        self.java_exception = thrown


def test_a_full_disk_names_the_place() -> None:
    with (
        pytest.raises(TraintableError, match="expected a place") as found,
        translate_spark_errors("/data/t", expected="a place"),
    ):
        raise OSError(28, "No space left on device")
    assert (found.value.where, found.value.exit_code) == ("/data/t", 1)


NO_MEMORY = (
    ": org.apache.spark.SparkException: [FAILED_READ_FILE.NO_HINT] Encountered error reading file:/t/a.parquet"
    "\nCaused by: java.lang.OutOfMemoryError: Java heap space\n\tat org.apache.parquet.Something(Something.java:1)\n",
    ": org.apache.spark.SparkException: Job aborted due to stage failure: ExecutorLostFailure (executor 2 exited caused"
    " by one of the running tasks) Reason: Command exited with code 52\n",
    "\n  An exception was thrown from the Python worker.\nTraceback (most recent call last):\n"
    '  File "task.py", line 1, in task\nMemoryError\n',
)


@pytest.mark.parametrize("text", NO_MEMORY)
def test_memory_that_is_used_up_is_no_file_that_has_gone(text: str) -> None:
    with pytest.raises(
        TraintableError, match=r"expected tasks that have enough memory, found .*spark\.executor\.memory"
    ):
        raise_in_spark(text)


def test_our_own_errors_and_defects_pass_as_they_are() -> None:
    ours = GateRefused(where="w", expected="e", found="f", remedy="r")
    for error in (ours, ZeroDivisionError("a defect")):
        with pytest.raises(type(error)) as found, translate_spark_errors("run"):
            raise error
        assert found.value is error


WRITE_FAILED = """An error occurred while calling o1.save.
: org.apache.spark.SparkException: [TASK_WRITE_FAILED] Task failed while writing rows to file:/data/t. SQLSTATE: 58030
\tat org.apache.spark.sql.Something(Something.scala:1)
Caused by: org.postgresql.util.PSQLException: {}
\tat org.postgresql.core.Something(Something.java:1)
Caused by: java.io.EOFException
"""
STAGE_FAILED = (
    ": org.apache.spark.SparkException: Job aborted due to stage failure: Task 2 in stage 24.0 failed 1 times, most"
    " recent failure: Lost task 2.0 in stage 24.0 (TID 38) (host executor driver):"
    " org.postgresql.util.PSQLException: {}"
)
FULL = "java.io.FileNotFoundException: /data/t/.part-0.crc (No space left on device)"


@pytest.mark.parametrize("wrapped", [WRITE_FAILED, STAGE_FAILED])
def test_what_made_a_task_fail_is_reported(wrapped: str) -> None:
    with pytest.raises(TraintableError, match=r"found org\.postgresql\S+: ERROR: division by zero\. r$") as found:
        raise_in_spark(wrapped.format("ERROR: division by zero"))
    assert found.value.exit_code == 1
    for lost in ("An I/O error occurred while sending to the backend.", "Connection to a:1 refused. Check."):
        with pytest.raises(InputMissing, match=f"until all rows are read, found {lost[:20]}"):
            raise_in_spark(wrapped.format(lost))


def test_a_full_disk_is_no_missing_file() -> None:
    with pytest.raises(TraintableError, match=r"found No space left on device, writing to /data/t\. r$") as found:
        raise_in_spark(WRITE_FAILED.replace("org.postgresql.util.PSQLException: {}", FULL))
    assert found.value.exit_code == 1


def test_causes_that_delta_rs_tells_are_one_line() -> None:
    arrow = "\n   \x1b[31m↳\x1b[0m "
    text = f"Generic LocalFileSystem error{arrow}Unable to copy data{arrow}Permission denied\n"
    with pytest.raises(TraintableError) as found:
        raise_in_spark(text)
    assert found.value.found == "Generic LocalFileSystem error: Unable to copy data: Permission denied"


def raise_in_spark(text: str) -> None:
    with translate_spark_errors("w", expected="e", remedy="r"):
        raise OSError(text)


RAISED = """An exception was thrown from the Python worker. Please see the stack trace below.
Traceback (most recent call last):
  File "storage.py", line 1, in put
    send()
    ^^^^^^
botocore.exceptions.ClientError: SlowDown

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "candidate.py", line 2, in task
    writer.close()
traintable.errors.InputMissing: address s3a://b/part: expected what S3 has there, found the answer 503. Try again later.

	at org.apache.spark.api.python.BasePythonRunner$ReaderIterator.handlePythonException(PythonRunner.scala:1)
"""


def test_what_python_raised_in_a_task_is_reported() -> None:
    class Py4JJavaError(Exception):
        __module__ = "py4j.protocol"

    with pytest.raises(TraintableError) as caught, translate_spark_errors("folder"):
        raise Py4JJavaError(f"An error occurred.\norg.apache.spark.SparkException: {RAISED}")
    expected = "InputMissing: address s3a://b/part: expected what S3 has there, found the answer 503. Try again later"
    assert caught.value.found == expected
