"""First-order effects against what they must equal: exact effects, finite differences, and captum's gradients."""

import numpy as np
import pytest
import torch
from captum.attr import LayerGradientXActivation

from causalablate import outcome as outcomes_of
from causalablate.engine.hooks import hooked
from causalablate.errors import InertLesionError, LesionError, OutcomeError
from causalablate.intervention import do
from causalablate.models import Model
from causalablate.offs import off
from causalablate.replay import Replay
from causalablate.screening.gradient import first_order

LINEAR = ["shared", "reader", "block", "heads.0", "heads.1", "once", "into.1", "tokens.first"]
OFFS = ["zero", "mean", "resample", {"kind": "noise", "std": 2.0}, {"kind": "scale", "factor": 1.5}]


def scores(model, examples, lesions, outcome, reference=None, seed=0, batch_size=5):
    parts = [part for lesion in lesions for part in lesion.resolve(model.components)]
    known = model.reference(reference)
    if known is not None:
        known.prepare(parts)
    return first_order(model, examples, parts, outcome, reference=known, seed=seed, batch_size=batch_size)


def exact(model, examples, lesions, outcome, reference=None, seed=0):
    replay = Replay(model, examples, outcomes=[outcome], reference=reference, seed=seed, batch_size=5)
    replay.prepare(lesions)
    everything = slice(0, len(examples))
    factual = replay.factual(everything)[outcome]
    worlds = [replay.counterfactual(lesion, everything) for lesion in lesions]
    return np.stack([w.values[outcome] - factual for w in worlds]), np.stack([w.change_norm for w in worlds])


@pytest.mark.parametrize("how", OFFS, ids=str)
def test_it_is_the_exact_effect_where_the_model_is_linear(linear, toys, toy_reference, how):
    """Two calls, an input that also goes around its module, spans, deltas, padding, and edits in place after a site."""
    lesions = [do(address, off=how) for address in LINEAR]
    found = scores(linear, toys, lesions, "logit_difference", toy_reference)
    effects, norms = exact(linear, toys, lesions, "logit_difference", toy_reference)
    assert (np.abs(effects).mean(axis=1) > 1e-2).all()
    np.testing.assert_allclose(found.effect, effects, atol=2e-5, rtol=2e-5)
    np.testing.assert_allclose(np.sqrt(found.squares), norms, rtol=1e-5)
    assert found.reached.all()


def test_noise_at_several_sites_adds_up(linear, toys, toy_reference):
    lesion = do("everywhere", off={"kind": "noise", "std": 2.0})
    found = scores(linear, toys, [lesion], "logit_difference", toy_reference)
    effects, _ = exact(linear, toys, [lesion], "logit_difference", toy_reference)
    np.testing.assert_allclose(found.effect, effects, atol=2e-5, rtol=2e-5)


def slope_by_differences(model, examples, address, outcome, step):
    """(outcome(x + step d) - outcome(x - step d)) / 2 step, with d = -x of the factual run at every site and call."""
    component = model.components[address]
    (batch,) = model.batches(examples, len(examples))
    factual = {}
    recording = True
    moved = 0.0

    def editor(site):
        def edit(x, call, inputs):
            if recording:
                factual[site, call] = site.part(x).clone()
                return x
            d = -factual[site, call]
            if site.tokens:
                d = d * (batch.token_groups[site.group or "all"] & batch.token_groups["all"])[:, :, None]
            return site.with_part(x, site.part(x) + moved * d)

        return edit

    edits = {site.place: editor(site) for site in component.sites}

    def measured():
        with torch.no_grad(), hooked(model.module, edits, begin=lambda args, kwargs: None):
            readout = model.read(model(**batch.inputs))
        return outcomes_of.outcome(outcome).compute(readout, batch.answers, readout).numpy()

    measured()
    recording = False
    moved = step
    above = measured()
    moved = -step
    return (above - measured()) / (2 * step)


@pytest.mark.parametrize("outcome", ["answer_logprob", "loss", "logit_difference"])
def test_it_is_the_slope_of_a_curved_model(curved, toys, outcome):
    found = scores(curved, toys, [do(a, off="zero") for a in LINEAR], outcome, batch_size=12)
    for i, address in enumerate(LINEAR):
        slope = slope_by_differences(curved, toys, address, outcome, 1e-4)
        np.testing.assert_allclose(found.effect[i], slope, rtol=1e-4, atol=1e-6)


