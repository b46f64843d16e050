"""`causalablate`: the commands, and how they end.

Exit codes: 0 done; 1 a check found a fault; 2 bad input; 130 interrupted. A traceback is a bug of ours.
"""

import sys

import typer

from causalablate.cli.attribute import attribute
from causalablate.cli.compare import compare
from causalablate.cli.components import components
from causalablate.cli.cost import cost
from causalablate.cli.demo import demo
from causalablate.cli.doctor import doctor
from causalablate.cli.effects import effects
from causalablate.cli.evaluate import evaluate
from causalablate.cli.generate import generate
from causalablate.cli.graph import graph
from causalablate.cli.interactions import interactions
from causalablate.cli.lesion import lesion
from causalablate.cli.online import online
from causalablate.cli.report import report
from causalablate.cli.retrain import retrain
from causalablate.cli.run import run
from causalablate.cli.runs import runs
from causalablate.cli.screen import screen
from causalablate.cli.sweep import sweep
from causalablate.cli.trace import trace
from causalablate.cli.train import train
from causalablate.errors import CausalAblateError

INTERRUPTED = 130

app = typer.Typer(
    name="causalablate",
    help="Does this component cause that behaviour? Causal interventions on trained vision-language models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
commands = (
    demo, components, lesion, generate, trace, screen, sweep, attribute, run, report, effects, compare, online, cost,
    runs, graph, interactions, evaluate, train, retrain, doctor,
)  # fmt: skip
for command in commands:
    app.command()(command)


def main() -> None:
    """Run the command line."""
    try:
        code = app(standalone_mode=False)
    except CausalAblateError as error:
        print(f"error: {error}", file=sys.stderr)
        code = 2
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except typer.Exit as leaving:
        code = leaving.exit_code
    except Exception as error:  # click's own usage errors, whose class differs between typer versions
        if not hasattr(error, "exit_code") or not hasattr(error, "show"):
            raise
        error.show()
        code = 2
    if code == INTERRUPTED:
        print(
            "interrupted: nothing half-written remains; studies and training go on with the same command",
            file=sys.stderr,
        )
    sys.exit(code if isinstance(code, int) else 0)
