"""Rows that are handed over to NumPy: a keyed sample on the driver, or all rows in batches on the workers."""
