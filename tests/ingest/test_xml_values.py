"""Elements as values: what XML and its schemas mean by a text, and nothing where a value has no place."""

from __future__ import annotations

import math
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landed import of, reasons, rows

UTC = timezone.utc


def value(kind: str, element: str, **options: Any) -> Any:
    """What the element or attribute in `<r>` is as a column `v`, or the reasons against it."""
    block = of("xml", [element], {"v": {"type": kind}}, row_tag="r", **options)
    return reasons(block, 1)[0] if block.reasons else rows(block)[0][0]


def text(kind: str, content: str, **options: Any) -> Any:
    """What a text is as a value: the same in an element and, as `_v`, in an attribute."""
    found = value(kind, f"<r><v>{content}</v></r>", **options)
    block = of("xml", [f'<r v="{content}"/>'], {"_v": {"type": kind}}, row_tag="r", **options)
    attribute = ["type:v"] if block.reasons else rows(block)[0][0]
    assert repr(found) == repr(attribute)
    return found


BAD = ["type:v"]
NUMBERS = [
    *[("bigint", "7", 7), ("bigint", "+7", 7), ("bigint", "-007", -7), ("bigint", " \n7\t", 7), ("bigint", "0", 0)],
    *[("bigint", "-0", 0), ("bigint", "9223372036854775807", 2**63 - 1), ("bigint", "9223372036854775808", BAD)],
    *[
        ("bigint", "7.0", BAD),
        ("bigint", "7.", 7),
        ("bigint", "7e0", BAD),
        ("bigint", "0x7", BAD),
        ("bigint", "7 8", BAD),
    ],
    *[
        ("bigint", "- 7", BAD),
        ("bigint", "--7", BAD),
        ("bigint", "+", BAD),
        ("bigint", "٣", BAD),
        ("bigint", "1_0", BAD),
    ],
    *[("tinyint", "127", 127), ("tinyint", "128", BAD), ("int", "1,000", BAD), ("bigint", "\u00a07", BAD)],
    *[("double", "1.5", 1.5), ("double", ".5", 0.5), ("double", "5.", 5.0), ("double", "+1.5E+3", 1500.0)],
    *[("double", "-.5e-1", -0.05), ("double", "00.50", 0.5), ("double", "1e400", BAD), ("double", ".", BAD)],
    *[
        ("double", "e5", BAD),
        ("double", "", None),
        ("double", "1.5f", BAD),
        ("double", "1.5.", BAD),
        ("double", "-", BAD),
    ],
    *[("double", "NaN", BAD), ("double", "INF", BAD), ("double", "-Infinity", BAD), ("double", "null", BAD)],
    *[("decimal(5,2)", "1.25", Decimal("1.25")), ("decimal(5,2)", "+001.5", Decimal("1.50"))],
    *[("decimal(5,2)", "1.255", BAD), ("decimal(5,2)", "1234.5", BAD), ("decimal(5,2)", ".5", Decimal("0.50"))],
    *[("boolean", "true", True), ("boolean", "0", False), ("boolean", " 1 ", True), ("boolean", "TRUE", BAD)],
    *[("boolean", "yes", BAD), ("boolean", "", None), ("bigint", "true", BAD)],
]


@pytest.mark.parametrize(("kind", "content", "expected"), NUMBERS, ids=repr)
def test_numbers_and_booleans_in_the_forms_of_xml(kind: str, content: str, expected: Any) -> None:
    assert repr(text(kind, content)) == repr(expected)


@given(
    st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**63), 2**63 - 1), st.sampled_from(["", "+", "0"])
)
def test_numbers_that_python_writes(x: float, n: int, sign: str) -> None:
    sign = sign if math.copysign(1, x) > 0 else ""
    assert repr(value("double", f"<r><v>{sign}{x!r}</v></r>")) == repr(x)
    assert value("bigint", f"<r><v>{n}</v></r>") == n


def test_a_number_of_many_zeros_takes_no_time() -> None:
    zeros = "0" * 10**6
    assert value("bigint", f"<r><v>{zeros}7</v></r>") == 7
    assert value("bigint", f"<r><v>{zeros}x</v></r>") == BAD


