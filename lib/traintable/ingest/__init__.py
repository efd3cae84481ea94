"""The command `ingest`: files, tables and databases are landed in Delta tables, each record once."""

__all__ = [
    "job",
    "recount",
    "replay",
]
