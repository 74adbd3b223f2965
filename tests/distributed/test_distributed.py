"""Several processes on real MPI: what they compute together, and how they end."""

import re
import time

import numpy as np
import pytest

import minigrad as mg
from minigrad import data, distributed, nn, optim
from minigrad.errors import ArgumentError, DistributedError, MissingPackageError, StateDictError
from tests.distributed.launching import REASON, launched, launcher

mpi = pytest.mark.skipif(launcher() is None, reason=REASON)
pytestmark = pytest.mark.xdist_group("mpi")  # launches share the cores: one at a time

SIZES = (1, 2, 4)
QUIET = {"PYTHONWARNINGS": "ignore::UserWarning"}


def runs(program, ranks, *arguments, **options):
    outcome = launched(program, ranks, *arguments, **{**QUIET, **options})
    assert outcome.status == 0, outcome.errors
    return outcome.said


@mpi
@pytest.mark.parametrize("ranks", SIZES)
def test_collectives(ranks):
    assert runs("collectives", ranks).count("done") == ranks


@mpi
@pytest.mark.parametrize("ranks", SIZES)
def test_training_is_that_of_one_process_which_adds_up_gradients(ranks):
    assert "trained" in runs("training", ranks)


@mpi
@pytest.mark.parametrize("ranks", SIZES)
def test_what_data_parallel_training_can_do(ranks):
    assert runs("features", ranks).count("done") == ranks


@mpi
def test_a_tree_of_micro_batches_gives_the_same_bits_on_any_number_of_ranks():
    said = {runs("deterministic", ranks) for ranks in SIZES}
    assert len(said) == 1
    assert re.fullmatch(r"float32 [0-9a-f]{64}\nfloat64 [0-9a-f]{64}\n", said.pop())


@mpi
@pytest.mark.parametrize("ranks", SIZES)
def test_optimizers_in_shards(ranks, tmp_path):
    assert runs("sharded", ranks, tmp_path).count("done") == ranks


# How it ends


@mpi
@pytest.mark.parametrize("under_mpi4py", [False, True])
@pytest.mark.parametrize(("kind", "words"), [
    ("exception", ["ValueError: bad data", "rank 1 of 2, step 3: ValueError ends all ranks"]),
    ("exit", ["rank 1 came to the end of the program, and rank 0 still had", "(step 3)", "model.join()"]),
    ("end", ["rank 1 came to the end of the program, and rank 0 still had", "(step 3)"]),
    ("nothing", ["rank 1 came to the end of the program", "(step 999)"]),
    ("shape", ["at step 3: rank 0: all_reduce sum of float32 (1000,); rank 1: all_reduce sum of float64 (500,)"]),
    ("dtype", ["rank 0: all_reduce sum of float32 (1000,); rank 1: all_reduce sum of float64 (1000,)"]),
    ("order", ["rank 0: average gradients of weight float64 (1, 3)", "rank 1: wait at a barrier"]),
    ("compiled end", ["rank 1 came to the end of the program, and rank 0 still had average gradients", "(step "]),
    ("compiled order", ["rank 0: average gradients of weight float64 (1, 3)", "rank 1: wait at a barrier"]),
    ("compiled other rows", ["(1, 3), bias float64 (1,); rank 1: average gradients of", "to trace a function"]),
    ("kill", ["rank 1 of 2, step 3: was killed, or has left without a word, and all ranks end"]),
])  # fmt: skip
def test_what_one_rank_does_wrong_ends_all(kind, words, under_mpi4py):
    outcome = launched("failing", 2, kind, under_mpi4py=under_mpi4py, timeout=30)
    assert outcome.status != 0
    for text in words:
        assert text in outcome.errors
    assert outcome.errors.count("Traceback") == (kind != "kill")
    assert outcome.errors.count("was killed") == (kind == "kill")


@mpi
def test_a_rank_that_leaves_by_the_back_door_is_reported(tmp_path):
    outcome = launched("failing", 2, "hard end", timeout=30, TMPDIR=str(tmp_path))
    assert "rank 1 of 2, step 3: was killed, or has left without a word" in outcome.errors
    time.sleep(1.5)
    assert not list(tmp_path.glob("minigrad-ranks-*"))  # by which they know who was the first


@mpi
def test_a_rank_does_not_wait_for_ever():
    outcome = launched("waiting", 2, timeout=30)
    assert outcome.status != 0
    assert "rank 0 waited for the others for 0.5 seconds, with wait at a barrier (step 0)" in outcome.errors


@mpi
def test_more_threads_than_cores_are_warned_of():
    outcome = launched("waiting", 2, "0", OPENBLAS_NUM_THREADS="64", timeout=30)
    assert "2 ranks with" in outcome.errors
    assert "OPENBLAS_NUM_THREADS=1 before the start" in outcome.errors


# Checkpoints


@mpi
def test_a_run_that_is_killed_goes_on_bit_for_bit(tmp_path):
    whole = runs("resuming", 2, tmp_path / "whole.npz", 40, 64)
    file, ends = tmp_path / "killed.npz", []
    for i in range(4):
        ends.append(launched("resuming", 2, file, 40, 64, 0.05 + 0.03 * i, timeout=30, **QUIET).status)
    assert runs("resuming", 2, file, 40, 64) == whole
    assert any(ends)


@mpi
@pytest.mark.parametrize("ranks", [1, 4])
def test_a_checkpoint_of_two_ranks_goes_on_with_another_number(ranks, tmp_path):
    before = runs("resuming", 2, tmp_path / "run.npz", 3, 64)
    after = runs("resuming", ranks, tmp_path / "run.npz", 12, 64)
    first, last = (float(text.split()[1]) for text in (before, after))
    assert last < first


