"""A driver that publishes as often as it is asked to: python cluster_runs.py, with the session of its environment.

Takes configurations from standard input, one a line of JSON, and prints a line of JSON of what came of each.
"""

from __future__ import annotations

import json
import sys

from small_table import ALLOWED

from traintable.config.dataset import Config
from traintable.errors import TraintableError
from traintable.run import run
from traintable.spark.session import JAVA_OPTIONS, get_spark


def main() -> None:
    """Publish until there are no more lines."""
    options = f"{JAVA_OPTIONS} -XX:TieredStopAtLevel=1"
    spark = get_spark(
        "faults",
        spark__driver__extraJavaOptions=options,
        spark__executor__extraJavaOptions=options,
        spark__ui__enabled="false",
        spark__sql__shuffle__partitions="4",
        spark__driver__host="127.0.0.1",
        spark__databricks__delta__snapshotPartitions="2",
    )
    for line in sys.stdin:
        try:
            outcome = run(Config.model_validate(json.loads(line)), allow=ALLOWED, spark=spark)
            told = {"status": outcome.status, "version": outcome.version}
        except TraintableError as error:
            told = {"status": error.status, "message": str(error)}
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
