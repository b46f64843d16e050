"""Which lesions to run together: factorial designs over lesions, as values. Running them is `counterfactuals`' work."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from causalablate.errors import EffectError, LesionError, nearest
from causalablate.interactions.design import Design, Factors, design_of, named_factors
from causalablate.interactions.fractional import defining_words
from causalablate.interactions.sampling import kernel_draws, neighbourhoods, uniform_draws
from causalablate.intervention import Lesion, OffSpec, do
from causalablate.offs import Patch

MOST_FACTORS = 14
"""Factors of a full design: 16,384 runs."""


def factorial(lesions: Factors, *, order: int = 2, base: Lesion | None = None) -> Design:
    """Every factor off, every pair of factors, and so on up to `order` of them together.

    Args:
        lesions: The factors; give a mapping to name them, else they are called as the lesions are.
        order: Most factors that are off together; 2: singles and pairs.
        base: What is off in every run as well: interactions in the context of another lesion.
    Raises:
        LesionError: Fewer than two factors, one twice, an empty one, or two that share a component.
        EffectError: The order is below one or above the number of factors.
    """
    named = named_factors(lesions, base)
    _check_order(order, len(named))
    subsets = [s for size in range(order + 1) for s in combinations(range(len(named)), size)]
    words = () if order == len(named) else None
    return design_of(named, _matrix(subsets, len(named)), base, words=words)


def full(lesions: Factors, *, base: Lesion | None = None) -> Design:
    """All 2^k subsets of k factors, k at most `MOST_FACTORS`: what exact interaction indices need.

    Raises:
        LesionError: As of `factorial`.
        EffectError: Too many factors.
    """
    named = named_factors(lesions, base)
    if len(named) > MOST_FACTORS:
        raise EffectError(
            f"a full design of {len(named)} factors has 2^{len(named)} runs; the most is {MOST_FACTORS} factors. "
            "Put components into groups (one lesion each), or use fractional(), neighbours() or drawn()"
        )
    return factorial(named, order=len(named), base=base)


def screened(
    lesions: Factors,
    ranking: Sequence[str] | Mapping[str, float],
    *,
    top: int,
    order: int = 2,
    base: Lesion | None = None,
) -> Design:
    """Every factor off by itself, and pairs (or more) among the first `top` of a ranking.

    A ranking by single effects is blind to backups: two components of which either suffices have no effect one by one.
    Put components that may back each other up into the ranking by hand, or test all pairs with `factorial`.

    Args:
        lesions: The factors.
        ranking: Names of factors, the most important first; or a score by name, of which the size counts, e.g.
            `effects.set_index("lesion")["ate"].to_dict()`.
        top: How many to combine.
        order: Most factors that are off together.
        base: What is off in every run as well.
    Raises:
        LesionError: As of `factorial`, or the ranking names no factor.
        EffectError: `top` or `order` do not fit.
    """
    named = named_factors(lesions, base)
    ranked = sorted(ranking, key=lambda name: -abs(ranking[name])) if isinstance(ranking, Mapping) else list(ranking)
    if unknown := [name for name in ranked if name not in named]:
        raise LesionError(f'no factor "{unknown[0]}" to rank{nearest(unknown[0], named)}; there are {", ".join(named)}')
    if not 2 <= top <= len(ranked):
        raise EffectError(f"top is {top}; choose from 2 to {len(ranked)}, the number of ranked factors")
    _check_order(order, top)
    place = {name: i for i, name in enumerate(named)}
    first = sorted(place[name] for name in ranked[:top])
    subsets: list[tuple[int, ...]] = [(), *((i,) for i in range(len(named)))]
    subsets += [s for size in range(2, order + 1) for s in combinations(first, size)]
    return design_of(named, _matrix(subsets, len(named)), base)


def fractional(
    lesions: Factors,
    generators: Mapping[str, Sequence[str]],
    *,
    foldover: bool = False,
    base: Lesion | None = None,
) -> Design:
    """A 2^(k-p) fraction of all subsets: the factors without a generator in all combinations, the others as products.

    A factor is on (+1) where the product of its generator is +1, so that the run with everything on belongs to the
    fraction. What cannot be told apart is in `alias_table(design)`; `resolution(design)` says how bad it is.

    Args:
        lesions: The factors.
        generators: For each of p factors, the other factors whose product it is set to, e.g. `{"d": ["a", "b", "c"]}`.
        foldover: Add every run once more with all levels switched: frees main effects from pairs in designs of
            resolution III.
        base: What is off in every run as well.
    Raises:
        LesionError: As of `factorial`, or a generator names what is no factor without a generator.
        EffectError: No factor is left without a generator, or there are too many.

    Source: Box & Hunter (1961), The 2^(k-p) Fractional Factorial Designs, Technometrics 3(3).
    """
    named = named_factors(lesions, base)
    names = list(named)
    free = [i for i, name in enumerate(names) if name not in generators]
    for name, product in generators.items():
        for other in (name, *product):
            if other not in named:
                raise LesionError(
                    f'no factor "{other}" in generators{nearest(other, names)}; there are {", ".join(names)}'
                )
            if other != name and other in generators:
                raise LesionError(f"{name} is generated from {other}, which has a generator itself; use free factors")
        if len(set(product)) < 2 or len(set(product)) < len(product) or name in product:
            raise LesionError(f"the generator of {name} is {list(product)}; give two or more other factors, each once")
    if not 2 <= len(free) <= MOST_FACTORS:
        raise EffectError(f"{len(free)} factors are without a generator; leave from 2 to {MOST_FACTORS}")
    level = np.ones((2 ** len(free), len(names)), dtype=int)
    level[:, free] = 1 - 2 * (np.arange(len(level))[:, None] >> np.arange(len(free)) & 1)
    for name, product in generators.items():
        level[:, names.index(name)] = level[:, [names.index(other) for other in product]].prod(axis=1)
    if foldover:
        level = np.concatenate([level, -level])
    words = [frozenset({names.index(g), *(names.index(x) for x in product)}) for g, product in generators.items()]
    return design_of(named, np.unique(level < 0, axis=0), base, words=defining_words(words, foldover=foldover))


def neighbours(
    lesions: Factors, *, draws: int = 16, order: int = 2, seed: int = 0, base: Lesion | None = None
) -> Design:
    """Sets of factors drawn at random, and all that differ from one of them in at most `order` factors.

    Each draw gives one unbiased sample of every discrete derivative that Shapley values, the Shapley and the Banzhaf
    interaction index and the Shapley-Taylor index average, for all sets of up to `order` factors at once. It costs
    about 1 + k + k (k - 1) / 2 runs at order 2.

    Args:
        lesions: The factors.
        draws: How many, even and at least four: each is followed by its complement.
        order: Most factors whose interaction is asked for.
        seed: Of the draws.
        base: What is off in every run as well.
    Raises:
        LesionError: As of `factorial`.
        EffectError: Too few draws, or the order does not fit.

    Source: Castro, Gómez & Tejada (2009), Comput. Oper. Res. 36(5), for the sampling of predecessors; Mitchell et al.
        (2022), J. Mach. Learn. Res. 23(43), for antithetic pairs.
    """
    named = named_factors(lesions, base)
    _check_order(order, len(named))
    _check_draws(draws)
    drawn = uniform_draws(len(named), draws, seed)
    return design_of(named, ~neighbourhoods(drawn, order), base, draws=drawn, order=order)


def drawn(lesions: Factors, *, draws: int = 512, seed: int = 0, base: Lesion | None = None) -> Design:
    """Sets of factors drawn with the Shapley kernel, and the two ends: what the Faith-Shap regression needs.

    Args:
        lesions: The factors, three or more.
        draws: How many, even: each is followed by its complement. Several times the number of coefficients.
        seed: Of the draws.
        base: What is off in every run as well.
    Raises:
        LesionError: As of `factorial`.
        EffectError: Too few factors or draws.

    Source: Lundberg & Lee (2017), NeurIPS; Covert & Lee (2021), AISTATS, for the pairs; Tsai, Yeh & Ravikumar (2023).
    """
    named = named_factors(lesions, base)
    if len(named) < 3:
        raise EffectError(f"there are {len(named)} factors, which a full design enumerates; use full()")
    _check_draws(draws)
    sets = kernel_draws(len(named), draws, seed)
    ends = np.repeat([[True], [False]], len(named), axis=1)
    return design_of(named, ~np.unique(np.concatenate([ends, sets]), axis=0), base, draws=sets)


def repair_lesions(lesion: Lesion, later: Sequence[str]) -> tuple[Lesion, Lesion]:
    """The two lesions that self-repair compares: the total one, and the one that later components cannot answer.

    Args:
        lesion: What is off.
        later: Addresses and globs of everything behind it that might make up for it. Held at what they say in the
            factual run, so that only the direct effect is left.
    Returns:
        The lesion as it is, and the lesion & do(later, off=patch).
    Raises:
        LesionError: Nothing is later, or the lesion touches one of the later ones.
    """
    if not later:
        raise LesionError("nothing is later: give addresses of the components that could make up for the lesion")
    patch: OffSpec = Patch()
    return lesion, lesion & do(later[0], *later[1:], off=patch)


def _matrix(subsets: Sequence[Sequence[int]], n: int) -> np.ndarray:
    off = np.zeros((len(subsets), n), dtype=bool)
    for row, subset in zip(off, subsets, strict=True):
        row[list(subset)] = True
    return off


def _check_order(order: int, n: int) -> None:
    if not 1 <= order <= n:
        raise EffectError(f"order is {order}; choose from 1 to {n}, the number of factors to combine")


def _check_draws(draws: int) -> None:
    if draws < 4 or draws % 2:
        raise EffectError(f"draws is {draws}; it must be even and at least 4: each draw comes with its complement")
