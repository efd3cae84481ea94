"""From what a table is like to what shall become of it: a plan that a person can read, edit and commit."""

from traintable.analyse.decisions.decide import decide
from traintable.analyse.decisions.document import read, to_yaml
from traintable.analyse.decisions.merge import Change, merge

__all__ = ["Change", "decide", "merge", "read", "to_yaml"]
