"""Boxes of the input image covered, before the model sees it: counterfactual examples to patch from."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from causalablate.attribution.regions import FILLS
from causalablate.engine.draws import derived_seed, donor
from causalablate.errors import ExampleError, nearest
from causalablate.examples import Example, ExampleSet

Boxes = Sequence[Sequence[float]]
"""Each left, top, right, bottom, as shares of width and height."""
_DRAWN = ("noise", "other")


def masked(
    examples: ExampleSet, boxes: Boxes | Mapping[str, Boxes], *, fill: str = "mean", seed: int = 0
) -> ExampleSet:
    """The same examples, ids included, with boxes of every image covered.

    As `reference=` of `do("tokens.image", off={"kind": "resample", "donor": "paired"})`, the masked image becomes a
    lesion that composes with any other. As the corruption of `causal_trace`, it asks where the region's content is.

    Args:
        examples: The examples.
        boxes: For all examples, or by example id.
        fill: `mean` colour of the image, `blur` (radius: half the shorter side of the box), `noise` (each pixel and
            channel uniform), or `other`: the same box of another example's image of the same size.
        seed: Of noise and donors; a draw depends on it and on the example's id.
    Raises:
        ExampleError: The fill is unknown, an example has no boxes or no image, or a box covers no pixel.
    """
    if fill not in (*FILLS, *_DRAWN):
        known = ", ".join((*FILLS, *_DRAWN))
        raise ExampleError(f'boxes cannot be filled with "{fill}"{nearest(fill, [*FILLS, *_DRAWN])}; there are {known}')
    found = []
    for example in examples:
        if isinstance(boxes, Mapping) and example.id not in boxes:
            raise ExampleError(f'there are no boxes for example "{example.id}"; give some for each, or [] for none')
        mine = boxes[example.id] if isinstance(boxes, Mapping) else boxes
        other = _donor(example, examples, seed) if fill == "other" else example
        images = tuple(
            _covered(i, image, mine, fill, other, seed, example.id) for i, image in enumerate(example.images)
        )
        found.append(replace(example, images=images))
    return ExampleSet(f"{examples.name}, masked", tuple(found))


def _donor(example: Example, examples: ExampleSet, seed: int) -> Example:
    shapes = [image.shape for image in example.images]
    alike = [e for e in examples if [image.shape for image in e.images] == shapes]
    index = donor(example.id, [e.id for e in alike], seed)
    if index is None:
        raise ExampleError(f'no other example has images of the size of those of "{example.id}"; use another fill')
    return alike[index]


def _covered(
    number: int, image: np.ndarray, boxes: Boxes, fill: str, other: Example, seed: int, key: str
) -> np.ndarray:
    height, width = image.shape[:2]
    found = image.copy()
    rng = np.random.default_rng(derived_seed("mask", seed, key, number))
    for left, top, right, bottom in boxes:
        at = slice(round(top * height), round(bottom * height)), slice(round(left * width), round(right * width))
        part = found[at]
        if not part.size:
            raise ExampleError(f'the box {(left, top, right, bottom)} covers no pixel of an image of example "{key}"')
        match fill:
            case "noise":
                found[at] = rng.integers(0, 256, part.shape, dtype=np.uint8)
            case "other":
                found[at] = other.images[number][at]
            case _:
                found[at] = FILLS[fill](image, min(part.shape[:2]) / 2)[at]
    return found
