"""One statistics engine: callers say which statistics they want, `scan` learns them all in one pass.

States merge, so more rows are added rather than scanned again.
"""

from traintable.statistics.coding import Coding
from traintable.statistics.content_hash import content_hash
from traintable.statistics.gram import Covariance, Gram
from traintable.statistics.learned import Cost, Statistics
from traintable.statistics.scan import scan
from traintable.statistics.targets import Target
from traintable.statistics.wanted import Wanted
from traintable.statistics.weighted import Weighted
from traintable.statistics.words import most_frequent_words

__all__ = [
    "Coding",
    "Cost",
    "Covariance",
    "Gram",
    "Statistics",
    "Target",
    "Wanted",
    "Weighted",
    "association",
    "chunk",
    "codes",
    "content_hash",
    "exact",
    "frequencies",
    "gram",
    "learned",
    "missingness",
    "most_frequent_words",
    "periods",
    "scan",
    "summary",
    "targets",
    "values",
    "yeo_johnson",
]
