"""Names of features and the layers of the stage that makes them."""

from __future__ import annotations

from traintable.prepare.fitted_plan import DroppedFeature, feature_names
from traintable.prepare.terms import Layers, Term, number_literal


def terms(*names: str) -> list[Term]:
    return [Term(name, "1.0D", name) for name in names]


def test_features_of_one_name_get_different_ones() -> None:
    names = feature_names(terms("x_a", "x_A", "x_a", "x_a_2", "y"), output="array")
    assert names == [
        "x_a",
        "x_A_2",
        "x_a_3",
        "x_a_2_2",
        "y",
    ]


def test_names_of_columns_have_no_character_that_delta_refuses() -> None:
    assert feature_names(terms("a b", "a=b", "c;{}()\n\t,", "d"), output="columns") == [
        "a_b",
        "a_b_2",
        "c________",
        "d",
    ]
    assert feature_names(terms("a b", "a=b"), output="array") == ["a b", "a=b"]


def test_names_of_columns_have_nothing_that_a_statement_substitutes() -> None:
    words = ("c___THIS__", "c____THIS____THIS__", "c_${x}", "c_THIS")
    names = feature_names(terms(*words), output="columns")
    assert names == ["c_THIS_", "c_THIS_THIS__", "c_$_x_", "c_THIS"]
    assert feature_names(terms(*words), output="array") == list(words)


def test_what_is_dropped_says_why() -> None:
    assert str(DroppedFeature("x", "variance", "its variance is 0")) == "x: variance, its variance is 0"


def test_a_column_of_a_layer_is_added_once_and_others_of_its_name_beside_it() -> None:
    layers = Layers()
    assert layers.add(0, "x", "a") == layers.add(0, "x", "a") == "`__prepared_x`"
    assert layers.add(0, "X", "b") == "`__prepared_X_`"
    assert layers.add(7, "x", "b") == "`__prepared7_x`"
    assert layers.add(0, "y`z", "c") == "`__prepared_y``z`"
    assert layers.names == ["__prepared_x", "__prepared_X_", "__prepared_y`z", "__prepared7_x"]


def test_layers_are_selected_from_each_other_in_the_order_of_their_depth() -> None:
    layers = Layers()
    last = layers.add(1000, "x", layers.add(3, "x", layers.add(0, "x", "`x`")))
    assert last == "`__prepared1000_x`"
    flat = " ".join(layers.rows().split())
    assert flat == (
        "(SELECT *, `__prepared3_x` AS `__prepared1000_x` FROM (SELECT *, `__prepared_x` AS `__prepared3_x` FROM "
        "(SELECT *, `x` AS `__prepared_x` FROM __THIS__)))"
    )
    assert Layers().rows() == "__THIS__"


def test_columns_that_no_feature_needs_are_left_out() -> None:
    layers = Layers()
    used = layers.add(2, "x", f"{layers.add(0, 'x', '`x`')} + {layers.add(1, 'a`b', '`a`')}")
    layers.add(2, "y", layers.add(0, "y", "`y`"))
    kept = layers.without_unused([Term("x", f"abs({used})", "x"), Term("one", "1.0D", "one")])
    assert kept.names == ["__prepared_x", "__prepared1_a`b", "__prepared2_x"]
    assert len(layers.names) == 5


def test_a_number_reads_back_to_the_same_bits() -> None:
    for value in (0.1, -1e-300, 5e-324, 1.7976931348623157e308, 3.0, -0.0):
        assert float(number_literal(value).strip("()").removesuffix("D")) == value
