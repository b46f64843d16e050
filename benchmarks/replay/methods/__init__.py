"""Ways to run a sweep, one file each. A new one is one file and one row of `METHODS`."""

from benchmarks.replay.methods.ablation import FeatureAblationOverMask
from benchmarks.replay.methods.lens import LensBridge
from benchmarks.replay.methods.method import Method, UnavailableError
from benchmarks.replay.methods.ours import StackedReplay, UnstackedReplay
from benchmarks.replay.methods.plain import PlainLoop
from benchmarks.replay.methods.skipping import SkipEarlier

METHODS: tuple[type[Method], ...] = (
    PlainLoop,
    StackedReplay,
    UnstackedReplay,
    FeatureAblationOverMask,
    LensBridge,
    SkipEarlier,
)
"""In the order of the table; the first is what the others are compared with."""

__all__ = ["METHODS", "Method", "UnavailableError"]
