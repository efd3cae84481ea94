"""spark-submit [...] jobs/history.py [...]"""

import sys

from traintable.cli import main

if __name__ == "__main__":
    main(["history", *sys.argv[1:]])
