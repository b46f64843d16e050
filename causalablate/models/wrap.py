"""Any `nn.Module` as a model: its parts by name, how to feed it, how to read it."""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from causalablate.component import ComponentMap
from causalablate.engine.tail import Tail
from causalablate.errors import ExampleError, LesionError, OutcomeError, nearest
from causalablate.examples import Example
from causalablate.models.adapter import Readout
from causalablate.models.model import Model
from causalablate.models.parts import PartSpec, find_components

Encode = Callable[[Sequence[Example]], Any]
Read = Callable[[Any], Tensor | Mapping[str, Tensor]]
TokenGroups = Callable[[Mapping[str, Any]], Mapping[str, Tensor]]


def wrap(
    module: nn.Module,
    components: Mapping[str, PartSpec] | None = None,
    *,
    answers: int | Iterable[Any],
    encode: Encode | None = None,
    read: Read | None = None,
    token_groups: TokenGroups | None = None,
) -> Model:
    """Make a model of any module, so that its parts can be lesioned.

        model = wrap(net, {"layers.{i}": "blocks.{i}", "heads": Part("attn.out", at="input", heads=4)}, answers=10)
        table = counterfactuals(model, tensors(x, y), "layers.*", off="zero")

    The module is not changed: not moved, not cast, not put into evaluation mode. What measures outcomes runs it in
    evaluation mode and puts it back.

    Args:
        module: The trained network. Dimension 0 of what it takes and gives is the example.
        components: Address to where that lives: a module path or glob, a `Part`, or several of these to be one
            component. Without it, every module by its own path.
        answers: What the logits stand for, one name per logit, or how many there are (then their names are 0, 1, ...).
        encode: Examples to what the forward takes: a tensor, a tuple, or a mapping by argument name. By default the
            `inputs` of the examples, stacked; numbers with a fraction in the format of the module's weights.
        read: The module's output to logits, shape (rows, answers), or to several by name, `answer` among them. By
            default the output itself, its `logits`, or its first entry.
        token_groups: The forward's arguments to bool masks over positions, shape (rows, length); `all` is every
            position but padding. Needed for parts with `tokens=True`.
    Raises:
        ComponentNotFoundError: A path is no module; the message names the nearest.
        LesionError: A part does not fit its module, or needs `token_groups`.
        OutcomeError: There are fewer than two answers, or one twice.
    """
    names = tuple(str(a) for a in (range(answers) if isinstance(answers, int) else answers))
    if len(set(names)) < max(2, len(names)):
        raise OutcomeError(f"answers are {', '.join(names) or 'none'}; give at least two, each once")
    found = find_components(module, components)
    if token_groups is None:
        needing = [c.address for c in found.values() if any(site.tokens for site in c.sites)]
        if needing:
            raise LesionError(f'"{needing[0]}" has tokens=True: say where positions are with token_groups=...')
    return Model(module, WrappedAdapter(found, names, _arguments(module), encode, read, token_groups))


def _arguments(module: nn.Module) -> tuple[str, ...]:
    """Names of the forward's arguments, in order: lesions and replay call it by keyword."""
    parameters = inspect.signature(module.forward).parameters.values()
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return tuple(p.name for p in parameters if p.kind in kinds)


