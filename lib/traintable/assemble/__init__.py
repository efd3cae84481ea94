"""What a run reads: pinned tables, their joins, and the rows with label and split."""

from traintable.assemble.inputs import pin_inputs
from traintable.assemble.join import asof_join, lookup_join, require_unique
from traintable.assemble.labelled_rows import assemble

__all__ = [
    "asof_join",
    "assemble",
    "inputs",
    "labelled_rows",
    "lookup_join",
    "pin_inputs",
    "require_unique",
]
