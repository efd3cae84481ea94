"""spark-submit [...] jobs/diff.py [...]"""

import sys

from traintable.cli import main

if __name__ == "__main__":
    main(["diff", *sys.argv[1:]])
