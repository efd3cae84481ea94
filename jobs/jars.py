"""spark-submit [...] jobs/jars.py [...]"""

import sys

from traintable.cli import main

if __name__ == "__main__":
    main(["jars", *sys.argv[1:]])
