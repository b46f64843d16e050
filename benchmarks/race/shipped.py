"""Races on the shipped model: every component on 1,000 examples, computed once, then raced in many orders."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import causalablate as ca
from causalablate.adaptive import AdaptiveSweep, Discoveries, TopK, adaptive_sweep
from causalablate.adaptive.bounds import smallest_effect
from causalablate.examples import Example, ExampleSet
from causalablate.intervention import Lesion
from causalablate.progress import Advance
from causalablate.replay import LesionedRows

N_EXAMPLES = 1000
OUTCOMES = ("answer_logprob", "correct")
FLOOR = -16.0
"""Declared as the largest loss of log-probability where exact evidence is asked for: the largest seen, rounded up."""


@dataclass(frozen=True)
class Table:
    """Outcomes of every example in every world.

    Attributes:
        lesions: Names, length K.
        factual: Outcome name to values, shape (examples,).
        lesioned: Outcome name to values, shape (K, examples).
    """

    lesions: tuple[str, ...]
    factual: dict[str, np.ndarray]
    lesioned: dict[str, np.ndarray]

    def means(self, outcome: str) -> np.ndarray:
        """Mean effects on all examples, shape (K,)."""
        return (self.lesioned[outcome] - self.factual[outcome]).astype(float).mean(axis=1)


def table(cache: Path) -> Table:
    """Read the table of the shipped model, or compute and keep it: `mean` for every component, `knockout` for edges."""
    model = ca.load("shipped")
    path = cache / f"adaptive-{model.hash[:16]}-{N_EXAMPLES}.npz"
    if not path.exists():
        offs = {c.address: "knockout" if c.kind == "edge" else "mean" for c in model.components.values()}
        frame = ca.counterfactuals(
            model,
            ca.digits(N_EXAMPLES),
            {address: ca.do(address, off=how) for address, how in offs.items()},
            outcomes=OUTCOMES,
            reference=ca.digits(512, split="validation"),
            quiet=False,
        ).frame
        arrays: dict[str, np.ndarray] = {"lesions": np.array(list(offs))}
        for outcome in OUTCOMES:
            part = frame[frame["outcome"] == outcome]
            arrays[f"{outcome}.factual"] = part["factual"].to_numpy()[:N_EXAMPLES]
            arrays[f"{outcome}.lesioned"] = part["counterfactual"].to_numpy().reshape(len(offs), N_EXAMPLES)
        cache.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            np.savez(file, **arrays)
    with np.load(path) as kept:
        return Table(
            tuple(str(name) for name in kept["lesions"]),
            {outcome: kept[f"{outcome}.factual"] for outcome in OUTCOMES},
            {outcome: kept[f"{outcome}.lesioned"] for outcome in OUTCOMES},
        )


class TableReplay:
    """Stands for `causalablate.replay.Replay`: looks outcomes up in a table."""

    def __init__(self, table: Table, examples: ExampleSet, batch_size: int):
        self.examples, self.outcomes, self.identity = examples, OUTCOMES, {"batch_size": batch_size}
        self._table = table
        self._columns = np.array([int(example.id) for example in examples])
        self._index = {ca.do(name, off="mean"): i for i, name in enumerate(table.lesions)}

    @property
    def lesions(self) -> list[Lesion]:
        """One per row of the table; how they are off does not matter here."""
        return list(self._index)

    def prepare(self, lesions: Iterable[Lesion]) -> None:
        """Nothing to prepare."""

    def factual(self, rows: slice) -> dict[str, np.ndarray]:
        """Look up outcomes without a lesion."""
        return {name: values[self._columns[rows]] for name, values in self._table.factual.items()}

    def sweep(self, lesions: Sequence[Lesion], rows: slice) -> dict[Lesion, LesionedRows]:
        """Look up outcomes under lesions."""
        columns = self._columns[rows]
        ones = np.ones(len(columns), dtype=bool)
        return {
            lesion: LesionedRows(
                {name: values[self._index[lesion], columns] for name, values in self._table.lesioned.items()},
                ones,
                ones,
            )
            for lesion in lesions
        }


@dataclass(frozen=True)
class Case:
    """A question, and how it is asked.

    Attributes:
        name: What it is called.
        question: The question.
        outcome: The outcome.
        batch_size: Examples between two looks.
        shuffled: Examples in random order; otherwise batches of the set's own order are.
        bounds: Declared bounds.
    """

    name: str
    question: TopK | Discoveries
    outcome: str = "answer_logprob"
    batch_size: int = 8
    shuffled: bool = True
    bounds: tuple[float, float] | None = None


def cases(measured: Table) -> list[Case]:
    """Every question that the benchmark asks."""
    logprob = measured.factual["answer_logprob"]
    limits = (FLOOR, -float(logprob.min()) + 1e-3)
    return [
        Case("top 10", TopK(10)),
        Case("top 10, looks every 32 examples", TopK(10), batch_size=32),
        Case("top 10, looks every 64 examples", TopK(10), batch_size=64),
        Case("top 10, batches of 8 in the set's own order", TopK(10), shuffled=False),
        Case("top 10 within 0.1 nats", TopK(10, tolerance=0.1)),
        Case("top 10, bounds declared", TopK(10), bounds=limits),
        Case("top 10 on `correct`", TopK(10), outcome="correct"),
        Case("FDR 5 %", Discoveries(0.05)),
        Case("FDR 5 %, decreases only", Discoveries(0.05, direction=ca.adaptive.Direction.DECREASE)),
        Case("FDR 5 % on `correct`", Discoveries(0.05), outcome="correct"),
    ]


@dataclass(frozen=True)
class Raced:
    """How a case went, over all repetitions.

    Attributes:
        name: The case.
        evidence: `exact` or `asymptotic`.
        right: Share of repetitions with a right answer: the true top k (or one within the tolerance); for FDR, no
            false discovery.
        error: Nominal chance of a wrong set, or false discovery rate.
        wrong: What happened of it: share of wrong sets, or mean share of false discoveries.
        power: Mean share of the full sweep's set that was found.
        forwards: Mean share of the full sweep's lesioned forwards.
        forwards_95: Its 95th percentile over repetitions.
    """

    name: str
    evidence: str
    right: float
    error: float
    wrong: float
    power: float
    forwards: float
    forwards_95: float


def race(measured: Table, case: Case, repetitions: int, seed: int, advance: Advance) -> Raced:
    """Ask one question in `repetitions` random orders of the examples."""
    image = np.zeros((1, 1, 3), np.uint8)
    own = ExampleSet("table", tuple(Example(str(i), (image,), "?", "!") for i in range(N_EXAMPLES)))
    judge = _judge(measured, case)
    verdicts, shares = [], []
    for r in range(repetitions):
        order = seed * 1_000_003 + r
        replay = TableReplay(measured, own.shuffled(order) if case.shuffled else own, case.batch_size)
        lesions = dict(zip(measured.lesions, replay.lesions, strict=True))
        sweep = adaptive_sweep(replay, lesions, case.question, outcome=case.outcome, bounds=case.bounds, seed=order)
        verdicts.append(judge(sweep))
        shares.append(sweep.share)
        advance(1, case.name)
    right, wrong, power = np.mean(verdicts, axis=0)
    return Raced(
        case.name,
        "exact" if "exact" in sweep.guarantee else "asymptotic",
        float(right),
        case.question.error if isinstance(case.question, TopK) else case.question.fdr,
        float(wrong),
        float(power),
        float(np.mean(shares)),
        float(np.quantile(shares, 0.95)),
    )


Judge = Callable[[AdaptiveSweep], tuple[float, float, float]]
"""(right, error, share found) of one answer."""


def _judge(measured: Table, case: Case) -> Judge:
    score = case.question.direction.score(measured.means(case.outcome))
    of: Mapping[str, float] = dict(zip(measured.lesions, score, strict=True))
    if isinstance(case.question, TopK):
        k, tolerance = case.question.k, case.question.tolerance
        last = float(np.sort(score)[-k])
        truth = {name for name, value in of.items() if value >= last}

        def top(sweep: AdaptiveSweep) -> tuple[float, float, float]:
            right = min(of[name] for name in sweep.answer) >= last - tolerance
            return float(right), float(not right), len(truth & set(sweep.answer)) / k

        return top
    smallest = smallest_effect(case.outcome, measured.factual[case.outcome])
    truth = {name for name, value in of.items() if value > smallest}

    def found(sweep: AdaptiveSweep) -> tuple[float, float, float]:
        answer = set(sweep.answer)
        false = len(answer - truth)
        return float(not false), false / max(1, len(answer)), len(answer & truth) / len(truth)

    return found
