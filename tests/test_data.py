"""Data sets, samplers and loaders: the same batches whoever makes them, and no worker that outlives its work."""

import gc
import itertools
import multiprocessing
import os
import pickle
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections import Counter, OrderedDict, namedtuple
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad import errors
from minigrad.data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
    StackDataset,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
    default_convert,
    get_worker_info,
    random_split,
)
from minigrad.data import worker as worker_module
from tests.rows import each, named

posix = pytest.mark.skipif(os.name != "posix", reason="signals")
# Python 3.12 warns of fork() when there are threads, which NumPy's may be.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")

KINDS = {
    "none": {},
    "one thread": {"num_workers": 1},
    "threads": {"num_workers": 3},
    "processes": {"num_workers": 2, "workers": "processes"},
}
each_kind = pytest.mark.parametrize("how", KINDS.values(), ids=KINDS)
each_worker = pytest.mark.parametrize("how", [KINDS[k] for k in ("threads", "processes")], ids=["threads", "processes"])
Point = namedtuple("Point", "x y")


@pytest.fixture(autouse=True)
def _nothing_left():
    mg.manual_seed(0)
    before = set(workers())
    yield
    gc.collect()
    soon(lambda: set(workers()) <= before, f"{workers()} are still there")


def workers():
    threads = [thread for thread in threading.enumerate() if thread.name.startswith("worker ")]
    return threads + multiprocessing.active_children()


