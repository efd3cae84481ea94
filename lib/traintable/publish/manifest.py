"""The manifest of a version: a few kB that travel in its commit, and what is larger beside the table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from traintable.delta.attachments import Attachments

# What is kept beside the table where it is large.
MOVABLE = ("config", "split", "classes", "reasons", "left_out", "leakage")
_LARGE = 1000  # characters


def fitting(manifest: Mapping[str, Any], beside: Attachments, kept: Mapping[str, str]) -> dict[str, Any]:
    """The manifest as it travels in a commit: what is larger is kept beside the table, named by its hash.

    `kept` are the files that are there already: name -> file.
    """
    told, moved = dict(manifest), dict(kept)
    for name in MOVABLE:
        if name in told and len(json.dumps(told[name], default=str)) > _LARGE:
            moved[name] = beside.put_json(told.pop(name))
    return {**told, "beside": moved}


def whole(manifest: Mapping[str, Any], beside: Attachments) -> dict[str, Any]:
    """The manifest with what was kept beside the table because it is large."""
    moved = {name: file for name, file in manifest.get("beside", {}).items() if name in MOVABLE}
    return {**manifest, **{name: beside.get_json(file) for name, file in moved.items() if name not in manifest}}
