"""A plan as YAML text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from traintable.config import document

_HEAD = """\
# A plan: what becomes of each column, and why. Edit it; `prepare` carries out exactly what it says.
# `because` and `alternatives` are for you. Analysing again keeps your changes and comments, and shows what is new.
"""
WIDTH = 110


class _Dumper(yaml.SafeDumper):
    """Steps of one feature on one line, one line a reason."""


def _represent_mapping(dumper: yaml.SafeDumper, data: dict[str, Any]) -> yaml.MappingNode:
    is_flat = all(not isinstance(value, (dict, list)) for value in data.values()) and "because" not in data
    return dumper.represent_mapping("tag:yaml.org,2002:map", data, flow_style=is_flat)


_Dumper.add_representer(dict, _represent_mapping)


def to_yaml(plan: Mapping[str, object]) -> str:
    """The plan as text that `read` gives back."""
    text: str = yaml.dump(dict(plan), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=WIDTH)
    return _HEAD + text


def read(path: Path) -> dict[str, object]:
    """The plan in a file; raises InputMissing or ConfigError when there is none."""
    return document.read_yaml(path)
