"""Names of the columns that records have beside their values."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass


RAW, PATH, PLACE, BLOCK, POSITION = "_raw", "_path", "_place", "_block", "position"


FILE = "_file"  # what a file is called in the table
