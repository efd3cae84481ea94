"""Rows are written and checked in one pass; quarantined rows are in no file; a refusal leaves none."""

from __future__ import annotations

import json
import os
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa
import pytest
from gated_rows import COLUMNS, NAMES, RULES, SCHEMA, config, gate, rows
from pyspark.errors import PythonException
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.linalg import Vectors
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from frames import of_rows
from traintable.delta.attachments import Attachments
from traintable.errors import ConfigError, GateRefused
from traintable.publish import publish
from traintable.quality import require_known, with_gate_columns, with_rule_columns
from traintable.run.gate_step import run_gate
from traintable.run.staging import staging
from traintable.statistics import content_hash

QUARANTINING = [
    {"type": "expect_column_values_to_be_between", "column": "y", "max_value": 15, "level": "quarantine", "id": "high"},
    {"type": "expect_column_values_to_be_in_set", "column": "word", "value_set": ["ab", "cd"], "level": "quarantine"},
    {"type": "expect_column_values_to_be_between", "column": "x", "max_value": 0, "level": "quarantine"}
    | {"row_condition": "late = 1", "id": "late_only"},
    {"type": "expect_column_values_to_be_between", "column": "y", "max_value": 15, "id": "none_high"},
]


def test_rows_that_fail_rules_are_quarantined_with_their_ids(spark: SparkSession, tmp_path: Path) -> None:
    made = rows(random.Random(1))
    settings = config(str(tmp_path / "t"), QUARANTINING, max_quarantined=1.0)
    found = gate(spark, made, settings, tmp_path)
    expected = {}
    for row in made:
        ids = ["high"] * (row[4][1] > 15) + ["column_values_to_be_in_set:word"] * (row[1] == "ef")
        ids += ["late_only"] * (row[2] == 1 and row[4][0] > 0)
        expected[row[0]] = ids
    results = {rule.id: rule for rule in found.verdict.rules}
    for name in ("high", "column_values_to_be_in_set:word", "late_only"):
        n = sum(name in ids for ids in expected.values())
        assert (results[name].rows, results[name].success) == (n, False)
    assert results["none_high"].success
    assert found.verdict.refusals == []
    assert found.n_quarantined == sum(bool(ids) for ids in expected.values())
    assert found.reasons == {
        f"gate:{name}": result.rows for name, result in results.items() if result.level == "quarantine" and result.rows
    }
    removed = {json.loads(row["row"])["id"]: row["reasons"] for row in found.quarantined_rows.collect()}
    assert removed == {key: [f"gate:{name}" for name in ids] for key, ids in expected.items() if ids}
    manifest = {"traintable": "0", "run_id": "r"}
    assert publish(found.candidate, settings.output.table, manifest=manifest, features=NAMES) == 0
    published = spark.read.format("delta").load(settings.output.table).collect()
    assert {row["id"] for row in published} == {key for key, ids in expected.items() if not ids}
    told_classes = {part: dict(found.classes[part]) for part in ("train", "validation", "test")}
    counted: dict[str, Counter[str]] = {part: Counter() for part in told_classes}
    for row in published:
        counted[row["split"]][str(row["late"])] += 1
    assert told_classes == counted
    by_key = {row[0]: row for row in made}
    for row in published:
        source = by_key[row["id"]]
        assert [row["word"], row["late"], row["split"]] == source[1:4]
        assert row["features"] == pytest.approx(source[4], rel=1e-6)


def test_a_column_by_a_name_of_the_gates_own_is_refused(spark: SparkSession, tmp_path: Path) -> None:
    df = of_rows(spark, SCHEMA, rows(random.Random(3), 50)).withColumn("Split_Class", F.lit("mine"))
    with pytest.raises(ConfigError, match=r"columns that the gate adds: .*split_class"):
        with_rule_columns(df, config(str(tmp_path / "t")).gate, COLUMNS)


