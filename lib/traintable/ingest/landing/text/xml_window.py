"""A stretch of an XML document, moved along it, and the tags of one name that are tags in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from traintable.ingest.landing.text.lines import twice_as_much, without_halves

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
        self._source, self._max_bytes = without_halves(source), max_bytes
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
        self.content, self.is_all = twice_as_much(self._source, self.content[keep:])
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
