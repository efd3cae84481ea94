"""A sample that reads some of the files only."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import pyarrow as pa

from traintable.columns import require_columns
from traintable.delta.table import Table
from traintable.errors import ConfigError
from traintable.sample.arguments import require_names, require_ratio
from traintable.sample.draw import keyed_hash
from traintable.sample.lowest import PROBABILITY, draw_lowest, refuse_sampled
from traintable.sample.strata import Stratum
from traintable.spark.plans import DataFile, data_files

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_WHERE = "sample.from_files"


def from_files(
    df: DataFrame, ratio: float, *, file_ratio: float | None = None, key: Sequence[str], seed: int
) -> DataFrame:
    """About `ratio` of the rows, of which only a random share of the files is read.

    So many files as are at least `file_ratio` (by default `ratio`) of all are drawn without replacement, each with the
    same chance, and of their rows as many as make the chance of each row `ratio` (all of them where the files are
    `ratio` of all to the file). Returns the drawn rows with `inclusion_probability double` added, that of the file
    times that of the row. Only on average are they `ratio` of all rows, for files differ in size, and rows of one file
    may be alike: the more files, the better. To give `estimate` the files as clusters, add `_metadata.file_path` to
    the rows first.

    Unlike all other samples this one depends on the layout: files are drawn by a hash of their paths relative to the
    folder that holds them all, so the same table written anew gives other rows.

    `df` is a local Delta table or Parquet folder, or whatever else Spark reads from files other than Delta. Raises
    ConfigError when its files are not known or can't be read alone. Costs a count of the drawn files' rows and one pass
    over these files; the others are not opened.

    Examples
    --------
    >>> from traintable import sample
    >>> spark.range(0, 100, 1, 5).write.parquet(folder + "/rows")
    >>> drawn = sample.from_files(spark.read.parquet(folder + "/rows"), 0.2, file_ratio=0.4, key=["id"], seed=7)
    >>> drawn.count(), len(drawn.inputFiles())
    (20, 2)
    """
    from pyspark.sql import functions as F

    require_ratio(ratio, "ratio", where=_WHERE)
    require_ratio(ratio if file_ratio is None else file_ratio, "file_ratio", where=_WHERE)
    require_names(key, "key", where=_WHERE)
    require_columns(df, set(key), where=_WHERE)
    refuse_sampled(df, where=_WHERE)
    if file_ratio is not None and file_ratio < ratio:
        raise ConfigError(
            where=_WHERE,
            expected="a `file_ratio` that is not below `ratio`",
            found=f"file_ratio={file_ratio}, ratio={ratio}",
            remedy="Raise `file_ratio`: rows of a share of the files can't be a larger share of all rows.",
        )
    plain = data_files(df)
    paths = [file.path for file in plain] if plain is not None else _list_files(df)
    of_rows = Fraction(str(ratio))
    n = math.ceil(Fraction(str(ratio if file_ratio is None else file_ratio)) * len(paths))
    if not n or not of_rows:
        return df.limit(0).withColumn(PROBABILITY, F.lit(0.0))
    chosen = _draw_files(df.sparkSession, paths, n, seed)
    rows = _read_parquet(df, chosen, plain) if plain is not None else _filter_files(df, chosen)
    return _draw_rows(rows, of_rows * len(paths) / n, n / len(paths), key, seed)


def _draw_rows(rows: DataFrame, ratio: Fraction, of_files: float, key: Sequence[str], seed: int) -> DataFrame:
    """The share `ratio` of the rows of the drawn files."""
    from pyspark.sql import functions as F

    if ratio == 1:
        return rows.withColumn(PROBABILITY, F.lit(of_files))
    size = rows.count()
    sizes: dict[Stratum, int] = {(): math.floor(ratio * size + Fraction(1, 2))}
    drawn = draw_lowest(rows, (), sizes, {(): size} if size else {}, key=key, seed=seed, where=_WHERE)
    return drawn.withColumn(PROBABILITY, F.col(PROBABILITY) * of_files)


def _draw_files(spark: SparkSession, paths: Sequence[str], n: int, seed: int) -> list[str]:
    """The `n` paths of the lowest draws; no job, for Spark computes them as it plans."""
    root = os.path.commonpath([os.path.dirname(path) for path in paths])
    relative = pa.table({"path": [os.path.relpath(path, root) for path in paths]})
    draws = spark.createDataFrame(relative).select(keyed_hash(["path"], seed=seed, purpose="files"))
    drawn = draws.toArrow().column(0).to_pylist()  # one a file
    return [path for _, path in sorted(zip(drawn, paths, strict=True))[:n]]


def _read_parquet(df: DataFrame, chosen: Sequence[str], files: Sequence[DataFile]) -> DataFrame:
    """The rows of some Parquet files of those that `df` consists of."""
    partition = [name for name, _ in files[0].partition]
    root = os.path.commonpath([os.path.dirname(file.path) for file in files])
    for file in files:
        folders = file.path.split("/")
        if any(not any(folder.startswith(f"{name}=") for folder in folders) for name in partition):
            raise ConfigError(
                where=_WHERE,
                expected=f"a file in a folder of its partition, such as {partition[0]}=1",
                found=file.path,
                remedy="Draw rows with `sample.simple`.",
            )
    while any(os.path.basename(root).startswith(f"{name}=") for name in partition):
        root = os.path.dirname(root)
    return df.sparkSession.read.schema(df.schema).option("basePath", root).parquet(*chosen)


def _filter_files(df: DataFrame, chosen: Sequence[str]) -> DataFrame:
    """The rows of some files, by a filter that spares Spark the others."""
    from pyspark.errors import AnalysisException
    from pyspark.sql import functions as F

    spellings = [*chosen, *[path.replace("file:///", "file:/") for path in chosen if path.startswith("file:///")]]
    try:
        return df.where(F.col("_metadata.file_path").isin(spellings))
    except AnalysisException as error:
        raise _unknown_files("rows that Spark can no longer trace to their file") from error


def _list_files(df: DataFrame) -> list[str]:
    """The files that rows are read from; ConfigError where a filter on them would spare nothing."""
    paths = sorted(df.inputFiles())
    if not paths:
        raise _unknown_files("rows that are not read from files")
    if Table(os.path.dirname(paths[0]), spark=df.sparkSession).exists:
        raise _unknown_files(
            "a Delta table that is not local, or has deletion vectors or mapped columns, or computed rows"
        )
    return paths


def _unknown_files(found: str) -> ConfigError:
    return ConfigError(
        where=_WHERE,
        expected="rows of a local Delta table or of other files, just as they were read",
        found=found,
        remedy="Draw before rows are filtered, joined or computed, or draw rows with `sample.simple`.",
    )
