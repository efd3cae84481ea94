"""Rules that hold for the whole of lib/traintable, read from its source."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "lib" / "traintable"
TESTS = ROOT / "tests"
FILES = {path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}

# From the ground up; a room, or a file that stands by itself, imports only from those before it.
ORDER = (
    *(
        "errors",
        "columns",
        "arrays",
        "checks",
        "addresses",
        "config",
        "table_columns",
        "spark",
        "sql",
        "storage",
        "contract",
    ),
    *("statistics", "delta", "text", "temporal", "media", "ingest", "label", "sample", "split", "assemble"),
    *("analyse", "prepare", "balance", "augment", "quality", "publish", "stream", "run", "cli"),
)
CONSUMERS = "reading"  # for those who read tables elsewhere: stands on what is up to `delta`, and nobody stands on it

# Folders of tests that go through several rooms, and what they are helped by.
ACROSS_ROOMS = {"benchmarks", "faults", "packaging", "servers"}
BY_COMMAND = {"cli", "run"}  # what the fixture `command` calls

# What binds to classic Spark or to the driver's memory; only these files may.
CLASSIC = {"spark/session.py", "spark/plans.py", "spark/hadoop_files.py"}
CLASSIC_ONLY = {"rdd", "sparkContext", "_jvm", "_jsc", "createGlobalTempView", "createOrReplaceGlobalTempView"}
TO_DRIVER = {"collect", "toPandas", "toLocalIterator", "toArrow"}

# Where rows do come to the driver, and why they are few.
BOUNDED = {
    ("analyse/anomalies/tally.py", "_merge"): "a row a bin, a cell of at most 2**20, and 20 a task",
    ("analyse/rows/sample.py", "_lowest"): "limited to about twice the rows of the sample: 60,000",
    ("delta/commits.py", "_by_spark"): "one row a commit",
    ("assemble/join.py", "require_unique"): "limited to 3 rows",
    ("ingest/merge.py", "_change"): "one row a kind of change: three",
    ("ingest/merge.py", "_near"): "one row of bounds",
    ("ingest/formats/local_lines.py", "_count"): "one row a block that a task reads",
    ("ingest/formats/text_files.py", "_answers"): "one row a task",
    ("ingest/formats/whole_files.py", "counts"): "one row a file of a run",
    ("ingest/records.py", "counts"): "one row a file of a run",
    ("ingest/records.py", "with_positions"): "one row a block that a task reads",
    ("ingest/replay.py", "_good"): "as many rows as files have different headers",
    ("ingest/replay.py", "end_replay"): "one row a file of a replay",
    ("ingest/sources/changes.py", "count"): "one row a version of a run",
    ("ingest/sources/tables.py", "_beyond_watermark"): "one row of bounds",
    ("ingest/sources/typed.py", "counts"): "one row a file of a run",
    ("ingest/tables.py", "count_by_file"): "one row a file of a run",
    ("publish/candidate.py", "compute"): "one row",
    ("publish/candidate.py", "_read_results"): "one row a task, read one after another",
    ("publish/difference.py", "_rows"): "one row a kind of difference and a pair of splits",
    ("publish/quarantine.py", "write_quarantine"): "one row a kind: two",
    ("quality/value_counts.py", "count_values"): "limited to 10,000 rows a rule, and one",
    ("quality/engine.py", "_values"): "one row a domain of the rules",
    ("run/row_accounting.py", "census"): "one row for each combination of split, class, kind and reasons",
    ("sample/budget.py", "by_bytes"): "one row",
    ("sample/estimate.py", "sums_by_stratum"): "one row a stratum, limited to 100,000",
    ("sample/from_files.py", "_draw_files"): "one row a file",
    ("sample/positions.py", "with_positions"): "one row a range, of at most 4,098",
    ("sample/strata.py", "_as_texts"): "as many rows as strata are given",
    ("sample/strata.py", "number_strata"): "one row a stratum",
    ("sample/thresholds.py", "_histogram"): "at most 2**20 rows",
    ("sample/thresholds.py", "_within_buckets"): "one row a cut",
    ("sample/unique.py", "_repeated_keys"): "limited to 3 rows",
    ("split/frozen.py", "missing_test"): "one row of two counts",
    ("split/grouped.py", "_count_kinds"): "limited to 100,001 kinds of groups",
    ("split/leakage/duplicates.py", "count_copies"): "one row of totals",
    ("split/leakage/adversarial_validation.py", "_forest"): "a score for each row of a sample of bounded size",
    ("split/leakage/matching.py", "find_matches"): "a row for each sampled row at most",
    ("split/leakage/overlap.py", "shared_groups"): "one row a kind of group",
    ("split/leakage/sample.py", "_collect"): "limited to the size of the sample",
    ("temporal/instants.py", "parse_instants"): "one row of a range of one",
    ("statistics/content_hash.py", "content_hash"): "one row a split",
    ("statistics/scan.py", "_merge_on_driver"): "few states, merged by tasks before where they are many or large",
    ("statistics/frequent_words.py", "most_frequent_words"): "as many rows as are asked for",
}
# Functions of these that bring rows more than once, each time as few.
SEVERAL = {("quality/engine.py", "_values"): 3}

NO_SPARK = (
    "traintable",
    "traintable.errors",
    "traintable.columns",
    "traintable.addresses",
    "traintable.config.dataset",
    "traintable.config.ingest",
    "traintable.config.sample",
    "traintable.sql.expressions",
    "traintable.spark.jars",
    "traintable.cli.doctor",
    "traintable.delta.commits",
    "traintable.delta.opened",
    "traintable.reading",
    "traintable.reading._gated",
    "traintable.reading._batches",
    "traintable.cli",
    "traintable.statistics.exact",
    "traintable.statistics.gram",
    "traintable.statistics.frequencies",
    "traintable.statistics.association",
)


@cache
def parse(source: str) -> ast.Module:
    """The syntax tree of a source, made once."""
    return ast.parse(source)


def module_of(file: str) -> str:
    """The dotted name of a file within the package: "ingest/job.py" is "ingest.job", "ingest/__init__.py" "ingest"."""
    return file.removesuffix(".py").replace("/", ".").removesuffix("__init__").rstrip(".")


MODULES = {module_of(file): file for file in FILES}


def room_of(module: str) -> str:
    """The room of a module, or the module itself where it stands in none."""
    return module.split(".")[0]


def imported(source: str) -> Iterator[tuple[str, str]]:
    """Pairs of what a source imports of traintable at any place in it: a module, and a name of it or ""."""
    for node in ast.walk(parse(source)):
        if isinstance(node, ast.Import):
            found = [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level:
            found = [("traintable.a_relative_import", "")]
        elif isinstance(node, ast.ImportFrom):
            found = [(str(node.module), alias.name) for alias in node.names]
        else:
            continue
        for module, name in found:
            if module != "traintable" and not module.startswith("traintable."):
                continue
            within = module.removeprefix("traintable").lstrip(".")
            whole = f"{within}.{name}".strip(".")
            yield (whole, "") if whole in MODULES or not within else (within, name)


def wrong_imports(file: str, source: str) -> list[str]:
    """What a file imports against the order of rooms."""
    own = room_of(module_of(file))
    if not own:  # the package itself, which imports what is asked of it when it is asked
        return []
    before = ORDER[: ORDER.index("delta" if own == CONSUMERS else own) + 1]
    rooms = [(room_of(module), f"{module}.{name}".strip(".")) for module, name in imported(source)]
    return [whole for room, whole in rooms if room != own and room not in before and whole not in OF_THE_PACKAGE]


OF_THE_PACKAGE = {"__version__", "get_spark", ""}


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

    return visit(parse(source), "")


def test_there_is_something_to_read() -> None:
    assert {"columns.py", "config/dataset.py", "assemble/join.py", "run/build.py", "statistics/scan.py"} <= set(FILES)
    assert {room_of(module) for module in MODULES} <= {"", CONSUMERS, *ORDER}
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders <= {CONSUMERS, *ORDER}


def test_every_folder_of_modules_is_a_package() -> None:
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_a_room_imports_only_from_rooms_before_it() -> None:
    assert {file: wrong for file, source in FILES.items() if (wrong := wrong_imports(file, source))} == {}


@pytest.mark.parametrize(
    ("file", "planted"),
    [
        ("delta/pinned_input.py", "from traintable.split import by_time"),
        ("prepare/pipeline.py", "def f():\n    from traintable import quality"),
        ("statistics/scan.py", "import traintable.delta.pinned_input"),
        ("columns.py", "if TYPE_CHECKING:\n    from traintable.statistics import scan"),
        ("columns.py", "from traintable.addresses import resolve"),
        ("spark/progress.py", "from traintable.run.build import run"),
        ("split/time.py", "from ..publish import table"),
        ("reading/_gated.py", "from traintable.ingest.job import ingest"),
        ("publish/table.py", "from traintable import reading"),
        ("publish/table.py", "from traintable.reading import _batches as batches"),
    ],
)
def test_an_import_against_the_order_is_seen(file: str, planted: str) -> None:
    assert wrong_imports(file, FILES[file] + "\n" + planted)


@pytest.mark.parametrize(
    ("file", "fine"),
    [
        ("run/build.py", "from traintable import publish, statistics"),
        ("split/time.py", "from traintable.sample.draw import keyed_hash\nfrom traintable import columns"),
        ("cli/job_commands.py", "from traintable.run import run"),
        ("reading/gated.py", "from traintable.delta.commits import commits"),
    ],
)
def test_an_import_in_the_order_is_taken(file: str, fine: str) -> None:
    assert wrong_imports(file, fine) == []


def faces() -> dict[str, set[str]]:
    """Of each room what may be entered from other rooms: the names and the modules that its `__all__` lists."""
    found: dict[str, set[str]] = {}
    for file, source in FILES.items():
        if Path(file).name == "__init__.py" and module_of(file):
            assigned = [n.value for n in parse(source).body if isinstance(n, ast.Assign) and is_all(n.targets[0])]
            found[module_of(file)] = set(ast.literal_eval(assigned[0])) if assigned else set()
    return found


def is_all(target: ast.expr) -> bool:
    return isinstance(target, ast.Name) and target.id == "__all__"


def past_the_face(file: str, source: str, face: dict[str, set[str]]) -> list[str]:
    """What a file imports of other rooms that these do not list."""
    own, wrong = room_of(module_of(file)), []
    for module, name in imported(source):
        if not module:  # the package itself
            continue
        room, *rest = [part for part in (*module.split("."), name) if part]
        listed = not rest or room not in face or rest[0] in face[room]
        if room != own and not listed:
            wrong.append(".".join([room, *rest]))
    return wrong


def test_a_room_is_entered_by_its_face() -> None:
    face = faces()
    assert {file: wrong for file, source in FILES.items() if (wrong := past_the_face(file, source, face))} == {}


def test_what_goes_past_a_face_is_seen() -> None:
    face = faces()
    assert past_the_face("run/build.py", "from traintable.publish._inner import f", face) == ["publish._inner.f"]
    assert past_the_face("run/build.py", "def f():\n    from traintable.publish import _inner", face)
    assert past_the_face("publish/table.py", "from traintable.publish._inner import f", face) == []
    assert past_the_face("run/build.py", "from traintable.publish import publish", face) == []


def test_a_face_lists_what_is_there() -> None:
    for room, names in faces().items():
        folder = PACKAGE / room.replace(".", "/")
        modules = {path.stem for path in folder.iterdir() if path.suffix == ".py" or path.is_dir()}
        defined = {
            alias.asname or alias.name
            for n in ast.walk(parse(FILES[f"{room.replace('.', '/')}/__init__.py"]))
            if isinstance(n, ast.ImportFrom)
            for alias in n.names
        }
        assert names <= modules | defined, room
        assert not {name for name in names if name.startswith("_")}, room


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {module: {m for m, _ in imported(FILES[file]) if m} - {module} for module, file in MODULES.items()}
    while leaves := [module for module, targets in graph.items() if not targets & set(graph)]:
        for module in leaves:
            del graph[module]
    assert sorted(graph) == []  # what is left imports, directly or not, itself


def test_classic_spark_is_touched_in_few_files_only() -> None:
    assert {file for file, source in FILES.items() if any(used(source, CLASSIC_ONLY))} <= CLASSIC


def uses_of(files: dict[str, str]) -> Counter[tuple[str, str]]:
    """How often each function of some files brings rows to the driver."""
    return Counter((file, function) for file, source in files.items() for function, _ in used(source, TO_DRIVER))


def test_rows_come_to_the_driver_only_where_they_are_known_to_be_few() -> None:
    assert uses_of(FILES) == Counter({place: SEVERAL.get(place, 1) for place in BOUNDED})
    assert set(SEVERAL) <= set(BOUNDED)


def test_a_second_collect_in_a_listed_function_is_found() -> None:
    file, function = next(place for place in BOUNDED if place not in SEVERAL)
    planted = FILES[file] + f"\n\ndef {function}(df):\n    return df.toPandas()\n"
    assert uses_of({file: planted})[file, function] == 2


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


# What writes a Delta table, or reads its log, by another way than `delta.table`.
WRITERS = {"saveAsTable", "insertInto", "writeTo", "toTable", "createOrReplace", "create_write_transaction"}
WRITERS |= {"whenMatchedUpdate", "whenMatchedDelete", "whenNotMatchedInsert", "forPath", "forName"}
DELTA_LIBRARIES = ("deltalake", "delta")
FREE_OF_DELTA = "deltalake.exceptions"  # to know an error by
SQL_WRITERS = ("MERGE INTO", "INSERT INTO", "INSERT OVERWRITE", "DELETE FROM", "ALTER TABLE", "_delta_log")


def past_the_table(source: str) -> list[str]:
    """Where a source writes Delta tables, or reads their logs, by itself."""
    tree = parse(source)
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    wrong: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in WRITERS:
            wrong.append(node.attr)
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("format", "using")
        ):
            wrong += [node.func.attr for a in node.args if isinstance(a, ast.Constant) and a.value == "delta"]
        elif isinstance(node, ast.Import):
            wrong += [alias.name for alias in node.names if alias.name.split(".")[0] in DELTA_LIBRARIES]
        elif isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] in DELTA_LIBRARIES:
            wrong += [str(node.module)] if node.module != FREE_OF_DELTA else []
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            wrong += [word for word in SQL_WRITERS if word.lower() in node.value.lower()]
    return wrong


def test_only_the_room_of_the_table_writes_delta_and_reads_logs() -> None:
    others = {file: source for file, source in FILES.items() if not file.startswith("delta/")}
    assert {file: wrong for file, source in others.items() if (wrong := past_the_table(source))} == {}


@pytest.mark.parametrize(
    "planted",
    [
        'rows.write.format("delta").mode("append").save(path)',
        'rows.writeStream.format("delta").start(path)',
        "rows.write.saveAsTable('a.b')",
        "rows.writeTo('a.b').append()",
        "def f():\n    from deltalake import write_deltalake",
        "from deltalake.transaction import create_table_with_add_actions",
        "import deltalake.table",
        "from delta.tables import DeltaTable",
        "DeltaTable.forPath(spark, path).delete('x = 1')",
        "builder.whenMatchedUpdate(set={})",
        "spark.sql(f'MERGE INTO {table} USING x ON true')",
        "spark.sql(f'alter table {table} set tblproperties (a = 1)')",
        "open(f'{table}/_delta_log/0.json')",
    ],
)
def test_a_write_past_the_table_is_seen(planted: str) -> None:
    assert past_the_table(planted)


def test_what_is_no_write_of_delta_is_let_pass() -> None:
    fine = "'''Written by MERGE INTO, in _delta_log.'''\nrows.write.parquet(path)\nx = 'delta'\n"
    fine += "from traintable.delta.table import Table\nfrom deltalake.exceptions import DeltaError"
    assert past_the_table(fine) == []


def rooms_tested(test: Path) -> set[str]:
    """The rooms that a file of tests stands on, by itself or through the helpers beside it and at the top of tests/."""
    rooms, waiting, read = set[str](), [test], set[Path]()
    while waiting:
        file = waiting.pop()
        read.add(file)
        source = file.read_text(encoding="utf-8")
        rooms |= {room_of(module) for module, _ in imported(source)}
        rooms |= BY_COMMAND if "command: Command" in source else set()
        froms = [node for node in ast.walk(parse(source)) if isinstance(node, ast.ImportFrom)]
        names = [*(node.module for node in froms), *re.findall(r'"(\w+)\.py"', source)]  # and scripts that it runs
        helpers = {folder / f"{name}.py" for name in names for folder in (test.parent, TESTS)}
        waiting += [helper for helper in helpers - read if helper.is_file()]
    return rooms


@pytest.mark.parametrize("room", sorted({room_of(module) for module in MODULES if "." in module}))
def test_each_room_has_tests_that_stand_on_it(room: str) -> None:
    tests = sorted((TESTS / room).rglob("test_*.py"))
    assert tests, f"tests/{room} has no tests"
    assert [test.name for test in tests if room not in rooms_tested(test)] == []


def test_each_folder_of_tests_is_a_room() -> None:
    folders = {path.name for path in TESTS.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders - {room_of(module) for module in MODULES if "." in module} == ACROSS_ROOMS


def test_a_test_in_the_wrong_room_is_seen(tmp_path: Path) -> None:
    test = tmp_path / "test_pins.py"
    test.write_text("from helper import f\n\n\ndef test_it():\n    from traintable.delta import commits")
    (tmp_path / "helper.py").write_text(
        "from traintable.publish.version_pins import list_pins\nfrom frames import of_rows"
    )
    assert rooms_tested(test) == {"delta", "publish"}


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
    paths = [Path("lib/traintable", file) for file in (*FILES, "py.typed", "spark/log4j2.properties")]
    ignored = [
        (pattern, path.as_posix())
        for pattern in patterns
        for path in paths
        if any(fnmatch(part, pattern) for part in path.parts) or fnmatch(path.as_posix(), pattern)
    ]
    assert ignored == []
