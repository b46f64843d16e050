import pytest

from causalablate import do
from causalablate.cost.names import addresses_of
from causalablate.offs import Patch


@pytest.mark.parametrize(
    ("name", "addresses"),
    [
        ("lm.layers.0.mlp=mean", ["lm.layers.0.mlp"]),
        ("a=scale(0.5) & b.*=zero", ["a", "b.*"]),
        ("lm.layers.0.mlp", None),
        ("lm.layers.{0..2}.mlp", None),
        ("**", None),
    ],
)
def test_addresses(name, addresses):
    assert addresses_of(name) == addresses


def test_what_stands_in_brackets_belongs_to_the_off():
    lesion = do({"c": Patch(do("a", "b", off="zero").parts), "d": "mean"})
    assert " & b=zero)" in lesion.name
    assert addresses_of(lesion.name) == ["c", "d"]
