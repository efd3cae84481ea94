"""The cases that well-known collections try readers with, written anew; the verdict is that of Python's own modules.

CSV after csv-spectrum; JSON after JSONTestSuite, whose y_ cases are to be accepted, n_ refused, and i_ left to the
reader; an object in one line each, so that what is no object there is the value of `v` here.
"""

from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

import pytest
from landed import cut, of, reasons, rows

from traintable.ingest.landing.text.csv_records import CsvRecords

SPECTRUM = {
    "comma in quotes": 'first,last,address,city,zip\nJane,Roe,12 Any St.,"Anytown, XX",12345\n',
    "empty": 'a,b,c\n1,"",""\n2,3,4\n',
    "escaped quotes": 'a,b\n1,"so ""they"" say"\n3,4\n',
    "json": 'key,val\n1,"{""type"": ""Point"", ""coordinates"": [102.0, 0.5]}"\n',
    "coordinates": 'id,coordinates\n1,"(52.5, 13.4)"\n2,"52°31\'12.0""N"\n',
    "newlines": 'a,b,c\n1,2,3\n"Once upon \na time",5,6\n7,8,9\n',
    "quotes and newlines": 'a,b\n1,"so \n""they"" \nsay"\n3,4\n',
    "simple": "a,b,c\n1,2,3\n",
    "beyond ASCII": "a,b,c\n1,2,3\n4,5,ʤ\n",
    "no end of the last line": 'a,b\n1,"2"',
}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=repr)
@pytest.mark.parametrize("name", SPECTRUM)
def test_csv(name: str, end: str) -> None:
    text = SPECTRUM[name].replace("\n", end)
    names, *table = list(csv.reader(io.StringIO(text, newline="")))
    header, *records = [raw for raw, _ in cut(CsvRecords(",", '"', '"', "utf-8", 2**20), text.encode(), [3])]
    assert header.decode() == ",".join(names)
    block = of("csv", records, {column: {} for column in names}, null_value="\\N")
    assert rows(block) == [tuple(row) for row in table]


