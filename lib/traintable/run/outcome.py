"""The end of a run, and the line that ends standard output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """The end of a run.

    Attributes
    ----------
    status : "published", or "unchanged" where the table has the rows already.
    rows : how many were read, published in each split, quarantined and filtered.
    details : further keys of the JSON line; for a run of the main job those of `RunDetails`, among others.
    """

    status: str
    run_id: str
    table: str
    version: int | None
    model: str | None
    rows: Mapping[str, Any] | None
    details: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The JSON line."""
        fixed = {name: getattr(self, name) for name in ("status", "run_id", "table", "version", "model", "rows")}
        return {**fixed, **self.details}

    def with_details(self, details: Mapping[str, Any]) -> Outcome:
        """The outcome with further details."""
        return replace(self, details={**self.details, **details})
