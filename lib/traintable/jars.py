"""The pinned jars: which ones, where they are kept, and how they get there once."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from traintable.errors import TraintableError

COORDINATES = ("io.delta:delta-spark_4.1_2.13:4.4.0",)

# What Delta needs beyond the jars that Spark itself ships, with the SHA-256 that each must have.
PINNED = {
    "io.delta_delta-kernel-api-4.4.0.jar": "ee9b5a14ac3b7efdff4d61a58478fe8eb0e5a3fbca43889dca7290795fe79a11",
    "io.delta_delta-kernel-defaults-4.4.0.jar": "225c975199e4718b38ee5b7e6da7f19e9585024262b2cec2656b32151a856b0b",
    "io.delta_delta-kernel-unitycatalog-4.4.0.jar": "cea22dfb4ac562b3cd27bf652697750e8336009d73fb06631363aaaad5345ffa",
    "io.delta_delta-spark_4.1_2.13-4.4.0.jar": "75a9400986853c061f5109f012547de2545a5759e5e752e5ef633dabe16a4f10",
    "io.delta_delta-storage-4.4.0.jar": "c46735481fa8e326b0957be02b4420cbcab4b325bb08009b7f2045a95133f1cc",
    "io.unitycatalog_unitycatalog-client-0.6.0.jar": "48257499a86b801a3e2372cec55ac226ca1c1c7eabe5c118e7302f29a1fdbc19",
    "io.unitycatalog_unitycatalog-hadoop-0.6.0.jar": "c47b63c961c87102b9e1d63809a0915ba4c86b7652f57c8d39ca3a05b441a150",
}

# Spark ships these, in the versions it was tested with.
SHIPPED_WITH_SPARK = (
    "com.fasterxml.jackson.core:*",
    "com.fasterxml.jackson.datatype:*",
    "com.github.luben:zstd-jni",
    "com.google.code.findbugs:jsr305",
    "commons-logging:commons-logging",
    "commons-pool:commons-pool",
    "io.airlift:aircompressor",
    "javax.annotation:javax.annotation-api",
    "org.apache.hadoop:*",
    "org.apache.logging.log4j:*",
    "org.apache.parquet:*",
    "org.locationtech.jts:jts-core",
    "org.roaringbitmap:*",
    "org.slf4j:*",
    "org.xerial.snappy:snappy-java",
)


def cache_dir() -> Path:
    """Where the jars are kept: `$TRAINTABLE_JARS`, or a folder in the user's cache."""
    given = os.environ.get("TRAINTABLE_JARS")
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(given) if given else Path(base) / "traintable" / "jars"


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def missing(folder: Path) -> list[str]:
    """The names of the pinned jars that `folder` lacks or holds with another content."""
    return [name for name, digest in PINNED.items() if not _matches(folder / name, digest)]


def ensure(folder: Path | None = None) -> list[str]:
    """The paths of the pinned jars in `folder` (default: the cache), fetched first if any is missing.

    The network is used only when a jar is missing or is not what it should be by its SHA-256.
    """
    folder = (folder or cache_dir()).resolve()
    if missing(folder):
        fetch(folder)
    return [str(folder / name) for name in PINNED]


def fetch(folder: Path) -> None:
    """Fetch the pinned jars into `folder` with the resolver that comes with Spark."""
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as ivy:
        log = _resolve(Path(ivy))
        fetched = {path.name: path for path in Path(ivy, "jars").glob("*.jar")}
        for name, digest in PINNED.items():
            if name not in fetched or not _matches(fetched[name], digest):
                found = sha256(fetched[name]) if name in fetched else "no such jar among those fetched"
                raise TraintableError(
                    where=f"jar {name}",
                    expected=f"SHA-256 {digest}",
                    found=f"{found}; the resolver said: {_last_problem(log)}",
                    remedy="Check the network, or bring the jars with `traintable jars --dest DIR` from another machine"
                    " and set TRAINTABLE_JARS=DIR.",
                )
        for name in PINNED:
            shutil.move(str(fetched[name]), folder / name)


def _resolve(ivy: Path) -> str:
    """Have spark-submit resolve the coordinates into `ivy`; returns what it said."""
    script = ivy / "nothing.py"
    script.write_text("")
    import pyspark

    submit = Path(os.environ.get("SPARK_HOME") or Path(pyspark.__file__).parent) / "bin" / "spark-submit"
    command = [str(submit), "--master", "local[1]", "--packages", ",".join(COORDINATES)]
    command += ["--exclude-packages", ",".join(SHIPPED_WITH_SPARK), "--conf", f"spark.jars.ivy={ivy}", str(script)]
    environment = {k: v for k, v in os.environ.items() if k not in ("PYSPARK_SUBMIT_ARGS", "PYSPARK_GATEWAY_PORT")}
    environment["PYSPARK_PYTHON"] = sys.executable
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    return done.stdout + done.stderr


def _last_problem(log: str) -> str:
    problems = [
        line.strip() for line in log.splitlines() if "UNRESOLVED" in line or "rror" in line or "not found" in line
    ]
    return problems[-1] if problems else "nothing of note"


def _matches(path: Path, digest: str) -> bool:
    return path.is_file() and sha256(path) == digest
