"""From what a table is like to what shall become of it: a plan that a person can read, edit and commit.

| function | does |
| --- | --- |
| `decide` | the plan that a profile proposes |
| `merge` | a new proposal and a plan that a person has edited since the last one |
| `read`, `to_yaml` | a plan from a file, and as the text of one |
| `rewrite` | the text of an edited plan, with what has changed, and with its comments |
"""

from traintable.analyse.decisions.decide import decide
from traintable.analyse.decisions.document import read, to_yaml
from traintable.analyse.decisions.merge import Change, ChangeRecord, merge
from traintable.analyse.decisions.rewrite import rewrite

__all__ = ["Change", "ChangeRecord", "decide", "merge", "read", "rewrite", "to_yaml"]
