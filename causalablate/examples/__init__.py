"""Example sets: images, questions, tensors; answers and groups."""

from collections.abc import Callable

from causalablate.examples.base import Example, ExampleSet
from causalablate.examples.clips import clips
from causalablate.examples.digits import digits
from causalablate.examples.folder import folder
from causalablate.examples.stills import stills
from causalablate.examples.tensors import tensors
from causalablate.examples.texts import texts

EXAMPLE_SETS: dict[str, Callable[..., ExampleSet]] = {
    "digits": digits,
    "folder": folder,
    "clips": clips,
    "stills": stills,
    "texts": texts,
}
"""Every example set by the name a study file uses."""

__all__ = ["EXAMPLE_SETS", "Example", "ExampleSet", "clips", "digits", "folder", "stills", "tensors", "texts"]
