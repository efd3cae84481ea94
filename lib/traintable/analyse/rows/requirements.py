"""Packages that only the analysis needs, and only where it runs: the extra `analyse`."""

from __future__ import annotations

import importlib.util

from traintable.errors import ConfigError


def require_scikit_learn() -> None:
    """Raise ConfigError where scikit-learn is not installed."""
    require_package("sklearn", "scikit-learn, which fits trees to a sample of the rows")


def require_package(module: str, expected: str) -> None:
    """Raise ConfigError where a package of the extra `analyse` is not installed."""
    if importlib.util.find_spec(module) is None:
        raise ConfigError(
            where="analyse",
            expected=expected,
            found=f"no package `{module}`",
            remedy="Install it: `pip install traintable[analyse]`. Only the driver needs it.",
        )


def random_state(seed: int) -> int:
    """A seed within the range that scikit-learn accepts."""
    return seed % 2**32
