"""Data sets that stay in their files: mapped arrays, and rows of several files."""

import copy
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import errors
from minigrad.data import ConcatDataset, DataLoader, ShardedDataset, StackDataset, Subset, TensorDataset
from minigrad.data import mapped as mapped_module
from tests.rows import each, named

# Python 3.12 warns of fork() when there are threads, which NumPy's may be.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")

KINDS = {
    "none": {},
    "threads": {"num_workers": 2},
    "processes": {"num_workers": 2, "workers": "processes"},
    "spawned": {"num_workers": 1, "workers": "processes", "multiprocessing_context": "spawn"},
}
ROWS = np.arange(60.0).reshape(20, 3)
LABELS = np.arange(20) % 4


def there_and_back(thing):
    return pickle.loads(pickle.dumps(thing))


def plain(batches):
    """Batches as lists of arrays."""
    parts = [list(b.values()) if isinstance(b, dict) else b if isinstance(b, list) else [b] for b in batches]
    return [[part.numpy().tolist() for part in batch] for batch in parts]


@pytest.fixture
def rows(tmp_path):
    """A mapped array."""
    np.save(tmp_path / "rows.npy", ROWS)
    return np.load(tmp_path / "rows.npy", mmap_mode="r")


# Mapped arrays


def test_a_mapped_array_stays_where_it_is(rows):
    data = TensorDataset(rows, LABELS)
    assert data.tensors[0] is rows
    assert isinstance(data.tensors[1], mg.Tensor)
    assert len(data) == 20
    sample, batch, other = data[-1][0], data.__getbatch__([3, 0])[0], data[1:3][0]
    for found, expected in ((sample, ROWS[-1]), (batch, ROWS[[3, 0]]), (other, ROWS[1:3])):
        assert type(found) is mg.Tensor
        assert type(found.array) is np.ndarray
        np.testing.assert_array_equal(found, expected)
        assert not np.shares_memory(found.array, rows)
        found.data[...] = 0.0
    with pytest.raises(IndexError):
        data[20]


def test_what_is_written_to_an_array_is_read(tmp_path):
    shared = np.memmap(tmp_path / "raw", np.float32, "w+", shape=(4, 2))
    data = TensorDataset(shared)
    shared[1] = 5.0
    assert data[1][0].tolist() == [5.0, 5.0]
    assert there_and_back(data)[1][0].tolist() == [5.0, 5.0]


@each("part", named({
    "all": lambda x: x,
    "rows": lambda x: x[5:],
    "columns": lambda x: x[:, :2],
    "one column": lambda x: x[:, -1],
    "every other": lambda x: x[::2],
    "backwards": lambda x: x[::-1, ::-2],
    "an axis more": lambda x: x[3:, None],
}))  # fmt: skip
def test_parts_are_pickled_by_their_place(rows, part):
    data = TensorDataset(part(rows))
    sent = pickle.dumps(data)
    assert len(sent) < 500
    for again in (pickle.loads(sent), there_and_back(pickle.loads(sent)), copy.deepcopy(data)):
        assert isinstance(again.tensors[0], np.memmap)
        assert again.tensors[0].mode == "r"
        assert not again.tensors[0].flags.writeable
        np.testing.assert_array_equal(again.tensors[0], part(ROWS))


def test_raw_files_are_pickled_with_their_offset(tmp_path):
    (tmp_path / "raw").write_bytes(b"x" * 5001 + np.arange(12, dtype=">f4").tobytes())
    raw = np.memmap(tmp_path / "raw", ">f4", "r", 5001, (4, 3))
    np.testing.assert_array_equal(there_and_back(TensorDataset(raw[1:])).tensors[0], raw[1:])


def test_arrays_without_a_place_are_pickled_by_value(tmp_path, rows):
    np.save(tmp_path / "x.npy", ROWS)
    changed = np.load(tmp_path / "x.npy", mmap_mode="c")
    changed[0] = 7.0
    with (tmp_path / "nameless").open("w+b") as file:
        descriptor = os.fdopen(os.dup(file.fileno()), "w+b")
        nameless = np.memmap(descriptor, np.float64, "w+", shape=(2,))
        descriptor.close()
    for array in (changed, rows[:0], nameless, rows + 1):
        np.testing.assert_array_equal(there_and_back(TensorDataset(array)).tensors[0], array)


def test_arrays_of_anything_but_numbers_are_refused(tmp_path):
    texts = np.memmap(tmp_path / "texts", "S3", "w+", shape=(4,))
    for array in (texts, np.array([object()]), np.array([[1], [2, 3]], dtype=object)):
        with pytest.raises(errors.DTypeError, match=r"made of numbers.*holds none: convert it before"):
            TensorDataset(array)


