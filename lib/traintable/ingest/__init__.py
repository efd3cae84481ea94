"""The command `ingest`: files, tables and databases are landed in Delta tables, each record once."""

from traintable.ingest.job import ingest

__all__ = [
    "ingest",
    "recount",
    "replay",
]
