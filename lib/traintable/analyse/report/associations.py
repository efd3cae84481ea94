"""The associations of columns among each other: heat maps of the measures, clusters, and what is redundant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from traintable.analyse.document import Associations, Cluster, CorrelationRatio, Number
from traintable.analyse.report.figures import distinct_names, figure, is_number, relative_error
from traintable.analyse.report.pictures import Picture, Pictures

MOST = 200
MOST_VIF = 30

Matrix = Sequence[Sequence[Number]]


@dataclass(frozen=True)
class LeftOut:
    """How many columns the matrices of numbers, of categories, and of mutual information lack."""

    numbers: int = 0
    categories: int = 0
    information: int = 0


@dataclass(frozen=True)
class HeatMap:
    """A measure of each pair of columns; `left_out` is the number of columns that the picture lacks."""

    name: str
    picture: Picture
    error: str
    left_out: int


@dataclass(frozen=True)
class AssociationsView:
    """What the section shows; of the variance inflation factors the largest, and how many more there are."""

    maps: Sequence[HeatMap] = ()
    clusters: Sequence[Cluster] = ()
    vif: Sequence[tuple[str, str]] = ()
    n_more: int = 0
    condition_number: str = ""
    rows: str = ""
    exact: str = "exact"


def show_associations(associations: Associations | None, left_out: LeftOut, pictures: Pictures) -> AssociationsView:
    """One heat map a measure; clusters, VIF and the condition number."""
    if associations is None:
        return AssociationsView()
    exact = "exact" if associations["exact"] else "estimated from a sample of rows"
    vif = sorted(associations["vif"].items(), key=lambda pair: -pair[1] if is_number(pair[1]) else float("-inf"))
    return AssociationsView(
        maps=_maps(associations, left_out, exact, pictures),
        clusters=associations["clusters"],
        vif=[(name, "not finite" if value is None else figure(value)) for name, value in vif[:MOST_VIF]],
        n_more=max(0, len(vif) - MOST_VIF),
        condition_number=figure(associations["condition_number"]),
        rows=figure(associations["rows"]),
        exact=exact,
    )


def crop(associations: Associations) -> tuple[Associations, LeftOut]:
    """The associations with matrices of at most `MOST` columns: those with the strongest association with another.

    Also how many columns the matrices lack then.
    """
    numbers, categories = associations["numbers"], associations["categories"]
    information = associations["information"]
    kept_numbers = _strongest(associations["pearson"], len(numbers))
    kept_categories = _strongest(associations["cramers_v"], len(categories))
    kept = _strongest(information["matrix"], len(information["columns"]))
    short: Associations = {
        **associations,
        "numbers": [numbers[i] for i in kept_numbers],
        "pearson": _crop(associations["pearson"], kept_numbers),
        "spearman": _crop(associations["spearman"], kept_numbers),
        "categories": [categories[i] for i in kept_categories],
        "cramers_v": _crop(associations["cramers_v"], kept_categories),
        "information": {
            "columns": [information["columns"][i] for i in kept],
            "matrix": _crop(information["matrix"], kept),
        },
    }
    n_numbers, n_categories = len(numbers) - len(kept_numbers), len(categories) - len(kept_categories)
    return short, LeftOut(n_numbers, n_categories, len(information["columns"]) - len(kept))


def _crop(matrix: Matrix, kept: Sequence[int]) -> list[list[Number]]:
    return [[matrix[i][j] for j in kept] for i in kept]


def _strongest(matrix: Matrix, n_columns: int) -> Sequence[int]:
    if n_columns <= MOST:
        return range(n_columns)
    strengths: npt.NDArray[np.float64] = np.abs(np.nan_to_num(np.array(matrix, float)))
    np.fill_diagonal(strengths, 0.0)
    order = np.argsort(-strengths.max(axis=1), kind="stable")
    return sorted(int(i) for i in order[:MOST])


def _maps(associations: Associations, left_out: LeftOut, exact: str, pictures: Pictures) -> list[HeatMap]:
    numbers, categories, information = associations["numbers"], associations["categories"], associations["information"]
    ranks = relative_error(associations["spearman_error"])
    maps = [
        _square("Pearson's r", numbers, associations["pearson"], exact, left_out.numbers, pictures),
        _square(
            "Spearman's rho",
            numbers,
            associations["spearman"],
            exact if ranks == "exact" else ranks,
            left_out.numbers,
            pictures,
        ),
        _square("Cramér's V", categories, associations["cramers_v"], exact, left_out.categories, pictures),
        _mixed(associations["mixed"], exact, pictures),
        _square(
            "Mutual information, normalised",
            information["columns"],
            information["matrix"],
            exact,
            left_out.information,
            pictures,
        ),
    ]
    return [map_ for map_ in maps if map_ is not None]


def _square(
    name: str, columns: Sequence[str], matrix: Matrix, error: str, left_out: int, pictures: Pictures
) -> HeatMap | None:
    if len(columns) < 2:
        return None
    short = distinct_names(columns, 60)
    return _map(name, pictures.add_matrix(short, short, matrix, name), error, left_out)


def _mixed(ratios: Sequence[CorrelationRatio], error: str, pictures: Pictures) -> HeatMap | None:
    all_numbers = list(dict.fromkeys(ratio["number"] for ratio in ratios))
    all_words = list(dict.fromkeys(ratio["category"] for ratio in ratios))
    numbers, words = all_numbers[:MOST], all_words[:MOST]
    values = {(ratio["number"], ratio["category"]): ratio["correlation_ratio"] for ratio in ratios}
    grid = [[values.get((number, word)) for word in words] for number in numbers]
    name = "Correlation ratio"
    picture = pictures.add_matrix(distinct_names(numbers, 60), distinct_names(words, 60), grid, name)
    return _map(name, picture, error, len(all_numbers) + len(all_words) - len(numbers) - len(words))


def _map(name: str, picture: Picture | None, error: str, left_out: int) -> HeatMap | None:
    return None if picture is None else HeatMap(name, picture, error, left_out)
