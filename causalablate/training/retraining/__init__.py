"""Lesion against retraining: what a trained component does, beside what would have been learned without it."""

from causalablate.training.retraining.compare import compare_sweep
from causalablate.training.retraining.files import read_comparison
from causalablate.training.retraining.result import RetrainingComparison
from causalablate.training.retraining.section import CompareSection

__all__ = ["CompareSection", "RetrainingComparison", "compare_sweep", "read_comparison"]
