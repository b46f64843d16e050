import errno
import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from causalablate.engine import rows
from causalablate.engine.rows import RowStore
from causalablate.errors import StorageError

N = 10


def activations(shape, dtype):
    x = torch.randn((N, *shape), generator=torch.Generator().manual_seed(0))
    if dtype == torch.bool:
        return x > 0
    x = x.to(dtype)
    x.view(-1)[:3] = torch.tensor([-0.0, float("nan"), float("inf")], dtype=dtype)
    return x


def bits(x):
    return x.contiguous().reshape(-1).view(torch.uint8)


def filled(store, x, batch=4):
    kept = store.reserve(x.shape[1:], x.dtype)
    for start in range(0, N, batch):
        kept.put(start, x[start : start + batch])
    return kept


@pytest.mark.parametrize("memory", [0, None])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64, torch.bool])
@pytest.mark.parametrize("shape", [(), (5,), (3, 4), (1, 3, 2, 7)])
def test_what_is_taken_is_what_was_put_bit_for_bit(tmp_path, memory, dtype, shape):
    x, store = activations(shape, dtype), RowStore(N, memory=memory, folder=tmp_path)
    kept = filled(store, x)
    assert (store.n_bytes_on_disk > 0) == (memory == 0)
    for chosen in ([3], [9, 0, 0, 4], list(range(N))):
        taken = kept.take(torch.tensor(chosen))
        assert taken.dtype == dtype and taken.shape == (len(chosen), *shape)
        assert torch.equal(bits(taken), bits(x[chosen]))


@pytest.mark.parametrize("memory", [0, None])
def test_what_is_taken_is_a_copy(tmp_path, memory):
    x = activations((3,), torch.float32)
    kept = filled(RowStore(N, memory=memory, folder=tmp_path), x)
    kept.take(torch.arange(N)).zero_()
    assert torch.equal(bits(kept.take(torch.arange(N))), bits(x))


@pytest.mark.parametrize("memory", [0, None])
def test_what_was_put_in_inference_mode_can_enter_a_computation_with_gradients(tmp_path, memory):
    with torch.inference_mode():
        kept = filled(RowStore(N, memory=memory, folder=tmp_path), torch.ones(N, 3))
    weight = torch.ones(3, requires_grad=True)
    (kept.take(torch.tensor([1])) * weight).sum().backward()
    assert torch.equal(weight.grad, torch.ones(3))


def test_views_and_slices_are_kept_as_they_look(tmp_path):
    whole = torch.randn(N, 3, 8)
    for memory in (0, None):
        kept = filled(RowStore(N, memory=memory, folder=tmp_path), whole[..., 2:5].transpose(1, 2))
        assert torch.equal(kept.take(torch.arange(N)), whole[..., 2:5].transpose(1, 2))


def test_places_fill_the_budget_one_after_the_other(tmp_path):
    x = torch.randn(N, 25)  # 1,000 bytes
    store = RowStore(N, memory=2500, folder=tmp_path)
    kept = [filled(store, x + i) for i in range(4)]
    assert (store.n_bytes_in_memory, store.n_bytes_on_disk) == (2000, 2000)
    small = filled(store, x[:, :10])
    assert (store.n_bytes_in_memory, store.n_bytes_on_disk) == (2400, 2000)
    assert all(torch.equal(k.take(torch.arange(N)), x + i) for i, k in enumerate(kept))
    assert torch.equal(small.take(torch.arange(N)), x[:, :10])


def test_by_default_half_of_the_free_memory_is_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(rows, "free_memory", lambda: 2000)
    store = RowStore(N, folder=tmp_path)
    filled(store, torch.randn(N, 25))
    filled(store, torch.randn(N, 1))
    assert (store.n_bytes_in_memory, store.n_bytes_on_disk) == (1000, 40)


def test_more_can_be_put_after_something_was_read(tmp_path):
    store, x = RowStore(N, memory=0, folder=tmp_path), torch.randn(N, 3)
    one = filled(store, x)
    assert torch.equal(one.take(torch.tensor([2])), x[2:3])
    two = filled(store, x * 2)
    assert torch.equal(two.take(torch.tensor([2])), x[2:3] * 2)
    assert torch.equal(one.take(torch.tensor([2])), x[2:3])


def open_files(folder):
    links = [str(fd.readlink()) for fd in Path("/proc/self/fd").iterdir() if fd.is_symlink()]
    return [link for link in links if link.startswith(str(folder))]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_the_file_has_no_name_and_is_closed_with_its_owner(tmp_path):
    store = RowStore(N, memory=0, folder=tmp_path)
    kept = filled(store, torch.randn(N, 3))
    assert list(tmp_path.iterdir()) == []
    assert len(open_files(tmp_path)) == 1
    del store
    assert torch.isfinite(kept.take(torch.tensor([1]))).all()  # whoever holds activations holds the file
    del kept
    gc.collect()
    assert open_files(tmp_path) == []


def test_nothing_remains_of_a_process_that_is_killed(tmp_path):
    code = (
        "import os, pathlib, signal, sys, torch; from causalablate.engine.rows import RowStore; "
        "kept = RowStore(2, memory=0, folder=pathlib.Path(sys.argv[1])).reserve(torch.Size([1000]), torch.float32); "
        "kept.put(0, torch.ones(2, 1000)); os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code, tmp_path], check=False).returncode == -9
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_clear_error(tmp_path, monkeypatch):
    class Full:
        def __init__(self, real):
            self.real, self.room = real, 100

        def write(self, content):
            if not self.room:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            written = self.real.write(content[: self.room])
            self.room -= written
            return written

        def __getattr__(self, name):
            return getattr(self.real, name)

    real = rows.tempfile.TemporaryFile
    monkeypatch.setattr(rows.tempfile, "TemporaryFile", lambda **k: Full(real(**k)))
    store = RowStore(N, memory=0, folder=tmp_path)
    with pytest.raises(
        StorageError,
        match=rf"cannot keep the activations of the reference set in {tmp_path}: No space left on device\. "
        r"They take 0\.00 GB there\. Make room, set TMPDIR to a larger disk",
    ):
        filled(store, torch.randn(N, 25))


def test_a_folder_that_is_not_there_is_one_clear_error(tmp_path):
    with pytest.raises(StorageError, match="No such file or directory"):
        filled(RowStore(N, memory=0, folder=tmp_path / "nowhere"), torch.randn(N, 2))


def test_what_is_written_in_small_pieces_arrives_whole(tmp_path, monkeypatch):
    class Slow:
        def __init__(self, real):
            self.real = real

        def write(self, content):
            return self.real.write(content[:7])

        def __getattr__(self, name):
            return getattr(self.real, name)

    real, x = rows.tempfile.TemporaryFile, torch.randn(N, 25)
    monkeypatch.setattr(rows.tempfile, "TemporaryFile", lambda **k: Slow(real(**k)))
    assert torch.equal(filled(RowStore(N, memory=0, folder=tmp_path), x).take(torch.arange(N)), x)
