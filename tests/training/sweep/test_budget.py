import pytest

from causalablate.training.sweep.budget import Budget

ARMS = [{"name": "baseline"}, {"name": "costly", "set": {"model.width": 32}}]


@pytest.fixture
def plan(tiny, plan_of):
    return plan_of(tiny(arms=ARMS, hours=1.0), flops={"costly": 3000})


def test_before_anything_ran_the_timed_examples_predict(plan):
    run = plan.runs[plan.arms["baseline"].runs[0]]
    assert Budget(plan).predict(run.digest) == pytest.approx(run.samples * 1e-3)


def test_a_run_takes_as_long_as_others_of_its_arm_else_in_proportion_to_its_operations(plan):
    base, costly = plan.arms["baseline"].runs, plan.arms["costly"].runs
    budget = Budget(plan, {base[0]: 100.0})
    assert budget.predict(base[0]) == budget.predict(base[1]) == 100.0
    assert budget.predict(costly[0]) == pytest.approx(300.0)
    budget.seconds[costly[1]] = 500.0
    assert budget.predict(costly[0]) == 500.0
    assert budget.predict(base[1]) == 100.0


def test_a_run_fits_if_what_was_spent_what_runs_and_it_itself_do(plan):
    base, costly = plan.arms["baseline"].runs, plan.arms["costly"].runs
    budget = Budget(plan, {base[0]: 900.0, costly[0]: 1300.0})
    assert budget.fits(costly[1], [], {})
    assert not budget.fits(costly[1], [base[1]], {})
    assert budget.fits(base[1], [], {}) and not budget.fits(base[1], [costly[1]], {costly[1]: 3000.0})
    assert "1 hours" in budget.reason()


def test_without_hours_all_fits(tiny, plan_of):
    plan = plan_of(tiny())
    first = next(iter(plan.runs))
    assert Budget(plan, {first: 1e9}).fits(list(plan.runs)[-1], [], {})
