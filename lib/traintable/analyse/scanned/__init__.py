"""What the scans of a whole table learn: the kinds of its columns, and the codes by which rows are counted."""
