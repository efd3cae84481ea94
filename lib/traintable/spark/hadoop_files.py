"""Small files at addresses that only the Hadoop file systems of Spark know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from traintable.addresses import is_remote
from traintable.spark.session import get_spark

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def delete_folder(spark: SparkSession, path: str) -> None:
    """Delete a folder with all it holds, wherever it lies, if it is there."""
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
