"""Names of the columns that records have besides their values."""

from __future__ import annotations

RAW, PATH, PLACE, BLOCK, POSITION = "_raw", "_path", "_place", "_block", "position"
FILE = "_file"  # the name of a record's file, as it is in the landed table
