"""The command line: one command a function, each answers with one JSON line."""

from traintable.cli.commands import main

__all__ = [
    "main",
]
