"""Rows of a table that are looked at themselves: a keyed sample on the driver, or all of them in batches."""
