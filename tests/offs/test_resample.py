import numpy as np

import causalablate as ca
from causalablate.engine.draws import derived_seed, donor
from causalablate.intervention import do
from causalablate.offs import Resample

IDS = [f"r{i}" for i in range(20)]


def test_the_first_draw_is_what_it_was_in_name_and_in_donors():
    assert (Resample().to_json(), str(Resample())) == ("resample", "resample")
    assert (Resample(draw=2).to_json(), str(Resample(draw=2))) == ({"kind": "resample", "draw": 2}, "resample(draw=2)")
    assert donor("e1", IDS, 3) == donor("e1", IDS, 3, 0) == derived_seed("donor", 3, "e1") % 20


def test_other_draws_have_other_donors_never_the_example_itself():
    drawn = np.array([[donor(key, IDS, 0, draw) for key in IDS] for draw in range(200)])
    assert (drawn != np.arange(20)).all()
    assert len({row.tobytes() for row in drawn}) == 200
    counts = np.bincount(drawn.ravel(), minlength=20)
    assert counts.min() > 130 and counts.max() < 270  # 200 each on average


def test_lesions_of_other_draws_differ_and_repeat(model, examples, reference):
    def values(draw):
        lesion = do("connector", off=Resample(draw=draw))
        return ca.counterfactuals(model, examples, lesion, reference=reference).frame["counterfactual"].to_numpy()

    plain = ca.counterfactuals(model, examples, do("connector", off="resample"), reference=reference).frame
    assert values(0).tobytes() == plain["counterfactual"].to_numpy().tobytes()
    assert len({values(draw).tobytes() for draw in (0, 1, 2)}) == 3
    assert values(1).tobytes() == values(1).tobytes()
