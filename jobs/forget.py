"""spark-submit [...] jobs/forget.py PATH --key column=value... [--even-pinned]"""

import sys

from traintable.cli import main

if __name__ == "__main__":
    main(["forget", *sys.argv[1:]])
