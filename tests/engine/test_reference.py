from types import SimpleNamespace

import pytest
import torch
from torch import nn

from causalablate.component import Component, Site
from causalablate.engine.reference import SiteStatistics, capture
from causalablate.engine.rows import RowStore
from causalablate.errors import LesionError, StorageError

X = torch.arange(24.0).reshape(2, 3, 4)
Y = torch.arange(72.0).reshape(6, 3, 4)


def gathered(*batches, valid=None):
    site = SiteStatistics()
    for batch in batches:
        site.add(batch, valid)
    return site


def test_mean_and_spread_do_not_depend_on_how_it_is_batched():
    whole, parts = gathered(X), gathered(X[:1], X[1:])
    assert torch.equal(whole.mean("examples"), parts.mean("examples"))
    assert torch.allclose(whole.mean("examples")[0], X.mean(0))
    assert torch.allclose(whole.mean("positions")[0], X.mean((0, 1)).expand(3, 4))
    assert float(whole.std()) == pytest.approx(float(X.std(correction=0)))


def test_padding_counts_nowhere():
    valid = torch.tensor([[False, True, True], [False, False, True]])
    spoilt = torch.where(valid[:, :, None], X, torch.tensor(float("nan")))
    for x in (X, spoilt):
        site = gathered(x, valid=valid)
        real = X[valid]
        mean = site.mean("examples")[0]
        assert torch.allclose(mean[2], X[:, 2].mean(0))
        assert torch.allclose(mean[1], X[0, 1])
        assert torch.allclose(mean[0], real.mean(0))  # nobody is real there, so nothing better is known
        assert torch.allclose(site.mean("positions")[0, 0], real.mean(0))
        assert float(site.std()) == pytest.approx(float(real.std(correction=0)))


def test_images_average_over_height_and_width():
    image = torch.rand(5, 3, 4, 4)
    positions = gathered(image).mean("positions")
    assert torch.allclose(positions[0], image.mean((0, 2, 3))[:, None, None].expand(3, 4, 4), atol=1e-6)


@pytest.mark.parametrize("shape", [(6, 1), (6,)])
def test_numbers_per_example_have_a_plain_mean(shape):
    gates = torch.rand(shape)
    assert torch.allclose(gathered(gates).mean("examples"), gates.mean(0, keepdim=True))
    assert float(gathered(gates).std()) == pytest.approx(float(gates.std(correction=0)))


def test_sums_are_exact_far_beyond_the_precision_of_the_activations():
    x = (torch.randn(4000, 3) + 30).to(torch.bfloat16)
    site = gathered(*x.split(7))
    assert site.mean("examples").dtype == site.std().dtype == torch.float32
    assert torch.allclose(site.mean("examples")[0].double(), x.double().mean(0), rtol=1e-7)
    assert float(site.std()) == pytest.approx(float(x.double().std(correction=0)), rel=1e-6)


def test_widths_must_agree():
    with pytest.raises(LesionError, match="one shape"):
        gathered(X, X[..., :1])


def test_lengths_may_differ_where_positions_are_averaged():
    batches = (Y[:2], Y[2:4, :2], Y[4:, :1])
    site = gathered(*batches)
    every = torch.cat([batch.flatten(0, 1) for batch in batches])
    assert torch.allclose(site.mean("positions")[0, 0], every.mean(0), atol=1e-6)
    assert float(site.std()) == pytest.approx(float(every.std(correction=0)))
    with pytest.raises(LesionError, match="axes: positions"):
        site.mean("examples")


def test_padding_counts_for_nothing_where_lengths_differ():
    site, valid = SiteStatistics(), torch.tensor([[False, True], [True, True]])
    site.add(Y[:2, :2], valid)
    site.add(Y[2:4], None)
    every = torch.cat([Y[:2, :2][valid], Y[2:4].flatten(0, 1)])
    assert torch.allclose(site.mean("positions")[0, 0], every.mean(0), atol=1e-6)


@pytest.mark.parametrize("memory", [0, 1 << 20])
def test_donors_must_have_one_shape(memory, tmp_path):
    site, store = SiteStatistics(), RowStore(4, memory=memory, folder=tmp_path)
    site.keep(Y[:2], 0, 2, store)
    with pytest.raises(LesionError, match="a donor must fit"):
        site.keep(Y[2:4, :1], 2, 2, store)
    store.close()


def test_answers_are_computed_once_and_can_enter_a_computation_with_gradients():
    with torch.inference_mode():
        site = gathered(X)
        mean, std = site.mean("examples"), site.std()
    assert site.mean("examples") is mean and site.std() is std
    assert site.mean("positions") is not mean
    weight = torch.ones(4, requires_grad=True)
    (site.mean("examples") * weight * site.std()).sum().backward()
    assert weight.grad is not None


