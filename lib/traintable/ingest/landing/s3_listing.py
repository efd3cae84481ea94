"""Which objects of S3 an address names, by the same rules as files of a folder."""

from __future__ import annotations

from collections.abc import Iterator

from traintable import s3
from traintable.errors import ConfigError, InputMissing
from traintable.ingest.landing.listing import MAGIC, FoundFile, folder_of, is_hidden, matches


def list_objects(address: str) -> Iterator[FoundFile]:
    """The objects that `s3a://bucket/...` names: one, all below a prefix, or those of a pattern with `*`.

    What is listed is what begins as the address does before its first pattern, so that an interval costs its own part
    of the bucket only; a request for each 1,000 objects. Raises InputMissing where nothing is there.
    """
    bucket, _ = s3.split(address)
    home = f"{s3.SCHEME}{bucket}"
    folder, pattern = folder_of(address), MAGIC.search(address)
    found = s3.objects(address[: pattern.start()]) if pattern else _exactly(address)
    nothing = True
    for one in found:
        nothing = False
        name = f"{home}/{one.key}"
        below = name.removeprefix(folder).strip("/")  # nothing, where the address is that of the object
        if one.key.endswith("/") or any(map(is_hidden, below.split("/"))):  # the first is what consoles make of folders
            continue
        if pattern and not matches(name, address):
            continue
        yield FoundFile(name, _readable(name, one.key), one.size, f"{one.etag}-{one.size}")
    if nothing and not (pattern and _is_there(folder)):
        raise InputMissing(
            where=f"source.path {address}",
            expected="an object, or some that lie below it",
            found="nothing there",
            remedy="Check the bucket and the prefix.",
        )


def _exactly(address: str) -> Iterator[s3.Object]:
    """The object of an address, or those below it as a folder."""
    _, key = s3.split(address)
    one = next(s3.objects(address), None) if key and not key.endswith("/") else None
    if one is not None and one.key == key:
        yield one
    yield from s3.objects(f"{address.rstrip('/')}/")


def _is_there(folder: str) -> bool:
    return next(s3.objects(f"{folder}/"), None) is not None


def _readable(address: str, key: str) -> str:
    """The address; ConfigError for one that Spark would take for another, as it does folders without a name."""
    if "//" in f"/{key}":
        raise ConfigError(
            where=f"object {address}",
            expected="a key without empty parts between its slashes, which Spark reads as if they were not there",
            found=f"'{key}'",
            remedy="Copy it to another key, or name a path that it does not lie below.",
        )
    return address
