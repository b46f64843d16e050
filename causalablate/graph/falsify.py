"""Falsification: what the do-calculus says about lesions if a graph is right, each statement held against a run."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import t as student

from causalablate.effects.corrections import holm
from causalablate.errors import GraphError
from causalablate.examples import ExampleSet
from causalablate.graph.activity import activity
from causalablate.graph.network import ComponentGraph
from causalablate.graph.transfer import off_of, running
from causalablate.intervention import Lesion, OffSpec, do
from causalablate.models import Model
from causalablate.offs import Patch
from causalablate.progress import progress_bar
from causalablate.replay import Replay

COLUMNS = ("rule", "statement", "predicted", "observed", "p", "p_holm", "verdict")
HOLDS, FALSIFIED, UNDECIDED = "holds", "falsified", "not falsified"


def falsify(
    graph: ComponentGraph,
    model: Model,
    examples: ExampleSet,
    *,
    off: OffSpec | Mapping[str, OffSpec] = "mean",
    tolerance: float = 0.0,
    n_pairs: int | None = 100,
    reference: ExampleSet | None = None,
    level: float = 0.95,
    seed: int = 0,
    batch_size: int = 64,
    quiet: bool = True,
) -> pd.DataFrame:
    """Derive statements from a graph by the three rules of the do-calculus, and check each.

    Rule 3, lesions that must change nothing: of nodes that are no ancestors of the outcome; and in company, where all
    paths of the one lead through the other: with that one off, the lesion must not move the outcome.

    Rule 2, seeing is doing: where all paths of a lesion lead through a node, setting that node to what it is seen to
    say under the lesion (rule 2), without the lesion itself (rule 3), must do what the lesion does. Checked for every
    lesion with the first such node.

    Rule 1, independences of activity: nodes that the graph separates, given the parents of the later one, must have
    uncorrelated mean activations. This one is a statistical test of one number per component, adjusted by Holm: what
    the mean activation does not show makes neighbours look unconnected and others connected, so with components of many
    numbers it speaks against the summary as much as against the graph.

    Rules 2 and 3 are replayed with one lesion per forward, so that nothing is nothing to the bit.

    Args:
        graph: Over components of the model; its first outcome is what is looked at.
        model: Any model.
        examples: Whom to ask.
        off: How components are off.
        tolerance: Largest change of the outcome that still counts as none, in its units; 0 to the bit.
        n_pairs: Most pairs of lesions, and most independences, drawn at random; None for all.
        reference: Example set over which mean, resample and noise are defined.
        level: An independence is falsified at 1 - `level`, familywise.
        seed: Of the draw, of donors, noise and permutations.
        batch_size: Most examples per forward pass.
        quiet: Show no progress bar.
    Returns:
        One row per statement: `rule` (1, 2, 3); `statement`; `predicted`, always 0; `observed`: largest change of the
        outcome in any example, or the partial correlation; `p` and `p_holm` of correlations, else NaN; `verdict`:
        `holds` (nothing moved), `falsified`, `not falsified` (no correlation shown, which does not show that there is
        none), or `undecided: ` and the reason.
    Raises:
        GraphError: The graph has no outcome, or none of its nodes runs.
        CausalAblateError: Anything else asked for that does not exist or does not act.

    Source: Pearl (1995), Biometrika 82(4); Pearl (2009), Causality, 3.4.
    """
    if not graph.outcomes:
        raise GraphError("the graph has no outcome; take one from computational_graph(..., outcomes=[...])")
    nodes, outcome = running(graph, Lesion(), model), graph.outcomes[0]
    if not nodes:
        raise GraphError("no node of the graph runs in this model, so there is nothing to check")
    rng = np.random.default_rng(seed)
    single = {node: do(node, off=off_of(node, off, model)) for node in nodes}
    claims = _null_lesions(graph, nodes, outcome, single, n_pairs, rng) + _seeing(graph, nodes, outcome, single)
    replay = Replay(model, examples, outcomes=[outcome], reference=reference, seed=seed, batch_size=batch_size, stack=1)
    worlds = list(dict.fromkeys(world for _, _, one, other in claims for world in (one, other) if len(world)))
    rows = slice(0, len(examples))
    replay.prepare(worlds)
    said = {Lesion(): replay.factual(rows)[outcome]}
    with progress_bar("statements", len(worlds), quiet=quiet) as advance:
        for world, there in replay.worlds(worlds, rows):
            said[world] = there.values[outcome]
            advance(1, "")
    checked = []
    for rule, statement, one, other in claims:
        moved = float(np.abs(said[one] - said[other]).max())
        verdict = HOLDS if moved <= tolerance else FALSIFIED
        checked.append((rule, statement, 0.0, moved, np.nan, np.nan, verdict))
    tables = [pd.DataFrame(checked, columns=list(COLUMNS))] if checked else []
    if independences := _drawn(_independences(graph, nodes), n_pairs, rng):
        table = activity(model, examples, nodes, summary="mean", seed=seed, batch_size=batch_size, quiet=quiet)
        tables.append(_tested(independences, table, level))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(COLUMNS))


Claim = tuple[int, str, Lesion, Lesion]
"""Rule, statement, and two worlds in which the outcome must be the same."""


def _null_lesions(
    graph: ComponentGraph,
    nodes: Sequence[str],
    outcome: str,
    single: Mapping[str, Lesion],
    n_pairs: int | None,
    rng: np.random.Generator,
) -> list[Claim]:
    idle = [node for node in nodes if node not in graph.ancestors(outcome)]
    alone: list[Claim] = [(3, f"{outcome} under do({n}) is {outcome}", single[n], Lesion()) for n in idle]
    before = {j: graph.mutilated(out_of=[j]).ancestors(outcome) for j in nodes}
    pairs = [(i, j) for i, j in combinations(nodes, 2) if i in graph.ancestors(j) and i not in before[j]]
    return alone + [
        (3, f"{outcome} under do({i}, {j}) is {outcome} under do({j})", single[i] & single[j], single[j])
        for i, j in _drawn(pairs, n_pairs, rng)
    ]


def _seeing(graph: ComponentGraph, nodes: Sequence[str], outcome: str, single: Mapping[str, Lesion]) -> list[Claim]:
    """The nearest node that all paths of a lesion pass: seeing what it says then is as good as the lesion."""
    claims: list[Claim] = []
    for i in nodes:
        between = [
            j for j in nodes if i in graph.ancestors(j) and i not in graph.mutilated(out_of=[j]).ancestors(outcome)
        ]
        if between and i in graph.ancestors(outcome):
            j = between[0]
            seen = do(j, off=Patch(single[i].parts))
            claims.append(
                (2, f"{outcome} under do({j} = as seen under do({i})) is {outcome} under do({i})", seen, single[i])
            )
    return claims


def _independences(graph: ComponentGraph, nodes: Sequence[str]) -> list[tuple[str, str, tuple[str, ...]]]:
    """Pairs without an edge, each with the parents of the later one, which separate them."""
    found = []
    for i, j in combinations(nodes, 2):
        given = graph.parents(j)
        if i not in given and graph.d_separated(i, j, given):
            found.append((i, j, given))
    return found


def _tested(
    independences: Sequence[tuple[str, str, tuple[str, ...]]], table: pd.DataFrame, level: float
) -> pd.DataFrame:
    cluster = np.unique(table.index.get_level_values("cluster"), return_inverse=True)[1]
    sizes = np.bincount(cluster)
    means = {c: np.bincount(cluster, table[c].to_numpy()) / sizes for c in table}  # clusters are independent
    found = [_partial(means[i], means[j], [means[k] for k in given]) for i, j, given in independences]
    p = np.array([each[1] for each in found])
    defined = np.isfinite(p)
    adjusted = np.full(len(p), np.nan)
    adjusted[defined] = holm(p[defined])
    verdicts = [
        f"undecided: {why}" if why else FALSIFIED if q < 1 - level else UNDECIDED
        for (_, _, why), q in zip(found, adjusted, strict=True)
    ]
    statements = [f"{i} tells nothing of {j}, given {', '.join(k) or 'nothing'}" for i, j, k in independences]
    columns = (1, statements, 0.0, [each[0] for each in found], p, adjusted, verdicts)
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))


def _partial(x: np.ndarray, y: np.ndarray, given: Sequence[np.ndarray]) -> tuple[float, float, str]:
    """Partial correlation, its p, and why there is none."""
    left = len(x) - len(given) - 2
    if left < 3:
        return np.nan, np.nan, "too few clusters of examples"
    design = np.column_stack([np.ones(len(x)), *given])
    a, b = (v - design @ np.linalg.lstsq(design, v, rcond=None)[0] for v in (x, y))
    for rest, whole in ((a, x), (b, y)):
        if rest.std() <= 1e-5 * max(np.abs(whole).max(), 1e-30):
            return np.nan, np.nan, "one does not vary, given the others"
    r = float(np.clip(np.corrcoef(a, b)[0, 1], -1 + 1e-15, 1 - 1e-15))
    return r, float(2 * student.sf(abs(r) * np.sqrt(left / (1 - r**2)), left)), ""


def _drawn(items: list, n: int | None, rng: np.random.Generator) -> list:
    if n is None or len(items) <= n:
        return items
    return [items[k] for k in np.sort(rng.permutation(len(items))[:n])]