@pytest.mark.parametrize(
    ("kind", "content", "zone", "expected"),
    [
        ("date", "2026-02-28", "UTC", date(2026, 2, 28)),
        ("date", " 2026-02-28\n", "UTC", date(2026, 2, 28)),
        ("date", "2026-02-29", "UTC", BAD),
        ("timestamp", "2026-07-01T12:00:00Z", "UTC", datetime(2026, 7, 1, 12, tzinfo=UTC)),
        ("timestamp", "2026-07-01T12:00:00.5+02:00", "UTC", datetime(2026, 7, 1, 10, 0, 0, 500_000, tzinfo=UTC)),
        ("timestamp", "2026-07-01T12:00:00", "Europe/Berlin", datetime(2026, 7, 1, 10, tzinfo=UTC)),
        ("timestamp", "2026-03-29T02:30:00", "Europe/Berlin", BAD),
        ("timestamp_ntz", "2026-03-29T02:30:00", "Europe/Berlin", datetime(2026, 3, 29, 2, 30)),
        ("timestamp_ntz", "2026-07-01T12:00:00Z", "UTC", BAD),
        ("timestamp", "", "UTC", None),
        ("timestamp", "yesterday", "UTC", BAD),
    ],
)
def test_dates_and_times(kind: str, content: str, zone: str, expected: Any) -> None:
    assert text(kind, content, time_zone=zone) == expected


SIGNS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=10)


@given(SIGNS, st.booleans())
def test_texts_are_what_was_written(content: str, in_cdata: bool) -> None:
    written = "<![CDATA[" + content.replace("]]>", "]]]]><![CDATA[>") + "]]>" if in_cdata else escape(content)
    expected = content or None
    assert value("string", f"<r><v>{written}</v></r>") == expected
    block = of("xml", [f"<r v={quoteattr(content)}/>"], {"_v": {}}, row_tag="r")
    assert rows(block) == [(expected,)]


@pytest.mark.parametrize(
    ("kind", "element", "expected"),
    [
        ("string", "<r><v>a\r\nb\rc</v></r>", "a\nb\nc"),
        ("string", "<r><v> a </v></r>", " a "),
        ("string", "<r><v>&#128512;&amp;&apos;</v></r>", "😀&'"),
        ("string", "<r><v>a<!-- b -->c<?d e?>f</v></r>", "acf"),
        ("string", "<r><v/></r>", None),
        ("string", "<r/>", None),
        ("string", "<r><v xsi:nil='true'/></r>", None),
        ("bigint", "<r><v xsi:nil='1'></v></r>", None),
        ("bigint", "<r><v xsi:nil='false'>1</v></r>", 1),
        ("string", "<r><v xml:lang='de' xmlns:x='urn:x' xsi:type='x:s'>a</v></r>", "a"),
        ("string", "<r><v a='1'>a</v></r>", BAD),
        ("string", "<r><v>a<b/></v></r>", BAD),
        ("bigint", "<r><v>1</v><v>2</v></r>", ["syntax"]),
        ("bigint", "<r><v>1</v><V>2</V></r>", ["drift:V"]),
        ("bigint", "<r><x:v>1</x:v></r>", ["drift:x:v"]),
        ("bigint", "<r a='1'><v>1</v></r>", ["drift:_a"]),
        ("bigint", "<r>text<v>1</v></r>", ["drift:_VALUE"]),
        ("bigint", "<r>\u00a0<v>1</v></r>", ["drift:_VALUE"]),
        ("bigint", "<r xmlns='urn:r' xml:space='preserve'> <v>1</v>\n</r>", 1),
        ("bigint", "<r><v>1</v><w><x/></w></r>", ["drift:w"]),
        ("bigint", "<r><v>one</v><w/></r>", ["drift:w", "type:v"]),
        ("array<bigint>", "<r><v>1</v><w/><v>2</v></r>", ["drift:w"]),
        ("array<bigint>", "<r><v>1</v><v/><v>+2</v></r>", [1, None, 2]),
        ("array<bigint>", "<r><v>1</v></r>", [1]),
        ("array<bigint>", "<r/>", None),
        ("array<bigint>", "<r><v>1</v><v>b</v></r>", BAD),
        ("array<string>", "<r><v>a</v><v a='1'>b</v></r>", BAD),
        ("struct<_a:int,_VALUE:double>", "<r><v a='1'>2.5</v></r>", {"_a": 1, "_VALUE": 2.5}),
        ("struct<_a:int,_VALUE:double>", "<r><v a='1'/></r>", {"_a": 1, "_VALUE": None}),
        ("struct<_a:int,_VALUE:double>", "<r><v>x</v></r>", BAD),
        ("struct<_a:int,b:int>", "<r><v a='1'><b>2</b></v></r>", {"_a": 1, "b": 2}),
        ("struct<_a:int,b:int>", "<r><v a='1'><b>2</b><b>3</b></v></r>", ["syntax"]),
        ("struct<_a:int,b:int>", "<r><v a='1'><c>2</c></v></r>", BAD),
        ("struct<_a:int,b:int>", "<r><v a='1'>text</v></r>", BAD),
        ("struct<b:int>", "<r><v xsi:nil='true'/></r>", None),
        ("struct<b:array<struct<c:int>>>", "<r><v><b><c>1</c></b><b/></v></r>", {"b": [{"c": 1}, {"c": None}]}),
        ("array<struct<_a:int>>", "<r><v a='1'/><v a='2'/></r>", [{"_a": 1}, {"_a": 2}]),
    ],
)
def test_elements_as_values(kind: str, element: str, expected: Any) -> None:
    assert value(kind, element) == expected


