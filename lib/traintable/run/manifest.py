"""The manifest of a run, and the fingerprint by which a later run knows that nothing has changed."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import traintable
from traintable.config.dataset import Config
from traintable.delta.manifest import Manifest, RowCounts
from traintable.delta.pinned_input import PinnedInput
from traintable.run.details import RunDetails
from traintable.run.provenance import code_of, input_of, model_hash

# What a plan says for its reader, without any effect.
FOR_THE_READER: Any = {"drop": True, "advice": True, "features": {"__all__": {"because", "alternatives"}}}
LIBRARIES = ("pyspark", "delta-spark", "great-expectations", "numpy", "pyarrow")


def make_manifest(
    config: Config,
    pinned: Mapping[str, PinnedInput],
    run_id: str,
    rows: RowCounts,
    details: RunDetails,
    *,
    model: str,
    quarantine: str | None,
) -> Manifest:
    """The manifest of a version: what its rows were made of and by, how many they are, and what the run learned.

    `model` is the saved pipeline; `quarantine` is named only where it is not in its usual place.
    """
    manifest: Manifest = {
        "traintable": traintable.__version__,
        "run_id": run_id,
        "name": config.name,
        "inputs": {name: input_of(table) for name, table in pinned.items()},
        "code": code_of(config.root),
        "key": list(config.source.key),
        "label": config.label.name,
        "config": describe_config(config),
        "seed": config.seed,
        "rows": rows,
        "libraries": software_versions(),
        "fingerprint": details.fingerprint,
        "model": model,
        "content_hash": details.content_hash,
        "classes": details.classes,
        "reasons": details.reasons,
        "split": details.split,
        "features": details.features,
        "left_out": details.left_out,
        "leakage": details.leakage,
        "gate": details.gate,
    }
    if quarantine is not None:
        manifest["quarantine"] = quarantine
    manifest["model_hash"] = model_hash(model)
    return manifest


def library_versions() -> dict[str, str]:
    """The versions of the libraries that compute rows; one without metadata, as platforms bring it, is left out."""
    versions = {}
    for name in LIBRARIES:
        with suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return versions


def software_versions() -> dict[str, str]:
    """The versions of Python and of those libraries."""
    return {"python": platform.python_version(), **library_versions()}


def describe_config(config: Config) -> dict[str, Any]:
    """The configuration with its overrides, without `root`, which differs between machines, and without defaults."""
    return config.model_dump(mode="json", exclude={"root", "analysis"}, exclude_defaults=True)


def fingerprint_of(config: Config, pinned: Mapping[str, PinnedInput]) -> str:
    """The hash of all that the rows follow from: runs with the same fingerprint publish the same rows.

    The order of keys counts, for it is the order of the features.
    """
    inputs = {name: table.to_dict() for name, table in pinned.items()}
    settings = config.model_dump(mode="json", exclude={"root": True, "analysis": True, "prepare": FOR_THE_READER})
    text = json.dumps([traintable.__version__, library_versions(), settings, inputs])
    return hashlib.sha256(text.encode()).hexdigest()
