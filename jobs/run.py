"""spark-submit [...] jobs/run.py --config FILE [--set section.key=value]..."""

import sys

from traintable.cli import main

if __name__ == "__main__":
    main(["run", *sys.argv[1:]])
