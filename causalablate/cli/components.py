"""`causalablate components`: what can be switched off."""

from typing import Annotated, Any

import typer

from causalablate.cli.options import AsJson, Checkpoint, TrustRemoteCode


def components(
    checkpoint: Checkpoint,
    glob: Annotated[str, typer.Argument(help="Only addresses that match, e.g. 'lm.layers.*.heads.*'.")] = "**",
    trust_remote_code: TrustRemoteCode = False,
    as_json: AsJson = False,
) -> None:
    """List the components of a checkpoint: address, kind, site, and the kinds of off it admits."""
    from causalablate.cli.console import print_json, print_table
    from causalablate.models import load
    from causalablate.offs import admitted

    found = load(checkpoint, trust_remote_code=trust_remote_code).components.select(glob)
    rows: list[dict[str, Any]] = [
        {"address": c.address, "kind": c.kind, "sites": [f"{s.module} {s.at}" for s in c.sites], "offs": admitted(c)}
        for c in found
    ]
    if as_json:
        print_json(rows)
        return
    print_table(
        f"{len(rows)} components",
        ["address", "kind", "site", "off"],
        [[r["address"], r["kind"], ", ".join(r["sites"]), " ".join(r["offs"])] for r in rows],
    )
