"""spark-submit [...] jobs/pin.py PATH VERSION --by NAME [--copy ADDRESS]"""

import sys

from traintable.cli import main

if __name__ == "__main__":
    main(["pin", *sys.argv[1:]])