def soon(condition, complaint="", seconds=10.0):
    """Wait until something becomes true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, complaint
        time.sleep(0.01)


def within(seconds, function):
    """The result of a function that must not hang."""
    found = []

    def work():
        try:
            found.append((function(), None))
        except BaseException as error:
            found.append((None, error))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    assert found, f"it hangs: no result after {seconds} s"
    result, error = found[0]
    if error is not None:
        raise error
    return result


def plain(batch):
    """Tensors as lists, to be compared."""
    if isinstance(batch, mg.Tensor):
        return batch.tolist()
    if isinstance(batch, dict):
        return {key: plain(value) for key, value in batch.items()}
    return [plain(value) for value in batch] if isinstance(batch, list | tuple) else batch


def batches(loader):
    return [plain(batch) for batch in loader]


def collect(loader, into):
    for batch in loader:
        into.append(plain(batch))


def joined(lists):
    return list(itertools.chain.from_iterable(lists))


class Noisy(Dataset):
    """Samples with a random augmentation, some of which take longer."""

    def __init__(self, count=20, slow=False):
        self.count, self.slow = count, slow

    def __getitem__(self, i):
        if self.slow:
            time.sleep([0.02, 0.0, 0.005][i % 3])
        return {"i": i, "x": mg.random.randn(2), "y": (mg.random.rand().item(), str(i))}

    def __len__(self):
        return self.count


class Stream(IterableDataset):
    """Samples one after another; `shared`: each worker has its part of them."""

    def __init__(self, count=10, shared=False):
        self.count, self.shared = count, shared

    def __iter__(self):
        info = get_worker_info()
        first, step = (info.id, info.num_workers) if info and self.shared else (0, 1)
        for i in range(first, self.count, step):
            yield i, mg.random.rand().item()


class Calling(Dataset):
    """Calls a function for each sample."""

    def __init__(self, function, count=8):
        self.function, self.count = function, count

    def __getitem__(self, i):
        return self.function(i)

    def __len__(self):
        return self.count


# Data sets


def test_tensor_datasets():
    x, y = np.arange(6.0).reshape(3, 2), mg.tensor([0, 1, 2])
    data = TensorDataset(x, y)
    assert len(data) == 3
    assert plain(data[-1]) == [[4.0, 5.0], 2]
    assert [plain(sample) for sample in data] == [[[0.0, 1.0], 0], [[2.0, 3.0], 1], [[4.0, 5.0], 2]]
    assert plain(data.__getbatch__([2, 0])) == plain(default_collate([data[2], data[0]]))
    assert data.__getbatch__([])[0].shape == (0, 2)
    with pytest.raises(IndexError):
        data[3]


@pytest.mark.parametrize(
    "arrays", [(), (np.ones(2), np.ones(3)), (np.float64(1.0),), (np.ones((2, 1)), mg.ones((1, 2)))]
)
def test_tensor_datasets_need_arrays_of_one_length(arrays):
    with pytest.raises(errors.ShapeError):
        TensorDataset(*arrays)


def test_stacked_and_joined_datasets():
    stack = StackDataset(Subset("abc", [2, 1]), TensorDataset(mg.ones(2)))
    assert [plain(stack[i]) for i in range(2)] == [["c", [1.0]], ["b", [1.0]]]
    assert StackDataset(a="xy", b=[1, 2])[1] == {"a": "y", "b": 2}
    joined = Subset("ab", [0, 1]) + Subset("cde", [2, 0])
    assert [joined[i] for i in range(-4, 4)] == ["a", "b", "e", "c"] * 2
    assert list(ConcatDataset([[], "ab", [], "c", []])) == ["a", "b", "c"]
    assert len(joined) == 4
    for index in (4, -5):
        with pytest.raises(errors.IndexingError, match=f"4 samples has no number {index}"):
            joined[index]
    for make in (StackDataset, lambda: StackDataset("a", b="b"), lambda: ConcatDataset([])):
        with pytest.raises(errors.ArgumentError):
            make()
    with pytest.raises(errors.ShapeError, match=r"one length, not \[1, 2\]"):
        StackDataset("a", "bc")


class Doubled(TensorDataset):
    """Samples that differ from those of the base."""

    def __getitem__(self, index):
        return tuple(2.0 * t for t in super().__getitem__(index))


class Flipped(Subset):
    """A subset with a transformation."""

    def __getitem__(self, index):
        return -super().__getitem__(index)[0]


class Quick(Doubled):
    """A quicker way of its own, and then none."""

    def __getbatch__(self, indices):
        return "quick"


def test_the_quicker_way_is_taken_for_the_samples_that_it_was_written_for():
    x = mg.tensor([1.0, 2.0, 3.0])
    assert batches(DataLoader(Doubled(x), 2)) == [[[2.0, 4.0]], [[6.0]]]
    assert batches(DataLoader(Subset(Doubled(x), [2, 0]), 2)) == [[[6.0, 2.0]]]
    assert batches(DataLoader(Flipped(TensorDataset(x), [2, 0]), 2)) == [[-3.0, -1.0]]
    assert batches(DataLoader(Quick(x), 2)) == ["quick", "quick"]
    assert batches(DataLoader(Quick(x), 2, collate_fn=len)) == [2, 1]
    assert type("Again", (Quick,), {"__getitem__": lambda self, i: i})(x).__getbatch__([]) == "quick"
    assert batches(DataLoader(type("Again", (Quick,), {"__getitem__": lambda self, i: i})(x), 2)) == [[0, 1], [2]]


def test_several_samples_at_once_under_pytorchs_name():
    many = type("Many", (Noisy,), {"__getitems__": lambda self, indices: [-i for i in indices]})
    assert batches(DataLoader(many(5), 2)) == [[0, -1], [-2, -3], [-4]]
    assert batches(DataLoader(many(5), 2, collate_fn=sum)) == [-1, -5, -4]
    again = type("Again", (many,), {"__getitem__": lambda self, i: 10 * i})
    assert batches(DataLoader(again(5), 2)) == [[0, 10], [20, 30], [40]]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_batches_do_not_depend_on_the_way_they_are_made(data):
    count = data.draw(st.integers(1, 20))
    base = TensorDataset(np.arange(count), np.arange(2 * count, dtype=np.float32).reshape(count, 2))
    indices = data.draw(st.lists(st.integers(0, count - 1), max_size=20))
    size, drop = data.draw(st.integers(1, 7)), data.draw(st.booleans())
    subset = Subset(Subset(base, list(range(count))), indices)
    quick = batches(DataLoader(subset, size, drop_last=drop))
    slow = batches(DataLoader(subset, size, drop_last=drop, collate_fn=lambda samples: default_collate(samples)))
    assert quick == slow
    assert len(quick) == len(DataLoader(subset, size, drop_last=drop))
    assert joined(batch[0] for batch in quick) == (indices[: len(indices) // size * size] if drop else indices)


@settings(max_examples=60, deadline=None)
@given(sizes=st.lists(st.integers(0, 8), min_size=1, max_size=5), seed=st.integers(0, 9))
def test_random_splits_divide_a_dataset(sizes, seed):
    count = sum(sizes)
    parts = random_split(range(count), sizes, np.random.default_rng(seed))
    assert [len(part) for part in parts] == sizes
    assert sorted(itertools.chain(*parts)) == list(range(count))
    again = random_split(range(count), sizes, np.random.default_rng(seed))
    assert [list(part) for part in parts] == [list(part) for part in again]
    shares = [size / count for size in sizes] if count else [1 / len(sizes)] * len(sizes)
    by_share = [len(part) for part in random_split(range(count), shares)]
    assert sum(by_share) == count
    assert max(abs(a - b) for a, b in zip(by_share, sizes, strict=True)) <= 1


def test_random_splits_are_random():
    mg.manual_seed(0)
    first, second = (list(random_split(range(100), [50, 50])[0]) for _ in range(2))
    assert first != second
    assert first != sorted(first)
    mg.manual_seed(0)
    assert list(random_split(range(100), [0.5, 0.5])[0]) == first
    assert [len(part) for part in random_split("x", [1, 0])] == [1, 0]
    assert [len(part) for part in random_split(range(10), [0.33, 0.33, 0.34])] == [4, 3, 3]


@each("lengths", [[], [3], [2, 2], [6, -1], [0.5, 0.4], [1.5, -0.5], [2.5, 3.0], [float("nan"), 5]])
def test_random_splits_must_sum_to_the_whole(lengths):
    with pytest.raises(errors.ArgumentError, match="do not sum to the 5 samples"):
        random_split(range(5), lengths)


def test_classes_that_define_nothing_say_so():
    for call in (lambda: Dataset()[0], lambda: next(iter(IterableDataset())), lambda: iter(Sampler())):
        with pytest.raises(NotImplementedError, match="defines no"):
            call()


# Samplers


def test_sequential_and_batch_samplers():
    assert list(SequentialSampler("abc")) == [0, 1, 2]
    assert len(SequentialSampler("abc")) == 3
    for drop, expected in ((False, [[0, 1], [2, 3], [4]]), (True, [[0, 1], [2, 3]])):
        sampler = BatchSampler(range(5), 2, drop)
        assert list(sampler) == list(sampler) == expected
        assert len(sampler) == len(expected)
    assert list(BatchSampler([], 2, False)) == []
    for bad in (0, -1, 1.5, True, None, "2"):
        with pytest.raises(errors.ArgumentError, match="batch_size must be an integer of at least 1"):
            BatchSampler(range(5), bad, False)


def test_random_samplers_give_each_sample_once():
    sampler = RandomSampler(range(50))
    first, second = list(sampler), list(sampler)
    assert sorted(first) == sorted(second) == list(range(50))
    assert first != second
    assert len(sampler) == 50
    for samples in (1, 49, 50, 51, 150, 175):
        drawn = list(RandomSampler(range(50), num_samples=samples))
        assert len(drawn) == samples == len(RandomSampler(range(50), num_samples=samples))
        counts = Counter(drawn)
        assert max(counts.values()) - (min(counts.values()) if len(counts) == 50 else 0) <= 1
    assert all(type(i) is int for i in first)


def test_random_samplers_are_fair():
    sampler = RandomSampler(range(5), generator=np.random.default_rng(0))
    orders = Counter(tuple(sampler) for _ in range(2400))
    assert len(orders) == 120
    expected = 20
    chi = sum((count - expected) ** 2 / expected for count in orders.values())
    assert 70 < chi < 180  # 119 degrees of freedom: within 4 standard deviations
    drawn = Counter(RandomSampler(range(5), True, 50_000, np.random.default_rng(0)))
    assert all(abs(count - 10_000) < 5 * 90 for count in drawn.values())


def test_weighted_samplers_follow_their_weights():
    weights = np.array([1.0, 0.0, 3.0, 6.0])
    drawn = Counter(WeightedRandomSampler(weights, 50_000, generator=np.random.default_rng(0)))
    for i, share in enumerate(weights / 10):
        assert abs(drawn[i] - 50_000 * share) <= 5 * np.sqrt(50_000 * share * (1 - share))
    once = WeightedRandomSampler(weights, 3, replacement=False)
    assert len(once) == 3
    first = Counter()
    for _ in range(300):
        order = list(once)
        assert sorted(order) == [0, 2, 3]
        first[order[0]] += 1
    assert first[3] > first[2] > first[0]


def test_subset_samplers():
    sampler = SubsetRandomSampler([5, 3, 9])
    assert sorted(sampler) == [3, 5, 9]
    assert len(sampler) == 3
    assert len({tuple(sampler) for _ in range(200)}) == 6
    assert list(SubsetRandomSampler([])) == []


MAKERS = {
    "random": lambda generator=None: RandomSampler(range(11), generator=generator),
    "replacement": lambda generator=None: RandomSampler(range(11), True, 9, generator=generator),
    "rounds": lambda generator=None: RandomSampler(range(4), num_samples=11, generator=generator),
    "subset": lambda generator=None: SubsetRandomSampler(list(range(0, 22, 2)), generator=generator),
    "weighted": lambda generator=None: WeightedRandomSampler(np.arange(1, 12), 10, generator=generator),
    "once": lambda generator=None: WeightedRandomSampler(np.arange(1, 12), 11, False, generator=generator),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_samplers_are_seeded_and_resumed(make):
    mg.manual_seed(3)
    first = [list(make()) for _ in range(2)]
    mg.manual_seed(3)
    assert [list(make()) for _ in range(2)] == first
    own = np.random.default_rng(5)
    before = mg.random.get_state()
    sampler = make(own)
    epochs = [list(sampler) for _ in range(3)]
    assert mg.random.get_state() == before
    again = make(np.random.default_rng(5))
    assert list(again) == epochs[0]
    running = iter(again)
    head = list(itertools.islice(running, 3))
    resumed = make(np.random.default_rng(99))
    resumed.load_state_dict(again.state_dict())
    assert list(resumed) == head + list(running) == epochs[1]
    assert list(resumed) == epochs[2]
    state = sampler.state_dict()
    for bad in ({}, {"seed": 3}, {"seed": "x", "generator": None}, {"seed": 3, "generator": {}}, {**state, "seed": -1}):
        with pytest.raises(errors.StateDictError):
            sampler.load_state_dict(bad)
        assert sampler.state_dict() == state


def test_samplers_of_nothing():
    assert list(RandomSampler([])) == []
    assert batches(DataLoader([], 2, shuffle=True)) == batches(DataLoader([], 2)) == []
    for make in (lambda: RandomSampler([], num_samples=3), lambda: RandomSampler([], True, 3)):
        with pytest.raises(errors.ArgumentError, match="3 samples cannot be drawn from none"):
            within(5, lambda make=make: list(make()))


@each(
    "make",
    [
        lambda: RandomSampler("abc", num_samples=0),
        lambda: RandomSampler("abc", num_samples=-1),
        lambda: WeightedRandomSampler([], 1),
        lambda: WeightedRandomSampler([0.0, 0.0], 1),
        lambda: WeightedRandomSampler([1.0, -1.0], 1),
        lambda: WeightedRandomSampler([1.0, float("nan")], 1),
        lambda: WeightedRandomSampler([1.0, float("inf")], 1),
        lambda: WeightedRandomSampler([[1.0]], 1),
        lambda: WeightedRandomSampler([1.0], 0),
        lambda: WeightedRandomSampler([1.0, 0.0], 2, replacement=False),
    ],
)
def test_samplers_that_cannot_be(make):
    with pytest.raises(errors.ArgumentError):
        make()


# Collation


def test_samples_become_batches_of_their_form():
    a, b = np.arange(2.0), np.arange(2.0) + 2
    one = {"t": mg.tensor(a), "n": a, "mixed": a, "p": Point(1, a), "l": [1, "x"], "d": {"f": 0.5}, "b": b"u", "z": 1j}
    two = {"t": mg.tensor(b), "n": b, "mixed": mg.tensor(b), "p": Point(2, b), "l": [2, "y"], "d": {"f": 1.5}}
    batch = default_collate([one, {**two, "b": b"v", "z": 2j}])
    rows = [[0.0, 1.0], [2.0, 3.0]]
    assert isinstance(batch["p"], Point)
    assert plain(batch) == {
        "t": rows, "n": rows, "mixed": rows, "p": [[1, 2], rows], "l": [[1, 2], ["x", "y"]], "d": {"f": [0.5, 1.5]},
        "b": [b"u", b"v"], "z": [1j, 2j],
    }  # fmt: skip


@each(
    ("samples", "dtype"),
    [
        ([1, 2], np.int64),
        ([1.0, 2.0], np.float64),
        ([1, 2.5], np.float64),
        ([True, False], np.bool_),
        ([np.float32(1), np.float32(2)], np.float32),
        ([np.ones(2, np.uint8)] * 2, np.uint8),
        ([np.array(1, np.int16)] * 2, np.int16),
        ([mg.tensor(1.0, dtype=np.float16)] * 2, np.float16),
    ],
)
def test_dtypes_are_kept(samples, dtype):
    assert default_collate(samples).dtype == dtype


def test_texts_from_arrays_are_texts():
    words = np.array(["a", "b"])
    assert default_collate([words[0], words[1]]) == ["a", "b"]
    assert default_convert({"w": words[0], "n": np.int8(3)})["w"] == "a"
    assert batches(DataLoader(words, 2)) == [["a", "b"]]


def test_other_mappings_and_empty_samples():
    assert plain(default_collate([OrderedDict(a=1), {"a": 2}])) == {"a": [1, 2]}
    assert default_collate([(), ()]) == []
    assert default_collate([{}, {}]) == {}
    assert default_collate([np.zeros((0, 2))] * 3).shape == (3, 0, 2)


def test_gradients_flow_through_a_batch():
    leaf = mg.tensor([1.0, 2.0], requires_grad=True)
    default_collate([leaf, leaf * 2.0]).sum().backward()
    assert leaf.grad.tolist() == [3.0, 3.0]


@pytest.mark.parametrize(
    ("samples", "error", "words"),
    [
        (
            [np.ones(2), np.ones(3)],
            errors.ShapeError,
            r"samples of shapes \(2,\), \(3,\) do not make a batch: pad them",
        ),
        ([np.ones(2), 1.0], errors.ShapeError, "pad them"),
        ([[1, 2], [1]], errors.ShapeError, "lists of different lengths"),
        ([None, None], errors.DTypeError, "samples of type NoneType do not make a batch"),
        ([{1}, {2}], errors.DTypeError, "samples of type set do not make a batch"),
        ([np.array([None])] * 2, errors.DTypeError, "numbers"),
        ([{"a": 1}, {}], KeyError, "a"),
    ],
    ids=range(7),
)
def test_samples_that_make_no_batch(samples, error, words):
    with pytest.raises(error, match=words):
        default_collate(samples)


def test_samples_without_batches_are_converted():
    sample = {"x": np.ones(2), "p": Point(np.float32(1), "s"), "l": [np.ones(1), (2, None)]}
    made = default_convert(sample)
    assert isinstance(made["p"], Point)
    assert isinstance(made["l"], list)
    assert isinstance(made["l"][1], tuple)
    assert isinstance(made["x"], mg.Tensor)
    assert plain(made) == {"x": [1.0, 1.0], "p": [1.0, "s"], "l": [[1.0], [2, None]]}


# Loaders


@each_kind
def test_loaders_do_not_depend_on_their_workers(how):
    def run(**how):
        mg.manual_seed(7)
        loader = DataLoader(Noisy(slow=bool(how)), 3, shuffle=True, **how)
        return [batches(loader) for _ in range(2)], mg.random.rand().item()

    epochs, later = run(**how)
    assert (epochs, later) == run()
    seen = [joined(batch["i"] for batch in epoch) for epoch in epochs]
    assert sorted(seen[0]) == sorted(seen[1]) == list(range(20))
    assert seen[0] != seen[1]
    noise = [tuple(x) for epoch in epochs for batch in epoch for x in batch["x"]]
    assert len(set(noise)) == 40


@each_kind
def test_options_of_loaders(how):
    data = TensorDataset(np.arange(7))
    assert batches(DataLoader(data, 3, **how)) == [[[0, 1, 2]], [[3, 4, 5]], [[6]]]
    assert batches(DataLoader(data, 3, drop_last=True, **how)) == [[[0, 1, 2]], [[3, 4, 5]]]
    assert batches(DataLoader(data, 10, drop_last=True, **how)) == []
    assert batches(DataLoader(data, None, **how)) == [[i] for i in range(7)]
    assert batches(DataLoader(range(3), None, collate_fn=str, **how)) == ["0", "1", "2"]
    assert batches(DataLoader(range(5), 2, collate_fn=sum, **how)) == [1, 5, 4]
    assert batches(DataLoader(data, 2, sampler=[6, 0, 0], **how)) == [[[6, 0]], [[0]]]
    assert batches(DataLoader(data, batch_sampler=[[1], [], [2, 3]], **how)) == [[[1]], [[]], [[2, 3]]]
    assert batches(DataLoader([], **how)) == []
    loader = DataLoader(range(4), 3, pin_memory=True, **how)
    assert batches(loader) == batches(loader) == [[0, 1, 2], [3]]


@each_kind
def test_loaders_of_streams(how):
    count = how.get("num_workers", 1)
    alone = [[i] * count for i in range(4)]
    assert sorted(joined(batch[0] for batch in batches(DataLoader(Stream(4), 1, **how)))) == joined(alone)
    shared = batches(DataLoader(Stream(10, shared=True), 2, **how))
    assert sorted(joined(batch[0] for batch in shared)) == list(range(10))
    full = batches(DataLoader(Stream(10, shared=True), 3, drop_last=True, **how))
    assert {len(batch[0]) for batch in full} == ({3} if count < 4 else set())
    singles = batches(DataLoader(Stream(10, shared=True), None, **how))
    assert sorted(i for i, _ in singles) == list(range(10))
    assert len({noise for _, noise in singles}) == 10
    assert batches(DataLoader(Stream(0), 2, **how)) == []


@each_kind
def test_streams_are_seeded(how):
    runs = []
    for seed in (1, 1, 2):
        mg.manual_seed(seed)
        runs.append((batches(DataLoader(Stream(10, shared=True), 2, **how)), mg.random.rand().item()))
    assert runs[0] == runs[1] != runs[2]


class ShuffledStream(IterableDataset):
    """Draws its order at once, when it is asked for an iterator."""

    def __iter__(self):
        return iter(mg.random.generator().permutation(12).tolist())


@each_kind
def test_streams_that_draw_random_numbers_at_their_start_are_seeded(how):
    runs = []
    for seed in (1, 1, 2):
        mg.manual_seed(seed)
        loader = DataLoader(ShuffledStream(), 3, **how)
        runs.append(([batches(loader) for _ in range(2)], mg.random.rand().item()))
    assert runs[0] == runs[1] != runs[2]
    assert runs[0][0][0] != runs[0][0][1]
    mg.manual_seed(1)
    loader = DataLoader(ShuffledStream(), 3)
    serial = [joined(batches(loader)) for _ in range(2)]
    if how.get("num_workers", 0) < 2:
        assert [joined(epoch) for epoch in runs[0][0]] == serial


def test_lengths_of_loaders():
    assert len(DataLoader(range(7), 3)) == 3
    assert len(DataLoader(range(7), 3, drop_last=True)) == 2
    assert len(DataLoader(range(7), None)) == 7
    assert len(DataLoader(range(7), 2, sampler=[1, 2, 3])) == 2
    assert len(DataLoader(range(7), batch_sampler=[[0], [1]])) == 2
    with pytest.raises(TypeError, match="Stream"):
        len(DataLoader(Stream()))
    with pytest.raises(TypeError):
        len(DataLoader(range(7), sampler=iter([1])))
    sized = type("Sized", (Stream,), {"__len__": lambda self: 7})()
    assert [len(DataLoader(sized, size, drop_last=d)) for size, d in ((2, True), (2, False), (None, False))] == [
        3,
        4,
        7,
    ]


@pytest.mark.parametrize(
    "options",
    [
        {"num_workers": -1},
        {"timeout": -1},
        {"prefetch_factor": 0},
        {"workers": "fibres"},
        {"sampler": [0], "shuffle": True},
        {"batch_sampler": [[0]], "batch_size": 2},
        {"batch_sampler": [[0]], "shuffle": True},
        {"batch_sampler": [[0]], "sampler": [0]},
        {"batch_sampler": [[0]], "drop_last": True},
        {"batch_size": None, "drop_last": True},
        {"batch_size": 0},
        {"batch_size": -3},
        {"batch_size": 1.5},
        {"dataset": Stream(), "shuffle": True},
        {"dataset": Stream(), "sampler": [0]},
        {"dataset": Stream(), "batch_sampler": [[0]]},
        {"dataset": Stream(), "batch_size": 0},
        {"dataset": Stream(), "batch_size": 2.5},
        {"num_workers": 1.5},
    ],
    ids=lambda options: " ".join(f"{k}={type(v).__name__ if k == 'dataset' else v}" for k, v in options.items()),
)
def test_options_that_do_not_go_together(options):
    with pytest.raises(errors.ArgumentError):
        DataLoader(**{"dataset": "abc", **options})


def test_a_generator_of_ones_own_leaves_the_packages_alone():
    before = mg.random.get_state()
    first, second = (
        [batches(DataLoader(Noisy(), 4, shuffle=True, generator=np.random.default_rng(seed))) for _ in range(2)]
        for seed in (1, 2)
    )
    assert first[0] == first[1]
    assert first[0] != second[0]
    assert mg.random.get_state() == before


@each_kind
def test_two_iterators_of_one_loader(how):
    loader = DataLoader(range(9), 2, shuffle=True, **how)
    pairs = list(zip(loader, loader, strict=True))
    assert [sorted(joined(plain(pair[i]) for pair in pairs)) for i in (0, 1)] == [list(range(9))] * 2
    for outer in DataLoader(range(4), 2, **how):
        inner = batches(DataLoader(range(10), 5, **how))
        assert inner == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
        assert len(outer) == 2


class Nested(Dataset):
    """Each sample goes through a loader of its own."""

    def __getitem__(self, i):
        info = get_worker_info()
        inner = DataLoader(Noisy(4), 2, num_workers=2)
        return [sum(batch["i"].tolist()) for batch in inner] + [-1 if info is None else info.id]

    def __len__(self):
        return 4


@each_kind
def test_loaders_within_workers(how):
    found = batches(DataLoader(Nested(), 2, **how))
    assert [columns[:2] for columns in found] == [[[1, 1], [5, 5]]] * 2
    ids = joined(columns[2] for columns in found)
    assert set(ids) == (set(range(min(how["num_workers"], 2))) if how else {-1})


def told(i):
    info = get_worker_info()
    return info.id, info.num_workers, len(info.dataset), threading.current_thread() is threading.main_thread()


@each_worker
def test_workers_know_who_they_are(how):
    count = how["num_workers"]
    found = batches(DataLoader(Calling(told), 1, **how))
    assert [batch[0][0] for batch in found] == [i % count for i in range(8)]
    assert {(batch[1][0], batch[2][0], batch[3][0]) for batch in found} == {(count, 8, how.get("workers") is not None)}
    assert get_worker_info() is None


def globally_random(i):
    return [np.random.random(), random.random(), get_worker_info().seed]  # noqa: NPY002  # the old one is meant


def reseed(number):
    np.random.seed(7)  # noqa: NPY002  # as people do


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_global_generators_are_seeded_in_each_process_and_epoch(method):
    how = {"num_workers": 2, "workers": "processes", "multiprocessing_context": method}
    mg.manual_seed(3)
    loader = DataLoader(Calling(globally_random), None, **how)
    first, second = batches(loader), batches(loader)
    for place in range(2):
        assert len({sample[place] for sample in first + second}) == 16
    for epoch in (first, second):
        seeds = [sample[2] for sample in epoch]
        assert seeds == [seeds[0], seeds[0] + 1] * 4
    mg.manual_seed(3)
    assert [batches(loader), batches(loader)] == [first, second]
    if method == "fork":
        own = [DataLoader(Calling(globally_random), None, generator=np.random.default_rng(s), **how) for s in (1, 1, 2)]
        drawn = [batches(loader) for loader in own]
        assert drawn[0] == drawn[1] != drawn[2]
        resumed = DataLoader(Calling(globally_random), None, **how)
        resumed.load_state_dict({"seed": 5, "position": 2, "sampler": None, "generator": None})
        rest = batches(resumed)
        resumed.load_state_dict({"seed": 5, "position": 0, "sampler": None, "generator": None})
        assert not {sample[0] for sample in rest} & {sample[0] for sample in batches(resumed)}
        again = batches(DataLoader(Calling(globally_random), None, worker_init_fn=reseed, **how))
        assert again[0][0] == again[1][0] == np.random.RandomState(7).random()


started = multiprocessing.Value("i", 0)


def init(number):
    with started.get_lock():
        started.value += 10**number
    get_worker_info().dataset.function = str


@each_worker
def test_workers_are_initialized_once(how):
    started.value = 0
    data = Calling(None)
    assert batches(DataLoader(data, 1, worker_init_fn=init, **how)) == [[str(i)] for i in range(8)]
    assert started.value == sum(10**i for i in range(how["num_workers"]))
    data.function = int
    assert batches(DataLoader(data, 8, worker_init_fn=init)) == [list(range(8))]


def failing_init(number):
    raise LookupError(f"no such worker: {number}")


@each_worker
def test_a_worker_that_cannot_be_initialized(how):
    with pytest.raises(LookupError, match="no such worker: 0"):
        batches(DataLoader(range(8), worker_init_fn=failing_init, **how))


loaded = multiprocessing.Value("i", 0)


def count(i):
    with loaded.get_lock():
        loaded.value += 1
    return i


@each_worker
@pytest.mark.parametrize("factor", [1, 3])
def test_workers_are_not_far_ahead(how, factor):
    loaded.value = 0
    ahead = how["num_workers"] * factor
    endless = DataLoader(Calling(count), batch_sampler=itertools.repeat([1, 2]), prefetch_factor=factor, **how)
    iterator = iter(endless)
    assert loaded.value == 0
    for taken in range(1, 4):
        assert plain(next(iterator)) == [1, 2]
        soon(lambda taken=taken: loaded.value >= 2 * (taken + ahead - 1))
        time.sleep(0.05)
        assert loaded.value <= 2 * (taken + ahead)


def large(i):
    return np.zeros(100_000) + i


@each_worker
def test_batches_and_lists_of_numbers_larger_than_any_pipe(how):
    def run():
        order = np.random.default_rng(0).integers(8, size=900_000).tolist()
        data = TensorDataset(np.arange(8.0), np.arange(16).reshape(8, 2))
        loader = DataLoader(data, 150_000, sampler=order, prefetch_factor=4, **how)
        assert joined(plain(x) for x, _ in loader) == order
        return [int(batch.data.sum()) for batch in DataLoader(Calling(large), 2, **how)]

    assert within(60, run) == [100_000 * n for n in (1, 5, 9, 13)]


# Exceptions in workers


class OddError(Exception):
    """An exception that cannot be made again of what it is pickled as."""

    def __init__(self, a, b):
        super().__init__(f"{a} and {b}")


class LocalError(Exception):
    """An exception that holds what cannot be pickled."""

    def __init__(self, *args):
        super().__init__(*args)
        self.lock = threading.Lock()


class Stubborn:
    """An object that refuses to be pickled."""

    def __reduce__(self):
        raise ValueError("I stay")


class Unwelcome:
    """An object that refuses to be unpickled."""

    def __reduce__(self):
        return int, ("not a number",)


def fail(i):
    if i == 5:
        raise LookupError("number 5")
    return i


def fail_oddly(i):
    raise OddError(1, 2)


def fail_locally(i):
    raise LocalError("here")


def leave(i):
    sys.exit(3)


def stop(i):
    raise StopIteration(i)


def interrupt(i):
    raise KeyboardInterrupt


@each_kind
@pytest.mark.parametrize("collate", [None, list])
def test_an_exception_of_a_dataset_keeps_its_type(how, collate):
    seen = []
    with pytest.raises(LookupError, match="number 5") as caught:
        collect(DataLoader(Calling(fail), 2, collate_fn=collate, **how), seen)
    assert seen == [[0, 1], [2, 3]]
    if how:
        (note,) = caught.value.__notes__
        assert "in worker " in note
        assert 'raise LookupError("number 5")' in note
    caught = None


@each_kind
def test_an_exception_of_a_stream_or_of_a_collation_keeps_its_type(how):
    class Short(IterableDataset):
        def __iter__(self):
            yield 1
            raise EOFError("nothing more")

    with pytest.raises(EOFError, match="nothing more"):
        batches(DataLoader(Short(), 1, **how))
    with pytest.raises(ZeroDivisionError):
        batches(DataLoader(range(3), 1, collate_fn=lambda samples: 1 / 0, **how))
    with pytest.raises(errors.ShapeError, match="pad them"):
        batches(DataLoader([np.ones(2), np.ones(3)], 2, **how))


@each_kind
@pytest.mark.parametrize(
    ("function", "error"), [(leave, SystemExit), (interrupt, KeyboardInterrupt), (stop, RuntimeError)]
)
def test_what_is_more_than_an_exception_reaches_the_main_thread(how, function, error):
    def run():
        with pytest.raises(error):
            batches(DataLoader(Calling(function), 2, **how))

    within(20, run)


def exhaust(samples):
    return next(iter(()))


class Exhausted(IterableDataset):
    """A stream whose generator meets the end of another."""

    def __iter__(self):
        yield 1
        yield next(iter(()))


def exhausted_init(number):
    raise StopIteration


@each_kind
def test_the_end_of_an_iterator_in_a_data_set_is_not_that_of_the_loop(how):
    where = r"in worker 0 of the data loader and" if how else "samples, and"
    loaders = [
        DataLoader(Calling(stop), 2, **how),
        DataLoader(Calling(stop), None, **how),
        DataLoader(Calling(int), 2, collate_fn=exhaust, **how),
        DataLoader(Exhausted(), None, **how),
        DataLoader(Exhausted(), 2, **how),
    ]
    if how:
        loaders.append(DataLoader(Calling(int), worker_init_fn=exhausted_init, **how))
    for loader in loaders:
        name = type(loader.dataset).__name__
        with pytest.raises(
            errors.WorkerError, match=rf"out of the data set {name}, .* {where} .* next\(iterator, None"
        ):
            within(20, lambda loader=loader: batches(loader))


def test_exceptions_that_cannot_be_pickled():
    how = KINDS["processes"]
    with pytest.raises(errors.WorkerError, match="the exception OddError of a worker cannot be sent") as caught:
        batches(DataLoader(Calling(fail_oddly), 2, **how))
    assert "1 and 2" in caught.value.__notes__[0]
    with pytest.raises(errors.WorkerError, match="the exception LocalError of a worker cannot be sent") as caught:
        batches(DataLoader(Calling(fail_locally), 2, **how))
    assert "LocalError: here" in caught.value.__notes__[0]
    for function, error in ((fail_oddly, OddError), (fail_locally, LocalError)):
        with pytest.raises(error):
            batches(DataLoader(Calling(function), 2, **KINDS["threads"]))
    caught = None


def lambdas(i):
    return lambda: i


def locks(i):
    return threading.Lock()


def stubborn(i):
    return Stubborn()


def endless(i):
    made = []
    for _ in range(100_000):
        made = [made]
    return made


def unwelcome(i):
    return Unwelcome()


@pytest.mark.parametrize("function", [lambdas, locks, stubborn, endless])
def test_batches_that_cannot_be_pickled(function):
    with pytest.raises(errors.WorkerError, match="the batch of a worker cannot be sent to the main process"):
        within(20, lambda: batches(DataLoader(Calling(function), 2, collate_fn=list, **KINDS["processes"])))
    assert len(batches(DataLoader(Calling(function, 2), 2, collate_fn=len, **KINDS["processes"]))) == 1


def test_a_batch_that_cannot_be_unpickled():
    with pytest.raises(ValueError, match="not a number"):
        batches(DataLoader(Calling(unwelcome), 2, collate_fn=list, **KINDS["processes"]))


def test_tensors_with_a_graph_are_cut_off_on_their_way_to_the_main_process():
    weight = mg.tensor([2.0], requires_grad=True)
    (batch,) = DataLoader([weight, weight * 3.0], 2, collate_fn=list, num_workers=1, workers="processes")
    assert plain(batch) == [[2.0], [6.0]]
    assert batch[0].is_leaf


# Workers that die


def die(i):
    if i == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return i


def exit_at_once(i):
    if i == 4:
        os._exit(7)
    return i


@posix
@pytest.mark.parametrize(("function", "words"), [(die, "killed by signal 9"), (exit_at_once, "with exit code 7")])
@pytest.mark.parametrize("factor", [1, 4])
def test_a_worker_that_dies_is_noticed_at_once(function, words, factor):
    seen, start = [], time.monotonic()
    loader = DataLoader(Calling(function, 20), 1, prefetch_factor=factor, **KINDS["processes"])

    with pytest.raises(errors.WorkerError, match=rf"worker 0 \(a process\) of the data loader died, {words}"):
        within(20, lambda: collect(loader, seen))
    assert seen == [[0], [1], [2], [3]]
    assert time.monotonic() - start < 5


def pid_and_much(i):
    return os.getpid(), np.zeros(5_000_000 if i else 1)


@posix
def test_a_worker_that_is_killed_while_it_sends():
    iterator = iter(DataLoader(Calling(pid_and_much), None, num_workers=1, workers="processes"))
    pid, _ = next(iterator)
    time.sleep(0.5)  # by now the second batch is half in the pipe
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(errors.WorkerError, match="killed by signal 9"):
        within(20, lambda: next(iterator))
    iterator.close()


@posix
def test_a_worker_that_is_killed_while_it_waits():
    iterator = iter(
        DataLoader(Calling(pid_and_much, 1000), None, num_workers=2, workers="processes", prefetch_factor=1)
    )
    pid, _ = next(iterator)
    time.sleep(0.2)
    os.kill(pid, signal.SIGKILL)
    soon(lambda: len(multiprocessing.active_children()) == 1)
    with pytest.raises(errors.WorkerError, match=r"worker 0 .* killed by signal 9"):
        within(20, lambda: [next(iterator) for _ in range(3)])
    iterator.close()


release = threading.Event()


def wait(i):
    if i == 2:
        release.wait(60)
    return i


@each_worker
def test_workers_that_do_not_answer_in_time(how):
    release.clear()
    seen, start = [], time.monotonic()
    try:
        with pytest.raises(errors.WorkerError, match=r"worker [02] .* has not answered for 0\.3 s"):
            collect(DataLoader(Calling(wait), 1, timeout=0.3, **how), seen)
        assert time.monotonic() - start < 5
        assert seen == [[0], [1]]
    finally:
        release.set()
    assert batches(DataLoader(Calling(wait), 4, timeout=30, **how)) == [[0, 1, 2, 3], [4, 5, 6, 7]]


# Nothing is left


@each_worker
def test_leaving_the_loop_early_leaves_nobody_behind(how):
    for _ in range(3):
        for _batch in DataLoader(Noisy(100), 2, **how):
            assert workers()
            break
        soon(lambda: not workers())


@each_worker
def test_iterators_that_are_forgotten(how):
    iterator = iter(DataLoader(Noisy(100), 2, **how))
    assert not workers()  # they start with the first batch
    next(iterator)
    assert len(workers()) == how["num_workers"]
    cycle = [iterator]
    cycle.append(cycle)
    del iterator, cycle
    gc.collect()
    soon(lambda: not workers())
    iterator = iter(DataLoader(Noisy(4), 2, **how))
    assert len(list(iterator)) == 2
    soon(lambda: not workers())
    assert next(iterator, None) is None


def test_quick_threads_can_always_be_stopped():
    def run():
        for _ in range(300):
            for _batch in DataLoader(range(1000), 1, num_workers=3, prefetch_factor=3):
                break

    within(60, run)


def test_a_thread_that_takes_the_last_request_while_it_is_stopped(monkeypatch):
    class Racing(worker_module.queue.SimpleQueue):
        def empty(self):
            return False  # as it may have been a moment ago

    monkeypatch.setattr(worker_module.queue, "SimpleQueue", Racing)
    iterator = iter(DataLoader(range(10), 1, num_workers=1))
    next(iterator)
    within(10, iterator.close)


@posix
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_copy_of_an_iterator_in_a_child_process_leaves_the_workers_alone(method):
    iterator = iter(DataLoader(Noisy(40), 2, **KINDS["processes"]))
    next(iterator)
    cycle = [iterator]
    cycle.append(cycle)
    child = os.fork()
    if not child:
        del cycle, iterator
        gc.collect()
        os._exit(0)
    os.waitpid(child, 0)
    assert len(list(iterator)) == 19
    cycle.clear()


SCRIPT = """
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell makes what it runs in the background ignore it
import numpy as np
import minigrad as mg

