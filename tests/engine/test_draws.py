import torch

from causalablate.engine.draws import derived_seed, donor, normal, normal_at, permutations


def test_a_row_depends_on_its_own_key_only():
    together = normal(torch.Size([3, 4]), ["a", "b", "c"], "noise", 0)
    alone = normal(torch.Size([1, 4]), ["b"], "noise", 0)
    assert torch.equal(together[1], alone[0])
    assert not torch.equal(together[0], together[1])
    assert not torch.equal(alone, normal(torch.Size([1, 4]), ["b"], "noise", 1))


def test_padding_takes_no_draws():
    real = torch.tensor([[False, False, True, True, True], [True, True, True, True, True]])
    padded = normal(torch.Size([2, 5, 4]), ["a", "b"], "noise", real=real)
    assert torch.equal(padded[0, 2:], normal(torch.Size([1, 3, 4]), ["a"], "noise")[0])
    assert not padded[0, :2].any()
    assert torch.equal(padded[1], normal(torch.Size([1, 5, 4]), ["b"], "noise")[0])


def test_a_position_has_one_draw_however_it_is_reached():
    at_once = normal_at(torch.Size([2, 3, 4]), [5, 7], ["a", "b"], "noise")
    for j in range(3):
        alone = normal_at(torch.Size([1, 1, 4]), [7 + j], ["b"], "noise")
        assert torch.equal(at_once[1, j], alone[0, 0])
    assert not torch.equal(at_once[0, 2], at_once[1, 0])  # the same position of two examples
    assert len({float(x) for x in at_once.flatten()}) == 24


def test_permutations_are_permutations():
    drawn = permutations(7, ["a", "b"], "shuffle", 0)
    assert torch.equal(drawn.sort(dim=1).values, torch.arange(7).expand(2, 7))


def test_draws_leave_the_process_stream_alone():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    normal(torch.Size([2, 2]), ["a", "b"], 0)
    permutations(3, ["a"], 0)
    assert torch.equal(before, torch.get_rng_state())


def test_donors_are_others_and_spread_over_the_reference_set():
    names = [str(i) for i in range(10)]
    donors = [donor(name, names, seed=0) for name in names]
    assert all(names[d] != name for d, name in zip(donors, names, strict=True))
    chosen = {donor(f"x{i}", names, seed=0) for i in range(200)}
    assert chosen == set(range(10))
    assert donor("a", ["a", "a"], seed=0) is None


def test_seeds_tell_their_arguments_apart():
    assert len({derived_seed("a", "b"), derived_seed("ab"), derived_seed("b", "a"), derived_seed("a", "b", 0)}) == 4
    assert 0 <= derived_seed("x") < 2**63
