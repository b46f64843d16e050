"""Many lesions on the same rows: nothing is run twice, whatever memory allows."""

from collections import Counter

import pytest
import torch
from torch import nn

from causalablate.component import Component, ComponentMap, Site
from causalablate.engine import sweep as engine_sweep
from causalablate.engine.layout import probe
from causalablate.engine.lesioned import lesioned
from causalablate.engine.stack import Surroundings
from causalablate.engine.sweep import Sweep
from causalablate.errors import InertLesionError
from causalablate.offs import Replace, Scale, Zero

AROUND = Surroundings(ComponentMap([]), lambda inputs: {}, None, 0)
RUNS = Counter()
WIDTH, N_LAYERS = 6, 6


class Layer(nn.Linear):
    def __init__(self):
        super().__init__(WIDTH, WIDTH)

    def forward(self, x):
        RUNS[self] += 1
        return x + torch.tanh(super().forward(x))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(Layer() for _ in range(N_LAYERS))

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


@pytest.fixture
def net():
    torch.manual_seed(0)
    return Net().eval()


BLOCKS = [torch.randn(3, 2, WIDTH, generator=torch.Generator().manual_seed(i)) for i in range(2)]
C = [Component(f"c{i}", "other", (Site(f"layers.{i}"),)) for i in range(N_LAYERS)]
HEADS = [[(Component(f"h{h}", "head", (Site("layers.3", "input", (h, h + 1)),)), Zero())] for h in range(WIDTH)]
SINGLES = [[(c, Scale(-1.0))] for c in C]
PAIRS = [[(C[1], Scale(-1.0)), (c, Scale(0.5))] for c in C[2:]]


def swept(net, lesions, size=4, *, stacked=True):
    layout = None
    if stacked:
        places = [site.place for c in (*C, HEADS[0][0][0]) for site in c.sites]
        layout = probe(net, {"x": BLOCKS[0][:1]}, places, lambda output: [output])
        assert layout.unstackable is None
    sweep = Sweep(net, lesions, AROUND, lambda y, n: list(y.chunk(n)), layout=layout, size=lambda widest: size)
    return sweep, [sweep.record({"x": x}, ["a", "b", "c"]) for x in BLOCKS]


def assert_right(net, lesions, found, *, exact=False):
    assert sorted(found) == list(range(len(lesions)))
    for i, worlds in found.items():
        for x, world in zip(BLOCKS, worlds, strict=True):
            with torch.no_grad(), lesioned(net, lesions[i], AROUND) as action:
                expected = net(x=x)
            norm = action.change_norm if lesions[i] else torch.zeros(3)
            if exact:
                assert torch.equal(world.read, expected) and torch.equal(world.norm, norm)
            assert torch.allclose(world.read, expected, atol=1e-5) and torch.allclose(world.norm, norm, atol=1e-5)


@pytest.mark.parametrize("lesions", [SINGLES, HEADS, PAIRS, [[], *SINGLES, *PAIRS, *HEADS]])
def test_stacked_or_not_the_outcomes_are_those_of_the_plain_forward(net, lesions):
    for stacked in (False, True):
        sweep, recordings = swept(net, lesions, stacked=stacked)
        assert_right(net, lesions, dict(sweep.worlds(recordings)), exact=not stacked)


def test_pairs_share_the_run_of_their_common_part(net):
    """do(c1) runs once, layers 2 to 5; the pair with c_i then runs from layer i + 1 on."""
    sweep, recordings = swept(net, PAIRS)
    RUNS.clear()
    found = dict(sweep.worlds(recordings[:1]))
    assert [RUNS[layer] for layer in net.layers] == [0, 0, 1, 2, 3, 4]
    unshared, recordings = swept(net, PAIRS, stacked=False)
    RUNS.clear()
    alone = dict(unshared.worlds(recordings[:1]))
    assert [RUNS[layer] for layer in net.layers] == [0, 0, 4, 4, 4, 4]
    for i, lesion in enumerate(PAIRS):
        with torch.no_grad(), lesioned(net, lesion, AROUND):
            expected = net(x=BLOCKS[0])
        assert torch.equal(alone[i][0].read, expected)
        assert torch.equal(found[i][0].read, expected), "one lesion a forward, and no row is left out: the same bits"


def test_a_lesion_that_others_contain_is_not_run_again(net):
    sweep, recordings = swept(net, [*PAIRS, [(C[1], Scale(-1.0))]])
    RUNS.clear()
    found = dict(sweep.worlds(recordings[:1]))
    assert [RUNS[layer] for layer in net.layers] == [0, 0, 1, 2, 3, 4] and len(found) == 5


def test_lesions_of_one_place_share_a_forward(net):
    sweep, recordings = swept(net, HEADS, size=4)
    RUNS.clear()
    list(sweep.worlds(recordings))
    assert [RUNS[layer] for layer in net.layers] == [0, 0, 0, 4, 4, 4], "six heads, at most four at once, two blocks"


class Twice(nn.Module):
    """c reads what z says, in two passes; b, between them, changes the second only."""

    def __init__(self):
        super().__init__()
        self.held, self.c = nn.Sequential(Layer(), nn.Tanh()), Layer()
        self.b, self.d = nn.Sequential(*(Layer() for _ in range(N_LAYERS))), Layer()

    def forward(self, x):
        y = self.b(self.c(self.held(x) + x))
        return self.d(self.c(self.held(x) + y))


