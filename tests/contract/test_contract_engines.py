"""Both engines come to the same verdict, value and reason for any promise and any value, and to the right one."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from landed import of, promises
from traintable.config.promise import Promise
from traintable.contract import typed_rows
from traintable.contract.arrow import Reasons, check_columns
from traintable.contract.rows import REASONS, apply_contract
from traintable.contract.rules import Field, fields_of

NAN, INF, LARGEST = float("nan"), float("inf"), 1.7976931348623157e308
EDGES = [0, 1, 7, 10, 2**31 - 1, 2**31, 2**53 - 1, 2**53, 2**53 + 1, 2**62, 2**63 - 1]
WHOLE = [*EDGES, *(-edge for edge in EDGES), -(2**63)]
FLOATS = [0.0, -0.0, 0.1, -0.1, 0.5, 1.5, 1e15, 9007199254740992.0, 1e300, LARGEST, NAN, INF, -INF, 5e-324]
DECIMALS = ["0", "0.1", "-0.1", "1.00", "9007199254740993.01", "9007199254740993.02", "-99999999999999999.99", "7"]
DAYS = ["0001-01-01", "1582-10-10", "1970-01-01", "2026-03-29", "9999-12-31"]
TIMES = [f"{day} {clock}" for day in DAYS for clock in ("00:00:00", "02:30:00.000001", "23:59:59.999999")]
TEXTS = ["", " ", "a", "A", " a", "ä", "1", "1.0", "true", "nan", "null", "\t", "x" * 300]
BEYOND_CALENDAR = {"date": [-719529, 2932897], "timestamp": [-62135596800000001, 253402300800000000]}  # years 0, 10000
BEYOND_CALENDAR["timestamp_ntz"] = BEYOND_CALENDAR["timestamp"]

# Of each type its values, and what may stand as a bound and as one of `values` in a promise of it.
INTEGERS = {"tinyint": 2**7, "smallint": 2**15, "int": 2**31, "bigint": 2**63}
POOLS: dict[str, tuple[list[Any], list[Any], list[Any]]] = {
    **{
        kind: ([n for n in WHOLE if -size <= n < size], [*WHOLE[:-1], 0.5, -0.5, 1e15], [0, 1, "7", 10.0])
        for kind, size in INTEGERS.items()
    },
    "double": (FLOATS, [0, -1, 0.1, 1e15, 2**53 + 1, -(2**53) - 1, 1e308], [0, 0.1, "-0.1", 1.5, 2**53]),
    "float": ([0.0, -0.0, 0.1, -0.1, 16777216.0, 3.4e38, NAN, INF, -INF], [0, 0.1, -0.1, 2**24 + 1], [0, 0.1, "1e3"]),
    "decimal(19,2)": ([Decimal(x) for x in DECIMALS], [0, 0.1, 2**53 + 1, 1e15, 0.105, -1], [0, 0.1, "7", 1.0]),
    "decimal(38,18)": ([Decimal("0.1"), Decimal("1e-18"), Decimal("12345678901234567890")], [0, 0.1, 1e19], ["0.1", 0]),
    "string": (TEXTS, [], ["", "a", 1, True, "ä", " "]),
    "binary": ([b"", b"a", b"\xff\x00"], [], ["a", ""]),
    "boolean": ([True, False], [], [True, "false", 1, "n"]),
    "date": (DAYS, [], DAYS[:3]),
    "timestamp": ([f"{time}Z" for time in TIMES], [], [TIMES[0], "1970-01-01T01:00:00+01:00"]),
    "timestamp_ntz": (TIMES, [], TIMES[:3]),
    "array<int>": ([[1], [], [None]], [], []),
}


def random_promises(seed: int, n: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Pairs of a type and a promise of it."""
    draw = random.Random(seed)
    for i in range(n):
        kind = list(POOLS)[i % len(POOLS)]
        _, bounds, values = POOLS[kind]
        ends = sorted(draw.sample(bounds, 2)) if bounds else [None, None]
        yield (
            kind,
            {
                "type": kind,
                "min": draw.choice([None, ends[0]]),
                "max": draw.choice([None, ends[1]]),
                "values": draw.sample(values, draw.randint(1, len(values))) if values and draw.random() < 0.5 else [],
                "nullable": draw.random() < 0.7,
                "on_invalid": draw.choice(["null", "quarantine"]),
            },
        )


