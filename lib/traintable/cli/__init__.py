"""The command line: one command a function, each answers with one JSON line."""

from traintable.cli import job_commands, machine_commands, table_commands
from traintable.cli.app import main

__all__ = ["job_commands", "machine_commands", "main", "table_commands"]
