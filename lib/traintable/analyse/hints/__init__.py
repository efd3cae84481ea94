"""Features that would help a model, each with the numbers that say so and the piece of plan that makes it."""

from traintable.analyse.hints.collect import collect_hints

__all__ = ["collect_hints"]
