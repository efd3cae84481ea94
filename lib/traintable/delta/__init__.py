"""The table: its log, commits, versions, pins, lease and manifest; the only room that reads and writes logs."""
