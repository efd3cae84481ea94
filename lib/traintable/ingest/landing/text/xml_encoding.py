"""XML in UTF-8, whatever encoding it is in."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from itertools import chain

from traintable.ingest.landing.text.streams import begun

_DECLARED = re.compile(rb"\s*<\?xml[^>]*?\sencoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")
_KNOWN = re.compile(
    r"ascii|us_ascii|iso_?8859_?\d+|latin_?1|(windows|cp)_?\d+|koi8_[rut]|shift_jis|euc_(jp|kr)|gb2312|gbk|gb18030|big5"
)
_HEAD = 256  # bytes, in which a declaration ends
_UTF = re.compile(r"utf_?(8|16|32)(_?[bl]e)?")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\0?\0", "utf-16-le"),
    (b"\0<\0?", "utf-16-be"),
)


def document_in_utf8(content: Iterable[bytes]) -> Iterator[bytes]:
    """A document in UTF-8, by its byte order mark, or what it declares, or as it is.

    Raises OSError for an encoding that is not known, and for bytes that are no text in another one than UTF-8.
    """
    first, source = begun(content, _HEAD)
    name = _encoding(first)
    return chain([first], source) if name is None else _decoded(chain([first], source), name)


def _encoding(first: bytes) -> str | None:
    """The encoding of a document that begins so; None for UTF-8."""
    for mark, name in _MARKS:
        if first.startswith(mark):
            return name
    declared = _DECLARED.match(first)
    if declared is None:
        return None
    name = declared.group(1).decode().lower().replace("-", "_")
    if _UTF.fullmatch(name):  # it could not have been read in UTF-16
        return None
    if not _KNOWN.fullmatch(name):
        raise OSError(f"it declares the encoding '{name}', which is not known")
    return name


def _decoded(content: Iterable[bytes], name: str) -> Iterator[bytes]:
    try:
        decoder = codecs.getincrementaldecoder(name)()
    except LookupError:
        raise OSError(f"it declares the encoding '{name}', which is not known") from None
    try:
        for piece in content:
            yield decoder.decode(piece).encode()
        yield decoder.decode(b"", final=True).encode()
    except UnicodeError as error:
        raise OSError(f"bytes that are no {name}: {error}") from error