def resident():
    """The bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux")
@pytest.mark.parametrize("rows", [2**10, pytest.param(2**19, marks=pytest.mark.slow)])
def test_two_gigabytes_take_little_memory(tmp_path, rows):
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(2**31)  # which takes no room on the disk
    before = resident()
    data = TensorDataset(np.memmap(path, np.float32, "r", shape=(2**19, 1024)))
    assert len(pickle.dumps(data)) < 10_000
    for start in range(0, rows, 256):
        data.__getbatch__(range(start, start + 256))
    assert resident() - before < 150e6


def test_pages_that_were_read_are_let_go_of(rows, monkeypatch):
    let_go = []
    monkeypatch.setattr(mapped_module, "_let_go", let_go.append)
    data = TensorDataset(rows, LABELS)
    for _ in range(1025):  # of 64 KiB each
        assert not let_go
        data[0]
    assert let_go == [rows._mmap]
    data.__getbatch__([0] * 1024)
    assert len(let_go) == 1
    data[1]
    assert len(let_go) == 2


def test_changes_that_are_in_no_file_are_kept(rows, tmp_path):
    changed = np.load(rows.filename, mmap_mode="c")
    changed[0] = 7.0
    data = TensorDataset(changed)
    data.__getbatch__([1] * 2000)
    assert data[0][0].tolist() == [7.0, 7.0, 7.0]


# Rows of several files


def shards(folder, ending):
    """The rows in files of 5, 0, 8 and 7."""
    paths = []
    for i, (start, stop) in enumerate([(0, 5), (5, 5), (5, 13), (13, 20)]):
        paths.append(folder / f"{i}{ending}")
        if ending == ".npy":
            np.save(paths[-1], ROWS[start:stop])
        else:
            save = np.savez_compressed if i % 2 else np.savez
            save(paths[-1], x=ROWS[start:stop], label=LABELS[start:stop])
    return paths


@pytest.fixture(params=[".npy", ".npz"])
def sharded(tmp_path, request):
    return ShardedDataset(shards(tmp_path, request.param))


def test_rows_of_files_are_one_data_set(sharded):
    assert len(sharded) == 20
    assert sharded.cumulative_sizes == [5, 5, 13, 20]
    whole = [{"x": x, "label": y} for x, y in zip(ROWS, LABELS, strict=True)] if sharded.keys else ROWS
    for i in (*range(20), *range(-20, 0)):
        assert repr(sharded[i]) == repr(mg.data.default_convert(whole[i]))
    indices = [19, 3, -1, 5, 3, 12]
    slow = mg.data.default_collate([sharded[i] for i in indices])
    assert repr(sharded.__getbatch__(indices)) == repr(slow)
    assert plain([sharded.__getbatch__([])])[0][0] == []
    for index in (20, -21):
        for ask in (sharded.__getitem__, lambda i: sharded.__getbatch__([0, i])):
            with pytest.raises(errors.IndexingError, match=f"20 samples has no number {index}"):
                ask(index)


def test_batches_own_their_memory(sharded):
    batch = sharded.__getbatch__([0, 1])
    for part in batch.values() if sharded.keys else [batch]:
        part.data[...] = -1.0
    sample = sharded[2]
    (sample["x"] if sharded.keys else sample).data[...] = -1.0
    fresh = there_and_back(sharded)
    assert repr([fresh[i] for i in range(3)]) == repr([sharded[i] for i in range(3)])


def test_loaders_give_the_same_batches_with_any_workers(sharded, rows):
    for data in (sharded, TensorDataset(rows, LABELS), Subset(sharded, range(3, 17)), StackDataset(sharded, sharded)):
        found = []
        for how in KINDS.values() if data is sharded else [KINDS["none"], KINDS["threads"], KINDS["processes"]]:
            mg.manual_seed(0)
            found.append(repr(list(DataLoader(data, 4, shuffle=True, **how))))
        assert len(set(found)) == 1
    assert len(ConcatDataset([sharded, sharded])) == 40


def test_it_goes_to_other_processes_by_the_names_of_its_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = ShardedDataset([path.name for path in shards(tmp_path, ".npy")])
    data[0]
    sent = pickle.dumps(data)
    assert len(sent) < 1000
    monkeypatch.chdir(tmp_path.parent)
    assert pickle.loads(sent)[19].tolist() == ROWS[19].tolist()
    assert data.paths[0] == str(tmp_path / "0.npy")


def test_some_arrays_of_archives_and_archives_of_our_own(tmp_path):
    for i in range(2):
        mg.save(tmp_path / f"{i}.npz", {"x": mg.tensor(ROWS), "y": LABELS, "z": np.ones(3)})
    data = ShardedDataset([tmp_path / "0.npz", tmp_path / "1.npz"], keys=["y", "x"])
    assert data.keys == ["y", "x"]
    assert {name: x.tolist() for name, x in data[21].items()} == {"y": 1, "x": [3.0, 4.0, 5.0]}


def test_only_so_many_files_are_open(tmp_path, monkeypatch):
    read = []
    load = np.load
    monkeypatch.setattr(np, "load", lambda path, **options: read.append(Path(path).stem) or load(path, **options))
    data = ShardedDataset(shards(tmp_path, ".npz"), cache=2)
    for i in (0, 4, 5, 0, 13, 5, 0, 0):  # of the files 0, 0, 2, 0, 3, 2, 0, 0
        data[i]
    assert read == ["0", "2", "3", "2", "0"]
    del read[:]
    data.__getbatch__([0, 13, 5, 1, 14, 6])
    assert read == ["3"] or sorted(read) == ["2", "3"]
    assert len(data._recent.files) == 2


def saved(folder, name, array):
    np.save(folder / name, array)
    return folder / name


def archive(folder, name, **arrays):
    np.savez(folder / name, **arrays)
    return folder / name


def written(path, content):
    path.write_bytes(content)
    return path


@each(("paths", "kind", "words"), named({
    "none": (lambda d: [], errors.ArgumentError, "takes a list of files, and there are none: write sorted"),
    "one": (lambda d: d / "0.npy", errors.ArgumentError, r"takes a list of files, and this is one path, '.*0\.npy'"),
    "missing": (
        lambda d: [d / "a.npy", saved(d, "b.npy", ROWS), d / "c.npy"],
        FileNotFoundError, r"no such file \(and 1 more\).*a\.npy",
    ),
    "of two kinds": (
        lambda d: [saved(d, "a.npy", ROWS), archive(d, "b.npz", x=ROWS)],
        errors.ArgumentError, "end with '.npy', '.npz', and must all end with .npy, or all",
    ),
    "of another kind": (lambda d: [written(d / "a.csv", b"1,2")], errors.ArgumentError, "end with '.csv'"),
    "of another shape": (
        lambda d: [saved(d, "a.npy", ROWS), saved(d, "b.npy", ROWS[:, :2])],
        errors.ShapeError, r"rows of .*b\.npy have shape \(2,\), and those of .*a\.npy \(3,\)",
    ),
    "of another dtype": (
        lambda d: [saved(d, "a.npy", ROWS), saved(d, "b.npy", ROWS.astype("f4"))],
        errors.DTypeError, r"b\.npy has dtype float32, and .*a\.npy float64: save it with array\.astype\('float64'\)",
    ),
    "without rows": (lambda d: [saved(d, "a.npy", np.array(1.0))], errors.ShapeError, r"shape \(\), and no rows"),
    "of objects": (
        lambda d: [saved(d, "a.npy", np.array([{}, None]))],
        errors.DTypeError, r"a\.npy, of dtype object, are pickled, and to load them is to run code",
    ),
    "of texts": (
        lambda d: [archive(d, "a.npz", t=np.array(["a"]))], errors.DTypeError, r"the array 't' of .*are no numbers",
    ),
    "damaged": (lambda d: [written(d / "a.npy", b"\x93NUMPY")], errors.FileError, r"a\.npy cannot be loaded"),
    "no archive": (lambda d: [written(d / "a.npz", b"PK")], errors.FileError, r"a\.npz cannot be loaded"),
    "other names": (
        lambda d: [archive(d, "a.npz", x=ROWS, y=LABELS), archive(d, "b.npz", x=ROWS)],
        errors.ArgumentError, r"b\.npz has no array 'y': there are 'x'",
    ),
    "no names": (lambda d: [archive(d, "a.npz")], errors.ArgumentError, r"a\.npz has no arrays"),
    "lengths": (
        lambda d: [archive(d, "a.npz", x=ROWS, y=LABELS[:3])], errors.ShapeError, r"a\.npz: .*not of \[20, 3\]",
    ),
}))  # fmt: skip
def test_files_that_make_no_data_set(tmp_path, paths, kind, words):
    with pytest.raises(kind, match=words):
        ShardedDataset(paths(tmp_path))


def test_options_that_make_no_sense(tmp_path):
    npy, npz = saved(tmp_path, "a.npy", ROWS), archive(tmp_path, "a.npz", x=ROWS)
    for make, words in [
        (lambda: ShardedDataset([npy], keys=["x"]), r"keys are of \.npz files"),
        (lambda: ShardedDataset([npz], keys=["y"]), "no array 'y': there are 'x'"),
        (lambda: ShardedDataset([npz], cache=0), "ShardedDataset: cache must be an integer of at least 1"),
    ]:
        with pytest.raises(errors.ArgumentError, match=words):
            make()


def test_files_that_are_damaged_later(tmp_path):
    deflated = tmp_path / "c.npz"
    np.savez_compressed(deflated, x=np.random.default_rng(0).normal(size=(2000, 3)))
    packed = ShardedDataset([deflated])
    content = deflated.read_bytes()
    deflated.write_bytes(content[:40] + b"\xff" * 400 + content[440:])
    with pytest.raises(errors.FileError, match=r"c\.npz cannot be loaded, it is truncated or damaged"):
        packed[0]
    path = archive(tmp_path, "a.npz", x=ROWS)
    content = path.read_bytes()
    data, again = ShardedDataset([path]), ShardedDataset([saved(tmp_path, "b.npy", ROWS)])
    (tmp_path / "b.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(errors.FileError, match=r"b\.npy cannot be loaded"):
        again[0]
    place = content.index(ROWS.tobytes())
    path.write_bytes(content[:place] + b"x" * 100 + content[place + 100 :])
    with pytest.raises(errors.FileError, match=r"a\.npz cannot be loaded, it is truncated or damaged"):
        data[0]
