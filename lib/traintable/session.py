"""The Spark session: the only place that builds one, pins its jars, and reads Spark's own status."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from traintable import jars, s3
from traintable.columns import is_remote
from traintable.errors import ConfigError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

MAX_FILES = 20_000  # more take longer to list one by one than to read by Spark

DELTA = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
}

# Settings that decide what an expression gives.
MEANING = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "false",
    "spark.sql.parser.escapedStringLiterals": "false",
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.sql.files.ignoreMissingFiles": "false",
}

# Results must not depend on where they are computed, so these are the same everywhere we build the session.
EVERYWHERE = {
    **DELTA,
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.codegen.maxFields": "1000",
    "spark.sql.maxConcurrentOutputFileWriters": "8",  # a task writes all splits at once, without sorting wide rows
    "spark.databricks.delta.commit.idempotencyCheck.enabled": "true",
    "spark.python.sql.dataFrameDebugging.enabled": "false",  # else each column that is made asks the JVM five times
    "spark.executorEnv.OMP_NUM_THREADS": "1",  # tasks run side by side; NumPy's own threads would fight over the cores
}

# The JIT otherwise refuses generated methods over 8,000 bytes of bytecode. Our jars are checked by
# SHA-256, so their bytecode need not be verified at every start.
JAVA_OPTIONS = (
    "-XX:-DontCompileHugeMethods -XX:+UseSerialGC"
    " -XX:+UnlockDiagnosticVMOptions -XX:-BytecodeVerificationRemote"
    f" -Dlog4j2.configurationFile={Path(__file__).absolute().with_name('log4j2.properties').as_uri()}"
)

LOCAL = {
    **EVERYWHERE,
    "spark.master": "local[*]",
    "spark.driver.memory": "4g",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.extraJavaOptions": JAVA_OPTIONS,
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.shuffle.partitions": "4",
    "spark.databricks.delta.snapshotPartitions": "2",
}


_CREDENTIALS = "software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider"


def get_spark(app_name: str = "traintable", **conf: str) -> SparkSession:
    """The Spark session to work with.

    An active session is returned as it is, and so is a remote one (Spark Connect, a managed notebook). Otherwise one
    is built: with the user's settings (spark-submit, PYSPARK_SUBMIT_ARGS, spark-defaults.conf) where there are any,
    then `conf` (dots written as double underscores, for example spark__sql__shuffle__partitions="8"), then ours.
    The pinned Delta jars are added unless the user's settings, or the Spark installation, bring Delta themselves.
    """
    from pyspark.sql import SparkSession

    active = SparkSession.getActiveSession()
    if active is not None:
        return active
    builder: SparkSession.Builder = SparkSession.builder.appName(app_name)
    if is_connect() or "DATABRICKS_RUNTIME_VERSION" in os.environ:
        return builder.getOrCreate()
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    user = _user_settings()
    wanted = {**_defaults(user), **{name.replace("__", "."): value for name, value in conf.items()}}
    for name, value in wanted.items():
        if name not in user:
            builder = builder.config(name, value)
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # what local tasks inherit: they run side by side
    session: SparkSession = builder.getOrCreate()
    session.sparkContext.setLogLevel(os.environ.get("TRAINTABLE_LOG_LEVEL", "ERROR"))
    return session


def is_connect() -> bool:
    """Whether the environment asks for Spark Connect."""
    return bool(os.environ.get("SPARK_REMOTE") or os.environ.get("SPARK_CONNECT_MODE_ENABLED"))


def active_tasks(spark: SparkSession) -> tuple[int, int] | None:
    """Tasks done and in all of the stages that run now; None when nothing runs or the session can't tell."""
    if is_connect() or not hasattr(spark, "_jsc"):
        return None
    tracker = spark.sparkContext.statusTracker()
    stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
    done = sum(stage.numCompletedTasks for stage in stages if stage)
    total = sum(stage.numTasks for stage in stages if stage)
    return (done, total) if total else None


def _defaults(user: dict[str, str]) -> dict[str, str]:
    local = user.get("spark.master", "local").startswith("local")
    settings = {**(LOCAL if local else EVERYWHERE), **_s3a(), **(_workers() if local else {})}
    if _brings_delta(user):
        return settings
    if _is_submitted():
        raise ConfigError(
            where="spark-submit",
            expected="the Delta jars among --jars or --packages",
            found="neither",
            remedy=f"Fetch them with `traintable jars --dest DIR` and add --jars DIR/*.jar (joined by commas), or add"
            f" --packages {jars.DELTA}.",
        )
    return {**settings, "spark.jars": ",".join(jars.ensure())}


def _s3a() -> dict[str, str]:
    """How Spark reaches an S3 server that the environment names; the keys stay there, where Java's side reads them.

    `fs.s3a.performance.flags` stays off: with it two writers of one file would both succeed.
    """
    url = s3.endpoint()
    if url is None:
        return {}
    found = {
        "spark.hadoop.fs.s3a.endpoint": url,
        "spark.hadoop.fs.s3a.endpoint.region": str(s3.region()),
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.connection.ssl.enabled": str(not url.startswith("http://")).lower(),
    }
    if "AWS_ACCESS_KEY_ID" in os.environ:  # and no other place is looked into
        found["spark.hadoop.fs.s3a.aws.credentials.provider"] = _CREDENTIALS
    return found


def _workers() -> dict[str, str]:
    """How Python workers are started on this machine, if they are of this Python and this PySpark."""
    python = os.environ.get("PYSPARK_PYTHON", sys.executable)
    if _is_submitted() or "SPARK_HOME" in os.environ or python != sys.executable:
        return {}
    found = {"spark.python.daemon.module": "traintable.daemon"}
    home = Path(__file__).absolute().parents[1]
    if home.name != "site-packages":  # it may be on the path of this process only
        found["spark.executorEnv.PYTHONPATH"] = str(home)
    return found


