"""The Spark session: the only place that builds one, with the pinned jars and the settings that results depend on."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from traintable.addresses import endpoint, region
from traintable.errors import ConfigError
from traintable.spark import jars

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


DELTA_SETTINGS = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
}

# Settings that decide what an expression gives.
RESULT_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "false",
    "spark.sql.parser.escapedStringLiterals": "false",
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.sql.files.ignoreMissingFiles": "false",
}

# Results must not depend on where they are computed, so every session that is built here has these.
SHARED_SETTINGS = {
    **DELTA_SETTINGS,
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.codegen.maxFields": "1000",
    "spark.sql.maxConcurrentOutputFileWriters": "8",  # a task writes all splits at once, without sorting wide rows
    "spark.databricks.delta.commit.idempotencyCheck.enabled": "true",
    "spark.python.sql.dataFrameDebugging.enabled": "false",  # else each new column costs five calls of the JVM
    "spark.executorEnv.OMP_NUM_THREADS": "1",  # tasks run side by side; NumPy's own threads would fight over the cores
}

# The JIT otherwise refuses generated methods over 8,000 bytes of bytecode. Our jars are checked by
# SHA-256, so their bytecode need not be verified at every start.
JAVA_OPTIONS = (
    "-XX:-DontCompileHugeMethods -XX:+UseSerialGC"
    " -XX:+UnlockDiagnosticVMOptions -XX:-BytecodeVerificationRemote"
    f" -Dlog4j2.configurationFile={Path(__file__).absolute().with_name('log4j2.properties').as_uri()}"
)

LOCAL_SETTINGS = {
    **SHARED_SETTINGS,
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
_CREDENTIALS_PROVIDER = "software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider"


def get_spark(app_name: str = "traintable", **conf: str) -> SparkSession:
    """The Spark session to work with.

    An active session is returned as it is, and so is a remote one (Spark Connect, a managed notebook). Otherwise one
    is built: with the user's settings (spark-submit, PYSPARK_SUBMIT_ARGS, spark-defaults.conf) where there are any,
    then `conf` (dots written as double underscores, for example spark__sql__shuffle__partitions="8"), then the
    defaults of this module.
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
    settings = {**_defaults(user), **{name.replace("__", "."): value for name, value in conf.items()}}
    for name, value in settings.items():
        if name not in user:
            builder = builder.config(name, value)
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # what local tasks inherit: they run side by side
    session: SparkSession = builder.getOrCreate()
    session.sparkContext.setLogLevel(os.environ.get("TRAINTABLE_LOG_LEVEL", "ERROR"))
    return session


def is_connect() -> bool:
    """Whether the environment asks for Spark Connect."""
    return bool(os.environ.get("SPARK_REMOTE") or os.environ.get("SPARK_CONNECT_MODE_ENABLED"))


def _defaults(user: dict[str, str]) -> dict[str, str]:
    local = user.get("spark.master", "local").startswith("local")
    settings = {
        **(LOCAL_SETTINGS if local else SHARED_SETTINGS),
        **_s3a_settings(),
        **(_worker_settings() if local else {}),
    }
    if _brings_delta(user):
        return settings
    if _is_submitted():
        raise ConfigError(
            where="spark-submit",
            expected="the Delta jars among --jars or --packages",
            found="no jar of Delta there",
            remedy=f"Fetch them with `traintable jars --dest DIR` and add --jars DIR/*.jar (joined by commas), or add"
            f" --packages {jars.DELTA}.",
        )
    return {**settings, "spark.jars": ",".join(jars.ensure())}


