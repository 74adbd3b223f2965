"""Random numbers: one seed, one course of events."""

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import errors, nn
from minigrad.random import generator, get_state, manual_seed, rand, randn, set_state, using

F = nn.functional


@pytest.fixture(autouse=True)
def _seed():
    manual_seed(0)


def drawn():
    return rand(3).tolist()


# The package's generator


def test_a_seed_gives_the_numbers_of_numpys_generator():
    assert manual_seed(7) is generator()
    expected = np.random.default_rng(7)
    np.testing.assert_array_equal(rand(2, 3).data, expected.random((2, 3)))
    np.testing.assert_array_equal(randn(4).data, expected.standard_normal(4))
    assert rand().shape == ()


@pytest.mark.parametrize("seed", [0, 1, 2**32, 2**64 - 1, 2**200])
def test_seeds_differ(seed):
    manual_seed(seed)
    first = drawn()
    assert drawn() != first
    manual_seed(seed + 1)
    assert drawn() != first
    manual_seed(seed)
    assert drawn() == first


@pytest.mark.parametrize("seed", [-1, 1.5, "a"])
def test_a_seed_that_is_none_changes_nothing(seed):
    state = get_state()
    with pytest.raises((ValueError, TypeError)):
        manual_seed(seed)
    assert get_state() == state


def test_without_a_seed_each_process_has_its_own_numbers():
    command = [sys.executable, "-c", "import minigrad as mg; print(mg.random.rand(2).tolist())"]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2)]
    assert runs[0] != runs[1]


def test_a_state_can_be_kept_and_restored():
    randn(3)
    generator().integers(10, dtype=np.uint32)  # of which half a number of 64 bits is kept
    state = get_state()
    first = [drawn(), generator().integers(10, size=5, dtype=np.uint32).tolist()]
    again = get_state()
    assert again != state
    set_state(state)
    assert [drawn(), generator().integers(10, size=5, dtype=np.uint32).tolist()] == first
    assert get_state() == again


def test_a_state_does_not_change_with_the_generator():
    state = get_state()
    copy = {**state, "state": dict(state["state"])}
    rand(3)
    assert state == copy
    set_state(state)
    rand(3)
    assert state == copy


@pytest.mark.parametrize(
    "bad",
    [
        {},
        None,
        3,
        np.random.MT19937(0).state,
        {"bit_generator": "PCG64"},
        {"bit_generator": "PCG64", "state": {"state": 1}, "has_uint32": 0, "uinteger": 0},
        {"bit_generator": "PCG64", "state": {"state": 1, "inc": 1}},
        {"bit_generator": "PCG64", "state": {"state": "1", "inc": 1}, "has_uint32": 0, "uinteger": 0},
        {"bit_generator": "PCG64", "state": {"state": 2**200, "inc": 1}, "has_uint32": 0, "uinteger": 0},
        {"bit_generator": "PCG64", "state": {"state": 1, "inc": 1}, "has_uint32": 0, "uinteger": -1},
    ],
    ids=range(10),
)
def test_a_state_that_is_none_changes_nothing(bad):
    state = get_state()
    with pytest.raises(errors.StateDictError, match="no state of the random numbers"):
        set_state(bad)
    assert get_state() == state


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_a_state_can_be_saved(tmp_path, suffix):
    if suffix == ".safetensors":
        pytest.importorskip("safetensors")
    for own in (np.random.PCG64(3), np.random.MT19937(3), np.random.Philox(3), np.random.SFC64(3)):
        with using(np.random.Generator(own)):
            mg.save(tmp_path / f"x{suffix}", get_state())
            first = drawn()
            set_state(mg.load(tmp_path / f"x{suffix}"))
            assert drawn() == first


def test_dtypes_and_leaves():
    assert rand(2).dtype == mg.get_default_dtype()
    assert randn(2, dtype=np.float32).dtype == np.float32
    leaf = rand(2, requires_grad=True)
    assert leaf.is_leaf
    assert leaf.requires_grad
    own = np.random.default_rng(5)
    state = get_state()
    assert rand(2, generator=own).tolist() == np.random.default_rng(5).random(2).tolist()
    assert get_state() == state


