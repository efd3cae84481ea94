"""The properties that every table gets here when it is made."""

from __future__ import annotations

# Every reader of Delta opens a table without these two features.
READABLE_BY_ALL = {"delta.enableDeletionVectors": "false", "delta.columnMapping.mode": "none"}
# What VACUUM and the writers of checkpoints leave alone: with these, files and commits go only when we remove them.
KEEP_HISTORY = {
    "delta.deletedFileRetentionDuration": "interval 36500 days",
    "delta.logRetentionDuration": "interval 36500 days",
}
OWN_PROPERTIES = {**READABLE_BY_ALL, **KEEP_HISTORY}