def test_names_are_taken_as_they_are_written() -> None:
    columns = {"p:v": {"type": "int"}, "_p:a": {}, "_VALUE": {}}
    assert rows(of("xml", ["<p:r p:a='x'>t<p:v>1</p:v></p:r>"], columns, row_tag="p:r")) == [(1, "x", "t")]


def test_what_stands_for_null() -> None:
    assert text("bigint", "n/a", null_value="n/a") is None
    assert text("string", "n/a", null_value="n/a") is None
    assert text("string", "", null_value="n/a") == ""
    assert text("bigint", "", null_value="n/a") == BAD
    assert value("string", "<r><v/></r>", null_value="n/a") == ""


NOT_ONE = [
    "<r><v>1</v></r><r><v>2</v></r>",
    "<r><v>1</v></r>text",
    "<r><v>1</v></r><s/>",
    "<r><v>1</v>",
    "<r><v>1</w></r>",
    "<r><v>1</v></r></_><_>",
    "<r><v>1</v></_></r>",
    "<s><v>1</v></s>",
    "<rx><v>1</v></rx>",
    "text",
    "",
    "<r><v>&undeclared;</v></r>",
    "<r><v>\x01</v></r>",
    "<r a='1' a='2'/>",
    "<!DOCTYPE r [<!ENTITY v '1'>]><r><v>&v;</v></r>",
    b"<r><v>\xff</v></r>",
    b"<r><v>\xed\xa0\x80</v></r>",
]


@pytest.mark.parametrize("record", NOT_ONE, ids=repr)
def test_what_is_not_one_element_is_bad_whatever_stands_next_to_it(record: str) -> None:
    good, nothing = "<r><v>1</v></r>", "<!-- nothing -->"
    block = of("xml", [good, record, nothing, good, "<r>", "</r>"], {"v": {"type": "int"}}, row_tag="r")
    assert [bool(found) for found in reasons(block, 6)] == [False, True, True, False, True, True]
    assert [row for i, row in enumerate(rows(block)) if i in (0, 3)] == [(1,), (1,)]


ODD = [
    *NOT_ONE,
    "<r/>",
    "<r><v>1</v></r>",
    "<r><v>x</v></r>",
    "<r><w/></r>",
    "<r>",
    "</r>",
    "</r><r>",
    "<r><!--",
    "--></r>",
]


@given(st.lists(st.sampled_from(ODD), max_size=8))
def test_an_element_is_read_alone_as_among_others(records: list[str]) -> None:
    columns = {"v": {"type": "int"}}
    together = rows(of("xml", records, columns, row_tag="r"))
    assert repr(together) == repr([rows(of("xml", [record], columns, row_tag="r"))[0] for record in records])
