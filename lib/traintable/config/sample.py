"""The configuration of one sample: a YAML file of its own, checked before any data is read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field

from traintable.config import document
from traintable.config.dataset import Source
from traintable.config.section import Section

Method = Literal[
    "simple",
    "stratified",
    "reservoir",
    "weighted",
    "cluster",
    "two_stage",
    "systematic",
    "bootstrap",
    "by_bytes",
    "from_files",
]


class Draw(Section):
    """A function of `traintable.sample`, and its parameters other than the rows, the key and the seed."""

    model_config = ConfigDict(frozen=True, extra="allow")
    method: Method

    @property
    def parameters(self) -> dict[str, Any]:
        """What the function is called with."""
        return dict(self.model_extra or {})


class Table(Section):
    """Where the sample goes."""

    table: str = Field(min_length=1)


class SampleConfig(Section):
    """One sample of one table."""

    name: str
    root: str = "."
    seed: int = Field(0, ge=-(2**63), lt=2**63)
    source: Source
    sample: Draw
    output: Table


def load(path: str | Path, overrides: Sequence[str] = ()) -> SampleConfig:
    """Read the configuration of a sample and apply `section.key=value` overrides.

    Relative table names are taken from `root`, and a relative `root` from the folder of the file.
    Raises InputMissing when there is no such file and ConfigError when it, or an override, is wrong.
    """
    return document.load_settings(path, overrides, SampleConfig)
