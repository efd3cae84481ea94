"""spark-submit [...] jobs/ingest.py --config FILE [--interval START/END] [--set section.key=value]..."""

import sys

from traintable.cli import main

if __name__ == "__main__":
    main(["ingest", *sys.argv[1:]])
