"""Profiles made by rule, with every section and with names and values that try to break out of the page."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from traintable.analyse.document import ColumnProfile, Kind
from traintable.analyse.scans.columns import AnalysedColumn
from traintable.analyse.sections.columns import blank_column

N_ROWS = 20_000
SCRIPT = "<script>window.hacked=1</script>"
HOSTILE = (
    SCRIPT,
    "</script><script>window.hacked=2</script>",
    '"><img src=x onerror="window.hacked=3">',
    'it\'s "quoted" & `back`ticked.dotted',
    "🦆 emoji ünïcode \u202egnp.exe",
    "a very long name " * 20,
    "{{ 7 * 7 }} {% raw %} ${1+1}",
    "nul\x00bell\x07]]> --> <!-- ",
    "javascript:alert(1)",
    "spaces  and\nlines",
)
CLASSES = ("on time", "late", HOSTILE[2])
SCANS = [
    {"what": "columns one by one", "rows": N_ROWS, "engine": "files", "jobs": 1, "bytes": 812_345_678},
    {"what": "by class and pairwise", "rows": N_ROWS, "engine": "spark", "jobs": 2, "bytes": 412_345_678},
    {"what": "sample of rows", "rows": 5000, "engine": "spark", "jobs": 2, "bytes": 12_345_678},
    {"what": "scoring", "rows": N_ROWS, "engine": "spark", "jobs": 1, "bytes": 212_345_678},
]
QUANTILES = ("0.01", "0.05", "0.25", "0.5", "0.75", "0.95", "0.99")
PLAN = """# decided by a person: keep
features:
  distance:
    impute: median
    transform: log1p
    because: skewness 3.1 over 20,000 values
    alternatives: [yeo_johnson, none]
  "<script>window.hacked=4</script>":
    drop: true
    because: "<img src=x onerror=window.hacked=5>"
imbalance:
  advice: class weights
