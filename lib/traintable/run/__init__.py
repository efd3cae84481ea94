"""The whole way through: from pinned warehouse tables to the next version of a training table."""

from traintable.run.build import run
from traintable.run.outcome import Outcome
from traintable.run.output_paths import OutputPaths
from traintable.run.row_accounting import census
from traintable.run.staging import Staging, stageable

__all__ = [
    "Outcome",
    "OutputPaths",
    "Staging",
    "analyse",
    "census",
    "rebuild",
    "run",
    "sample",
    "stageable",
]
