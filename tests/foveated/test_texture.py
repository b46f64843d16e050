import torch

from causalablate.foveated.texture import CHANNELS, EDGE, GROUPS, LIGHTNESS, N_CHANNELS, Texture


def view(n=3):
    return torch.rand(n, 3, 48, 48, generator=torch.Generator().manual_seed(0))


def test_thirteen_channels_in_five_groups():
    texture = Texture()
    for name in GROUPS:
        assert texture.groups[name](view()).shape == (3, CHANNELS[name], 48, 48)
    assert texture(view()).shape == (3, N_CHANNELS, 48, 48) and N_CHANNELS == 13


def test_an_image_is_described_without_its_batch():
    texture = Texture()
    torch.testing.assert_close(texture(view())[1:2], texture(view()[1:2]), rtol=0, atol=1e-6)


def test_no_channel_is_a_linear_copy_of_the_others():
    described = Texture()(view(4)).transpose(0, 1).reshape(N_CHANNELS, -1)
    described = described - described.mean(1, keepdim=True)
    for channel in range(N_CHANNELS):
        others = torch.cat([described[:channel], described[channel + 1 :]])
        fit = torch.linalg.lstsq(others.T, described[channel][:, None]).solution
        unexplained = (described[channel] - (others.T @ fit)[:, 0]).var() / described[channel].var()
        assert unexplained > 0.01, channel


def test_named_channels_are_what_they_are_called():
    flat = torch.full((1, 3, 48, 48), 0.2)
    flat[..., 24:] = 0.8
    described = Texture()(flat)
    assert described[0, LIGHTNESS, 0, -1] > described[0, LIGHTNESS, 0, 0]
    assert described[0, EDGE, 10].argmax() in (23, 24)
