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

DELTA = "io.delta:delta-spark_4.1_2.13:4.4.0"
COORDINATES = (
    DELTA,
    "org.apache.hadoop:hadoop-aws:3.4.2",  # S3; of the version of Spark's hadoop-client-api
    "org.apache.spark:spark-avro_2.13:4.1.1",  # the newest of 4.1 that is published
    "org.postgresql:postgresql:42.7.14",
    "software.amazon.awssdk:s3:2.29.52",  # what hadoop-aws uses of the bundle that it asks for
    "software.amazon.awssdk:s3-transfer-manager:2.29.52",
    "software.amazon.awssdk:sts:2.29.52",
)

# The modules of the AWS SDK, each as `software.amazon.awssdk_<module>-2.29.52.jar`, with its SHA-256.
_AWS_SDK = {
    "annotations": "8cd8bd8afd7eca5a367f69fd87427f6d9f3e7d359962122da24d71f1963f00cd",
    "apache-client": "c96494be30ecac6f0ab7a35fdd91a4c77ca8a5daf62f3d9d84644ef0f0524dc6",
    "arns": "f5a4d1d9b4e4fc63c9bda49bcf1c59d23fd876b276c6b43aaca12969337303a6",
    "auth": "4d8143b6198dc7a530c2ccdd813129c132b96736086c0d4fea85480b9bdbc5fe",
    "aws-core": "eb560c064fbaac7e2e7f4a77ac343d3083bea0d7f6e2c69ba022d3f3e859be90",
    "aws-query-protocol": "1b117672963ee5059c45f2aadb110f191b578d108d8f08d7c7a59e6c0b098a8e",
    "aws-xml-protocol": "daf87b429373ad586d165003b5b1d4fe498c6472eb65ec9a9e2aa7d56f3917dd",
    "checksums": "bca99ff25c9b917d6be03e5dce78ad5328e7dca485e96024fa8476e4192a800a",
    "checksums-spi": "21193b9b648843dcaff493f0dd80abab9ee6871b203b9218120554698d8f7b8a",
    "crt-core": "4e1f33de21b688695fec91b977ddfa99e9d376edcbad06a62b0c138c60b37de4",
    "endpoints-spi": "e54f246c668d70b55cffe0c8fad18d4465e74e22db75139918bd30610093d1e6",
    "http-auth": "d8aa3bd376aaec7196396e65fe8755f1fdd169e51357f8128ecdc7d23a687450",
    "http-auth-aws": "7ae124e81ac0c2860bb61fdde34a388dbe823fef8509dd46a6bec805ada90308",
    "http-auth-aws-eventstream": "565a4aacce955c5ffaed551f6faaaa958e9e92b2f8514c8482f664edb2bab576",
    "http-auth-spi": "7a2168c5a7baa856d7ae9f9c4f7522d2db9f1361108c38f5b6ece66f249e6a2d",
    "http-client-spi": "8ea61ce3b527779fbfe119e0775c4b7cfdf274a979b1e50596a634685a5b6542",
    "identity-spi": "85104635abf9e5c044aaf7f8951b63efc2ef82051b5ee303571ee2e1fd8b46d0",
    "json-utils": "2652cdb3668311bcff6e643c8612b9fea266423ae1ce33743c84dd7f77904311",
    "metrics-spi": "1db2e3da338148ee40a716e1733c9a5b99e9e6daa4db3aa8bd7e718adafa2510",
    "netty-nio-client": "07238668c9cf54531ee269fd6e2a1e2650fb75d6774d401f406c2a14f26af654",
    "profiles": "fef84619d101838ba45f48d0caddb09a85d9ed8bf869095bd7d2064796856cf7",
    "protocol-core": "7b32e41a3743b422d2edec1670f60b4c1e512fcd5ab7a53fef20742d6b9104d1",
    "regions": "5ee0e26277c679ffa70d83923b0d5f77a53066ecde8610f28be1856947d60eaf",
    "retries": "ca3752ba31399721980c6398992921ff5aa164e084b4c14484333df58c76a353",
    "retries-spi": "a4218ea742fc9e07a620629d7a258bfd92b8ea3ef75f1b99193d0898ca3efe99",
    "s3": "abaedea7e68063e9c4ab090f80d14b9884c57b50953bfe6e5acaa23025609efa",
    "s3-transfer-manager": "0c9e654637247187a7e2494eb7a8799477a772a7d554cd3ae787cd3e3bae3c55",
    "sdk-core": "ea8e9856569f85075a8a806d0481c4bd848c98b24fd6d706fc0b5883fc4604dc",
    "sts": "6495d0457f4e4c3724d8c9c5fe4f6f98c9530a22f92449c4cca5fd03622e4edb",
    "third-party-jackson-core": "eaece3eb60beb8ec09d8a4f48d5bff4110010b03cc23688bdcf2af2eb075cac6",
    "utils": "f150a38f2fec14ced2de6459bfe804f647c88baa573b218646ef89b436a29d42",
}

