"""Random networks out of parts that are hard to replay, and their plain execution under lesions.

A network is described by values (`Graph`), so that a failing one prints itself and can be built again. Every part maps
a tensor of shape `SHAPE` to one of that shape, but what happens in between is not tame: arguments and results edited
in place, results that alias arguments, random numbers, counters, lists that grow, branches and loops on data, modules
that are shared and called several times, nested arguments, structured results, fused kernels, NaN and -0.0.
"""

import random
from dataclasses import dataclass, fields, is_dataclass
from functools import wraps
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from transformers.utils import ModelOutput

from causalablate.engine import draws

ROWS, LENGTH, WIDTH = 2, 3, 4
SHAPE = (ROWS, LENGTH, WIDTH)
KEYS = ("first", "second")
SPREAD = 0.5
"""What the reference set says of every site's spread."""

ANYWHERE = ("output", "input", "delta")


class Part(nn.Module):
    """A part that maps (rows, length, width) to the same, and may have others inside."""

    n_inner = 0
    sites = ANYWHERE
    random = stateful = False
    n_runs = 0
    """How often any part has really run."""

    def __init_subclass__(cls):
        super().__init_subclass__()
        if (forward := vars(cls).get("forward")) is not None:

            @wraps(forward)
            def counted(self, *args, **kwargs):
                Part.n_runs += 1
                return forward(self, *args, **kwargs)

            cls.forward = counted

    def __init__(self, *inner):
        super().__init__()
        for name, module in zip("ab", inner, strict=False):
            setattr(self, name, module)

    def reset(self):
        """Called when a forward of the whole network begins."""


# Ordinary computation


class Dense(Part):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(WIDTH, WIDTH)

    def forward(self, hidden_states):
        return self.linear(hidden_states).tanh()


class Norm(Part):
    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(WIDTH)

    def forward(self, hidden_states):
        return self.norm(hidden_states)


class Convolution(Part):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(WIDTH, WIDTH, 3, padding=1)

    def forward(self, hidden_states):
        return self.conv(hidden_states.transpose(1, 2)).transpose(1, 2)


class Attention(Part):
    """Scaled dot-product attention, causal, two heads; `out` reads the heads side by side."""

    def __init__(self):
        super().__init__()
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)

    def forward(self, hidden_states):
        rows, length, _ = hidden_states.shape
        q, k, v = self.qkv(hidden_states).reshape(rows, length, 3, 2, -1).permute(2, 0, 3, 1, 4)
        return self.out(F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2))


class FusedAttention(Part):
    """Torch's attention module, which returns a tuple, and may run as one fused kernel that calls nothing inside."""

    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(WIDTH, 2, batch_first=True)

    def forward(self, hidden_states):
        return self.attention(hidden_states, hidden_states, hidden_states, need_weights=False)[0]


class FusedLayer(Part):
    """Torch's encoder layer: one fused kernel, unless somebody hooks what is inside."""

    def __init__(self):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(WIDTH, 2, 8, batch_first=True)

    def forward(self, hidden_states):
        return self.layer(hidden_states)


