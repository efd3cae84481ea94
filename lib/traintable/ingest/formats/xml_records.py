"""XML cut into the elements that are its records, a piece at a time."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from xml.parsers import expat

from traintable.ingest.formats.line_cutter import count_records, in_batches
from traintable.ingest.formats.lines import keep_crlf_whole, read_doubling
from traintable.ingest.formats.streams import read_at_least
from traintable.ingest.formats.whole_files import Numbered

_TOLD = 2**16  # bytes kept of what stands around records, should an end tag without a start follow
_RECORD = b"<?_?>"  # stands for a record in what is around it, and may where a record may


@dataclass(frozen=True)
class XmlRecords:
    """A record is an element `tag`, with all that is in it, that is in no other such element.

    What is broken is a record too: from a start tag without an end to the next start tag (then elements within it are
    records), and what stands before an end tag without a start. A document that is not well-formed around its records
    is one more: what stands between two of them where it first shows. Of a record of more than `max_bytes` one byte
    more is given.
    """

    tag: str
    max_bytes: int

    def cut(self, content: Iterable[bytes]) -> Iterator[Numbered]:
        """The elements, and the numbers of the lines that they begin at.

        Raises OSError for a document in an encoding that is not known, or with declarations of its own.
        """
        return in_batches(_Scan(self.tag, self.max_bytes, document_in_utf8(content)).records())

    def count(self, content: Iterable[bytes]) -> int:
        """How many records there are."""
        return count_records(self.cut(content), self.max_bytes)


class _Around:
    """What stands around the records, which without them is a document; or nothing, where there are records."""

    def __init__(self) -> None:
        self.error: str | None = None
        self._has_elements = self._has_records = self._has_text = False
        self._parser = expat.ParserCreate("utf-8")
        self._parser.StartElementHandler = self._begun
        self._parser.StartDoctypeDeclHandler = _no_declarations

    def _begun(self, *_: object) -> None:
        self._has_elements = True

    def feed(self, content: bytes, *, is_before_record: bool = False) -> bool:
        """Go on with some content; whether it is found now that something is wrong."""
        self._has_text = self._has_text or bool(content.strip())
        self._has_records = self._has_records or is_before_record
        return self._parse(content + _RECORD if is_before_record else content, False)

    def end(self) -> bool:
        """Whether it is found at the end that something is wrong."""
        return self._parse(b"", True)

    def _parse(self, content: bytes, is_last: bool) -> bool:
        if self.error is None:
            try:
                self._parser.Parse(content, is_last)
            except expat.ExpatError as error:
                nothing = expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS]
                if error.code != nothing or self._has_elements or (self._has_text and not self._has_records):
                    self.error = str(error)
                    return True
        return False


def _no_declarations(_name: str, _system: str | None, _public: str | None, has_own: bool) -> None:
    if has_own:
        raise OSError("it has declarations of its own (<!DOCTYPE ... [...]>), which are not taken")


class _Scan:
    """One reading of a document."""

    def __init__(self, tag: str, max_bytes: int, content: Iterator[bytes]) -> None:
        self.window = Window(tag, max_bytes, content)
        self.max_bytes, self.around = max_bytes, _Around()
        self.open: list[int] = []  # where the elements start that have not ended
        self.whole: list[tuple[int, int]] = []  # those that have, within one that has not
        self.gap = 0  # where what stands around the records goes on
        self.is_cut_short = False  # the last record was too long; its end is still to come
        self.found: list[tuple[bytes, int]] = []

    def records(self) -> Iterator[tuple[bytes, int]]:
        """The records, and the numbers of the lines that they begin at."""
        while True:
            tag = self.window.next_tag()
            if tag is not None:
                self._take(*tag)
            elif self.window.is_all:
                break
            else:
                self._more()
            yield from self.found
            self.found.clear()
        self._end()
        yield from self.found

    def _take(self, start: int, end: int, is_start: bool, is_end: bool) -> None:
        if is_start:
            if self.is_cut_short:
                self.gap, self.is_cut_short = start, False
            self.open.append(start)
        if not is_end:
            return
        if self.open:
            self._ended(self.open.pop(), end)
        elif self.is_cut_short:
            self.gap, self.is_cut_short = end, False
        else:
            self._give(self.gap, end)
            self.gap = end

    def _ended(self, start: int, end: int) -> None:
        if self.open:  # within another
            while self.whole and self.whole[-1][0] > start:
                self.whole.pop()
            self.whole.append((start, end))
            return
        self._feed(start, is_before_record=True)
        self._give(start, end)
        self.gap = end
        self.whole.clear()

    def _give(self, start: int, end: int) -> None:
        self.found.append((self.window.content[start : min(end, start + self.max_bytes + 1)], self.window.line(start)))

    def _feed(self, end: int, *, is_before_record: bool = False) -> None:
        """Go on with what stands around the records, up to `end`."""
        content = self.window.content[self.gap : end]
        if self.around.feed(content, is_before_record=is_before_record):
            self._tell(content)
        self.gap = end

    def _tell(self, content: bytes) -> None:
        """Give what stands around the records where that is found to be no document."""
        why = f"<!-- around its records the document is not well-formed: {self.around.error} -->"
        self.found.append((content.strip()[: self.max_bytes + 1] or why.encode(), self.window.line(self.gap)))

    def _more(self) -> None:
        """Read on; an element that has become too long is given up."""
        n, at = len(self.window.content), self.window.at
        if self.open and n - self.open[0] > self.max_bytes:
            last = self._give_up(at)
            if last is not None and n - last <= self.max_bytes:  # it may still end
                self.found.pop()
                self.open, self.gap = [last], last
            elif last is not None:
                self.is_cut_short = True
        if self.open:
            self._feed(self.open[0])
        elif self.is_cut_short:
            self.gap = at
        elif at - self.gap > _TOLD:
            self._feed(at - _TOLD)
        self._move(self.window.read(self.gap))

    def _move(self, shift: int) -> None:
        self.gap -= shift
        self.open = [start - shift for start in self.open]
        self.whole = [(start - shift, end - shift) for start, end in self.whole]

    def _give_up(self, end: int) -> int | None:
        """Give what is open as records that have no end, and those within that are whole, up to `end`.

        Where the last of them starts, if it is one without an end.
        """
        ones: list[tuple[int, int | None]] = sorted(
            [*((start, None) for start in self.open), *self.whole], key=lambda one: one[0]
        )
        self._feed(ones[0][0])
        for (start, stop), (after, _) in zip(ones, [*ones[1:], (end, None)], strict=True):
            self._give(start, after if stop is None else stop)
            self.gap = after if stop is None else stop
            self._feed(after)
        self.open, self.whole = [], []
        start, stop = ones[-1]
        return start if stop is None else None

    def _end(self) -> None:
        """Give what is left; what stands around the records was a document, or is told as the last one."""
        content = self.window.content
        if self.is_cut_short or (self.open and self._give_up(len(content)) is not None):
            return
        rest = content[self.gap :]
        if self.around.feed(rest) or self.around.end():
            self._tell(rest)


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


# What a tag has, up to a value and with it; none holds `<`, so that a quote that is never closed does not reach far.
_INSIDE = re.compile(rb"[^<>\"']*(?:\"[^\"<]*\"|'[^'<]*')?")


_ENDS_OF = {b"<!--": b"-->", b"<![CDATA[": b"]]>", b"<?": b"?>", b"<!DOCTYPE": b">"}


Tag = tuple[int, int, bool, bool]  # where it starts and ends, whether an element starts, and ends


class Window:
    """The stretch that has been read and is still needed.

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
        """The next tag; None where it is not to be seen yet, or there is none."""
        while self._sought is None or self._pass_over(self._sought):
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
        """Whether a tag that begins so is too long to be looked at as a whole: its element is too long a record."""
        return len(self.content) - token.start() > self._max_bytes + self._longest

    def _inside(self, start: int) -> int:
        """Where what a tag has ends, of which `start` is within."""
        while (found := _INSIDE.match(self.content, start)) and found.end() > start:
            start = found.end()
        return start

    def _pass_over(self, end: bytes) -> bool:
        """Go on after a comment or what else holds no tags; whether its end is to be seen."""
        found = self.content.find(end, self.at)
        if found < 0:
            self.at = len(self.content) if self.is_all else max(self.at, len(self.content) - len(end) + 1)
            return False
        self.at, self._sought = found + len(end), None
        return True

    def read(self, keep: int) -> int:
        """Read on, and forget what stands before `keep`, by which all places in the content move."""
        self.line(keep)
        self.content, self.is_all = read_doubling(self._source, self.content[keep:])
        self.at, self._counted = self.at - keep, 0
        return keep

    def line(self, start: int) -> int:
        """The number of the line that `start` is in, which must not be before one that was asked for."""
        passed = self.content[self._counted : start]
        self._line += passed.count(b"\n") + passed.count(b"\r") - passed.count(b"\r\n")
        self._line -= self._is_after_return and passed.startswith(b"\n")
        self._is_after_return = passed.endswith(b"\r") if passed else self._is_after_return
        self._counted = start
        return self._line
