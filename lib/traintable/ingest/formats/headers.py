"""The names of columns in the first line of CSV files, and the groups of files that have the same ones."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from traintable.addresses import is_s3
from traintable.config.sources import TextSource
from traintable.ingest.formats.csv_records import CsvRecords
from traintable.ingest.formats.line_cutter import Lines, is_blank
from traintable.ingest.formats.streams import CODECS, beginning
from traintable.ingest.formats.whole_files import Cutter
from traintable.ingest.formats.xml_records import XmlRecords
from traintable.ingest.listing import ListedFile
from traintable.storage import s3

HEAD_BYTES = 2**16
_PACKED_BYTES = 2**20  # in which the first block of each packing ends, those of bz2 being of 900 kB
_AT_A_TIME = 16


@dataclass(frozen=True)
class Header:
    """The first line of some files: its text, and the names of columns in it.

    Attributes
    ----------
    fault : why these can't be the names of columns, so that no record of the files can be read, nor this line.
    drift : the column that nobody has declared, for which the records of the files are quarantined.
    """

    text: str
    names: tuple[str, ...]
    fault: str | None = None
    drift: str | None = None


def headers(files: Sequence[ListedFile], source: TextSource) -> dict[Header, list[ListedFile]]:
    """The files by their header; reads the first 64 kB of each, 1 MB if it is packed, on the driver.

    An empty file has no names.
    """
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        by_file = list(pool.map(lambda file: _header(_head(file), source), files))
    groups: dict[Header, list[ListedFile]] = {}
    for header, file in zip(by_file, files, strict=True):
        groups.setdefault(header, []).append(file)
    return groups


def _head(file: ListedFile) -> bytes:
    n = HEAD_BYTES if os.path.splitext(file.path)[1] not in CODECS else _PACKED_BYTES
    return beginning(first_bytes(file, n), file.path, HEAD_BYTES)


def first_bytes(file: ListedFile, n: int) -> bytes:
    """At most the first `n` bytes of a file, local or of S3, as they are stored."""
    if is_s3(file.path):
        return s3.read_first_bytes(file.path, n) if file.size else b""
    with open(file.path, "rb") as stream:
        return stream.read(n)


def _header(head: bytes, source: TextSource) -> Header:
    first = _first_record(head, source).decode(errors="replace")
    doubled = source.escape == source.quote
    reader = csv.reader(
        [first],
        delimiter=source.separator,
        quotechar=source.quote,
        doublequote=doubled,
        escapechar=None if doubled else source.escape,
    )
    names = tuple(next(reader, ()))
    if "\ufffd" in first:
        return Header(first, names, f"a first line that is not valid {source.encoding}")
    return header_of(names, first)


def _first_record(head: bytes, source: TextSource) -> bytes:
    """The first record that is not blank, in UTF-8."""
    for raw, _ in cutter_of(source, HEAD_BYTES).cut([head]):
        for record in raw.filter(pc.invert(is_blank(raw, HEAD_BYTES))).view(pa.binary()):
            return bytes(record.as_py())
    return b""


def header_of(names: Sequence[str], text: str = "") -> Header:
    """The header with these names; with a fault where a name stands in it twice."""
    lower = [name.lower() for name in names]
    twice = next((name for name in names if lower.count(name.lower()) > 1), None)
    return Header(text, tuple(names), None if twice is None else f"one with the column '{twice}' twice")


def cutter_of(source: TextSource, max_bytes: int) -> Cutter:
    """The cutter of a format; of a record of more than `max_bytes` it gives the beginning."""
    if source.format == "xml":
        return XmlRecords(source.row_tag or "", max_bytes)
    if source.multi_line:
        return CsvRecords(source.separator, source.quote, source.escape, source.encoding, max_bytes)
    return Lines(source.format == "text", source.encoding, max_bytes)
