"""Interventions by the names that papers give them: knockout windows, causal tracing, paths."""

from causalablate.patching.path import path
from causalablate.patching.tracing import CausalTrace, causal_trace, every_position
from causalablate.patching.windows import windows

__all__ = ["CausalTrace", "causal_trace", "every_position", "path", "windows"]