RIGHT: list[tuple[dict[str, Any], Any, Any]] = [  # a promise, a value of its type, and the value or the reason
    ({"type": "bigint", "max": 2**53}, 2**53 + 1, "range"),
    ({"type": "bigint", "min": 2**53 + 1}, 2**53, "range"),
    ({"type": "bigint", "max": 2**53, "on_invalid": "null"}, 2**53 + 1, None),
    ({"type": "bigint", "max": 2**53, "on_invalid": "null", "nullable": False}, 2**53 + 1, "range"),
    ({"type": "bigint", "nullable": False}, None, "null"),
    ({"type": "bigint", "min": 0.5}, 0, "range"),
    ({"type": "double", "min": 0}, -0.0, -0.0),
    ({"type": "double", "min": 0}, NAN, "range"),
    ({"type": "double", "min": -1e308, "on_invalid": "null"}, NAN, None),
    ({"type": "double", "nullable": False}, NAN, NAN),
    ({"type": "double", "min": 0}, INF, INF),
    ({"type": "double", "max": 1e308}, INF, "range"),
    ({"type": "double", "max": 2**53 + 1}, 2.0**53 + 2, "range"),
    ({"type": "double", "values": [0, 1.5]}, -0.0, -0.0),
    ({"type": "double", "values": [1, "2.50"]}, 2.5, 2.5),
    ({"type": "double", "values": [1]}, NAN, "values"),
    ({"type": "float", "max": 0.1}, 0.1, pytest.approx(0.1)),
    ({"type": "decimal(5,2)", "values": [1]}, Decimal("1.00"), Decimal("1.00")),
    ({"type": "decimal(5,2)", "min": 0.105}, Decimal("0.10"), "range"),
    ({"type": "decimal(5,2)", "min": 5000}, Decimal("999.99"), "range"),
    ({"type": "string", "values": ["a"]}, "", "values"),
    ({"type": "string", "nullable": False}, "", ""),
    ({"type": "string", "nullable": False, "values": [" "]}, " ", " "),
    ({"type": "boolean", "values": [True]}, False, "values"),
]


@cache
def typed_case() -> tuple[tuple[Field, ...], pa.Table, list[Any]]:
    """Promises as fields, a column of values for each, and of some columns what becomes of their first value."""
    pairs = [*random_promises(8, 210), *((promise["type"], promise) for promise, _, _ in RIGHT)]
    fields = fields_of({f"c{i}": Promise.model_validate(promise) for i, (_, promise) in enumerate(pairs)})
    n_rows = 2 + max(len(values) for values, _, _ in POOLS.values())
    draw, columns = random.Random(9), []
    for i, field in enumerate(fields):
        kind = pairs[i][0]
        values = [None, *POOLS[kind][0]] if i < 210 else [RIGHT[i - 210][1]]
        column = typed_array(values, field)
        if kind in BEYOND_CALENDAR:
            column = pa.concat_arrays([column, as_type(pa.array(BEYOND_CALENDAR[kind]), field.type)])
        order = [j if j < len(column) else draw.randrange(len(column)) for j in range(n_rows)]
        columns.append(column.take(pa.array(order)))
    return fields, pa.table(columns, names=[f.name for f in fields]), [None] * 210 + [right for *_, right in RIGHT]


def as_type(numbers: pa.Array, kind: pa.DataType) -> pa.Array:
    """Days, or microseconds, as dates or times."""
    return numbers.cast(pa.int32()).cast(kind) if pa.types.is_date(kind) else numbers.cast(kind)


def typed_array(values: Sequence[Any], field: Field) -> pa.Array:
    if not field.is_temporal:
        return pa.array(values, field.type)
    return pa.array(values, pa.string()).cast(field.type)


def shown(column: pa.Array | pa.ChunkedArray) -> list[str]:
    """Values so that equal ones are equal, NaN too, and -0.0 is not 0.0; of times whatever their year."""
    if pa.types.is_temporal(column.type):
        return [str(value) for value in column.cast(pa.int32() if pa.types.is_date32(column.type) else pa.int64())]
    return [repr(value.as_py()) for value in column]


def by_arrow(fields: Sequence[Field], table: pa.Table) -> tuple[list[pa.Array], list[list[str]]]:
    """The checked columns, and of each row the reasons."""
    reasons: Reasons = {}
    columns = check_columns(fields, [column.combine_chunks() for column in table.columns], reasons)
    return columns, [[violation.reason for violation in reasons.get(row, [])] for row in range(len(table))]