def _s3a_settings() -> dict[str, str]:
    """How Spark reaches an S3 server that the environment names; the keys stay there, where Java's side reads them.

    `fs.s3a.performance.flags` stays off: with it two writers of one file would both succeed.
    """
    url = endpoint()
    if url is None:
        return {}
    settings = {
        "spark.hadoop.fs.s3a.endpoint": url,
        "spark.hadoop.fs.s3a.endpoint.region": str(region()),
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.connection.ssl.enabled": str(not url.startswith("http://")).lower(),
    }
    if "AWS_ACCESS_KEY_ID" in os.environ:  # and nowhere else
        settings["spark.hadoop.fs.s3a.aws.credentials.provider"] = _CREDENTIALS_PROVIDER
    return settings


def _worker_settings() -> dict[str, str]:
    """How Python workers are started on this machine, if they are of this Python and this PySpark."""
    python = os.environ.get("PYSPARK_PYTHON", sys.executable)
    if _is_submitted() or "SPARK_HOME" in os.environ or python != sys.executable:
        return {}
    settings = {"spark.python.daemon.module": "traintable.spark.daemon"}
    home = Path(__file__).absolute().parents[2]
    if home.name != "site-packages":  # it may be on the path of this process only
        settings["spark.executorEnv.PYTHONPATH"] = str(home)
    return settings


def _brings_delta(user: dict[str, str]) -> bool:
    """Whether the user's settings, or the Spark installation, have Delta's jars."""
    jar_settings = " ".join(
        user.get(name, "") for name in ("spark.jars", "spark.jars.packages", "spark.driver.extraClassPath")
    )
    return "delta-spark" in jar_settings or any((_spark_home() / "jars").glob("delta-spark*.jar"))


def _user_settings() -> dict[str, str]:
    """The settings that the user has made, by the names that Spark gives them."""
    if _is_submitted():  # the JVM that runs already knows them all
        from pyspark import SparkConf, SparkContext

        SparkContext._ensure_initialized()
        return dict(SparkConf().getAll())
    return {**_spark_defaults_file(), **_submit_arguments()}


def is_managed() -> bool:
    """Whether sessions are started elsewhere: by spark-submit, Spark Connect, a managed notebook."""
    return _is_submitted() or is_connect() or "DATABRICKS_RUNTIME_VERSION" in os.environ


@contextmanager
def pinned_settings(spark: SparkSession) -> Iterator[None]:
    """Give the session the settings that decide what expressions return, whoever has built it, while the body runs."""
    with settings(spark, RESULT_SETTINGS):
        yield


@contextmanager
def settings(spark: SparkSession, values: Mapping[str, str]) -> Iterator[None]:
    """Give the session these settings while the body runs, and afterwards those that it had."""
    previous = {name: spark.conf.get(name, None) for name in values}
    try:
        for name, value in values.items():
            spark.conf.set(name, value)
        yield
    finally:
        for name, old in previous.items():
            if old is None:
                spark.conf.unset(name)
            else:
                spark.conf.set(name, old)


def _is_submitted() -> bool:
    """Whether spark-submit has started this process, and its JVM before it."""
    return "PYSPARK_GATEWAY_PORT" in os.environ


def _spark_defaults_file() -> dict[str, str]:
    """The settings of spark-defaults.conf."""
    folder = os.environ.get("SPARK_CONF_DIR") or str(_spark_home() / "conf")
    path = Path(folder) / "spark-defaults.conf"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    pairs = [line.split(maxsplit=1) for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return {pair[0]: pair[1].strip() for pair in pairs if len(pair) == 2}


def _submit_arguments() -> dict[str, str]:
    """The settings of PYSPARK_SUBMIT_ARGS."""
    import shlex

    words = shlex.split(os.environ.get("PYSPARK_SUBMIT_ARGS", ""))
    short = {"--jars": "spark.jars", "--packages": "spark.jars.packages", "--master": "spark.master"}
    settings = {}
    for option, value in itertools.pairwise(words):
        if option in short:
            settings[short[option]] = value
        elif option == "--conf" and "=" in value:
            name, _, text = value.partition("=")
            settings[name] = text
    return settings


def _spark_home() -> Path:
    import pyspark

    return Path(os.environ.get("SPARK_HOME") or Path(pyspark.__file__).parent)
