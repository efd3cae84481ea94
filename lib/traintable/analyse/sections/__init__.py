"""The sections of a profile, made of what the scans of the whole table have learned.

| module | part of the profile |
| --- | --- |
| `columns`, `by_class`, `coverage`, `flags` | `columns` |
| `missingness`, `imbalance`, `associations` | the sections of these names |
| `tests`, `interpretation` | `tests`, and the measures of association with the label |
| `rows` | `anomalies`, `importance` and `hints`, which look at rows |
| `headlines` | `headlines` |
"""
