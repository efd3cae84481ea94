"""For those who train on a table: its newest gated version, new ones as they come, and rows in batches; no Spark."""

from traintable.reading._batches import batches
from traintable.reading._gated import follow, newest_gated, passed_gate

__all__ = ["batches", "follow", "newest_gated", "passed_gate"]
