"""The servers of the tests do what they stand for."""

from __future__ import annotations

import os
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pg8000.dbapi
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from servers.fixtures import S3
from servers.postgres import Postgres
from servers.proxy import NO_REPLY, RESET, UNAVAILABLE, Fault, every


def through_the_proxy(**options: Any) -> Any:
    """A client of the environment's S3 that tries once."""
    return boto3.client("s3", config=Config(retries={"total_max_attempts": 1}, **options))


def test_a_row_in_and_out_of_postgresql(postgres: Postgres) -> None:
    postgres.run("CREATE DATABASE one")
    postgres.run("CREATE TABLE t (id bigint, name text)", database="one")
    postgres.run("INSERT INTO t VALUES (%s, %s)", 1, "ä", database="one")
    assert [tuple(row) for row in postgres.run("SELECT * FROM t", database="one")] == [(1, "ä")]
    assert postgres.run("SHOW listen_addresses")[0][0] == "127.0.0.1"
    with pytest.raises(pg8000.dbapi.Error, match="password authentication failed"):
        pg8000.dbapi.connect(postgres.user, host=postgres.host, port=postgres.port, password="another")


def test_an_object_in_and_out_of_s3(s3: S3) -> None:
    bucket = s3.new_bucket()
    through_the_proxy().put_object(Bucket=bucket, Key="a/ä b+%#?.txt", Body=b"content" * 100_000)
    listed = s3.client.list_objects_v2(Bucket=bucket)["Contents"]
    assert [(one["Key"], one["Size"]) for one in listed] == [("a/ä b+%#?.txt", 700_000)]
    for client in (s3.client, through_the_proxy()):
        assert client.get_object(Bucket=bucket, Key="a/ä b+%#?.txt")["Body"].read() == b"content" * 100_000


def test_of_those_who_create_an_object_at_once_one_succeeds(s3: S3) -> None:
    bucket, client = s3.new_bucket(), s3.client

    def create(i: int) -> int:
        try:
            client.put_object(Bucket=bucket, Key="one", Body=str(i).encode(), IfNoneMatch="*")
        except ClientError as error:
            return int(error.response["ResponseMetadata"]["HTTPStatusCode"])
        return 200

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(create, range(8)))
    assert Counter(answers) == {200: 1, 412: 7}
    assert client.get_object(Bucket=bucket, Key="one")["Body"].read() == str(answers.index(200)).encode()


def test_what_the_proxy_is_asked_for_happens(s3: S3) -> None:
    bucket, client = s3.new_bucket(), through_the_proxy(read_timeout=2)
    s3.client.put_object(Bucket=bucket, Key="a", Body=b"x" * 1_000_000)
    faults = (UNAVAILABLE, RESET, Fault(reset_after=500_000), Fault(delay_seconds=0.5), Fault(delay_seconds=4))
    with s3.proxy.obeying(every(2, *faults, path=f"/{bucket}/a")) as requests:
        seen = [outcome(client, bucket) for _ in range(10)]
    assert seen[::2] == ["1000000"] * 5
    assert seen[1::2] == ["503 SlowDown", "reset", "reset", "1000000", "timed out"]
    assert [(request.method, request.path, request.fault) for request in requests[:2]] == [
        ("GET", f"/{bucket}/a", None),
        ("GET", f"/{bucket}/a", UNAVAILABLE),
    ]
    assert outcome(client, bucket) == "1000000"


@pytest.mark.parametrize(("lost", "is_there"), [("request", False), ("body", False), ("reply", True)])
def test_a_request_that_is_lost_on_its_way(s3: S3, lost: Any, is_there: bool) -> None:
    bucket, client, seen = s3.new_bucket(), through_the_proxy(), list[str]()
    fault = Fault(lost=lost, act=lambda: seen.append(lost))
    for size in (1_000, 1_000_000):
        with s3.proxy.obeying(every(1, fault, method="PUT")), pytest.raises(ConnectionClosedError):
            client.put_object(Bucket=bucket, Key=f"{size}", Body=b"x" * size)
        listed = s3.client.list_objects_v2(Bucket=bucket).get("Contents", [])
        assert (f"{size}", size) in [(one["Key"], one["Size"]) for one in listed] if is_there else listed == []
    assert seen == [lost, lost]


def test_a_reply_that_is_lost_is_asked_for_again(s3: S3) -> None:
    client = boto3.client("s3")
    with s3.proxy.obeying(every(2, NO_REPLY, method="PUT")) as requests:
        for i in range(4):
            client.put_object(Bucket=s3.client.list_buckets()["Buckets"][0]["Name"], Key=f"{i}", Body=b"x")
    assert len(requests) == 7


def outcome(client: Any, bucket: str) -> str:
    """What comes of reading an object."""
    began = time.monotonic()
    try:
        return str(len(client.get_object(Bucket=bucket, Key="a")["Body"].read()))
    except ClientError as error:
        return f"{error.response['ResponseMetadata']['HTTPStatusCode']} {error.response['Error']['Code']}"
    except ReadTimeoutError:
        return "timed out" if time.monotonic() - began > 1.5 else "too soon"
    except Exception as error:
        if isinstance(error, ConnectionClosedError) or "reset" in str(error).lower() or "broken" in str(error):
            return "reset"
        raise


def test_no_test_reaches_an_account_of_its_user(s3: S3) -> None:
    assert os.environ["AWS_ENDPOINT_URL_S3"] == s3.url
    assert "AWS_PROFILE" not in os.environ