class Query(Part):
    """The same for every input."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(1, LENGTH, WIDTH))

    def forward(self, hidden_states):
        return self.weight.repeat(len(hidden_states), 1, 1)


class Batched(Part):
    """Rows see each other."""

    def forward(self, hidden_states):
        return hidden_states - hidden_states.mean(0, keepdim=True)


class Nothing(Part):
    """Zeros, but for their signs."""

    def forward(self, hidden_states):
        return hidden_states * 0.0


class Sign(Part):
    """Tells 0.0 from -0.0."""

    def forward(self, hidden_states):
        return torch.copysign(torch.ones_like(hidden_states), hidden_states)


class SignedZero(Part):
    """What its second part is given differs in no number, only in bits."""

    def __init__(self):
        super().__init__()
        self.nothing, self.sign = Nothing(), Sign()

    def forward(self, hidden_states):
        return self.sign(self.nothing(hidden_states))


class NotANumber(Part):
    def forward(self, hidden_states):
        return torch.where(hidden_states > 0.5, float("nan"), hidden_states)


class Finite(Part):
    def forward(self, hidden_states):
        return torch.nan_to_num(hidden_states, nan=0.25).clamp(-3, 3)


# Results that alias arguments


class Same(Part):
    """Returns its argument, as dropout does in evaluation."""

    def __init__(self):
        super().__init__()
        self.dropout = nn.Dropout(0.5)

    def forward(self, hidden_states):
        return self.dropout(hidden_states)


class View(Part):
    def forward(self, hidden_states):
        return hidden_states[:, :]


# Edits in place


class ReluInPlace(Part):
    def __init__(self):
        super().__init__()
        self.relu = nn.ReLU(inplace=True)

    def forward(self, hidden_states):
        return self.relu(hidden_states)


class EditsArgument(Part):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(WIDTH, WIDTH)

    def forward(self, hidden_states):
        hidden_states.add_(0.5)
        return self.linear(hidden_states)


class EditsOwn(Part):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(WIDTH, WIDTH)

    def forward(self, hidden_states):
        new = self.linear(hidden_states)
        new[:, 0] = hidden_states[:, -1]
        return new


class EditsResult(Part):
    """Writes into what another part has returned."""

    n_inner = 1

    def forward(self, hidden_states):
        new = writable(self.a(hidden_states))
        new.mul_(0.5)
        return new


class EditsBetween(Part):
    """One part has read the argument before it is edited, the other reads it afterwards."""

    n_inner = 2

    def forward(self, hidden_states):
        before = self.a(hidden_states).clone()
        hidden_states[:, 0] *= -1.0
        return before + self.b(hidden_states)


# What no module should be left out for: random numbers and states


class Noise(Part):
    random = True

    def forward(self, hidden_states):
        return hidden_states + torch.rand_like(hidden_states)


class AlwaysDropout(Part):
    random = True

    def forward(self, hidden_states):
        return F.dropout(hidden_states, 0.5, training=True)


class PythonNoise(Part):
    random = True

    def forward(self, hidden_states):
        return hidden_states * random.random()


class NumpyNoise(Part):
    random = True

    def forward(self, hidden_states):
        return hidden_states * float(np.random.rand())


class Counter(Part):
    stateful = True

    def reset(self):
        self.n = 0

    def forward(self, hidden_states):
        self.n += 1
        return hidden_states * self.n


class BufferCounter(Part):
    stateful = True

    def __init__(self):
        super().__init__()
        self.register_buffer("n", torch.zeros(()))

    def reset(self):
        self.n.zero_()

    def forward(self, hidden_states):
        self.n += 1
        return hidden_states / self.n


class Remembers(Part):
    stateful = True

    def reset(self):
        self.seen = []

    def forward(self, hidden_states):
        self.seen.append(hidden_states.mean())
        return hidden_states + sum(self.seen)


# Ways around the arguments


class Reads(Part):
    """Reads what somebody else has left in its attribute."""

    def reset(self):
        self.left = None

    def forward(self, hidden_states):
        return hidden_states if self.left is None else hidden_states * self.left


class Leaves(Part):
    """Leaves something in another module before calling it."""

    n_inner = 1

    def __init__(self, a):
        super().__init__(a)
        self.reads = Reads()

    def forward(self, hidden_states):
        self.reads.left = self.a(hidden_states.clone()).mean()
        return self.reads(hidden_states + 0.0)


class Box:
    """An object with a life of its own, such as a cache."""

    def __init__(self, content):
        self.content = content


class Unboxes(Part):
    sites = ("output",)

    def forward(self, hidden_states, box):
        box.content = box.content + 1.0
        return hidden_states + box.content, box


class Boxes(Part):
    n_inner = 1

    def __init__(self, a):
        super().__init__(a)
        self.unboxes = Unboxes()

    def forward(self, hidden_states):
        new, box = self.unboxes(hidden_states, Box(self.a(hidden_states.clone())))
        return new - box.content / 2


# Structure


class Chain(Part):
    n_inner = 2

    def __init__(self, a, b):
        super().__init__()
        self.steps = nn.Sequential(a, b)

    def forward(self, hidden_states):
        return self.steps(hidden_states)


class Residual(Part):
    n_inner = 1

    def forward(self, hidden_states):
        return hidden_states + self.a(hidden_states=hidden_states)


class Both(Part):
    n_inner = 2

    def forward(self, hidden_states):
        return self.a(hidden_states) - self.b(hidden_states)


class Branch(Part):
    """Which part runs depends on the data."""

    n_inner = 2

    def forward(self, hidden_states):
        return self.a(hidden_states) if bool(hidden_states.sum() > 0) else self.b(hidden_states)


class Loop(Part):
    """How often a part runs depends on the data."""

    n_inner = 1

    def forward(self, hidden_states):
        for _ in range(1 + int(hidden_states.nan_to_num().abs().sum() * 5) % 3):
            hidden_states = self.a(hidden_states).tanh()
        return hidden_states


@dataclass
class Package:
    state: torch.Tensor
    options: dict


class Opens(Part):
    """Reads tensors out of nested arguments."""

    sites = ("output",)

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(WIDTH, WIDTH)

    def forward(self, package, *, more):
        second, (third, factor) = more["list"]
        return self.linear(package.state) * package.options["factor"] + factor * (second - third)


class Packs(Part):
    n_inner = 2

    def __init__(self, a, b):
        super().__init__(a, b)
        self.opens = Opens()

    def forward(self, hidden_states):
        package = Package(self.a(hidden_states), {"factor": 0.5, "unused": None})
        return self.opens(package, more={"list": [self.b(hidden_states), (hidden_states, 2)]})


class Advises(Part):
    """One part only decides on a number that another module is given beside the same tensors as ever."""

    n_inner = 1

    def __init__(self, a):
        super().__init__(a)
        self.opens = Opens()

    def forward(self, hidden_states):
        advice = float(self.a(hidden_states.clone()).nan_to_num().sum() > 0)
        package = Package(hidden_states, {"factor": 0.5 + advice})
        return self.opens(package, more={"list": [hidden_states, (hidden_states, 2)]})


@dataclass
class Pair(ModelOutput):
    first: torch.Tensor | None = None
    second: torch.Tensor | None = None
    third: torch.Tensor | None = None


@dataclass
class Plain:
    first: torch.Tensor
    second: float


class Named(NamedTuple):
    first: torch.Tensor
    second: torch.Tensor


class Returns(Part):
    """Returns two tensors, or a tensor and a number, in some structure."""

    n_inner = 1
    form = "tuple"

    def forward(self, hidden_states):
        x = self.a(hidden_states)
        forms = {
            "tuple": lambda: (x, {"second": x * 2}),
            "model output": lambda: Pair(first=x, second=x * 2),
            "dataclass": lambda: Plain(x, float(hidden_states.nan_to_num().amax())),
            "dict": lambda: {"first": x, "others": [x * 2, None]},
            "named tuple": lambda: Named(x, x * 2),
            "alias": lambda: (x, x[:, -1:]),
        }
        return forms[self.form]()


class Unpacks(Part):
    n_inner = 1
    form = "tuple"
    hookable = ANYWHERE

    def __init__(self, a):
        super().__init__()
        self.returns = Returns(a)
        self.returns.form, self.returns.sites = self.form, self.hookable

    def forward(self, hidden_states):
        result = self.returns(hidden_states)
        take = {
            "tuple": lambda: result[0] + result[1]["second"],
            "model output": lambda: result.first + result["second"],
            "dataclass": lambda: result.first * result.second,
            "dict": lambda: result["first"] + result["others"][0],
            "named tuple": lambda: result.first + result.second,
        }
        return take[self.form]()


class UnpacksModelOutput(Unpacks):
    form = "model output"


class UnpacksDataclass(Unpacks):
    form, hookable = "dataclass", ("input",)  # a lesion of an output needs to know which of it is the activation


class UnpacksDict(Unpacks):
    form, hookable = "dict", ("input",)


class UnpacksNamed(Unpacks):
    form = "named tuple"


class UnpacksAlias(Part):
    """One result is a part of the other, and the other is edited in place."""

    n_inner = 1

    def __init__(self, a):
        super().__init__()
        self.returns = Returns(a)
        self.returns.form = "alias"

    def forward(self, hidden_states):
        whole, end = self.returns(hidden_states)
        writable(whole).mul_(0.5)
        return whole + end


KINDS = {
    kind.__name__: kind
    for kind in (
        Dense,
        Norm,
        Convolution,
        Attention,
        FusedAttention,
        FusedLayer,
        Query,
        Batched,
        SignedZero,
        NotANumber,
        Finite,
        Same,
        View,
        ReluInPlace,
        EditsArgument,
        EditsOwn,
        EditsResult,
        EditsBetween,
        Noise,
        AlwaysDropout,
        PythonNoise,
        NumpyNoise,
        Counter,
        BufferCounter,
        Remembers,
        Leaves,
        Boxes,
        Chain,
        Residual,
        Both,
        Branch,
        Loop,
        Packs,
        Advises,
        Unpacks,
        UnpacksModelOutput,
        UnpacksDataclass,
        UnpacksDict,
        UnpacksNamed,
        UnpacksAlias,
    )
}


def writable(x):
    """The tensor itself, unless several of its numbers share one place in memory."""
    return x.clone() if 0 in x.stride() else x


@dataclass(frozen=True)
class Graph:
    """A network.

    Attributes:
        parts: Kind of each part, and which earlier parts are inside it; a part may be inside several others.
        steps: What the network does with its values, one after the other; each step gives a new value.
        two_pass: Do all steps again, starting from what they gave.
        output: Structure of the result.
        seed: Of the weights and inputs.
    """

    parts: tuple[tuple[str, tuple[int, ...]], ...]
    steps: tuple[tuple[str, int, int], ...]
    two_pass: bool = False
    output: str = "tensor"
    seed: int = 0


STEPS = ("call", "by keyword", "add", "relu_", "assign", "add_", "branch")
OUTPUTS = ("tensor", "tuple", "dict", "dataclass", "model output")


class Network(nn.Module):
    """The network that a `Graph` describes."""

    def __init__(self, graph):
        super().__init__()
        self.graph = graph
        torch.manual_seed(graph.seed)
        built = []
        for kind, inner in graph.parts:
            built.append(KINDS[kind](*(built[i] for i in inner)))
        self.parts = nn.ModuleList(built)
        self.reset()

    def reset(self):
        for module in self.modules():
            if isinstance(module, Part):
                module.reset()

    def forward(self, x, more):
        self.reset()
        values = [x, more["y"]]
        self._steps(values)
        if self.graph.two_pass:
            values[:2] = [values[-1], values[-1] + x]
            self._steps(values)
        last, other = values[-1], values[-2]
        forms = {
            "tensor": lambda: last,
            "tuple": lambda: (last, [other, None]),
            "dict": lambda: {"last": last, "other": other},
            "dataclass": lambda: Package(last, {"other": other}),
            "model output": lambda: Pair(first=last, second=other),
        }
        return forms[self.graph.output]()

    def _steps(self, values):
        for what, i, j in self.graph.steps:
            a, b = values[-1 - i % len(values)], values[-1 - j % len(values)]
            part = self.parts[i % len(self.parts)]
            match what:
                case "call":
                    new = part(b)
                case "by keyword":
                    new = part(hidden_states=b)
                case "add":
                    new = a + b
                case "relu_":
                    new = writable(a).relu_()
                case "assign":
                    new = writable(a)
                    new[:, -1] = b[:, 0].clone()
                case "add_":
                    new = writable(a).add_(b.clone())
                case "branch":
                    new = part(a) if bool(b.sum() > 0) else a * 0.5
            values.append(new)


def inputs_of(graph):
    """Arguments of a network: its second one is nested."""
    generator = torch.Generator().manual_seed(graph.seed + 1)
    x, y = torch.randn(2, *SHAPE, generator=generator)
    return {"x": x.clone(), "more": {"y": y.clone(), "unused": [None, 3]}}


def sites(network):
    """Where a network can be lesioned: (path, at)."""
    found = []
    for path, module in network.named_modules():
        if isinstance(module, Part):
            found += [(path, at) for at in module.sites]
        elif isinstance(module, nn.Linear | nn.LayerNorm | nn.ReLU | nn.Dropout | nn.MultiheadAttention):
            found += [(path, at) for at in ("output", "input")]
    return found


# Plain execution


def seed_everything():
    torch.manual_seed(11)
    np.random.seed(11)
    random.seed(11)


def copied(value):
    """A copy of nested arguments, tensors too."""
    if isinstance(value, torch.Tensor):
        return value.clone()
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    if isinstance(value, list):
        return [copied(item) for item in value]
    return value


class NoStandInError(Exception):
    """A stand-in has not run when it is needed, or is of another shape."""


def executed(network, inputs, lesion, stand_in):
    """The whole forward under a lesion, by torch's own hooks: (output, which parts of the lesion acted).

    `lesion` is a list of (component, off); every component has one site, and so has the one that `replace` reads.
    """
    calls, acted, handles, standing_in = {}, set(), [], []

    def edited(x, component, how, call):
        site = component.sites[0]
        old = x if site.span is None else x[..., slice(*site.span)]
        match how.kind:
            case "zero":
                new = torch.zeros_like(old)
            case "scale":
                new = old * how.factor
            case "value":
                new = torch.full_like(old, float(how.array(0)))
            case "noise":
                stream = (0, component.address, site.module, call)
                new = old + how.std * SPREAD * draws.normal(old.shape, KEYS, "noise", *stream)
            case "replace":
                if not standing_in or standing_in[-1].shape != old.shape:
                    raise NoStandInError
                new = standing_in[-1].clone()
        acted.add(component.address)
        if torch.equal(new, old):
            return x
        if site.span is None:
            return new
        return torch.cat([x[..., : site.span[0]], new, x[..., site.span[1] :]], dim=-1)

    def chain(here, x, place):
        call = calls[place] = calls.get(place, -1) + 1
        for component, how in here:
            x = edited(x, component, how, call)
        if place == stand_in.sites[0].place:
            standing_in.append(x)
        return x

    def first(args, kwargs):
        return args[0] if args else kwargs["hidden_states"]

    def on_input(here, place):
        def hook(module, args, kwargs):
            x = first(args, kwargs)
            new = chain(here, x, place)
            if args:
                return (new, *args[1:]), kwargs
            return args, {**kwargs, "hidden_states": new}

        return hook

    def on_output(here, place):
        def hook(module, args, kwargs, output):
            x = output if isinstance(output, torch.Tensor) else output[0]
            if place[1] == "output":
                new = chain(here, x, place)
            else:
                start = first(args, kwargs)
                delta = x - start
                moved = chain(here, delta, place)
                touched = (moved != delta).flatten(1).any(1)[:, None, None]
                new = x if moved is delta else torch.where(touched, start + moved, x)
            if new is x or isinstance(output, torch.Tensor):
                return new if isinstance(output, torch.Tensor) else output
            if isinstance(output, ModelOutput):
                return type(output)(**{**output, next(iter(output.keys())): new})
            rest = (new, *output[1:])
            return type(output)(*rest) if hasattr(output, "_fields") else rest

        return hook

    here = {}
    for component, how in lesion:
        here.setdefault(component.sites[0].place, []).append((component, how))
    if any(how.kind == "replace" for _, how in lesion):
        here.setdefault(stand_in.sites[0].place, [])
    for place, parts in sorted(here.items(), key=lambda item: item[0][1] == "delta"):
        module = network.get_submodule(place[0])
        if place[1] == "input":
            handles.append(module.register_forward_pre_hook(on_input(parts, place), with_kwargs=True))
        else:
            # First in line, as documented: of one module the delta acts before the output, whatever the lesion's order.
            handles.append(module.register_forward_hook(on_output(parts, place), with_kwargs=True, prepend=True))
    seed_everything()
    network.eval()
    try:
        with torch.no_grad():
            output = network(**copied(inputs))
    finally:
        for handle in handles:
            handle.remove()
    return output, acted


def leaves(value):
    """Everything in a nested result, with its place in it."""
    if isinstance(value, dict):
        return [(f".{key}{rest}", leaf) for key, item in value.items() for rest, leaf in leaves(item)]
    if isinstance(value, tuple | list):
        return [(f"[{i}]{rest}", leaf) for i, item in enumerate(value) for rest, leaf in leaves(item)]
    if is_dataclass(value):
        return [(f".{f.name}{rest}", leaf) for f in fields(value) for rest, leaf in leaves(getattr(value, f.name))]
    return [("", value)]


def tensors(value):
    """The tensors in a nested result."""
    return [leaf for _, leaf in leaves(value) if isinstance(leaf, torch.Tensor)]


def same(one, other):
    """Whether two results are of the same form and equal bit for bit; a NaN equals a NaN."""
    one, other = leaves(one), leaves(other)
    if [place for place, _ in one] != [place for place, _ in other]:
        return False
    for (_, x), (_, y) in zip(one, other, strict=True):
        if type(x) is not type(y):
            return False
        if not isinstance(x, torch.Tensor):
            if x != y:
                return False
        elif x.shape != y.shape or not ((x.view(torch.int32) == y.view(torch.int32)) | (x.isnan() & y.isnan())).all():
            return False
    return True
