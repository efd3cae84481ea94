"""The configuration: everything wrong in it is named with its place, and what is right stays as it was written."""

from __future__ import annotations

import copy
import json
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml

from traintable.config.dataset import Config, load
from traintable.config.durations import Duration
from traintable.errors import ConfigError, InputMissing, TraintableError

FLIGHTS = Path(__file__).parents[2] / "conf" / "flights.yaml"

RATIOS = {"train": 0.7, "validation": 0.2, "test": 0.1}
SMALL: dict[str, Any] = {
    "name": "small",
    "timeline": ["before", "after"],
    "predict_at": "before",
    "source": {"table": "data/source", "key": ["id"]},
    "joins": [
        {"name": "j", "table": "data/j", "on": {"a": "b"}, "columns": ["c"]},
        {
            "name": "k",
            "table": "data/k",
            "on": {"a": "b"},
            "asof": {"left": "t", "right": "t", "tolerance": "1 day"},
            "columns": ["c"],
        },
    ],
    "columns": {"x": {"type": "double", "min": 0}, "y": {"available_at": "after"}},
    "label": {"name": "late", "expr": "y > 0"},
    "split": {
        "method": "time",
        "time": {"column": "t", "validation": "2013-09-15", "test": "2013-11-01"},
        "stratified": {"by": ["late"], "ratios": RATIOS},
    },
    "prepare": {
        "features": {"x": {"scale": "standard"}, "z": {"scale": "standard"}, "w": {"encode": "one_hot"}},
        "reduce": {"columns": ["x", "z"], "k": 1},
    },
    "gate": {"expectations": [{"type": "expect_column_mean_to_be_between", "column": "late"}]},
    "output": {"table": "data/training"},
}


def changed(place: str, value: Any) -> dict[str, Any]:
    """The small configuration with one value put in or replaced."""
    config = copy.deepcopy(SMALL)
    *way, last = place.split(".")
    inner: Any = config
    for part in way:
        inner = inner[int(part)] if part.isdigit() else inner[part]
    inner[last] = value
    return config


def written(folder: Path, config: Any) -> Path:
    path = folder / "small.yaml"
    path.write_text(config if isinstance(config, str) else yaml.safe_dump(config), encoding="utf-8")
    return path


def refusal(folder: Path, config: Any, *overrides: str) -> ConfigError:
    """The error that the configuration gives, complete in all its parts."""
    with pytest.raises(TraintableError) as caught:
        load(written(folder, config), overrides)
    error = caught.value
    assert isinstance(error, ConfigError)
    assert error.exit_code == 2
    assert all(error.to_dict().values())
    for part in (error.where, error.expected, error.found, error.remedy):
        assert part in str(error)
    return error


def test_the_small_and_the_shipped_configuration_load(tmp_path: Path) -> None:
    assert load(written(tmp_path, SMALL)).joins[1].asof is not None
    assert load(FLIGHTS).root == str(FLIGHTS.parent.parent)


