"""What all parts of a profile have in common."""

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict  # pydantic reads the one of `typing` from Python 3.12 on

Number = float | None  # None where it is not finite, for JSON has no such numbers
Scalar = str | int | float | bool | None


@with_config(ConfigDict(extra="forbid"))
class Part(TypedDict):
    """A part of a profile, which has the keys that are declared and no others."""


class Histogram(Part):
    """How many rows lie between edges.

    Attributes
    ----------
    edges : ascending; one more than there are counts.
    counts : rows from an edge up to the next one; the last bin holds its upper edge too.
    """

    edges: list[float]
    counts: list[int]
