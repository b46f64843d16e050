import json
import math

import numpy as np
import pytest

from causalablate.report.gallery import Gallery
from causalablate.report.payload import BINS, Pool, embed, histograms, payload, rounded


@pytest.fixture(scope="module")
def data(study):
    return payload(study.table, study.effects, study.gallery, study.kinds, sesoi={"correct": 0.005}, level=0.95)


def test_rounded_keeps_five_digits_and_no_nan():
    assert [rounded(v) for v in (0.123456789, 3.0, -0.0, math.nan, math.inf)] == [0.12346, 3, 0, None, None]


def test_pool_stores_equal_values_once():
    pool = Pool()
    assert [pool.add(v) for v in ("a", [1, 2], "a", [1, 2], "[1, 2]")] == [0, 1, 0, 1, 2]


def test_effects_refer_to_names_by_index(study, data):
    columns = data["effects"]
    first = study.effects.iloc[0]
    assert data["lesions"][columns["lesion"][0]] == {"name": first["lesion"], "kind": study.kinds[first["lesion"]]}
    assert data["outcomes"][columns["outcome"][0]]["name"] == first["outcome"]
    assert data["groups"][columns["group"][0]]["key"] == first["group"]
    assert columns["ate"][0] == pytest.approx(first["ate"], rel=1e-4)
    assert len({len(column) for column in columns.values()}) == 1


def test_outcomes_carry_unit_band_and_decimals(data):
    correct, logprob = data["outcomes"]
    assert (correct["scale"], correct["sesoi"], correct["histograms"]) == (100, 0.005, {})
    assert logprob["sesoi"] is None
    assert data["primary"] == 0
    assert data["factor"] == "question_type"


def test_histograms_count_every_example(study):
    found = histograms(study.table, "answer_logprob")
    assert set(found) == set(study.kinds)
    low, high, *counts = found["passes.fine=mean"]
    assert low < high
    assert len(counts) == BINS
    assert sum(counts) == 280


def test_a_constant_effect_has_no_histogram(study):
    frame = study.table.frame.assign(effect=np.float32(0))
    assert histograms(type(study.table)(frame), "answer_logprob") == {}


def test_gallery_is_deduplicated(study, data):
    gallery = data["gallery"]
    assert len(gallery["frames"]) == 8
    assert len(set(gallery["texts"])) == len(gallery["texts"])
    assert len(gallery["grids"]) <= 5
    example = gallery["examples"][0]
    assert gallery["texts"][example["answer"]] == "seven"
    lesion, answer, probability, top, grid = example["lesioned"][0]
    assert data["lesions"][lesion]["name"] == "passes.fine=mean"
    assert gallery["texts"][answer] == study.gallery.examples[0].lesioned["passes.fine=mean"].answer
    assert probability == 0.6
    assert len(top) == 5
    assert gallery["grids"][grid] == [[92] * 4] * 4


def test_no_allocation_is_minus_one(study):
    from dataclasses import replace

    example = study.gallery.examples[0]
    bare = replace(example, factual=replace(example.factual, allocation=None))
    data = payload(study.table, study.effects, Gallery((bare,)), study.kinds, sesoi={}, level=0.95)
    assert data["gallery"]["examples"][0]["factual"][3] == -1


def test_embedded_json_holds_no_markup_and_reads_back():
    hostile = {"q": "</script><script>alert(1)</script><!-- & \u2028 é"}
    text = embed(hostile)
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == hostile


def test_embedded_json_refuses_nan():
    with pytest.raises(ValueError, match="JSON"):
        embed({"x": math.nan})
