"""A sweep that never ran: planted accuracies, logs, maps and answers, so that every verdict is known in advance."""

from pathlib import Path

import numpy as np
import pytest

from causalablate.training.sweep.results import Arm, RunResult, SweepResults

SEEDS = (0, 1, 2)
MODES = ("coarse_only", "coarse_fine", "autoregressive")
PLANTED = {
    # name: (changes, expectation, gain in accuracy, tokens per frame, parameters)
    "baseline": ({}, "", 0.0, 1, 300_000),
    "temperature": ({"model.allocation_temperature": 0.1}, "sharper allocation, higher accuracy", 0.0, 1, 300_000),
    "frozen": ({"model.freeze": "encoder"}, "a little worse", -0.12, 1, 300_000),
    "multi_token": ({"model.mode": "multi_token"}, "better, at 16 tokens", 0.1, 16, 310_000),
    "coarse_only": ({"model.mode": "coarse_only"}, "much worse", -0.2, 1, 280_000),
    "large": ({"model.width": 96}, "better", 0.06, 1, 900_000),
    "no_gate": ({"without": {"opponent.exploit_explore": "zero"}}, "nothing", 0.0, 1, 300_000),
}


def log_rows(rng, accuracy, gain, last):
    rows = []
    for step in range(0, last + 1, 100):
        t = 1 - np.exp(-step / 300)
        coarse, fine = 2.2 - 1.0 * t + 0.01 * rng.normal(), 2.2 - (1.6 + 3 * gain) * t + 0.02 * rng.normal()
        rows.append(
            {
                "step": step, "stage": "main", "samples": 32 * step, "val_loss": fine, "loss_fine": fine,
                "loss_coarse": coarse, "loss_ratio": fine / coarse, "accuracy": 0.1 + (accuracy - 0.1) * t,
                "attention_entropy": 2.77 - 0.9 * t + 0.03 * rng.normal(), "feature_similarity": 0.9 - 0.4 * t,
                "grad_norm": 1.0, "learning_rate.encoder": 1e-3,
            }
        )  # fmt: skip
    return tuple(rows)


def planted(folder: Path, arms=tuple(PLANTED), seeds=SEEDS, n=600, answers=True, maps=True, sd=0.006) -> SweepResults:
    """Runs of `arms` with the planted gains; `answers` and `maps` say which files the runs kept."""
    runs = []
    for seed in seeds:
        rng = np.random.default_rng([17, seed])
        hard, level = rng.random(n), 0.7 + sd * rng.normal()
        for arm in arms:
            changes, _, gain, tokens, parameters = PLANTED[arm]
            own = np.random.default_rng([18, seed, list(PLANTED).index(arm)])
            shift = 0.0 if arm == "baseline" else 0.02
            right = (hard + shift * own.normal(size=n) < level + gain + (sd * own.normal() if shift else 0)).astype(
                float
            )
            where = folder / f"{arm}-{seed}"
            where.mkdir(parents=True)
            if answers:
                ids = np.array([f"test-0-{i:06d}" for i in range(n)])
                np.savez(where / "outcomes.npz", ids=ids, correct=right, answer_logprob=-own.random(n))
            if maps:
                static = own.dirichlet(np.full(16, 2.0), (3, 10))
                dynamic, allocation = own.dirichlet(np.full(16, 0.4), (3, 10)), own.dirichlet(np.full(16, 0.7), (3, 10))
                ids = np.array([f"validation-0-{i:06d}" for i in range(10)])
                np.savez(where / "maps.npz", allocation=64 + 300 * allocation, static=static, dynamic=dynamic,
                         steps=np.array([0, 500, 1000]), ids=ids)  # fmt: skip
            log = log_rows(own, right.mean(), gain, 1000)
            metrics = {k: v for k, v in log[-1].items() if isinstance(v, float)} | {"accuracy": float(right.mean())}
            metrics |= {f"accuracy.{t}": float(right.mean() - 0.1 * i) for i, t in enumerate(("location", "colour"))}
            metrics |= {f"accuracy.mode.{m}": float(right.mean() - 0.15 * (m == "coarse_only")) for m in MODES}
            record = {
                "parameters": {"total": parameters, "trainable": parameters // (3 if arm == "frozen" else 1),
                               "active": parameters},
                "model": {"mode": changes.get("model.mode", "coarse_fine")}, "samples": 32_000,
                "visual_tokens_per_frame": tokens,
                "flops_per_sample": 40_000_000 + 1_500_000 * tokens + 40 * parameters,
            }  # fmt: skip
            hours = (1.5 if arm == "large" else 1.0) * (300 + 3 * own.normal())
            cost = {"seconds": hours, "samples_per_second": 32_000 / hours, "peak_memory_mib": 700.0 + parameters / 1e4}
            runs.append(RunResult(arm, seed, "finished", "", where, metrics, log, cost, record))
    order = {arm: i for i, arm in enumerate(arms)}
    runs.sort(key=lambda run: (order[run.arm], run.seed))
    made = tuple(Arm(a, "P0", PLANTED[a][0], PLANTED[a][1]) for a in arms)
    decision = {
        "rule": 1, "if": "frozen beats baseline on accuracy", "holds": False, "skipped": [],
        "numbers": {"frozen": {"mean": 0.58, "seeds": {"0": 0.57, "1": 0.59}, "status": ["finished"]}},
        "why": "frozen (0.58) does not beat baseline (0.70)", "because": "a frozen encoder is cheaper",
    }  # fmt: skip
    return SweepResults("planted", "Which of the planted changes is found?", made, seeds, tuple(runs), (decision,),
                        folder=folder)  # fmt: skip


@pytest.fixture(scope="session")
def sweep(tmp_path_factory) -> SweepResults:
    """All planted arms with three seeds."""
    return planted(tmp_path_factory.mktemp("runs"))
