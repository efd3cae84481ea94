"""The whole profile of a table, and its JSON Schema."""

from typing import Any, Literal

from pydantic import TypeAdapter
from typing_extensions import NotRequired

from traintable.analyse.document.base import Part
from traintable.analyse.document.columns import ColumnProfile
from traintable.analyse.document.drift import TableDrift
from traintable.analyse.document.hints import Hint
from traintable.analyse.document.rows import Anomalies, Importance
from traintable.analyse.document.table import Associations, HypothesisTest, Imbalance, Missingness

FORMAT: Literal[1] = 1


class Scan(Part):
    """One pass over rows: what it learned, how many rows, by what engine, in how many Spark jobs, bytes read."""

    what: str
    rows: int
    engine: str
    jobs: int
    bytes: int | None


class Leak(Part):
    """A suspected leak, as a guard of `split` describes it.

    `allowed_because` is the reason for which the configuration allows it.
    """

    check: str
    severity: Literal["severe", "warning"]
    columns: list[str]
    numbers: dict[str, float | int | str]
    message: str
    remedy: str
    allowed_because: NotRequired[str]


HeadlineSeverity = Literal["high", "medium", "low"]


class Headline(Part):
    """One of the few findings to read first; `section` is the part of the profile that it is from."""

    severity: HeadlineSeverity
    title: str
    text: str
    section: str
    columns: list[str]


class ProfileDocument(Part):
    """All that is known of a table.

    A `scan` in any part counts from 0, and says from which of `scans` its numbers are.

    Attributes
    ----------
    profile : the version of this format.
    label, time, key : the columns that have these roles.
    scans : what was read.
    """

    profile: Literal[1]
    name: str
    rows: int
    label: str | None
    time: str | None
    key: list[str]
    scans: list[Scan]
    columns: list[ColumnProfile]
    missingness: Missingness
    imbalance: Imbalance | None
    associations: Associations | None
    tests: list[HypothesisTest]
    anomalies: Anomalies | None
    importance: Importance | None
    hints: list[Hint]
    leaks: list[Leak]
    drift: TableDrift | None
    headlines: list[Headline]


def profile_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a profile, as `Profile.to_dict` and `profile.json` have it; no pass.

    Examples
    --------
    >>> schema = profile_schema()
    >>> schema["additionalProperties"], schema["properties"]["rows"]["type"]
    (False, 'integer')
    >>> sorted(schema["$defs"]["Bounds"]["required"])
    ['high', 'low', 'n']
    """
    return TypeAdapter(ProfileDocument).json_schema()
