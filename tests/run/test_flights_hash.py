"""The flights of three months give the rows that they have always given."""

from __future__ import annotations

import pytest

from traintable.run import Outcome

# Of the rows that were published on 2026-11-26 (commit ae6c1b2). A change of it is a change of what users train on: it
# belongs in the CHANGELOG, with the reason.
CONTENT_HASH = "c8683ef7393de1bb9fe02c638123adccb05b66b1b5b70f7202e994be9f4502e8"


@pytest.mark.usefixtures("spark")
def test_the_flights_have_the_content_hash_of_before(published: Outcome) -> None:
    assert published.rows["published"] == {"train": 48_910, "validation": 12_494, "test": 14_594}
    assert published.details["features"] == 153
    assert published.details["content_hash"] == CONTENT_HASH
