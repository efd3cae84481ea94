"""Rules that hold for the whole of lib/traintable, read from its source."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "lib" / "traintable"
FILES = {path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}

# Data flows down this list; a room imports only from those above it, from `statistics` and from the base files.
ROOMS = (
    "ingest",
    "label",
    "sample",
    "split",
    "analyse",
    "prepare",
    "balance",
    "augment",
    "quality",
    "publish",
    "run",
)
STATISTICS = "statistics"
ENTRANCES = ("cli",)  # base files that may import any room

# What binds to classic Spark or to the driver's memory; only session.py may.
CLASSIC_ONLY = {"rdd", "sparkContext", "_jvm", "_jsc", "createGlobalTempView", "createOrReplaceGlobalTempView"}
TO_DRIVER = {"collect", "toPandas", "toLocalIterator", "toArrow"}

# Where rows do come to the driver, and why they are few.
BOUNDED = {
    ("analyse/anomalies/scoring.py", "_together"): "a row a bin, a cell of at most 2**20, and 20 a task",
    ("analyse/rows/draw.py", "_lowest"): "limited to about twice the rows of the sample: 60,000",
    ("delta_log.py", "_by_spark"): "one row a commit",
    ("ingest/join.py", "require_unique"): "limited to 3 rows",
    ("ingest/landing/merging.py", "_change"): "one row a kind of change: three",
    ("ingest/landing/merging.py", "_near"): "one row of bounds",
    ("ingest/landing/text/reading.py", "counts"): "one row a file of a run, or a block that a task reads",
    ("ingest/landing/text/reading.py", "write_good"): "one row a file that a task has written",
    ("ingest/landing/records.py", "numbered"): "one row a block that a task reads",
    ("ingest/landing/replay.py", "_good"): "as many rows as files have different headers",
    ("ingest/landing/replay.py", "end_replay"): "one row a file of a replay",
    ("ingest/landing/sources/changes.py", "count"): "one row a version of a run",
    ("ingest/landing/sources/tables.py", "_beyond"): "one row of bounds",
    ("ingest/landing/sources/typed.py", "counts"): "one row a file of a run",
    ("ingest/landing/target.py", "counts_of"): "one row a file of a run",
    ("publish/candidate.py", "compute"): "one row",
    ("publish/candidate.py", "_read"): "one row a task, read one after another",
    ("publish/difference.py", "_rows"): "one row a kind of difference and a pair of splits",
    ("publish/removed.py", "write_removed"): "one row a kind: two",
    ("quality/engine.py", "_grouped"): "limited to 10,000 rows a rule, and one",
    ("quality/engine.py", "_values"): "one row a domain of the rules",
    ("run/outcome.py", "census"): "one row for each combination of split, class, kind and reasons",
    ("sample/budget.py", "by_bytes"): "one row",
    ("sample/estimate.py", "sums_by_stratum"): "one row a stratum, limited to 100,000",
    ("sample/from_files.py", "_drawn"): "one row a file",
    ("sample/ranks.py", "placed"): "one row a range, of at most 4,098",
    ("sample/strata.py", "_texts"): "as many rows as strata are given",
    ("sample/strata.py", "numbered"): "one row a stratum",
    ("sample/thresholds.py", "_histogram"): "at most 2**20 rows",
    ("sample/thresholds.py", "_within_buckets"): "one row a cut",
    ("sample/unique.py", "_repeated"): "limited to 3 rows",
    ("split/frozen.py", "missing_test"): "one row of two counts",
    ("split/grouped.py", "_counted"): "limited to 100,001 kinds of groups",
    ("split/leakage/duplicates.py", "count_copies"): "one row of totals",
    ("split/leakage/gap.py", "_forest"): "a score for each row of a sample of bounded size",
    ("split/leakage/matching.py", "search"): "a row for each sampled row at most",
    ("split/leakage/overlap.py", "groups"): "one row a kind of group",
    ("split/leakage/sample.py", "_collected"): "limited to the size of the sample",
    ("split/moments.py", "moments"): "one row of a range of one",
    ("statistics/content_hash.py", "content_hash"): "one row a split",
    ("statistics/scan.py", "_merged"): "few states, merged by tasks before where they are many or large",
    ("statistics/words.py", "most_frequent_words"): "as many rows as are asked for",
}

NO_SPARK = (
    "traintable",
    "traintable.errors",
    "traintable.columns",
    "traintable.config",
    "traintable.settings_file",
    "traintable.expressions",
    "traintable.leakage",
    "traintable.jars",
    "traintable.doctor",
    "traintable.delta_log",
    "traintable.opened_version",
    "traintable.gated",
    "traintable.reading",
    "traintable.cli",
    "traintable.statistics.exact",
    "traintable.statistics.gram",
    "traintable.statistics.frequencies",
    "traintable.statistics.association",
)


def imported(source: str) -> Iterator[str]:
    """The parts of traintable that a source imports, at any place in it: "columns", "statistics.gram", ..."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level:
            names = ["traintable.a_relative_import"]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name.removeprefix("traintable.") for name in names if name.startswith("traintable."))


def room_of(name: str) -> str:
    """The room of a file ("ingest/batch.py") or of an import ("ingest.batch"); "" for the base files."""
    first = name.replace("/", ".").split(".")[0]
    return first if first in (*ROOMS, STATISTICS) else ""


def wrong_imports(file: str, source: str) -> list[str]:
    """What a file imports against the order of rooms."""
    room = room_of(file)
    if room == "" and Path(file).stem in ENTRANCES:
        return []
    before = {"", room}
    if room in ROOMS:
        before |= {STATISTICS, *ROOMS[: ROOMS.index(room)]}
    return [name for name in imported(source) if room_of(name) not in before or name == "a_relative_import"]


