"""Secrets, which stand in the environment or in a file that the platform mounts, never in a configuration."""

from __future__ import annotations

import os
from pathlib import Path

from traintable.config.sources import Secret
from traintable.errors import ConfigError


def value_of(secret: Secret, where: str) -> str:
    """The value of a secret; ConfigError, which does not tell it, when it is not where it should be."""
    if secret.env is not None:
        found = os.environ.get(secret.env)
        place = f"the environment variable {secret.env}"
    else:
        place = f"the file {secret.file}"
        try:
            found = Path(secret.file or "").read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError):
            found = None
    if not found:
        raise ConfigError(where=where, expected=f"a value in {place}", found="none", remedy="Set it there.")
    return found
