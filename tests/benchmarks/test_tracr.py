"""Compiled programs: what is known of their circuits is what lesions find. Skipped where the files are absent."""

from pathlib import Path

import numpy as np
import pytest

import causalablate as ca
from benchmarks.tracr import DATA, main, read_program

ROOT = Path(__file__).parents[2]
PROGRAMS = sorted(DATA.glob("*.json"))

PAIRED = {"kind": "resample", "donor": "paired"}

pytestmark = pytest.mark.skipif(not PROGRAMS, reason=f"no compiled programs in {DATA}")


@pytest.fixture(params=PROGRAMS, ids=lambda path: path.stem)
def program(request):
    return read_program(request.param)


def test_it_answers_as_the_interpreter(program):
    assert len(program.facts["cases"]) == 40 and all(program.cases_right())


def test_a_lesion_of_an_unused_component_changes_nothing_to_the_bit(program):
    used = {entry["component"] for entry in program.facts["components"]}
    for off in ("zero", "resample"):
        effects = program.effects(off)
        assert set(effects) == used | set(program.facts["unused_components"])
        assert all(effects[name] == 0.0 for name in program.facts["unused_components"])
        assert all(effects[name] > 0.5 for name in used) or off != "zero"


def test_interchanges_and_forced_values_give_the_answers_listed(program):
    assert all(program.interchanges_right())
    assert all(program.forced_right())


def test_an_interchange_with_the_wrong_values_is_noticed(program):
    """The check can fail: a variable that keeps its own values does not give the answers of the interchange."""
    changing = [e for e in program.facts["interchanges"] if e["changes"]]
    kept = [program.under(entry, program.node(entry, entry["base_ids"])) for entry in changing]
    assert not any(kept)


def test_a_paired_resample_is_the_interchange_intervention(program):
    """The same through tables: the reference set holds the source inputs under the ids of the base inputs."""
    lesions = {entry["node"]: ca.do({f"nodes.{entry['node']}": PAIRED}) for entry in program.facts["interchanges"]}
    outcome = "predicted_answer" if program.categorical else "logit_difference"
    for entry in program.facts["interchanges"]:
        base, source = (at_every_position(program, entry[f"{which}_ids"]) for which in ("base", "source"))
        lesion = lesions[entry["node"]]
        frame = ca.counterfactuals(program.model, base, lesion, outcomes=[outcome], reference=source).frame
        found = frame["counterfactual"].tolist()
        if program.categorical:
            found = [program.facts["output"]["decode"][int(i)] for i in found]
        assert program.agrees(found, entry["expected_output"])


def at_every_position(program, ids):
    n = len(ids) - 1
    inputs = {"ids": np.tile(ids, (n, 1)), "position": np.arange(1, n + 1)}
    return ca.tensors(inputs, [program.model.vocabulary[-1]] * n)


def test_the_command_prints_the_table_of_the_docs(capsys):
    main([str(DATA)])
    printed = capsys.readouterr().out.splitlines()
    page = (ROOT / "docs" / "wrap.md").read_text().splitlines()
    assert len(printed) == 2 + len(PROGRAMS) and all(line in page for line in printed)
