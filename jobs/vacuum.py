"""spark-submit [...] jobs/vacuum.py PATH [--retain-hours H] [--dry-run]"""

import sys

from traintable.cli import main

if __name__ == "__main__":
    main(["vacuum", *sys.argv[1:]])