@pytest.mark.parametrize(
    ("place", "unknown", "known"),
    [
        ("", "lable", "label"),
        ("source", "tabel", "table"),
        ("joins.0", "colums", "columns"),
        ("joins.1.asof", "tolerence", "tolerance"),
        ("columns.x", "availble_at", "available_at"),
        ("label", "clases", "classes"),
        ("split", "methode", "method"),
        ("split.time", "validatoin", "validation"),
        ("split.stratified", "ratio", "ratios"),
        ("prepare", "featurs", "features"),
        ("prepare.features.x", "fil_value", "fill_value"),
        ("prepare.reduce", "prefx", "prefix"),
        ("gate", "min_rows_pre_split", "min_rows_per_split"),
        ("output", "model_dri", "model_dir"),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest_known_one(
    tmp_path: Path, place: str, unknown: str, known: str
) -> None:
    full = f"{place}.{unknown}".strip(".")
    error = refusal(tmp_path, changed(full, 1))
    assert error.where.endswith(f"small.yaml: {full}")
    assert unknown in error.found
    assert error.remedy == f"Did you mean '{known}'?"


@pytest.mark.parametrize(
    ("place", "value", "expected"),
    [
        ("seed", "two", "integer"),
        ("source.version", -1, "greater than or equal to 0"),
        ("source.key", "id", "tuple"),
        ("source.key", [], "at least 1"),
        ("columns.x.type", "text", "'string'"),
        ("columns.x.max", -1, "above max"),
        ("columns.x.nullable", "maybe", "boolean"),
        ("joins.0.on", ["a"], "dictionary"),
        ("joins.1.asof.tolerance", "soon", "duration"),
        ("joins.1.name", "j", "different names"),
        ("split.time.gap", "1 month", "duration"),
        ("split.method", "random", "'stratified'"),
        ("split.stratified.ratios", {"train": 0.7, "validation": 0.2, "test": 0.2}, "sum to 1"),
        ("split.hash", {"ratios": {"train": 0.7, "test": 0.3}}, "sum to 1"),
        ("split.group", {"by": [], "ratios": RATIOS}, "at least 1"),
        ("split.frozen_test", {"version": -1}, "greater than or equal to 0"),
        ("split.frozen_test", {"version": 1, "otherwise": "test"}, "'train' or 'validation'"),
        ("split.fold", {"kind": "leave_one_out"}, "'stratified_group'"),
        ("split.fold", {"kind": "hash", "n": 1}, "greater than or equal to 2"),
        ("split.fold", {"kind": "hash", "by": ["t"]}, "by does not apply to kind 'hash'"),
        ("split.fold", {"kind": "stratified", "embargo": "1 day"}, "embargo does not apply"),
        ("split.fold", {"kind": "group"}, "needs `by`"),
        ("split.fold", {"kind": "time", "gap": "1 day"}, "needs `time`"),
        ("split.stratified.ratios", {"train": 0.9, "test": 0.1}, "train, validation and test"),
        ("split.stratified.ratios", {"train": 1.2, "validation": -0.3, "test": 0.1}, "positive"),
        ("prepare.features", {}, "at least 1"),
        ("prepare.features.x.impute", "constant", "fill_value"),
        ("prepare.features.x.fill_value", float("nan"), "finite"),
        ("prepare.features.w.scale", "standard", "scale does not apply"),
        ("prepare.features.x.top_k", 3, "top_k does not apply"),
        ("prepare.reduce.k", 3, "2 columns"),
        ("prepare.reduce.columns", ["x", "w"], "not a numeric feature"),
        ("predict_at", "later", "timeline"),
        ("predict_at", None, "predict_at"),
        ("columns.y.available_at", "later", "timeline"),
        ("gate.min_rows_per_split", 0, "greater than or equal to 1"),
        ("gate.expectations", [{"column": "late"}], "value"),
    ],
)
def test_a_wrong_value_is_told_with_what_was_expected(tmp_path: Path, place: str, value: Any, expected: str) -> None:
    assert expected in str(refusal(tmp_path, changed(place, value)))


@pytest.mark.parametrize("section", ["name", "source", "label", "split", "prepare", "output", "source.key"])
def test_a_missing_section_is_named(tmp_path: Path, section: str) -> None:
    config = copy.deepcopy(SMALL)
    *way, last = section.split(".")
    del (config[way[0]] if way else config)[last]
    error = refusal(tmp_path, config)
    assert error.where.endswith(f": {section}")
    assert error.found == "none"


def test_all_errors_are_counted_and_the_first_is_shown(tmp_path: Path) -> None:
    config = changed("seed", "two")
    config["source"]["version"] = -1
    assert "1 more" in refusal(tmp_path, config).found


def test_the_method_of_the_split_must_be_declared(tmp_path: Path) -> None:
    config = changed("split.method", "stratified")
    del config["split"]["stratified"]
    assert "'stratified' is expected" in str(refusal(tmp_path, config))


def test_every_declared_method_can_be_switched_on(tmp_path: Path) -> None:
    for method in ("hash", "time", "stratified", "group", "stratified_group"):
        split = load(FLIGHTS, [f"split.method={method}"]).split
        assert set(split.definition()) == {method}
        assert split.groups == (("tailnum",) if "group" in method else ())
        assert "'stratified_group' is expected" in str(refusal(tmp_path, SMALL, "split.method=stratified_group"))


def test_folds_fit_what_target_encoding_needs(tmp_path: Path) -> None:
    target = "prepare.features.w={encode: target}"
    assert load(written(tmp_path, SMALL)).folds is None
    needed = load(written(tmp_path, SMALL), [target, "prepare.n_folds=7"]).folds
    assert needed is not None
    assert (needed.kind, needed.n) == ("hash", 7)
    declared = load(written(tmp_path, SMALL), [target, "split.fold={kind: stratified, n: 4}"]).folds
    assert declared is not None
    assert (declared.kind, declared.n) == ("stratified", 4)
    time = "split.fold={kind: time, time: t, gap: 1 day}"
    assert load(written(tmp_path, SMALL), [time]).folds is not None
    assert "a fold for each row of train" in str(refusal(tmp_path, SMALL, target, time))
    two = "split.fold={kind: hash, n: 4}"
    assert "prepare.n_folds is 5, but split.fold.n is 4" in str(refusal(tmp_path, SMALL, "prepare.n_folds=5", two))
    assert "'x' is the fold" in str(refusal(tmp_path, SMALL, two, "prepare.fold=x"))


@pytest.mark.parametrize("text", ["a: [", "just text", "- a", "", "\tname: x"])
def test_what_is_no_mapping_of_sections_is_refused(tmp_path: Path, text: str) -> None:
    refusal(tmp_path, text)


def test_words_and_dates_of_yaml_stay_text(tmp_path: Path) -> None:
    rest = yaml.safe_dump({name: SMALL[name] for name in ("source", "prepare", "output")})
    text = """
        name: no
        joins: [{name: j, table: x, on: {y: n}, columns: [off]}]
        label: {name: late, expr: yes, classes: [no, yes, off, Y, 1]}
        split: {method: time, time: {column: t, validation: 2013-09-15, test: 2013-11-01 06:00:00}}
    """
    config = load(written(tmp_path, textwrap.dedent(text) + rest))
    assert (config.name, config.label.expr) == ("no", "yes")
    assert config.joins[0].on == {"y": "n"}
    assert config.joins[0].columns == ("off",)
    assert config.label.classes == ("no", "yes", "off", "Y", 1)
    assert config.split.time is not None
    assert (config.split.time.validation, config.split.time.test) == ("2013-09-15", "2013-11-01 06:00:00")


def test_true_and_false_are_the_booleans_of_yaml(tmp_path: Path) -> None:
    config = load(written(tmp_path, SMALL), ["columns.x.nullable=false", "prepare.features.x.indicator=True"])
    assert config.columns["x"].nullable is False
    assert config.prepare.features["x"].indicator is True


def test_overrides_replace_add_and_come_in_order(tmp_path: Path) -> None:
    config = load(
        written(tmp_path, SMALL),
        [
            "seed=1",
            "seed=7",
            "split.method=stratified",
            "derive.x2=x = 2",
            "source.key=[id, t]",
            "gate.min_rows_per_split=5",
        ],
    )
    assert config.seed == 7
    assert config.split.method == "stratified"
    assert config.derive == {"x2": "x = 2"}
    assert config.source.key == ("id", "t")
    assert config.gate.min_rows_per_split == 5
    assert len(config.gate.expectations) == 1


@pytest.mark.parametrize(
    "override", ["seed", "=1", "split..method=time", "name.inner=1", "joins.0.table=x", "seed=[", "seed=", "sede=1"]
)
def test_a_wrong_override_is_refused(tmp_path: Path, override: str) -> None:
    refusal(tmp_path, SMALL, override)


def test_a_file_that_is_not_there_or_not_text_is_missing_input(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"name: caf\xe9")
    for name in ("nothing.yaml", ".", "latin.yaml"):
        with pytest.raises(InputMissing) as caught:
            load(tmp_path / name)
        assert caught.value.exit_code == 4
        assert all(caught.value.to_dict().values())


@pytest.mark.parametrize(
    ("root", "expected"),
    [("..", "{parent}"), ("/data", "/data"), ("s3a://bucket/x", "s3a://bucket/x"), (".", "{here}")],
)
def test_a_relative_root_starts_at_the_file(tmp_path: Path, root: str, expected: str) -> None:
    config = load(written(tmp_path, changed("root", root)))
    assert config.root == expected.format(here=tmp_path, parent=tmp_path.parent)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 seconds", 0),
        ("1 second", 1),
        ("90minutes", 5400),
        (" 3 hours ", 10800),
        ("2 days", 172800),
        ("1 week", 604800),
    ],
)
def test_durations_are_seconds(text: str, expected: int) -> None:
    assert Duration(text).seconds == expected
    assert Duration(text) == text


@pytest.mark.parametrize("text", ["", "3", "hours", "-1 hours", "1.5 hours", "1 month", "3 hours and more", "3 Hours!"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        Duration(text)


def test_a_loaded_configuration_does_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load(FLIGHTS).seed = 3  # type: ignore[misc]


def test_what_a_manifest_keeps_of_a_configuration_reads_back_as_the_same() -> None:
    config = load(FLIGHTS)
    kept = config.model_dump(mode="json", exclude_defaults=True)
    assert Config.model_validate(json.loads(json.dumps(kept))) == config


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, SMALL)
    path.write_text(path.read_text() + "\nseed: 1\nseed: 2\n")
    with pytest.raises(ConfigError, match="the key 'seed' is given twice"):
        load(path)
