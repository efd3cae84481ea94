"""A block of records parsed at once, and where that fails in halves, until each bad record stands alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from traintable.contract.arrow import Reasons, check_columns
from traintable.contract.rules import Field, Violation
from traintable.contract.times import parse_times

Parse = Callable[[pa.Array], list[pa.Array] | None]
Explain = Callable[[str], list[Violation]]
Refuse = Callable[[str], list[Violation] | None]
FEW = 512  # records of which each is checked by itself when one of them is bad


@dataclass
class Block:
    """The values of some records, and what is wrong with those that are bad, whose values count for nothing."""

    columns: list[pa.Array]
    reasons: Reasons = field(default_factory=dict)


@dataclass(frozen=True)
class Reader:
    """How records of one form are read.

    Attributes
    ----------
    parse : the values of some records (dates and times as text), or None when one of them is bad.
    explain : what is wrong with a bad record.
    refuse : the same where it shows without the parser; nothing, or None, for a record that may be good.
    """

    parse: Parse
    explain: Explain
    refuse: Refuse = lambda _: None


def read_block(raw: pa.Array, fields: Sequence[Field], reader: Reader, *, zone: str) -> Block:
    """The records as columns of `fields`, each of the type that it is promised to have.

    A record that is no valid UTF-8 is bad.
    """
    reasons: Reasons = {}
    good = _valid_rows(raw, reasons)
    parts, parsed_rows = _parse(raw.take(good), good, reader, reasons)
    columns = [_column(f, [part[i] for part in parts], parsed_rows, reasons, zone) for i, f in enumerate(fields)]
    n = len(raw)
    place = np.full(n, -1, np.int64)
    place[parsed_rows] = np.arange(len(parsed_rows))
    indices = pa.array(place, mask=place < 0)
    spread = [column.take(indices) for column in columns]
    violations: Reasons = {}
    checked = check_columns(fields, spread, violations)
    for row, broken in violations.items():
        if row not in reasons:
            reasons[row] = broken
        elif place[row] >= 0:  # not those that have no values at all
            reasons[row] += [violation for violation in broken if not _follows(violation, reasons[row])]
    return Block(checked, reasons)


def _follows(violation: Violation, others: Sequence[Violation]) -> bool:
    """Whether a null follows from a value that did not parse."""
    column = violation.reason.partition(":")[2]
    is_null = violation.reason.startswith("null:")
    return is_null and any(other.reason == f"type:{column}" for other in others)


def _valid_rows(raw: pa.Array, reasons: Reasons) -> pa.Array:
    """The rows whose text is valid UTF-8."""
    try:
        raw.validate(full=True)
        return pa.array(np.arange(len(raw)))
    except pa.ArrowInvalid:
        pass
    good = []
    for row, content in enumerate(raw.cast(pa.binary(), safe=False)):
        try:
            content.as_buffer().to_pybytes().decode()
            good.append(row)
        except UnicodeDecodeError as error:
            reasons[row] = [Violation("encoding", f"valid UTF-8, which byte {error.start + 1} is not")]
    return pa.array(good, pa.int64())


def _parse(
    raw: pa.Array, rows: pa.Array, reader: Reader, reasons: Reasons, *, is_new: bool = True
) -> tuple[list[list[pa.Array]], list[int]]:
    """The values of the records that parse, piece by piece in order, and their rows; why others do not, in `reasons`.

    Where some records do not parse, each of a few is first checked by itself (if `is_new`, that is only once); then
    both halves are parsed.
    """
    if not len(raw):
        return [], []
    values = reader.parse(raw)
    if values is not None:
        return [values], rows.to_pylist()
    if len(raw) == 1:
        reasons[rows[0].as_py()] = reader.explain(raw[0].as_py())
        return [], []
    if is_new and len(raw) <= FEW:
        refusals = [reader.refuse(record) for record in raw.to_pylist()]
        reasons.update((row, why) for row, why in zip(rows.to_pylist(), refusals, strict=True) if why)
        rest = pa.array([i for i, why in enumerate(refusals) if not why], pa.int64())
        return _parse(raw.take(rest), rows.take(rest), reader, reasons, is_new=False)
    half = len(raw) // 2
    first, first_rows = _parse(raw[:half], rows[:half], reader, reasons, is_new=is_new)
    second, second_rows = _parse(raw[half:], rows[half:], reader, reasons, is_new=is_new)
    return first + second, first_rows + second_rows


def _column(field: Field, parts: Sequence[pa.Array], rows: Sequence[int], reasons: Reasons, zone: str) -> pa.Array:
    if not field.is_temporal:
        return _concatenate(parts, field.type)
    texts = _concatenate(parts, pa.string())
    zone = field.promise.time_zone or zone
    values, wrong = parse_times(texts, field.type, pattern=field.promise.format, zone=zone)
    for place in wrong:
        reasons.setdefault(rows[place], []).append(field.text_rule)
    return values


def _concatenate(parts: Sequence[Any], kind: pa.DataType) -> pa.Array:
    return pa.concat_arrays(parts) if parts else pa.array([], kind)


def number_lines(raw: pa.Array, prefix: str, suffix: str) -> pa.Buffer:
    """The records as lines, each with its number in front of it."""
    number = pa.array(np.arange(len(raw))).cast(pa.string())
    lines = pc.binary_join_element_wise(pa.scalar(prefix), number, pa.scalar(suffix), raw, "")
    offsets = pa.array([0, len(raw)], pa.int32())
    return pc.binary_join(pa.ListArray.from_arrays(offsets, lines), "\n")[0].as_buffer()


def combine(column: pa.ChunkedArray) -> pa.Array:
    """A column in one piece."""
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def are_within_types(columns: Sequence[pa.Array]) -> bool:
    """Whether no decimal has more digits than its type, which Arrow's parsers do not check."""
    try:
        for column in columns:
            if pa.types.is_decimal(column.type) or pa.types.is_nested(column.type):
                column.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def is_in_order(numbers: pa.Array, n: int) -> bool:
    """Whether the numbers in front of records came back, each once and in order."""
    return len(numbers) == n and numbers.null_count == 0 and bool((numbers.to_numpy() == np.arange(n)).all())
