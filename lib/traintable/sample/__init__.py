"""Draws of rows that depend on the seed and the rows' keys only.

Each function takes a DataFrame and gives the drawn rows with all their columns and `inclusion_probability`, with which
`estimate` corrects what is computed from them. The same rows, whatever their order, files, partitions or cluster, give
the same sample.

| function | gives | passes over the rows |
| --- | --- | --- |
| `simple` | exactly n rows | 1, after a count |
| `stratified` | exactly so many rows of each stratum | 1, after a scan of `by` |
| `reservoir` | n rows, or n of each group, of rows that nobody has counted | 1 |
| `update_reservoir`, `read_reservoir` | the same over a stream, kept in a Delta table | 1 of each batch |
| `weighted` | n rows, without replacement, in proportion to a weight | 1 |
| `cluster` | all rows of n groups | 1, after 3 of `by` |
| `two_stage` | n rows of each of some groups | 1, after 3 of `by` |
| `systematic` | every so-manieth row in the order of a column | 1, after 3 of that column |
| `bootstrap` | rows with replacement, each with its `weight`: how often it was drawn | 1 |
| `by_bytes` | as many rows as have so many bytes of text | 1, after 2 of the text |
| `from_files` | a share of the rows from a share of the files, which are the only ones read | 1 of these files |

`by` that has more than 100,000 different values is for `reservoir`, `cluster` and `two_stage`. Beyond a million drawn
rows `simple` and `stratified` pass over the keys twice more, so that no row is moved.
"""

from traintable.sample.bootstrap import bootstrap
from traintable.sample.budget import by_bytes
from traintable.sample.cluster import cluster, two_stage
from traintable.sample.draw import keyed_hash
from traintable.sample.estimate import Estimate, estimate
from traintable.sample.from_files import from_files
from traintable.sample.reservoir import reservoir
from traintable.sample.simple import simple
from traintable.sample.stratified import stratified
from traintable.sample.stream import read_reservoir, update_reservoir
from traintable.sample.systematic import systematic
from traintable.sample.unique import require_unique
from traintable.sample.weighted import weighted

__all__ = [
    "Estimate",
    "allocation",
    "bootstrap",
    "by_bytes",
    "cluster",
    "draw",
    "estimate",
    "from_files",
    "keyed_hash",
    "lowest",
    "read_reservoir",
    "require_unique",
    "reservoir",
    "simple",
    "strata",
    "stratified",
    "systematic",
    "thresholds",
    "two_stage",
    "update_reservoir",
    "weighted",
]