def test_a_stand_in_is_run_wherever_a_common_part_reads_it():
    torch.manual_seed(0)
    net = Twice().eval()
    paths = {"z": "held.0", "c": "c", "b": f"b.{N_LAYERS - 1}"}
    known = {name: Component(name, "other", (Site(path),)) for name, path in paths.items()}
    ends = [Component(f"d{i}", "head", (Site("d", span=(i, i + 1)),)) for i in range(4)]
    around = Surroundings(ComponentMap([*known.values(), *ends]), lambda inputs: {}, None, 0)
    pair = [(known["c"], Replace("z")), (known["b"], Scale(2.0))]
    lesions = [[*parts, (end, Zero())] for parts in (pair, pair[:1]) for end in ends]
    places = [site.place for c in (*known.values(), *ends) for site in c.sites]
    layout = probe(net, {"x": BLOCKS[0][:1]}, list(dict.fromkeys(places)), lambda output: [output])
    sweep = Sweep(net, lesions, around, lambda output, n: list(output.chunk(n)), layout=layout, size=lambda widest: 2)
    found = dict(sweep.worlds([sweep.record({"x": BLOCKS[0]}, ["a", "b", "c"])]))
    for i, lesion in enumerate(lesions):
        with torch.no_grad(), lesioned(net, lesion, around):
            assert torch.allclose(found[i][0].read, net(x=BLOCKS[0]), atol=1e-5)


# What is asked for


def test_only_what_is_wanted_is_run_and_has_the_same_bits(net):
    lesions = [*HEADS, *SINGLES, *PAIRS]
    sweep, recordings = swept(net, lesions)
    whole = dict(sweep.worlds(recordings))
    RUNS.clear()
    part = dict(sweep.worlds(recordings, lambda: {1, 14}))
    assert sorted(part) == [1, 14] and 0 < sum(RUNS.values()) < 30
    for i, worlds in part.items():
        assert all(torch.equal(a.read, b.read) for a, b in zip(worlds, whole[i], strict=True))


def test_what_is_done_meanwhile_is_left_out(net):
    sweep, recordings = swept(net, SINGLES, size=1)
    found = []
    for i, _ in sweep.worlds(recordings, lambda: set(range(len(SINGLES))) - {*found, *([5] if found else [])}):
        found.append(i)
    assert sorted(found) == [0, 1, 2, 3, 4]


# Memory


def fails_above(monkeypatch, n, error):
    """Replays of more than n lesions at once run out of memory."""
    sizes, real = [], engine_sweep.replay

    def replay(tree, recording, lesions, around, **kwargs):
        sizes.append(len(lesions))
        if len(lesions) > n:
            raise error
        return real(tree, recording, lesions, around, **kwargs)

    monkeypatch.setattr(engine_sweep, "replay", replay)
    return sizes


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes"),
        RuntimeError("MPS backend out of memory (MPS allocated: 5.00 GB)"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        MemoryError(),
    ],
    ids=lambda error: str(error)[:12],
)
def test_a_forward_too_large_is_halved_and_carried_on(net, monkeypatch, error):
    sweep, recordings = swept(net, HEADS, size=6)
    sizes = fails_above(monkeypatch, 2, error)
    assert_right(net, HEADS, dict(sweep.worlds(recordings)))
    assert sizes[:5] == [6, 3, 1, 2, 3]


@pytest.mark.parametrize(
    ("error", "n"), [(torch.OutOfMemoryError("CUDA out of memory"), 0), (RuntimeError("shapes do not match"), 2)]
)
def test_what_halving_cannot_help_is_an_error(net, monkeypatch, error, n):
    sweep, recordings = swept(net, HEADS, size=6)
    fails_above(monkeypatch, n, error)
    with pytest.raises(RuntimeError, match=str(error)):
        dict(sweep.worlds(recordings))


def test_a_recording_that_somebody_wrote_into_is_made_anew(net):
    sweep, recordings = swept(net, SINGLES)
    recordings[0].calls[net.layers[0], 0].returned[0].tensor.zero_()
    assert not recordings[0].intact
    assert_right(net, SINGLES, dict(sweep.worlds(recordings)))
    assert recordings[0].intact


def test_the_footprint_counts_each_memory_once(net):
    sweep, recordings = swept(net, SINGLES)
    one = BLOCKS[0].nbytes
    assert sweep.footprint(recordings[0]) == one * (N_LAYERS + 1)
    pairs, recordings = swept(net, PAIRS)
    assert pairs.footprint(recordings[0]) == 2 * one * (N_LAYERS + 1), "the run of the common part is kept too"


def test_a_lesion_that_is_not_reached_is_an_error(net):
    nowhere = [(Component("nowhere", "other", (Site("layers"),)), Zero())]
    for stacked in (False, True):
        sweep, recordings = swept(net, [*SINGLES, nowhere], stacked=stacked)
        with pytest.raises(InertLesionError, match="nowhere=zero never acted"):
            dict(sweep.worlds(recordings))


def test_a_small_share_of_the_memory_is_a_working_set():
    cpu = torch.device("cpu")
    assert 0 < engine_sweep.working_set(cpu) <= engine_sweep.room(cpu)