# The others, beyond the jars that Spark itself ships.
_OTHERS = {
    "io.delta_delta-kernel-api-4.4.0": "ee9b5a14ac3b7efdff4d61a58478fe8eb0e5a3fbca43889dca7290795fe79a11",
    "io.delta_delta-kernel-defaults-4.4.0": "225c975199e4718b38ee5b7e6da7f19e9585024262b2cec2656b32151a856b0b",
    "io.delta_delta-kernel-unitycatalog-4.4.0": "cea22dfb4ac562b3cd27bf652697750e8336009d73fb06631363aaaad5345ffa",
    "io.delta_delta-spark_4.1_2.13-4.4.0": "75a9400986853c061f5109f012547de2545a5759e5e752e5ef633dabe16a4f10",
    "io.delta_delta-storage-4.4.0": "c46735481fa8e326b0957be02b4420cbcab4b325bb08009b7f2045a95133f1cc",
    "io.unitycatalog_unitycatalog-client-0.6.0": "48257499a86b801a3e2372cec55ac226ca1c1c7eabe5c118e7302f29a1fdbc19",
    "io.unitycatalog_unitycatalog-hadoop-0.6.0": "c47b63c961c87102b9e1d63809a0915ba4c86b7652f57c8d39ca3a05b441a150",
    "org.apache.hadoop_hadoop-aws-3.4.2": "d2d24e6b715b5656b9d238bf13b6682a07e2004dd36aad74a73aeb854319f4d9",
    "org.apache.spark_spark-avro_2.13-4.1.1": "6a19d90bc3b6e88d8db0fa36a19273aa10fea2dbd7a62bb60e4cedd73051b32d",
    "org.postgresql_postgresql-42.7.14": "73914527305a40cce504b0d3d90b23caf565136912d607ae8ae7c5895512332c",
    "org.reactivestreams_reactive-streams-1.0.4": "f75ca597789b3dac58f61857b9ac2e1034a68fa672db35055a8fb4509e325f28",
    "software.amazon.eventstream_eventstream-1.0.1": "0c37d8e696117f02c302191b8110b0d0eb20fa412fce34c3a269ec73c16ce822",
}

# The file of each jar, with the SHA-256 that it must have.
PINNED = {
    **{f"{name}.jar": digest for name, digest in _OTHERS.items()},
    **{f"software.amazon.awssdk_{module}-2.29.52.jar": digest for module, digest in _AWS_SDK.items()},
}

# Spark ships these, in the versions it was tested with.
SHIPPED_WITH_SPARK = (
    "com.fasterxml.jackson.core:*",
    "com.fasterxml.jackson.datatype:*",
    "com.github.luben:zstd-jni",
    "com.google.code.findbugs:jsr305",
    "commons-codec:commons-codec",
    "commons-logging:commons-logging",
    "commons-pool:commons-pool",
    "io.airlift:aircompressor",
    "io.netty:*",
    "javax.annotation:javax.annotation-api",
    "org.apache.hadoop:hadoop-client-api",
    "org.apache.hadoop:hadoop-client-runtime",
    "org.apache.httpcomponents:*",
    "org.apache.logging.log4j:*",
    "org.apache.parquet:*",
    "org.locationtech.jts:jts-core",
    "org.roaringbitmap:*",
    "org.scala-lang.modules:scala-parallel-collections_2.13",
    "org.slf4j:*",
    "org.tukaani:xz",
    "org.xerial.snappy:snappy-java",
)

# Nothing here loads these: 641 MB of all services of AWS, another TLS, another way to read ahead, annotations.
NOT_NEEDED = (
    "org.checkerframework:checker-qual",
    "org.wildfly.openssl:wildfly-openssl",
    "software.amazon.awssdk:bundle",
    "software.amazon.s3.analyticsaccelerator:analyticsaccelerator-s3",
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

    The network is used only when a jar is missing or its SHA-256 is not the pinned one.
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
                found = f"SHA-256 {sha256(fetched[name])}" if name in fetched else "no such jar among those fetched"
                raise TraintableError(
                    where=f"jar {name}",
                    expected=f"SHA-256 {digest}",
                    found=f"{found}; the last problem that the resolver named: {_last_problem(log)}",
                    remedy="Check the network; or fetch the jars with `traintable jars --dest DIR` on another machine,"
                    " copy DIR to this one and set TRAINTABLE_JARS=DIR.",
                )
        for name in PINNED:
            shutil.move(str(fetched[name]), folder / name)


def _resolve(ivy: Path) -> str:
    """Have spark-submit resolve the coordinates into `ivy`; returns its log."""
    script = ivy / "nothing.py"
    script.write_text("")
    import pyspark

    submit = Path(os.environ.get("SPARK_HOME") or Path(pyspark.__file__).parent) / "bin" / "spark-submit"
    command = [str(submit), "--master", "local[1]", "--packages", ",".join(COORDINATES)]
    excluded = ",".join((*SHIPPED_WITH_SPARK, *NOT_NEEDED))
    command += ["--exclude-packages", excluded, "--conf", f"spark.jars.ivy={ivy}", str(script)]
    environment = {k: v for k, v in os.environ.items() if k not in ("PYSPARK_SUBMIT_ARGS", "PYSPARK_GATEWAY_PORT")}
    environment["PYSPARK_PYTHON"] = sys.executable
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    return done.stdout + done.stderr


def _last_problem(log: str) -> str:
    problems = [
        line.strip() for line in log.splitlines() if "UNRESOLVED" in line or "rror" in line or "not found" in line
    ]
    return problems[-1] if problems else "none"


def _matches(path: Path, digest: str) -> bool:
    return path.is_file() and sha256(path) == digest
