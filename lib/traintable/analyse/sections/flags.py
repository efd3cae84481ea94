"""What is remarkable about a column, each with one sentence that gives the numbers."""

from __future__ import annotations

from collections.abc import Iterator

from traintable.analyse.document import ColumnProfile, Flag, FlagName, Imbalance
from traintable.analyse.scans.columns import CATEGORY, LABEL, NUMBER, TEXT, TIME, AnalysedColumn
from traintable.analyse.sections.coverage import describe_seasons
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

Flags = Iterator[tuple[FlagName, str]]


def flag_column(column: AnalysedColumn, profile: ColumnProfile, learned: Statistics) -> list[Flag]:
    """The flags of a column whose profile has all but these."""
    return [{"flag": flag, "text": text} for flag, text in _flags(column, profile, learned)]


def flag_label(column: AnalysedColumn, imbalance: Imbalance | None) -> list[Flag]:
    """The flag of a label whose classes are far from equally many."""
    if column.role != LABEL or not imbalance or not imbalance["is_imbalanced"]:
        return []
    text = f"The largest class has {imbalance['ratio']:,.1f} times the rows of the smallest."
    return [{"flag": "imbalanced", "text": text}]


def _flags(column: AnalysedColumn, profile: ColumnProfile, learned: Statistics) -> Flags:
    n, n_rows, distinct = profile["n"], learned.n_rows, profile["distinct"]
    if not n:
        if n_rows:
            yield "all_missing", f"None of the {n_rows:,} rows has a value."
        return
    missing = 1 - n / n_rows
    if missing >= HIGH_MISSING:
        yield "high_missing", f"{missing:.1%} of the rows ({n_rows - n:,}) have no value."
    if distinct is None:
        return
    if distinct["value"] == 1:
        yield "constant", f"All {n:,} rows that have a value have the same one."
        return
    yield from _flag_keys(column, profile, distinct["value"], learned)
    if column.kind == NUMBER:
        yield from _flag_number(profile, distinct["value"], learned)
    elif column.kind in (CATEGORY, TEXT):
        yield from _flag_words(column, profile, distinct["value"], learned)
    elif column.kind == TIME:
        yield from _flag_time(profile, learned.summary[column.name].min)


def _flag_keys(column: AnalysedColumn, profile: ColumnProfile, distinct: int, learned: Statistics) -> Flags:
    n, formats = profile["n"], profile["formats"]
    if column.kind not in (TEXT, CATEGORY) and not column.is_whole:
        return
    if distinct < NEAR_KEY * n or n < LEAST_KEYS:
        return
    yield "near_key", f"{distinct:,} different values in {n:,} rows: it nearly identifies each row."
    if column.is_whole:
        low, high = learned.summary[column.name].min, learned.summary[column.name].max
        if high - low < 2 * n:
            yield "id_like", f"Whole numbers from {low:,.0f} to {high:,.0f}, most of which occur."
            return
    if formats and formats[0][1] >= NEAR_KEY * n:
        yield "id_like", f"{formats[0][1] / n:.1%} of the values are written like '{formats[0][0]}'."


def _flag_number(profile: ColumnProfile, distinct: int, learned: Statistics) -> Flags:
    n, skewness, kurtosis, n_zero = profile["n"], profile["skewness"], profile["kurtosis"], profile["n_zero"] or 0
    if profile["n_infinite"] or profile["n_nan"]:
        yield "infinite_values", f"{profile['n_infinite']:,} values are infinite and {profile['n_nan']:,} are NaN."
    if skewness is not None and abs(skewness) > SKEWED and distinct > 2:
        yield "skewed", f"Its skewness is {skewness:.1f}; that of a symmetric distribution is 0."
    if kurtosis is not None and kurtosis > HEAVY_TAILS and distinct > 2:
        yield "heavy_tails", f"Its excess kurtosis is {kurtosis:.1f}; that of a normal distribution is 0."
    if n_zero >= MANY_ZEROS * n and distinct > 2:
        yield "many_zeros", f"{n_zero / n:.1%} of the values are 0."
    outliers = profile["outliers"]["iqr"] if profile["outliers"] else None
    if outliers and outliers["n"] >= MANY_OUTLIERS * n:
        share = f"{outliers['n']:,} values ({outliers['n'] / n:.1%})"
        bounds = f"{_bound(outliers['low'])} to {_bound(outliers['high'])}"
        yield "outliers", f"{share} lie more than 1.5 interquartile ranges beyond the quartiles, outside {bounds}."
    yield from _flag_sentinels(profile, learned)


def _bound(bound: float | None) -> str:
    return "no bound" if bound is None else f"{bound:,.6g}"


def _flag_sentinels(profile: ColumnProfile, learned: Statistics) -> Flags:
    """Usual stand-ins for "missing" that are an extreme, frequent, and far from the next value."""
    values, quantiles = learned.values[profile["name"]].weighted(), profile["quantiles"]
    if len(values.values) < 3 or quantiles is None:
        return
    spread = quantiles["0.95"] - quantiles["0.05"]
    for end, neighbour in ((0, 1), (-1, -2)):
        value, n = float(values.values[end]), int(values.counts[end])
        is_far = abs(value - float(values.values[neighbour])) > max(spread / 4, 1.0)
        if value in SENTINELS and n >= SENTINEL_SHARE * profile["n"] and is_far:
            text = f"{value:,.0f} occurs {n:,} times, far from all other values: it may stand for a missing value."
            yield "suspicious_value", text


def _flag_words(column: AnalysedColumn, profile: ColumnProfile, distinct: int, learned: Statistics) -> Flags:
    n = profile["n"]
    if distinct > MANY_VALUES:
        yield "high_cardinality", f"It has {distinct:,} different values."
    counts = learned.frequencies[column.name].counts
    rare = [count for count in counts.values() if count < RARE * n]
    if column.kind == CATEGORY and rare:
        text = f"{len(rare):,} of {distinct:,} values occur in less than {RARE:.1%} of the rows each"
        yield "rare_categories", f"{text}, together in {sum(rare) / n:.1%}."
    formats = profile["formats"] or []
    if len(formats) > 1 and formats[0][1] >= USUAL_FORMAT * n and n - formats[0][1] <= RARE_FORMAT * n:
        usual = f"{formats[0][1] / n:.1%} of the values are written like '{formats[0][0]}'"
        yield "mixed_formats", f"{usual}, but {n - formats[0][1]:,} are not; some are written like '{formats[1][0]}'."
    words = {str(word): rows for word, rows in profile["top"] or []} | dict(counts)
    for word in sorted(words):
        if word.strip().casefold() in PLACEHOLDERS:
            yield "suspicious_value", f"'{word}' occurs {words[word]:,} times: it may stand for a missing value."


def _flag_time(profile: ColumnProfile, first_seconds: float) -> Flags:
    if first_seconds < _YEAR_1900:
        yield "suspicious_value", f"The earliest time is {profile['min']}, before 1900."
    coverage = profile["coverage"]
    if not coverage:
        return
    gaps = coverage["gaps"]
    if gaps:
        first, last, n_empty = max(gaps, key=lambda gap: gap[2])
        longest = f"{_plural(n_empty, coverage['gap_period'])} without rows, from {first} to {last}"
        yield "time_gaps", f"{_plural(len(gaps), 'gap')}; the longest has {longest}."
    sentences = describe_seasons(coverage)
    if sentences:
        yield "seasonal", " ".join(sentences)


def _plural(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
