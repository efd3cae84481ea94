"""XML cut into the elements that are its records, a piece at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from xml.parsers import expat

from traintable.ingest.formats.line_cutter import count_records, in_batches
from traintable.ingest.formats.whole_files import Numbered
from traintable.ingest.formats.xml_document import Window, document_in_utf8

_AROUND_BYTES = 2**16  # kept of what stands around records, should an end tag without a start follow
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
    """Checks that what stands around the records is a well-formed document, or nothing.

    Attributes
    ----------
    error : what is wrong with it; None as long as nothing is.
    """

    def __init__(self) -> None:
        self.error: str | None = None
        self._has_elements = self._has_records = self._has_text = False
        self._parser = expat.ParserCreate("utf-8")
        self._parser.StartElementHandler = self._begin_element
        self._parser.StartDoctypeDeclHandler = _refuse_declarations

    def _begin_element(self, *_: object) -> None:
        self._has_elements = True

    def feed(self, content: bytes, *, is_before_record: bool = False) -> bool:
        """Check some more content; whether it shows now that something is wrong."""
        self._has_text = self._has_text or bool(content.strip())
        self._has_records = self._has_records or is_before_record
        return self._parse(content + _RECORD if is_before_record else content, False)

    def end(self) -> bool:
        """Whether the end shows that something is wrong."""
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


def _refuse_declarations(_name: str, _system: str | None, _public: str | None, has_own: bool) -> None:
    if has_own:
        raise OSError("it has declarations of its own (<!DOCTYPE ... [...]>), which are not supported")


class _Scan:
    """One reading of a document."""

    def __init__(self, tag: str, max_bytes: int, content: Iterator[bytes]) -> None:
        self.window = Window(tag, max_bytes, content)
        self.max_bytes, self.around = max_bytes, _Around()
        self.open: list[int] = []  # where the elements start that have not ended
        self.whole: list[tuple[int, int]] = []  # those that have, within one that has not
        self.outside = 0  # from here on, what stands around the records
        self.is_cut_short = False  # the last record was too long; its end is still to come
        self.complete: list[tuple[bytes, int]] = []  # records to give, and their lines

    def records(self) -> Iterator[tuple[bytes, int]]:
        """The records, and the numbers of the lines that they begin at."""
        while True:
            tag = self.window.next_tag()
            if tag is not None:
                self._take_tag(*tag)
            elif self.window.is_all:
                break
            else:
                self._read_on()
            yield from self.complete
            self.complete.clear()
        self._end()
        yield from self.complete

    def _take_tag(self, start: int, end: int, is_start: bool, is_end: bool) -> None:
        """Go on with a tag that starts an element, or ends one, or both."""
        if is_start:
            if self.is_cut_short:
                self.outside, self.is_cut_short = start, False
            self.open.append(start)
        if not is_end:
            return
        if self.open:
            self._end_element(self.open.pop(), end)
        elif self.is_cut_short:
            self.outside, self.is_cut_short = end, False
        else:
            self._give(self.outside, end)
            self.outside = end

    def _end_element(self, start: int, end: int) -> None:
        """Give an element that has ended, unless it is within another."""
        if self.open:  # within another
            while self.whole and self.whole[-1][0] > start:
                self.whole.pop()
            self.whole.append((start, end))
            return
        self._feed(start, is_before_record=True)
        self._give(start, end)
        self.outside = end
        self.whole.clear()

    def _give(self, start: int, end: int) -> None:
        self.complete.append(
            (self.window.content[start : min(end, start + self.max_bytes + 1)], self.window.line(start))
        )

    def _feed(self, end: int, *, is_before_record: bool = False) -> None:
        """Check what stands around the records, up to `end`."""
        content = self.window.content[self.outside : end]
        if self.around.feed(content, is_before_record=is_before_record):
            self._give_around(content)
        self.outside = end

    def _give_around(self, content: bytes) -> None:
        """Give what stands around the records as a record, where it shows that it is not well-formed."""
        why = f"<!-- around its records the document is not well-formed: {self.around.error} -->"
        self.complete.append((content.strip()[: self.max_bytes + 1] or why.encode(), self.window.line(self.outside)))

    def _read_on(self) -> None:
        """Read more of the document; an element that has become too long is given up."""
        n, at = len(self.window.content), self.window.at
        if self.open and n - self.open[0] > self.max_bytes:
            last = self._give_up(at)
            if last is not None and n - last <= self.max_bytes:  # it may still end
                self.complete.pop()
                self.open, self.outside = [last], last
            elif last is not None:
                self.is_cut_short = True
        if self.open:
            self._feed(self.open[0])
        elif self.is_cut_short:
            self.outside = at
        elif at - self.outside > _AROUND_BYTES:
            self._feed(at - _AROUND_BYTES)
        self._move(self.window.read(self.outside))

    def _move(self, shift: int) -> None:
        """Move all positions, as those of the window have moved."""
        self.outside -= shift
        self.open = [start - shift for start in self.open]
        self.whole = [(start - shift, end - shift) for start, end in self.whole]

    def _give_up(self, end: int) -> int | None:
        """Give what is open as records that have no end, and those within that are whole, up to `end`.

        Returns where the last of them starts, if it is one without an end.
        """
        elements: list[tuple[int, int | None]] = sorted(
            [*((start, None) for start in self.open), *self.whole], key=lambda element: element[0]
        )
        self._feed(elements[0][0])
        for (start, stop), (after, _) in zip(elements, [*elements[1:], (end, None)], strict=True):
            self._give(start, after if stop is None else stop)
            self.outside = after if stop is None else stop
            self._feed(after)
        self.open, self.whole = [], []
        start, stop = elements[-1]
        return start if stop is None else None

    def _end(self) -> None:
        """Give what is left; what stands around the records is given as the last record if it is not well-formed."""
        content = self.window.content
        if self.is_cut_short or (self.open and self._give_up(len(content)) is not None):
            return
        rest = content[self.outside :]
        if self.around.feed(rest) or self.around.end():
            self._give_around(rest)
