import pytest

from causalablate.effects import Kind
from causalablate.effects.interval_methods import INTERVALS
from causalablate.effects.methods import check_method, refusal
from causalablate.effects.tests_by_name import TESTS
from causalablate.errors import EffectError

SHARED = dict(cluster=[0, 0, 1, 1])


def test_kind_and_structure_decide(effects_of):
    flips, shared = effects_of([[0, 1, 0, 1]], Kind.BINARY), effects_of([[0, 1, 0, 1]], Kind.BINARY, **SHARED)
    assert refusal("mcnemar", TESTS["mcnemar"], flips) == ""
    assert refusal("mcnemar", TESTS["mcnemar"], shared) == "mcnemar is for independent examples"
    assert refusal("wilson", INTERVALS["wilson"], flips) == "wilson is for categorical outcomes"


def test_one_outcome_that_fits_is_enough(effects_of):
    fits, not_fits = effects_of([[0.5, 1, 0, 1]]), effects_of([[0.5, 1, 0, 1]], **SHARED)
    for parts in ([fits, not_fits], [not_fits, fits]):
        check_method("test", "wilcoxon", TESTS, parts)
    with pytest.raises(EffectError) as refused:
        check_method("test", "wilcoxon", TESTS, [not_fits])
    assert str(refused.value) == (
        'test "wilcoxon" fits no outcome of this table: wilcoxon is for independent examples, and o is real with '
        "examples that share clusters. Choose auto or one of sign-flip, cluster-t."
    )


def test_unknown_names_the_nearest(effects_of):
    with pytest.raises(EffectError, match=r"no interval \"bca2\".*did you mean bca.*there are auto, bonett-price"):
        check_method("interval", "bca2", INTERVALS, [effects_of([[0.5, 1]])])


@pytest.mark.parametrize("methods", [INTERVALS, TESTS], ids=["intervals", "tests"])
@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("rows", [{}, SHARED, dict(cluster=[0, 1, 0, 1], seed=[0, 0, 1, 1])], ids=str)
def test_every_table_has_a_method(effects_of, methods, kind, rows):
    data = effects_of([[0, 1, 0, 1]], kind, **rows)
    assert any(refusal(name, method, data) == "" for name, method in methods.items())
