"""Publish rows and their manifest in one commit, and read manifests back."""

from traintable.publish.history import history, newest_manifest
from traintable.publish.quarantine import write_quarantine
from traintable.publish.table import publish

__all__ = [
    "candidate",
    "difference",
    "erasure",
    "history",
    "mlflow_input",
    "newest_manifest",
    "publish",
    "vacuum",
    "version_pins",
    "write_quarantine",
]
