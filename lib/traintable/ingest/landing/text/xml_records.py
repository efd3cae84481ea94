"""XML cut into the elements that are its records, a piece at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from xml.parsers import expat

from traintable.ingest.landing.text.cutters import count_records, in_batches
from traintable.ingest.landing.text.whole_files import Numbered
from traintable.ingest.landing.text.xml_encoding import document_in_utf8
from traintable.ingest.landing.text.xml_window import Window

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
