"""`causalablate evaluate`: accuracies of a checkpoint."""

from typing import TYPE_CHECKING, Annotated

import typer

from causalablate.cli.options import AsJson, Checkpoint, Examples, Labels, Seed, TrustRemoteCode

if TYPE_CHECKING:
    from pandas import DataFrame


def evaluate(
    checkpoint: Checkpoint = "shipped",
    examples: Examples = "digits",
    n: Annotated[int, typer.Option("--n", min=1, help="Number of examples.")] = 2100,
    seed: Seed = 0,
    level: Annotated[float, typer.Option(help="Two-sided coverage of the intervals.")] = 0.95,
    trust_remote_code: TrustRemoteCode = False,
    labels: Labels = "",
    as_json: AsJson = False,
) -> None:
    """Print the accuracy of a checkpoint in each of its modes, by question type, beside the commonest answer."""
    from causalablate.cli.console import print_json, print_table
    from causalablate.cli.values import examples_from_text, labels_from_text
    from causalablate.evaluation import accuracies
    from causalablate.models import load

    model = load(checkpoint, trust_remote_code=trust_remote_code, labels=labels_from_text(labels))
    models = [(mode, load(checkpoint, mode=mode)) for mode in model.adapter.modes] or [(checkpoint, model)]
    asked = examples_from_text(examples, n=n, split="test", seed=seed)
    found = accuracies(models, asked, level=level)
    if as_json:
        print_json(found.to_dict(orient="records"))
        return
    answered_by = list(dict.fromkeys(found["answered_by"]))
    rows = [
        [str(group), f"{cells['n'].iloc[0]:,}", *(f"{a:.3f} [{lo:.3f}, {hi:.3f}]" for a, lo, hi in _values(cells))]
        for group, cells in found.groupby("group", sort=False)
    ]
    print_table(
        f"accuracy of {checkpoint}, {100 * level:g} % intervals",
        ["questions", "n", *answered_by],
        rows,
        [False] + [True] * (1 + len(answered_by)),
    )


def _values(cells: "DataFrame") -> list[tuple[float, float, float]]:
    return list(zip(cells["accuracy"], cells["low"], cells["high"], strict=True))
