"""Lesion against retraining: what a trained component does, beside what would have been learned without it."""

from causalablate.training.retraining.section import CompareSection

__all__ = ["CompareSection"]
