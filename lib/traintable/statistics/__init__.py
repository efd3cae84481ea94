"""One statistics engine: callers say which statistics they want, `scan` learns them all in one pass.

Every state is exact, so the numbers do not depend on the number of partitions, the order of rows or the cluster.
"""

from traintable.statistics.content_hash import content_hash, row_hashes
from traintable.statistics.frequencies import Frequencies
from traintable.statistics.gram import Gram
from traintable.statistics.scan import Statistics, Wanted, scan

__all__ = ["Frequencies", "Gram", "Statistics", "Wanted", "content_hash", "row_hashes", "scan"]
