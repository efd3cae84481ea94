"""A sample that takes some seconds to draw: by spark-submit on a cluster, or in a session at hand.

drawing.py MARKER    creates the file MARKER when the draw begins, and prints the content hash as JSON
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from traintable import get_spark, sample
from traintable.statistics import content_hash

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROWS = 1_200_000


def draw(spark: SparkSession, marker: Path | None = None) -> tuple[str, int]:
    """The content hash and the number of the rows that are drawn of shuffled ones."""
    rows = spark.range(0, ROWS, 1, 24).select("id", (F.col("id") % 5).alias("g"))
    rows = rows.withColumn("text", F.sha2(F.repeat(F.col("id").cast("string"), 300), 512)).repartition(12)
    sizes = {0: 4_000, 1: 10, 2: 1, 4: 999}
    drawn = sample.stratified(rows, ["g"], sizes, key=["id"], seed=3)
    if marker:
        marker.touch()
    content, counts = content_hash(drawn.withColumn("split", F.lit("sample")))
    return content, counts["sample"]


if __name__ == "__main__":
    print(json.dumps(draw(get_spark("drawing"), Path(sys.argv[1]))))
