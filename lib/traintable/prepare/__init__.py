"""Turn rows into features with a stock PipelineModel that is fitted on train only."""

from traintable.prepare.impute import fill_values
from traintable.prepare.pipeline import build, feature_names, fit, learn
from traintable.prepare.reduce import principal_components

__all__ = ["build", "feature_names", "fill_values", "fit", "learn", "principal_components"]
