"""Divide rows into train, validation and test, and guard against answers that leak into features."""

from traintable.split.folds import with_folds
from traintable.split.leakage import refuse_unavailable
from traintable.split.stratified import stratified
from traintable.split.time import by_time

__all__ = ["by_time", "refuse_unavailable", "stratified", "with_folds"]
