"""Secrets: read from the environment or from a file that the platform mounts, never from a configuration."""

from __future__ import annotations

import os
from pathlib import Path

from traintable.config.sources import Secret
from traintable.errors import ConfigError


def read_secret(secret: Secret, where: str) -> str:
    """The value of a secret; ConfigError, which never shows a value, when there is none."""
    if secret.env is not None:
        value = os.environ.get(secret.env)
        place = f"the environment variable {secret.env}"
    else:
        place = f"the file {secret.file}"
        try:
            value = Path(secret.file or "").read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError):
            value = None
    if not value:
        raise ConfigError(where=where, expected=f"a value in {place}", found="none", remedy="Set it there.")
    return value
