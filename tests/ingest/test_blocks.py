"""A record is read the same whatever stands next to it, as CSV and JSON have it, and what can't be read is reported."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landed import of, reasons, rows
from traintable.ingest.formats import blocks

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
ODD = st.sampled_from(
    [
        "1,a,1.5,2026-01-01",
        "1,a",
        "x,a,1,",
        '2,"b,c",,',
        '3,"un,2,',
        "4,d,0x1,",
        "",
        ",,,",
        '"5","q""q",1,',
        "6,a,b,c,d",
        '{"id":1}',
        '{"id":1,"x":2.5}',
        '{"id":"1"}',
        '{"id":1}{"id":2}',
        '{"id":',
        "3}",
        "[1]",
        "null",
        '{"id":1,"z":1}',
        '{"id":1} {"id":2},',
        '{"id":1},{"id":2}',
        '{"id":2,"at":"2026-01-01T00:00:00Z"}',
        "{}",
        '{"id":1,"x":NaN}',
        '{"id":1}],[{"id":2}',
        '{"id":1}}',
        '{"id":-1}',
        '{"id":1,"name":"}"}',
        '7,"two\nlines",1,',
        "8,\r,1,",
    ]
)
BYTES = st.one_of(ODD.map(str.encode), TEXTS.map(str.encode), st.binary(max_size=8))


@pytest.mark.parametrize("kind", ["csv", "json"])
@settings(deadline=None, max_examples=150)
@given(st.lists(BYTES, max_size=12))
def test_a_record_is_read_alone_as_among_others(kind: str, records: list[bytes]) -> None:
    together = rows(of(kind, records))
    assert repr(together) == repr([rows(of(kind, [record]))[0] for record in records])


def written(table: list[list[Any]], **options: Any) -> list[str]:
    """Each row as the csv module writes it."""
    found = []
    for row in table:
        out = io.StringIO()
        csv.writer(out, lineterminator="", **options).writerow(row)
        found.append(out.getvalue())
    return found


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2**63 - 1), TEXTS.filter(bool), st.floats(allow_nan=False)), max_size=20))
def test_csv_that_python_writes_is_read_back(table: list[Any]) -> None:
    columns = {"id": {"type": "bigint"}, "name": {}, "x": {"type": "double"}}
    lines = written(table, quoting=csv.QUOTE_NONNUMERIC)
    assert rows(of("csv", lines, columns)) == [tuple(row) for row in table]


@pytest.mark.parametrize(
    ("name", "record", "expected"),
    [
        ("comma in quotes", '1,"a,b"', (1, "a,b")),
        ("empty is null", "1,", (1, None)),
        ("empty in quotes is a text", '1,""', (1, "")),
        ("escaped quotes", '1,"ha ""ha"" ha"', (1, 'ha "ha" ha')),
        ("JSON in a value", '1,"{""type"": ""Point"", ""coordinates"": [102.0, 0.5]}"', None),
        ("line ends in quotes", '1,"Once upon \na time"', (1, "Once upon \na time")),
        ("CRLF in quotes", '1,"a\r\nb"', (1, "a\r\nb")),
        ("quotes and line ends", '1,"ha \n""ha"" \nha"', (1, 'ha \n"ha" \nha')),
        ("beyond ASCII", "1,ʤ", (1, "ʤ")),
        ("blanks are part of a text", "1, a ", (1, " a ")),
        ("one value short", "1", "columns"),
        ("one value too many", "1,a,b", "columns"),
        ("a quote that is never closed", '1,"a', "columns"),
        ("text after a closing quote", '1,"a"b', "syntax"),
        ("quotes within a text that is not quoted", '1,a"b"c', (1, 'a"b"c')),
        ("no number", "one,a", "type:id"),
        ("a fraction", "1.5,a", "type:id"),
        ("hexadecimal", "0x10,a", "type:id"),
        ("beyond 64 bits", "9223372036854775808,a", "type:id"),
        ("below the range", "-1,a", "range:id"),
        ("null in what must not be", ",a", "null:id"),
    ],
)
def test_csv_by_the_letter(name: str, record: str, expected: Any) -> None:
    columns = {"id": {"type": "bigint", "nullable": False, "min": 0}, "name": {}}
    block = of("csv", [record], columns)
    if isinstance(expected, str):
        assert reasons(block, 1) == [[expected]], name
    elif expected is None:
        assert json.loads(rows(block)[0][1]) == {"type": "Point", "coordinates": [102.0, 0.5]}
    else:
        assert rows(block) == [expected], name


def is_json(record: str) -> bool:
    """Whether a line is one JSON object by the letter, with each field once."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in pairs}) < len(pairs):
            raise ValueError
        return dict(pairs)

    def no(_: str) -> None:
        raise ValueError

    try:
        return isinstance(json.loads(record, object_pairs_hook=once, parse_constant=no), dict)
    except ValueError:
        return False


