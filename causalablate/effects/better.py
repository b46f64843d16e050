"""Which way is better: the direction in which a lesion harms, for the outcomes that are known by name."""

from collections.abc import Mapping

from causalablate.effects.kinds import Kind
from causalablate.errors import EffectError, nearest

BETTER: Mapping[str, int] = {
    "correct": 1,
    "correct_coarse": 1,
    "correct_per_token": 1,
    "answer_logprob": 1,
    "answer_logprob_per_token": 1,
    "answer_margin": 1,
    "logit_difference": 1,
    "loss": -1,
    "loss_fine": -1,
    "loss_coarse": -1,
    "kl_to_factual": -1,
}
"""1 where more is better, so that a negative effect is harm; -1 where less is. Others are not known."""


def better_of(kinds: Mapping[str, Kind], better: Mapping[str, int] | None) -> dict[str, int]:
    """Direction of every outcome: as given, else as known by name, else 0.

    Args:
        kinds: Outcome name to kind; the known outcomes.
        better: Outcome name to 1 (more is better) or -1 (less is better), for outcomes not in `BETTER` or against it.
    Raises:
        EffectError: An outcome is unknown, a direction is neither 1 nor -1, or more is said to be better of an outcome
            whose effects are never negative, which could then never harm.
    """
    for name, direction in (better or {}).items():
        if name not in kinds:
            raise EffectError(
                f'no outcome "{name}" to give a direction{nearest(name, kinds)}; the table has {", ".join(kinds)}'
            )
        if isinstance(direction, bool) or direction not in (1, -1):
            raise EffectError(f"better of {name} is {direction!r}; give 1 if more is better, -1 if less is")
        if direction == 1 and kinds[name].one_sided:
            raise EffectError(
                f"effects on {name} are never negative, so with better = 1 no lesion could harm; "
                "give -1, or leave it out"
            )
    return {name: (better or {}).get(name, BETTER.get(name, 0)) for name in kinds}
