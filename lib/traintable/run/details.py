"""What a run found out, for its manifest and its result line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass(frozen=True)
class RunDetails:
    """What a run found out about the rows that it publishes.

    Attributes
    ----------
    fingerprint : what the rows follow from; see `run.manifest.fingerprint_of`.
    content_hash : the hash of the rows, whatever their order.
    classes : the rows of each class: split -> class -> rows.
    reasons : the rows that are not published, by reason.
    split : how rows were divided; see `run.describe_split`.
    features : the number of features.
    left_out : the features that selection dropped, each with the reason.
    leakage : what looks like a leak; see `split.manifest_findings`.
    gate : the verdict; see `quality.Verdict.summary`.
    """

    fingerprint: str
    content_hash: str = ""
    classes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)
    split: Mapping[str, Any] = field(default_factory=dict)
    features: int = 0
    left_out: Sequence[str] = ()
    leakage: Sequence[Mapping[str, Any]] = ()
    gate: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_manifest(cls, manifest: Mapping[str, Any]) -> RunDetails:
        """The details of the run that wrote a manifest."""
        return cls(**{f.name: manifest[f.name] for f in fields(cls) if f.name in manifest})

    def to_manifest(self) -> dict[str, Any]:
        """The details under the keys of a manifest."""
        return asdict(self)
