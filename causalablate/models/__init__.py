"""Model families, one file each. A new family is one file and one row of `FAMILIES`."""

from causalablate.models.adapter import Adapter, Readout
from causalablate.models.families import FAMILIES
from causalablate.models.family import Family, LoadOptions
from causalablate.models.loading import SHIPPED, load
from causalablate.models.model import Model
from causalablate.models.parts import Part
from causalablate.models.reference import Reference
from causalablate.models.wrap import wrap

__all__ = [
    "FAMILIES",
    "SHIPPED",
    "Adapter",
    "Family",
    "LoadOptions",
    "Model",
    "Part",
    "Readout",
    "Reference",
    "load",
    "wrap",
]
