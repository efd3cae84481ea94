"""What the files of a text source are cut into records by."""

from __future__ import annotations

from traintable.ingest.landing.text.csv_records import CsvRecords
from traintable.ingest.landing.text.cutters import Lines
from traintable.ingest.landing.text.whole_files import Cutter
from traintable.ingest.landing.text.xml_records import XmlRecords
from traintable.ingest_sources import TextSource


def cutter_of(source: TextSource, max_bytes: int) -> Cutter:
    """The cutter of a format; of a record of more than `max_bytes` it gives the beginning."""
    if source.format == "xml":
        return XmlRecords(source.row_tag or "", max_bytes)
    if source.multi_line:
        return CsvRecords(source.separator, source.quote, source.escape, source.encoding, max_bytes)
    return Lines(source.format == "text", source.encoding, max_bytes)
