from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
import pytest

from causalablate.effects import Kind, Paired
from causalablate.table import Counterfactuals, Units, rows


def _paired(factual, counterfactual, kind=Kind.REAL, cluster=None, seed=None, unit=None, groups=None) -> Paired:
    factual, counterfactual = (np.atleast_2d(np.asarray(x, dtype=float)) for x in (factual, counterfactual))
    lesions, n = factual.shape
    effect = (counterfactual != factual).astype(float) if kind is Kind.CATEGORICAL else counterfactual - factual
    cluster = np.arange(n) if cluster is None else np.asarray(cluster)
    return Paired(
        outcome="o",
        kind=kind,
        lesions=tuple(f"l{i}" for i in range(lesions)),
        factual=factual,
        counterfactual=counterfactual,
        effect=effect,
        fired=np.ones((lesions, n), dtype=bool),
        change_norm=np.ones((lesions, n)),
        unit=np.arange(n) if unit is None else np.asarray(unit),
        cluster=cluster,
        seed=np.zeros(n, dtype=int) if seed is None else np.asarray(seed),
        groups=groups or {},
    )


@pytest.fixture
def paired() -> Callable[..., Paired]:
    """Paired outcomes from arrays of shape (rows,) or (lesions, rows)."""
    return _paired


@pytest.fixture
def effects_of() -> Callable[..., Paired]:
    """Paired outcomes with the given effects, shape (lesions, rows), from a factual world of zeros."""

    def make(effect, kind=Kind.REAL, **kwargs) -> Paired:
        effect = np.atleast_2d(np.asarray(effect, dtype=float))
        return _paired(np.zeros_like(effect), effect, kind, **kwargs)

    return make


@pytest.fixture
def table() -> Callable[..., Counterfactuals]:
    """A table from factual outcomes and, per lesion, counterfactual ones; all arrays of shape (examples,)."""

    def make(
        factual: Mapping[str, Sequence[float]],
        lesions: Mapping[str, Mapping[str, Sequence[float]]],
        *,
        cluster: Sequence[str] | None = None,
        groups: Mapping[str, Sequence[str]] | None = None,
        labels: Mapping[str, Sequence[str]] | None = None,
        seed: int = 0,
        model: str = "m",
    ) -> Counterfactuals:
        n = len(next(iter(factual.values())))
        names = [f"e{i}" for i in range(n)]
        units = Units(names, list(cluster or names), groups or {})
        parts = [
            rows(
                units,
                study="s",
                model=model,
                seed=seed,
                lesion=name,
                factual={o: np.asarray(factual[o]) for o in values},
                counterfactual={o: np.asarray(v) for o, v in values.items()},
                fired=np.ones(n, dtype=bool),
                change_norm=np.full(n, 2.0),
                categorical=labels or (),
            )
            for name, values in lesions.items()
        ]
        return Counterfactuals(pd.concat(parts, ignore_index=True), labels or {})

    return make


@pytest.fixture
def joined() -> Callable[..., Counterfactuals]:
    """Several tables as one, e.g. one per seed."""

    def join(*tables: Counterfactuals) -> Counterfactuals:
        return Counterfactuals(pd.concat([t.frame for t in tables], ignore_index=True), tables[0].labels)

    return join


@pytest.fixture
def study() -> Callable[..., Counterfactuals]:
    """A table from effects of shape (lesions, seeds, examples) on a factual world of zeros, or of binary flips."""

    def make(effect, outcome="score", cluster=None, factual=None, labels=None) -> Counterfactuals:
        effect = np.asarray(effect, dtype=float)
        n = effect.shape[2]
        names = [f"e{i}" for i in range(n)]
        units = Units(names, names if cluster is None else [f"c{c}" for c in cluster])
        before = np.linspace(-1, 1, n) if factual is None else np.asarray(factual, dtype=float)
        parts = [
            rows(
                units,
                study="s",
                model="m",
                seed=s,
                lesion=f"l{i}",
                factual={outcome: before},
                counterfactual={outcome: before + effect[i, s]},
                fired=np.ones(n, dtype=bool),
                change_norm=np.ones(n),
                categorical=labels or (),
            )
            for i in range(effect.shape[0])
            for s in range(effect.shape[1])
        ]
        return Counterfactuals(pd.concat(parts, ignore_index=True), labels or {})

    return make
