"""spark-submit [...] jobs/sample.py --config FILE [--set section.key=value]..."""

import sys

from traintable.cli import main

if __name__ == "__main__":
    main(["sample", *sys.argv[1:]])
