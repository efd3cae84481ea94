"""The table: its log, commits, versions, pins, lease and manifest; the only room that reads and writes logs."""

__all__ = [
    "attachments",
    "changed_keys",
    "commits",
    "data_files",
    "lease",
    "log",
    "manifest",
    "opened",
    "pinned_input",
    "properties",
    "table",
    "versions",
]
