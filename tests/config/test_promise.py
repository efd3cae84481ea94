"""A promise is one model, which a run and an extraction take alike, and which leaves the dumps of both as they were."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import ValidationError

from traintable.config.dataset import Config
from traintable.config.durations import Duration
from traintable.config.ingest import IngestConfig
from traintable.config.promise import Promise

EVERY_KEY = {
    "type": "decimal(10,2)",
    "nullable": False,
    "min": 0,
    "max": 2**60 + 1,
    "on_invalid": "null",
    "available_at": "departure",
    "source": "Price (€)",
    "values": [1, 2.5, "3"],
}
TIME = {"type": "timestamp", "format": "%d.%m.%Y %H:%M", "time_zone": "Europe/Berlin"}


def of_run(columns: dict[str, Any], **more: Any) -> Config:
    return Config.model_validate(
        {
            "name": "x",
            "timeline": ["departure"],
            "predict_at": "departure",
            "source": {"table": "t", "key": ["id"]},
            "columns": columns,
            "label": {"name": "y", "expr": "x"},
            "split": {"method": "hash", "hash": {"ratios": {"train": 0.8, "validation": 0.1, "test": 0.1}}},
            "output": {"table": "t"},
            **more,
        }
    )


def of_ingest(columns: dict[str, Any], **more: Any) -> IngestConfig:
    source = {"format": "csv", "path": "x"}
    settings = {"name": "x", "source": source, "columns": columns, "output": {"table": "t"}, **more}
    return IngestConfig.model_validate(settings)


def test_a_promise_is_the_same_in_a_run_and_in_an_extraction() -> None:
    columns = {"price": EVERY_KEY, "at": TIME, "plain": {}}
    assert of_run(columns).columns == of_ingest(columns).columns
    assert of_run(columns).columns["price"] == Promise.model_validate(EVERY_KEY)
    for config in (of_run(columns), of_ingest(columns)):
        dumped = config.model_dump(mode="json", exclude_defaults=True)
        assert type(config).model_validate(dumped) == config


def test_a_run_dumps_what_it_always_has() -> None:
    columns = {"a": {"type": "bigint", "min": 0, "max": 2**60 + 1}, "b": {}}
    dumped = of_run(columns).model_dump(mode="json")["columns"]
    plain = {"nullable": True, "on_invalid": "quarantine", "available_at": None}
    assert dumped == {
        "a": {"type": "bigint", "min": 0.0, "max": 2**60 + 1, **plain},
        "b": {"type": None, "min": None, "max": None, **plain},
    }
    assert list(dumped["a"]) == ["type", "nullable", "min", "max", "on_invalid", "available_at"]
    assert isinstance(dumped["a"]["min"], float)
    assert isinstance(dumped["a"]["max"], int)
    assert of_run({"a": {"values": [1]}}).model_dump(mode="json", exclude_defaults=True)["columns"] == {
        "a": {"values": [1]}
    }


def test_an_extraction_dumps_what_it_always_has() -> None:
    dumped = of_ingest({"a": {"type": "bigint", "min": 0}, "b": {}}).model_dump(mode="json")["columns"]
    plain = {"source": None, "nullable": True, "max": None, "values": [], "format": None}
    assert dumped == {"a": {"type": "bigint", "min": 0, **plain}, "b": {"type": "string", "min": None, **plain}}
    assert isinstance(dumped["a"]["min"], int)


@pytest.mark.parametrize("kind", ["text", "BIGINT", "decimal(x)", "array<date>", "map<string,int>", "nothing"])
def test_a_run_refuses_a_type_that_spark_does_not_write(kind: str) -> None:
    with pytest.raises(ValidationError, match=rf"a type such as .*'string'.*, found type '{re.escape(kind)}'"):
        of_run({"a": {"type": kind}})


@pytest.mark.parametrize(
    ("promise", "expected"),
    [
        ({"time_zone": "Mars"}, "a time zone such as"),
        ({"min": float("nan")}, "finite"),
        ({"values": [float("inf")]}, "finite"),
        ({"on_invalid": "drop"}, "'null' or 'quarantine'"),
        ({"source": ""}, "at least 1 character"),
    ],
)
def test_what_no_promise_can_say(promise: dict[str, Any], expected: str) -> None:
    for config in (of_run, of_ingest):
        with pytest.raises(ValidationError, match=expected):
            config({"a": promise})


def test_an_unquoted_null_of_yaml_is_the_word() -> None:
    assert Promise.model_validate({"on_invalid": None}).on_invalid == "null"


def test_a_lookback_is_a_duration_or_a_number() -> None:
    def lookback(value: Any) -> Any:
        load = {"mode": "watermark", "column": "n", "lookback": value, "merge": {"order_by": "n"}}
        config = of_ingest({"n": {"type": "bigint"}}, source={"format": "delta", "table": "t"}, key=["n"], load=load)
        return config.load.lookback

    assert lookback(5) == 5
    assert lookback("90 minutes") == Duration("90 minutes")
    assert lookback("90minutes").seconds == 5400
    for wrong in ("5", "1 month", "soon"):
        with pytest.raises(ValidationError, match="`lookback` such as '2 hours', '1 day' or a number"):
            lookback(wrong)
