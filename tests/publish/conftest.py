"""Where tables lie in these tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from servers.fixtures import S3


@pytest.fixture(params=["disk", "s3"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place for a table, on the local disk and on S3."""
    if request.param == "disk":
        return str(tmp_path / "tables" / "t")
    s3: S3 = request.getfixturevalue("s3")
    return f"s3a://{s3.new_bucket()}/tables/t"
