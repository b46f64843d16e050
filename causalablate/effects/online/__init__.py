"""Randomised experiments between a model in service and lesioned ones: arms share no units.

`online_experiment` analyses a log; `assign` says which arm a unit belongs to while the experiment runs.
"""

from causalablate.effects.online.allocation import assign
from causalablate.effects.online.experiment import MISMATCH, OnlineExperiment, online_experiment
from causalablate.effects.online.sample_ratio import SampleRatio

__all__ = ["MISMATCH", "OnlineExperiment", "SampleRatio", "assign", "online_experiment"]
