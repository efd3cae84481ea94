"""XML is cut into the elements that Python's own parser finds, however its bytes arrive and are written."""

from __future__ import annotations

import codecs
import random

import pytest
from documents import COLUMNS, document, records

from landed import cut, in_pieces, of, rows
from traintable.ingest.formats.xml_records import XmlRecords

NARROW = {name: promise for name, promise in COLUMNS.items() if name != "r"}


def cutter(tag: str = "r", max_bytes: int = 2**24) -> XmlRecords:
    return XmlRecords(tag, max_bytes)


@pytest.mark.parametrize("tag", ["r", "p:r", "rows.r-1", "ä"])
def test_the_records_of_well_formed_documents(tag: str) -> None:
    for seed in range(80):
        rng = random.Random(seed)
        text = document(rng, rng.randrange(8), tag)
        content = text.encode()
        expected = records(content, tag)
        for sizes in ([1], [2**20], [rng.randrange(1, 40) for _ in range(5)]):
            found = cut(cutter(tag), content, sizes)
            assert [number for _, number in found] == [one.line for one in expected], (seed, sizes)
            assert cutter(tag).count(in_pieces(content, sizes)) == len(expected)
        columns = {**NARROW, tag: COLUMNS["r"]}
        block = of("xml", [raw for raw, _ in found], columns, row_tag=tag)
        assert rows(block) == [one.row() for one in expected], seed


TEXT = '<?xml version="1.0"{}?>\n<rows>\r\n<r a="ä">\n<id>1</id><name>é</name></r>\n<r><id>2</id></r></rows>'
ENCODINGS = [
    ("utf-8", "", b""),
    ("utf-8", "UTF-8", codecs.BOM_UTF8),
    ("utf-8", "utf-16", b""),  # which it can't be, as the declaration is no UTF-16
    ("utf-16-le", "UTF-16", codecs.BOM_UTF16_LE),
    ("utf-16-be", "UTF-16", codecs.BOM_UTF16_BE),
    ("utf-16-le", "", b""),
    ("utf-16-be", "utf-16", b""),
    ("utf-32-le", "UTF-32", codecs.BOM_UTF32_LE),
    ("iso-8859-1", "ISO-8859-1", b""),
    ("latin-1", "latin1", b""),
    ("windows-1252", "windows-1252", b""),
    ("iso-8859-15", "ISO_8859-15", b""),
]


@pytest.mark.parametrize(("encoding", "declared", "mark"), ENCODINGS)
def test_encodings(encoding: str, declared: str, mark: bytes) -> None:
    text = TEXT.format(f" encoding='{declared}'" if declared else "")
    content = mark + text.encode(encoding)
    expected = [one.row() for one in records(TEXT.format(""))]
    for sizes in ([1], [7, 3], [2**20]):
        found = cut(cutter(), content, sizes)
        assert [number for _, number in found] == [3, 5]
        assert rows(of("xml", [raw for raw, _ in found], COLUMNS, row_tag="r")) == expected


def test_an_encoding_whose_signs_are_of_several_bytes() -> None:
    text = "<?xml version='1.0' encoding='Shift_JIS'?><rows><r><name>表ソ能</name></r></rows>"  # which hold 0x5C
    assert cut(cutter(), text.encode("shift_jis"), [1]) == [("<r><name>表ソ能</name></r>".encode(), 1)]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"<?xml version='1.0' encoding='utf-7'?><r/>", "'utf_7', which is not known"),
        (b"<?xml version='1.0' encoding='rot13'?><r/>", "'rot13', which is not known"),
        (b"<?xml version='1.0' encoding='iso-8859-99'?><r/>", "'iso_8859_99', which is not known"),
        (b"<?xml version='1.0' encoding='windows-1252'?><r>\x81</r>", "bytes that are no windows_1252"),
        ("<?xml version='1.0'?><r/>".encode("utf-16") + b"a", "bytes that are no utf-16"),
        ("<?xml version='1.0'?><r>".encode("utf-16") + b"\0\xd8a\0", "bytes that are no utf-16"),
    ],
)
def test_encodings_that_are_not_taken(content: bytes, found: str) -> None:
    for sizes in ([1], [2**20]):
        with pytest.raises(OSError, match=found):
            cut(cutter(), content, sizes)


