"""Damaged XML: no record is lost without a trace, and none is accepted that was not there."""

from __future__ import annotations

import random
import re
from functools import cache
from xml.sax import SAXParseException

import pytest
from documents import COLUMNS, document, records

from landed import cut, of, rows
from traintable.ingest.formats.xml_records import XmlRecords

HIDDEN = re.compile(rb"<!--.*?-->|<\?.*?\?>|<!\[CDATA\[.*?\]\]>|<!DOCTYPE.*?>", re.DOTALL)
DOCUMENT = """<?xml version="1.0"?>
<!-- made by <r>nobody</r> -->
<rows at="2026-01-01" by='a "b" &gt; c'>
  <r a="1" b='>'><id>1</id><name>one</name></r>
  <head><x>1</x></head>
  <r a="2"><id>2</id><name>t<![CDATA[<r>w</r>]]>o</name><!-- <r> --></r><r a="3"><id>3</id></r>
  <?pi <r>?>
  <wrap n="1"><r a="4" b="/&gt;"><id>4</id><name>&lt;f&#246;ur&amp;ä</name><r a="inner"><id>44</id></r></r></wrap>
  <r a="5"/>
  <![CDATA[</r>]]>
  <r
    a = "6"  ><id>6</id><name/></r >
</rows>
"""


@cache
def whole(content: bytes) -> list[tuple[bytes, tuple[object, ...]]]:
    """The records of a whole document, with their values."""
    raws = [raw for raw, _ in cut(XmlRecords("r", 2**20), content)]
    return list(zip(raws, (one.row() for one in records(content)), strict=True))


def judge(original: bytes, content: bytes, at: int, what: object) -> None:
    """Hold what is made of a document that was damaged at `at` against what it was.

    Where it is a document again, its records are those of the oracle. Where it is none, something bad is reported; a
    record that was not touched is accepted as it was, or stands in a bad one, or in what the damage has made a comment
    of; and none is accepted that was not there, but one that the damage is in, or that it has freed.
    """
    before = whole(original)
    try:
        found = [raw for raw, _ in cut(XmlRecords("r", 2**20), content, [random.Random(at).randrange(1, 99)])]
    except OSError:  # the file is reported
        return
    block = of("xml", found, COLUMNS, row_tag="r")
    accepted = {raw: row for i, (raw, row) in enumerate(zip(found, rows(block), strict=True)) if i not in block.reasons}
    bad = [found[i] for i in block.reasons]
    try:
        expected = [one.row() for one in records(content)]
    except SAXParseException:
        assert bad, what
    except ValueError:  # an inner id that is no number any more, which our oracle can't do
        return
    else:  # another document, but a document: all of its records and nothing else
        assert len(found) == len(expected), what
        assert list(accepted.values()) == [row for i, row in enumerate(expected) if i not in block.reasons], what
        return
    known = dict(before)
    touched = [raw for raw in known if raw not in content]
    for raw, row in accepted.items():
        start = content.find(raw)
        is_altered = start <= at <= start + len(raw)
        was_hidden = any(raw in one for one in touched) or raw in hidden(original)  # by a tag, or a sign, that is lost
        assert row == known.get(raw) or is_altered or was_hidden, (what, raw)
    for raw in known:
        is_hidden = raw in hidden(content) and "document" in str(list(block.reasons.values()))
        assert raw in accepted or raw in touched or any(raw in one for one in bad) or is_hidden, (what, raw)


def hidden(content: bytes) -> bytes:
    """What is no part of the document: comments, instructions and CDATA, also those that damage has made."""
    return b" ".join(HIDDEN.findall(content))


def damaged(content: bytes, at: int, kind: str, other: int) -> bytes:
    if kind == "delete":
        return content[:at] + content[at + 1 :]
    one = bytes([other])
    return content[:at] + one + content[at + (kind == "flip") :]


SIGNS = b"<>/?!-[]\"'&;= \nrax1\x00\xff"


def test_a_byte_that_is_changed_lost_or_added() -> None:
    content, rng = DOCUMENT.encode(), random.Random(0)
    for case in range(700):
        at, kind, other = rng.randrange(len(content)), rng.choice(["flip", "delete", "insert"]), rng.choice(SIGNS)
        judge(content, damaged(content, at, kind, other), at, (case, at, kind, other))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["flip", "delete", "insert"])
def test_each_byte_that_is_changed_lost_or_added(kind: str) -> None:
    content = DOCUMENT.encode()
    for at in range(len(content)):
        for other in SIGNS if kind != "delete" else b" ":
            judge(content, damaged(content, at, kind, other), at, (at, kind, other))


def test_documents_by_chance_that_are_damaged() -> None:
    for seed in range(150):
        rng = random.Random(seed)
        content = document(rng, 6).encode()
        at, kind, other = rng.randrange(len(content)), rng.choice(["flip", "delete", "insert"]), rng.choice(SIGNS)
        judge(content, damaged(content, at, kind, other), at, (seed, at, kind, other))


def test_what_was_cut_off_is_never_just_missing() -> None:
    content = DOCUMENT.encode()
    before = whole(content)
    inner = content[content.index(b'<r a="inner"') :][:28]
    end = content.index(b"</rows>") + len("</rows>")
    for n in range(1, end):
        found = [raw for raw, _ in cut(XmlRecords("r", 2**20), content[:n], [64])]
        block = of("xml", found, COLUMNS, row_tag="r")
        assert block.reasons, n
        # One within another that has lost its end is a record.
        good = [row for i, row in enumerate(rows(block)) if i not in block.reasons and found[i] != inner]
        assert good == [row for _, row in before][: len(good)], n
        is_whole = [raw for raw, _ in before if content.index(raw) + len(raw) <= n]
        assert len(good) == len(is_whole), n
