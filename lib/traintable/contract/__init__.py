"""What is promised of a column, and what becomes of a value that breaks it.

`rules` makes the rules of promises. Two engines carry them out: `arrow` on batches of parsed records, `spark_columns`
on columns of a DataFrame, for rows that are landed (`typed_rows`) and for those of a run (`rows`).
"""

__all__ = [
    "arrow",
    "bounds",
    "json_text",
    "record_columns",
    "rows",
    "rules",
    "times",
    "typed_rows",
    "values",
]