JSON_LINES = [
    *[
        '{"a":"\\u0060\\u012a\\u12AB"}',
        '{"a":"\\uD801\\udc37"}',
        '{"a":"\\"\\\\\\/\\b\\f\\n\\r\\t"}',
        '{"a":"a/*b*/c"}',
    ],
    *['{"a":"\u2028"}', '{"a":"\\u0000"}', '{"a":""}', ' {"a":"b"} ', '{"a" : "b"}', '{"a":null}', "{}", '{"a":"€𝄞"}'],
    *['{"a":"b",}', '{"a":"b"', '{"a"}', '{"a":}', '{a:"b"}', "{'a':'b'}", '{"a":"b"}#', '{"a":"b"}/**/', '{"a":b}'],
    *[
        '{"a":"\t"}',
        '{"a":"\\x00"}',
        '{"a":"\\u12"}',
        '{"a":"new\\',
        '{,"a":"b"}',
        '{"a":"b",,}',
        '{"a":"b"}}',
        '{"a" "b"}',
    ],
    *[
        '["a"]',
        '"a"',
        "a",
        "1",
        "true",
        "null",
        "[]",
        "",
        "\ufeff{}",
        '{"a":"b","a":"c"}',
        '{"a":"b"}{"a":"c"}',
        "{{}}",
    ],
    *[
        '{"a":"b"};',
        '{"a":nul}',
        '{"a":True}',
        '{"a":NaN}',
        '{"a":"x" "y"}',
        '{"a":"b"] ',
        '{"a":"b"}\x00',
        '{"\x00":"b"}',
    ],
]


@pytest.mark.parametrize("record", JSON_LINES, ids=repr)
def test_json_by_the_letter(record: str) -> None:
    found = reasons(of("json", [record], {"a": {}}), 1)[0]
    if is_json(record):
        assert found == []
        assert rows(of("json", [record], {"a": {}})) == [(json.loads(record).get("a"),)]
    else:
        assert found


@pytest.mark.parametrize("number", ["0", "-0", "1", "123", "1.5", "1e2", "1E-2", "-1.5e+3", "123.456e78"])
def test_json_numbers_are_those_of_python(number: str) -> None:
    assert rows(of("json", [f'{{"x":{number}}}'], {"x": {"type": "double"}})) == [(json.loads(number),)]


@pytest.mark.parametrize(
    "number", ["+1", "01", "1.", ".5", "1e", "0x1", "1_0", "NaN", "Infinity", "-Inf", "1 2", "--1", "1e400"]
)
def test_what_is_no_json_number_is_refused(number: str) -> None:
    records = [f'{{"x":{number}}}', '{"x":1}', f'{{"y":[{number}]}}']
    block = of("json", records, {"x": {"type": "double"}, "y": {"type": "array<double>"}})
    assert [bool(found) for found in reasons(block, 3)] == [True, False, True]


def test_numbers_too_large_for_their_type_are_not_infinite() -> None:
    columns = {"x": {"type": "double"}, "y": {"type": "float"}, "n": {"type": "bigint", "max": 10}}
    lines = ["1e400,1,1", "1,1e39,1", "inf,-Infinity,1", "1,1,9007199254740993"]
    assert reasons(of("csv", lines, columns), 4) == [["type:x"], ["type:y"], [], ["range:n"]]
    found = reasons(of("json", ['{"y":1e39}', '{"y":1e38}'], columns), 2)
    assert found == [["type:y"], []]


