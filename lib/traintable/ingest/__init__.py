"""The command `ingest`: files, tables and databases are landed in Delta tables, each record once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from traintable.ingest.job import ingest

__all__ = [
    "ingest",
    "recount",
    "replay",
]


def __getattr__(name: str) -> Any:
    """Import the command when it is used, for tasks that parse records import this room too, and need none of it."""
    if name == "ingest":
        from traintable.ingest.job import ingest

        return ingest
    raise AttributeError(f"module 'traintable.ingest' has no attribute '{name}'")
