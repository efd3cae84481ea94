"""traintable turns warehouse and lake data into versioned Delta tables that models are trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from traintable.spark.session import get_spark

__version__ = "0.1.0"
__all__ = ["__version__", "get_spark"]


def __getattr__(name: str) -> Any:
    """Import what needs more than Python only when it is used."""
    if name == "get_spark":
        from traintable.spark.session import get_spark

        return get_spark
    raise AttributeError(f"module 'traintable' has no attribute '{name}'")
