"""Publish rows and their manifest in one commit, and read manifests back."""

from traintable.publish.history import history, newest_manifest
from traintable.publish.quarantine import write_removed
from traintable.publish.table import publish, version_of

__all__ = [
    "candidate",
    "difference",
    "erasure",
    "history",
    "manifest",
    "mlflow_input",
    "newest_manifest",
    "pins",
    "publish",
    "vacuum",
    "version_of",
    "write_removed",
]
