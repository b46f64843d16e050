"""`causalablate demo`: the main job on what comes along."""

from pathlib import Path

from causalablate.cli.options import AsJson, Out, Quiet


def demo(out: Out = None, as_json: AsJson = False, quiet: Quiet = False) -> None:
    """Lesion every kind of component of the shipped model on real scanned digits, and write the report."""
    from causalablate.cli.run import run_study
    from causalablate.study import find_study

    run_study(find_study("demo"), out or Path("runs/demo"), as_json=as_json, quiet=quiet)
