"""How strongly columns are associated, with the label and with each other."""

from traintable.analyse.association.categorical import Information, cramers_v, information
from traintable.analyse.association.collinearity import condition_number, vif
from traintable.analyse.association.correlation import correlation_test
from traintable.analyse.association.correlation_ratio import correlation_ratio
from traintable.analyse.association.redundancy import Cluster, redundant_clusters

__all__ = [
    "Cluster",
    "Information",
    "condition_number",
    "correlation_ratio",
    "correlation_test",
    "cramers_v",
    "information",
    "redundant_clusters",
    "vif",
]
