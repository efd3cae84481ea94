"""Objects are listed by the rules of files, by as few requests as there are pages, and what fails is reported."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest

from servers.fixtures import S3
from traintable.errors import ConfigError, InputMissing
from traintable.ingest.listing import list_files
from traintable.storage import s3 as library

NAMES = (
    "raw/a.csv",
    "raw/b.json",
    "raw/deep/c.csv",
    "raw/_hidden/d.csv",
    "raw/.e.csv",
    "raw/deep/_f.csv",
    "raw2/h.csv",
    "raw.csv",
    "g.csv",
)


@pytest.fixture(scope="module")
def bucket(s3: S3) -> str:
    name = s3.new_bucket()
    s3.client.put_object(Bucket=name, Key="raw/", Body=b"")  # what consoles make of a folder
    for key in NAMES:
        s3.client.put_object(Bucket=name, Key=key, Body=key.encode())
    return name


def names(bucket: str, path: str) -> list[str]:
    found = list_files(f"s3a://{bucket}{path}", root="/anywhere")
    assert all(file.path == file.name for file in found)
    return [file.name.removeprefix(f"s3a://{bucket}/") for file in found]


def test_a_prefix_a_pattern_and_an_object(bucket: str) -> None:
    assert names(bucket, "/raw") == names(bucket, "/raw/") == ["raw/a.csv", "raw/b.json", "raw/deep/c.csv"]
    assert names(bucket, "/raw/*.csv") == ["raw/a.csv"]
    assert names(bucket, "/raw/*") == ["raw/a.csv", "raw/b.json", "raw/deep/c.csv"]
    assert names(bucket, "/*/d*/*.csv") == ["raw/deep/c.csv"]
    assert names(bucket, "/raw/a.csv") == ["raw/a.csv"]
    assert names(bucket, "/raw/_hidden") == ["raw/_hidden/d.csv"]
    assert len(names(bucket, "")) == len(names(bucket, "/*")) == 6


def test_a_pattern_lists_what_begins_as_it_does(s3: S3, bucket: str) -> None:
    with s3.proxy.obeying() as requests:
        names(bucket, "/raw/de*/*.csv")
    assert [(request.method, parse_qs(request.query)["prefix"]) for request in requests] == [("GET", ["raw/de"])]


def test_a_listing_goes_on_after_a_key(bucket: str) -> None:
    found = library.list_objects(f"s3a://{bucket}/raw/", start_after="raw/b.json")
    assert [one.key for one in found] == ["raw/deep/_f.csv", "raw/deep/c.csv"]


@pytest.mark.slow
def test_pages_are_read_one_after_the_other(s3: S3) -> None:
    bucket = s3.new_bucket()
    keys = [f"{i:04}" for i in range(1100)]
    for key in keys:
        s3.client.put_object(Bucket=bucket, Key=key, Body=b"")
    with s3.proxy.obeying() as requests:
        assert [one.key for one in library.list_objects(f"s3a://{bucket}/")] == keys
    assert len(requests) == 2


def test_an_object_that_has_changed_is_another(s3: S3) -> None:
    bucket = s3.new_bucket()
    states = []
    for content in (b"one", b"two"):
        s3.client.put_object(Bucket=bucket, Key="a", Body=content)
        states += list_files(f"s3a://{bucket}/a", root="/")
    assert [(file.size, file.etag.rpartition("-")[2]) for file in states] == [(3, "3")] * 2
    assert states[0].etag != states[1].etag


def test_the_first_bytes_of_an_object(s3: S3) -> None:
    bucket, content = s3.new_bucket(), bytes(range(256)) * 400
    s3.client.put_object(Bucket=bucket, Key="a b%20+ü#", Body=content)
    with s3.proxy.obeying() as requests:
        assert library.read_first_bytes(f"s3a://{bucket}/a b%20+ü#", 1000) == content[:1000]
        assert library.read_first_bytes(f"s3a://{bucket}/a b%20+ü#", 10**6) == content
    assert len(requests) == 2


def test_what_is_not_there_is_reported(bucket: str) -> None:
    for path in ("/nowhere", "/nowhere/*.csv", "/raw/a.csv/b"):
        with pytest.raises(InputMissing, match="nothing there"):
            names(bucket, path)
    assert names(bucket, "/raw/*.parquet") == names(bucket, "/raw/2026-*") == []
    with pytest.raises(InputMissing, match="no bucket 'test-nowhere'"):
        names("test-nowhere", "/raw")
    with pytest.raises(ConfigError, match="the name of a bucket"):
        names("in valid", "/raw")
    with pytest.raises(ConfigError, match="s3a://bucket/prefix"):
        list_files("s3a:///raw", root="/")


def test_keys_that_spark_would_take_for_others_are_refused(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    found = library.Object("raw//a.csv", 1, "x", None)  # type: ignore[arg-type]  # this server takes no such key
    monkeypatch.setattr(library, "list_objects", lambda *_: iter([found]))
    with pytest.raises(ConfigError, match="empty parts between its slashes"):
        list_files("s3a://bucket/raw", root="/")


def test_who_has_no_access_is_reported_without_the_secret(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-wrong-secret")
    with pytest.raises(InputMissing, match=r"no access \(SignatureDoesNotMatch\)") as caught:
        names(bucket, "/raw")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    assert "a-wrong-secret" not in str(caught.value)
    with pytest.raises(InputMissing, match="credentials for S3"):
        names(bucket, "/raw")


def test_a_server_that_does_not_answer_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "ATTEMPTS", 1)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    with pytest.raises(InputMissing, match=r"an answer from http://127.0.0.1:9 .* no connection"):
        names("bucket", "/raw")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://user:password@127.0.0.1:9")
    with pytest.raises(ConfigError, match="has a user or a password") as caught:
        names("bucket", "/raw")
    assert "user:password" not in str(caught.value)