BROKEN = {
    "no end": ("<a><r>1<r>2</r></a>", ["<r>1", "<r>2</r>"]),
    "no start": ("<a><r>1</r>2</r><r>3</r></a>", ["<r>1</r>", "2</r>", "<r>3</r>"]),
    "no end, last": ("<a><r>1</r><r>2", ["<r>1</r>", "<r>2"]),
    "no end of the document": ("<a><r>1</r>", ["<r>1</r>", "why"]),
    "no document": ("<a", ["<a"]),
    "a declaration alone": ("<?xml version='1.0'?>", ["<?xml version='1.0'?>"]),
    "a comment that is never closed": ("<a><r>1</r><!-- <r>2</r></a>", ["<r>1</r>", "<!-- <r>2</r></a>"]),
    "another end": ("<a><r>1</r></b>", ["<r>1</r>", "</b>"]),
    "two documents": ("<a><r>1</r></a><a><r>2</r></a>", ["<r>1</r>", "</a><a>", "<r>2</r>"]),
    "a tag in a tag": ("<a <r>1</r> b='2'></a>", ["<a", "<r>1</r>"]),
    "a tag in a value": ("<a b='<r>1</r>'></a>", ["<a b='", "<r>1</r>"]),
    "a record before the declaration": ("<r>1</r><?xml version='1.0'?>", ["<r>1</r>", "<?xml version='1.0'?>"]),
    "text": ("1,2,3\n4,5,6\n", ["1,2,3\n4,5,6"]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_a_record_and_what_is_whole_another(name: str) -> None:
    text, expected = BROKEN[name]
    for sizes in ([1], [2], [2**20]):
        found = [raw.decode() for raw, _ in cut(cutter(), text.encode(), sizes)]
        assert found[:-1] == expected[:-1]
        assert found[-1] == expected[-1] or (found[-1].startswith("<!-- around its records") and expected[-1] == "why")
        block = of("xml", found, {"_VALUE": {}}, row_tag="r")
        assert list(block.reasons) == [
            i for i, raw in enumerate(found) if not (raw[:3] == "<r>" and raw[-4:] == "</r>")
        ]


def test_nothing_and_records_without_a_document() -> None:
    assert [cut(cutter(), content) for content in (b"", b" \n")] == [[], []]
    assert cut(cutter(), b"<r>1</r>\n<!-- <r> -->\n<r>2</r>\n", [1]) == [(b"<r>1</r>", 1), (b"<r>2</r>", 3)]


LONG = {
    "text": "<r><name>" + "x" * 300 + "</name></r>",
    "a value": "<r a='" + "x" * 300 + "'><id>1</id></r>",
    "a value alone": "<r a='" + "x" * 300 + "'/>",
    "tags": "<r>" + "<x>1</x>" * 40 + "</r>",
    "CDATA": "<r><![CDATA[" + "</r><r>" * 50 + "]]></r>",
    "a comment": "<r><!-- " + "</r><r>" * 50 + " --></r>",
    "within": "<r><r>1</r>" + "x" * 300 + "</r>",
    "a start tag": "<r" + " " * 300 + "></r>",
    "an end tag": "<r></r" + " " * 300 + ">",
    "blanks": "<r>" + " " * 300 + "</r>",
}


@pytest.mark.parametrize("name", LONG)
def test_a_record_that_is_too_long_leaves_its_neighbours_alone(name: str) -> None:
    long = LONG[name].encode()
    for max_bytes in (30, 100):
        for sizes in ([1], [13], [50], [2**20]):
            found = cut(cutter(max_bytes=max_bytes), b"<a>\n<r>before</r>\n%b\n<r>after</r>\n</a>" % long, sizes)
            assert found[0] == (b"<r>before</r>", 2)
            assert found[-1] == (b"<r>after</r>", 4)
            if name != "within":  # which may be given as a record too
                assert found[1:-1] == [(long[: max_bytes + 1], 3)]


def test_long_things_around_records_do_no_harm() -> None:
    text = "<a>\n<!-- {0} --><x>{0}</x><x a='{0}'/><![CDATA[{0}]]><?pi {0}?>\n<r>1</r>\n</a>".format("x<r>"[:2] * 300)
    text = text.replace("x<", "xy")
    for sizes in ([1], [13], [2**20]):
        assert cut(cutter(max_bytes=30), text.encode(), sizes) == [(b"<r>1</r>", 3)]


N = 100_000
HOSTILE = {
    "start tags": ("<a>" + "<r>" * N, N),
    "start tags and text": ("<a>" + "<r>1" * N + "</a>", N),
    "end tags": ("<a>" + "</r>" * N + "</a>", N + 1),
    "nested": ("<a>" + "<r>" * N + "</r>" * N + "</a>", 1),
    "quotes": ("<a>" + "<r a='" * N, N),
    "quotes in a tag": ("<a><r " + "'\"" * N + "></r></a>", 1),
    "values in a tag": ("<a><r " + "a='' " * N + "></r></a>", 1),
    "comments": ("<a>" + "<!-- " * N + "</a>", 1),
    "starts of tags": ("<a>" + "<r" * N + "</a>", 1),
    "text": ("<a>" + "<" * N + "</a>", 1),
    "declarations": ("<!DOCTYPE " * N, 1),
    "empty ones": ("<a>" + "<r/>" * N + "</a>", N),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_documents_take_time_by_their_length(name: str) -> None:
    """Anything quadratic would take many minutes."""
    text, n = HOSTILE[name]
    for max_bytes in (1000, 2**24):
        found = [raw for raw, _ in cut(cutter(max_bytes=max_bytes), text.encode(), [2**14])]
        assert len(found) == n or (max_bytes == 1000 and name == "nested")
    if name in ("nested", "quotes in a tag", "values in a tag"):
        assert list(of("xml", found, {"_a": {}}, row_tag="r").reasons) == [0]


BOMB = [
    "<!ENTITY a '" + "x" * 1000 + "'>",
    *(f"<!ENTITY {x} '{f'&{y};' * 10}'>" for y, x in zip("abcdefgh", "bcdefghi", strict=True)),
]
DECLARATIONS = {
    "billion laughs": "<!DOCTYPE a [" + "".join(BOMB) + "]>",
    "a large one": "<!DOCTYPE a [" + BOMB[0] + "]>",
    "a file": "<!DOCTYPE a [<!ENTITY i SYSTEM 'file:///etc/passwd'>]>",
    "parameters": "<!DOCTYPE a [<!ENTITY % i SYSTEM 'http://localhost:1/'> %i;]>",
    "behind a quote": "<!DOCTYPE a SYSTEM 'x>y' [<!ENTITY i '<r>1</r>'>]>",
    "with elements": "<!DOCTYPE a [<!ELEMENT a (r)>]>",
}


@pytest.mark.parametrize("name", DECLARATIONS)
def test_declarations_are_refused(name: str) -> None:
    text = f"<?xml version='1.0'?>{DECLARATIONS[name]}<a>&i;<r>&i;</r></a>"
    for sizes in ([1], [40], [2**20]):
        with pytest.raises(OSError, match="declarations of its own"):
            cut(cutter(), text.encode(), sizes)


def test_a_document_type_elsewhere_is_not_read() -> None:
    text = "<!DOCTYPE a PUBLIC '-//x' 'http://localhost:1/x.dtd'><a><r>&i;</r><r>&lt;</r></a>"
    found = [raw for raw, _ in cut(cutter(), text.encode(), [1])]
    block = of("xml", found, {"_VALUE": {}}, row_tag="r")
    assert (list(block.reasons), rows(block)[1]) == ([0], ("<",))
