"""Example sets: images, questions, tensors; answers and groups."""

from collections.abc import Callable

from causalablate.examples.base import Example, ExampleSet
from causalablate.examples.digits import digits
from causalablate.examples.folder import folder
from causalablate.examples.tensors import tensors

EXAMPLE_SETS: dict[str, Callable[..., ExampleSet]] = {"digits": digits, "folder": folder}
"""Every example set by the name a study file uses."""

__all__ = ["EXAMPLE_SETS", "Example", "ExampleSet", "digits", "folder", "tensors"]
