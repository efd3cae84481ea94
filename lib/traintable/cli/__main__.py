"""`python -m traintable.cli`."""

from traintable.cli.commands import main

main()
