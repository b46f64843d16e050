"""What an effect is made of, where it is identified: sums, products and ratios of observed probabilities."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from causalablate.errors import GraphError


@dataclass(frozen=True)
class P:
    """A conditional probability of the observed distribution, P(of | given)."""

    of: tuple[str, ...]
    given: tuple[str, ...] = ()


@dataclass(frozen=True)
class Product:
    """All factors multiplied; 1 without any."""

    factors: tuple["Estimand", ...]


@dataclass(frozen=True)
class Sum:
    """A sum over all values of some nodes."""

    over: tuple[str, ...]
    of: "Estimand"


@dataclass(frozen=True)
class Ratio:
    """One estimand divided by another."""

    top: "Estimand"
    bottom: "Estimand"


Estimand = P | Product | Sum | Ratio


def free(estimand: Estimand) -> frozenset[str]:
    """The nodes of which the value of the estimand depends, or may: those not summed over."""
    match estimand:
        case P(of, given):
            return frozenset(of) | frozenset(given)
        case Product(factors):
            return frozenset().union(*map(free, factors))
        case Sum(over, inner):
            return free(inner) - frozenset(over)
        case Ratio(top, bottom):
            return free(top) | free(bottom)


def text(estimand: Estimand, fixed: Collection[str] = (), *, latex: bool = False) -> str:
    """The estimand as a formula; a node that is summed over where it also has a value gets a prime.

    Args:
        estimand: Which.
        fixed: Nodes that have a value in what the estimand equals, besides those it depends on.
        latex: Whether as LaTeX.
    """
    return _text(estimand, {n: n for n in (*fixed, *free(estimand))}, latex)


def evaluate(estimand: Estimand, axes: tuple[str, ...], joint: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
    """The estimand on a table of probabilities of discrete nodes.

    Args:
        estimand: Which.
        axes: Nodes, one per axis of `joint`.
        joint: Probability of every combination of values, summing to 1.
    Returns:
        The nodes of which the result depends, in the order of `axes`, and the result, one axis per node. NaN where
        a condition has probability 0: nothing was observed there.
    Raises:
        GraphError: The estimand is about a node that is no axis.
    """
    joint = np.asarray(joint, float)
    if strange := _all_nodes(estimand) - set(axes):
        raise GraphError(f"{min(strange)} is in the estimand, but the table is over {', '.join(axes)}")
    with np.errstate(divide="ignore", invalid="ignore"):
        full = _array(estimand, {n: i for i, n in enumerate(axes)}, joint)
    kept = tuple(n for n in axes if n in free(estimand))
    return kept, full.reshape([s for n, s in zip(axes, full.shape, strict=True) if n in kept])


def _array(estimand: Estimand, axis: Mapping[str, int], joint: np.ndarray) -> np.ndarray:
    """With an axis of length 1 for every node of which it does not depend."""
    match estimand:
        case P(of, given):
            both = joint.sum(tuple(i for n, i in axis.items() if n not in (*of, *given)), keepdims=True)
            return both / both.sum(tuple(axis[n] for n in of), keepdims=True) if given else both
        case Product(factors):
            result = np.ones([1] * len(axis))
            for factor in factors:
                result = result * _array(factor, axis, joint)
            return result
        case Sum(over, inner):
            values = _array(inner, axis, joint)
            # A node of which the summand does not depend would count as often as it has values; none such are made.
            return values.sum(tuple(axis[n] for n in over), keepdims=True)
        case Ratio(top, bottom):
            return _array(top, axis, joint) / _array(bottom, axis, joint)


def _all_nodes(estimand: Estimand) -> frozenset[str]:
    match estimand:
        case Sum(over, inner):
            return frozenset(over) | _all_nodes(inner)
        case Product(factors):
            return frozenset().union(*map(_all_nodes, factors))
        case Ratio(top, bottom):
            return _all_nodes(top) | _all_nodes(bottom)
        case P():
            return free(estimand)


def _text(estimand: Estimand, symbols: Mapping[str, str], latex: bool) -> str:
    match estimand:
        case P(of, given):
            bar = " \\mid " if latex else " | "
            behind = bar + _names(given, symbols, latex) if given else ""
            return f"P({_names(of, symbols, latex)}{behind})"
        case Product(factors):
            parts = [_text(f, symbols, latex) for f in factors]
            last = len(parts) - 1
            return (r" \, " if latex else " ").join(
                f"({p})" if isinstance(f, Sum) and i < last else p
                for i, (f, p) in enumerate(zip(factors, parts, strict=True))
            ) or "1"
        case Sum(over, inner):
            symbols = dict(symbols)
            for node in over:
                name = node
                while name in symbols.values():
                    name += "'"
                symbols[node] = name
            summed = _names(over, symbols, latex)
            sign = r"\sum" if latex else "Σ"
            return f"{sign}_{{{summed}}} {_text(inner, symbols, latex)}"
        case Ratio(top, bottom):
            parts = [_text(part, symbols, latex) for part in (top, bottom)]
            return rf"\frac{{{parts[0]}}}{{{parts[1]}}}" if latex else f"[{parts[0]}] / [{parts[1]}]"


def _names(nodes: tuple[str, ...], symbols: Mapping[str, str], latex: bool) -> str:
    names = (symbols.get(n, n) for n in nodes)
    return ", ".join(_latex(n) for n in names) if latex else ", ".join(names)


def _latex(name: str) -> str:
    plain = name.rstrip("'")
    primes = name[len(plain) :]
    return (plain if len(plain) == 1 else rf"\mathrm{{{plain}}}".replace("_", r"\_")) + primes
