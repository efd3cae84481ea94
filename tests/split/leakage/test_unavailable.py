"""Features that give the answer away are refused, by whatever way they come to it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traintable.config.dataset import Config
from traintable.errors import ConfigError
from traintable.split import refuse_unavailable

TIMELINE = ["schedule", "departure", "arrival"]


def config(
    features: list[str], *, label: str = "arr > 30", columns: dict[str, str] | None = None, **sections: Any
) -> Config:
    """A configuration with these features; `columns` maps a column to the moment when it is known."""
    return Config.model_validate(
        {
            "name": "flights",
            "timeline": TIMELINE,
            "predict_at": "schedule",
            "source": {"table": "flights", "key": ["id"]},
            "columns": {name: {"available_at": moment} for name, moment in (columns or {}).items()},
            "label": {"name": "late", "expr": label},
            "split": {"method": "time", "time": {"column": "t", "validation": "2013-02-01", "test": "2013-03-01"}},
            "prepare": {"features": {name: {} for name in features}},
            "output": {"table": "training"},
            **sections,
        }
    )


REFUSED = {
    "the label": config(["late"]),
    "a column of the label's expression": config(["arr"]),
    "a column that is derived from one of those": config(["x"], derive={"x": "arr * 2"}),
    "a column that a derived column in the label reads": config(["arr"], label="x > 1", derive={"x": "arr * 2"}),
    "a derived column that the label reads": config(["x"], label="x > 1", derive={"x": "arr * 2"}),
    "a sibling of a derived column in the label": config(["y"], label="x > 1", derive={"x": "arr", "y": "arr"}),
    "a column known later": config(["dep"], columns={"dep": "departure"}),
    "a column derived from one known later": config(["x"], columns={"dep": "departure"}, derive={"x": "dep - sched"}),
    "through two derivations": config(["y"], columns={"dep": "arrival"}, derive={"x": "-dep", "y": "x + 1"}),
    "one of many": config(["sched", "dist", "dep"], columns={"dep": "arrival", "dist": "schedule"}),
    "in quotes": config(["x"], columns={"dep time": "arrival"}, derive={"x": "`dep time` + 1"}),
    "inside a struct": config(["x"], columns={"log": "arrival"}, derive={"x": "log.dep"}),
    "behind a lambda's parameter": config(
        ["x"], columns={"dep": "arrival"}, derive={"x": "if(exists(xs, dep -> dep > 0), 0, dep)"}
    ),
    "found by a key known later": config(
        ["gate_size"],
        columns={"gate": "arrival"},
        joins=[{"name": "gate", "table": "gates", "on": {"gate": "gate"}, "columns": ["size"]}],
    ),
    "found by a time known later": config(
        ["weather_temp"],
        columns={"arr_time": "arrival"},
        joins=[
            {
                "name": "weather",
                "table": "weather",
                "on": {"dest": "station"},
                "asof": {"left": "arr_time", "right": "time", "tolerance": "1 hour"},
                "columns": ["temp"],
            }
        ],
    ),
}

ACCEPTED = {
    "a column that nothing is said of": config(["dist"]),
    "a column known in time": config(["sched"], columns={"sched": "schedule", "dep": "departure"}),
    "a column of the label that is declared to be known in time": config(
        ["sched"], label="arr - sched > 30", columns={"sched": "schedule"}
    ),
    "a column derived from those": config(
        ["x"], label="arr - sched > 30", columns={"sched": "schedule"}, derive={"x": "sched * dist"}
    ),
    "a column known later, when the prediction is made later too": config(
        ["dep"], columns={"dep": "departure"}, predict_at="departure"
    ),
    "a name that stands in a text only": config(["x"], columns={"dep": "arrival"}, derive={"x": "concat(dist, 'dep')"}),
}


@pytest.mark.parametrize("way", REFUSED)
def test_a_leaking_feature_is_refused(way: str) -> None:
    declared = REFUSED[way]
    with pytest.raises(ConfigError, match="leaks") as caught:
        refuse_unavailable(declared)
    assert caught.value.where == f"prepare.features.{list(declared.prepare.features)[-1]}"


@pytest.mark.parametrize("way", ACCEPTED)
def test_a_feature_that_is_known_in_time_is_accepted(way: str) -> None:
    refuse_unavailable(ACCEPTED[way])


def test_the_refusal_names_the_column_and_the_moments() -> None:
    leaking = config(["x"], columns={"dep": "departure"}, derive={"x": "dep - sched"})
    with pytest.raises(ConfigError, match=r"through 'dep'.*'departure', after the prediction at 'schedule'"):
        refuse_unavailable(leaking)


RAW = [f"c{i}" for i in range(5)]


@settings(deadline=None)
@given(st.data())
def test_any_net_of_derivations_is_followed_to_its_columns(data: st.DataObject) -> None:
    moments = {name: data.draw(st.sampled_from([None, *TIMELINE])) for name in RAW}
    reads: dict[str, list[str]] = {}
    for i in range(4):
        reads[f"d{i}"] = data.draw(st.lists(st.sampled_from(RAW + list(reads)), min_size=1, max_size=3))
    label = data.draw(st.lists(st.sampled_from(RAW + list(reads)), min_size=1, max_size=2))
    feature = data.draw(st.sampled_from(RAW + list(reads)))

    def closure(names: list[str]) -> set[str]:
        return {raw for name in names for raw in (closure(reads[name]) if name in reads else {name})}

    late = {name for name in RAW if moments[name] in ("departure", "arrival")}
    undeclared = {name for name in RAW if moments[name] is None}
    leaks = closure([feature]) & (late | (closure(label) & undeclared))
    declared = config(
        [feature],
        label=" + ".join(label),
        columns={name: moment for name, moment in moments.items() if moment},
        derive={name: " + ".join(names) for name, names in reads.items()},
    )
    if leaks:
        with pytest.raises(ConfigError, match="leaks"):
            refuse_unavailable(declared)
    else:
        refuse_unavailable(declared)
