"""spark-submit [...] jobs/analyse.py --config FILE [--set section.key=value]..."""

import sys

from traintable.cli import main

if __name__ == "__main__":
    main(["analyse", *sys.argv[1:]])
