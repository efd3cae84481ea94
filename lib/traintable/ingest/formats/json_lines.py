"""JSON lines: one object a line, and nothing else on it."""

from __future__ import annotations

import json
from collections.abc import Container, Mapping, Sequence
from math import inf
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from traintable.contract.arrow import plain_value
from traintable.contract.rules import Field, Violation
from traintable.ingest.formats.blocks import Reader, are_within_types, combine, is_in_order, number_lines
from traintable.ingest.formats.plain_checks import refusals, value_is

_NUMBER = "__number"  # what the number of a line is called in it
_BLANKS = " \t\r\n"
_UNEXPECTED = "an object with the declared fields only"


def reader(fields: Sequence[Field]) -> Reader:
    """How lines are read."""
    return Reader(lambda raw: parse(raw, fields), lambda raw: explain(raw, fields), lambda raw: refuse(raw, fields))


def parse(raw: pa.Array, fields: Sequence[Field]) -> list[pa.Array] | None:
    """The values of lines, by Arrow's parser; None when one of them is bad.

    A number is put into each object as its first field: when all come back, in order, each line is one object.
    """
    text = pc.ascii_trim(raw, _BLANKS)
    if not pc.all(pc.and_(pc.starts_with(text, "{"), pc.ends_with(text, "}"))).as_py():
        return None
    rest = pc.utf8_slice_codeunits(text, 1)
    empty = pc.match_substring_regex(rest, rf"^[{_BLANKS}]*}}$")
    if pc.any(empty).as_py():  # no comma follows
        rest = pc.if_else(empty, pa.scalar(f"{_null_of(fields)}}}"), rest)
    lines = number_lines(rest, f'{{"{_NUMBER}":', ",")
    schema = pa.schema([(_NUMBER, pa.int64()), *((f.source, f.read_as) for f in fields)])
    try:
        rows = pyarrow.json.read_json(
            pa.BufferReader(lines),
            parse_options=pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error"),
            read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=len(lines) + 1),
        ).combine_chunks()
    except pa.ArrowInvalid:
        return None
    number, *columns = [combine(column) for column in rows.columns]
    if not is_in_order(number, len(raw)) or not all(map(_is_finite, columns)) or not are_within_types(columns):
        return None
    if not all(map(_is_strict, text.filter(_suspects(text, columns)).to_pylist())):
        return None
    return columns


def _is_finite(column: pa.Array) -> bool:
    """Whether all numbers are finite, as those of JSON are; what is too large for its type is not."""
    return not pa.types.is_floating(column.type) or pc.all(pc.is_finite(column)).as_py() is not False


def _suspects(text: pa.Array, columns: Sequence[pa.Array]) -> pa.Array:
    """The lines that may hold NaN or Infinity as a number, which Arrow's parser takes and JSON has not."""
    if any(pa.types.is_nested(column.type) for column in columns):
        return pc.match_substring_regex(text, r"[\[,:]\s*-?(NaN|Inf)")
    return pa.array(np.zeros(len(text), bool))


def _is_strict(line: str) -> bool:
    """Whether a line is JSON as the standard has it."""
    try:
        json.loads(line, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return False
    return True


def _null_of(fields: Sequence[Field]) -> str:
    return f"{json.dumps(fields[0].source)}:null"


def refuse(raw: str, fields: Sequence[Field]) -> list[Violation] | None:
    """What is wrong with a line, where that shows without the parser; nothing, or None, for all others."""
    try:
        record, doubled = _load(raw)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or doubled:
        return None
    known = {field.source: field for field in fields}
    wrong = refusals([(known[name], value_is(known[name], value)) for name, value in record.items() if name in known])
    return None if wrong is None else _drift_reasons(record, known) + wrong


def explain(raw: str, fields: Sequence[Field]) -> list[Violation]:
    """What is wrong with a bad line."""
    try:
        record, doubled = _load(raw)
    except (ValueError, RecursionError) as error:
        return [Violation("syntax", f"one JSON object a line: {plain_value(error)}")]
    if not isinstance(record, dict):
        return [Violation("syntax", f"one JSON object a line, not {type(record).__name__}")]
    if doubled:
        return [Violation("syntax", f"each field once, not '{plain_value(doubled[0])}' twice")]
    known = {field.source: field for field in fields}
    wrong = _drift_reasons(record, known)
    for name, value in record.items():
        field = known.get(name)
        if field and (value == inf or parse(pa.array([json.dumps({name: value})]), [field]) is None):
            wrong.append(field.type_rule)
    return wrong or [Violation("syntax", "a line that the JSON parser can read")]


def _load(raw: str) -> tuple[Any, list[str]]:
    """What a line holds, as the standard has JSON, and the names of fields that an object in it has more than once."""
    doubled: list[str] = []

    def to_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        as_object = dict(pairs)
        if len(as_object) < len(pairs):
            names = [name for name, _ in pairs]
            doubled.extend(name for name in names if names.count(name) > 1)
        return as_object

    return json.loads(raw, object_pairs_hook=to_object, parse_constant=_refuse_constant), doubled


def _drift_reasons(record: Mapping[str, Any], known: Container[str]) -> list[Violation]:
    return [Violation(f"drift:{name}", _UNEXPECTED) for name in record if name not in known]


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is not JSON")
