"""Divide rows into train, validation and test, and guard against answers that leak into features."""

from traintable.split.apply import SplitContext, add_folds, add_reason, split_rows
from traintable.split.describe import describe
from traintable.split.folds import group_k_fold, k_fold, stratified_group_k_fold, stratified_k_fold
from traintable.split.frozen import FROZEN_GROUP, NEW_TEST, keep_test, missing_test
from traintable.split.grouped import stratified_by_group
from traintable.split.hashed import by_group, by_hash
from traintable.split.leakage import (
    LeakFinding,
    examine,
    manifest_findings,
    refuse_severe,
    refuse_unavailable,
    unavailable_features,
)
from traintable.split.nested import nested
from traintable.split.stratified import stratified
from traintable.split.time import by_time
from traintable.split.time_folds import time_k_fold
from traintable.split.windows import TimeWindow, time_windows

__all__ = [
    "FROZEN_GROUP",
    "NEW_TEST",
    "LeakFinding",
    "SplitContext",
    "TimeWindow",
    "add_folds",
    "add_reason",
    "by_group",
    "by_hash",
    "by_time",
    "describe",
    "examine",
    "group_k_fold",
    "k_fold",
    "keep_test",
    "manifest_findings",
    "missing_test",
    "nested",
    "refuse_severe",
    "refuse_unavailable",
    "split_rows",
    "stratified",
    "stratified_by_group",
    "stratified_group_k_fold",
    "stratified_k_fold",
    "time_k_fold",
    "time_windows",
    "unavailable_features",
]
