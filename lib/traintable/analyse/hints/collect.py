"""All hints of a profile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from traintable.analyse.hints.interactions import interaction_hints
from traintable.analyse.hints.periodic import periodic_hints
from traintable.analyse.hints.rare_categories import rare_category_hints
from traintable.analyse.hints.transforms import transform_hints
from traintable.analyse.importance import permutation_importance
from traintable.analyse.rows.labelled_sample import labelled_sample

if TYPE_CHECKING:
    from traintable.analyse.document import Hint, Importance
    from traintable.analyse.rows.context import AnalysisContext


def collect_hints(context: AnalysisContext, importance: Importance | None = None) -> list[Hint]:
    """Hints, those on interactions first, each kind by its gain.

    Parameters
    ----------
    importance : of `permutation_importance`, if it was called; else it is measured here.

    Returns
    -------
    list of Hint
        What the `gain` of a hint measures depends on its kind; each function says it. Costs no pass beyond that of the
        sample.
    """
    sample = labelled_sample(context)
    hints: list[Hint] = []
    if sample is not None:
        measured = importance if importance is not None else permutation_importance(context)
        hints += interaction_hints(context, sample, _by_importance(measured, context))
    hints += transform_hints(context)
    if sample is not None:
        hints += periodic_hints(context, sample)
    return [*hints, *rare_category_hints(context, sample)]


def _by_importance(importance: Importance | None, context: AnalysisContext) -> list[str]:
    """The numbers, the most important first."""
    names = [column["name"] for column in importance["columns"]] if importance else []
    return [name for name in names if name in context.numbers]
