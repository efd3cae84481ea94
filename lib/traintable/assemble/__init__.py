"""What a run reads: pinned tables, their joins, and the rows with label and split."""

from traintable.assemble.join import asof_join, lookup_join, require_unique
from traintable.assemble.rows import assemble, pin_inputs

__all__ = [
    "asof_join",
    "assemble",
    "lookup_join",
    "pin_inputs",
    "require_unique",
    "rows",
]
