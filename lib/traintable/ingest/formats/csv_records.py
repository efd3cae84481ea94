"""CSV whose quoted values may hold line ends, cut into records."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from traintable.ingest.formats.line_cutter import count_records, in_batches
from traintable.ingest.formats.lines import keep_crlf_whole, read_doubling, skip_line
from traintable.ingest.formats.streams import in_utf8
from traintable.ingest.formats.whole_files import Numbered

_END = re.compile(rb"\r\n|\r|\n")
Span = tuple[int, int]


@dataclass(frozen=True)
class CsvRecords:
    """Records that end with a line that is not within quotes; these count where a value begins, as for the parser.

    A quote that is never closed, or not within the first `max_bytes` of its record, reaches to the end of its line
    only. Of a record of more than `max_bytes` one byte more is given.
    """

    separator: str
    quote: str
    escape: str
    encoding: str
    max_bytes: int

    def cut(self, content: Iterable[bytes]) -> Iterator[Numbered]:
        """The records, and the numbers of the lines that they begin at."""
        return in_batches(self._records(content))

    def count(self, content: Iterable[bytes]) -> int:
        """How many records are not blank."""
        return count_records(self.cut(content), self.max_bytes)

    def _records(self, content: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
        source = keep_crlf_whole(in_utf8(content, self.encoding))
        signs = _Signs(self.separator, self.quote, self.escape)
        window, at, line, is_all = b"", 0, 1, False
        while not is_all or at < len(window):
            end = signs.end_of(window, at, at + self.max_bytes, is_all)
            if end is None and not is_all and len(window) - at <= self.max_bytes:
                (window, is_all), at = read_doubling(source, window[at:]), 0
                continue
            stop, after = end or (len(window), len(window))
            yield window[at:stop][: self.max_bytes + 1], line
            line += len(_END.findall(window, at, after))
            at = after
            if end is None and not is_all:
                window, at = skip_line(source), 0
                line += 1


class _Signs:
    """The separator, quote and escape of a CSV file, by which records end."""

    def __init__(self, separator: str, quote: str, escape: str) -> None:
        s, q, e = (re.escape(sign.encode()) for sign in (separator, quote, escape))
        self._quote = quote.encode()
        self._escaped = None if escape == quote else re.compile(e + rb"(?s:.)|" + q)
        self._plain = re.compile(rb"[^" + q + rb"\r\n]*(\r\n|\r|\n)")
        self._simple = re.compile(q + rb"[^" + q + rb"]*" + q + rb"(?!" + q + rb")")
        self._quotes = re.compile(q + rb"+")
        # What a value that is not quoted goes on to: another in quotes, or the end; what is escaped is skipped.
        skipped = b"" if escape == quote else e + rb"[^\r\n]|"
        self._next = re.compile(skipped + rb"(?P<value>" + s + rb"(?=" + q + rb"))|(?P<end>[\r\n])")

    def end_of(self, window: bytes, at: int, stop: int, is_all: bool) -> Span | None:
        """The line end of the record at `at`, whose quotes count up to `stop`; None where it is still to come."""
        while not (plain := self._plain.match(window, at)):
            if window.startswith(self._quote, at, stop):
                closed = self._end_of_quoted(window, at, stop)
                if closed is None:
                    break
                at = closed
            sign = self._next.search(window, at, stop)
            while sign and not sign.lastgroup:
                sign = self._next.search(window, sign.end(), stop)
            if sign is None:
                break
            at = sign.end() if sign.lastgroup == "value" else sign.start()
        if plain:
            return plain.span(1)
        is_final = is_all or len(window) >= stop  # a quote that is not closed by now does not count
        end = _END.search(window, at) if is_final else None
        return end.span() if end else None

    def _end_of_quoted(self, window: bytes, at: int, stop: int) -> int | None:
        """Where the value in quotes that opens at `at` ends; None where it is not closed up to `stop`."""
        if self._escaped is None:
            simple = self._simple.match(window, at, stop)
            if simple:
                return simple.end()
            n = 0
            for run in self._quotes.finditer(window, at, stop):
                n += len(run.group()) // len(self._quote)
                if n % 2 == 0:
                    return run.end()
            return None
        ends = (
            match.end()
            for match in self._escaped.finditer(window, at + len(self._quote), stop)
            if match.group() == self._quote
        )
        return next(ends, None)