# Another generator in its place


def test_a_generator_takes_the_place_of_the_packages():
    state = get_state()
    own = np.random.default_rng(3)
    with using(own) as inside:
        assert inside is own
        assert generator() is own
        first = drawn()
    assert get_state() == state
    with using(3):
        assert drawn() == first
        assert nn.Linear(2, 2).weight.tolist() != nn.Linear(2, 2).weight.tolist()
    assert get_state() == state
    assert generator() is not own


def test_blocks_are_nested_and_end_with_exceptions():
    outer = generator()
    with using(1) as one:
        with pytest.raises(ZeroDivisionError), using(2):
            generator().random(1 // (generator() is one))
        assert generator() is one
        with using(one):
            assert generator() is one
        assert generator() is one
    assert generator() is outer


def test_what_is_no_generator_is_refused():
    outer = generator()
    for bad in ("a", -1, 1.5):
        with pytest.raises((ValueError, TypeError)), using(bad):
            pass
    assert generator() is outer


def test_seeds_and_states_are_those_of_the_block():
    state = get_state()
    with using(1):
        manual_seed(5)
        first = drawn()
        inside = get_state()
        drawn()
        set_state(inside)
    assert get_state() == state
    with using(np.random.Generator(np.random.MT19937(5))):
        manual_seed(5)
        second = drawn()
        manual_seed(5)
        assert drawn() == second
    assert get_state() == state
    manual_seed(5)
    assert drawn() == first


def test_a_block_is_for_its_thread_only():
    inside, over, seen = threading.Event(), threading.Event(), []

    def work():
        with using(1):
            inside.set()
            over.wait(10)
            seen.append(drawn())

    thread = threading.Thread(target=work)
    thread.start()
    assert inside.wait(10)
    own = generator()
    with using(2):
        numbers = drawn()
        over.set()
        thread.join()
        assert numbers != seen[0]
    assert generator() is own
    with using(1):
        assert seen == [drawn()]


def test_a_new_thread_has_the_packages_generator():
    seen = []
    with using(1):
        thread = threading.Thread(target=lambda: seen.append(generator()))
        thread.start()
        thread.join()
        assert generator() is not seen[0]
    assert seen == [generator()]


def test_a_given_generator_comes_first():
    own = np.random.default_rng(0)
    with using(1):
        assert generator(own) is own
        assert rand(2, generator=own).tolist() == np.random.default_rng(0).random(2).tolist()


# One seed, one training run


class Noisy(mg.data.Dataset):
    """Samples with a random augmentation."""

    def __getitem__(self, i):
        return np.sin(np.arange(4.0) + i) + 0.1 * randn(4).data, float(i % 3)

    def __len__(self):
        return 24


def train(seed, num_workers=0, steps=10):
    """The bytes of a model after some training."""
    manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.GELU(), nn.Linear(8, 1))
    optimizer = mg.optim.AdamW(model.parameters(), lr=0.01)
    loader = mg.data.DataLoader(Noisy(), batch_size=5, shuffle=True, num_workers=num_workers)
    done, losses = 0, []
    while done < steps:
        for x, y in loader:
            optimizer.zero_grad()
            loss = F.mse_loss(model(x)[:, 0], y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            done += 1
    return losses, b"".join(t.data.tobytes() for t in model.state_dict().values()), drawn()


def test_one_seed_gives_one_training_run_bit_for_bit():
    first = train(3)
    assert train(3) == first
    assert train(3, num_workers=2) == first
    assert train(3, num_workers=3) == first
    other = train(4)
    assert all(one != two for one, two in zip(first, other, strict=True))


def test_one_seed_gives_one_training_run_in_a_block_and_in_a_thread():
    first, found = train(3), []

    def work():
        with using(0):
            found.append(train(3, num_workers=2))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [first] * 3


def test_one_seed_gives_one_training_run_in_another_process():
    command = [sys.executable, "-c", "from tests.test_random import train; print(train(3))"]
    folder = Path(__file__).parent.parent
    runs = [subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder) for _ in range(2)]
    assert len({run.stdout for run in runs}) == 1
