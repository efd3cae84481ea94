"""Lengths of time as a configuration has them: "3 hours"."""

from __future__ import annotations

import re
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

_DURATION = re.compile(r"^(\d+)\s*(second|minute|hour|day|week)s?$")
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}


class Duration(str):
    """A length of time such as "3 hours", which is parsed once and stays the text it was wherever it is written.

    Raises ValueError for a text that is not a whole number of seconds, minutes, hours, days or weeks.

    Attributes
    ----------
    seconds : the length in seconds.

    Examples
    --------
    >>> Duration("3 hours").seconds
    10800
    """

    __slots__ = ("seconds",)
    seconds: int

    def __new__(cls, text: str) -> Duration:
        """Parse `text`."""
        match = _DURATION.match(text.strip())
        if match is None:
            raise ValueError("a duration such as '3 hours'")
        duration = super().__new__(cls, text)
        duration.seconds = int(match.group(1)) * _SECONDS[match.group(2)]
        return duration

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Validate a text in a configuration, and serialise it as that text."""
        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema())
