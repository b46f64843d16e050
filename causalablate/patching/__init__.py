"""Interventions by the names that papers give them: knockout windows, causal tracing, paths."""

from causalablate.patching.masking import masked
from causalablate.patching.path import path_patch
from causalablate.patching.tracing import CausalTrace, causal_trace, every_position
from causalablate.patching.window import windows

__all__ = ["CausalTrace", "causal_trace", "every_position", "masked", "path_patch", "windows"]
