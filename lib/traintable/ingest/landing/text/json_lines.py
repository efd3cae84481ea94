"""JSON lines: one object a line, and nothing else on it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import inf
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from traintable.ingest.landing.contract import Field, plain_value
from traintable.ingest.landing.text.blocks import fit, is_in_order, numbered, whole

_NUMBER = "__number"  # what the number of a line is called in it
_BLANKS = " \t\r\n"
_UNEXPECTED = "an object with the declared fields only"


def parse(raw: pa.Array, fields: Sequence[Field]) -> list[pa.Array] | None:
    """The values of lines, by Arrow's parser; None when one of the lines is not as it should be.

    A number is put into each object as its first field: that all come back, in order, tells that each line is one
    object.
    """
    text = pc.ascii_trim(raw, _BLANKS)
    if not pc.all(pc.and_(pc.starts_with(text, "{"), pc.ends_with(text, "}"))).as_py():
        return None
    rest = pc.utf8_slice_codeunits(text, 1)
    empty = pc.match_substring_regex(rest, rf"^[{_BLANKS}]*}}$")
    if pc.any(empty).as_py():  # no comma follows
        rest = pc.if_else(empty, pa.scalar(f"{_null_of(fields)}}}"), rest)
    lines = numbered(rest, f'{{"{_NUMBER}":', ",")
    schema = pa.schema([(_NUMBER, pa.int64()), *((f.name, f.read_as) for f in fields)])
    try:
        found = pyarrow.json.read_json(
            pa.BufferReader(lines),
            parse_options=pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error"),
            read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=len(lines) + 1),
        ).combine_chunks()
    except pa.ArrowInvalid:
        return None
    number, *columns = [whole(column) for column in found.columns]
    if not is_in_order(number, len(raw)) or not all(map(_is_finite, columns)) or not fit(columns):
        return None
    if not all(map(_is_strict, text.filter(_suspects(text, columns)).to_pylist())):
        return None
    return columns


def _is_finite(column: pa.Array) -> bool:
    """Whether all numbers are finite, as those of JSON are; what is too large for its type is not."""
    return not pa.types.is_floating(column.type) or pc.all(pc.is_finite(column)).as_py() is not False


def _suspects(text: pa.Array, columns: Sequence[pa.Array]) -> pa.Array:
    """The lines that may hold NaN or Infinity as a number, which Arrow's parser takes and JSON has not."""
    found = pa.array(np.zeros(len(text), bool))
    for column in columns:
        if pa.types.is_nested(column.type):
            found = pc.or_(found, pc.match_substring_regex(text, r"[\[,:]\s*-?(NaN|Inf)"))
    return found


def _is_strict(line: str) -> bool:
    """Whether a line is JSON by the letter."""
    try:
        json.loads(line, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return False
    return True


def _null_of(fields: Sequence[Field]) -> str:
    return f"{json.dumps(fields[0].name)}:null"


def explain(raw: str, fields: Sequence[Field]) -> list[tuple[str, str]]:
    """What is wrong with one line."""
    doubled: list[str] = []

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in found]
        doubled.extend(name for name in names if names.count(name) > 1)
        return dict(found)

    try:
        record = json.loads(raw, object_pairs_hook=pairs, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        return [("syntax", f"one JSON object a line: {plain_value(error)}")]
    if not isinstance(record, dict):
        return [("syntax", f"one JSON object a line, not {type(record).__name__}")]
    if doubled:
        return [("syntax", f"each field once, not '{plain_value(doubled[0])}' twice")]
    known = {field.name: field for field in fields}
    wrong = [(f"drift:{name}", _UNEXPECTED) for name in record if name not in known]
    for name, value in record.items():
        field = known.get(name)
        if field and (value == inf or parse(pa.array([json.dumps({name: value})]), [field]) is None):
            wrong.append(field.type_rule)
    return wrong or [("syntax", "a line that the parser takes")]


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is no JSON")
