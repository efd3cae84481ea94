"""What tasks answer comes to the driver as it was, and is raised there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from traintable.errors import ConfigError
from traintable.spark.task_results import SCHEMA, TaskResult, UnreadableFile, UnreadableFiles, to_batch, values_of

REFUSAL = ConfigError(where="a.json: column 'ä'", expected="x", found='line\nends and "quotes"', remedy="r")
FILES = (UnreadableFile("a b%20.csv", "it is\nempty"), UnreadableFile("s3a://b/c", "gone"))


def raising(error: Exception) -> Callable[[], Any]:
    def work() -> None:
        raise error

    return work


@pytest.mark.parametrize("value", [None, 0, "", "\ud800\n", [1, None, "ä"], {"n": 1.5, "b": [True]}])
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    text = TaskResult.of(lambda: value).to_json()
    assert "\n" not in text
    assert list(values_of([text])) == [value]


def test_the_driver_raises_what_tasks_refuse_and_can_t_read() -> None:
    refused, unreadable, done = (
        TaskResult.of(work).to_json() for work in (raising(REFUSAL), raising(UnreadableFiles(*FILES)), lambda: 1)
    )
    with pytest.raises(ConfigError) as raised:
        list(values_of([done, unreadable, refused]))
    assert raised.value.to_dict() == REFUSAL.to_dict()
    values = values_of([unreadable, done, unreadable])
    assert next(values) == 1
    with pytest.raises(UnreadableFiles) as missing:
        next(values)
    assert missing.value.files == FILES
    with pytest.raises(ZeroDivisionError):  # a defect is none of the answers
        TaskResult.of(lambda: 1 // 0)


def test_several_tasks_answer_one_job(spark: SparkSession) -> None:
    files = FILES  # for tasks do not know this module

    def task(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        def work(i: int) -> str:
            if i < len(files):
                raise UnreadableFiles(files[i])
            return "done"

        ids = [i for batch in batches for i in batch.column(0).to_pylist()]
        yield to_batch(TaskResult.of(partial(work, i)) for i in ids)

    answers = [row[0] for row in spark.range(0, 3, 1, 3).mapInArrow(task, SCHEMA).collect()]
    values = values_of(answers)
    assert next(values) == "done"
    with pytest.raises(UnreadableFiles) as missing:
        next(values)
    assert missing.value.files == FILES
