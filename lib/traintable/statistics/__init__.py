"""One statistics engine: callers say which statistics they want, `scan` learns them all in one pass.

States merge, so more rows are added rather than scanned again.
"""

from traintable.statistics.coding import Coding
from traintable.statistics.content_hash import content_hash
from traintable.statistics.frequent_words import most_frequent_words
from traintable.statistics.gram import Covariance, Gram
from traintable.statistics.scan import scan
from traintable.statistics.states import Cost, Statistics
from traintable.statistics.targets import TargetGroups
from traintable.statistics.wanted import Wanted
from traintable.statistics.weighted import Weighted

__all__ = [
    "Coding",
    "Cost",
    "Covariance",
    "Gram",
    "Statistics",
    "TargetGroups",
    "Wanted",
    "Weighted",
    "association",
    "chunk",
    "content_hash",
    "frequencies",
    "missingness",
    "most_frequent_words",
    "periods",
    "scan",
    "states",
    "summary",
    "targets",
    "values",
    "yeo_johnson",
]
