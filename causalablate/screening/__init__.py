"""Gradient screening: which lesions are worth measuring. Approximate, called so, and always confirmed in part."""

from causalablate.screening.lesions import unscreenable
from causalablate.screening.result import Screening
from causalablate.screening.run import RANK_BY, screen

__all__ = ["RANK_BY", "Screening", "screen", "unscreenable"]