REFERENCE_MODEL = [
    "query.static", "query.init", "query.dynamic", "vision.layers.1", "vision.layers.0.heads.1", "vision.layers.0.mlp",
    "connector", "passes.coarse", "passes.fine", "texture.lab", "scorers.participatory", "allocator",
    "opponent.compress_particularize", "tokens.question", "tokens.image", "tokens.image.fine", "lm.layers.0",
    "lm.layers.1.heads.2", "lm.layers.1.mlp",
]  # fmt: skip


@pytest.mark.parametrize("outcome", ["answer_logprob", "loss_coarse"])
def test_it_is_the_slope_of_the_reference_model(in_double, examples, outcome):
    """Modules run in both passes, queries feed later frames, budgets blend levels: all of it is in the slope."""
    few = examples[:6]
    found = scores(in_double, few, [do(a, off="zero") for a in REFERENCE_MODEL], outcome, batch_size=6)
    for i, address in enumerate(REFERENCE_MODEL):
        slope = slope_by_differences(in_double, few, address, outcome, 1e-2)
        # Llama's norms and softmax round to float32 whatever the dtype, and budgets blend levels along broken lines.
        tolerance = 3e-3 * np.abs(slope).max() + 5e-5
        np.testing.assert_allclose(found.effect[i], slope, rtol=0, atol=tolerance, err_msg=address)
    later = [i for i, a in enumerate(REFERENCE_MODEL) if a in ("passes.fine", "allocator", "query.dynamic")]
    assert found.reached[later].all() == (outcome == "answer_logprob")
    assert (found.effect[later] == 0).all() == (outcome == "loss_coarse")


@pytest.mark.parametrize(
    "how", ["uniform", "shuffle", "fixed_min", "fixed_max", {"kind": "value", "value": 0.3}], ids=str
)
def test_the_change_is_that_of_the_exact_lesion(model, examples, reference, how):
    """Components that act once, before anything else is changed: same draws, same donors, same means."""
    admitting = [c.address for c in model.components.select("scorers.*") if off(how).refuses(c) is None]
    admitting += [c.address for c in model.components.select("opponent.*") if off(how).refuses(c) is None]
    lesions = [do(a, off=how) for a in admitting]
    found = scores(model, examples[:5], lesions, "answer_logprob", reference)
    _, norms = exact(model, examples[:5], lesions, "answer_logprob", reference)
    np.testing.assert_allclose(np.sqrt(found.squares), norms, rtol=1e-4, atol=1e-6)


def test_a_tenth_of_a_percent_of_noise_is_nearly_exact(in_double, examples, reference):
    """The very noise of the exact lesion, scaled down until the model is as good as straight."""
    lesions = [do(a, off={"kind": "noise", "std": 1e-3}) for a in ("query.static", "passes.fine", "lm.layers.0.mlp")]
    few = examples[:10]
    found = scores(in_double, few, lesions, "answer_logprob", reference, seed=3)
    effects, _ = exact(in_double, few, lesions, "answer_logprob", reference, seed=3)
    for approximate, measured in zip(found.effect, effects, strict=True):
        assert np.corrcoef(approximate, measured)[0, 1] > 0.98


def by_captum(model, examples, path, span=None, into=False):
    """-sum(gradient * activation) of the zero lesion, from captum's layer gradient x activation."""
    (batch,) = model.batches(examples, len(examples))

    def outcome(views, mask):
        readout = model.read(model.module(views=views, mask=mask))
        return outcomes_of.outcome("answer_logprob").compute(readout, batch.answers, readout)

    layer = model.module.get_submodule(path)
    with torch.random.fork_rng(devices=[]):
        products = LayerGradientXActivation(outcome, layer).attribute(
            batch.inputs["views"], additional_forward_args=batch.inputs["mask"], attribute_to_layer_input=into
        )
    products = products[0] if isinstance(products, tuple) else products
    return -(products if span is None else products[..., span[0] : span[1]]).flatten(1).sum(1).detach().numpy()


