import torch

from causalablate.foveated.scorers import ParticipatoryScorer, PerspectivalScorer, PropositionalScorer, patches
from causalablate.foveated.sizes import small_config
from causalablate.foveated.texture import Texture


def described(frame):
    return Texture()(frame)


def scene():
    """Black, but for a checkered patch at (0, 1) and a plain bright one at (2, 2)."""
    frame = torch.zeros(1, 3, 48, 48)
    frame[:, :, 0:12:4, 12:24] = 1.0
    frame[:, :, 1:12:4, 12:24] = 0.6
    frame[:, :, 2:12:4, 12:24] = 0.3
    frame[:, :, 24:36, 24:36] = 1.0
    return frame


def test_patches_are_cut_row_by_row():
    image = torch.arange(48.0 * 48).reshape(1, 48, 48)
    assert torch.equal(patches(image, 12)[0, 5], image[0, 12:24, 12:24].flatten())


def test_propositional_prefers_the_varied_patch():
    scores = PropositionalScorer(small_config(["a"]))(described(scene()))
    assert scores.shape == (1, 16) and scores.argmax() == 1
    assert scores.min() >= 0 and scores.max() <= 1


def test_perspectival_prefers_edges():
    scores = PerspectivalScorer(small_config(["a"]))(described(scene()))
    assert scores.argmax() == 1 and scores[0, 3] == scores.min()
    assert scores.min() >= 0 and scores.max() <= 1


def test_participatory_depends_on_the_query_and_is_a_cosine():
    torch.manual_seed(0)
    scorer = ParticipatoryScorer(small_config(["a"], width=32))
    texture = described(torch.rand(2, 3, 48, 48))
    one, other = scorer(texture, torch.randn(2, 1, 32)), scorer(texture, torch.randn(2, 1, 32))
    assert one.abs().max() <= 1 + 1e-6 and not torch.allclose(one, other)
