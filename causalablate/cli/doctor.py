"""`causalablate doctor`: what is installed, and whether the laws of intervention hold here."""

from typing import Annotated

import typer

from causalablate.cli.options import AsJson, Examples, Labels, TrustRemoteCode


def doctor(
    checkpoint: Annotated[str, typer.Argument(help="Checkpoint directory, or `shipped`.")] = "shipped",
    examples: Examples = "digits",
    n: Annotated[int, typer.Option("--n", min=2, help="Examples to check the laws on.")] = 16,
    trust_remote_code: TrustRemoteCode = False,
    labels: Labels = "",
    as_json: AsJson = False,
) -> None:
    """Report versions, devices and determinism, and check the six laws of intervention on a checkpoint."""
    from causalablate.cli.console import print_json, print_table
    from causalablate.cli.values import examples_from_text, labels_from_text
    from causalablate.environment import environment
    from causalablate.laws import LAWS, LawBrokenError
    from causalablate.models import load

    facts = environment()
    model = load(checkpoint, trust_remote_code=trust_remote_code, labels=labels_from_text(labels))
    facts["checkpoint"] = f"{checkpoint} ({model.hash[:12]}, {len(model.components)} components)"
    asked = examples_from_text(examples, n=n, split="test", seed=0)
    reference = examples_from_text(examples, n=4 * n, split="validation", seed=0)
    verdicts = []
    for law in LAWS:
        try:
            verdicts.append(
                {"law": law.name, "says": law.says, "holds": True, "seen": law.check(model, asked, reference)}
            )
        except LawBrokenError as broken:
            verdicts.append({"law": law.name, "says": law.says, "holds": False, "seen": str(broken)})
    if as_json:
        print_json({"environment": facts, "laws": verdicts})
    else:
        print_table("environment", ["", "found"], list(facts.items()))
        print_table(
            "laws of intervention",
            ["law", "holds", "what it says", "what was seen"],
            [[str(v["law"]), "yes" if v["holds"] else "NO", str(v["says"]), str(v["seen"])] for v in verdicts],
        )
    if not all(v["holds"] for v in verdicts):
        raise typer.Exit(1)
