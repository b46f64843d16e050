"""A sweep of tiny models: what `SweepResults` gives, without training anything."""

import pytest
import torch

from causalablate.examples import digits
from causalablate.foveated.model import FoveatedVLM
from causalablate.foveated.sizes import small_config
from causalablate.training.sweep.results import Arm, RunResult, SweepResults

WORDS = sorted({w for e in digits(200) for w in (*e.question.split(), e.answer)})
ARMS = {
    "baseline": {},
    "no_participatory": {"without": {"scorers.participatory": "zero"}},
    "no_fine": {"without": {"passes.fine": {"kind": "zero"}}},
    "even": {"without": {"allocator": "uniform"}},
    "no_fine_wide": {"without": {"passes.fine": "zero"}, "model.connector_hidden": 24},
    "cold": {"model.allocation_temperature": 0.1},
}


def checkpoint(folder, seed, hidden=None):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        config = small_config(WORDS, width=16, layers=1, connector_hidden=hidden)
        FoveatedVLM(config).save_pretrained(folder / "checkpoint")


def config_for(changes, seed):
    return {
        "name": "x",
        "seed": seed,
        "data_seed": 0,
        "threads": 1,
        "without": changes.get("without", {}),
        "model": {
            "width": 16,
            "connector_hidden": changes.get("model.connector_hidden"),
            "allocation_temperature": changes.get("model.allocation_temperature", 1.0),
        },
        "main": {"steps": 4},
    }


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Run folders of every arm and two seeds; each model has weights of its own."""
    root = tmp_path_factory.mktemp("runs")
    for i, (arm, changes) in enumerate(ARMS.items()):
        for seed in (0, 1):
            checkpoint(root / f"{arm}-{seed}", 10 * i + seed, changes.get("model.connector_hidden"))
    return root


@pytest.fixture
def sweep(trained):
    """Results of some arms and seeds; `status` by (arm, seed) where a run did not finish."""

    def make(arms=tuple(ARMS), seeds=(0, 1), status=None, changes=ARMS):
        runs = []
        for arm in arms:
            for seed in seeds:
                how = (status or {}).get((arm, seed), "finished")
                folder = trained / f"{arm}-{seed}" if how == "finished" else None
                record = {"config": config_for(changes[arm], seed)} if folder else {}
                runs.append(RunResult(arm, seed, how, "" if folder else "because", folder, record=record))
        return SweepResults("tiny", "", tuple(Arm(name, set=changes[name]) for name in arms), seeds, tuple(runs))

    return make
