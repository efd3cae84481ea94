"""Draws of rows that depend on the seed and the row's key only."""

from traintable.sample.draw import keyed_hash

__all__ = ["keyed_hash"]
