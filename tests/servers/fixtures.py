"""The servers that tests share, one of each a process, started when a test first asks for it."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from servers.postgres import Postgres
from servers.proxy import Proxy
from servers.versitygw import Versitygw

_OWN = pytest.StashKey[socket.socket]()
_KEY, _SECRET = "traintable", "only-for-tests"
_OTHERS = ("AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_DEFAULT_PROFILE")


@dataclass(frozen=True)
class S3:
    """An S3 server behind a proxy; the environment names the proxy.

    Attributes
    ----------
    url : the proxy's address.
    direct : the server's own.
    """

    url: str
    direct: str
    proxy: Proxy

    @property
    def client(self) -> Any:
        """A boto3 client that goes around the proxy, so that what a test puts is not among the requests."""
        import boto3
        from botocore.config import Config

        return boto3.client("s3", endpoint_url=self.direct, config=Config(s3={"addressing_style": "path"}))

    def new_bucket(self) -> str:
        """The name of a bucket that has just been made."""
        name = f"test-{secrets.token_hex(6)}"
        self.client.create_bucket(Bucket=name)
        return name


def pytest_configure(config: pytest.Config) -> None:
    """Let the environment name the S3 server of this process, before any session is started that hands it to Java.

    The port is taken now and answers only when a test asks for `s3`. No test may reach an account of its user.
    """
    own = socket.socket()
    own.bind(("127.0.0.1", 0))
    config.stash[_OWN] = own
    for name in _OTHERS:
        os.environ.pop(name, None)
    os.environ.update(
        AWS_ENDPOINT_URL_S3=f"http://127.0.0.1:{own.getsockname()[1]}",
        AWS_ACCESS_KEY_ID=_KEY,
        AWS_SECRET_ACCESS_KEY=_SECRET,
        AWS_REGION="us-east-1",
        AWS_DEFAULT_REGION="us-east-1",
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        AWS_EC2_METADATA_DISABLED="true",
    )


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server whose one user has a password."""
    server = Postgres(password=secrets.token_urlsafe(16))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def s3(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    """An S3 server behind a proxy that fails when a test asks it to."""
    server = Versitygw(tmp_path_factory.mktemp("s3"), _KEY, _SECRET)
    server.start()
    proxy = Proxy(request.config.stash[_OWN], server.port)
    proxy.start()
    yield S3(os.environ["AWS_ENDPOINT_URL_S3"], server.url, proxy)
    proxy.stop()
    server.stop()


@pytest.fixture(params=["disk", "s3"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place for a table, on the local disk and on S3."""
    if request.param == "disk":
        return str(tmp_path / "tables" / "t")
    s3: S3 = request.getfixturevalue("s3")
    return f"s3a://{s3.new_bucket()}/tables/t"
