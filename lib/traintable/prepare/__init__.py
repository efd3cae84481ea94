"""Turn rows into features with a stock PipelineModel that is fitted on train only."""

from traintable.prepare.pipeline import build, feature_names, fit, learn

__all__ = ["build", "feature_names", "fit", "learn"]