@dataclass(frozen=True, eq=False)
class WrappedAdapter:
    """What `wrap` was told.

    Attributes:
        found: The components.
        names: What the logits stand for.
        arguments: Names of the forward's arguments, in order.
        encoder: See `wrap`.
        reader: See `wrap`.
        groups: See `wrap`.
        modes: None: it answers in one way.
    """

    found: ComponentMap
    names: tuple[str, ...]
    arguments: tuple[str, ...]
    encoder: Encode | None
    reader: Read | None
    groups: TokenGroups | None
    modes: tuple[str, ...] = ()

    def components(self, module: nn.Module) -> ComponentMap:
        """The parts that were named."""
        return self.found

    def encode(self, module: nn.Module, examples: Sequence[Example]) -> dict[str, Any]:
        """The forward's arguments by name."""
        given = _stacked(module, examples) if self.encoder is None else self.encoder(examples)
        if not isinstance(given, Mapping):
            given = {str(i): x for i, x in enumerate(given if isinstance(given, tuple) else (given,))}
        return {self._argument(name): value for name, value in given.items()}

    def alone(self, module: nn.Module, examples: Sequence[Example]) -> bool:
        """Whether their inputs differ in shape, and nobody was told how to pad them."""
        shapes = {tuple((name, x.shape) for name, x in example.inputs.items()) for example in examples}
        return self.encoder is None and len(shapes) > 1

    def _argument(self, name: str) -> str:
        if not name.isdecimal():
            return name
        if int(name) >= len(self.arguments):
            raise ExampleError(
                f"the forward has {len(self.arguments)} arguments with names ({', '.join(self.arguments)}), so input "
                f"{int(name) + 1} has no place; name its arguments, or give inputs as a mapping by name"
            )
        return self.arguments[int(name)]

    def answers(self, module: nn.Module, examples: Sequence[Example]) -> Tensor:
        """Index of each true answer, shape (rows,)."""
        index = {name: i for i, name in enumerate(self.names)}
        for example in examples:
            if example.answer not in index:
                raise ExampleError(
                    f'example "{example.id}": the answer "{example.answer}" is none of those that the model was '
                    f"wrapped with{nearest(example.answer, self.names)}; they are {_listed(self.names)}"
                )
        return torch.tensor([index[example.answer] for example in examples])

    def token_groups(self, module: nn.Module, inputs: Mapping[str, Any]) -> Mapping[str, Tensor]:
        """Bool masks over positions, shape (rows, length), by token group."""
        if self.groups is None:
            return {}
        found = self.groups({self._argument(name): value for name, value in inputs.items()})
        if "all" not in found:
            raise LesionError(
                f"token_groups gave {', '.join(found)}; it must also give all: every position but padding"
            )
        return found

    def read(self, output: Any) -> Readout:
        """Logits by name, on the CPU."""
        given = _logits(output) if self.reader is None else self.reader(output)
        logits = dict(given) if isinstance(given, Mapping) else {"answer": given}
        if not isinstance(logits.get("answer"), Tensor):
            raise OutcomeError(
                f"the module gives a {type(output).__name__}, and no logits were found in it; "
                "say where they are: read=lambda output: output[...]"
            )
        shape = logits["answer"].shape
        if len(shape) != 2 or shape[1] != len(self.names):
            raise OutcomeError(
                f"logits have shape {tuple(shape)}; for {len(self.names)} answers they must be (examples, "
                f"{len(self.names)}): choose them with read=..., e.g. read=lambda output: output[:, -1]"
            )
        return Readout({name: x.float().cpu() for name, x in logits.items()})

    def tails(self, module: nn.Module) -> tuple[Tail, ...]:
        """Nothing is known of what is read."""
        return ()

    def vocabulary(self, module: nn.Module) -> Sequence[str]:
        """What the logits stand for."""
        return self.names


def _logits(output: Any) -> Any:
    """The logits of an output as modules usually give it."""
    if isinstance(output, Mapping):
        return output.get("logits")
    output = getattr(output, "logits", output)
    return output[0] if isinstance(output, tuple | list) and output else output


def _stacked(module: nn.Module, examples: Sequence[Example]) -> dict[str, Tensor]:
    """The inputs of examples, one below the other."""
    weights = next((p.dtype for p in module.parameters() if p.is_floating_point()), None)
    columns: dict[str, Tensor] = {}
    for name in examples[0].inputs:
        arrays = [example.inputs[name] for example in examples if name in example.inputs]
        shapes = dict.fromkeys(array.shape for array in arrays)
        if len(shapes) > 1 or len(arrays) < len(examples):
            raise ExampleError(
                f"input {name!r} has the shapes {_listed([str(s) for s in shapes])} in one batch; "
                "pad them with wrap(encode=...), or take one at a time"
            )
        column = torch.from_numpy(np.stack(arrays))
        columns[name] = column.to(weights) if column.is_floating_point() and weights is not None else column
    if not columns:
        raise ExampleError(
            f'example "{examples[0].id}" holds no inputs: make examples with tensors(x, y), or say with '
            "wrap(encode=...) what the forward takes of images and questions"
        )
    return columns


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
