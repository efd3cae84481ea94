"""Folders and files on local disk and object stores: S3 directly, others as Spark reaches them."""

__all__ = [
    "folder",
    "s3",
]
