"""Errors of Spark as one line with the right exit code."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from traintable.errors import ConfigError, GateRefused, InputMissing, TraintableError
from traintable.spark.errors import translate_spark_errors


def test_a_value_that_does_not_fit_names_its_expression(spark: SparkSession) -> None:
    with pytest.raises(ConfigError, match=r"DIVIDE_BY_ZERO.*\(id / \(id - id\)\)"), translate_spark_errors("run"):
        spark.range(3).selectExpr("id / (id - id)").collect()


def test_a_missing_file_is_a_missing_input(spark: SparkSession) -> None:
    with pytest.raises(InputMissing, match="vacuumed"), translate_spark_errors("run"):
        spark.read.parquet("/nowhere/at/all").collect()


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
def test_what_made_a_task_fail_is_told(wrapped: str) -> None:
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


def test_what_python_raised_in_a_task_is_told() -> None:
    class Py4JJavaError(Exception):
        __module__ = "py4j.protocol"

    with pytest.raises(TraintableError) as caught, translate_spark_errors("folder"):
        raise Py4JJavaError(f"An error occurred.\norg.apache.spark.SparkException: {RAISED}")
    expected = "InputMissing: address s3a://b/part: expected what S3 has there, found the answer 503. Try again later"
    assert caught.value.found == expected
