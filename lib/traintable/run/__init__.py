"""The whole way through: from pinned warehouse tables to the next version of a training table."""

from traintable.assemble.rows import assemble, pin_inputs
from traintable.run.build import run
from traintable.run.outcome import Outcome, census
from traintable.run.places import Places
from traintable.run.staging import Staging, stageable, staging

__all__ = [
    "Outcome",
    "Places",
    "Staging",
    "analyse",
    "assemble",
    "census",
    "pin_inputs",
    "rebuild",
    "run",
    "sample",
    "stageable",
    "staging",
]
