"""Turn rows into features with a stock PipelineModel that is fitted on train only."""

from traintable.prepare.pipeline import FEATURES, build, feature_names, fit, learn

__all__ = ["FEATURES", "build", "feature_names", "fit", "learn"]
