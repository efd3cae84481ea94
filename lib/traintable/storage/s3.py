"""Objects of S3, by boto3: listed, read, uploaded; what goes wrong becomes an error of traintable."""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple

from traintable.addresses import SCHEME, endpoint, is_s3, region
from traintable.errors import ConfigError, InputMissing

ATTEMPTS = 8
_CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE")
_LOCK = threading.Lock()


class Object(NamedTuple):
    """An object as it was listed; its `etag` changes whenever its content does."""

    key: str
    size: int
    etag: str
    last_modified: datetime


def client() -> Any:
    """A boto3 client for the server and the credentials of the environment; the same one until these change.

    It makes up to eight attempts at a request, and may be used by several threads.
    """
    with _LOCK:  # boto3 makes one client at a time
        return _client(endpoint(), region(), tuple(os.environ.get(name) for name in _CREDENTIALS))


def bucket_and_key(address: str) -> tuple[str, str]:
    """Bucket and key of an address `s3a://bucket/key`, nothing in it unquoted; ConfigError where it has no bucket."""
    bucket, _, key = address.removeprefix(SCHEME).partition("/")
    if not is_s3(address) or not bucket:
        raise ConfigError(
            where=f"address {address}",
            expected="s3a://bucket/prefix",
            found=f"'{address}'",
            remedy="Write the address as Spark takes it, with s3a.",
        )
    return bucket, key


def list_objects(address: str, start_after: str | None = None) -> Iterator[Object]:
    """The objects whose address begins with `address`, in the order of their keys, listed page by page.

    Only keys after `start_after` where that is given. Costs a request for each 1,000 objects.
    Raises InputMissing for a bucket that is not there, may not be listed, or can't be reached.
    """
    bucket, prefix = bucket_and_key(address)
    more = {} if start_after is None else {"StartAfter": start_after}
    with translate_s3_errors(address, bucket):
        for page in client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, **more):
            for entry in page.get("Contents", ()):
                yield Object(entry["Key"], int(entry["Size"]), entry["ETag"].strip('"'), entry["LastModified"])


def read_first_bytes(address: str, n: int) -> bytes:
    """At most the first `n` bytes of an object that is not empty, by one request.

    Raises InputMissing when it is not there, may not be read, or can't be reached.
    """
    return read_range(address, 0, n)


def read_range(address: str, start: int, n: int) -> bytes:
    """At most `n` bytes of an object from byte `start` on, which must be one that it has; by one request.

    Raises InputMissing when it is not there, may not be read, or can't be reached.
    """
    return _body(address, Range=f"bytes={start}-{start + n - 1}")


def read_object(address: str) -> bytes | None:
    """An object's content, by one request; None when it is not there.

    Raises InputMissing when it may not be read, or can't be reached.
    """
    try:
        return _body(address)
    except InputMissing as error:
        if isinstance(error.__cause__, client().exceptions.NoSuchKey):
            return None
        raise


def upload(path: str, address: str) -> None:
    """Upload a local file, in parts where it is large; nobody sees the object before it is complete."""
    from boto3.exceptions import S3UploadFailedError

    bucket, key = bucket_and_key(address)
    with translate_s3_errors(address, bucket):
        try:
            client().upload_file(path, bucket, key)
        except S3UploadFailedError as error:
            raise error.__context__ or error from None  # the answer of S3, as other requests raise it


def _body(address: str, **options: str) -> bytes:
    bucket, key = bucket_and_key(address)
    with translate_s3_errors(address, bucket):
        for attempt in range(1, ATTEMPTS + 1):
            answer = client().get_object(Bucket=bucket, Key=key, **options)
            try:
                return bytes(answer["Body"].read())
            except Exception as error:  # the client repeats requests that get no answer, not answers that break off
                if not _has_broken_off(error) or attempt == ATTEMPTS:
                    raise
                time.sleep(0.1 * 2**attempt)
    raise AssertionError("the last attempt returns or raises")


@functools.lru_cache(maxsize=4)
def _client(url: str | None, place: str | None, _: tuple[str | None, ...]) -> Any:
    import boto3
    from botocore.config import Config

    style = {"addressing_style": "path"} if url else {}
    config = Config(s3=style, retries={"mode": "standard", "total_max_attempts": ATTEMPTS}, max_pool_connections=32)
    return boto3.session.Session().client("s3", endpoint_url=url, region_name=place, config=config)


@contextmanager
def translate_s3_errors(address: str, bucket: str) -> Iterator[None]:
    """Turn what goes wrong with S3 in the body into an error that says what to do; it holds no secret."""
    from botocore import exceptions
    from urllib3.exceptions import HTTPError

    try:
        yield
    except exceptions.ClientError as error:
        raise _refusal(address, bucket, error.response) from error
    except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError, exceptions.ProfileNotFound) as error:
        raise InputMissing(
            where=f"address {address}",
            expected="credentials for S3",
            found="none, or only part of them",
            remedy="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or run where a role gives them.",
        ) from error
    except exceptions.ParamValidationError as error:
        raise ConfigError(
            where=f"address {address}",
            expected="the name of a bucket: lower-case letters, digits, '.' and '-'",
            found=f"'{bucket}'",
            remedy="Correct the address.",
        ) from error
    except (exceptions.BotoCoreError, HTTPError, OSError) as error:
        raise InputMissing(
            where=f"address {address}",
            expected=f"an answer from {_server()} within {ATTEMPTS} attempts",
            found=f"no connection ({type(error).__name__})",
            remedy="Check the network, and AWS_ENDPOINT_URL_S3 where the server is not Amazon's.",
        ) from error


def _has_broken_off(error: Exception) -> bool:
    """Whether the connection was lost while an answer was read."""
    from botocore import exceptions
    from urllib3.exceptions import HTTPError

    return isinstance(error, (exceptions.HTTPClientError, exceptions.IncompleteReadError, HTTPError, OSError))


def _server() -> str:
    return endpoint() or "S3"


def _refusal(address: str, bucket: str, answer: dict[str, Any]) -> InputMissing:
    """The error for an answer of S3 that refuses a request."""
    code = str(answer.get("Error", {}).get("Code", "unknown"))
    status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code == "NoSuchBucket":
        found, remedy = (
            f"no bucket '{bucket}'",
            "Check its name, and that AWS_ENDPOINT_URL_S3 names the right server.",
        )
    elif code == "RequestTimeTooSkewed":
        found, remedy = f"a clock there that differs from the one here ({code})", "Set the clock of this machine right."
    elif status in (401, 403):
        found = f"no access ({code})"
        remedy = "Check the credentials in the environment, and that they may list the bucket and get its objects."
    elif status == 404:
        found, remedy = "nothing there", "It was deleted after it was listed. Run again."
    else:
        found, remedy = f"the answer {status} ({code})", "Try again later."
    return InputMissing(
        where=f"address {address}", expected=f"an object or bucket of {_server()}", found=found, remedy=remedy
    )
