"""What a run learned about the rows that it publishes, for its manifest and its result line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from traintable.delta.manifest import GateSummary, LeakageFinding, SplitDescription


@dataclass(frozen=True)
class RunDetails:
    """What a run learned about the rows that it publishes; the fields are keys of a manifest.

    Attributes
    ----------
    fingerprint : the hash of all that the rows follow from; see `run.manifest.fingerprint_of`.
    content_hash : the hash of the rows, whatever their order.
    classes : the rows of each class: split -> class -> rows.
    reasons : the rows that are not published, by reason.
    split : how rows were divided, and what each split holds.
    features : the number of features.
    left_out : the features that selection dropped, each with the reason.
    leakage : what looks like a leak.
    gate : the verdict in short.
    """

    fingerprint: str
    content_hash: str
    classes: dict[str, dict[str, int]]
    reasons: dict[str, int]
    split: SplitDescription
    features: int
    left_out: list[str]
    leakage: list[LeakageFinding]
    gate: GateSummary

    @classmethod
    def from_manifest(cls, manifest: Mapping[str, Any]) -> RunDetails:
        """The details in the manifest of a run, with all that is attached to it."""
        return cls(**{f.name: manifest[f.name] for f in fields(cls)})

    def to_dict(self) -> dict[str, Any]:
        """The details under the keys of a manifest."""
        return asdict(self)
