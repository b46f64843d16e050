"""What a run costs by its design, before it has trained."""

from causalablate.foveated.model import FoveatedVLM
from causalablate.training.profile import profile
from causalablate.training.trainer import train


def test_parameters_are_those_of_the_model_that_learn_and_that_a_gradient_reaches(tiny):
    whole, frozen = profile(tiny()), profile(tiny(model={"width": 16, "layers": 1, "freeze": ("vision",)}))
    assert whole["parameters"]["total"] == whole["parameters"]["trainable"] == whole["parameters"]["active"]
    assert frozen["parameters"]["total"] == whole["parameters"]["total"] > frozen["parameters"]["trainable"]
    assert frozen["parameters"]["active"] == frozen["parameters"]["trainable"]
    assert frozen["flops_per_sample"] < whole["flops_per_sample"]


def test_what_only_a_component_uses_is_not_active(tiny, tmp_path):
    whole, without = profile(tiny()), profile(tiny(without={"scorers.participatory": "zero"}))
    model = FoveatedVLM.from_pretrained(train(tiny(), tmp_path, quiet=True, stop_after=1))
    own = sum(p.numel() for p in model.scorers.participatory.parameters())
    assert without["parameters"]["active"] == whole["parameters"]["active"] - own
    assert without["parameters"]["total"] == whole["parameters"]["total"]


def test_operations_repeat_and_follow_what_the_mode_computes(tiny):
    def cost(**model):
        return profile(tiny(model={"width": 16, "layers": 1, **model}))["flops_per_sample"]

    fine, coarse, several = cost(), cost(mode="coarse_only"), cost(visual_tokens_per_frame=4)
    assert fine == cost() and coarse < fine < several
    assert profile(tiny(model={"width": 16, "layers": 1, "visual_tokens_per_frame": 4}))["visual_tokens_per_frame"] == 4


def test_a_mixture_costs_the_mean_over_its_kinds(tiny):
    def cost(**shares):
        data = {"kind": "mixture", "video": 0.0, "image": 0.0, "text": 0.0, **shares}
        return profile(tiny(data=data, encoder_warmup={"steps": 0}))["flops_per_sample"]

    video, image, both = cost(video=1.0), cost(image=1.0), cost(video=0.25, image=0.75)
    assert image < video and both == round(0.25 * video + 0.75 * image)
