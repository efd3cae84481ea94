"""A document of XML: its bytes in UTF-8 whatever its encoding is, and the tags in them, a piece at a time."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from itertools import chain

from traintable.ingest.formats.lines import keep_crlf_whole, read_doubling
from traintable.ingest.formats.streams import read_at_least

_DECLARED = re.compile(rb"\s*<\?xml[^>]*?\sencoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")
_KNOWN = re.compile(
    r"ascii|us_ascii|iso_?8859_?\d+|latin_?1|(windows|cp)_?\d+|koi8_[rut]|shift_jis|euc_(jp|kr)|gb2312|gbk|gb18030|big5"
)
_HEAD = 256  # bytes, in which a declaration ends
# Names of encodings that are UTF-8, or could not have been read up to the declaration.
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
# What a tag has, up to a value and with it; none holds `<`, so that a quote that is never closed does not reach far.
_INSIDE = re.compile(rb"[^<>\"']*(?:\"[^\"<]*\"|'[^'<]*')?")
_ENDS_OF = {b"<!--": b"-->", b"<![CDATA[": b"]]>", b"<?": b"?>", b"<!DOCTYPE": b">"}
Tag = tuple[int, int, bool, bool]  # where it starts and ends, whether an element starts, and ends


def document_in_utf8(content: Iterable[bytes]) -> Iterator[bytes]:
    """A document in UTF-8, by its byte order mark, or what it declares, or as it is.

    Raises OSError for an encoding that is not known, and for bytes not valid in another than UTF-8.
    """
    first, source = read_at_least(content, _HEAD)
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


class Window:
    """The part of a document that has been read and is still needed.

    Attributes
    ----------
    content : its bytes.
    at : up to where tags have been looked for.
    is_all : whether the document ends with it.
    """

    def __init__(self, tag: str, max_bytes: int, source: Iterator[bytes]) -> None:
        self.content, self.at, self.is_all = b"", 0, False
        self._source, self._max_bytes = keep_crlf_whole(source), max_bytes
        name = re.escape(tag.encode())
        self._tokens = re.compile(rb"<!--|<!\[CDATA\[|<\?|<!DOCTYPE|<(/?)%s(?=[\s/>])" % name)
        self._longest = max(len(tag.encode()) + 3, 10)  # of a token, a byte after it included; that of `<!DOCTYPE`
        self._sought: bytes | None = None  # the end of a comment, or what else holds no tags, that `at` is within
        self._line, self._counted, self._is_after_return = 1, 0, False

    def next_tag(self) -> Tag | None:
        """The next tag; None where it is not all in the content yet, or there is none."""
        while self._sought is None or self._skip(self._sought):
            token = self._tokens.search(self.content, self.at)
            if token is None:
                self.at = len(self.content) if self.is_all else max(self.at, len(self.content) - self._longest)
                break
            if token.group(1) is None:
                self._sought, self.at = _ENDS_OF[token.group()], token.end()
                continue
            stop = self._inside(token.end())
            is_whole = self.content[stop : stop + 1] == b">"
            if not (is_whole or self.is_all or self._is_too_long(token) or self.content.find(b"<", stop) >= 0):
                self.at = token.start()
                break
            self.at = stop + is_whole
            is_end = token.group(1) == b"/"
            return token.start(), self.at, not is_end, is_end or (is_whole and self.content[stop - 1 : stop] == b"/")
        return None

    def _is_too_long(self, token: re.Match[bytes]) -> bool:
        """Whether a tag that begins so is too long to wait for its end: its element is too long a record."""
        return len(self.content) - token.start() > self._max_bytes + self._longest

    def _inside(self, start: int) -> int:
        """Where what stands in a tag ends, from `start`, which is within it."""
        while (inside := _INSIDE.match(self.content, start)) and inside.end() > start:
            start = inside.end()
        return start

    def _skip(self, end: bytes) -> bool:
        """Skip a comment, or what else holds no tags; whether its end is in the content."""
        position = self.content.find(end, self.at)
        if position < 0:
            self.at = len(self.content) if self.is_all else max(self.at, len(self.content) - len(end) + 1)
            return False
        self.at, self._sought = position + len(end), None
        return True

    def read(self, keep: int) -> int:
        """Read on, and drop what stands before `keep`; returns by how much all positions in the content have moved."""
        self.line(keep)
        self.content, self.is_all = read_doubling(self._source, self.content[keep:])
        self.at, self._counted = self.at - keep, 0
        return keep

    def line(self, start: int) -> int:
        """The number of the line that `start` is in, which must not be before that of an earlier call."""
        skipped = self.content[self._counted : start]
        self._line += skipped.count(b"\n") + skipped.count(b"\r") - skipped.count(b"\r\n")
        self._line -= self._is_after_return and skipped.startswith(b"\n")
        self._is_after_return = skipped.endswith(b"\r") if skipped else self._is_after_return
        self._counted = start
        return self._line