def test_rows_are_computed_once_whatever_the_rules_ask(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "passes").mkdir()
    place = str(tmp_path / "passes")

    def noted(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        handle, _ = tempfile.mkstemp(dir=place)
        os.close(handle)
        yield from batches

    made = rows(random.Random(4))
    df = of_rows(spark, SCHEMA, made).coalesce(1)
    df = df.mapInArrow(noted, df.schema)
    wrong = {"type": "expect_column_values_to_match_regex", "column": "word", "regex": "(", "id": "wrong"}
    for n, rules in ((1, RULES), (1, [*RULES, *QUARANTINING]), (2, [*RULES, wrong])):
        settings = config(str(tmp_path / "t"), rules, max_quarantined=1.0)
        with staging(spark, str(tmp_path / "staging")) as files, ExitStack() as expected:
            if wrong in rules:
                expected.enter_context(pytest.raises(ConfigError, match="a rule that Great Expectations can compute"))
            found = run_gate(df, COLUMNS, settings, settings.output.table, files, previous=None, allow=())
            found.candidate.discard()
            assert not list((tmp_path / "t").rglob("*.parquet"))
        assert len(os.listdir(place)) == n  # a second time without what could not be computed
        shutil.rmtree(place)
        os.mkdir(place)


def test_rows_that_can_not_be_computed_are_not_tried_again(spark: SparkSession, tmp_path: Path) -> None:
    place = str(tmp_path / "passes")
    os.mkdir(place)

    def failing(_: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        handle, _ = tempfile.mkstemp(dir=place)
        os.close(handle)
        raise OSError("No space left on device")

    df = of_rows(spark, SCHEMA, rows(random.Random(4))).coalesce(1)
    failed = df.mapInArrow(failing, df.schema)
    settings = config(str(tmp_path / "t"))
    with (
        staging(spark, str(tmp_path / "staging")) as files,
        pytest.raises(PythonException, match="No space left on device"),
    ):
        run_gate(failed, COLUMNS, settings, settings.output.table, files, previous=None, allow=())
    assert len(os.listdir(place)) == 1


@pytest.mark.parametrize("way", ["much is told", "tasks can't write", "a task that failed at its end has left a file"])
def test_whatever_the_way_the_same_is_found(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    made = rows(random.Random(5))
    expected = gate(spark, made, config(str(tmp_path / "t"), QUARANTINING, max_quarantined=1.0), tmp_path)
    removed = sorted(row["row"] for row in expected.quarantined_rows.collect())
    if way == "much is told":
        monkeypatch.setattr("traintable.publish.candidate._SHORT", 0)
    elif way == "tasks can't write":
        monkeypatch.setattr("traintable.publish.candidate.is_for_tasks", lambda _: False)
    else:
        left = of_rows(spark, "id bigint, word string", [(1, "ab")])
        left.coalesce(1).write.parquet(str(tmp_path / "staging" / "audit"))
    found = gate(spark, made, config(str(tmp_path / "other"), QUARANTINING, max_quarantined=1.0), tmp_path)
    assert found.verdict.rules == expected.verdict.rules
    assert (found.content_hash, found.classes, found.reasons) == (
        expected.content_hash,
        expected.classes,
        expected.reasons,
    )
    assert found.candidate.tally == expected.candidate.tally
    assert found.version.drift(expected.version) == dict.fromkeys(NAMES, 0.0)
    assert sorted(row["row"] for row in found.quarantined_rows.collect()) == removed != []
    assert (found.candidate.files is None) == (way == "tasks can't write")
    if found.candidate.files is not None:  # of others the rows are gone with the staging folder
        publish(found.candidate, str(tmp_path / "other"), manifest={"traintable": "0", "run_id": "r"}, features=NAMES)
        assert content_hash(spark.read.format("delta").load(str(tmp_path / "other")))[0] == expected.content_hash


def test_no_rows_are_an_answer(spark: SparkSession, tmp_path: Path) -> None:
    found = gate(spark, [], config(str(tmp_path / "t")), tmp_path)
    assert found.verdict.refusals
    assert found.published == {}


def test_the_session_trains_models_of_spark_ml_afterwards(spark: SparkSession, tmp_path: Path) -> None:
    gate(spark, rows(random.Random(6)), config(str(tmp_path / "t")), tmp_path)
    made = [(Vectors.dense([float(i % 7)]), float(i % 2)) for i in range(40)]
    df = spark.createDataFrame(made, ["features", "label"])
    model = LogisticRegression(maxIter=2).fit(df)
    assert model.hasSummary  # which holds the session
    assert len(model.transform(df).select("rawPrediction", "prediction").collect()) == 40


def test_too_many_quarantined_rows_are_refused(spark: SparkSession, tmp_path: Path) -> None:
    found = gate(spark, rows(random.Random(1)), config(str(tmp_path / "t"), QUARANTINING[:1]), tmp_path)
    assert [rule.id for rule in found.verdict.refusals] == ["quarantined"]
    with pytest.raises(GateRefused, match=r"at most 5.0% of the rows quarantined .* found 1\d\.\d%"):
        found.verdict.raise_if_refused("t")


@pytest.mark.parametrize(
    "rule",
    [
        {"type": "expect_column_mean_to_be_between", "column": "y", "max_value": 15},
        {"type": "expect_column_values_to_be_unique", "column": "word"},
        {"type": "expect_compound_columns_to_be_unique", "column_list": ["word", "late"]},
    ],
)
def test_a_rule_on_a_whole_column_quarantines_no_row(spark: SparkSession, rule: dict[str, object]) -> None:
    settings = config("t", [{**rule, "level": "quarantine"}])
    df = of_rows(spark, SCHEMA, [])
    with pytest.raises(ConfigError, match="`quarantine`, which is for rules on single rows"):
        with_gate_columns(df, settings.gate, COLUMNS)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"type": "unexpected_rows_expectation", "unexpected_rows_query": "SELECT * FROM {batch}"}, "query of its own"),
        ({**QUARANTINING[0], "row_condition": "reflect('a', 'b') = 1"}, "reflect, which is not an allowed function"),
        ({**QUARANTINING[0], "row_condition": {"type": "pass_through", "pass_through_filter": "true"}}, "found a dict"),
        ({"type": "expect_table_column_count_to_equal", "value": 5}, "found a rule on the table's columns"),
        (
            {**QUARANTINING[0], "row_condition": "id IN (SELECT id FROM t)"},
            "Spark SQL expression over the columns of one row",
        ),
    ],
)
def test_rules_that_could_do_more_than_read_rows_are_refused(rule: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        require_known(config("t", [rule]).gate)


def test_what_is_refused_leaves_no_file_but_its_result(spark: SparkSession, tmp_path: Path) -> None:
    made = rows(random.Random(1))
    made[0][4][0] = float("nan")
    settings = config(str(tmp_path / "t"), [])
    found = gate(spark, made, settings, tmp_path)
    assert list((tmp_path / "t").rglob("*.parquet"))
    attachments = Attachments(str(tmp_path / "attachments"))
    files = found.attach(attachments, name=settings.name, run_id="<script>alert(1)</script>", table="t")
    found.candidate.discard()
    assert not list((tmp_path / "t").rglob("*.parquet"))
    result = attachments.get_json(files["gate"])
    assert result["refused"] is True
    assert result["features"]["x"]["not_finite"] == (1 if made[0][3] == "train" else 0)
    page = attachments.get(files["page"]).decode()
    assert "Refused" in page
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
