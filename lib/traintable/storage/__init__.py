"""Folders and files on local disk and object stores."""

__all__ = [
    "folder",
    "s3",
]
