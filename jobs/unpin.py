"""spark-submit [...] jobs/unpin.py PATH --by NAME"""

import sys

from traintable.cli import main

if __name__ == "__main__":
    main(["unpin", *sys.argv[1:]])
