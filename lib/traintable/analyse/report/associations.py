"""The associations of columns among each other: heat maps of the measures, clusters, and what is redundant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from traintable.analyse.report.figures import different, figure, is_number, relative_error
from traintable.analyse.report.pictures import Picture, Pictures

MOST = 200
MOST_VIF = 30

Matrix = Sequence[Sequence[Any]]


def view(profile: Mapping[str, Any], pictures: Pictures) -> dict[str, Any]:
    """One heat map a measure; clusters, VIF and the condition number."""
    found = profile.get("associations") or {}
    vif = sorted((found.get("vif") or {}).items(), key=lambda pair: -pair[1] if is_number(pair[1]) else float("-inf"))
    exact = "exact" if found.get("exact") else "estimated from a sample of rows"
    return {
        "maps": [item for item in _maps(found, exact, pictures) if item["picture"]],
        "clusters": found.get("clusters") or [],
        "vif": [(name, figure(value) if value is not None else "not finite") for name, value in vif[:MOST_VIF]],
        "n_more": max(0, len(vif) - MOST_VIF),
        "condition_number": figure(found.get("condition_number")),
        "rows": figure(found.get("rows")),
        "exact": exact,
    }


def cropped(found: Mapping[str, Any] | None) -> dict[str, Any]:
    """The associations with matrices of at most `MOST` columns: those with the strongest association with another.

    `left_out` says how many are missing of each list of columns.
    """
    short: dict[str, Any] = {**(found or {}), "left_out": {}}
    _crop(short, "numbers", ("pearson", "spearman"))
    _crop(short, "categories", ("cramers_v",))
    if short.get("information"):
        short["information"] = {**short["information"], "left_out": {}}
        _crop(short["information"], "columns", ("matrix",))
    return short


def _crop(found: dict[str, Any], names: str, matrices: Sequence[str]) -> None:
    columns = found.get(names) or []
    kept = _strongest(np.array(found.get(matrices[0]) or [], float)) if len(columns) > MOST else range(len(columns))
    found["left_out"][names] = len(columns) - len(kept)
    found[names] = [columns[i] for i in kept]
    for name in matrices:
        matrix = found.get(name)
        found[name] = [[matrix[i][j] for j in kept] for i in kept] if matrix else []


def _strongest(matrix: npt.NDArray[np.float64]) -> list[int]:
    strengths = np.abs(np.nan_to_num(matrix))
    if strengths.ndim != 2:
        return []
    np.fill_diagonal(strengths, 0.0)
    order = np.argsort(-strengths.max(axis=1), kind="stable")
    return sorted(int(i) for i in order[:MOST])


def _maps(found: Mapping[str, Any], exact: str, pictures: Pictures) -> list[dict[str, Any]]:
    numbers, words, left_out = found.get("numbers") or [], found.get("categories") or [], found.get("left_out") or {}
    information = found.get("information") or {}
    spearman = relative_error(found.get("spearman_error"))
    shared, matrix = information.get("columns") or [], information.get("matrix")
    squares = [
        ("Pearson's r", numbers, found.get("pearson"), exact, left_out.get("numbers")),
        (
            "Spearman's rho",
            numbers,
            found.get("spearman"),
            spearman if spearman != "exact" else exact,
            left_out.get("numbers"),
        ),
        ("Cramér's V", words, found.get("cramers_v"), exact, left_out.get("categories")),
        ("Mutual information, normalised", shared, matrix, exact, (information.get("left_out") or {}).get("columns")),
    ]
    maps = [_square(*square, pictures) for square in squares]
    return [*maps[:3], _mixed(found.get("mixed") or [], exact, pictures), maps[3]]


def _square(
    name: str, columns: Sequence[str], matrix: Matrix | None, error: str, left_out: int | None, pictures: Pictures
) -> dict[str, Any]:
    if not matrix or len(columns) < 2:
        return {"picture": None}
    short = different(columns, 60)
    return _map(name, pictures.add_matrix(short, short, matrix, name), error, left_out or 0)


def _mixed(pairs: Sequence[Mapping[str, Any]], error: str, pictures: Pictures) -> dict[str, Any]:
    all_numbers = list(dict.fromkeys(pair["number"] for pair in pairs))
    all_words = list(dict.fromkeys(pair["category"] for pair in pairs))
    numbers, words = all_numbers[:MOST], all_words[:MOST]
    values = {(pair["number"], pair["category"]): pair.get("correlation_ratio") for pair in pairs}
    grid = [[values.get((number, word)) for word in words] for number in numbers]
    name = "Correlation ratio"
    picture = pictures.add_matrix(different(numbers, 60), different(words, 60), grid, name)
    return _map(name, picture, error, len(all_numbers) + len(all_words) - len(numbers) - len(words))


def _map(name: str, picture: Picture | None, error: str, left_out: int) -> dict[str, Any]:
    return {"name": name, "picture": picture, "error": error, "left_out": left_out}
