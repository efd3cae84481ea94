"""Settings of every command: checked whole before any data is read; no Spark."""

from traintable.config.dataset import Config, load

__all__ = [
    "Config",
    "dataset",
    "document",
    "durations",
    "ingest",
    "leakage",
    "load",
    "plan",
    "promise",
    "sample",
    "secrets",
    "sources",
    "split",
    "types",
]
