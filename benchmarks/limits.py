"""What no exact method can beat: FLOPs that a sweep must compute, over the measured speed of its matrix products.

    python -m benchmarks.limits [--workloads W1,W2,W3,W4] [--off zero] [--threads 2] [--quick] [--json]

Every lesion must compute the products that it changes and that the outcome reads (`benchmarks.replay.needed`). The time
for these alone, at the best speed at which this machine runs their shapes (`benchmarks.replay.peak`), with nothing for
norms, softmax, memory or Python, is a limit for every method that gives the exact effects.
"""

import argparse
import copy
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch

from benchmarks.replay.needed import Needed, needed
from benchmarks.replay.peak import peak
from benchmarks.replay.workload import Workload
from benchmarks.replay.workloads import FULL, Setup, named, workloads
from causalablate.models import Model
from causalablate.progress import progress_bar

MEASURED_ON = {"W3": 32}
"""Examples on which needed FLOPs are counted: more than one where what a lesion changes depends on the example."""


@dataclass(frozen=True)
class Limit:
    """What a sweep takes at least.

    Attributes:
        plain_flops: The plain loop: one full forward per lesion and one without.
        needed_flops: The factual run, and what lesions change of what is read.
        peak: FLOP per second of the sweep's matrix products on this machine; CPU seconds, on a GPU wall seconds.
        seconds: needed_flops / peak.
        saved: plain_flops / needed_flops: what leaving out work can gain, at equal speed.
    """

    plain_flops: float
    needed_flops: float
    peak: float
    seconds: float
    saved: float


def work(workload: Workload) -> Needed:
    """The needed FLOPs of a sweep per example, counted in float32."""
    n = min(MEASURED_ON.get(workload.key, 1), len(workload.examples))
    model = Model(copy.deepcopy(workload.model.module).float(), workload.model.adapter)
    return needed(workload, model, n)


def limit(workload: Workload, found: Needed, speed: float) -> Limit:
    """Put FLOPs and speed together."""
    n = len(workload.examples)
    plain = found.forward * n * (len(workload.lesions) + 1)
    least = (found.lesions + found.forward) * n
    return Limit(plain, least, speed, least / speed, plain / least)


def limits_of(workload: Workload, *, quick: bool = False) -> Limit:
    """Count and measure."""
    found, parameter = work(workload), next(workload.model.module.parameters())
    return limit(workload, found, peak(found.by_shape, parameter.device.type, parameter.dtype, quick=quick))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the limits of workloads without racing anything."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.limits", description=__doc__.split("\n")[0])
    parser.add_argument("--workloads", default="W1,W2,W3,W4", help=f"of {', '.join(FULL)}; W1: all its cases (all)")
    parser.add_argument("--off", choices=("zero", "mean"), default="zero", help="how components are off (zero)")
    parser.add_argument("--seed", type=int, default=0, help="seeds weights, examples and choices (0)")
    parser.add_argument("--threads", type=int, help="threads of torch (its own choice)")
    parser.add_argument("--quick", action="store_true", help="tiny models; the numbers mean nothing")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    chosen = parser.parse_args(arguments)
    try:
        cases = named(chosen.workloads, quick=chosen.quick)
    except ValueError as error:
        parser.error(str(error))
    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    found = {}
    with progress_bar("limits", len(cases)) as advance:
        for workload in workloads(cases, Setup(chosen.off, chosen.seed, quick=chosen.quick)):
            found[f"{workload.key}, {workload.case}"] = limits_of(workload, quick=chosen.quick)
            advance(1, workload.case)
    if chosen.json:
        print(json.dumps({name: asdict(one) for name, one in found.items()}, indent=2))
        return
    for name, one in found.items():
        print(
            f"{name}: {one.needed_flops / 1e12:.3g} of {one.plain_flops / 1e12:.3g} TFLOP are needed "
            f"({one.saved:.2f} times fewer); at {one.peak / 1e9:.0f} GFLOP/s at least {one.seconds:.1f} s"
        )


if __name__ == "__main__":
    main()
