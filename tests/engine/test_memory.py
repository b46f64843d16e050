import psutil
import pytest

from causalablate.engine.memory import free_memory

GB = 10**9


@pytest.fixture
def machine(monkeypatch, tmp_path):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"available": 100 * GB}))

    def write(files):
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return tmp_path

    return write


def group(folder, limit, used, cached=0, version=2):
    names = ("memory.max", "memory.current", "inactive_file")
    if version == 1:
        names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
    return {
        f"{folder}/{names[0]}": f"{limit}\n",
        f"{folder}/{names[1]}": f"{used}\n",
        f"{folder}/memory.stat": f"anon 5\n{names[2]} {cached}\n",
    }


def test_without_groups_it_is_what_the_machine_has(machine, tmp_path):
    assert free_memory(tmp_path) == 100 * GB


def test_the_limit_of_a_container_counts_and_what_the_system_would_give_back_is_free(machine):
    root = machine({"proc/self/cgroup": "0::/\n", **group("sys/fs/cgroup", 8 * GB, 6 * GB, cached=3 * GB)})
    assert free_memory(root) == 5 * GB


def test_the_tightest_limit_on_the_way_up_counts(machine):
    files = {"proc/self/cgroup": "0::/job/step\n"}
    files |= group("sys/fs/cgroup/job/step", "max", GB) | group("sys/fs/cgroup/job", 4 * GB, 3 * GB)
    assert free_memory(machine(files)) == GB


def test_version_1_has_a_tree_for_memory(machine):
    files = {"proc/self/cgroup": "7:cpu,cpuacct:/x\n5:memory:/slurm/job\n1:name=systemd:/y\n"}
    files |= group("sys/fs/cgroup/memory/slurm/job", 3 * GB, GB, version=1)
    files |= group("sys/fs/cgroup/memory", 9223372036854771712, 50 * GB, version=1)
    assert free_memory(machine(files)) == 2 * GB


def test_inside_a_container_the_path_may_be_that_of_the_host(machine):
    files = {"proc/self/cgroup": "0::/docker/abc\n", **group("sys/fs/cgroup", 2 * GB, GB)}
    assert free_memory(machine(files)) == GB


def test_a_group_above_its_limit_leaves_nothing(machine):
    assert free_memory(machine({"proc/self/cgroup": "0::/\n", **group("sys/fs/cgroup", GB, 2 * GB)})) == 0


def test_here_it_is_a_plausible_number():
    assert 0 < free_memory() <= psutil.virtual_memory().total
