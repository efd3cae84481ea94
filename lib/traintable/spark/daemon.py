"""PySpark's daemon of Python workers, for local sessions: tasks start without reading Spark's archives again.

Before each task a worker of Spark 4.1 reads the directories of all archives on its path again: those of PySpark, which
is installed as a package too, and a jar (SPARK-54744, fixed in Spark 4.2).
"""

from __future__ import annotations

import sys
from fnmatch import fnmatch

ARCHIVES = ("*/pyspark.zip", "*/py4j-*-src.zip", "*/spark-core_*.jar")

for path in [path for path in sys.path if any(fnmatch(path, archive) for archive in ARCHIVES)]:
    sys.path.remove(path)
    sys.path_importer_cache.pop(path, None)

from pyspark.daemon import manager  # noqa: E402  now from where PySpark is installed

if __name__ == "__main__":
    manager()  # type: ignore[no-untyped-call]
