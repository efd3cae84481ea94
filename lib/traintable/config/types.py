"""Types as a configuration names them: Spark's, in Arrow's terms."""

from __future__ import annotations

import pyarrow as pa
import sqlglot
from sqlglot import exp

_SIMPLE = {
    exp.DataType.Type.BOOLEAN: pa.bool_(),
    exp.DataType.Type.TINYINT: pa.int8(),
    exp.DataType.Type.SMALLINT: pa.int16(),
    exp.DataType.Type.INT: pa.int32(),
    exp.DataType.Type.BIGINT: pa.int64(),
    exp.DataType.Type.FLOAT: pa.float32(),
    exp.DataType.Type.DOUBLE: pa.float64(),
    exp.DataType.Type.TEXT: pa.string(),
    exp.DataType.Type.BINARY: pa.binary(),
    exp.DataType.Type.DATE: pa.date32(),
    exp.DataType.Type.TIMESTAMPTZ: pa.timestamp("us", tz="UTC"),
    exp.DataType.Type.TIMESTAMPNTZ: pa.timestamp("us"),
}


def arrow_type(text: str) -> pa.DataType:
    """The type that Spark writes as `text`; ValueError for one that no table is landed with, such as a map."""
    try:
        return _parsed_type(exp.DataType.build(text, dialect="spark"))
    except sqlglot.errors.SqlglotError:
        raise ValueError(text) from None


def _parsed_type(parsed: exp.Expr | None) -> pa.DataType:
    if not isinstance(parsed, exp.DataType):
        raise ValueError(str(parsed))
    inner = parsed.expressions
    if parsed.this in _SIMPLE and not inner:
        return _SIMPLE[parsed.this]
    if parsed.this == exp.DataType.Type.DECIMAL:
        numbers = [int(number.this.this) for number in inner]
        return pa.decimal128(*(numbers or [10, 0]))
    if parsed.this == exp.DataType.Type.ARRAY:
        return pa.list_(_inner_type(inner[0]))
    if parsed.this == exp.DataType.Type.STRUCT:
        return pa.struct([(member.this.name, _inner_type(member.args.get("kind"))) for member in inner])
    raise ValueError(parsed.sql("spark"))


def _inner_type(parsed: exp.Expr | None) -> pa.DataType:
    """A type within another; dates and times are read in columns of their own only."""
    kind = _parsed_type(parsed)
    if pa.types.is_temporal(kind):
        raise ValueError(f"{kind} within another type")
    return kind


def spark_type(kind: pa.DataType) -> str:
    """The type as Spark writes it."""
    if pa.types.is_list(kind):
        return f"array<{spark_type(kind.value_type)}>"
    if pa.types.is_struct(kind):
        return f"struct<{','.join(f'{_quoted(field.name)}:{spark_type(field.type)}' for field in kind)}>"
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    names = {pa.string(): "string", pa.binary(): "binary", pa.date32(): "date", pa.bool_(): "boolean"}
    names |= {pa.int8(): "tinyint", pa.int16(): "smallint", pa.int32(): "int", pa.int64(): "bigint"}
    names |= {pa.float32(): "float", pa.float64(): "double", pa.timestamp("us"): "timestamp_ntz"}
    return names.get(kind, "timestamp")


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
