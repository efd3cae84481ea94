"""`python -m traintable.cli`."""

from traintable.cli import main

main()
