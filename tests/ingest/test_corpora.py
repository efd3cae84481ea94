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
from json_cases import ARRAYS_N, ARRAYS_Y, NUMBERS_N, NUMBERS_Y, OBJECTS_N, OBJECTS_Y, STRINGS_N, STRINGS_Y

from landed import cut, of, reasons, rows
from traintable.ingest.formats.csv_records import CsvRecords

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


def verdict(record: str) -> Any:
    """What Python has for the object that a line is; ValueError where it is none."""

    def refuse(name: str) -> None:
        raise ValueError(name)

    found = json.loads(record, parse_constant=refuse)
    if not isinstance(found, dict):
        raise ValueError("no object")
    return found


def value_of(record: str, kind: str) -> Any:
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
    *[(f'{{"v":{one}}}', kind) for one in ARRAYS_N for kind in ("array<bigint>", "array<double>")],
    *[(one, "string") for one in OBJECTS_N],
    *[(f'{{"v":{one}}}', kind) for one in ("nul", "tru", "True", "fals", "", "TRUE") for kind in ("boolean", "string")],
]


@pytest.mark.parametrize(("record", "kind"), ACCEPTED, ids=ascii)
def test_json_that_is_to_be_accepted(record: str, kind: str) -> None:
    expected = verdict(record) or {"v": None}
    assert value_of(record, kind) == float_where(expected, kind)


def float_where(found: dict[str, Any], kind: str) -> dict[str, Any]:
    if kind == "double":  # Python takes -0 for a whole number
        return {name: float(value) for name, value in found.items()}
    return found


def test_json_that_is_to_be_refused() -> None:
    for record, kind in REFUSED:
        with pytest.raises(ValueError, match=r"."):
            verdict(record)
        assert value_of(record, kind) is None, record
    for kind in ("double", "string", "array<bigint>", "array<double>"):  # nor with others
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