def _brings_delta(user: dict[str, str]) -> bool:
    named = " ".join(
        user.get(name, "") for name in ("spark.jars", "spark.jars.packages", "spark.driver.extraClassPath")
    )
    return "delta-spark" in named or any((_spark_home() / "jars").glob("delta-spark*.jar"))


def _user_settings() -> dict[str, str]:
    """What the user has set before us, under the names Spark gives it."""
    if _is_submitted():  # the JVM that runs already knows them all
        from pyspark import SparkConf, SparkContext

        SparkContext._ensure_initialized()
        return dict(SparkConf().getAll())
    return {**_spark_defaults_file(), **_submit_arguments()}


def is_managed() -> bool:
    """Whether somebody else starts our sessions: spark-submit, Spark Connect, a managed notebook."""
    return _is_submitted() or is_connect() or "DATABRICKS_RUNTIME_VERSION" in os.environ


@contextmanager
def same_everywhere(spark: SparkSession) -> Iterator[None]:
    """Hold the settings that decide what an expression gives, whoever has built the session, while the body runs."""
    with settings(spark, MEANING):
        yield


@contextmanager
def settings(spark: SparkSession, values: Mapping[str, str]) -> Iterator[None]:
    """Give the session these settings while the body runs, and afterwards those that it had."""
    before = {name: spark.conf.get(name, None) for name in values}
    try:
        for name, value in values.items():
            spark.conf.set(name, value)
        yield
    finally:
        for name, old in before.items():
            if old is None:
                spark.conf.unset(name)
            else:
                spark.conf.set(name, old)


def _is_submitted() -> bool:
    """Whether spark-submit has started this process, and its JVM before it."""
    return "PYSPARK_GATEWAY_PORT" in os.environ


def _spark_defaults_file() -> dict[str, str]:
    folder = os.environ.get("SPARK_CONF_DIR") or str(_spark_home() / "conf")
    path = Path(folder) / "spark-defaults.conf"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    pairs = [line.split(maxsplit=1) for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return {pair[0]: pair[1].strip() for pair in pairs if len(pair) == 2}


def _submit_arguments() -> dict[str, str]:
    import shlex

    words = shlex.split(os.environ.get("PYSPARK_SUBMIT_ARGS", ""))
    short = {"--jars": "spark.jars", "--packages": "spark.jars.packages", "--master": "spark.master"}
    found = {}
    for option, value in itertools.pairwise(words):
        if option in short:
            found[short[option]] = value
        elif option == "--conf" and "=" in value:
            name, _, text = value.partition("=")
            found[name] = text
    return found


def _spark_home() -> Path:
    import pyspark

    return Path(os.environ.get("SPARK_HOME") or Path(pyspark.__file__).parent)


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
    listed = scan.selectedPartitions().toPartitionArray()
    if len(listed) > MAX_FILES:
        return None
    fields = _partition_fields(scan)
    files = []
    for file in listed:
        address = urlsplit(file.urlEncodedPath())
        if address.scheme not in ("", "file"):
            return None
        row: Any = file.partitionValues() if fields else None
        partition = tuple((name, None if row.isNullAt(i) else _as_text(row.get(i, kind))) for i, name, kind in fields)
        files.append(DataFile(unquote(address.path), file.fileSize(), file.modificationTime(), partition))
    return files


def _partition_fields(scan: Any) -> list[tuple[int, str, Any]]:
    """Place, name and type of the partition columns among those that are scanned."""
    schema, output = scan.relation().partitionSchema(), scan.output()
    if schema.isEmpty():
        return []
    wanted = {output.apply(i).name() for i in range(output.size())}
    fields = [(i, schema.apply(i)) for i in range(schema.size())]
    return [(i, field.name(), field.dataType()) for i, field in fields if field.name() in wanted]


def _as_text(value: Any) -> str:
    """A value as Spark writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _file_scan(plan: Any) -> Any:
    """The scan of files that a physical plan consists of; None when it has more to it."""
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
    kind = file_format.getClass().getSimpleName()
    if kind == "DeltaParquetFileFormat":  # later protocols can have deletion vectors, and types that have changed
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


def delete_folder(spark: SparkSession, path: str) -> None:
    """Delete a folder of ours with all it holds, wherever it lies; no error when it is not there."""
    if not is_remote(path):
        import shutil

        shutil.rmtree(path, ignore_errors=True)
        return
    files, address = _file_system(spark, path)
    files.delete(address, True)


def read_file(path: str) -> bytes | None:
    """The content of a small file at an address that Spark knows; None when it is not there."""
    spark = get_spark()
    files, address = _file_system(spark, path)
    if not files.exists(address):
        return None
    stream = files.open(address)
    try:
        return bytes(stream.readAllBytes())
    finally:
        stream.close()


def write_file(path: str, content: bytes) -> None:
    """Put a small file at an address that Spark knows, in place of what is there."""
    files, address = _file_system(get_spark(), path)
    stream = files.create(address, True)
    try:
        stream.write(bytearray(content))
    finally:
        stream.close()


def remove_file(path: str) -> None:
    """Remove a file at an address that Spark knows, if it is there."""
    files, address = _file_system(get_spark(), path)
    files.delete(address, False)


def _file_system(spark: SparkSession, path: str) -> tuple[Any, Any]:
    """The file system of an address, and the address, as the JVM has them."""
    jvm: Any = spark.sparkContext._jvm
    address = jvm.org.apache.hadoop.fs.Path(path)
    return address.getFileSystem(spark.sparkContext._jsc.hadoopConfiguration()), address