def used(source: str, names: set[str]) -> Iterator[tuple[str, str]]:
    """Pairs (function, attribute) of the attributes in `names`, also when they are fetched by getattr."""

    def visit(node: ast.AST, function: str) -> Iterator[tuple[str, str]]:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            function = node.name
        if isinstance(node, ast.Attribute) and node.attr in names:
            yield function, node.attr
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
            yield from ((function, a.value) for a in node.args if isinstance(a, ast.Constant) and a.value in names)
        for child in ast.iter_child_nodes(node):
            yield from visit(child, function)

    return visit(ast.parse(source), "")


def test_there_is_something_to_read() -> None:
    assert {"config.py", "ingest/join.py", "run/job.py", "statistics/scan.py"} <= set(FILES)
    assert {room_of(name) for name in FILES} <= {"", STATISTICS, *ROOMS}
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders <= {STATISTICS, *ROOMS}


@pytest.mark.parametrize("file", FILES)
def test_a_room_imports_only_from_rooms_before_it(file: str) -> None:
    assert wrong_imports(file, FILES[file]) == []


@pytest.mark.parametrize(
    ("file", "planted"),
    [
        ("ingest/batch.py", "from traintable.split import by_time"),
        ("prepare/pipeline.py", "def f():\n    from traintable import quality"),
        ("statistics/scan.py", "import traintable.ingest.batch"),
        ("columns.py", "if TYPE_CHECKING:\n    from traintable.statistics import scan"),
        ("progress.py", "from traintable.run.job import run"),
        ("split/time.py", "from ..publish import table"),
    ],
)
def test_an_import_against_the_order_is_found(file: str, planted: str) -> None:
    assert wrong_imports(file, FILES[file] + "\n" + planted)


@pytest.mark.parametrize(
    ("file", "fine"),
    [
        ("run/job.py", "from traintable import publish, statistics"),
        ("split/time.py", "from traintable.sample.draw import keyed_hash\nfrom traintable import columns"),
        ("cli.py", "from traintable.run import run"),
    ],
)
def test_an_import_in_the_order_is_not_found(file: str, fine: str) -> None:
    assert wrong_imports(file, fine) == []


@pytest.mark.parametrize("file", sorted(set(FILES) - {"session.py"}))
def test_classic_spark_is_touched_in_session_only(file: str) -> None:
    assert list(used(FILES[file], CLASSIC_ONLY)) == []


def test_rows_come_to_the_driver_only_where_they_are_known_to_be_few() -> None:
    found = {(file, function) for file, source in FILES.items() for function, _ in used(source, TO_DRIVER)}
    assert found == set(BOUNDED)


@pytest.mark.parametrize(
    ("planted", "expected"),
    [
        ("def f(df):\n    return df.rdd.map(len)", ("f", "rdd")),
        ("def f(spark):\n    with x:\n        return [spark._jvm.java]", ("f", "_jvm")),
        ("class A:\n    def g(self):\n        self.df.sparkContext.stop()", ("g", "sparkContext")),
        ("def f(s):\n    return getattr(s, '_jsc')", ("f", "_jsc")),
        ("df.createOrReplaceGlobalTempView('x')", ("", "createOrReplaceGlobalTempView")),
    ],
)
def test_a_use_of_classic_spark_is_found(planted: str, expected: tuple[str, str]) -> None:
    assert list(used(planted, CLASSIC_ONLY)) == [expected]


def test_a_new_collect_is_found() -> None:
    planted = "def big(df):\n    rows = df.collect()\n    take = df.toPandas\n    return [*df.toLocalIterator()]"
    assert list(used(planted, TO_DRIVER)) == [("big", "collect"), ("big", "toPandas"), ("big", "toLocalIterator")]
    assert not list(used("# df.collect()\n'''df.rdd'''\ncollected = F.collect_list('x')", TO_DRIVER | CLASSIC_ONLY))


@pytest.fixture(scope="module")
def loads_spark() -> dict[str, bool]:
    """For each module that needs no Spark: whether its import, in a process of its own, brings pyspark in."""
    script = """if True:
        import importlib, os, sys
        for name in sys.argv[1:]:
            child = os.fork()
            if child == 0:
                importlib.import_module(name)
                os._exit(42 if "pyspark" in sys.modules else 0)
            print(name, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    done = subprocess.run([sys.executable, "-c", script, *NO_SPARK, "pyspark"], capture_output=True, text=True)
    codes = dict(line.split() for line in done.stdout.splitlines())
    assert codes.pop("pyspark") == "42"
    assert set(codes.values()) <= {"0", "42"}, done.stderr
    return {name: code == "42" for name, code in codes.items()}


@pytest.mark.parametrize("module", NO_SPARK)
def test_what_needs_no_spark_imports_none(module: str, loads_spark: dict[str, bool]) -> None:
    assert not loads_spark[module]


def test_lib_holds_the_package_and_nothing_else() -> None:
    built = ("__pycache__", "*.egg-info")  # ignored by git
    found = [path.name for path in PACKAGE.parent.iterdir() if not any(fnmatch(path.name, b) for b in built)]
    assert found == ["traintable"]


def test_git_ignores_nothing_of_the_package() -> None:
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    patterns = [line.strip().strip("/") for line in lines if line.strip() and not line.startswith(("#", "!"))]
    paths = [Path("lib/traintable", file) for file in (*FILES, "py.typed", "log4j2.properties")]
    ignored = [
        (pattern, path.as_posix())
        for pattern in patterns
        for path in paths
        if any(fnmatch(part, pattern) for part in path.parts) or fnmatch(path.as_posix(), pattern)
    ]
    assert ignored == []