def test_it_equals_captum_where_modules_run_once(curved, toys):
    unpadded = toys[::2]
    addresses = ["reader", "once", "into.0", "into.1"]
    ours = scores(curved, unpadded, [do(a, off="zero") for a in addresses], "answer_logprob").effect
    theirs = [
        by_captum(curved, unpadded, "reader"),
        by_captum(curved, unpadded, "once"),
        by_captum(curved, unpadded, "once", (0, 3), into=True),
        by_captum(curved, unpadded, "once", (3, 6), into=True),
    ]
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("address", "path", "span", "into"), [("shared", "shared", None, False), ("heads.0", "reader", (0, 3), True)]
)
def test_captum_is_off_where_a_module_runs_twice_or_its_input_goes_around_it(curved, toys, address, path, span, into):
    """Why the gradients here are our own: captum keeps the last call only, and takes an input's every use for the
    module's, so the residual stream's slope for the block's. Both by half or more of the slope itself."""
    unpadded = toys[::2]
    (ours,) = scores(curved, unpadded, [do(address, off="zero")], "answer_logprob").effect
    slope = slope_by_differences(curved, unpadded, address, "answer_logprob", 1e-4)
    theirs = by_captum(curved, unpadded, path, span, into)
    np.testing.assert_allclose(ours, slope, rtol=1e-4, atol=1e-6)
    assert np.abs(theirs - slope).mean() > 0.5 * np.abs(slope).mean()


def test_batches_do_not_matter(curved, toys, toy_reference):
    lesions = [do(a, off="resample") for a in LINEAR]
    whole, parts = (scores(curved, toys, lesions, "loss", toy_reference, batch_size=size) for size in (12, 5))
    np.testing.assert_allclose(whole.effect, parts.effect, rtol=1e-6, atol=1e-7)


def test_half_precision_differs_by_its_own_rounding(curved, toys, toy_reference):
    """The step from x to off(x) is taken in float32: near numbers in bfloat16 have no difference left."""
    adapter = type(curved.adapter)()
    encode = adapter.encode
    adapter.encode = lambda module, examples: {k: v.bfloat16() for k, v in encode(module, examples).items()}
    lesions = [do(a, off="mean") for a in LINEAR]
    sharp = scores(curved, toys, lesions, "loss", toy_reference)
    blunt = scores(Model(curved.module.bfloat16(), adapter), toys, lesions, "loss", toy_reference)
    assert np.corrcoef(sharp.effect.ravel(), blunt.effect.ravel())[0, 1] > 0.99


def test_a_site_that_never_runs_is_an_error(curved, toys):
    with pytest.raises(InertLesionError, match="does not reach unused"):
        scores(curved, toys, [do("unused", off="zero")], "loss")


def test_a_way_that_is_cut_is_told_from_a_slope_of_zero(curved, toys):
    curved.module.bend = lambda x: x.detach()
    found = scores(curved, toys, [do("shared", off="zero"), do("once", off="zero")], "loss")
    assert found.reached.tolist() == [False, False] and not found.effect.any()


def test_an_infinite_slope_names_component_and_example(curved, toys):
    curved.module.bend = lambda x: (x * 0).abs().sqrt()
    with pytest.raises(OutcomeError, match=r"gradient of loss at once=zero of example \"t0\" is not finite"):
        scores(curved, toys, [do("once", off="zero")], "loss")


def test_what_cannot_be_differentiated_is_one_clear_error(curved, toys):
    def spoil(x):
        y = torch.sigmoid(x)
        y.mul_(2)  # the gradient of a sigmoid needs its result as it was
        return y

    curved.module.bend = spoil
    with pytest.raises(OutcomeError, match=r"loss cannot be differentiated through this model: .*inplace"):
        scores(curved, toys, [do("shared", off="zero")], "loss")


def test_activations_without_a_row_per_example_are_refused(toys, linear):
    class Folded(type(linear.module)):
        def forward(self, views, mask):
            both = self.shared(views.flatten(0, 1)).reshape(views.shape)
            return self.head((both.sum(1) * mask[..., None]).sum(1))

    folded = Model(Folded(lambda x: x).eval(), linear.adapter)
    with pytest.raises(LesionError, match=r"shared holds torch.float64 of shape .* one row each"):
        scores(folded, toys, [do("shared", off="zero")], "loss")