def test_decimals_have_no_more_digits_than_their_type() -> None:
    columns = {"x": {"type": "decimal(5,2)"}}
    given = ["123.45", "1234.5", "99999", "-1e3", "999.99", "0.01"]
    expected = [[], ["type:x"], ["type:x"], ["type:x"], [], []]
    assert reasons(of("csv", given, columns), 6) == expected
    assert reasons(of("json", [f'{{"x":{x}}}' for x in given], columns), 6) == expected
    nested = {"x": {"type": "array<decimal(5,2)>"}}
    assert reasons(of("json", [f'{{"x":[1,{x}]}}' for x in given], nested), 6) == expected


def test_escapes_other_than_doubled_quotes() -> None:
    columns = {"id": {"type": "bigint"}, "name": {}}
    assert rows(of("csv", ['1,"a\\"b"', "2,c"], columns, escape="\\")) == [(1, 'a"b'), (2, "c")]


def test_nested_json() -> None:
    columns = {"a": {"type": "struct<b:array<int>,c:decimal(4,2)>"}}
    block = of("json", ['{"a":{"b":[1,2],"c":1.25}}', '{"a":{"b":["x"]}}', '{"a":{"d":1}}', '{"a":null}'], columns)
    assert block.columns[0][0].as_py() == {"b": [1, 2], "c": Decimal("1.25")}
    assert [found[:1] for found in reasons(block, 4)] == [[], ["type:a"], ["type:a"], []]


def test_all_that_is_wrong_is_said_once() -> None:
    columns = {"id": {"type": "int", "nullable": False}, "x": {"type": "double", "max": 1}, "c": {"values": ["a", "b"]}}
    block = of("csv", ["one,2,z", ",,", "1,1,a", "2,3,c"], columns)
    assert reasons(block, 4) == [["type:id"], ["null:id"], [], ["range:x", "values:c"]]
    assert block.reasons[3] == [("range:x", "x <= 1"), ("values:c", "c in (a, b)")]


TEXTS_OF_VALUES = [
    "",
    *[
        "1",
        "-7",
        "1.5",
        "bad",
        "1e3",
        "Inf",
        "nan",
        "0x1",
        "99999999999",
        "-0",
        "1_0",
        "٣",
        "1d",
        "+1",
        "-",
        ".",
        "true",
    ],
]
JSON_VALUES = [
    '"a"',
    '"ä"',
    '"1"',
    *["1", "-7", "1.5", "1e3", "99999999999", "-0", "128", "1.0", "true", "null", "[1]", "{}"],
]


@pytest.mark.parametrize("kind", ["csv", "json", "xml"])
def test_what_is_reported_without_the_parser_is_what_it_tells(kind: str) -> None:
    """Each record alone, by halving, and all together: with what shows without the parser, and without that."""
    types = ["int", "tinyint", "bigint", "double", "float", "boolean", "string", "date", "decimal(6,2)", "array<int>"]
    columns = {f"c{i}": {"type": one} for i, one in enumerate(types)}
    if kind == "csv":
        columns.pop("c9")
    draw, records = np.random.default_rng(1), []
    for _ in range(600):
        good = {n: "null" if kind == "json" else {"c5": "true", "c7": "2026-01-01"}.get(n, "1") for n in columns}
        odd = JSON_VALUES if kind == "json" else TEXTS_OF_VALUES
        values = {n: str(draw.choice(odd)) if draw.random() < 0.1 else value for n, value in good.items()}
        if kind == "json":
            records.append("{" + ", ".join(f'"{n}": {v}' for n, v in values.items()) + "}")
        elif kind == "xml":
            records.append(f"<r>{''.join(f'<{n}>{v}</{n}>' for n, v in values.items())}</r>")
        else:
            records.append(",".join(values.values()))
    options = {"row_tag": "r"} if kind == "xml" else {}
    quick = of(kind, records, columns, **options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "FEW", 0)
        slow = of(kind, records, columns, **options)
    assert quick.reasons == slow.reasons
    assert 100 < len(quick.reasons) < 550
    assert [repr(c.to_pylist()) for c in quick.columns] == [repr(c.to_pylist()) for c in slow.columns]


def test_a_bad_record_costs_no_more_than_halving() -> None:
    """One bad record among many is found without reading each alone."""
    rng = np.random.default_rng(0)
    lines = [f"{i},{x}" for i, x in enumerate(rng.random(5000))]
    lines[1234] = "bad"
    block = of("csv", lines, {"id": {"type": "int"}, "x": {"type": "double"}})
    assert list(block.reasons) == [1234]
    assert block.columns[0].null_count == 1
