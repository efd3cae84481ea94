"""Dates and times in text: ISO 8601 or a pattern, with an offset or in a time zone; never one that did not exist."""

from __future__ import annotations

from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

_BLANKS = " \t\r\n"  # count for nothing around a date or time
# An offset is of 18 hours at most, as for Spark.
_OFFSET = r"^[^T ]+[T ].*(?:Z|[+-](?:0\d|1[0-7])(?::?[0-5]\d)?|[+-]18(?::?00)?)$"


def parse_times(texts: pa.Array, kind: pa.DataType, *, pattern: str | None, zone: str) -> tuple[pa.Array, list[int]]:
    """The dates or times that texts name, and the rows whose text names none.

    Parameters
    ----------
    kind : date32, timestamp[us] (without a zone) or timestamp[us, UTC].
    pattern : as strftime takes it; ISO 8601 where there is none.
    zone : of times without an offset that become instants. A time that this zone has skipped (clocks put forward) or
        has had twice (put back) names no instant.
    """
    parsed = _cast(texts, kind, zone) if pattern is None else None
    if parsed is not None:
        return parsed, []
    # Of several forms, or by a pattern: one by one, each different text once.
    coded = texts.dictionary_encode()
    distinct = [_parse_time(text, kind, pattern, zone) for text in coded.dictionary.to_pylist()]
    values = pa.array(distinct, kind).take(coded.indices)
    wrong = pc.and_(pc.is_valid(texts), pc.is_null(values))
    return values, pc.indices_nonzero(wrong).to_pylist()


def _cast(texts: pa.Array, kind: pa.DataType, zone: str) -> pa.Array | None:
    """All at once where they are of one form; None where some are not."""
    try:
        if pa.types.is_date(kind):
            return texts.cast(kind)
        has_offset = pc.match_substring_regex(texts, _OFFSET)
        if kind.tz is None:
            return None if pc.any(has_offset).as_py() else texts.cast(kind)
        if pc.all(has_offset).as_py():
            return texts.cast(kind)
        if pc.any(has_offset).as_py():
            return None
        naive = texts.cast(pa.timestamp("us"))
        return pc.assume_timezone(naive, zone, ambiguous="raise", nonexistent="raise").cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None


def _parse_time(text: str | None, kind: pa.DataType, pattern: str | None, zone: str) -> object:
    """The date or time that a text names; None where it names none, or one that is not of the years 1 to 9999."""
    if text is None:
        return None
    text = text.strip(_BLANKS)
    try:
        if pattern is None:
            array = _cast(pa.array([text]), kind, zone)
            return None if array is None else array[0].as_py()
        return _instant(datetime.strptime(text, pattern), kind, zone)
    except (ValueError, OverflowError):
        return None


def _instant(parsed: datetime, kind: pa.DataType, zone: str) -> object:
    if pa.types.is_date(kind):
        return parsed.date()
    if kind.tz is None:
        return None if parsed.tzinfo else parsed
    if parsed.tzinfo:
        return parsed.astimezone(timezone.utc)
    local = parsed.replace(tzinfo=ZoneInfo(zone))
    instant = local.astimezone(timezone.utc)
    is_skipped = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != parsed
    is_twice = local.replace(fold=1).utcoffset() != local.utcoffset()
    return None if is_skipped or is_twice else instant
