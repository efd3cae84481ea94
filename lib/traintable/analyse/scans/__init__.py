"""What two scans of a whole table learn: its columns one by one, then by class and in pairs.

| module | concept |
| --- | --- |
| `columns` | the kind and the role of each column |
| `classes` | the classes of the label |
| `ranges` | the values of a column as ranges |
| `periods` | rows by hours, days, weeks, months or years |
| `codes` | the codes by which the second scan counts the rows |
| `table` | both scans, and what they have learned |
"""
