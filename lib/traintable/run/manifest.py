"""What is written down of a run: the manifest, and the fingerprint by which a later run knows that nothing changed."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, cast

import traintable
from traintable.config.dataset import Config
from traintable.delta.manifest import Manifest
from traintable.delta.pinned_input import PinnedInput
from traintable.run.provenance import code_of, input_of

# What a plan says without deciding anything by it.
FOR_THE_READER: Any = {"drop": True, "advice": True, "features": {"__all__": {"because", "alternatives"}}}
LIBRARIES = ("pyspark", "delta-spark", "great-expectations", "numpy", "pyarrow")


def manifest(
    config: Config,
    pinned: Mapping[str, PinnedInput],
    run_id: str,
    rows: Mapping[str, Any],
    details: Mapping[str, Any],
) -> Manifest:
    """What travels in the commit: from what the rows were made, how many they are, and `details` that the run knows."""
    known = {
        "traintable": traintable.__version__,
        "run_id": run_id,
        "name": config.name,
        "inputs": {name: input_of(table) for name, table in pinned.items()},
        "code": code_of(config.root),
        "key": list(config.source.key),
        "label": config.label.name,
        "config": described_config(config),
        "seed": config.seed,
        "rows": dict(rows),
        "libraries": makers(),
        **details,
    }
    return cast(Manifest, known)


def libraries() -> dict[str, str]:
    """The versions of what computed the rows; one that the platform brings without metadata is left out."""
    found = {}
    for name in LIBRARIES:
        with suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def makers() -> dict[str, str]:
    """The versions of Python and of those libraries."""
    return {"python": platform.python_version(), **libraries()}


def described_config(config: Config) -> dict[str, Any]:
    """The configuration as it was resolved, but for where `root` lies on this machine and what was left at default."""
    return config.model_dump(mode="json", exclude={"root", "analysis"}, exclude_defaults=True)


def fingerprint_of(config: Config, pinned: Mapping[str, PinnedInput]) -> str:
    """What the rows follow from: two runs with the same fingerprint would publish the same rows.

    The order of keys counts, for it is the order of the features.
    """
    inputs = {name: table.to_dict() for name, table in pinned.items()}
    settings = config.model_dump(mode="json", exclude={"root": True, "analysis": True, "prepare": FOR_THE_READER})
    text = json.dumps([traintable.__version__, libraries(), settings, inputs])
    return hashlib.sha256(text.encode()).hexdigest()
