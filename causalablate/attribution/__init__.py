"""Coalition games: what each component, or each region of the image, contributes to the outcome of each example."""

from causalablate.attribution.methods import METHODS
from causalablate.attribution.regions import Regions
from causalablate.attribution.result import Attribution
from causalablate.attribution.run import attribute

__all__ = ["METHODS", "Attribution", "Regions", "attribute"]