class Slow(mg.data.Dataset):
    def __getitem__(self, i):
        time.sleep({delay})
        return os.getpid(), np.zeros({size})

    def __len__(self):
        return 10**6

if __name__ == "__main__":
    options = dict(num_workers=3, workers="processes", multiprocessing_context={method!r})
    loader = mg.data.DataLoader(Slow(), None, **options)
    for i, (pid, _) in enumerate(loader):
        print(pid, flush=True)
        if i >= 3:
            time.sleep({pause})
"""


def alive(pid):
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"


def begun(**options):
    """A process that goes through a loader, and its workers."""
    code = SCRIPT.format(**{"delay": 0.01, "size": 10, "method": None, "pause": 0.01, **options})
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    pids = {int(process.stdout.readline()) for _ in range(3)}
    assert len(pids) == 3
    return process, pids


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks Linux which processes there are")


STATES = {
    "busy": {},
    "slow": {"delay": 0.5},
    "large": {"size": 3_000_000},
    "idle": {"pause": 100},
    "blocked": {"pause": 100, "size": 3_000_000},
}
KILL = getattr(signal, "SIGKILL", signal.SIGTERM)  # which Windows does not have
QUICK = [("busy", signal.SIGINT), ("blocked", signal.SIGINT), ("slow", KILL), ("blocked", KILL)]
slow = pytest.mark.slow


@needs_proc
@pytest.mark.parametrize(
    ("options", "number"),
    [
        pytest.param(options, number, id=f"{name}-{number.name}", marks=[] if (name, number) in QUICK else slow)
        for name, options in STATES.items()
        for number in (signal.SIGINT, KILL)
    ],
)
def test_no_worker_outlives_the_main_process(options, number):
    process, pids = begun(**options)
    time.sleep(0.3)
    start = time.monotonic()
    if number == KILL:
        process.kill()
    else:
        os.killpg(process.pid, number)  # as a terminal does
    _, complaints = process.communicate(timeout=20)
    soon(lambda: not any(map(alive, pids)), "workers are left", seconds=5)
    assert time.monotonic() - start < 8
    if number == signal.SIGINT:
        assert complaints.count("Traceback") == 1
        assert complaints.strip().endswith("KeyboardInterrupt")
    else:
        assert "Traceback" not in complaints
    process.stdout.close()
    process.stderr.close()


@needs_proc
@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.parametrize("moment", range(8))
def test_ctrl_c_at_any_moment(tmp_path, method, moment):
    code = SCRIPT.format(delay=0.01, size=10, pause=0.01, method=method)
    code = code.replace('if __name__ == "__main__":\n', 'if __name__ == "__main__":\n    print(0, flush=True)\n')
    path = tmp_path / "script.py"
    path.write_text(code)
    process = subprocess.Popen(
        [sys.executable, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    process.stdout.readline()
    time.sleep(0.15 * moment)
    os.killpg(process.pid, signal.SIGINT)
    pids, complaints = process.communicate(timeout=20)
    soon(lambda: not any(map(alive, {int(pid) for pid in pids.split()})), "workers are left", seconds=5)
    assert complaints.count("Traceback") == 1, complaints
    assert complaints.strip().endswith("KeyboardInterrupt")


# Other ways to start a process


@pytest.mark.parametrize("context", ["spawn", pytest.param("forkserver", marks=slow)])
def test_processes_that_are_started_anew(context):
    mg.manual_seed(7)
    expected = [batches(DataLoader(Noisy(), 3, shuffle=True)) for _ in range(1)]
    mg.manual_seed(7)
    given = multiprocessing.get_context(context) if context == "forkserver" else context
    how = {"num_workers": 2, "workers": "processes", "multiprocessing_context": given}
    assert [batches(DataLoader(Noisy(), 3, shuffle=True, **how))] == expected
    with pytest.raises(LookupError, match="number 5") as caught:
        batches(DataLoader(Calling(fail), 2, **how))
    assert "in worker " in caught.value.__notes__[0]
    caught = None
    with pytest.raises((AttributeError, pickle.PicklingError)):
        batches(DataLoader(Calling(lambda i: i), 2, **how))


def test_a_way_to_start_processes_that_there_is_not():
    with pytest.raises(ValueError, match="what"):
        batches(DataLoader(range(3), num_workers=1, workers="processes", multiprocessing_context="what"))


# Resuming


class OwnOrder(Sampler):
    """Draws each number when it is asked for it."""

    def __iter__(self):
        for _ in range(11):
            yield int(mg.random.generator().integers(11))

    def __len__(self):
        return 11


class OwnOrderAtOnce(OwnOrder):
    """Draws all numbers at the start."""

    def __iter__(self):
        return iter(mg.random.generator().permutation(11).tolist())


class Remembering(BatchSampler):
    """A batch sampler with a state of its own."""

    def __init__(self):
        super().__init__(range(11), 3, False)
        self.shift = 0

    def __iter__(self):
        self.shift += 1
        return iter([[(i + self.shift) % 11 for i in batch] for batch in super().__iter__()])

    def state_dict(self):
        return {"shift": self.shift}

    def load_state_dict(self, state):
        self.shift = state["shift"]


def own():
    return np.random.default_rng(5)


RESUMED = {
    "sequential": lambda: {"batch_size": 3},
    "shuffled": lambda: {"batch_size": 3, "shuffle": True},
    "own generator": lambda: {"batch_size": 3, "shuffle": True, "generator": own()},
    "singles": lambda: {"batch_size": None, "shuffle": True, "generator": own()},
    "drop_last": lambda: {"batch_size": 4, "shuffle": True, "drop_last": True},
    **{f"sampler {k}": lambda make=make: {"batch_size": 3, "sampler": make()} for k, make in MAKERS.items()},
    **{f"own {k}": lambda make=make: {"batch_size": 3, "sampler": make(own())} for k, make in MAKERS.items()},
    "two generators": lambda: {
        "batch_size": 3,
        "sampler": MAKERS["random"](own()),
        "generator": np.random.default_rng(6),
    },
    "batch_sampler": lambda: {"batch_sampler": BatchSampler(MAKERS["random"](own()), 3, False)},
    "drawn by and by": lambda: {"batch_size": 3, "sampler": OwnOrder()},
    "drawn at once": lambda: {"batch_size": 3, "sampler": OwnOrderAtOnce()},
    "stateful batch_sampler": lambda: {"batch_sampler": Remembering()},
    "stream": lambda: {"dataset": Stream(11), "batch_size": 3},
    "stream of singles": lambda: {"dataset": Stream(11), "batch_size": None},
    "shuffled stream": lambda: {"dataset": ShuffledStream(), "batch_size": 5},
}


def epochs(loader, count=3, each=None):
    """The batches of some epochs, with random numbers that are drawn in between."""
    found = []
    for _ in range(count):
        for batch in loader:
            found.append((plain(batch), mg.random.rand().item()))
            if each is not None:
                each(found)
        found.append(mg.random.rand().item())
    return found


def make_loader(options, how):
    return DataLoader(**{"dataset": Noisy(22), **options(), **how})


@pytest.mark.parametrize(
    ("options", "how"),
    [
        *(pytest.param(options, {}, id=name) for name, options in RESUMED.items()),
        *(pytest.param(RESUMED[name], {"num_workers": 2}, id=f"{name}, threads") for name in list(RESUMED)[1::4]),
    ],
)
def test_an_epoch_is_resumed_where_it_was(options, how):
    mg.manual_seed(9)
    saved = []

    def keep(found):
        saved.append(pickle.dumps((len(found), loader.state_dict(), mg.random.get_state())))

    loader = make_loader(options, how)
    keep([])
    course = epochs(loader, each=keep)
    per_epoch = len(saved) // 3
    keep(course)
    for kept in saved[::3]:
        done, state, random = pickle.loads(kept)
        mg.manual_seed(1234)
        resumed = make_loader(options, how)
        for _ in zip(resumed, range(2), strict=False):
            pass  # something has been going on before
        resumed.load_state_dict(state)
        mg.random.set_state(random)
        left = 3 - (done - 1 if done else 0) // (per_epoch + 1)
        assert epochs(resumed, left)[: len(course) - done] == course[done:]


@pytest.mark.parametrize("how", [KINDS["processes"], {"num_workers": 3}], ids=["processes", "threads"])
def test_an_epoch_is_resumed_by_other_workers(how):
    mg.manual_seed(9)
    loader = make_loader(RESUMED["shuffled"], how)
    found = []
    for batch in loader:
        found.append(plain(batch))
        if len(found) == 4:
            state = loader.state_dict()
    for other in KINDS.values():
        resumed = make_loader(RESUMED["shuffled"], other)
        resumed.load_state_dict(state)
        assert batches(resumed) == found[4:]
        assert len(batches(resumed)) == 8


@each("options", named(RESUMED))
def test_a_state_between_two_epochs_is_resumed(options):
    mg.manual_seed(9)
    loader = make_loader(options, {})
    batches(loader)
    saved = pickle.dumps((loader.state_dict(), mg.random.get_state()))
    expected = epochs(loader, 2)
    state, random = pickle.loads(saved)
    resumed = make_loader(options, {})
    resumed.load_state_dict(state)
    mg.random.set_state(random)
    assert epochs(resumed, 2) == expected


@each("options", named(RESUMED))
def test_a_state_before_the_first_batch_is_resumed(options):
    mg.manual_seed(9)
    loader = make_loader(options, {})
    batches(loader)
    iterator = iter(loader)
    saved = pickle.dumps((loader.state_dict(), mg.random.get_state()))
    expected = [plain(batch) for batch in iterator]
    state, random = pickle.loads(saved)
    resumed = make_loader(options, {})
    resumed.load_state_dict(state)
    mg.random.set_state(random)
    assert batches(resumed) == expected


def test_the_state_is_that_of_the_iterator_that_was_made_last():
    loader = DataLoader(range(10), 2, shuffle=True)
    first, second = iter(loader), iter(loader)
    next(first)
    state = loader.state_dict()
    assert (state["position"], state["seed"] is None) == (0, False)
    head = [plain(next(second)) for _ in range(2)]
    assert len(list(first)) == 4
    state = loader.state_dict()
    assert (state["position"], state["seed"] is None) == (2, False)
    resumed = DataLoader(range(10), 2, shuffle=True)
    resumed.load_state_dict(state)
    rest = batches(resumed)
    assert rest == [plain(batch) for batch in second]
    assert sorted(joined(head + rest)) == list(range(10))
    assert loader.state_dict()["seed"] is None
    loader.load_state_dict(state)
    del first
    old = iter(loader)
    next(old)
    loader.load_state_dict(state)
    next(old)
    assert loader.state_dict() == state


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_states_can_be_saved(tmp_path, suffix):
    if suffix == ".safetensors":
        pytest.importorskip("safetensors")
    path = tmp_path / f"x{suffix}"
    loader = make_loader(RESUMED["own generator"], {})
    iterator = iter(loader)
    next(iterator)
    mg.io.save_checkpoint(path, loader=loader, sampler=loader.sampler)
    resumed = make_loader(RESUMED["own generator"], {})
    assert mg.io.load_checkpoint(path, loader=resumed).keys() == {"sampler"}
    assert batches(resumed) == [plain(batch) for batch in iterator]


@pytest.mark.parametrize("options", [RESUMED["own generator"], RESUMED["two generators"]], ids=["one", "two"])
def test_a_state_that_does_not_fit_changes_nothing(options):
    loader = make_loader(options, {})
    next(iter(loader))
    before = loader.state_dict()
    good = make_loader(options, {})
    next(iter(good))
    state = {**good.state_dict(), "seed": 1, "position": 2}
    for bad in (
        {},
        {"seed": 3, "position": 1},
        {**state, "seed": "x"},
        {**state, "seed": -1},
        {**state, "position": -1},
        {**state, "position": None},
        {**state, "sampler": {}},
        {**state, "sampler": {"seed": 3}},
        {**state, "generator": {"bit_generator": "MT19937"}},
        {**state, "sampler": {**state["sampler"], "generator": {}}},
    ):
        with pytest.raises(errors.StateDictError):
            loader.load_state_dict(bad)
        assert loader.state_dict() == before


def test_the_scripts_of_these_tests_are_programs():
    compile(textwrap.dedent(SCRIPT.format(delay=0, size=0, method=None, pause=0)), "script", "exec")
