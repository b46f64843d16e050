import numpy as np
import pytest
from scipy.stats import binom

from causalablate.effects import bonett_price, mcnemar_exact
from causalablate.effects.power import connett_n, margin_power, mcnemar_power, miettinen_n
from causalablate.effects.power.search import fewest


def needed(reach, power=0.8):
    found = fewest(lambda n: np.array([reach(float(x)) for x in n]), power, start=2, most=1e8, limit=np.ones(1))
    return float(found[0])


def enumerated(n, down, up, passes):
    """Power by adding up every table of n examples."""
    total = 0.0
    for d in range(n + 1):
        for u in range(n - d + 1):
            if passes(d, u):
                total += binom.pmf(d + u, n, down + up) * binom.pmf(u, d + u, up / (down + up))
    return total


def test_mcnemar_power_adds_up_every_table():
    expected = enumerated(30, 0.3, 0.1, lambda d, u: mcnemar_exact(d, u) < 0.05)
    assert mcnemar_power(30, 0.4, -0.2, 0.05) == pytest.approx(expected, abs=1e-12)
    assert mcnemar_power(30, 0.4, 0.2, 0.05) == pytest.approx(expected, abs=1e-12)


def test_six_flips_one_way_are_the_fewest_that_count():
    assert mcnemar_power(5, 1.0, 1.0, 0.05) == 0
    assert mcnemar_power(6, 1.0, -1.0, 0.05) == pytest.approx(1)
    assert mcnemar_power(100, 0.0, 0.0, 0.05) == 0


@pytest.mark.parametrize("both", [True, False])
@pytest.mark.parametrize("effect", [0.0, 0.05])
def test_margin_power_adds_up_every_table(both, effect):
    n, margin, alpha = 40, 0.15, 0.05

    def passes(d, u):
        spread = bonett_price(np.array([d]), np.array([u]), n)
        half = spread.half_width(1 - 2 * alpha)[0]
        low, high = spread.center[0] - half, spread.center[0] + half
        return low > -margin and (high < margin or not both)

    down, up = 0.1 - effect / 2, 0.1 + effect / 2
    found = margin_power(n, 0.2, effect, margin, alpha, both=both)
    assert found == pytest.approx(enumerated(n, down, up, passes), abs=1e-10)


@pytest.mark.parametrize(("discordance", "about"), [(0.01, 3_400), (0.03, 10_000), (0.1, 34_000)])
def test_what_equivalence_to_half_a_point_needs(discordance, about):
    n = needed(lambda n: margin_power(n, discordance, 0.0, 0.005, 0.05, both=True))
    assert n == pytest.approx(about, rel=0.05)


def test_approximations_are_near_the_exact_number():
    n = needed(lambda n: mcnemar_power(n, 0.1, 0.02, 0.05))
    assert mcnemar_power(n, 0.1, 0.02, 0.05) >= 0.8 > mcnemar_power(n - 1, 0.1, 0.02, 0.05)
    # Exact McNemar is conservative: it needs a little more.
    assert 1.0 < n / connett_n(0.1, 0.02, 0.05, 0.8) < 1.06
    assert 1.0 < n / miettinen_n(0.1, 0.02, 0.05, 0.8) < 1.06


def test_approximations_by_hand():
    # (1.959964 sqrt(0.1) + 0.841621 sqrt(0.1 - 0.0004))^2 / 0.0004
    assert connett_n(0.1, 0.02, 0.05, 0.8) == pytest.approx(1959.860, abs=1e-3)
    # (0.1959964 + 0.841621 sqrt(0.01 - 0.0004 x 3.1 / 4))^2 / 0.00004
    assert miettinen_n(0.1, 0.02, 0.05, 0.8) == pytest.approx(1943.846, abs=1e-3)
