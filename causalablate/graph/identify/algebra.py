"""Products and sums of estimands, shortened where a factor sums to 1 or does not depend on what is summed over."""

from collections.abc import Collection, Iterable

from causalablate.graph.identify.estimand import Estimand, P, Product, Ratio, Sum, free


def product(factors: Iterable[Estimand]) -> Estimand:
    """All factors in one product; a single one as it is."""
    flat = tuple(part for f in factors for part in (f.factors if isinstance(f, Product) else (f,)))
    return flat[0] if len(flat) == 1 else Product(flat)


def sum_over(over: Iterable[str], factors: Iterable[Estimand]) -> Estimand:
    """A sum over nodes of a product.

    A node that is in nothing but P(node | ...) sums to 1 and goes; what does not depend on the sum stands before it.
    """
    left, parts = list(dict.fromkeys(over)), list(_flat(factors))
    while done := next(((n, f) for n in left for f in parts if _sums_to_one(n, f, parts)), None):
        left.remove(done[0])
        parts.remove(done[1])
    if not left:
        return product(parts)
    inside = [f for f in parts if free(f) & set(left)]
    outside = [f for f in parts if f not in inside]
    return product([*outside, Sum(tuple(left), product(inside))])


def ratio(top: Estimand, bottom: Estimand) -> Estimand:
    """One divided by the other, without the factors they share."""
    above, below = list(_flat([top])), list(_flat([bottom]))
    for factor in list(above):
        if factor in below:
            above.remove(factor)
            below.remove(factor)
    return Ratio(product(above), product(below)) if below else product(above)


def conditionals(order: Iterable[str], factors: dict[str, Estimand], keep: Collection[str]) -> dict[str, Estimand]:
    """The factors of a distribution after some of its nodes are summed out.

    Args:
        order: Nodes of the distribution, causes before effects.
        factors: Of each node given those before it.
        keep: Nodes that stay.
    Returns:
        Of each node that stays, given those before it that stay.
    """
    order = tuple(order)
    kept = [n for n in order if n in keep]
    before: Estimand = Product(())
    result = {}
    for i, node in enumerate(kept):
        later = [n for n in order if n not in keep or n in kept[i + 1 :]]
        upto = _marginal(later, factors)
        result[node] = ratio(upto, before)
        before = upto
    return result


def _marginal(over: Collection[str], factors: dict[str, Estimand]) -> Estimand:
    """Summed over nodes; the factor of a node is its conditional distribution, so it sums to 1 if no other has it."""
    left, parts = list(over), dict(factors)
    while done := next(
        (n for n in left if n in parts and not any(n in free(f) for m, f in parts.items() if m != n)), None
    ):
        left.remove(done)
        del parts[done]
    return sum_over(left, parts.values())


def _sums_to_one(node: str, factor: Estimand, factors: list[Estimand]) -> bool:
    alone = isinstance(factor, P) and factor.of == (node,)
    return alone and not any(node in free(f) for f in factors if f is not factor)


def _flat(factors: Iterable[Estimand]) -> tuple[Estimand, ...]:
    whole = product(factors)
    return whole.factors if isinstance(whole, Product) else (whole,)