STRINGS_Y = [
    *[
        r'"\u0060\u012a\u12AB"',
        r'"\uD801\udc37"',
        r'"\ud83d\ude39\ud83d\udc8d"',
        r'"\"\\\/\b\f\n\r\t"',
        r'"\\u0000"',
        r'"\""',
    ],
    *[
        '"a/*b*/c/*d//e"',
        r'"\\a"',
        r'"\\n"',
        r'"\u0012"',
        r'"\uFFFF"',
        '"asd"',
        r'"\uDBFF\uDFFF"',
        r'"new\u00A0line"',
        '"\U0010ffff"',
    ],
    *[
        '"\uffff"',
        r'"\u0000"',
        r'"\u002c"',
        '"π"',
        '"\U0001bfff"',
        '"€𝄞"',
        r'" "',
        r'"\uD834\uDd1e"',
        r'"\u0821"',
        r'"\u0123"',
    ],
    *[
        '"\u2028"',
        '"\u2029"',
        r'"\u0061\u30af\u30EA\u30b9"',
        '"new\x7fline"',
        r'"\uA66D"',
        '"⍂㈴⍂"',
        r'"\u005C"',
        r'"\u0022"',
        '"\x7f"',
    ],
    *[r'"\uDBFF\uDFFE"', r'"\u200B"', r'"\u2064"', r'"\uFDD0"', r'"\uFFFE"', '"€"', '"aa\x7faa"', '""'],
]
NUMBERS_Y = [
    "123e65",
    "0e+1",
    "0e1",
    " 4",
    "-0",
    "-0.0",
    "-123",
    "-1",
    "1E22",
    "1E-2",
    "1E+2",
    "123e45",
    "123.456e78",
    "1e-2",
]
NUMBERS_Y += [
    "1e+2",
    "123",
    "123.456789",
    "20e1",
    "-0.000000000000000000000000000000000000000000000000000000000000000000000000000001",
]
NUMBERS_N = [
    "++1234",
    "+1",
    "+Inf",
    "-01",
    "-1.0.",
    "-2.",
    "-NaN",
    ".-1",
    ".2e-3",
    "0.1.2",
    "0.3e+",
    "0.3e",
    "0.e1",
    "0E+",
    "0E",
    "0e+",
]
NUMBERS_N += [
    "0e",
    "1.0e+",
    "1.0e-",
    "1.0e",
    "1 000.0",
    "1eE2",
    "2.e+3",
    "2.e-3",
    "2.e3",
    "9.e+",
    "Inf",
    "NaN",
    "\uff11",
    "1+2",
    "0x1",
]
NUMBERS_N += [
    "0x42",
    "Infinity",
    "0e+-1",
    "-123.123foo",
    "123.",
    "1a",
    "-Infinity",
    "-foo",
    "- 1",
    "-012",
    "-.123",
    "-1x",
    "1ea",
    "1e\x00",
]
NUMBERS_N += ["2.", ".123", "1.2a-3", "1.8011670033376514H-308", "012", "-", "-a", "1_000", "1e5\xe5"]
STRINGS_N = [
    *[
        r'"\uD800\u"',
        r'"\uD800\u1"',
        r'"\uD800\u1x"',
        "é",
        '"\\\x00"',
        r'"\x00"',
        r'"\\\"',
        '"\\\t"',
        '"\\🌀"',
        r'"\"',
        r'"\u00A"',
    ],
    *[
        r'"\uD834\uDd"',
        r'"\uD800\uD800\x"',
        r'"\a"',
        r'"\uqqqq"',
        r"\u0020" + '"asd"',
        r"\n",
        '"',
        "'single quote'",
        "abc",
        '"\\',
    ],
    *['"a\x00a"', '"new\tline"', '"\t"', r'"\UA66D"', '"x"x', '"a\x1fb"', '"asd', r'["asd]'],
]
ARRAYS_Y = [
    "[]",
    "[1]",
    "[ ]",
    "[1,2]",
    "[1 ]",
    " [1]",
    "[1,null,null,2]",
    "[null]",
    "[3,  4]",
    "[\t1]",
    "[-0, 0]",
    "[2] ",
    "[[]]",
][:12]
ARRAYS_N = [
    "[1 true]",
    '["": 1]',
    "[1],",
    "[,1]",
    "[1,,2]",
    "[1,,]",
    "[1]]",
    "[1,]",
    "[1",
    "[x",
    "[3[4]]",
    "[,]",
    "[-]",
    "[   , 1]",
    "[1,",
]
ARRAYS_N += [
    "[*]",
    "[1\n"[:2],
    "[1}",
    "[1][",
    "[nul]",
    "[tru]",
    "[\f1]",
    "[\u20601]",
    "[1 2]",
    "[1:2]",
    "[-Infinity]",
    "[NaN, 1]",
    "[1_0]",
]
OBJECTS_Y = [
    '{"asd":"sdf", "dfg":"fgh"}',
    '{"asd":"sdf"}',
    "{}",
    '{"foo\\u0000bar": "42"}',
    '{"min": "-1.0e+28", "max": "1.0e+28"}',
]
OBJECTS_Y += [
    '{"title":"\\u041f\\u043e\\u043b\\u0442\\u043e\\u0440\\u0430" }',
    '{"x":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}',
    ' {"a":"b"} ',
    '{"a":null}',
]
OBJECTS_N = [
    '["x", truth]',
    '{"x", null}',
    '{"x"::"b"}',
    "{🇨🇭}",
    '{"a":"a" 123}',
    "{key: 'value'}",
    '{"a" b}',
    '{:"b"}',
    '{"a" "b"}',
    '{"a":',
]
OBJECTS_N += [
    '{"a"',
    "{1:1}",
    "{9999E9999:1}",
    "{null:null,null:null}",
    '{"id":0,,,,,}',
    "{'a':0}",
    '{"id":0,}',
    '{"a":"b"}/**/',
    '{"a":"b"}/**//',
]
OBJECTS_N += [
    '{"a":"b"}//',
    '{"a":"b"}/',
    '{"a":"b",,"c":"d"}',
    '{a: "b"}',
    '{"a":"a',
    '{ "foo" : "bar", "a" }',
    '{"a":"b"}#',
    " ",
    "<.>",
    "[<null>]",
]
OBJECTS_N += [
    '{"a": true} "x"',
    "[1]x",
    '{"asd":"asd"',
    "\xe5",
    "[True]",
    "]",
    "{]",
    "\u2060",
    "\ufeff",
    "{}}",
    "{",
    "[a",
    '["a',
    "*",
    "{,",
    '{"a',
    "{'a'",
]
OBJECTS_N += [
    "[,",
    "[{",
    '["asd"]',
    "nul",
    '["a",\n4\n,1'[:5],
    '{"":',
    '{"a":"b"}\f',
    "\x0b{}",
    "{}\u00a0",
    "{\x00}",
    "{\f}",
    "é",
    '{"a":/*comment*/"b"}',
    "#{}",
    "123",
    "fals",
]


def verdict(record: str) -> Any:
    """What Python has for the object that a line is; ValueError where it is none."""

    def refuse(name: str) -> None:
        raise ValueError(name)

    found = json.loads(record, parse_constant=refuse)
    if not isinstance(found, dict):
        raise ValueError("no object")
    return found


def judged(record: str, kind: str) -> Any:
    """What becomes of a line, each name in which is declared; None where it is refused."""
    try:
        names = list(verdict(record)) or ["v"]
    except ValueError:
        names = ["v", "a", "x", "id", "asd", "foo", ""]
    block = of("json", [record], {name: {"type": kind} for name in names})
    return None if block.reasons else dict(zip(names, rows(block)[0], strict=True))


