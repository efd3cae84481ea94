"""The whole way through: from pinned warehouse tables to the next version of a training table."""

from traintable.run.job import run
from traintable.run.outcome import Outcome
from traintable.run.rows import assemble, pin_inputs

__all__ = ["Outcome", "assemble", "pin_inputs", "run"]
