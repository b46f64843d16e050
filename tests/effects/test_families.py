import numpy as np

from causalablate.effects.band import simultaneous_band
from causalablate.effects.families import families_of, joint_statistics
from causalablate.effects.maxt import maxt_p

ASKED = dict(interval="auto", level=0.95, n_permutations=999, seed=0)


def test_sets_are_counted_by_outcome_and_role(effects_of):
    rng = np.random.default_rng(0)
    parts = [effects_of(rng.normal(size=(2, 9))), effects_of(rng.normal(size=(1, 5)))]
    found = families_of(parts, {"l1"})
    assert found.sets == {("o", False): 2, ("o", True): 1}


def test_controls_are_a_family_of_their_own(effects_of):
    data = effects_of(np.random.default_rng(1).normal(0.3, 1, (6, 40)))
    together = joint_statistics(data, families_of([data], ()), **ASKED)
    apart = joint_statistics(data, families_of([data], {"l4", "l5"}), **ASKED)
    np.testing.assert_array_equal(together.p_maxt, maxt_p(data.effect, n_permutations=999, seed=0))
    np.testing.assert_array_equal(apart.p_maxt[:4], maxt_p(data.effect[:4], n_permutations=999, seed=0))
    np.testing.assert_array_equal(apart.p_maxt[4:], maxt_p(data.effect[4:], n_permutations=999, seed=0))
    assert (apart.band_high < together.band_high).all()


def test_sets_of_one_family_share_its_error(effects_of):
    data = effects_of(np.random.default_rng(2).normal(0.4, 1, (3, 40)))
    other = effects_of(np.zeros((1, 7)))
    shared = joint_statistics(data, families_of([data, other], ()), **ASKED)
    p = maxt_p(data.effect, n_permutations=999, seed=0)
    np.testing.assert_array_equal(shared.p_maxt, np.minimum(2 * p, 1))
    np.testing.assert_array_equal(shared.band_low, simultaneous_band(data, 0.975).low)
