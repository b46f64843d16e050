"""What `causalablate effects` can show of a table: one row per view."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from causalablate.errors import EffectError, nearest

if TYPE_CHECKING:
    import pandas as pd

    from causalablate.table import Counterfactuals

POPULATION = "population"


@dataclass(frozen=True)
class View:
    """One way to look at a table of counterfactuals.

    Attributes:
        module: Where its function is; imported when it is asked for.
        function: Takes a table, `level` and `seed`, and returns a table of numbers.
        title: What it shows.
        takes: Other arguments that the command passes on.
        columns: What the terminal and Markdown show, in order, intervals by the name of their lower end; files and
            JSON hold every column.
    """

    module: str
    function: str
    title: str
    takes: frozenset[str]
    columns: tuple[str, ...]

    def __call__(self, table: "Counterfactuals", **arguments: Any) -> "pd.DataFrame":
        """Compute it."""
        function: Callable[..., pd.DataFrame] = getattr(import_module(self.module), self.function)
        return function(table, **arguments)


def _view(module: str, function: str, title: str, takes: str, columns: str) -> View:
    return View(f"causalablate.effects.{module}", function, title, frozenset(takes.split()), tuple(columns.split()))


VIEWS: Mapping[str, View] = {
    POPULATION: _view(
        "population",
        "population_effects",
        "average effects",
        "sesoi interval test correction controls resamples",
        "ate ci_low p_holm label",
    ),
    "estimands": _view(
        "estimands",
        "estimate",
        "other estimands",
        "interval resamples",
        "estimand estimate ci_low unit interval_method n_units",
    ),
    "shrinkage": _view(
        "bayes",
        "shrunk_effects",
        "effects shrunk towards those of the other lesions",
        "sesoi",
        "ate ci_low posterior_mean credible_low p_beyond p_negative shrinkage n_units",
    ),
    "belief": _view(
        "bayes",
        "belief_over_time",
        "belief about which lesion matters most, batch by batch (entropies in bits)",
        "sesoi",
        "n_units leading p_leading entropy_top entropy_labels expected_reduction_top measure_next note",
    ),
    "seeds": _view(
        "seeds",
        "seed_effects",
        "effects over seeds",
        "resamples",
        "n_seeds ate ci_low seed_mean seed_sd iqm iqm_low p_examples p_seeds_t p_both share_seed note",
    ),
    "power": _view(
        "power",
        "power_table",
        "examples and seeds that a study like this one needs",
        "sesoi",
        "claim effect margin test needed_examples needed_examples_upper needed_seeds pilot_units note",
    ),
    "failures": _view(
        "heterogeneity",
        "failure_modes",
        "groups in which a lesion does something else than in the rest",
        "",
        "rank n_units ate ate_outside difference band_low p p_adjusted",
    ),
    "examples": _view(
        "heterogeneity",
        "largest_effects",
        "examples with the largest effects",
        "",
        "direction rank example factual counterfactual effect share cumulative_share",
    ),
    "sequence": _view(
        "sequential",
        "effect_sequence",
        "confidence sequences, look by look",
        "sesoi",
        "n_units ate ci_low label stopped_at stopped_as",
    ),
}


def chosen_views(names: Sequence[str]) -> dict[str, View]:
    """The views of these names, each once; the average effects if none is named.

    Raises:
        EffectError: There is no view of a name.
    """
    for name in names:
        if name not in VIEWS:
            raise EffectError(f'no view "{name}"{nearest(name, VIEWS)}; there are {", ".join(VIEWS)}')
    return {name: VIEWS[name] for name in names or [POPULATION]}


def check_used(given: Mapping[str, Any], views: Mapping[str, View]) -> None:
    """Refuse an argument that no view takes.

    Raises:
        EffectError: It names the argument and the views that take it.
    """
    for name in given:
        if not any(name in view.takes for view in views.values()):
            takers = [other for other, view in VIEWS.items() if name in view.takes]
            raise EffectError(
                f"--{name} says nothing about the view{'s' * (len(views) > 1)} {', '.join(views)}; "
                f"it belongs to {', '.join(takers)}"
            )
