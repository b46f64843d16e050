"""Compiled programs: what is known of their circuits is what lesions find. Skipped where the files are absent."""

from pathlib import Path

import pytest

from benchmarks.tracr import DATA, main, read_program

ROOT = Path(__file__).parents[2]
PROGRAMS = sorted(DATA.glob("*.json"))

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


def test_the_command_prints_the_table_of_the_docs(capsys):
    main([str(DATA)])
    printed = capsys.readouterr().out.splitlines()
    page = (ROOT / "docs" / "wrap.md").read_text().splitlines()
    assert len(printed) == 2 + len(PROGRAMS) and all(line in page for line in printed)
