"""The manifest of a version: what its rows were made of and by, which travels as JSON in its commit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal, cast

from typing_extensions import Required, TypedDict

from traintable.delta.log import parse_json


class InputTable(TypedDict, total=False):
    """One version of a table that was read; `files_hash` is of the names, sizes and times of its files."""

    table: Required[str]
    version: Required[int]
    committed: Required[str]
    files: int
    bytes: int
    files_hash: str


class CodeVersion(TypedDict, total=False):
    """The version of this package, and the git commit of the configuration's folder, `changed` since or not."""

    traintable: Required[str]
    commit: str
    changed: bool


class RowCounts(TypedDict, total=False):
    """Rows that were read and what became of them: published (by split), quarantined, filtered; drawn by a sample."""

    read: Required[int]
    published: dict[str, int]
    quarantined: int
    filtered: int
    drawn: int


# The rows of one split: their number, that of each class and its share, their first and last time (ISO 8601, UTC).
SplitCounts = TypedDict(
    "SplitCounts",
    {
        "rows": Required[int],
        "classes": Required[dict[str, int]],
        "shares": dict[str, float],
        "from": str | None,
        "to": str | None,
    },
    total=False,
)


class FrozenTest(TypedDict):
    """The rows of an earlier version's test split that were kept, and how many of them are missing."""

    rows: int
    missing: int


class SplitDescription(TypedDict, total=False):
    """How rows were divided, and what each split holds."""

    method: Required[str]
    definition: Required[dict[str, Any]]
    parts: Required[dict[str, SplitCounts]]
    frozen_test: FrozenTest


class LeakageFinding(TypedDict, total=False):
    """What looked like a leak: which guard saw it, how severe it is, where, in numbers and in words."""

    check: Required[str]
    severity: Required[Literal["severe", "warning"]]
    columns: Required[list[str]]
    numbers: Required[dict[str, float | int | str]]
    message: Required[str]
    remedy: Required[str]
    allowed_because: str


class FailedRule(TypedDict):
    """A rule of the gate that does not hold."""

    id: str
    rule: str
    column: str | list[str]
    level: str
    found: Any


class GateSummary(TypedDict, total=False):
    """How many rules the gate has tried and how many of them hold, and the first of those that do not."""

    rules: Required[int]
    held: Required[int]
    warnings: Required[list[FailedRule]]
    refusals: Required[list[FailedRule]]


class Attached(TypedDict, total=False):
    """Names of files in `<table>_manifests`: what is too large for the commit."""

    gate: str
    page: str
    summary: str
    schema: str
    config: str
    split: str
    classes: str
    reasons: str
    left_out: str
    leakage: str


class Forgotten(TypedDict):
    """How many rows `traintable forget` has taken out, when (ms since 1970), and of which rows the content hash is."""

    at: int
    rows: int
    content_hash: str


class ReservoirSettings(TypedDict):
    """What a table of `sample.update_reservoir` was made with."""

    n: int
    key: list[str]
    seed: int
    by: list[str]
    weight: str | None


class Manifest(TypedDict, total=False):
    """What a commit of ours says in its `userMetadata`. Its keys are public: old tables must stay readable.

    A run writes all but `method`, `reservoir` and `forgotten`; what is large is among the attached files instead
    (`beside`). A sample writes `method`, a reservoir its settings.
    """

    traintable: Required[str]
    run_id: str
    name: str
    inputs: dict[str, InputTable]
    code: CodeVersion
    key: list[str]
    label: str
    config: dict[str, Any]
    seed: int
    rows: RowCounts
    libraries: dict[str, str]
    fingerprint: str
    model: str
    model_hash: str | None
    content_hash: str
    classes: dict[str, dict[str, int]]
    reasons: dict[str, int]
    split: SplitDescription
    features: int
    left_out: list[str]
    leakage: list[LeakageFinding]
    gate: GateSummary
    quarantine: str
    beside: Attached
    method: str
    reservoir: ReservoirSettings
    forgotten: Forgotten


def parse_manifest(metadata: str | None) -> Manifest | None:
    """The manifest in a commit's `userMetadata`; None where somebody else wrote something else there, or nothing."""
    value = parse_json(metadata)
    return cast(Manifest, value) if isinstance(value, dict) and "traintable" in value else None


def manifest_json(manifest: Mapping[str, Any]) -> str:
    """The text that travels in the commit; ValueError for a number that JSON has not (NaN, infinite)."""
    return json.dumps(manifest, allow_nan=False, default=str)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a manifest."""
    from pydantic import TypeAdapter

    return TypeAdapter(Manifest).json_schema()
