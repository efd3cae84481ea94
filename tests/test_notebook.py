"""The notebook runs from top to bottom, and what it shows agrees with pandas and with the published table."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from traintable import publish

NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "01_flights.py"
CELL = "# COMMAND ----------"
MAX_MARKS = 1_000  # a picture of rows would have more

FIELDS = {
    "Class balance per split": {"split", "class", "share", "flights"},
    "Rows removed, by reason": {"reason", "flights"},
    "Share of late flights by scheduled hour (train)": {"hour", "late_share", "flights"},
    "Correlation of the numeric features (train)": {"a", "b", "correlation"},
    "4 components hold": {"component", "column", "loading"},
}


@pytest.fixture(scope="module")
def told(spark: SparkSession, small: list[str], tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """What the notebook leaves behind: its variables, the charts it displayed, and the folder of its table."""
    folder, shown = tmp_path_factory.mktemp("notebook"), []
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("TRAINTABLE_CONFIG", raising=False)
        patch.setenv("TRAINTABLE_SET", "; ".join([*small, f"output.table={folder / 'flights'}"]))
        variables = runpy.run_path(str(NOTEBOOK), init_globals={"display": shown.append})
    return SimpleNamespace(**variables, charts=shown, folder=folder)


@pytest.fixture(scope="module")
def flights(told: SimpleNamespace, warehouse: str) -> pd.DataFrame:
    """The flights of the small warehouse, read and labelled without Spark."""
    rows = DeltaTable(f"{warehouse}/flights").to_pandas()
    time = told.config.split.time
    start = pd.Timestamp(time.validation, tz="UTC") - pd.Timedelta(time.gap)
    answered = rows["arr_delay"].notna()
    return rows.assign(late=rows["arr_delay"] > 30, answered=answered, train=answered & (rows["time_hour"] < start))


def chart(told: SimpleNamespace, title: str) -> dict[str, Any]:
    """The specification of the chart whose title starts so."""
    return next(spec for spec in map(alt.Chart.to_dict, told.charts) if spec["title"].startswith(title))


def marks(told: SimpleNamespace, title: str) -> pd.DataFrame:
    """The data of that chart."""
    spec = chart(told, title)
    return pd.DataFrame(spec["datasets"][spec["data"]["name"]])


def encoded(encoding: dict[str, Any]) -> set[str]:
    """The fields that the channels of an encoding read."""
    channels = [c for channel in encoding.values() for c in (channel if isinstance(channel, list) else [channel])]
    return {channel["field"] for channel in channels if "field" in channel}


@pytest.mark.parametrize("title", FIELDS)
def test_every_field_of_a_chart_has_data(told: SimpleNamespace, title: str) -> None:
    data = marks(told, title)
    assert encoded(chart(told, title)["encoding"]) == FIELDS[title] == set(data.columns)
    assert 0 < len(data) <= MAX_MARKS
    assert data.notna().all(axis=None)


def test_no_other_chart_is_shown(told: SimpleNamespace) -> None:
    assert len(told.charts) == len(FIELDS)


def test_class_shares_sum_to_one_in_each_split(told: SimpleNamespace, flights: pd.DataFrame) -> None:
    data = marks(told, "Class balance")
    assert set(data["split"]) == {"train", "validation", "test"}
    np.testing.assert_allclose(data.groupby("split")["share"].sum(), 1.0)
    late = data[(data["split"] == "train") & (data["class"] == "1")]
    assert late["flights"].item() == flights.loc[flights["train"], "late"].sum()


def test_flights_that_never_arrived_are_counted(told: SimpleNamespace, flights: pd.DataFrame) -> None:
    data = marks(told, "Rows removed").set_index("reason")["flights"]
    assert data["no_label"] == (~flights["answered"]).sum()
    assert data.sum() + sum(told.outcome.rows["published"].values()) == len(flights)


def test_share_of_late_flights_by_hour(told: SimpleNamespace, flights: pd.DataFrame) -> None:
    data = marks(told, "Share of late").set_index("hour").sort_index()
    by_hour = flights[flights["train"]].groupby("hour")["late"]
    assert data["flights"].to_dict() == by_hour.size().to_dict()
    np.testing.assert_allclose(data["late_share"], by_hour.mean())


def test_correlation_is_that_of_the_rows(told: SimpleNamespace, flights: pd.DataFrame) -> None:
    data = marks(told, "Correlation").pivot(index="a", columns="b", values="correlation")
    train = flights[flights["train"]]
    expected = (train["hour"] * 60 + train["minute"]).corr(train["distance"])
    assert data.loc["sched_minute_of_day", "distance"] == pytest.approx(expected, rel=1e-9)
    np.testing.assert_allclose(data, data.T)
    np.testing.assert_allclose(np.diag(data), 1.0)


def test_loadings_are_orthonormal(told: SimpleNamespace) -> None:
    data = marks(told, "4 components hold").pivot(index="column", columns="component", values="loading")
    np.testing.assert_allclose(data.T @ data, np.eye(4), atol=1e-9)
    assert list(told.explained) == sorted(told.explained, reverse=True)
    assert 0.5 < sum(told.explained) < 1


def test_leaking_feature_is_refused(told: SimpleNamespace) -> None:
    assert "dep_delay" in told.refusal


def test_published_version_is_what_history_says(told: SimpleNamespace) -> None:
    table = str(told.folder / "flights")
    newest = publish.history(table)[0]
    assert told.outcome.status == "published"
    assert DeltaTable(table).version() == newest["version"] == told.outcome.version == told.versions[0]["version"]
    assert newest["manifest"]["run_id"] == told.outcome.run_id


def test_steps_of_the_notebook_make_the_rows_of_the_run(told: SimpleNamespace) -> None:
    assert told.content_hash == told.outcome.details["content_hash"]
    assert told.feature_names == told.names
    published = DeltaTable(str(told.folder / "flights")).to_pyarrow_table(columns=["split", "features"])
    assert set(published["features"].combine_chunks().value_lengths().to_pylist()) == {len(told.names)}


def test_model_learns_from_the_published_table(told: SimpleNamespace) -> None:
    assert 0.55 < told.auc < 0.9  # more would mean that the answer leaks


def test_nothing_else_is_left_behind(told: SimpleNamespace) -> None:
    beside = {f"flights_{what}" for what in ("lease", "manifests", "models", "quarantine")}
    assert {path.name for path in told.folder.iterdir()} == {"flights"} | beside


def test_parameters_come_from_widgets_on_databricks(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = next(cell for cell in NOTEBOOK.read_text().split(CELL) if "dbutils.widgets" in cell and "import os" in cell)
    defaults: dict[str, str] = {}
    given = {"config": "conf/other.yaml", "set": "seed=7; output.table=/tmp/trial ;"}
    widgets = SimpleNamespace(text=defaults.__setitem__, get=given.__getitem__)
    monkeypatch.setenv("TRAINTABLE_CONFIG", "not this one")
    monkeypatch.chdir(NOTEBOOK.parent)  # as Databricks does, which sets no __file__
    variables: dict[str, Any] = {"dbutils": SimpleNamespace(widgets=widgets)}
    exec(cell, variables)
    assert variables["config_path"] == "conf/other.yaml"
    assert variables["overrides"] == ["seed=7", "output.table=/tmp/trial"]
    assert defaults == {"config": str(NOTEBOOK.parent.parent / "conf" / "flights.yaml"), "set": ""}


def test_source_format() -> None:
    lines = NOTEBOOK.read_text().splitlines()
    assert lines[0] == "# Databricks notebook source"
    cells = "\n".join(lines[1:]).split(CELL)
    assert all(cell.strip() for cell in cells)
    for cell in cells:  # a cell is all markdown or all Python
        magic = [line.startswith("# MAGIC") for line in cell.strip().splitlines()]
        assert all(magic) == any(magic)
    assert ".collect(" not in NOTEBOOK.read_text()
