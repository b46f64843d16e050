import numpy as np

from causalablate.effects.groups import subgroups


def test_every_level_of_every_group_once(effects_of):
    groups = {"type": np.array(["b", "a", "b", None], dtype=object), "size": np.array([1, 1, 2, 2], dtype=object)}
    got = {name: part.effect.tolist() for name, part in subgroups(effects_of([[1, 2, 3, 4]], groups=groups))}
    assert got == {
        "all": [[1, 2, 3, 4]],
        "type=a": [[2]],
        "type=b": [[1, 3]],
        "size=1": [[1, 2]],
        "size=2": [[3, 4]],
    }
    assert next(iter(got)) == "all"


def test_a_missing_label_is_not_the_label_none(effects_of):
    labels = np.array(["None", None], dtype=object)
    got = {name: part.effect.tolist() for name, part in subgroups(effects_of([[1, 2]], groups={"g": labels}))}
    assert got["g=None"] == [[1]]
