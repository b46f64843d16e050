import numpy as np

from causalablate.effects.sequential.roots import last_above


def test_it_finds_where_falling_functions_cross_zero_and_stays_below():
    roots = np.array([[-0.99, -0.2, 0.0], [0.3, 0.7, 0.95]])

    def steep(x):
        return np.expm1(np.minimum(40 * (roots - x), 50.0))

    found = last_above(steep, -1.0, 1.0, roots.shape, within=1e-8)
    assert ((found <= roots) & (found > roots - 1e-8)).all()


def test_infinite_values_and_functions_without_a_root():
    def jump(x):
        return np.where(x < np.array([0.25, -2.0, 2.0]), np.inf, -1.0)

    found = last_above(jump, 0.0, 1.0, (3,), within=1e-6)
    assert 0.25 - 1e-6 < found[0] <= 0.25
    assert found[1] == 0.0, "negative everywhere: the lower end"
    assert found[2] > 1 - 1e-6


def test_it_takes_hardly_more_steps_than_bisection_at_worst_and_far_fewer_for_smooth_functions():
    calls = []

    def counted(function):
        def run(x):
            calls.append(1)
            return function(x)

        return run

    last_above(counted(lambda x: np.where(x < 1 / 3, 1.0, -1e-9)), 0.0, 1.0, (1,), within=2.0**-20)
    assert len(calls) <= 22
    calls.clear()
    last_above(counted(lambda x: 1 / 3 - x), 0.0, 1.0, (1,), within=2.0**-20)
    assert len(calls) <= 12


def test_what_is_found_does_not_depend_on_what_else_is_looked_for():
    roots = np.array([0.123, 0.987, -0.5])

    def alone(i):
        return last_above(lambda x: np.tanh(30 * (roots[i] - x)), -1.0, 1.0, (1,), within=1e-6)[0]

    together = last_above(lambda x: np.tanh(30 * (roots - x)), -1.0, 1.0, (3,), within=1e-6)
    assert list(together) == [alone(i) for i in range(3)]
