import pytest
import torch

from causalablate.engine.reference import SiteStatistics
from causalablate.errors import LesionError

X = torch.arange(24.0).reshape(2, 3, 4)


def gathered(*batches, valid=None):
    site = SiteStatistics()
    for batch in batches:
        site.add(batch, valid, keep_rows=True)
    return site


def test_mean_and_spread_do_not_depend_on_how_it_is_batched():
    whole, parts = gathered(X), gathered(X[:1], X[1:])
    assert torch.equal(whole.mean("examples"), parts.mean("examples"))
    assert torch.allclose(whole.mean("examples")[0], X.mean(0))
    assert torch.allclose(whole.mean("positions")[0], X.mean((0, 1)).expand(3, 4))
    assert float(whole.std()) == pytest.approx(float(X.std(correction=0)))
    assert torch.equal(torch.cat(parts.rows), X)


def test_padding_counts_nowhere():
    valid = torch.tensor([[False, True, True], [False, False, True]])
    site = gathered(X, valid=valid)
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


def test_numbers_per_example_have_a_plain_mean():
    gates = torch.rand(6, 1)
    assert torch.allclose(gathered(gates).mean("examples"), gates.mean(0, keepdim=True))


def test_lengths_must_agree():
    with pytest.raises(LesionError, match="one length"):
        gathered(X, X[:, :2])
