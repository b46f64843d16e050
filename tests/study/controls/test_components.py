import pytest
import torch
from torch import nn

import causalablate as ca
from causalablate.component import Component, ComponentMap, Site
from causalablate.errors import LesionError
from causalablate.intervention import do
from causalablate.offs import Mean, Replace, Zero
from causalablate.study.controls import controls_of, parameters_in, random_components, slices


def addresses(lesion):
    return {address for address, _ in lesion}


def test_controls_match_in_number_tower_and_off(fake):
    lesion = do({"lm.layers.0.heads.0": "zero", "lm.layers.1.heads.2": "mean", "vision.layers.0.heads.1": "mean"})
    controls = random_components(lesion, fake.COMPONENTS, n=10)
    assert len(set(controls)) == 10
    for control in controls:
        assert sorted(address.split(".")[0] for address, _ in control) == ["lm", "lm", "vision"]
        assert addresses(control).isdisjoint(addresses(lesion))
        assert sorted(str(how) for a, how in control if a.startswith("lm")) == ["mean", "zero"]
        assert [how for a, how in control if a.startswith("vision")] == [Mean()]


def test_a_small_tower_gives_all_its_other_heads(fake):
    controls = random_components(do("lm.layers.0.heads.0", off="zero"), fake.COMPONENTS, n=20)
    others = {a for a in fake.COMPONENTS if a.startswith("lm") and a != "lm.layers.0.heads.0"}
    assert {control.parts for control in controls} == {((address, Zero()),) for address in others}


def test_controls_of_most_heads_may_share_some_but_are_never_the_lesion(fake):
    lesion = do(*[f"lm.layers.{layer}.heads.{head}" for layer in (0, 1) for head in (0, 1, 2)], off="zero")
    controls = random_components(lesion, fake.COMPONENTS, n=100)
    assert len(controls) == 27  # all sets of 6 among 8 heads but the lesion itself
    assert lesion not in controls


def test_a_glob_counts_as_the_components_it_matches(fake):
    (control,) = random_components(do("lm.layers.0.heads.*", off="zero"), fake.COMPONENTS, n=3)
    assert addresses(control) == {f"lm.layers.1.heads.{i}" for i in range(4)}


def test_mixed_kinds_are_matched_kind_by_kind(fake):
    lesion = do({"scorers.entropy": "zero", "lm.layers.0.heads.0": "mean", "lm.layers.0.heads.1": "mean"})
    controls = random_components(lesion, fake.COMPONENTS, n=12)
    assert len(controls) == 12
    for control in controls:
        kinds = sorted((fake.COMPONENTS[a].kind, fake.COMPONENTS[a].tower, str(how)) for a, how in control)
        assert kinds == [("head", "lm", "mean"), ("head", "lm", "mean"), ("scorer", None, "zero")]
        assert ("scorers.salience", Zero()) in control.parts


@pytest.mark.parametrize(
    ("lesion", "message"),
    [
        (do("lm.layers.*.heads.*", off="zero"), "no other component of kind head of lm can be off by zero"),
        (do("passes.fine", off="mean"), "no other component of kind pass can be off by mean. Use .* directions"),
        (do({"passes.fine": "mean", "lm.layers.0.heads.0": "zero"}), "no size-matched control for passes.fine"),
        (do("scorers.entropy", off=Replace("scorers.salience")), "off by replace"),
    ],
)
def test_a_kind_without_other_members_is_refused(fake, lesion, message):
    with pytest.raises(LesionError, match=message):
        random_components(lesion, fake.COMPONENTS, n=5)


def test_the_draw_depends_on_seed_and_lesion_alone(fake):
    lesion = do("lm.layers.0.heads.0", "lm.layers.0.heads.1", off="zero")
    first = random_components(lesion, fake.COMPONENTS, n=5, seed=0)
    assert random_components(lesion, fake.COMPONENTS, n=5, seed=0) == first
    assert random_components(lesion, fake.COMPONENTS, n=3, seed=0) == first[:3]
    assert random_components(lesion, fake.COMPONENTS, n=5, seed=1) != first


def test_the_same_positions_and_the_same_stream(model):
    (control,) = random_components(do("lm.layers.0.mlp@image", off="zero"), model.components, n=9)
    assert addresses(control) == {"lm.layers.1.mlp@image"}
    (control,) = random_components(do("lm.layers.1.resid@answer", off="zero"), model.components, n=9)
    assert addresses(control) == {"lm.layers.0.resid@answer"}
    (control,) = random_components(do("vision.layers.0.resid", off="mean"), model.components, n=9)
    assert addresses(control) == {"vision.layers.1.resid"}


SPANS = {"small.0": (0, 2), "small.1": (2, 4), "small.2": (4, 6), "wide.0": (6, 10), "wide.1": (10, 14)}


def of_width(*names, n=9):
    components = ComponentMap(Component(a, "neuron", (Site("m", span=span),)) for a, span in SPANS.items())
    return [addresses(control) for control in random_components(do(*names, off="zero"), components, n=n)]


def test_slices_of_the_same_width_come_first_and_others_where_those_do_not_suffice():
    assert sorted(of_width("small.0"), key=str) == [{"small.1"}, {"small.2"}]
    assert of_width("wide.1") == [{"wide.0"}]
    assert {frozenset(found) for found in of_width("small.0", "small.1")} == {
        frozenset({"small.0", "small.2"}),
        frozenset({"small.1", "small.2"}),
    }
    every_small = of_width("small.0", "small.1", "small.2")
    assert len(every_small) == 9 and all(found & {"wide.0", "wide.1"} for found in every_small)
    both = of_width("small.0", "wide.0")
    assert {frozenset(found) for found in both} == {frozenset({f"small.{i}", "wide.1"}) for i in (1, 2)}


class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Sequential(nn.Linear(4, 4), nn.ReLU()), nn.Linear(4, 8)
        self.c, self.d = nn.Linear(8, 4), nn.Linear(4, 4)

    def forward(self, x):
        return self.d(self.c(self.b(self.a(x))))


def test_modules_match_in_parameters_and_never_lie_inside_each_other():
    model = ca.wrap(Two().eval(), answers=4)
    size = parameters_in(model.module)
    assert size(model.components["b"]) == (40, 0, 0)
    assert slices(model.components["b"]) == (0, 0)

    def controls(*names, n=9):
        found = controls_of(do(*names, off="zero"), model.components, kind="components", n=n, size=size)
        return sorted(map(sorted, map(addresses, found)))

    assert controls("d") == [["a"], ["a.0"]]  # twenty parameters, as a Linear(4, 4) has
    assert controls("a.0") == [["d"]]  # its container has as many, but is no other component
    assert controls("b") == [["a"], ["a.0"], ["a.1"], ["c"], ["d"]]  # none is as large
    assert all({"a", "a.0"} != set(pair) and {"a", "a.1"} != set(pair) for pair in controls("c", "d"))


def test_every_component_of_the_reference_model_has_controls_or_is_refused(model):
    torch.manual_seed(0)
    without = set()
    for component in model.components.values():
        off = "knockout" if component.kind == "edge" else "zero"
        try:
            controls = controls_of(do(component.address, off=off), model.components, kind="components", n=3)
        except LesionError:
            without.add(component.address)
            continue
        for control in controls:
            ((address, how),) = control
            other = model.components[address]
            assert (other.kind, other.tower) == (component.kind, component.tower) and address != component.address
            assert how.kind == off
    assert without == {"connector", "allocator"}
