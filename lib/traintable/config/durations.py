"""Lengths of time as they are written in a configuration: "3 hours"."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

_DURATION = re.compile(r"^(\d+)\s*(second|minute|hour|day|week)s?$")
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}


def seconds(text: str) -> int:
    """A duration such as "3 hours" in seconds; raises ValueError when it is not one."""
    found = _DURATION.match(text.strip())
    if not found:
        raise ValueError("a duration such as '3 hours'")
    return int(found.group(1)) * _SECONDS[found.group(2)]


def _checked(text: str) -> str:
    seconds(text)
    return text


Duration = Annotated[str, AfterValidator(_checked)]