class Twice(nn.Module):
    """Calls its layer twice; each example brings two frames, which go through `frames` side by side."""

    def __init__(self):
        super().__init__()
        self.layer, self.frames = nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, x, frames):
        return self.layer(self.layer(x)) + self.frames(frames.flatten(0, 1)).sum()


LAYER = Component("layer", "mlp", (Site("layer"),))
HEAD = Component("head", "head", (Site("layer", span=(1, 3)),))
FRAMES = Component("frames", "mlp", (Site("frames"),))


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Twice()


@pytest.fixture
def inputs():
    generator = torch.Generator().manual_seed(1)
    return {"x": torch.randn(7, 3, 4, generator=generator), "frames": torch.randn(7, 2, 4, generator=generator)}


def batches(inputs, size=3, seen=None):
    for start in range(0, 7, size):
        chunk = {name: value[start : start + size] for name, value in inputs.items()}
        if seen is not None:
            seen.append(start)
        yield SimpleNamespace(keys=[str(i) for i in range(start, min(start + size, 7))], inputs=chunk, token_groups={})


def captured(model, inputs, *components, memory=None, donors=("layer", "head", "frames"), **options):
    store = RowStore(7, memory=memory, **options)
    with torch.inference_mode():
        return capture(model, batches(inputs), components, donors=donors, store=store)


@pytest.mark.parametrize("memory", [None, 0, 500])
def test_every_call_of_a_module_has_statistics_and_donors_of_its_own(model, inputs, tmp_path, memory):
    known = captured(model, inputs, LAYER, HEAD, FRAMES, memory=memory, folder=tmp_path)
    everyone = torch.arange(7)
    with torch.inference_mode():
        once = model.layer(inputs["x"])
        for call, expected in enumerate((once, model.layer(once))):
            site = known["layer"].calls[LAYER.sites[0], call]
            assert torch.allclose(site.mean("examples")[0], expected.mean(0), atol=1e-6)
            assert torch.allclose(site.donors(everyone), expected, atol=1e-6)
            head = known["head"].calls[HEAD.sites[0], call]
            assert torch.equal(head.donors(everyone), site.donors(everyone)[..., 1:3])
            assert torch.equal(head.mean("examples"), site.mean("examples")[..., 1:3])


def test_donors_are_the_same_bits_in_memory_and_on_the_disk(model, inputs, tmp_path):
    one, other = (captured(model, inputs, LAYER, HEAD, FRAMES, memory=m, folder=tmp_path) for m in (None, 0))
    for address, statistics in one.items():
        for key, site in statistics.calls.items():
            chosen = torch.tensor([4, 4, 0])
            assert torch.equal(site.donors(chosen), other[address].calls[key].donors(chosen))


def test_an_example_that_fills_several_rows_is_a_donor_of_all_of_them(model, inputs):
    site = captured(model, inputs, FRAMES)["frames"].calls[FRAMES.sites[0], 0]
    with torch.inference_mode():
        expected = model.frames(inputs["frames"])
    assert torch.equal(site.donors(torch.tensor([5, 2])), expected[[5, 2]].flatten(0, 1))
    assert site.n_rows == 7


def test_only_donors_are_kept(model, inputs, tmp_path):
    store = RowStore(7, memory=10**9, folder=tmp_path)
    known = capture(model, batches(inputs), [LAYER, FRAMES], donors=["frames"], store=store)
    assert store.n_bytes_in_memory == 7 * 2 * 2 * 4
    assert (known["layer"].has_rows, known["frames"].has_rows) == (False, True)


def test_everything_is_taken_in_one_pass(model, inputs):
    seen, done = [], []
    capture(
        model,
        batches(inputs, seen=seen),
        [LAYER, HEAD, FRAMES],
        donors=["head"],
        store=RowStore(7),
        done=done.append,
    )
    assert seen == [0, 3, 6]
    assert done == [3, 3, 1]


def test_rows_that_belong_to_no_example_are_refused():
    with pytest.raises(LesionError, match="5 activations for 2 examples"):
        SiteStatistics().keep(torch.ones(5, 3), 0, 2, RowStore(2))


@pytest.mark.parametrize("stop", [KeyboardInterrupt, LesionError])
def test_what_ends_the_pass_leaves_neither_hooks_nor_files(model, inputs, tmp_path, monkeypatch, stop):
    closed = []
    monkeypatch.setattr(RowStore, "close", lambda self: closed.append(self))

    def breaking():
        for n, batch in enumerate(batches(inputs)):
            if n == 2:
                raise stop("enough")
            yield batch

    with pytest.raises(stop):
        capture(model, breaking(), [LAYER, FRAMES], donors=["layer"], store=RowStore(7, memory=0, folder=tmp_path))
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    assert len(closed) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_cannot_be_written_ends_the_pass_with_one_error(model, inputs, tmp_path):
    with pytest.raises(StorageError, match="cannot keep the activations"):
        captured(model, inputs, LAYER, memory=0, folder=tmp_path / "nowhere")
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
