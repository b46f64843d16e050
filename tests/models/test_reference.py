import gc

import pytest
import torch

from causalablate.errors import LesionError
from causalablate.examples import ExampleSet, digits
from causalablate.intervention import do
from causalablate.models import reference as module
from causalablate.models.precision import placed
from causalablate.models.reference import Reference
from causalablate.progress import progress_bar
from causalablate.replay import Replay


def parts(model, *lesions):
    return [part for lesion in lesions for part in lesion.resolve(model.components)]


@pytest.fixture
def passes(monkeypatch):
    """How many examples each pass over the reference set went through."""
    found, real = [], module.capture

    def counting(*args, done, **kwargs):
        found.append(0)

        def count(n):
            found[-1] += n
            done(n)

        return real(*args, done=count, **kwargs)

    monkeypatch.setattr(module, "capture", counting)
    return found


EVERYTHING = (
    do("lm.layers.0.heads.*", off="resample"),
    do("lm.layers.0.heads.0", off="mean"),
    do("scorers.*", off="mean"),
    do("connector", off={"kind": "noise", "std": 1.0}),
    do("tokens.image", off="resample"),
)


def test_means_spreads_and_donors_take_one_pass(model, reference, passes):
    known = model.reference(reference)
    known.prepare(parts(model, *EVERYTHING, do("allocator", off="zero")))
    assert passes == [len(reference)]
    known.prepare(parts(model, *EVERYTHING))
    assert passes == [len(reference)]


def test_only_what_is_missing_is_captured(model, reference, passes):
    known = model.reference(reference)
    known.prepare(parts(model, do("connector", off="mean")))
    known.prepare(parts(model, do("connector", off={"kind": "noise", "std": 2.0})))
    assert len(passes) == 1
    known.prepare(parts(model, do("connector", off="resample")))
    assert len(passes) == 2
    known.prepare(parts(model, do("connector", off="mean"), do("connector", off="resample")))
    assert len(passes) == 2


def world(model, examples, reference, lesion, **options):
    replay = Replay(model, examples, outcomes=["answer_logprob"], reference=reference, batch_size=7, **options)
    replay.prepare([lesion])
    found = replay.counterfactual(lesion, slice(0, len(examples)))
    return found.values["answer_logprob"].tobytes(), found.change_norm.tobytes()


@pytest.mark.parametrize("budget", [0, 20_000, None])
def test_effects_are_the_same_bits_wherever_the_activations_are_kept(make_model, examples, reference, tmp_path, budget):
    """With a budget of nothing all of it is streamed, with 20 kB a part, and by default none."""
    model = make_model()
    lesion = do({"lm.layers.*.heads.*": "resample", "tokens.image": "resample", "scorers.*": "mean"})
    expected = world(model, examples, reference, lesion)
    kept = model.reference(reference, memory=budget, folder=tmp_path)
    assert world(model, examples, kept, lesion) == expected


def test_donors_keep_the_type_of_the_model(make_model, reference, tmp_path):
    model = make_model()
    placed(model.module, "bfloat16", "cpu")
    component = model.components["lm.layers.0.heads.0"]
    for memory in (0, None):
        known = model.reference(reference, memory=memory, folder=tmp_path)
        known.prepare(parts(model, do(component.address, off="resample")))
        donors = known.donors(component, component.sites[0], 0, ["a", "b"], 0)
        assert donors.dtype == torch.bfloat16 and len(donors) == 2
        mean = known.mean(component, component.sites[0], 0, "examples")
        assert mean.dtype == torch.float32 and known.std(component, component.sites[0], 0).dtype == torch.float32


def test_donors_are_read_row_by_row(model, reference):
    """The donor of a key is the activation of that very example, never that of the example itself."""
    known, component = model.reference(reference), model.components["connector"]
    known.prepare(parts(model, do("connector", off="resample")))
    (own, *_) = model.activations("connector", **model.encode(reference))
    keys = [example.id for example in reference]
    donors = known.donors(component, component.sites[0], 0, keys, seed=3)
    same = (donors.flatten(1)[:, None] - own.flatten(1)[None]).abs().amax(-1) < 1e-5
    assert same.any(1).all()
    assert not same.diagonal().any()
    again = known.donors(component, component.sites[0], 0, keys[::-1], seed=3)
    assert torch.equal(again.flip(0), donors)
    assert not torch.equal(known.donors(component, component.sites[0], 0, keys, seed=4), donors)


def test_a_budget_is_for_all_passes_together(model, reference, tmp_path):
    component = model.components["connector"]
    known = model.reference(reference, folder=tmp_path)
    known.prepare(parts(model, do("connector", off="resample")))
    n_bytes = sum(
        known.donors(component, site, call, ["a"], 0).nbytes for site, call in known._known["connector"].calls
    ) * len(reference)
    known = model.reference(reference, memory=n_bytes, folder=tmp_path)
    known.prepare(parts(model, do("connector", off="resample")))
    assert known._memory == 0


def test_a_reference_set_of_one_has_no_other_example(model, reference):
    known, component = model.reference(ExampleSet("one", tuple(reference[:1]))), model.components["connector"]
    known.prepare(parts(model, do("connector", off="resample")))
    with pytest.raises(LesionError, match='the reference set "one" holds no other example'):
        known.donors(component, component.sites[0], 0, [reference[0].id], 0)


def test_a_call_that_only_some_examples_make_gives_no_donors(model, reference):
    known, component = model.reference(reference), model.components["connector"]
    known.prepare(parts(model, do("connector", off="resample")))
    known._known["connector"].calls[component.sites[0], 0].n_rows -= 1
    with pytest.raises(LesionError, match="happened for 31 of the 32 reference examples"):
        known.donors(component, component.sites[0], 0, ["a"], 0)


def test_the_pass_shows_a_bar_below_the_one_on_the_screen(model, reference, monkeypatch):
    monkeypatch.setattr(module, "inner_progress_bar", lambda *a: real(*a, after_s=0))
    from causalablate import progress

    real, seen = progress.inner_progress_bar, []
    add = progress.Progress.add_task
    monkeypatch.setattr(
        progress.Progress, "add_task", lambda self, *a, **k: (seen.append((*a, k["total"])), add(self, *a, **k))[1]
    )
    model.reference(reference).prepare(parts(model, do("connector", off="mean")))
    assert seen == []
    with progress_bar("study", 3):
        model.reference(reference).prepare(parts(model, do("connector", off="mean")))
    assert seen == [("study", 3), (f"reference set {reference.name}", len(reference))]


def test_a_reference_set_is_given_up_with_its_file(model, tmp_path):
    known = Reference(model.module, model.adapter, digits(8, split="validation"), memory=0, folder=tmp_path)
    known.prepare(parts(model, do("connector", off="resample")))
    component = model.components["connector"]
    assert len(known.donors(component, component.sites[0], 0, ["a"], 0)) == 1
    del known
    gc.collect()
    assert list(tmp_path.iterdir()) == []
