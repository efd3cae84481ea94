"""spark-submit [...] jobs/rebuild.py [...]"""

import sys

from traintable.cli import main

if __name__ == "__main__":
    main(["rebuild", *sys.argv[1:]])
