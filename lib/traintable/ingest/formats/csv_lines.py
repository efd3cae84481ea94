"""CSV: as many values a record as the header has names, quoted where they hold separators, quotes or line ends."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from traintable.config.sources import TextSource
from traintable.contract.arrow import plain_value
from traintable.contract.rules import Field, Violation
from traintable.contract.values import FALSE_TEXTS, TRUE_TEXTS
from traintable.ingest.formats.blocks import Reader, are_within_types, combine, is_in_order, number_lines
from traintable.ingest.formats.plain_checks import refusals, text_is

_NUMBER = "\x00number"


def reader(names: Sequence[str], fields: Sequence[Field], source: TextSource) -> Reader:
    """How records are read whose columns are `names`."""
    settings = (names, fields, source)
    return Reader(
        lambda raw: parse(raw, *settings), lambda raw: explain(raw, *settings), lambda raw: refuse(raw, *settings)
    )


def parse(raw: pa.Array, names: Sequence[str], fields: Sequence[Field], source: TextSource) -> list[pa.Array] | None:
    """The values of `fields` in records whose columns are `names`, by Arrow's parser; None when a record is bad.

    A field that is not among the names has no values. A number is put before each record as its first value, and a
    record of nulls at the end: when all come back, in order, no record ran into another.
    """
    types: Mapping[str, pa.DataType] = {f.source: f.read_as for f in fields}
    values = _read(raw, names, {name: types.get(name, pa.string()) for name in names}, source)
    if values is None:
        return None
    if _has_text_after_quotes(raw, source) or _has_hexadecimal(raw, names, fields, source):
        return None
    for field in fields:
        if (
            field.source in values
            and pa.types.is_floating(field.type)
            and _has_overflow(raw, names, field, values, source)
        ):
            return None
    empty = pa.nulls(len(raw))
    columns = [combine(values[f.source]) if f.source in names else empty.cast(types[f.source]) for f in fields]
    return columns if are_within_types(columns) else None


def _has_text_after_quotes(raw: pa.Array, source: TextSource) -> bool:
    """Whether a value goes on after its closing quote, as in `"a"b`, of which Arrow's parser drops the quotes."""
    quote, escape, separator = (re.escape(sign) for sign in (source.quote, source.escape, source.separator))
    doubled = f"{quote}{quote}" if source.escape == source.quote else f"{escape}(?s:.)"
    quoted = f"{quote}(?:[^{quote}{escape}]|{doubled})*{quote}"
    value = f"(?:{quoted}|(?:[^{quote}{separator}\r\n][^{separator}\r\n]*)?)"
    suspects = raw.filter(pc.match_substring(raw, source.quote))
    return pc.all(pc.match_substring_regex(suspects, f"^{value}(?:{separator}{value})*$")).as_py() is False


def _has_overflow(
    raw: pa.Array, names: Sequence[str], field: Field, values: Mapping[str, pa.ChunkedArray], source: TextSource
) -> bool:
    """Whether a number is infinite that was not written so: it was too large for its type."""
    infinite = pc.fill_null(pc.is_inf(combine(values[field.source])), False)
    if not pc.any(infinite).as_py():
        return False
    texts = _read(raw.filter(infinite), names, dict.fromkeys(names, pa.string()), source)
    return texts is not None and not pc.all(pc.match_substring(texts[field.source], "inf", ignore_case=True)).as_py()


def _has_hexadecimal(raw: pa.Array, names: Sequence[str], fields: Sequence[Field], source: TextSource) -> bool:
    """Whether a whole number is written as 0x10, which Arrow's parser takes and nobody else."""
    integers = [f.source for f in fields if f.source in names and pa.types.is_integer(f.type)]
    content = b"".join(part.to_pybytes() for part in raw.buffers()[2:] if part)
    if not integers or (b"0x" not in content and b"0X" not in content):
        return False
    suspects = raw.filter(pc.match_substring(raw, "0x", ignore_case=True))
    texts = _read(suspects, names, dict.fromkeys(names, pa.string()), source)
    return texts is not None and any(
        pc.any(pc.match_substring(texts[name], "0x", ignore_case=True)).as_py() for name in integers
    )


def _read(
    raw: pa.Array, names: Sequence[str], types: Mapping[str, pa.DataType], source: TextSource
) -> dict[str, pa.ChunkedArray] | None:
    """The columns of records, of these types, by name; None when Arrow's parser finds other records in them."""
    last = source.separator.join([source.null_value] * len(names))  # into which a quote runs that is never closed
    lines = number_lines(pa.concat_arrays([raw, pa.array([last])]), "", source.separator)
    doubled = source.escape == source.quote
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(lines),
            read_options=pyarrow.csv.ReadOptions(
                use_threads=False, block_size=len(lines) + 1, column_names=[_NUMBER, *names]
            ),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=source.separator,
                quote_char=source.quote,
                double_quote=doubled,
                escape_char=False if doubled else source.escape,
                newlines_in_values=True,
                ignore_empty_lines=False,
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types={_NUMBER: pa.int64(), **types},
                null_values=[source.null_value],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                true_values=TRUE_TEXTS,
                false_values=FALSE_TEXTS,
            ),
        )
    except (pa.ArrowInvalid, pa.ArrowKeyError):
        return None
    if not is_in_order(combine(table.column(0)), len(raw) + 1):
        return None
    return dict(zip(names, table.slice(0, len(raw)).columns[1:], strict=True))


def refuse(raw: str, names: Sequence[str], fields: Sequence[Field], source: TextSource) -> list[Violation] | None:
    """What is wrong with a record, where that shows without the parser; nothing, or None, for all others."""
    if any(sign in raw for sign in (source.quote, source.escape, "\r", "\n")):
        return None
    texts = raw.split(source.separator)
    if len(texts) != len(names):
        return _wrong_number_of_values(names)
    by_name = dict(zip(names, texts, strict=True))
    by_field = [(field, by_name[field.source]) for field in fields if field.source in by_name]
    return refusals([(field, text == source.null_value or text_is(field, text)) for field, text in by_field])


def _wrong_number_of_values(names: Sequence[str]) -> list[Violation]:
    return [Violation("columns", f"{len(names)} values: {', '.join(plain_value(name) for name in names[:20])}")]


def explain(raw: str, names: Sequence[str], fields: Sequence[Field], source: TextSource) -> list[Violation]:
    """What is wrong with a bad record."""
    texts = _read(pa.array([raw]), names, dict.fromkeys(names, pa.string()), source)
    if texts is not None and _has_text_after_quotes(pa.array([raw]), source):
        return [Violation("syntax", "a separator, or the end of the record, after a closing quote")]
    if texts is None:
        return _wrong_number_of_values(names)
    wrong = []
    for field in fields:
        if field.source not in texts:
            continue
        alone = {**dict.fromkeys(names, pa.string()), field.source: field.read_as}
        is_read = _read(pa.array([raw]), names, alone, source) is not None
        if not is_read or parse(pa.array([raw]), names, [field], source) is None:
            wrong.append(field.type_rule)
    return wrong or [Violation("syntax", "a record that the CSV parser can read")]