"""


def flag(name: str, text: str) -> dict[str, str]:
    return {"flag": name, "text": text}


def common(name: str, kind: Kind, spark_type: str, n_null: int) -> ColumnProfile:
    return blank_column(AnalysedColumn(name, spark_type, kind)) | {"n": N_ROWS - n_null, "n_null": n_null}


def number(name: str, rng: np.random.Generator, number: int) -> dict[str, Any]:
    """A column of numbers: normal, skewed, with many zeros, or heavy in its tails, in turn."""
    n_null = int(rng.integers(0, 3)) * 700
    n = N_ROWS - n_null
    draws = (
        lambda: rng.normal(40 + number, 12, n),
        lambda: rng.lognormal(5, 1, n),
        lambda: np.where(rng.random(n) < 0.6, 0, rng.exponential(30, n)),
        lambda: rng.standard_t(3, n) * 1e6,
    )
    values = draws[number % 4]()
    counts, edges = np.histogram(values, 30)
    late = values + rng.normal(0, np.std(values), n) > np.quantile(values, 0.8)
    centred = (values - values.mean()) / values.std()
    quartiles = np.quantile(values, [0.25, 0.75])
    low, high = quartiles + np.array([-1.5, 1.5]) * np.ptp(quartiles)
    column = common(name, "number", "double", n_null)
    column |= {
        "n_nan": 0,
        "n_infinite": 0,
        "n_zero": int((values == 0).sum()),
        "distinct": {"value": 18_000 + number, "error": 288},
        "min": float(values.min()),
        "max": float(values.max()),
        "mean": float(values.mean()),
        "std": float(values.std()),
        "variance": float(values.var()),
        "skewness": float((centred**3).mean()),
        "kurtosis": float((centred**4).mean() - 3),
        "quantiles": {q: float(np.quantile(values, float(q))) for q in QUANTILES},
        "rank_error": 0.0 if number % 2 else 0.003,
        "histogram": {"edges": edges.tolist(), "counts": counts.tolist()},
        "by_class": {
            CLASSES[0]: _of_class(values[~late], edges),
            CLASSES[1]: _of_class(values[late], edges),
        },
        "label": {
            "auc": 0.5 + 0.4 * float(rng.random()),
            "mutual_information": float(rng.random() / 5),
            "p_value": 1e-12,
            "q_value": 3e-12,
        },
        "outliers": {
            "iqr": {"low": low, "high": high, "n": int(((values < low) | (values > high)).sum())},
            "mad": {"low": low * 1.1, "high": high * 1.1, "n": 120},
            "quantile": {"low": float(np.quantile(values, 0.01)), "high": float(np.quantile(values, 0.99)), "n": 400},
        },
    }
    if number % 4 == 1:
        column["flags"].append(flag("skewed", f"Skewness {column['skewness']:.2f}: the mean is above the median."))
        column["flags"].append(flag("outliers", "5.8 % of the values lie outside 1.5 interquartile ranges."))
    return column


def _of_class(values: np.ndarray, edges: np.ndarray) -> dict[str, Any]:
    return {"n": len(values), "mean": float(values.mean()), "counts": np.histogram(values, edges)[0].tolist()}


def category(name: str, rng: np.random.Generator, number: int) -> dict[str, Any]:
    """A column of words, the frequent ones hostile."""
    words = [*HOSTILE[:6], "JFK", "LGA", "EWR", ""]
    counts = sorted((int(c) for c in rng.integers(200, 2500, len(words))), reverse=True)
    column = common(name, "category", "string", N_ROWS - sum(counts) if sum(counts) < N_ROWS else 0)
    column["n"] = max(N_ROWS, sum(counts)) - column["n_null"]
    column |= {
        "distinct": {"value": len(words), "error": 0},
        "top": [list(pair) for pair in zip(words, counts, strict=True)],
        "top_error": 0 if number % 2 else 20,
        "other": 35,
        "label": {"cramers_v": float(rng.random() / 2), "mutual_information": 0.02, "p_value": 0.004, "q_value": 0.02},
        "flags": [flag("rare_categories", "3 of 10 values have fewer than 1 % of the rows.")],
    }
    return column


def text(name: str, rng: np.random.Generator, number: int) -> dict[str, Any]:
    column = common(name, "text", "string", 12)
    column |= {
        "distinct": {"value": 19_900, "error": 318},
        "lengths": {
            **{"min": 0, "mean": 41.3, "max": 1987, "rank_error": 0.0},
            "quantiles": {q: 10 + 5 * i for i, q in enumerate(QUANTILES)},
        },
        "formats": [["aa-999", 15_000, "AB-123"], ["<a>", 4000, SCRIPT], ["aaaa", 900, HOSTILE[9]]],
        "top": [[HOSTILE[number % 10], 12], ["b", 11]],
        "top_error": 20,
        "other": 19_000,
        "flags": [flag("mixed_formats", "75 % look like aa-999, 20 % like <a>."), flag("high_cardinality", "19,900")],
    }
    return column


def time(name: str, rng: np.random.Generator, number: int) -> dict[str, Any]:
    column = common(name, "time", "timestamp", 0)
    days = np.arange("2013-01-01", "2013-12-31", dtype="datetime64[D]")
    counts = (900 + 200 * np.sin(np.arange(len(days)) / 58) - 250 * (np.arange(len(days)) % 7 == 4)).astype(int)
    counts[200:206] = 0
    hours = [max(0, int(60 * math.sin((h % 24 - 5) / 6))) + 10 * (h // 24 < 5) for h in range(168)]
    column |= {
        "distinct": {"value": 6936, "error": 111},
        "min": "2013-01-01T05:00:00",
        "max": "2013-12-31T23:00:00",
        "coverage": {
            "first": "2013-01-01T05:00:00",
            "last": "2013-12-31T23:00:00",
            "step_seconds": 3600,
            "period": "day",
            "days": [[str(day), int(n)] for day, n in zip(days, counts, strict=True)],
            "gaps": [["2013-07-20", "2013-07-25", 6]],
            "gap_period": "day",
            "beyond_calendar": 0,
            "hour_of_week": hours,
            "by_class": {},
        },
        "flags": [flag("time_gaps", "1 gap of 6 days."), flag("seasonal", "Fridays have 28 % fewer rows.")],
    }
    return column


def label_column() -> dict[str, Any]:
    column = common("status", "category", "string", 0)
    column |= {
        "role": "label",
        "distinct": {"value": 3, "error": 0},
        "top": [[CLASSES[0], 15_400], [CLASSES[1], 4500], [CLASSES[2], 100]],
        "top_error": 0,
        "other": 0,
        "flags": [flag("imbalanced", "154 rows of the largest class for one of the smallest.")],
    }
    return column


def constant() -> dict[str, Any]:
    column = common("all null", "number", "decimal(38,10)", N_ROWS)
    return column | {"flags": [flag("all_missing", "No row has a value.")], "distinct": {"value": 0, "error": 0}}


def nested() -> dict[str, Any]:
    return common("payload", "other", "struct<a:int,b:array<string>>", 40)


PLAIN = ("distance", "delay", "air time", "wind.speed", "seats", "visibility", "price", "temperature")


def columns_of(n_columns: int) -> list[dict[str, Any]]:
    rng = np.random.default_rng(7)
    made = [label_column(), time("time of departure", rng, 0), constant(), nested()]
    kinds = (number, number, category, number, number, text, number, number)
    for i in range(n_columns - len(made)):
        plain = f"{PLAIN[i % 8]} {i // 8}" if i >= 8 else PLAIN[i]
        hostile = i % 8 in (1, 2, 5) and HOSTILE[(i // 2) % len(HOSTILE)] + (f" {i}" if i >= 8 else "")
        made.append(kinds[i % 8](hostile or plain, rng, i))
    return made


def profile(n_columns: int = 14) -> dict[str, Any]:
    """A profile with every section, of `n_columns` (at least 12) columns."""
    rng = np.random.default_rng(11)
    columns = columns_of(n_columns)
    names = [c["name"] for c in columns if c["role"] == "feature"]
    return {
        "profile": 1,
        "name": f"flights {HOSTILE[0]}",
        "rows": N_ROWS,
        "label": "status",
        "time": "time of departure",
        "key": ["id"],
        "scans": SCANS,
        "columns": columns,
        "missingness": missingness(columns),
        "imbalance": imbalance(),
        "associations": associations(columns, rng),
        "tests": tests_of(columns),
        "anomalies": anomalies(columns),
        "importance": importance(names, rng),
        "hints": hints(names),
        "drift": drift(names, rng),
        "leaks": leaks(),
        "headlines": headlines(names),
    }


def missingness(columns: list[dict[str, Any]]) -> dict[str, Any]:
    holes = [c["name"] for c in columns if c["n_null"]]
    patterns: list[dict[str, Any]] = [
        {"columns": holes[i : i + 3], "rows": 6000 >> i} for i in range(min(12, len(holes)))
    ]
    return {
        "patterns": [{"columns": [], "rows": 8000}, *patterns],
        "other_patterns": 14,
        "together": [[holes[0], holes[1], 0.93], [holes[0], holes[-1], -0.12]],
        "complete_rows": 8000,
        "error": 0,
        "missing": {c["name"]: c["n_null"] for c in columns if c["n_null"]},
        "scan": 0,
    }


def imbalance() -> dict[str, Any]:
    counts = {CLASSES[0]: 15_400, CLASSES[1]: 4500, CLASSES[2]: 100}
    by_time = {f"2013-{m:02d}": {k: int(v / 12 * (1 + 0.1 * (m % 3))) for k, v in counts.items()} for m in range(1, 13)}
    return {
        "classes": counts,
        "missing": 0,
        "ratio": 154.0,
        "is_imbalanced": True,
        "time": "time of departure",
        "period": "month",
        "entropy": 0.8,
        "normalised_entropy": 0.51,
        "constant_accuracy": 0.77,
        "metrics": ["Read average precision of the rare class, not accuracy.", f"Macro F1 {SCRIPT}"],
        "by_split": {part: {k: v // 3 for k, v in counts.items()} for part in ("train", "validation", "test")},
        "by_time": by_time,
        "advice": ["Class weights of 0.43, 1.5 and 66.7 make up for it."],
        "scan": [1],
    }


def _correlation(n: int, rng: np.random.Generator) -> list[list[float]]:
    factors = rng.normal(size=(n, 4)) * np.where(rng.random((n, 4)) < 0.4, 2, 0.2)
    cov = factors @ factors.T + np.eye(n)
    scale = np.sqrt(np.diag(cov))
    return (cov / scale / scale[:, None]).tolist()


def associations(columns: list[dict[str, Any]], rng: np.random.Generator) -> dict[str, Any]:
    numbers = [c["name"] for c in columns if c["kind"] == "number"]
    words = [c["name"] for c in columns if c["kind"] == "category"]
    some = [*numbers, *words]
    pearson = _correlation(len(numbers), rng)
    pearson[0][1] = pearson[1][0] = math.nan
    return {
        "numbers": numbers,
        "pearson": pearson,
        "spearman": _correlation(len(numbers), rng),
        "spearman_error": 0.01,
        "categories": words,
        "cramers_v": np.abs(_correlation(len(words), rng)).tolist(),
        "mixed": [
            {"number": n, "category": w, "correlation_ratio": 0.3, "exact": True}
            for n in numbers[:20]
            for w in words[:10]
        ],
        "information": {"columns": some, "matrix": np.abs(_correlation(len(some), rng)).tolist()},
        "vif": {name: float(rng.lognormal(1, 1)) for name in numbers} | {numbers[0]: math.inf},
        "condition_number": 1234.5,
        "clusters": [{"columns": numbers[:3], "representative": numbers[1], "reason": f"|r| above 0.9 {SCRIPT}"}],
        "rows": N_ROWS,
        "exact": False,
        "other_values": [],
        "collinear": numbers[:1],
        "left_out": [],
        "scan": [1],
    }


def tests_of(columns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    kinds = {"number": ("mann_whitney", "auc"), "category": ("chi_square", "cramers_v")}
    return [
        {
            "test": kinds[c["kind"]][0],
            "columns": [c["name"], "status"],
            "statistic": 1234.5 + i,
            "p_value": 10.0 ** -(i % 40),
            "q_value": min(1, 3 * 10.0 ** -(i % 40)),
            "n": N_ROWS,
            "effect": {"name": kinds[c["kind"]][1], "value": 0.6, "low": 0.55, "high": 0.65} if i % 3 else None,
            "rank_error": 0.003 if i % 2 else 0.0,
            "reading": f"{c['name']} differs between the classes.",
            "scan": 1,
        }
        for i, c in enumerate(columns)
        if c["kind"] in kinds and c["role"] == "feature"
    ]


def anomalies(columns: list[dict[str, Any]]) -> dict[str, Any]:
    numbers = [c["name"] for c in columns if c["kind"] == "number"]
    edges = np.linspace(0.3, 0.9, 31)
    counts = (6000 * np.exp(-((edges[:-1] - 0.42) ** 2) / 0.005)).astype(int) + 3
    return {
        "method": "isolation forest",
        "sample_rows": 5000,
        "features": numbers,
        "n": 210,
        "threshold": 0.62,
        "scores": {"edges": edges.tolist(), "counts": counts.tolist()},
        "rows": [
            {
                "key": {"id": i, SCRIPT: HOSTILE[i % 10]},
                "score": 0.9 - i / 100,
                "because": [[numbers[0], 0.4], [numbers[1], 0.2]],
                "n": 1,
            }
            for i in range(20)
        ],
        "mahalanobis": {
            **{"columns": numbers, "rank": len(numbers), "p_value": 0.01, "limit": 33.4, "n": 320, "expected": 200.0},
            "distances": {"edges": [0.0, 33.4], "counts": [N_ROWS - 320]},
        },
        "period": "month",
        "by_time": [
            {
                **{"period": f"2013-{m:02d}", "rows": 1600, "score": m % 5 / 5, "is_strange": False},
                **{"columns": numbers[:2], "because": [{"column": numbers[0], "statistic": "mean", "z": 2.5}]},
            }
            for m in range(1, 13)
        ],
        "scan": [2, 3],
    }


def importance(names: list[str], rng: np.random.Generator) -> dict[str, Any]:
    values = sorted(rng.exponential(0.03, len(names)), reverse=True)
    return {
        "model": "decision tree",
        "depth": 6,
        "repeats": 20,
        "why": "a wrong answer costs more the surer it is",
        "rows": 4000,
        "held_out_rows": 1000,
        "metric": "log loss",
        "baseline": 0.61,
        "score": 0.48,
        "columns": [
            {"name": name, "importance": v, "low": v - 0.006, "high": v + 0.006, "is_useful": bool(v > 0.01)}
            for name, v in zip(names, values, strict=True)
        ],
        "probes": {"n": 10, "best": 0.01},
        "scan": 2,
    }


def hints(names: list[str]) -> list[dict[str, Any]]:
    return [
        {
            "hint": "interaction",
            "columns": names[:2],
            "gain": 0.021,
            "z": 7.0,
            "text": "The product gains over the two.",
            "plan": {"interactions": [{"columns": names[:2], "degree": 2, "interaction_only": True}]},
        },
        {
            "hint": "transform",
            "columns": names[2:3],
            "gain": 0.011,
            "text": f"log1p {SCRIPT}",
            "skewness": {"before": 3.1, "log1p": 0.1},
            "rank_error": 0.0,
            "plan": {"features": {names[2]: {"transform": "log1p"}}},
        },
    ]


def drift(names: list[str], rng: np.random.Generator) -> dict[str, Any]:
    return {
        "against": f"version 3 {SCRIPT}",
        "columns": [
            {
                **{"name": name, "kind": "number", "psi": float(rng.exponential(0.08)), "severity": "none"},
                **{"test": "kolmogorov-smirnov, two samples", "statistic": 0.1, "p_value": 0.01, "q_value": 0.02},
                **{"rank_error": 0.0, "ks": 0.1, "chi2": None, "missing": {"before": 0.0, "after": 0.25}},
            }
            for name in names
        ],
        "rows": {"before": 9000, "after": 20_000},
        "left_out": [{"column": names[0], "because": f"values of type {SCRIPT} are not compared"}],
        "schema": [{"change": "type", "column": HOSTILE[1], "before": "int", "after": "<b>long</b>"}],
        "scan": 0,
    }


def leaks() -> list[dict[str, Any]]:
    return [
        {
            "check": "predictors",
            "severity": "severe",
            "columns": [HOSTILE[0]],
            "numbers": {"auc": 0.998},
            "message": f"one column alone tells the classes apart {SCRIPT}",
            "remedy": "Drop it, or say under `leakage.allow` why it is known at prediction time.",
        }
    ]


def headlines(names: list[str]) -> list[dict[str, Any]]:
    return [
        {
            "severity": "high",
            "title": f"A leak? {SCRIPT}",
            "text": "AUC 0.998 by one column.",
            "section": "leaks",
            "columns": names[:1],
        },
        {
            "severity": "high",
            "title": "One class has 0.5 % of the rows",
            "text": "Accuracy of 77 % means nothing here.",
            "section": "imbalance",
            "columns": ["status"],
        },
        {
            "severity": "medium",
            "title": "3 columns say the same",
            "text": "Keep one.",
            "section": "associations",
            "columns": names[:3],
        },
        {
            "severity": "medium",
            "title": "6 days are missing in July",
            "text": "2013-07-20 to 25.",
            "section": "coverage",
            "columns": [],
        },
        {
            "severity": "low",
            "title": "A skewed column",
            "text": "log1p takes the skew away.",
            "section": "columns",
            "columns": [names[5]],
        },
    ]


def empty() -> dict[str, Any]:
    """A profile of a table without rows, columns or label: nothing but the frame."""
    return {
        "profile": 1,
        "name": "nothing",
        "rows": 0,
        "label": None,
        "time": None,
        "key": [],
        "scans": [],
        "columns": [],
        "missingness": {
            **{"patterns": [], "complete_rows": 0, "other_patterns": 0, "error": 0},
            **{"missing": {}, "scan": 0, "together": []},
        },
        "imbalance": None,
        "associations": None,
        "tests": [],
        "anomalies": None,
        "importance": None,
        "hints": [],
        "drift": None,
        "leaks": [],
        "headlines": [],
    }