ACCEPTED = [
    *[(f'{{"v":{one}}}', "string") for one in STRINGS_Y],
    *[(f'{{"v":{one}}}', "double") for one in NUMBERS_Y],
    *[(f'{{"v":{one}}}', "array<bigint>") for one in ARRAYS_Y],
    *[(f'{{"v":{one}}}', "boolean") for one in ("true", "false", "null", "true ", "\tfalse")],
    *[(one, "string") for one in OBJECTS_Y],
]
REFUSED = [
    *[(f'{{"v":{one}}}', "double") for one in NUMBERS_N],
    *[(f'{{"v":{one}}}', "string") for one in STRINGS_N],
    *[(f'{{"v":{one}}}', "array<bigint>") for one in ARRAYS_N],
    *[(one, "string") for one in OBJECTS_N],
    *[(f'{{"v":{one}}}', kind) for one in ("nul", "tru", "True", "fals", "", "TRUE") for kind in ("boolean", "string")],
]


@pytest.mark.parametrize(("record", "kind"), ACCEPTED, ids=ascii)
def test_json_that_is_to_be_accepted(record: str, kind: str) -> None:
    expected = verdict(record) or {"v": None}
    assert judged(record, kind) == float_where(expected, kind)


def float_where(found: dict[str, Any], kind: str) -> dict[str, Any]:
    if kind == "double":  # Python takes -0 for a whole number
        return {name: float(value) for name, value in found.items()}
    return found


def test_json_that_is_to_be_refused() -> None:
    for record, kind in REFUSED:
        with pytest.raises(ValueError, match=r"."):
            verdict(record)
        assert judged(record, kind) is None, record
    for kind in ("double", "string", "array<bigint>"):  # nor beside others
        records = [record for record, one in REFUSED if one == kind]
        among = [one for record in records for one in (record, "{}")]
        found = reasons(of("json", among, {"v": {"type": kind}}), len(among))
        assert [bool(one) for one in found] == [True, False] * len(records)


EITHER: list[tuple[bytes, str]] = [
    *[
        (b'{"v":%s}' % one, "double")
        for one in (b"0.4e00669999999999999999999999999999999", b"-1e+9999", b"1.5e+9999", b"123123e100000")
    ],
    *[
        (b'{"v":%s}' % one, "double")
        for one in (b"123e-10000000", b"-123123123123123123123123123123", b"100000000000000000000", b"-0e-400")
    ],
    *[
        (b'{"v":%s}' % one, "bigint")
        for one in (b"100000000000000000000", b"-237462374673276894279832749832423479823246327846", b"1.0", b"1e2")
    ],
    *[
        (b'{"v":"%s"}' % one, "string")
        for one in (rb"\uDADA", rb"\ud888\u1234", rb"\uD800\n", rb"\uDd1ea", rb"\uD800\uD800", rb"\ud800abc")
    ],
    *[
        (b'{"v":"%s"}' % one, "string")
        for one in (rb"\uDd1e\uD834", rb"\uDFAA", b"\xe6\x97\xa5\xd1\x88\xfa", b"\xf4\xbf\xbf\xbf", b"\x81", b"\xe9")
    ],
    *[
        (b'{"v":"%s"}' % one, "string")
        for one in (b"\xe0\xff", b"\xc0\xaf", b"\xfc\x83\xbf\xbf\xbf\xbf", b"\xfc\x80\x80\x80\x80\x80", b"\xed\xa0\x80")
    ],
    *[
        (b'{"\\uDFAA":0}', "bigint"),
        ("{}".encode("utf-16"), "string"),
        ("{}".encode("utf-16-be"), "string"),
        (b"\xef\xbb\xbf{}", "string"),
    ],
    *[(b'{"v":' + b"[" * n + b"]" * n + b"}", "array<bigint>") for n in (1, 500, 100_000)],
    *[(b'{"v":' + b'{"v":' * n + b"1" + b"}" * n + b"}", "string") for n in (500, 100_000)],
    *[(b'{"v":"a","v":"b"}', "string"), (b'{"v":"a","v":"a"}', "string")],  # y_ there, but which of them?
]


@pytest.mark.parametrize(("record", "kind"), EITHER, ids=lambda one: ascii(one)[:40])
def test_json_of_which_a_reader_may_think_either(record: bytes, kind: str) -> None:
    block = of("json", [record, b"{}"], {"v": {"type": kind}})
    assert 1 not in block.reasons
    if 0 not in block.reasons:
        expected = verdict(record.decode()).get("v")
        found = rows(block)[0][0]
        assert found == (float(expected) if kind == "double" else expected)
        assert not (isinstance(found, float) and math.isinf(found))
