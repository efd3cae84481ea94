"""Addresses of tables and files: local paths, URIs of object stores, names of a catalog."""

from __future__ import annotations

import os
import re
from urllib.parse import urlsplit

from traintable.columns import quote
from traintable.errors import ConfigError

SCHEME = "s3a://"
_ANY_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+:/")
_CATALOG_NAME = re.compile(r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*){1,2}$")
_GLOB = re.compile(r"([\\*?\[\]{}])")


def is_catalog_name(table: str) -> bool:
    """Whether a table is named `schema.table` or `catalog.schema.table` rather than by a path or an address."""
    return bool(_CATALOG_NAME.match(table))


def is_remote(path: str) -> bool:
    """Whether a path is an address with a scheme (`s3a://...`, `dbfs:/...`), not a path of the local file system."""
    return bool(_ANY_SCHEME.match(path))


def identifier(table: str) -> str:
    """A table name or path as it stands in SQL."""
    if is_catalog_name(table):
        return ".".join(quote(name) for name in table.split("."))
    return f"delta.{quote(table)}"


def resolve(path: str, root: str) -> str:
    """`path` made absolute against `root`; catalog names and addresses stay as they are."""
    return path if is_catalog_name(path) else resolve_file(path, root)


def resolve_file(path: str, root: str) -> str:
    """The path of a file or folder, which is no name of a catalog, made absolute against `root`."""
    if is_remote(path):
        return path
    if is_remote(root):
        return f"{root.rstrip('/')}/{path}"
    return os.path.normpath(os.path.join(root, path))


def sibling(table: str, suffix: str) -> str:
    """The name of a table or folder that lies next to `table`: `flights` and "quarantine" give `flights_quarantine`."""
    return f"{table.rstrip('/')}_{suffix}"


def is_s3(address: str) -> bool:
    """Whether an address is one of S3, in the form that Spark takes."""
    return address.startswith(SCHEME)


def endpoint() -> str | None:
    """The address of a server other than Amazon's that the environment names; ConfigError where it has a password."""
    url = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or None
    if url is not None and "@" in urlsplit(url).netloc:
        raise ConfigError(
            where="AWS_ENDPOINT_URL_S3, or AWS_ENDPOINT_URL",
            expected="http://host:port or https://host:port",
            found="an address that has a user or a password",
            remedy="Give these as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        )
    return url


def region() -> str | None:
    """The region that the environment names; us-east-1 for another server than Amazon's where it names none."""
    region_name = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    return region_name or ("us-east-1" if endpoint() else None)


def literal_path(path: str) -> str:
    """A path that Spark takes as it stands, without looking for patterns in it."""
    return _GLOB.sub(r"\\\1", path)
