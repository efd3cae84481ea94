"""Dates and times in text: ISO 8601 or a pattern, with an offset or in a time zone; never one that did not exist."""

from __future__ import annotations

from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

_OFFSET = r"^[^T ]+[T ].*(?:Z|[+-]\d\d:?\d\d|[+-]\d\d)$"


def parse_times(texts: pa.Array, kind: pa.DataType, *, pattern: str | None, zone: str) -> tuple[pa.Array, list[int]]:
    """The dates or times that texts name, and the rows whose text names none.

    Parameters
    ----------
    kind : date32, timestamp[us] (without a zone) or timestamp[us, UTC].
    pattern : as strftime takes it; ISO 8601 where there is none.
    zone : of times without an offset that become instants. A time that this zone has skipped (clocks put forward) or
        has had twice (put back) names no instant.
    """
    whole = _cast(texts, kind, zone) if pattern is None else None
    if whole is not None:
        return whole, []
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
    """The date or time that a text names; None where it names none."""
    if text is None:
        return None
    if pattern is None:
        value = _cast(pa.array([text]), kind, zone)
        return None if value is None else value[0].as_py()
    try:
        time = datetime.strptime(text, pattern)
    except ValueError:
        return None
    if pa.types.is_date(kind):
        return time.date()
    if kind.tz is None:
        return None if time.tzinfo else time
    if time.tzinfo:
        return time.astimezone(timezone.utc)
    local = time.replace(tzinfo=ZoneInfo(zone))
    instant = local.astimezone(timezone.utc)
    is_skipped = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != time
    is_twice = local.replace(fold=1).utcoffset() != local.utcoffset()
    return None if is_skipped or is_twice else instant
