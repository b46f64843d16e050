import dataclasses

import numpy as np
import pytest

from causalablate.errors import ExampleError
from causalablate.examples import EXAMPLE_SETS, Example, ExampleSet, digits

IMAGE = np.zeros((4, 4, 3), np.uint8)


def example(**changes):
    fields = {"id": "a", "images": (IMAGE,), "question": "what", "answer": "two", "groups": {"k": "v"}, "seed": 1}
    return Example(**{**fields, **changes})


def test_the_hash_covers_all_content():
    changed = IMAGE.copy()
    changed[0, 0, 0] = 1
    variants = [
        {},
        {"id": "b"},
        {"images": (changed,)},
        {"images": (IMAGE, IMAGE)},
        {"images": (IMAGE.reshape(2, 8, 3),)},
        {"question": "who"},
        {"answer": "one"},
        {"groups": {"k": "w"}},
        {"seed": 2},
        {"cluster": "c"},
    ]
    hashes = {ExampleSet("s", (example(**variant),)).hash for variant in variants}
    assert len(hashes) == len(variants)
    assert ExampleSet("other name", (example(),)).hash == ExampleSet("s", (example(),)).hash


def test_order_is_content():
    a, b = example(), example(id="b")
    assert ExampleSet("s", (a, b)).hash != ExampleSet("s", (b, a)).hash


def test_slicing_gives_a_set():
    whole = digits(10)
    part = whole[2:5]
    assert isinstance(part, ExampleSet) and len(part) == 3 and part[0] is whole[2]
    assert part.hash != whole.hash


def test_an_empty_set_is_refused():
    with pytest.raises(ExampleError, match="empty"):
        ExampleSet("s", ())
    with pytest.raises(ExampleError, match="empty"):
        digits(10)[5:5]


def test_twice_the_same_id_is_refused():
    with pytest.raises(ExampleError, match='"a" twice'):
        ExampleSet("s", (example(), example()))


@pytest.mark.parametrize("images", [(IMAGE.astype(float),), (IMAGE[..., 0],)], ids=["float", "grey"])
def test_malformed_images_are_refused(images):
    with pytest.raises(ExampleError, match='"a"'):
        example(images=images)


def test_an_example_alone_is_its_own_cluster():
    assert example().cluster == "a" and example(cluster="c").cluster == "c"
    assert dataclasses.fields(Example)[0].name == "id"


def test_the_table_names_every_set():
    assert set(EXAMPLE_SETS) == {"digits", "folder", "clips", "stills", "texts"}


def test_shuffled_is_a_random_order_of_whole_clusters():
    images = "aabcccdd"
    whole = ExampleSet("s", tuple(example(id=str(i), cluster=c) for i, c in enumerate(images)))
    mixed = whole.shuffled(3)
    assert mixed.shuffled_by == 3 and whole.shuffled_by is None and mixed[:4].shuffled_by is None
    assert sorted(e.id for e in mixed) == [e.id for e in whole]
    runs = "".join(e.cluster for e in mixed)
    assert all(runs.count(c * images.count(c)) == 1 for c in "abcd") and runs != images
    assert [e.id for e in mixed if e.cluster == "c"] == ["3", "4", "5"]
    assert [e.id for e in whole.shuffled(3)] == [e.id for e in mixed]
    assert {"".join(e.cluster for e in whole.shuffled(seed)) for seed in range(40)} > {runs}
    assert mixed.hash != whole.hash
