"""What is promised of a column, and what becomes of a value that breaks it."""

__all__ = [
    "arrow",
    "record_columns",
    "rows",
    "typed_rows",
    "types",
]
