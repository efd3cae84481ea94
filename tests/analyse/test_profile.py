"""A profile equals what pandas, NumPy, SciPy and scikit-learn say of the same rows, in any layout."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import jsonschema
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import stats
from sklearn.metrics import normalized_mutual_info_score, roc_auc_score

from traintable import analyse
from traintable.analyse.profile import Profile
from traintable.errors import ConfigError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

N = 900
NUMBERS = ("normal", "skewed", "few", "copy")
WORDS = ("colour", "shape")


@cache
def frame() -> pd.DataFrame:
    """Rows with nulls, NaN, ties, a redundant column, and two classes that some columns tell apart."""
    rng = np.random.default_rng(5)
    late = rng.random(N) < 0.2
    normal = rng.normal(size=N) + late
    colour = np.where(rng.random(N) < 0.3 + 0.3 * late, "red", rng.choice(["blue", "green", "<script>"], N))
    rows = pd.DataFrame(
        {
            "id": np.arange(N),
            "late": np.where(late, "yes", "no"),
            "normal": normal,
            "skewed": np.exp(2 * rng.normal(size=N)),
            "few": rng.integers(0, 5, N).astype(float),
            "copy": normal * 3 + rng.normal(size=N) / 50,
            "colour": colour,
            "shape": rng.choice(["AB-1", "CD-22"], N, p=[0.98, 0.02]),
            "note": [f"Text {i} of {i % 7}" for i in range(N)],
            "at": pd.Timestamp("2024-01-01", tz="UTC") + pd.to_timedelta(rng.integers(0, 90 * 24, N), unit="h"),
            "split": rng.choice(["train", "test"], N, p=[0.8, 0.2]),
            "same": 1,
        }
    )
    march = rows["at"].between("2024-02-10", "2024-02-20")
    rows.loc[march, "at"] = pd.Timestamp("2024-01-05", tz="UTC")
    for name, share in (("normal", 0.1), ("few", 0.3), ("colour", 0.05)):
        rows.loc[rng.random(N) < share, name] = None
    return rows


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> DataFrame:
    whole = frame().assign(at=frame()["at"].astype("datetime64[us, UTC]"), nested=[[1]] * N)
    return spark.createDataFrame(pa.Table.from_pandas(whole, preserve_index=False)).cache()


@pytest.fixture(scope="module")
def found(rows: DataFrame) -> dict[str, Any]:
    return analyse.profile(rows.repartition(5), label="late", time="at", key=("id",), of_rows=()).to_dict()


@pytest.fixture(scope="module")
def columns(found: dict[str, Any]) -> dict[str, Any]:
    return {column["name"]: column for column in found["columns"]}


def test_the_document_is_that_of_the_schema(found: dict[str, Any]) -> None:
    jsonschema.validate(found, analyse.profile_schema(), jsonschema.Draft202012Validator)


def classes(name: str) -> dict[str, pd.Series]:
    return {word: group[name].dropna() for word, group in frame().groupby("late")}


def test_kinds_and_roles(columns: dict[str, Any]) -> None:
    kinds = {name: (column["kind"], column["role"]) for name, column in columns.items()}
    expected = {
        **dict.fromkeys(NUMBERS, ("number", "feature")),
        **dict.fromkeys(WORDS, ("category", "feature")),
        **{"id": ("number", "key"), "late": ("category", "label"), "note": ("text", "feature")},
        **{"at": ("time", "time"), "split": ("category", "split"), "same": ("number", "feature")},
        "nested": ("other", "feature"),
    }
    assert kinds == expected


@pytest.mark.parametrize("name", NUMBERS)
def test_moments_and_quantiles_are_those_of_pandas(columns: dict[str, Any], name: str) -> None:
    values, column = frame()[name].dropna(), columns[name]
    assert (column["n"], column["n_null"]) == (len(values), N - len(values))
    assert column["distinct"] == {"value": values.nunique(), "error": 0}
    assert column["n_zero"] == (values == 0).sum()
    ours = [column[part] for part in ("min", "max", "mean", "std", "variance", "skewness", "kurtosis")]
    theirs = [values.min(), values.max(), values.mean(), values.std(), values.var()]
    np.testing.assert_allclose(ours, [*theirs, stats.skew(values), stats.kurtosis(values)], rtol=1e-9, atol=1e-12)
    quantiles = values.quantile([float(q) for q in column["quantiles"]])
    np.testing.assert_allclose(list(column["quantiles"].values()), quantiles, rtol=1e-12)
    assert column["rank_error"] == 0


@pytest.mark.parametrize("name", NUMBERS)
def test_histograms_are_those_of_numpy_by_class_too(columns: dict[str, Any], name: str) -> None:
    edges = columns[name]["histogram"]["edges"]
    assert columns[name]["histogram"]["counts"] == np.histogram(frame()[name].dropna(), edges)[0].tolist()
    for word, values in classes(name).items():
        known = columns[name]["by_class"][word]
        assert (known["n"], known["counts"]) == (len(values), np.histogram(values, edges)[0].tolist())
        np.testing.assert_allclose(known["mean"], values.mean(), rtol=1e-12)


@pytest.mark.parametrize("name", NUMBERS)
def test_outliers_are_counted(columns: dict[str, Any], name: str) -> None:
    values, known = frame()[name].dropna(), columns[name]["outliers"]
    q1, q3 = values.quantile([0.25, 0.75])
    reach = 3.5 * stats.median_abs_deviation(values, scale="normal")
    bounds = {
        "iqr": (q1 - 1.5 * (q3 - q1), q3 + 1.5 * (q3 - q1)),
        "mad": (values.median() - reach, values.median() + reach),
        "quantile": tuple(values.quantile([0.001, 0.999])),
    }
    for rule, (low, high) in bounds.items():
        np.testing.assert_allclose([known[rule]["low"], known[rule]["high"]], [low, high], rtol=1e-5)
        assert known[rule]["n"] == ((values < low) | (values > high)).sum()


@pytest.mark.parametrize("name", [*WORDS, "note"])
def test_words_are_counted(columns: dict[str, Any], name: str) -> None:
    values, column = frame()[name].dropna(), columns[name]
    counts = values.value_counts()
    assert column["distinct"]["value"] == len(counts)
    assert all(counts[word] == n for word, n in column["top"])
    assert [n for _, n in column["top"]] == counts.tolist()[:20]
    assert column["other"] == len(values) - counts[:20].sum()
    lengths = values.str.len()
    known = column["lengths"]
    ours = [known["min"], known["mean"], known["max"]]
    np.testing.assert_allclose(ours, [lengths.min(), lengths.mean(), lengths.max()])
    np.testing.assert_allclose(known["quantiles"]["0.5"], lengths.median())


def test_forms_of_texts(columns: dict[str, Any]) -> None:
    counts = frame()["shape"].value_counts()
    assert columns["shape"]["formats"] == [["AA-9", counts["AB-1"], "AB-1"], ["AA-99", counts["CD-22"], "CD-22"]]


def test_time_coverage_and_gap(columns: dict[str, Any]) -> None:
    covered, at = columns["at"]["coverage"], frame()["at"]
    days = at.dt.strftime("%Y-%m-%d").value_counts().sort_index()
    assert (covered["period"], covered["days"]) == ("day", [[day, int(n)] for day, n in days.items()])
    assert (covered["first"], covered["last"]) == (at.min().strftime("%Y-%m-%dT%H:%M:%S"), columns["at"]["max"])
    by_hour = (at.dt.dayofweek * 24 + at.dt.hour).value_counts()
    assert covered["hour_of_week"] == [by_hour.get(h, 0) for h in range(168)]
    assert covered["gaps"] == [["2024-02-10", "2024-02-19", 10]]
    for word, group in frame().groupby("late"):
        mine = group["at"].dt.strftime("%Y-%m-%d").value_counts().sort_index()
        assert covered["by_class"][word] == [[day, int(n)] for day, n in mine.items()]


def test_missing_patterns_and_phi(found: dict[str, Any]) -> None:
    missing = frame()[["normal", "few", "colour"]].isna()
    known = found["missingness"]
    patterns = missing.value_counts()
    for pattern in known["patterns"]:
        key = tuple(name in pattern["columns"] for name in missing)
        assert patterns[key] == pattern["rows"]
    assert len(known["patterns"]) == len(patterns) - 1
    assert known["complete_rows"] == patterns[(False, False, False)]
    assert known["missing"] == {name: int(n) for name, n in missing.sum().items()}
    phi = missing.astype(float).corr()
    assert all(abs(phi.loc[a, b] - value) < 1e-6 for a, b, value in known["together"])


def test_imbalance(found: dict[str, Any]) -> None:
    known, counts = found["imbalance"], frame()["late"].value_counts()
    assert known["classes"] == counts.to_dict()
    np.testing.assert_allclose(known["ratio"], counts["no"] / counts["yes"])
    np.testing.assert_allclose(known["entropy"], stats.entropy(counts, base=2))
    np.testing.assert_allclose(known["normalised_entropy"], stats.entropy(counts, base=2))
    assert known["constant_accuracy"] == counts["no"] / N
    table = pd.crosstab(frame()["split"], frame()["late"])
    assert known["by_split"] == {part: row.to_dict() for part, row in table.iterrows()}
    by_day = pd.crosstab(frame()["at"].dt.strftime("%Y-%m-%d"), frame()["late"])
    assert {day: {w: n for w, n in row.items() if n} for day, row in by_day.iterrows()} == known["by_time"]
    assert any("precision" in text for text in known["metrics"])


def test_correlations(found: dict[str, Any]) -> None:
    known = found["associations"]
    numbers = frame().assign(at=frame()["at"].astype("int64").astype(float))[known["numbers"]]
    for method, data in (("pearson", numbers), ("spearman", numbers.rank())):
        np.testing.assert_allclose(np.array(known[method], float), data.corr(), atol=1e-6)


def test_partitions_are_held_against_those_before_them(rows: DataFrame) -> None:
    months = rows.selectExpr(
        "id", "colour", "date_format(at, 'yyyy-MM') AS load", "normal + IF(month(at) = 3, 9, 0) AS x"
    )
    found = analyse.profile(months, partition="load", key=["id"], of_rows=("anomalies",)).to_dict()["anomalies"]
    assert "load" not in found["features"]
    assert [period["period"] for period in found["by_time"]] == ["2024-01", "2024-02", "2024-03"]
    with pytest.raises(ConfigError, match=r"a partition: a text of few values[\s\S]*the type double"):
        analyse.profile(months, partition="x")


def test_collinearity_and_clusters(found: dict[str, Any]) -> None:
    known = found["associations"]
    filled = frame()[list(NUMBERS)].fillna(frame()[list(NUMBERS)].mean())
    inverse = np.diag(np.linalg.inv(filled.corr()))
    np.testing.assert_allclose([known["vif"][name] for name in NUMBERS], inverse, rtol=1e-8)
    np.testing.assert_allclose(known["condition_number"], np.linalg.cond(filled.corr()), rtol=1e-8)
    assert [cluster["columns"] for cluster in known["clusters"]] == [["normal", "copy"]]


def test_cramers_v_and_correlation_ratio(found: dict[str, Any]) -> None:
    known = found["associations"]
    i, j = known["categories"].index("colour"), known["categories"].index("late")
    table = pd.crosstab(frame()["colour"], frame()["late"]).to_numpy()
    n, (r, c) = table.sum(), table.shape
    phi2 = max(0, stats.chi2_contingency(table, correction=False)[0] / n - (r - 1) * (c - 1) / (n - 1))
    corrected = np.sqrt(phi2 / (min(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)) - 1))
    np.testing.assert_allclose(known["cramers_v"][i][j], corrected, atol=1e-6)
    eta = {(m["number"], m["category"]): m for m in known["mixed"]}["few", "colour"]
    both = frame()[["few", "colour"]].dropna()
    between = sum(len(g) * (g.mean() - both["few"].mean()) ** 2 for _, g in both.groupby("colour")["few"])
    total = frame()["few"].var() * (len(both) - 1)
    np.testing.assert_allclose(eta["correlation_ratio"], np.sqrt(between / total), rtol=1e-9)


def test_mutual_information(found: dict[str, Any]) -> None:
    known = found["associations"]["information"]
    a, b = (known["columns"].index(name) for name in ("few", "colour"))
    codes = [frame()[name].astype(object).fillna("none").astype(str) for name in ("few", "colour")]
    np.testing.assert_allclose(known["matrix"][a][b], normalized_mutual_info_score(*codes), atol=1e-6)


def test_each_feature_is_tested_against_the_label_by_the_right_test(found: dict[str, Any]) -> None:
    made = [test for test in found["tests"] if len(test["columns"]) == 2 and "missing" not in test["test"]]
    tests = {(test["columns"][0], test["test"].split(",")[0]): test for test in made}
    yes, no = classes("normal")["yes"], classes("normal")["no"]
    welch = stats.ttest_ind(yes, no, equal_var=False)
    np.testing.assert_allclose(tests["normal", "welch t"]["p_value"], welch.pvalue, rtol=1e-9)
    rank = stats.mannwhitneyu(classes("skewed")["yes"], classes("skewed")["no"])
    np.testing.assert_allclose(tests["skewed", "mann-whitney"]["p_value"], rank.pvalue, rtol=1e-9)
    table = pd.crosstab(frame()["colour"], frame()["late"])
    np.testing.assert_allclose(
        tests["colour", "chi-square"]["p_value"], stats.chi2_contingency(table, correction=False).pvalue, rtol=1e-9
    )


def test_missing_values_are_tested_too(found: dict[str, Any]) -> None:
    test = next(t for t in found["tests"] if t["columns"] == ["few", "late"] and t["test"].endswith("missing or not"))
    table = pd.crosstab(frame()["few"].isna(), frame()["late"])
    np.testing.assert_allclose(test["p_value"], stats.chi2_contingency(table, correction=False).pvalue, rtol=1e-9)


def test_q_values_are_those_of_benjamini_and_hochberg_over_the_lot(found: dict[str, Any]) -> None:
    made = [test for test in found["tests"] if test["p_value"] is not None]
    expected = stats.false_discovery_control([test["p_value"] for test in made])
    np.testing.assert_allclose([test["q_value"] for test in made], expected, rtol=1e-9)


def test_measures_of_the_label(columns: dict[str, Any]) -> None:
    values = frame()[["normal", "late"]].dropna()
    auc = roc_auc_score(values["late"] == "yes", values["normal"])
    np.testing.assert_allclose(columns["normal"]["label"]["auc"], auc, rtol=1e-9)
    assert columns["id"]["label"] is None
    assert columns["late"]["label"] is None


def test_flags(columns: dict[str, Any]) -> None:
    flags = {name: {flag["flag"] for flag in column["flags"]} for name, column in columns.items()}
    assert {"skewed", "heavy_tails", "outliers"} <= flags["skewed"]
    assert flags["same"] == {"constant"}
    assert flags["few"] == {"high_missing"}
    assert "mixed_formats" in flags["shape"]
    assert {"near_key", "id_like"} <= flags["id"]
    assert "near_key" in flags["note"]
    assert "time_gaps" in flags["at"]
    assert flags["late"] == {"imbalanced"}
    assert flags["normal"] == flags["colour"] == set()


def test_headlines_are_five_at_most_and_the_most_severe_first(found: dict[str, Any]) -> None:
    order = [("high", "medium", "low").index(headline["severity"]) for headline in found["headlines"]]
    assert 1 <= len(order) <= 5
    assert order == sorted(order)
    assert "The classes are imbalanced" in {headline["title"] for headline in found["headlines"]}


def test_json_there_and_back(found: dict[str, Any]) -> None:
    text = Profile(found).to_json()
    assert Profile.from_json(text).to_dict() == found
    assert json.loads(text, parse_constant=lambda _: pytest.fail("a number that is not finite")) == found
    for broken in ("{", "[]", '{"profile": 2}'):
        with pytest.raises(ConfigError, match="profile of format 1"):
            Profile.from_json(broken)


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """All leaves with where they are."""
    if isinstance(value, dict):
        return {p: v for name, part in value.items() for p, v in flat(part, f"{path}/{name}").items()}
    if isinstance(value, list):
        return {p: v for i, part in enumerate(value) for p, v in flat(part, f"{path}/{i}").items()}
    return {path: value}


def differs(a: Any, b: Any) -> bool:
    """Whether two leaves differ by more than the last digits of a higher moment, which depend on the layout."""
    if isinstance(a, float) and isinstance(b, float):
        return not np.isclose(a, b, rtol=1e-9, atol=1e-12)
    return bool(a != b)


def test_another_layout_gives_the_same_profile(rows: DataFrame, found: dict[str, Any]) -> None:
    other = rows.orderBy("skewed").coalesce(1)
    again = analyse.profile(other, label="late", time="at", key=("id",), of_rows=()).to_dict()
    mine, theirs = flat({**again, "scans": []}), flat({**found, "scans": []})
    assert mine.keys() == theirs.keys()
    assert {path: (mine[path], theirs[path]) for path in mine if differs(mine[path], theirs[path])} == {}


def test_two_scans_of_all_rows(found: dict[str, Any]) -> None:
    assert [scan["rows"] for scan in found["scans"]][:2] == [N, N]
    assert [scan["jobs"] for scan in found["scans"]][:2] == [1, 1]
