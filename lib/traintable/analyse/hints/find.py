"""All hints of a profile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from traintable.analyse import importance as importances
from traintable.analyse.hints.interactions import interactions
from traintable.analyse.hints.periodic import periodic
from traintable.analyse.hints.rare import rare_categories
from traintable.analyse.hints.transforms import transforms
from traintable.analyse.rows.answers import answers

if TYPE_CHECKING:
    from traintable.analyse.rows.context import Context


def find(context: Context, importance: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """Hints, those on interactions first, each kind by its gain.

    Parameters
    ----------
    importance : what `importance.measure` found, if it was called; else it is measured here.

    Returns
    -------
    list of dict
        hint : "interaction", "polynomial", "transform", "periodic" or "rare_categories".
        columns, gain, text : what it is about, the number that says so (each function says which), and a sentence.
        plan : a piece of a plan: sections and features as `traintable.config.plan.Plan` has them.

    Costs no pass beyond that of the sample.
    """
    known = answers(context)
    found = []
    if known is not None:
        measured = importance if importance is not None else importances.measure(context)
        found += interactions(context, known, _ranked(measured, context))
    found += transforms(context)
    if known is not None:
        found += periodic(context, known)
    return found + rare_categories(context, known)


def _ranked(importance: Mapping[str, Any] | None, context: Context) -> list[str]:
    """The numbers, the most important first."""
    known = [column["name"] for column in importance["columns"]] if importance else []
    return [name for name in known if name in context.numbers]
