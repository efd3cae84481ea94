"""What an expression of the configuration reads: every column, by whatever syntax, or it is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from traintable.columns import quote
from traintable.errors import ConfigError
from traintable.sql.expressions import CHANGING, MULTIPLYING, references
from traintable.sql.functions import FUNCTIONS

READS = {
    "1": set(),
    "year - plane_year": {"year", "plane_year"},
    "a DIV b % c <=> d": set("abcd"),
    "CASE WHEN a THEN b ELSE c END": set("abc"),
    "extract(year FROM t)": {"t"},
    "date '2013-01-01' > d AND a::int IN (1, 2)": {"a", "d"},
    "timestampdiff(MINUTE, a, b)": {"a", "b"},
    "aggregate(xs, 0, (acc, x) -> acc + x + y)": {"xs", "y"},
    "map('k', v)['k'] || 'text with a and b'": {"v"},
    "a -- b": {"a"},
    # The fields of a struct are read through it.
    "s.a": {"s"},
    "s.a.b.c.d.e": {"s"},
    "xs[0].b": {"xs"},
    # The parameter of a lambda hides a column in its body only.
    "exists(xs, a -> a > 0) OR a > 5": {"xs", "a"},
}


@pytest.mark.parametrize("sql", READS)
def test_references_are_the_columns_that_are_read(sql: str) -> None:
    assert references(sql, where="derive.x") == READS[sql]


@pytest.mark.parametrize("sql", ["", "a b c", "a)", "a, b", "SELECT a", "(SELECT 1)", "a FROM t", "a; b", "-- a"])
def test_what_is_not_one_expression_is_refused(sql: str) -> None:
    with pytest.raises(ConfigError, match=r"derive\.x"):
        references(sql, where="derive.x")


ANOTHER_VALUE_ANOTHER_TIME = ["rand()", "a + randn(7)", "uuid()", "current_date()", "now()", "year(current_timestamp)"]
ANOTHER_VALUE_ANOTHER_TIME += ["unix_timestamp()", "monotonically_increasing_id()", "shuffle(a)", "input_file_name()"]
OTHER_ROWS = ["avg(a) OVER ()", "lead(a) OVER (ORDER BY b)", "a - sum(a)", "max(a)", "explode(a)", "inline(a)"]


@pytest.mark.parametrize("sql", [*ANOTHER_VALUE_ANOTHER_TIME, *OTHER_ROWS])
def test_what_depends_on_more_than_the_row_is_refused(sql: str) -> None:
    with pytest.raises(ConfigError, match="over the columns of one row"):
        references(sql, where="derive.x")


OF_MORE_THAN_VALUES = [
    "reflect('java.lang.System', 'exit', 1)",
    "java_method('java.lang.Runtime', 'getRuntime')",
    "try_reflect('java.util.UUID', 'randomUUID')",
    "`reflect`('java.lang.System', 'getenv')",
    "system.builtin.reflect('java.lang.System', 'getenv')",
    "a + length(REFLECT ('java.lang.System', 'getenv'))",
    "xpath_string(a, '/x')",
    "from_avro(a, '{}')",
    "from_protobuf(a, 'M', '/etc/passwd')",
    "session_window(a, '1 hour')",
    "python_worker_logs()",
    "some_udf(a)",
    "transform(xs, x -> java_method('a', 'b', x))",
    "from_xml(a, 'b int')",
    "raise_error(a)",
    "concat(a, '${env:HOME}')",
    "a = '${spark.app.name}'",
    "date 'today' > a",
    "timestamp'now'",
    "cast('Tomorrow ' AS timestamp)",
    "any(a)",
    "some(a)",
    "(table t)",
]


@pytest.mark.parametrize("sql", OF_MORE_THAN_VALUES)
def test_functions_that_are_not_of_values_are_refused(sql: str) -> None:
    with pytest.raises(ConfigError, match="over the columns of one row"):
        references(sql, where="derive.x")


def test_each_allowed_function_is_one_of_spark(spark: SparkSession) -> None:
    known = {row[0] for row in spark.sql("SHOW SYSTEM FUNCTIONS").collect()}
    own = {"add", "iff", "extract", "timestampadd", "timestampdiff", "try_cast", "collation"}  # by the parser
    assert FUNCTIONS - known <= own
    forbidden = {
        "reflect",
        "java_method",
        "try_reflect",
        "input_file_name",
        "from_avro",
        "from_protobuf",
        "python_worker_logs",
    }
    assert not FUNCTIONS & (forbidden | CHANGING | MULTIPLYING)
    assert not {name for name in FUNCTIONS if name.startswith(("xpath", "current_", "schema_of"))}


@pytest.mark.parametrize("sql", ["*", "hash(*)", "to_json(struct(*))", "size(array(t.*))"])
def test_a_star_is_refused_for_it_reads_whatever_there_is(sql: str) -> None:
    with pytest.raises(ConfigError, match=r"derive\.x"):
        references(sql, where="derive.x")


names = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=8)


@settings(deadline=None)
@given(st.lists(names, min_size=1, max_size=3))
def test_any_name_can_be_read_when_it_is_quoted(found: list[str]) -> None:
    sql = " + ".join(quote(name) for name in found)
    assert references(sql, where="derive.x") == set(found)
