"""Which image stands at each position of a prompt, where images have unequal shares of it."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


def by_run(image: Tensor) -> Tensor:
    """Every run of image positions is one image.

    Args:
        image: Positions filled with images, bool, shape (rows, length).
    Returns:
        Number of the image at each position, -1 elsewhere, same shape.
    """
    return torch.where(image, _starts(image).cumsum(-1) - 1, -1)


def by_last_run(image: Tensor, ids: Tensor) -> Tensor:
    """An image is several runs, its tiles, and the whole image comes last, behind a token of its own.

    Args:
        image: Positions filled with images, bool, shape (rows, length).
        ids: Tokens, same shape.
    """
    found = torch.full_like(ids, -1)
    for row, starts in enumerate(_starts(image)):
        before = (starts.nonzero().flatten() - 1).clamp(min=0)
        if len(before):
            closes = ids[row, before] == ids[row, before[-1]]
            number = closes.cumsum(0) - closes.long()
            found[row] = torch.where(image[row], number[(starts.cumsum(-1) - 1).clamp(min=0)], -1)
    return found


def by_count(image: Tensor, counts: Tensor) -> Tensor:
    """Images one behind the other, the first one of the next row after the last one of a row.

    Args:
        image: Positions filled with images, bool, shape (rows, length).
        counts: Positions of each image, shape (images,).
    """
    owner = torch.repeat_interleave(torch.arange(len(counts), device=image.device), counts.to(image.device))
    found = torch.full(image.shape, -1, device=image.device)
    found[image] = owner
    first = torch.where(image, found, len(counts)).amin(-1, keepdim=True)
    return torch.where(image, found - first, -1)


def by_share(image: Tensor, n_images: int) -> Tensor:
    """Every row holds equally many images, and each of them as many positions.

    Args:
        image: Positions filled with images, bool, shape (rows, length).
        n_images: Images of a row.
    """
    before, every = image.cumsum(-1) - 1, image.sum(-1, keepdim=True).clamp(min=1)
    return torch.where(image, before * n_images // every, -1)


def _starts(image: Tensor) -> Tensor:
    """1 where a run begins, 0 elsewhere."""
    before = torch.zeros_like(image)
    before[:, 1:] = image[:, :-1]
    return (image & ~before).long()


def runs(token: int) -> Any:
    """`Anatomy.images` of a family that writes one run of `token` per image, with something between two images."""

    def images(inputs: Mapping[str, Any]) -> Tensor:
        return by_run(inputs["input_ids"] == token)

    return images
