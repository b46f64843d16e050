import pytest

from causalablate.errors import StudyError
from causalablate.models import SHIPPED
from causalablate.training.config import TrainingConfig

ARMS = [
    {"name": "baseline"},
    {"name": "same", "set": {"model.mode": "coarse_fine"}, "priority": "P1"},
    {"name": "wide", "set": {"model.width": 32}},
    {"name": "big_batch", "set": {"main.batch_size": 14}},
]
BACKBONE = """
name: backbone
model: {width: 16, layers: 1}
encoder_warmup: {steps: 3, batch_size: 7}
main: {steps: STEPS, batch_size: 7}
"""


def steps(plan):
    return {arm.name: plan.runs[arm.runs[0]].config.main.steps for arm in plan.arms.values()}


def test_arms_that_are_the_same_share_their_runs(tiny, plan_of):
    plan = plan_of(tiny(arms=ARMS))
    assert plan.arms["same"].same_as == "baseline" and plan.arms["same"].runs == plan.arms["baseline"].runs
    assert plan.arms["baseline"].same_as is None and plan.arms["wide"].same_as is None
    assert [(run.arm, run.config.seed) for run in plan.runs.values()] == [
        ("baseline", 0), ("wide", 0), ("big_batch", 0), ("baseline", 1), ("wide", 1), ("big_batch", 1),
    ]  # fmt: skip
    assert [arm.name for arm in plan.arms_of(plan.arms["same"].runs[1])] == ["baseline", "same"]


def test_a_digest_is_all_that_determines_a_run_and_nothing_else(tiny, plan_of):
    arms = [{"name": "baseline"}]
    base = tiny().base.model_dump(mode="json")

    def digest(**changes):
        return plan_of(tiny(arms=arms, **changes)).arms["baseline"].runs[0]

    same = [{}, {"name": "other"}, {"hours": 3}, {"base": {**base, "threads": 2}}]
    same += [{"base": {**base, "tracking": {"wandb": "offline"}}}, {"seeds": [1, 0]}]
    assert len({digest(**changes) for changes in same}) == 1
    other = [{"data_seed": 1}, {"samples": 70}, {"base": {**base, "objective": {"gaze_weight": 0.1}}}]
    assert len({digest(**changes) for changes in [{}, *other]}) == 4


def test_equal_samples_set_the_steps_by_the_batch(tiny, plan_of):
    assert steps(plan_of(tiny(arms=ARMS))) == {"baseline": 4, "same": 4, "wide": 4, "big_batch": 4}
    assert steps(plan_of(tiny(arms=ARMS, samples=50))) == {"baseline": 8, "same": 8, "wide": 8, "big_batch": 4}


def test_equal_compute_sets_the_steps_by_what_an_example_costs(tiny, plan_of):
    plan = plan_of(tiny(arms=ARMS, samples=280, equal="compute"), flops={"wide": 2500})
    assert steps(plan) == {"baseline": 40, "same": 40, "wide": 16, "big_batch": 20}
    assert plan.to_json("runs")["arms"][2]["flops_per_sample"] == 2500


def test_every_run_starts_from_the_backbone_and_is_another_run_if_that_is(tiny, plan_of, tmp_path):
    (tmp_path / "b.yaml").write_text(BACKBONE.replace("STEPS", "4"))
    arms = [{"name": "baseline"}, {"name": "scratch", "set": {"start": None}}]
    plan = plan_of(tiny(start="b.yaml", arms=arms), tmp_path)
    first = next(iter(plan.runs.values()))
    assert plan.backbone == first.digest and first.config.main.steps == 4 and plan.arms_of(first.digest) == []
    run, scratch = (plan.runs[plan.arms[name].runs[1]] for name in ("baseline", "scratch"))
    assert run.config.start == f"{first.digest}/checkpoint" and run.backbone == first.digest
    assert scratch.config.start is None and scratch.backbone is None
    (tmp_path / "b.yaml").write_text(BACKBONE.replace("STEPS", "5"))
    other = plan_of(tiny(start="b.yaml", arms=arms), tmp_path)
    assert set(other.runs) & set(plan.runs) == set(plan.arms["scratch"].runs.values())
    # The same backbone elsewhere is the same run.
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b.yaml").write_text(BACKBONE.replace("STEPS", "4").replace("backbone", "renamed"))
    assert set(plan_of(tiny(start="b.yaml", arms=arms), tmp_path / "deep").runs) == set(plan.runs)


def test_a_checkpoint_to_start_from_counts_by_its_weights(tiny, plan_of, tmp_path):
    (tmp_path / "copy").symlink_to(SHIPPED)
    arms = [{"name": "baseline", "set": {"start": str(SHIPPED)}}, {"name": "copy", "set": {"start": "copy"}}]
    plan = plan_of(tiny(arms=arms), tmp_path)
    assert plan.arms["copy"].same_as == "baseline"
    assert plan.runs[plan.arms["copy"].runs[0]].config.start == str(SHIPPED)


def test_a_backbone_that_is_no_run_is_named_with_its_line(tiny, plan_of, tmp_path):
    (tmp_path / "b.yaml").write_text(BACKBONE.replace("STEPS", "no"))
    with pytest.raises(StudyError, match=r"b.yaml:5:.*main.steps"):
        plan_of(tiny(start="b.yaml"), tmp_path)


def test_a_run_of_a_plan_is_a_config_that_can_be_written_and_read(tiny, plan_of):
    for run in plan_of(tiny()).runs.values():
        assert TrainingConfig.model_validate(run.config.model_dump(mode="json")) == run.config
        assert run.config.name == run.digest


def test_a_backbone_may_start_from_a_backbone(tiny, plan_of, tmp_path):
    run = "model: {width: 16, layers: 1}\nencoder_warmup: {steps: 2}\n"
    (tmp_path / "a.yaml").write_text(f"name: a\n{run}main: {{steps: 0}}\n")
    (tmp_path / "b.yaml").write_text(f"name: b\nstart: a.yaml\n{run}main: {{steps: 1}}\n")
    plan = plan_of(tiny(start="b.yaml"), tmp_path)
    first, second = (plan.runs[digest] for digest in plan.backbones)
    assert (first.config.main.steps, second.config.main.steps) == (0, 1) and plan.backbone == second.digest
    assert second.config.start == f"{first.digest}/checkpoint"
    assert all(plan.runs[d].backbone == second.digest for d in plan.arms["baseline"].runs.values())
    (tmp_path / "a.yaml").write_text(f"name: a\nstart: b.yaml\n{run}main: {{steps: 0}}\n")
    with pytest.raises(StudyError, match="starts from itself"):
        plan_of(tiny(start="b.yaml"), tmp_path)


def test_an_arm_of_matched_capacity_has_a_wider_connector(tiny, plan_of):
    without = {"without": {"scorers.participatory": "zero"}}
    arms = [
        {"name": "baseline"},
        {"name": "gone", "set": without},
        {"name": "matched", "set": without, "capacity": "matched"},
    ]
    plan = plan_of(tiny(arms=arms))
    gone, matched = (plan.runs[plan.arms[name].runs[0]].config for name in ("gone", "matched"))
    assert gone.model.connector_hidden is None and matched.model.connector_hidden > gone.model.width
    assert matched.without == gone.without
