"""What a lesion does, written a second time with plain torch hooks: the suite's own opinion, no engine in it."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from causalablate.component import Component, Site


class Change:
    """Sum of squares of what the hooks changed."""

    def __init__(self) -> None:
        self.squares = 0.0

    def add(self, old: Tensor, new: Tensor) -> None:
        self.squares += float((new.detach().double() - old.detach().double()).square().sum())

    @property
    def norm(self) -> float:
        return self.squares**0.5


def groups_by_hand(module: nn.Module, inputs: Mapping[str, Any], names: set[str]) -> dict[str, Tensor]:
    """Token groups from the ids alone: image placeholders, the last position, all others that are not padding.

    Where a decoder answers from a position of its own, the last position of what is encoded is like any other.
    """
    if "input_ids" not in inputs or "attention_mask" not in inputs:
        return {}
    ids, real = inputs["input_ids"], inputs["attention_mask"].bool()
    config = module.config
    token = getattr(config, "image_token_id", None)
    token = getattr(config, "image_token_index", None) if token is None else token
    image = ids == token if token is not None and "image" in names else torch.zeros_like(real)
    answer = torch.zeros_like(real)
    answer[:, -1] = not getattr(getattr(config, "text_config", config), "is_encoder_decoder", False)
    return {"all": real, "image": image, "answer": answer, "question": real & ~image & ~answer}


@contextmanager
def off(module: nn.Module, component: Component, groups: Mapping[str, Tensor]) -> Iterator[Change]:
    """The component at zero (an edge: cut) in every forward inside the block."""
    change = Change()
    with ExitStack() as stack:
        for site in component.sites:
            stack.callback(_hook(module.get_submodule(site.module), site, groups, change).remove)
        yield change


def _hook(part: nn.Module, site: Site, groups: Mapping[str, Tensor], change: Change) -> Any:
    def zeroed(x: Tensor) -> Tensor:
        new = x.clone()
        inside = torch.ones_like(x, dtype=torch.bool)
        if site.span is not None:
            inside[:] = False
            where = (..., slice(*site.span)) if site.axis == -1 else (slice(None), slice(*site.span))
            inside[where] = True
        if site.positions is not None:
            outside = torch.ones_like(inside)
            outside[:, slice(*site.positions)] = False
            inside &= ~outside
        if site.tokens:
            real = groups[site.group or "all"] & groups["all"]
            inside &= (real.flatten() if x.ndim == 2 else real)[..., None]
        new[inside] = 0
        change.add(x, new)
        return new

    def before(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if args:
            return (zeroed(args[0]), *args[1:]), kwargs
        return args, {**kwargs, "hidden_states": zeroed(kwargs["hidden_states"])}

    def after(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Any:
        new = zeroed(output if isinstance(output, Tensor) else output[0])
        return new if isinstance(output, Tensor) else _first(output, new)

    def skip(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Any:
        came = args[0] if args else kwargs["hidden_states"]
        went = output if isinstance(output, Tensor) else output[0]
        new = came
        if site.tokens:
            new = torch.where(groups["all"][:, :, None], came, went)
        if site.positions is not None:
            new = went.clone()
            new[:, slice(*site.positions)] = came[:, slice(*site.positions)]
        change.add(went, new)
        return new if isinstance(output, Tensor) else _first(output, new)

    def cut(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        mask = kwargs["attention_mask"]
        n = mask.shape[-1]
        edge = groups[site.group or ""][:, :, None] & groups[site.source or ""][:, None, :]
        edge = (edge & ~torch.eye(n, dtype=torch.bool))[:, None].expand(mask.shape)
        closed = False if mask.dtype == torch.bool else torch.finfo(mask.dtype).min
        new = mask.masked_fill(edge, closed)
        change.squares += float((new != mask).sum())
        return args, {**kwargs, "attention_mask": new}

    if site.at == "attention_mask":
        return part.register_forward_pre_hook(cut, with_kwargs=True)
    if site.at == "input":
        return part.register_forward_pre_hook(before, with_kwargs=True)
    if site.at == "delta":
        return part.register_forward_hook(skip, with_kwargs=True, prepend=True)
    return part.register_forward_hook(after, with_kwargs=True, prepend=True)


def _first(output: Any, new: Tensor) -> Any:
    if isinstance(output, tuple):
        return (new, *output[1:])
    name = next(iter(output.keys()))
    return type(output)(**{**output, name: new})