# Without a launcher


def test_a_script_runs_alone_as_well():
    assert (distributed.get_rank(), distributed.get_world_size(), distributed.is_initialized()) == (0, 1, False)
    distributed.init_process_group()
    try:
        assert distributed.is_initialized()
        np.testing.assert_array_equal(distributed.all_reduce(np.ones(2)), [1, 1])
        with pytest.raises(DistributedError, match="there is a process group already"):
            distributed.init_process_group()
        model = nn.parallel.DistributedDataParallel(nn.Linear(2, 1))
        optimizer = optim.ZeroRedundancyOptimizer(model.parameters(), optim.Adam, lr=0.1)
        model(np.ones((3, 2))).sum().backward()
        optimizer.step()
        assert optimizer.state_dict()["state"].keys() == {0, 1}
    finally:
        distributed.destroy_process_group()


@pytest.mark.parametrize("call", [
    lambda: distributed.all_reduce(np.ones(1)), distributed.barrier, distributed.destroy_process_group,
    lambda: nn.parallel.DistributedDataParallel(nn.Linear(1, 1)), lambda: distributed.all_gather_object(1),
    lambda: optim.ZeroRedundancyOptimizer([], optim.SGD),
])  # fmt: skip
def test_without_a_group_the_error_says_how_to_make_one(call):
    with pytest.raises(DistributedError, match=r"call minigrad\.distributed\.init_process_group\(\) first"):
        call()


def test_a_launcher_without_mpi4py(monkeypatch):
    monkeypatch.setenv("PMI_SIZE", "2")
    monkeypatch.setitem(__import__("sys").modules, "mpi4py", None)
    with pytest.raises(MissingPackageError, match=r"pip install mpi4py mpich \(the extra `mpi`\)"):
        distributed.init_process_group()


@pytest.mark.parametrize("backend", ["nccl", "gloo", 3])
def test_other_backends(backend):
    with pytest.raises(ArgumentError, match="there is one backend, 'mpi'"):
        distributed.init_process_group(backend)


def test_nothing_of_mpi_is_imported_with_the_package():
    import subprocess
    import sys

    code = "import sys, minigrad.distributed as d; d.init_process_group(); print('mpi4py' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


# The samples of each rank


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize(("samples", "ranks"), [(10, 2), (10, 3), (10, 4), (3, 3), (1, 1), (7, 5)])
def test_samples_are_shared_out(samples, ranks, shuffle, drop_last):
    made = [
        data.DistributedSampler(range(samples), ranks, r, shuffle=shuffle, drop_last=drop_last) for r in range(ranks)
    ]
    orders = [list(sampler) for sampler in made]
    assert len({len(order) for order in orders}) == 1
    assert [len(sampler) for sampler in made] == [len(order) for order in orders]
    given = sorted(i for order in orders for i in order)
    if drop_last:
        assert len(given) == len(set(given)) == samples // ranks * ranks
    else:
        assert set(given) == set(range(samples))
        assert len(given) - samples < ranks


def test_epochs_differ_and_a_forgotten_one_warns():
    sampler = data.DistributedSampler(range(50), 2, 0)
    first = list(sampler)
    with pytest.warns(UserWarning, match=r"sampler\.set_epoch\(epoch\) before each epoch"):
        assert list(sampler) == first
    sampler.set_epoch(1)
    assert list(sampler) != first
    again = data.DistributedSampler(range(50), 2, 0)
    again.load_state_dict(sampler.state_dict())
    assert again.epoch == 1
    for wrong in ({}, {"epoch": -1}, {"epoch": "x"}):
        with pytest.raises(StateDictError, match="does not fit a DistributedSampler"):
            again.load_state_dict(wrong)
    unshuffled = data.DistributedSampler(range(4), 2, 1, shuffle=False)
    assert list(unshuffled) == list(unshuffled) == [1, 3]


def test_a_loader_goes_on_in_the_middle_of_an_epoch():
    rows = data.TensorDataset(np.arange(20.0))

    def loader():
        return data.DataLoader(rows, batch_size=3, sampler=data.DistributedSampler(rows, 2, 1, seed=4))

    one, two = loader(), loader()
    one.sampler.set_epoch(3)
    batches = iter(one)
    seen = [next(batches)[0].tolist() for _ in range(2)]
    state = one.state_dict()
    rest = [batch[0].tolist() for batch in batches]
    two.load_state_dict(state)
    assert [batch[0].tolist() for batch in two] == rest
    assert sum(len(batch) for batch in seen + rest) == 10


@pytest.mark.parametrize(("options", "words"), [
    ({"num_replicas": 5, "rank": 0}, "4 samples cannot be shared out among 5 ranks"),
    ({"num_replicas": 2, "rank": 2}, "of 2 ranks none has the number 2"),
    ({"num_replicas": 0, "rank": 0}, "num_replicas"), ({"num_replicas": 2, "rank": -1}, "rank"),
    ({"num_replicas": 2, "rank": 0, "seed": -1}, "seed"),
])  # fmt: skip
def test_samplers_that_cannot_be(options, words):
    with pytest.raises(ArgumentError, match=words):
        data.DistributedSampler(range(4), **options)


def test_a_seed_gives_each_rank_numbers_of_its_own():
    own = distributed.manual_seed(3).random(4)
    np.testing.assert_array_equal(distributed.manual_seed(3).random(4), own)
    assert not np.array_equal(mg.manual_seed(3).random(4), own)
