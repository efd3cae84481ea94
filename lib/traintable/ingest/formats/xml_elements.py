"""Elements of XML as JSON objects, whose values are then read as those of JSON lines are."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from xml.parsers import expat

import pyarrow as pa

from traintable.contract.arrow import plain_value
from traintable.contract.rules import Field, Violation
from traintable.ingest.formats import json_lines
from traintable.ingest.formats.blocks import Reader

VALUE = "_VALUE"  # what the text of an element is called that has attributes or elements too
_NUMBER = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?([eE][+-]?[0-9]+)?")
_BLANKS = " \t\r\n"
_OF_XML = ("xmlns", "xml:", "xsi:")  # attributes that say nothing of the record begin so
_BOOLEANS = {"true": "true", "1": "true", "false": "false", "0": "false"}
OfText = Callable[[str], str]


class Element:
    """An element: its name, its attributes, the elements in it and its text."""

    __slots__ = ("attributes", "elements", "name", "texts")

    def __init__(self, name: str, attributes: Mapping[str, str]) -> None:
        self.name, self.attributes = name, attributes
        self.elements: list[Element] = []
        self.texts: list[str] = []


OfElement = Callable[[Element], str]


@dataclass(frozen=True)
class _Shape:
    """How the parts of an object are written, by their names."""

    texts: Mapping[str, OfText]  # of attributes, and of the element's own text
    elements: Mapping[str, OfElement]
    arrays: Mapping[str, OfElement]  # of which each is written so


def reader(tag: str, fields: Sequence[Field], null_value: str) -> Reader:
    """How elements `tag` are read."""
    settings = (tag, fields, null_value)
    return Reader(
        lambda raw: parse(raw, *settings), lambda raw: explain(raw, *settings), lambda raw: refuse(raw, *settings)
    )


def parse(raw: pa.Array, tag: str, fields: Sequence[Field], null_value: str) -> list[pa.Array] | None:
    """The values of elements; None when one of them is bad.

    A column is an element in the record or, with `_` before its name, an attribute of it; names are taken as they
    are written, with their prefix. An array is of all elements of its name, a struct of the elements and attributes in
    one. Text that is `null_value`, and an element that is absent or says `xsi:nil="true"`, is null.
    """
    try:
        lines = _as_json(raw.to_pylist(), tag, _shape_of(tuple(fields), null_value))
    except (expat.ExpatError, RecursionError):
        return None
    return json_lines.parse(pa.array(lines, pa.string()), fields)


def refuse(raw: str, tag: str, fields: Sequence[Field], null_value: str) -> list[Violation] | None:
    """What is wrong with an element, where that shows without the parser; nothing, or None, for all others."""
    try:
        lines = _as_json([raw], tag, _shape_of(tuple(fields), null_value))
    except (expat.ExpatError, RecursionError):
        return None
    return json_lines.refuse(lines[0], fields) if len(lines) == 1 else None


def explain(raw: str, tag: str, fields: Sequence[Field], null_value: str) -> list[Violation]:
    """What is wrong with a record that should be an element."""
    if not re.match(rf"<{re.escape(tag)}[\s/>]", raw):
        return [Violation("document", f"a well-formed document around its <{plain_value(tag)}> elements")]
    try:
        lines = _as_json([raw], tag, _shape_of(tuple(fields), null_value))
    except (expat.ExpatError, RecursionError) as error:
        return [Violation("syntax", f"a well-formed <{plain_value(tag)}> element: {plain_value(error)}")]
    return json_lines.explain(lines[0], fields)


def _as_json(records: Sequence[str], tag: str, shape: _Shape) -> list[str]:
    """The records as JSON; raises ExpatError where one is not a well-formed element `tag`, and nothing but that."""
    inside, lines = list[Element](), list[str]()

    def begin(name: str, attributes: dict[str, str]) -> None:
        element = Element(name, attributes)
        if len(inside) > 1:
            inside[-1].elements.append(element)
        inside.append(element)

    def end(_: str) -> None:
        element = inside.pop()
        if len(inside) == 1:
            lines.append(_object(element, shape) if element.name == tag else "")

    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = begin
    parser.EndElementHandler = end
    parser.CharacterDataHandler = lambda text: inside[-1].texts.append(text)
    parser.Parse("<_>", False)
    for n, record in enumerate(records, 1):
        parser.Parse(record, False)
        if len(inside) != 1 or len(lines) != n or not lines[-1] or "".join(inside[0].texts).strip(_BLANKS):
            raise expat.ExpatError("it is not one whole element")
    parser.Parse("</_>", True)
    return lines


@lru_cache(maxsize=8)
def _shape_of(fields: tuple[Field, ...], null_value: str) -> _Shape:
    return _shape({f.source: f.type for f in fields}, null_value)


def _shape(types: Mapping[str, pa.DataType], null_value: str) -> _Shape:
    is_array = {name: pa.types.is_list(kind) for name, kind in types.items()}
    return _Shape(
        {name: _of_text(kind, null_value) for name, kind in types.items()},
        {name: _of_element(kind, null_value) for name, kind in types.items() if not is_array[name]},
        {name: _of_element(kind.value_type, null_value) for name, kind in types.items() if is_array[name]},
    )


def _object(element: Element, shape: _Shape) -> str:
    """An element as a JSON object; what is no column is written as text or as `{}`, for the parser to refuse."""
    members = [
        (f"_{name}", shape.texts.get(f"_{name}", _text)(value))
        for name, value in element.attributes.items()
        if not name.startswith(_OF_XML)
    ]
    text = "".join(element.texts)
    if text.strip(_BLANKS):
        members.append((VALUE, shape.texts.get(VALUE, _text)(text)))
    arrays: dict[str, list[str]] = {}
    for child in element.elements:
        if child.name in shape.arrays:
            arrays.setdefault(child.name, []).append(shape.arrays[child.name](child))
        else:
            write = shape.elements.get(child.name)
            members.append((child.name, "{}" if write is None else write(child)))
    members += [(name, f"[{', '.join(values)}]") for name, values in arrays.items()]
    return "{" + ", ".join([f"{json.dumps(name)}: {value}" for name, value in members]) + "}"


def _of_element(kind: pa.DataType, null_value: str) -> OfElement:
    if pa.types.is_struct(kind):
        shape = _shape({part.name: part.type for part in kind}, null_value)
        return lambda element: "null" if _is_nil(element) else _object(element, shape)
    write = _of_text(kind, null_value)

    def plain(element: Element) -> str:
        if element.attributes and _is_nil(element):
            return "null"
        if element.elements or (element.attributes and not all(n.startswith(_OF_XML) for n in element.attributes)):
            return "{}"  # no value of a plain type
        return write("".join(element.texts))

    return plain


def _text(text: str) -> str:
    return json.dumps(text)


def _is_nil(element: Element) -> bool:
    return element.attributes.get("xsi:nil") in ("true", "1")


def _of_text(kind: pa.DataType, null_value: str) -> OfText:
    """How JSON writes what a text stands for; what stands for no such value stays text, for the parser to refuse."""
    if pa.types.is_boolean(kind):
        return lambda text: _null(text, null_value) or _BOOLEANS.get(text.strip(_BLANKS)) or json.dumps(text)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return lambda text: _null(text, null_value) or _number(text.strip(_BLANKS)) or json.dumps(text)
    if pa.types.is_string(kind) or pa.types.is_binary(kind):
        return lambda text: "null" if text == null_value else json.dumps(text)
    return lambda text: _null(text, null_value) or json.dumps(text.strip(_BLANKS))


def _null(text: str, null_value: str) -> str | None:
    return "null" if text.strip(_BLANKS) == null_value else None


def _number(text: str) -> str | None:
    """A number as JSON writes it; None for a text that is none."""
    number = _NUMBER.fullmatch(text)
    sign, whole, fraction, exponent = number.groups("") if number else ("", "", "", "")
    if not whole and not fraction:
        return None
    return f"{sign.strip('+')}{whole.lstrip('0') or '0'}{fraction and '.'}{fraction}{exponent}"
