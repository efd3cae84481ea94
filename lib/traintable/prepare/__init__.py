"""Turn rows into features with a stock PipelineModel that is fitted on train only."""

from traintable.prepare.drop import drop_outliers
from traintable.prepare.fitted_plan import DroppedFeature, FittedPlan
from traintable.prepare.inputs import inputs, serving_inputs
from traintable.prepare.pipeline import fit, fit_plan
from traintable.prepare.reduce import principal_components

__all__ = [
    "DroppedFeature",
    "FittedPlan",
    "drop_outliers",
    "fit",
    "fit_plan",
    "inputs",
    "principal_components",
    "serving_inputs",
]
