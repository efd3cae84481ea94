"""What is impossible becomes null before anything is learned of it, for a number of any type."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from frames import of_rows
from traintable.config.plan import Feature
from traintable.config.promise import Promise
from traintable.prepare.clean import LARGEST_FLOAT, categorical, numeric, valid_range

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

NAN, INF = math.nan, math.inf
NUMBER = Feature()


def test_the_range_of_a_number_is_as_promised_and_no_more_than_a_float_holds() -> None:
    assert float(np.finfo(np.float32).max) == LARGEST_FLOAT
    assert valid_range(None) == (-LARGEST_FLOAT, LARGEST_FLOAT)
    assert valid_range(Promise(min=0)) == (0, LARGEST_FLOAT)
    assert valid_range(Promise(min=-1e300, max=7)) == (-LARGEST_FLOAT, 7)
    assert valid_range(Promise(type="int")) == (-LARGEST_FLOAT, LARGEST_FLOAT)


@pytest.mark.parametrize(
    ("promise", "kept"),
    [
        (None, [-7.0, 0.0, 3.0, 3.5, 3e38, -3e38]),
        (Promise(min=0), [0.0, 3.0, 3.5, 3e38]),
        (Promise(max=3), [-7.0, 0.0, 3.0, -3e38]),
        (Promise(min=-7, max=3), [-7.0, 0.0, 3.0]),
        (Promise(type="double"), [-7.0, 0.0, 3.0, 3.5, 3e38, -3e38]),
    ],
)
@pytest.mark.parametrize("kind", ["double", "float"])
def test_what_is_no_number_or_out_of_range_is_null(
    promise: Promise | None, kept: list[float], kind: str, spark: SparkSession
) -> None:
    values = [None, NAN, INF, -INF, 1e39 if kind == "double" else INF, -7.0, 0.0, 3.0, 3.5, 3e38, -3e38]
    df = of_rows(spark, f"x {kind}", [(value,) for value in values])
    found = df.selectExpr(f"{numeric('x', NUMBER, promise)} AS x").toArrow()["x"].to_pylist()
    expected = [float(np.float32(v)) if kind == "float" else v for v in kept]
    assert [value for value in found if value is not None] == expected
    assert len(found) == len(values)


def test_text_is_trimmed_of_blanks_then_cased_and_nothing_else(spark: SparkSession) -> None:
    values = [" aB ", "aB", "", "  ", None, "\ta", "É ß"]
    df = of_rows(spark, "x string", [(value,) for value in values])
    forms = {
        (): values,
        ("trim",): ["aB", "aB", None, None, None, "\ta", "É ß"],
        ("upper",): [" AB ", "AB", "", "  ", None, "\tA", "É SS"],
        ("trim", "lower"): ["ab", "ab", None, None, None, "\ta", "é ß"],
    }
    for form, expected in forms.items():
        case = next((part for part in form if part != "trim"), None)
        feature = Feature.model_validate({"encode": "one_hot", "trim": "trim" in form, "case": case})
        assert df.selectExpr(f"{categorical('x', feature)} AS x").toArrow()["x"].to_pylist() == expected


def test_an_expression_stands_for_the_column(spark: SparkSession) -> None:
    df = of_rows(spark, "a double, b double", [(1.0, 2.0), (3.0, None), (1.0, 1e39)])
    feature = Feature(expr="a - b")
    assert df.selectExpr(f"{numeric('x', feature, None)} AS x").toArrow()["x"].to_pylist() == [-1.0, None, None]
    both = Feature(expr="a = 1 OR b > 5", encode="ordinal")
    found = df.selectExpr(f"{categorical('x', both)} AS x").toArrow()["x"].to_pylist()
    assert found == ["true", None, "true"]
