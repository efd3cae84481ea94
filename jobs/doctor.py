"""spark-submit [...] jobs/doctor.py [...]"""

import sys

from traintable.cli import main

if __name__ == "__main__":
    main(["doctor", *sys.argv[1:]])
