"""What is remarkable about a column, each with one sentence that gives the numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from traintable.analyse.scanned import coverage
from traintable.analyse.scanned.kinds import CATEGORY, LABEL, NUMBER, TEXT, TIME, Column
from traintable.statistics import Statistics

HIGH_MISSING = 0.2
NEAR_KEY, LEAST_KEYS = 0.95, 20
SKEWED = 2.0
HEAVY_TAILS = 7.0
MANY_ZEROS = 0.5
MANY_VALUES = 100
RARE = 0.001
MANY_OUTLIERS = 0.02
USUAL_FORMAT, RARE_FORMAT = 0.8, 0.05
SENTINELS = (-1.0, -9.0, -99.0, -999.0, -9999.0, -99999.0, 99.0, 999.0, 9999.0, 99999.0)
SENTINEL_SHARE = 0.001
_YEAR_1900 = -2_208_988_800.0
PLACEHOLDERS = frozenset(
    ("", "-", "?", ".", "n/a", "#n/a", "na", "nan", "nil", "none", "null", "unknown", "missing", "undefined", "tbd")
)


def find(column: Column, found: Mapping[str, Any], learned: Statistics) -> list[dict[str, str]]:
    """The flags of a column that has been described."""
    return [{"flag": flag, "text": text} for flag, text in _flags(column, found, learned)]


def _flags(column: Column, found: Mapping[str, Any], learned: Statistics) -> Iterator[tuple[str, str]]:
    n, n_rows = found["n"], learned.n_rows
    if not n:
        if n_rows:
            yield "all_missing", f"None of the {n_rows:,} rows has a value."
        return
    missing = 1 - n / n_rows
    if missing >= HIGH_MISSING:
        yield "high_missing", f"{missing:.1%} of the rows ({n_rows - n:,}) have no value."
    distinct = found["distinct"]
    if distinct and distinct["value"] == 1:
        yield "constant", f"All {n:,} rows that have a value have the same one."
        return
    if distinct:
        yield from _keys(column, found)
    if column.kind == NUMBER:
        yield from _of_number(found, learned)
    elif column.kind in (CATEGORY, TEXT):
        yield from _of_words(column, found, learned)
    elif column.kind == TIME:
        yield from _of_time(found, learned.summary[column.name].min)


def _keys(column: Column, found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    n, distinct = found["n"], found["distinct"]["value"]
    if column.kind not in (TEXT, CATEGORY) and not column.is_whole:
        return
    if distinct < NEAR_KEY * n or n < LEAST_KEYS:
        return
    yield "near_key", f"{distinct:,} different values in {n:,} rows: it nearly tells each row."
    if column.is_whole and found["max"] - found["min"] < 2 * n:
        yield (
            "id_like",
            f"Whole numbers from {found['min']:,.0f} to {found['max']:,.0f} without large holes.",
        )
    elif found["formats"] and found["formats"][0][1] >= NEAR_KEY * n:
        yield "id_like", f"{found['formats'][0][1] / n:.1%} of the values are written like '{found['formats'][0][0]}'."


def _of_number(found: Mapping[str, Any], learned: Statistics) -> Iterator[tuple[str, str]]:
    n, skewness, kurtosis = found["n"], found["skewness"], found["kurtosis"]
    if found["n_infinite"] or found["n_nan"]:
        yield "infinite_values", f"{found['n_infinite']:,} rows are infinite and {found['n_nan']:,} are not a number."
    if abs(skewness) > SKEWED and found["distinct"]["value"] > 2:
        yield "skewed", f"Its skewness is {skewness:.1f}; that of a symmetric distribution is 0."
    if kurtosis > HEAVY_TAILS and found["distinct"]["value"] > 2:
        yield "heavy_tails", f"Its excess kurtosis is {kurtosis:.1f}; that of a normal distribution is 0."
    if found["n_zero"] >= MANY_ZEROS * n and found["distinct"]["value"] > 2:
        yield "many_zeros", f"{found['n_zero'] / n:.1%} of the values are 0."
    beyond = found["outliers"]["iqr"]
    if beyond and beyond["n"] >= MANY_OUTLIERS * n:
        bounds = f"{beyond['low']:,.6g} to {beyond['high']:,.6g}"
        share = f"{beyond['n']:,} values ({beyond['n'] / n:.1%})"
        yield "outliers", f"{share} lie beyond 1.5 interquartile ranges, {bounds}."
    yield from _sentinels(found, learned)


def _sentinels(found: Mapping[str, Any], learned: Statistics) -> Iterator[tuple[str, str]]:
    """Usual stand-ins for "missing" that are an extreme, frequent, and far from the next value."""
    values = learned.values[found["name"]].weighted()
    if len(values.values) < 3:
        return
    spread = found["quantiles"]["0.95"] - found["quantiles"]["0.05"]
    for end, neighbour in ((0, 1), (-1, -2)):
        value, n = float(values.values[end]), int(values.counts[end])
        far = abs(value - float(values.values[neighbour])) > max(spread / 4, 1.0)
        if value in SENTINELS and n >= SENTINEL_SHARE * found["n"] and far:
            yield "suspicious_value", f"{value:,.0f} occurs {n:,} times, far from all others: it may stand for missing."


def _of_words(column: Column, found: Mapping[str, Any], learned: Statistics) -> Iterator[tuple[str, str]]:
    n, distinct = found["n"], found["distinct"]["value"]
    if distinct > MANY_VALUES:
        yield "high_cardinality", f"It has {distinct:,} different values."
    counts = learned.frequencies[column.name].counts
    rare = [count for count in counts.values() if count < RARE * n]
    if column.kind == CATEGORY and rare:
        some = f"{len(rare):,} of {distinct:,} values"
        yield "rare_categories", f"{some} have less than {RARE:.1%} of the rows each, together {sum(rare) / n:.1%}."
    formats = found["formats"]
    if len(formats) > 1 and formats[0][1] >= USUAL_FORMAT * n and n - formats[0][1] <= RARE_FORMAT * n:
        usual = f"{formats[0][1] / n:.1%} of the values are written like '{formats[0][0]}'"
        yield "mixed_formats", f"{usual}, but {n - formats[0][1]:,} are not, for example like '{formats[1][0]}'."
    words = dict(found["top"]) | dict(counts)
    suspicious = {word: words[word] for word in sorted(words) if word.strip().casefold() in PLACEHOLDERS}
    for word, count in suspicious.items():
        yield "suspicious_value", f"'{word}' occurs {count:,} times: it may stand for missing."


def _of_time(found: Mapping[str, Any], first: float) -> Iterator[tuple[str, str]]:
    if first < _YEAR_1900:
        yield "suspicious_value", f"The earliest time is {found['min']}, before 1900."
    covered = found["coverage"]
    if not covered:
        return
    if covered["gaps"]:
        first, last, n_empty = max(covered["gaps"], key=lambda gap: gap[2])
        longest = f"the longest has {n_empty:,} {covered['gap_period']}s without rows, from {first} to {last}"
        yield "time_gaps", f"{len(covered['gaps']):,} gaps; {longest}."
    sentences = coverage.seasons(covered)
    if sentences:
        yield "seasonal", " ".join(sentences)


def of_label(column: Column, imbalance: Mapping[str, Any] | None) -> list[dict[str, str]]:
    """The flag of a label whose classes are far from equally many."""
    if column.role != LABEL or not imbalance or not imbalance["is_imbalanced"]:
        return []
    text = f"The largest class has {imbalance['ratio']:,.1f} times the rows of the smallest."
    return [{"flag": "imbalanced", "text": text}]