def compare(
    fields: Sequence[Field], arrow: tuple[Sequence[pa.Array], list[list[str]]], checked: DataFrame, reasons: str
) -> None:
    """Hold what Spark makes of the rows, in their order by `_row`, against what the other engine makes of them."""
    found = checked.select("_row", F.col(reasons).alias("_reasons"), *(f.name for f in fields)).toArrow()
    found = found.sort_by("_row")
    columns, expected = arrow
    for row, (own, others) in enumerate(zip(found["_reasons"].to_pylist(), expected, strict=True)):
        assert sorted(own or []) == sorted(others), row
    broken = {(row, reason.partition(":")[2]) for row, given in enumerate(expected) for reason in given}
    for field, column in zip(fields, columns, strict=True):
        pairs = zip(shown(found[field.name]), shown(column), strict=True)
        for row, (own, other) in enumerate(pairs):
            assert own == other or (row, field.name) in broken, (field.promise, row)


def landed_rows(rows: DataFrame, names: Sequence[str], fields: Sequence[Field], **options: Any) -> DataFrame:
    """The rows checked as those that are landed, with the number of each."""
    place = [F.lit("f").alias("_file"), F.lit(0).cast("bigint").alias("_block"), F.col("_row").alias("_place")]
    number = Field("_row", pa.int64(), "bigint", Promise(type="bigint"))
    return typed_rows.check_rows(rows.select(*names, "_row", *place), [*names, "_row"], [*fields, number], **options)


def with_numbers(table: pa.Table) -> pa.Table:
    return table.append_column("_row", pa.array(range(len(table)), pa.int64()))


def test_values_of_the_promised_type(spark: SparkSession) -> None:
    fields, table, right = typed_case()
    arrow = by_arrow(fields, table)
    for field, column, expected in zip(fields, arrow[0], right, strict=True):
        reasons = [reason for reason in arrow[1][0] if reason.endswith(f":{field.name}")]
        if expected is not None or field.name not in {f"c{i}" for i in range(210)}:
            result = reasons[0].partition(":")[0] if reasons else column[0].as_py()
            assert repr(result) == repr(expected) or result == expected, field.promise
    rows = spark.createDataFrame(with_numbers(table))
    checked = landed_rows(rows, table.column_names, fields)
    compare(fields, arrow, checked, "_wrong._reasons")
    ours = {field.name: field.promise for field in fields}
    compare(fields, arrow, apply_contract(rows, ours, key=()), REASONS)


# Texts that name a value of a type, or nearly do, with | between them.
WRITTEN = {
    "bigint": (
        " 7 |\t7|-5|007|1.0|1e3|0x10|| |9223372036854775807|9223372036854775808|"
        "-9223372036854775808|1_0|\u0663|- 5|1L|--1|9007199254740993|1 0|\xa07"
    ),
    "tinyint": "127|128|-128|-129|0|00000000127",
    "double": (
        "1| 1.5 |+1.5|.5|5.|1e3|1E-3|1e400|-1e400|1e-400|inf|-inf|+Infinity|INF|nan|NaN|1d|1.5f|"
        "0x1p3||-0.0|-0|1,5|9007199254740993|infinit|.|e5|1.7976931348623157e308|"
        "1.7976931348623159e308|1e|1e+|--1|1.2.3|Infinity!|\u0661"
    ),
    "float": "1e39|0.1|3.4028235e38|3.4028236e38|16777217|-inf|1f|1e-46",
    "decimal(10,2)": (
        "1|1.5|1.005|1.500|1e2|1e-2|1e-3|10e-3|+1.5| 1.5 |.5|5.||99999999.99|100000000|nan|inf|"
        "0.000|-0.00|1E2|0e-9|1.0000000000000000000000000001|99999999.994|1000e-3|1e9|1d|0.10e1|"
        "120e-3|1201e-3"
    ),
    "decimal(38,0)": (
        "99999999999999999999999999999999999999|100000000000000000000000000000000000000|1e37|1.0|"
        "1.5|-99999999999999999999999999999999999999"
    ),
    "boolean": "true|True|tRuE|t|Y|yes|1|0|n|NO|f|false| true |on||2",
    "date": (
        "2013-02-28| 2013-02-28 |2013-2-8|2013|2013-02|2013-02-30|2012-02-29|0001-01-01|0000-12-31|"
        "9999-12-31|10000-01-01|-0001-01-01|20130228|2013-02-28T00:00:00|2013-02-28 abc||"
        "+2013-01-01|now|2013-02-28Z|1582-10-10"
    ),
}
CLOCKS = ["", " 01", "T01:02", "T01:02:03", " 01:02:03.1", " 01:02:03.123456", " 01:02:03.1234567", " 01:02:03."]
CLOCKS += [" 24:00:00", " 23:59:60", "T", "t01:02:03", "T1:2:3", " 01:02:03 ", "T010203"]
OFFSETS = ["", "Z", "+01:00", "+0100", "+01", " +01:00", " UTC", " Europe/Berlin", "z", "-25:00", "+18:00", "+18:30"]
OFFSETS += ["-18", "+23:59", "+1:00", "-00:00"]
STAMPS = [f"2013-02-28{clock}{offset}" for clock in CLOCKS for offset in OFFSETS]
STAMPS += ["0001-01-01T00:00:00Z", "0000-12-31T23:59:59Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59.999999Z"]
STAMPS += ["9999-12-31T23:59:59-01:00", "10000-01-01T00:00:00Z", "2013", "2013-02", "T12:00", "12:00", "now", "", " "]
STAMPS += ["2026-03-29 02:30:00", "2026-10-25 02:30:00", "2026-06-01 12:00"]
READ_AS = {kind: texts.split("|") for kind, texts in WRITTEN.items()}
READ_AS |= {"timestamp": STAMPS, "timestamp_ntz": STAMPS}
BY_PATTERN = ["01/02/2013 03:04", "31/02/2013 03:04", " 1/2/2013 3:4 ", "29/03/2026 02:30", "25/10/2026 02:30"]
BY_PATTERN += ["01/01/0001 00:00", "31/12/9999 23:59", "2013-02-28", "", "01/06/2026 12:00 "]
PATTERN = "%d/%m/%Y %H:%M"


