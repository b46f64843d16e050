"""The four workloads, in full size and in the size of a quick run."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from benchmarks.replay import language, vision_language
from benchmarks.replay.language import LanguageAdapter, language_model
from benchmarks.replay.seeded import cast
from benchmarks.replay.vision_language import VISUAL_TOKENS, VisionLanguageAdapter, vision_language_model
from benchmarks.replay.workload import Workload, spread_items
from causalablate.component import Component
from causalablate.examples import Example, ExampleSet, digits
from causalablate.intervention import do
from causalablate.models import Model, load

TOKENS = 64


@dataclass(frozen=True)
class Setup:
    """What all workloads of a run share.

    Attributes:
        off: How components are off: `zero` or `mean`. Attention edges are always cut.
        seed: Seeds weights, examples and choices.
        device: Where models live.
        dtype: Precision of the models with random weights; the shipped model keeps its own.
        quick: Small models, few examples, few lesions.
    """

    off: str = "zero"
    seed: int = 0
    device: str = "cpu"
    dtype: torch.dtype = torch.float32
    quick: bool = False


def language_workload(setup: Setup, n: int) -> Workload:
    """W1: every head of the decoder."""
    model = _language(setup)
    lesions = tuple(do(c.address, off=setup.off) for c in model.components.kinds()["head"])
    tokens = 12 if setup.quick else TOKENS
    title = f"all {len(lesions)} heads of {_decoder(setup)}, {n} examples of {tokens} tokens"
    examples = _token_examples(setup, n, tokens, _vocabulary(model), 0)
    reference = model.reference(_token_examples(setup, n, tokens, _vocabulary(model), 1) if _means(setup) else None)
    return Workload("W1", f"{n} examples", title, model, examples, lesions, n, reference)


def vision_language_workload(setup: Setup, n: int, frames: int) -> Workload:
    """W2: every head of the encoder and of the decoder behind it."""
    sizes = (vision_language.TINY, language.TINY) if setup.quick else (_SMALL_VISION, language.SMOLLM2_135M)
    module = cast(vision_language_model(*sizes, setup.seed, 4 if setup.quick else VISUAL_TOKENS), *_place(setup))
    model = Model(module, VisionLanguageAdapter())
    lesions = tuple(do(c.address, off=setup.off) for c in model.components.kinds()["head"])
    tokens = 8 if setup.quick else TOKENS
    side = module.vision.config.image_size
    vocabulary = module.lm.config.vocab_size
    examples = _token_examples(setup, n, tokens, vocabulary, 0, frames, side)
    held_out = _token_examples(setup, n, tokens, vocabulary, 1, frames, side) if _means(setup) else None
    encoder = "a tiny encoder" if setup.quick else "a DINOv2-small encoder"
    title = (
        f"all {len(lesions)} heads of {encoder} before {_decoder(setup)}, {n} examples of {frames} "
        f"frame{'s' if frames > 1 else ''}, {module.connector.tokens} visual and {tokens} text tokens"
    )
    case = f"{frames} frame{'s' if frames > 1 else ''}"
    return Workload("W2", case, title, model, examples, lesions, n, model.reference(held_out))


def shipped_workload(setup: Setup, n: int) -> Workload:
    """W3: every component of the shipped reference model."""
    model = load("shipped", device=setup.device)
    components = list(model.components.values())
    if setup.quick:
        components = [c for kind in model.components.kinds().values() for c in kind[-1:]]
    lesions = tuple(do(c.address, off=_off(c, setup.off)) for c in components)
    held_out = digits(min(n, 256), split="validation", seed=setup.seed) if _means(setup) else None
    title = f"{len(lesions)} components of the shipped model, {n:,} digits test examples"
    examples = digits(n, split="test", seed=setup.seed)
    return Workload("W3", f"{n:,} examples", title, model, examples, lesions, min(64, n), model.reference(held_out))


def pairs_workload(setup: Setup, n: int, count: int) -> Workload:
    """W4: every pair of some heads and MLPs of the decoder."""
    model = _language(setup)
    kinds = model.components.kinds()
    mlps = spread_items(kinds["mlp"], max(1, count // 4), setup.seed)
    heads = spread_items(kinds["head"], count - len(mlps), setup.seed)
    order = {address: i for i, address in enumerate(model.components)}
    chosen = sorted([*heads, *mlps], key=lambda c: order[c.address])
    singles = [do(c.address, off=setup.off) for c in chosen]
    pairs = tuple(a & b for a, b in itertools.combinations(singles, 2))
    tokens = 12 if setup.quick else TOKENS
    examples = _token_examples(setup, n, tokens, _vocabulary(model), 0)
    reference = model.reference(_token_examples(setup, n, tokens, _vocabulary(model), 1) if _means(setup) else None)
    title = f"all {len(pairs)} pairs of {len(heads)} heads and {len(mlps)} MLPs of {_decoder(setup)}, {n} examples"
    return Workload("W4", f"{n} examples", title, model, examples, pairs, n, reference)


_SMALL_VISION = vision_language.DINOV2_SMALL

Build = Callable[[Setup], Workload]

FULL: Mapping[str, Build] = {
    "W1-8": lambda s: language_workload(s, 8),
    "W1-32": lambda s: language_workload(s, 32),
    "W2-1": lambda s: vision_language_workload(s, 8, 1),
    "W2-16": lambda s: vision_language_workload(s, 4, 16),
    "W3": lambda s: shipped_workload(s, 1000),
    "W4": lambda s: pairs_workload(s, 8, 40),
}
QUICK: Mapping[str, Build] = {
    "W1": lambda s: language_workload(s, 3),
    "W2": lambda s: vision_language_workload(s, 2, 2),
    "W3": lambda s: shipped_workload(s, 4),
    "W4": lambda s: pairs_workload(s, 3, 5),
}


def named(text: str, *, quick: bool) -> list[str]:
    """The cases behind names, e.g. `W1,W2-16`: a workload stands for all its cases.

    Raises:
        ValueError: A name is of no workload and of no case.
    """
    table = QUICK if quick else FULL
    found: list[str] = []
    for name in text.split(","):
        cases = [case for case in table if case == name or case.startswith(f"{name}-")]
        if not cases:
            raise ValueError(f"no workload {name}; there are {', '.join(table)}")
        found += cases
    return list(dict.fromkeys(found))


def workloads(cases: Sequence[str], setup: Setup) -> Iterator[Workload]:
    """The named cases one after the other, so that only one model is in memory."""
    for case in cases:
        yield (QUICK if setup.quick else FULL)[case](setup)


def _language(setup: Setup) -> Model:
    sizes = language.TINY if setup.quick else language.SMOLLM2_135M
    return Model(cast(language_model(sizes, setup.seed), *_place(setup)), LanguageAdapter())


def _decoder(setup: Setup) -> str:
    return "a tiny decoder" if setup.quick else "a decoder of SmolLM2-135M's shape"


def _place(setup: Setup) -> tuple[str, torch.dtype]:
    return setup.device, setup.dtype


def _means(setup: Setup) -> bool:
    return setup.off == "mean"


def _vocabulary(model: Model) -> int:
    return len(model.vocabulary)


def _off(component: Component, off: str) -> str:
    return "knockout" if component.kind == "edge" else off


def _token_examples(
    setup: Setup, n: int, tokens: int, vocabulary: int, stream: int, frames: int = 1, side: int = 1
) -> ExampleSet:
    """Random token ids and frames; a model that reads no frames gets one pixel."""
    random = np.random.default_rng((setup.seed, stream))
    examples = []
    for i in range(n):
        ids = random.integers(vocabulary, size=tokens + 1)
        images = tuple(random.integers(256, size=(side, side, 3), dtype=np.uint8) for _ in range(frames))
        examples.append(Example(str(i), images, " ".join(map(str, ids[:-1])), str(ids[-1])))
    return ExampleSet(f"benchmark/{stream}", tuple(examples))
