"""The report on a profile: one HTML file that is read offline, with charts of aggregates.

| function | gives |
| --- | --- |
| `html` | the text of the file |
| `write` | the file |
| `notebook_html` | the same in a frame for the output of a notebook |
"""

from traintable.analyse.report.page import html, notebook_html, write

__all__ = ["html", "notebook_html", "write"]
