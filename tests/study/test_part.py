import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from causalablate.study.part import Part, decode, encode, units_of


def part(key="k", n=7, start=3, lesioned=True):
    rng = np.random.default_rng(n)
    values = {"loss": rng.normal(size=n).astype(np.float32), "correct": np.arange(n, dtype=np.float32) % 2}
    values["loss"][0] = -0.0
    if not lesioned:
        return Part(key, "factual", start, values)
    return Part(key, "a=zero", start, values, rng.random(n) > 0.5, rng.random(n).astype(np.float32))


def same(a, b):
    assert (a.key, a.about, a.start, a.schema) == (b.key, b.about, b.start, b.schema)
    for name, column in a.values.items():
        assert b.values[name].dtype == np.float32
        assert b.values[name].tobytes() == column.tobytes()
    if a.fired is None:
        assert b.fired is None
        assert b.change_norm is None
    else:
        assert b.fired.tobytes() == a.fired.tobytes()
        assert b.change_norm.tobytes() == a.change_norm.tobytes()


@pytest.mark.parametrize("lesioned", [True, False])
def test_bytes_come_back_bit_for_bit(lesioned):
    parts = [part("a", 7, lesioned=lesioned), part("b", 1, lesioned=lesioned), part("c", 20, 0, lesioned=lesioned)]
    content = encode(parts)
    for original, found in zip(parts, decode(content), strict=True):
        same(original, found)
    assert encode(parts) == content


def test_the_footer_lists_the_units(tmp_path):
    (tmp_path / "p").write_bytes(encode([part("a"), part("b", 2)]))
    with (tmp_path / "p").open("rb") as file:
        assert units_of(file) == ["a", "b"]


def test_other_tools_can_read_it(tmp_path):
    import pandas as pd

    (tmp_path / "p.parquet").write_bytes(encode([part("a", 3, 10), part("b", 2, 0)]))
    frame = pd.read_parquet(tmp_path / "p.parquet")
    assert list(frame["unit"].astype(str)) == ["a"] * 3 + ["b"] * 2
    assert list(frame["row"]) == [10, 11, 12, 0, 1]
    assert list(frame.columns) == ["unit", "row", "fired", "change_norm", "loss", "correct"]


def test_every_flipped_bit_is_noticed():
    content = encode([part(n=5)])
    for byte in range(len(content)):
        damaged = bytearray(content)
        damaged[byte] ^= 1 << (byte % 8)
        with pytest.raises(Exception, match=r"digest|subsection not found"):
            decode(bytes(damaged))


def test_page_checksums_are_there_for_readers_that_know_no_digest():
    content = encode([part(n=2000)])
    damaged = bytearray(content)
    damaged[len(content) // 3] ^= 1
    with pytest.raises(OSError, match=r"(?i)crc|checksum"):
        pq.ParquetFile(pa.BufferReader(bytes(damaged)), page_checksum_verification=True).read()


@pytest.mark.parametrize("keep", [0, 1, 100, -1])
def test_a_truncated_part_is_refused(keep):
    content = encode([part()])
    with pytest.raises(Exception, match=r".+"):
        decode(content[:keep])


def test_a_row_takes_about_five_bytes():
    rng = np.random.default_rng(0)
    n = 50_000
    values = {"correct": rng.integers(0, 2, n).astype(np.float32)}
    parts = [Part("k", "a", 0, values, np.ones(n, dtype=bool), rng.random(n).astype(np.float32))]
    assert len(encode(parts)) / n < 6
