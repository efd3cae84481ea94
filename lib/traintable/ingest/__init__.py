"""Read pinned versions of source tables, join them, and hold their rows to what was promised of them."""

from traintable.ingest.batch import Pinned, read
from traintable.ingest.contract import apply_contract, mark_duplicates
from traintable.ingest.join import asof_join, lookup_join, require_unique

__all__ = ["Pinned", "apply_contract", "asof_join", "lookup_join", "mark_duplicates", "read", "require_unique"]
