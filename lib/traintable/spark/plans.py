"""What Spark plans and runs: which files a DataFrame reads, in how many partitions, how many tasks are done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from traintable.spark.session import is_connect

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

MAX_FILES = 20_000  # more take longer to list one by one than to read by Spark


def active_tasks(spark: SparkSession) -> tuple[int, int] | None:
    """Of the stages that run now the tasks done, and all; None when nothing runs or the session can't tell."""
    if is_connect() or not hasattr(spark, "_jsc"):
        return None
    tracker = spark.sparkContext.statusTracker()
    stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
    done = sum(stage.numCompletedTasks for stage in stages if stage)
    total = sum(stage.numTasks for stage in stages if stage)
    return (done, total) if total else None


@dataclass(frozen=True)
class DataFile:
    """A Parquet file of local storage, with the values of its partition as text."""

    path: str
    bytes: int
    modified: int
    partition: tuple[tuple[str, str | None], ...] = ()


def data_files(df: DataFrame) -> list[DataFile] | None:
    """The Parquet files whose rows are exactly those of `df`, or None when that is not known.

    It is known when the physical plan is a scan of local files with nothing after it: no filter on rows, no computed
    column, no deletion vectors, no column mapping.
    """
    if is_connect() or not hasattr(df, "_jdf"):
        return None
    scan = _file_scan(df._jdf.queryExecution().executedPlan())
    if scan is None or not _is_plain_parquet(scan.relation().fileFormat()):
        return None
    if df.sparkSession.conf.get("spark.sql.files.ignoreCorruptFiles") == "true":
        return None
    scanned = scan.selectedPartitions().toPartitionArray()
    if len(scanned) > MAX_FILES:
        return None
    fields = _partition_fields(scan)
    files = []
    for file in scanned:
        address = urlsplit(file.urlEncodedPath())
        if address.scheme not in ("", "file"):
            return None
        row: Any = file.partitionValues() if fields else None
        partition = tuple((name, None if row.isNullAt(i) else _as_text(row.get(i, kind))) for i, name, kind in fields)
        files.append(DataFile(unquote(address.path), file.fileSize(), file.modificationTime(), partition))
    return files


def _partition_fields(scan: Any) -> list[tuple[int, str, Any]]:
    """Position, name and type of the partition columns among those that are scanned."""
    schema, output = scan.relation().partitionSchema(), scan.output()
    if schema.isEmpty():
        return []
    scanned = {output.apply(i).name() for i in range(output.size())}
    fields = [(i, schema.apply(i)) for i in range(schema.size())]
    return [(i, field.name(), field.dataType()) for i, field in fields if field.name() in scanned]


def _as_text(value: Any) -> str:
    """A value as Spark writes it in the name of a folder."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _file_scan(plan: Any) -> Any:
    """The scan of files that a physical plan consists of; None when the plan does more than that."""
    kind = plan.getClass().getSimpleName()
    if kind == "FileSourceScanExec":
        return plan if plan.dataFilters().isEmpty() else None
    if kind == "ProjectExec":
        if not plan.outputSet().subsetOf(plan.children().head().outputSet()):  # it computes or renames something
            return None
    elif kind not in ("WholeStageCodegenExec", "ColumnarToRowExec", "InputAdapter"):
        return None
    return _file_scan(plan.children().head())


def _is_plain_parquet(file_format: Any) -> bool:
    """Whether the rows are just those of Parquet files: no deletion vectors, column mapping or widened types."""
    kind = file_format.getClass().getSimpleName()
    if kind == "DeltaParquetFileFormat":
        is_mapped = file_format.columnMappingMode().toString() != "NoMapping"
        return not is_mapped and int(file_format.protocol().minReaderVersion()) < 3
    return bool(kind == "ParquetFileFormat")


def parallelism(spark: SparkSession) -> int:
    """How many tasks can run at a time, as far as the session knows."""
    return int(spark.sparkContext.defaultParallelism) if hasattr(spark, "_jsc") else 1


def n_partitions(df: DataFrame) -> int | None:
    """In how many partitions the rows are computed, as far as that is planned; None when the session can't tell."""
    if not hasattr(df, "_jdf"):
        return None
    plan = df._jdf.queryExecution().executedPlan()
    if plan.getClass().getSimpleName() == "AdaptiveSparkPlanExec":  # its RDD would run the shuffles
        planned = int(plan.initialPlan().outputPartitioning().numPartitions())
        if planned:
            return planned
    return int(df.rdd.getNumPartitions())
