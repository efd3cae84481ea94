"""CSV whose quoted values may hold line ends, cut into records."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from traintable.ingest.landing.text.cutters import count_records, in_batches
from traintable.ingest.landing.text.lines import after_line, twice_as_much, without_halves
from traintable.ingest.landing.text.streams import in_utf8
from traintable.ingest.landing.text.whole_files import Numbered

_END = rb"(\r\n|\r|\n)"
_ENDS = re.compile(_END)
_TO_END = re.compile(rb"[^\r\n]*" + _END + rb"?")
# Quoted stretches and others without line ends, and a line end. Each fits, if only with nothing, so nothing is tried
# twice: a record whose end has not come yet has no line end here.
_DOUBLED = rb"(?:[^%(q)s\r\n]+|%(q)s[^%(q)s]*%(q)s)*" + _END + rb"?"
_ESCAPED = rb"(?:[^%(q)s\r\n]+|%(q)s(?:[^%(q)s%(e)s]|%(e)s(?s:.))*%(q)s)*" + _END + rb"?"


@dataclass(frozen=True)
class CsvRecords:
    """Records that end with a line that is not within quotes.

    A quote that is never closed, or not within `max_bytes`, reaches to the end of its line only. Of a record of more
    than `max_bytes` one byte more is given.
    """

    quote: str
    escape: str
    encoding: str
    max_bytes: int

    def cut(self, content: Iterable[bytes]) -> Iterator[Numbered]:
        """The records, and the numbers of the lines that they begin at."""
        return in_batches(self._records(content))

    def count(self, content: Iterable[bytes]) -> int:
        """How many records are not blank."""
        return count_records(self.cut(content))

    def _records(self, content: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
        source = without_halves(in_utf8(content, self.encoding))
        pattern, window, at, line, is_all = self._pattern(), b"", 0, 1, False
        while not is_all or at < len(window):
            found = _matched(pattern, window, at)
            if not _is_ended(found) and not is_all and len(window) - at <= self.max_bytes:
                (window, is_all), at = twice_as_much(source, window[at:]), 0
                continue
            if not _is_ended(found):  # a quote that is not closed, the end of the file, or too long a record
                found = _matched(_TO_END, window, found.end())
            yield window[at : found.start(1) if _is_ended(found) else found.end()][: self.max_bytes + 1], line
            line += len(_ENDS.findall(window, at, found.end()))
            at = found.end()
            if not _is_ended(found) and not is_all:
                window, at, is_all = after_line(source), 0, False
                line += 1

    def _pattern(self) -> re.Pattern[bytes]:
        signs = {b"q": re.escape(self.quote.encode()), b"e": re.escape(self.escape.encode())}
        return re.compile((_DOUBLED if self.escape == self.quote else _ESCAPED) % signs)


def _is_ended(found: re.Match[bytes]) -> bool:
    return found.group(1) is not None


def _matched(pattern: re.Pattern[bytes], window: bytes, at: int) -> re.Match[bytes]:
    found = pattern.match(window, at)
    assert found is not None  # for all of it may be empty
    return found