def text_cases() -> Iterator[tuple[dict[str, Any], list[str]]]:
    """Promises, and texts that are held against each."""
    for kind, texts in READ_AS.items():
        yield {"type": kind}, texts
        yield {"type": kind, "nullable": False}, texts
    yield {"type": "timestamp", "time_zone": "Europe/Berlin"}, STAMPS
    for zone in (None, "Europe/Berlin"):
        yield {"type": "timestamp", "format": PATTERN, "time_zone": zone}, BY_PATTERN
    yield {"type": "timestamp_ntz", "format": PATTERN}, BY_PATTERN
    yield {"type": "date", "format": PATTERN}, BY_PATTERN
    yield {"type": "date", "values": ["2013-02-28"], "on_invalid": "null"}, READ_AS["date"]
    yield {"type": "bigint", "min": 7, "max": 2**53, "on_invalid": "null"}, READ_AS["bigint"]
    yield {"type": "double", "min": 0, "max": 1e3}, READ_AS["double"]
    yield {"type": "decimal(10,2)", "values": [1.5, "0.01"]}, READ_AS["decimal(10,2)"]
    yield {"type": "string", "values": TEXTS[:4]}, TEXTS


def test_texts_are_read_as_in_files(spark: SparkSession) -> None:
    cases = list(text_cases())
    fields = fields_of(promises({f"c{i}": promise for i, (promise, _) in enumerate(cases)}))
    n_rows, null = 1 + max(len(texts) for _, texts in cases), "\\N"
    columns, reasons, given = [], [list[str]() for _ in range(n_rows)], []
    for field, (promise, texts) in zip(fields, cases, strict=True):
        column: list[str | None] = [None, *texts]
        column += [None] * (n_rows - len(column))
        records = [null if text is None else f'"{text}"' for text in column]
        block = of("csv", records, {field.name: promise}, null_value=null)
        columns.append(block.columns[0])
        for row, violations in block.reasons.items():
            reasons[row] += [violation.reason for violation in violations]
        given.append(pa.array(column, pa.string()))
    rows = spark.createDataFrame(with_numbers(pa.table(given, names=[field.name for field in fields])))
    compare(fields, (columns, reasons), landed_rows(rows, [f.name for f in fields], fields), "_wrong._reasons")
    compare(fields, (columns, reasons), apply_contract(rows, {f.name: f.promise for f in fields}, key=()), REASONS)


def test_a_difference_between_the_engines_is_seen(spark: SparkSession) -> None:
    fields = fields_of(promises({"a": {"type": "bigint", "max": 2**53}}))
    table = pa.table({"a": pa.array([2**53 + 1, 1, None])})
    rows = spark.createDataFrame(with_numbers(table))
    other = landed_rows(rows, ["a"], fields_of(promises({"a": {"type": "bigint", "max": 2**53 + 1}})))
    with pytest.raises(AssertionError):
        compare(fields, by_arrow(fields, table), other, "_wrong._reasons")
    changed = pc.add(table["a"], 1).combine_chunks()
    with pytest.raises(AssertionError):
        compare(fields, ([changed], by_arrow(fields, table)[1]), landed_rows(rows, ["a"], fields), "_wrong._reasons")
