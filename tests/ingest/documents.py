"""XML documents by chance, and their records as Python's own SAX parser finds them."""

from __future__ import annotations

import io
import random
import xml.sax
from dataclasses import dataclass, field
from xml.sax.handler import ContentHandler, feature_external_ges
from xml.sax.xmlreader import AttributesImpl, Locator

COLUMNS = {
    "id": {"type": "bigint"},
    "name": {},
    "_a": {},
    "_b": {},
    "r": {"type": "array<struct<id:bigint,_a:string>>"},
}
ENDS = ["\n", "\r\n", "\r"]
NAMES = [
    "plain",
    "a &amp; b",
    "&lt;r&gt;",
    "&#228;&#x20ac;",
    "<![CDATA[<r>]]>",
    "x<![CDATA[]]]]><![CDATA[>]]>",
    "ä€𝄞",
    "",
]
VALUES = ['"1"', "'1'", '">"', "'>'", '"/>"', "'\"'", '"\'>"', '"&lt;r&gt;"', '"a\tb"', '""', "'ä'"]
BETWEEN = [
    *["<!-- <r> -->", "<!-- </r> <r a='> -->", "<!---->", "<?pi <r>?>", "<?r a='1'?>", "<?pi?>", "<rx>1</rx>"],
    *[
        "<x>a]]&gt;b</x>",
        "<r.x/>",
        "<r-x a='<'/>".replace("<'", "&lt;'"),
        "<xr></xr>",
        "<x:r/>",
        "<R/>",
        "text &amp; more",
    ],
    *["<x><![CDATA[ <r><id>1</id></r> ]]></x>", "<x a='</r>'/>".replace("</r>", "/r>"), "", "", "", "\n", "\n\n"],
]


@dataclass
class Found:
    """A record: the line that it begins at, its attributes, and the texts of its elements."""

    line: int
    attributes: dict[str, str]
    texts: dict[str, str] = field(default_factory=dict)
    inner: list[dict[str, str | int | None]] = field(default_factory=list)

    def row(self) -> tuple[object, ...]:
        """What it is as a row of `COLUMNS`."""
        number, a, b = self.texts.get("id", ""), self.attributes.get("a"), self.attributes.get("b")
        return (
            int(number) if number else None,
            self.texts.get("name") or None,
            a or None,
            b or None,
            self.inner or None,
        )


class Finder(ContentHandler):
    """Finds the elements `tag` that are in no other such one."""

    def __init__(self, tag: str) -> None:
        super().__init__()
        self.tag, self.found, self.path = tag, list[Found](), list[str]()
        self.locator = Locator()

    def setDocumentLocator(self, locator: Locator) -> None:  # noqa: N802
        self.locator = locator

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802
        if self.path or name == self.tag:
            self.path.append(name)
        if len(self.path) == 1:
            self.found.append(Found(self.locator.getLineNumber() or 0, dict(attrs.items())))
        elif self.path == [self.tag, self.tag]:
            self.found[-1].inner.append({"id": None, "_a": attrs.get("a") or None})

    def characters(self, content: str) -> None:
        if len(self.path) == 2:
            texts = self.found[-1].texts
            texts[self.path[1]] = texts.get(self.path[1], "") + content
        elif self.path == [self.tag, self.tag, "id"]:
            self.found[-1].inner[-1]["id"] = int(content)

    def endElement(self, name: str) -> None:  # noqa: N802
        if self.path:
            self.path.pop()


def records(document: str | bytes, tag: str = "r") -> list[Found]:
    """The records of a document; raises SAXParseException where it is not well-formed."""
    finder = Finder(tag)
    parser = xml.sax.make_parser()
    parser.setFeature(feature_external_ges, False)
    parser.setContentHandler(finder)
    source = xml.sax.InputSource()

    if isinstance(document, str):
        source.setCharacterStream(io.StringIO(document, newline=""))
    else:
        source.setByteStream(io.BytesIO(document))
    parser.parse(source)
    return finder.found


def document(rng: random.Random, n: int, tag: str = "r") -> str:
    """A well-formed document with `n` records."""
    parts = [
        rng.choice(["", '<?xml version="1.0"?>', "<?xml version='1.0'\n?>"]),
        rng.choice(["", "\n", "<!-- <r> -->\n"]),
    ]
    parts.append(rng.choice(["<rows>", "<rows xmlns:x='urn:x' xmlns:p=\"urn:p\">", "<x:rows xmlns:x='urn:x' a='>'>"]))
    for number in range(n):
        parts += rng.choices(BETWEEN, k=2)
        wrapped = rng.random() < 0.2
        parts += ["<wrap>" * wrapped, record(rng, number, tag), "</wrap>" * wrapped]
    parts += [
        *rng.choices(BETWEEN, k=2),
        "</x:rows>" if parts[2].startswith("<x:") else "</rows>",
        rng.choice(["", "\n", "<!---->"]),
    ]
    return "".join(parts).replace("\n", rng.choice(ENDS))


def record(rng: random.Random, number: int, tag: str = "r") -> str:
    """An element that is a record, whose number is its id."""
    space = rng.choice(["", " ", "\n", "\t"])
    attributes = "".join(
        f" {space}{name}{space}={space}{rng.choice(VALUES)}" for name in ("a", "b") if rng.random() < 0.5
    )
    if rng.random() < 0.1:
        return f"<{tag}{attributes}{space}/>"
    parts = [f"<id>{number}</id>", f"<name>{rng.choice(NAMES)}</name>"]
    if rng.random() < 0.3:
        parts.append(f"<{tag} a='{number}'><id>{number}</id></{tag}>" if rng.random() < 0.7 else f"<{tag}/>")
    parts += rng.choices(["<!-- </r> -->", "<?r </r>?>", "\n", " ", "<!-- <r> -->", ""], k=3)
    rng.shuffle(parts)
    return f"<{tag}{attributes}{space}>{''.join(parts)}</{tag}{space}>"
