"""Files: whatever is saved comes back, whatever is damaged is found, and nothing is ever executed."""

import contextlib
import errno
import io
import json
import os
import pickle
import struct
import subprocess
import sys
import threading
import warnings
import zipfile
from collections import OrderedDict, deque, namedtuple
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad import errors, nn
from minigrad import io as mgio

safetensors = pytest.importorskip("safetensors.numpy")

REFERENCES = Path(__file__).parent / "references"
SUFFIXES = [".npz", ".safetensors"]
each_suffix = pytest.mark.parametrize("suffix", SUFFIXES)
Pair = namedtuple("Pair", "left right")


def there_and_back(tree, path):
    mg.save(path, tree)
    assert os.listdir(path.parent) == [path.name]
    return mg.load(path)


def assert_same(loaded, saved, native=False):
    """The same tree, bit for bit; `native`: but for the order of bytes."""
    if isinstance(saved, mg.Tensor):
        assert type(loaded) is mg.Tensor
        assert not loaded.requires_grad
        assert_same(loaded.data, saved.data, native)
    elif isinstance(saved, np.ndarray | np.generic):
        kind = np.ndarray if isinstance(saved, np.ndarray) else np.generic
        assert isinstance(loaded, kind)
        wanted = np.array(saved, saved.dtype.newbyteorder("=") if native else saved.dtype)
        assert (loaded.dtype, loaded.shape) == (wanted.dtype, wanted.shape)
        assert loaded.tobytes() == wanted.tobytes()
        if kind is np.ndarray:
            assert loaded.flags.writeable
    elif isinstance(saved, dict):
        assert type(loaded) is dict
        assert [(type(k), repr(k)) for k in loaded] == [(type(k), repr(k)) for k in saved]
        for key, other in zip(loaded, saved, strict=True):  # nan is no key that could be looked up
            assert_same(loaded[key], saved[other], native)
    elif isinstance(saved, list | tuple):
        assert type(loaded) is (tuple if isinstance(saved, tuple) else list)
        assert len(loaded) == len(saved)
        for part, other in zip(loaded, saved, strict=True):
            assert_same(part, other, native)
    elif isinstance(saved, float):
        assert repr(loaded) == repr(saved)  # which is exact, but for what nan carries with it
    else:
        assert type(loaded) is type(saved)
        assert loaded == saved


# There and back

PLAIN = {
    "none": None,
    "flags": (True, False),
    "numbers": [0, -1, 2**63, -(2**200), 10**70, 0.1, -0.0, 1e-320, float("inf"), -float("inf"), float("nan")],
    "texts": ["", "ünï ☃ 𝄞", "\0\n\"\\'", "\ud800", "0" * 64, '"minigrad-sha256":"', "#"],
    "empty": [{}, [], (), {"": {}}, [[]], ((),)],
    "nested": {"a": [({"b": [1, (2, {"c": None})]},)]},
}
KEYS = {
    0: 1, -5: 2, "0": 3, 1.5: 4, True: 5, None: 6, "None": 7, 2**100: 8, float("inf"): 9, "#": 10, "": 11,
}  # fmt: skip


@each_suffix
@pytest.mark.parametrize("tree", [PLAIN, KEYS, {"#": ["tensor", "x"]}, {"#": {"#": "#"}}, [], None, "text", 3, ()])
def test_trees_without_arrays(tmp_path, suffix, tree):
    assert_same(there_and_back(tree, tmp_path / f"x{suffix}"), tree)


ARRAYS = {
    "0-d": np.array(1.5),
    "empty": np.zeros((0, 3), np.float32),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "strided": np.arange(24).reshape(4, 6)[::2, ::-3],
    "transposed": np.arange(6, dtype=np.int8).reshape(2, 3).T,
    "broadcast": np.broadcast_to(np.float32(2), (2, 3)),
    "read-only": np.frombuffer(b"12345678", np.uint8),
    "deep": np.zeros((1,) * 30),
    "special": np.array([np.nan, -np.nan, np.inf, -0.0, 5e-324]),
    "nan with a message": np.array([0x7FF800000000BEEF], np.uint64).view(np.float64),
    "misaligned": np.frombuffer(b"x" * 17, np.uint8)[1:].view(np.float64),
}


@each_suffix
@pytest.mark.parametrize("dtype", ["?", *np.typecodes["AllInteger"], "e", "f", "d"])
@pytest.mark.parametrize("order", "=<>")
def test_dtypes(tmp_path, suffix, dtype, order):
    dtype = np.dtype(dtype).newbyteorder(order)
    array = np.array([[0, 1, 100]]).astype(dtype)
    tree = {"array": array, "number": array[0, 2], "tensor": mg.Tensor(array), "0-d": mg.Tensor(array[0, 1])}
    assert_same(there_and_back(tree, tmp_path / f"x{suffix}"), tree, native=suffix == ".safetensors")


@pytest.mark.parametrize("dtype", ["F", "D", "G", "g", ">c16"])
def test_complex_and_long_numbers_are_for_npz_only(tmp_path, dtype):
    tree = {"x": [np.array([1, 2], dtype)], "plain": np.complex128(1 - 2j)}
    assert_same(there_and_back(tree, tmp_path / "x.npz"), tree)
    with pytest.raises(errors.DTypeError, match=r"x\.0 is .*, which \.safetensors files cannot hold: save it as \.npz"):
        mg.save(tmp_path / "y.safetensors", tree)
    assert os.listdir(tmp_path) == ["x.npz"]


def test_a_complex_number_becomes_one_of_numpys(tmp_path):
    assert there_and_back([1 - 2j], tmp_path / "x.npz") == [1 - 2j]


@each_suffix
def test_forms_of_arrays(tmp_path, suffix):
    tree = {"arrays": ARRAYS, "tensors": {name: mg.Tensor(array) for name, array in ARRAYS.items()}}
    assert_same(there_and_back(tree, tmp_path / f"x{suffix}"), tree)


NAMES = [
    "", ".", "..", "/", "/etc/passwd", "../../x", "a/b", "a\\b", "C:\\x", "#", "0", "minigrad.json",
    "minigrad.json.npy",
    "__metadata__", "minigrad", "minigrad-sha256", "sha256", "data", "x.npy", "x", "x'", "x''", "a.b", "a\0b", "a\0c",
    "\0", "\n", "\ud800", "\udfff", "ünï ☃ 𝄞", "é", "e\u0301", "\u202egnp", " ", "data.pkl", "x" * 300, "☃" * 30_000,
    "☃" * 30_001,
    "0" * 64, '"minigrad-sha256":"' + "0" * 64 + '"', "CON", "a", "A", "%s{}", "'", '"',
]  # fmt: skip


@each_suffix
def test_names_that_archives_would_trip_over(tmp_path, suffix):
    tree = {name: np.array([i, 0.0]) for i, name in enumerate(NAMES)}
    nested = {name: {"": {name: np.array(i)}} for i, name in enumerate(NAMES)}
    collide = {"a": {"b": np.array(1), "": np.array(2)}, "a.b": np.array(3), "a.b'": np.array(4), 1: np.array(5)}
    tree = {**tree, **collide, "nested": nested, "1": mg.ones(1), "list": [np.array(0), [np.array(1)]]}
    for _ in range(5):  # safetensors' metadata have no fixed order
        assert_same(there_and_back(tree, tmp_path / f"x{suffix}"), tree)


@each_suffix
def test_headers_of_every_length(tmp_path, suffix):
    for length in range(0, 300, 3):  # a file may start with the byte that a pickle starts with
        tree = {"k" * length: np.array(length)}
        assert_same(there_and_back(tree, tmp_path / f"x{suffix}"), tree)


@each_suffix
def test_parameters_and_branches_of_other_types(tmp_path, suffix):
    leaf = mg.tensor([1.0, 2.0], requires_grad=True, name="w")
    tree = {"leaf": leaf, "result": leaf * 3.0, "p": nn.Parameter([4.0]), "pair": Pair(1, leaf)}
    loaded = there_and_back(OrderedDict(tree), tmp_path / f"x{suffix}")
    assert_same(loaded, {**tree, "result": mg.Tensor([3.0, 6.0]), "pair": (1, mg.Tensor(leaf))})
    assert loaded["p"].is_leaf


numbers = st.one_of(st.integers(), st.integers(-(2**300), 2**300), st.floats(allow_nan=True), st.booleans(), st.none())
texts = st.text(st.characters(exclude_categories=()), max_size=8)  # surrogates, too
dtypes = st.sampled_from(["?", "b", "B", "i2", "u4", "q", "e", "f", "d"])
shapes = st.lists(st.integers(0, 3), max_size=3).map(tuple)


@st.composite
def arrays(draw):
    dtype, shape = np.dtype(draw(dtypes)), draw(shapes)
    size = int(np.prod(shape)) * dtype.itemsize
    raw = np.frombuffer(draw(st.binary(min_size=size, max_size=size)), np.uint8)
    value = (raw % 2).view("?") if dtype.kind == "b" else raw.view(dtype)
    value = value.reshape(shape, order=draw(st.sampled_from("CF")))
    return draw(st.sampled_from([np.array, mg.Tensor]))(value)


trees = st.recursive(
    st.one_of(numbers, texts, arrays()),
    lambda part: st.one_of(
        st.lists(part, max_size=4),
        st.lists(part, max_size=4).map(tuple),
        st.dictionaries(texts, part, max_size=4),
        st.dictionaries(st.one_of(texts, st.integers(), st.none()), part, max_size=4),
    ),
    max_leaves=12,
)


@each_suffix
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(tree=trees)
def test_any_tree(tmp_path, suffix, tree):
    assert_same(there_and_back(tree, tmp_path / f"x{suffix}"), tree)


def test_archives_that_are_too_large_for_the_old_format(tmp_path, monkeypatch):
    for limit in ("ZIP64_LIMIT", "ZIP_FILECOUNT_LIMIT"):
        monkeypatch.setattr(zipfile, limit, 1)
    tree = {"a": np.arange(3), "b": {"c": mg.ones(2)}}
    assert_same(there_and_back(tree, tmp_path / "x.npz"), tree)
    monkeypatch.undo()
    assert_same(mg.load(tmp_path / "x.npz"), tree)


# Other programs


def training():
    mg.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    optimizer = mg.optim.Adam(model.parameters())
    model(mg.random.randn(4, 3)).sum().backward()
    optimizer.step()
    return model, optimizer


@each_suffix
def test_other_programs_read_our_files(tmp_path, suffix):
    model, optimizer = training()
    path = tmp_path / f"x{suffix}"
    mg.save(path, {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3, "π": [np.ones(2)]})
    if suffix == ".npz":
        with np.load(path) as archive:
            read = {name: archive[name] for name in archive.files if name != "minigrad.json"}
            assert json.loads(archive["minigrad.json"])["tree"]["epoch"] == 3
    else:
        read = safetensors.load_file(path)
    state = [f"optimizer.state.{i}.{name}" for i in range(4) for name in ("exp_avg", "exp_avg_sq")]
    assert sorted(read) == sorted([*(f"model.{name}" for name in model.state_dict()), *state, "π.0"])
    np.testing.assert_array_equal(read["model.0.weight"], model[0].weight.data)
    np.testing.assert_array_equal(read["optimizer.state.1.exp_avg"], optimizer.state[model[0].bias]["exp_avg"])


@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
def test_files_by_numpy(tmp_path, write):
    own = {"a": np.arange(3), "b/c": np.ones((2, 0), np.float32), "d": np.array(1j), "e": np.zeros((20, 20)).T}
    write(tmp_path / "x.npz", np.array([True]), **own)
    assert_same(mg.load(tmp_path / "x.npz"), {k: mg.Tensor(v) for k, v in {**own, "arr_0": np.array([True])}.items()})


def test_files_by_safetensors(tmp_path):
    own = {"b": np.arange(3), "a.c": np.ones((2, 0), np.float16), "d": np.array(1.0), "z": np.array([1j], np.complex64)}
    for metadata in (None, {"sha256": "0" * 64, "format": "np"}):  # what it may mean is not our affair
        safetensors.save_file(own, tmp_path / "x.safetensors", metadata)
        loaded = mg.load(tmp_path / "x.safetensors")
        assert_same({k: loaded[k] for k in own}, {k: mg.Tensor(v) for k, v in own.items()})


@pytest.mark.parametrize(
    ("dtype", "result", "tolerance"), [(np.float32, "output", 1e-6), (np.float64, "output64", 1e-9)]
)
def test_a_model_of_pytorchs(dtype, result, tolerance):
    before = mg.get_default_dtype()
    mg.set_default_dtype(dtype)
    try:
        linear = nn.Linear(3 * 4 * 4, 5)
        model = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), linear)
    finally:
        mg.set_default_dtype(before)
    state = mg.load(REFERENCES / "torch_model.safetensors")
    x, *expected = (state.pop(name) for name in ("input", "output", "output64"))
    wanted = expected[result == "output64"]
    assert model.load_state_dict(state, strict=True) == ([], [])
    assert model[1].num_batches_tracked.item() == 2
    y = model.eval()(mg.Tensor(x, dtype=dtype))
    assert (y.dtype, wanted.dtype) == (dtype, dtype)
    np.testing.assert_allclose(y.detach().data, wanted.data, rtol=tolerance, atol=tolerance)


def test_bfloat16_becomes_float32():
    loaded = mg.load(REFERENCES / "torch_bfloat16.safetensors")
    assert_same(loaded["short"], loaded["long"])
    assert (loaded["none"].shape, loaded["none"].dtype) == ((0, 2), np.float32)
    assert (loaded["count"].item(), loaded["flags"].tolist()) == (3, [True, False])


def _safetensors_file(header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def test_dtypes_that_numpy_does_not_have(tmp_path):
    path = tmp_path / "x.safetensors"
    path.write_bytes(_safetensors_file({"w": {"dtype": "F8_E4M3", "shape": [2], "data_offsets": [0, 2]}}, b"ab"))
    with pytest.raises(errors.FileError, match="w has dtype F8_E4M3, which NumPy does not have"):
        mg.load(path)


def test_the_package_for_safetensors_is_named_if_it_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    for call in (
        lambda: mg.save(tmp_path / "x.safetensors", {}),
        lambda: mg.load(REFERENCES / "torch_model.safetensors"),
    ):
        with pytest.raises(errors.MissingPackageError, match=r"pip install safetensors \(the extra `io`\)"):
            call()
    assert os.listdir(tmp_path) == []
    there_and_back({}, tmp_path / "x.npz")


# Damage


@pytest.fixture
def small(tmp_path, request):
    path = tmp_path / f"x{request.param}"
    mg.save(path, {"a": mg.Tensor([1.0, 2.0]), "n": 3, "s": "0" * 64})
    return path


each_small = pytest.mark.parametrize("small", SUFFIXES, indirect=True)


@each_small
def test_every_changed_byte_is_found(small):
    content = small.read_bytes()
    assert len(content) < 1500
    for place in range(len(content)):
        for flip in (0x01, 0x20, 0x80, 0xFF):
            changed = bytearray(content)
            changed[place] ^= flip
            small.write_bytes(changed)
            with pytest.raises(errors.FileError):
                mg.load(small)
    small.write_bytes(content)
    assert mg.load(small)["n"] == 3


@each_small
def test_every_missing_and_added_byte_is_found(small):
    content = small.read_bytes()
    shorter = [content[:length] for length in range(len(content))]
    without = [content[:i] + content[i + 1 :] for i in range(len(content))]
    within = [content[:i] + b"0" + content[i:] for i in range(len(content) + 1)]
    for changed in (*shorter, *without, *within, content + content, content + b"\0" * 1000):
        if changed != content:
            small.write_bytes(changed)
            with pytest.raises(errors.FileError):
                mg.load(small)


@each_suffix
def test_changed_files_of_others_give_arrays_or_a_file_error(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    (np.savez if suffix == ".npz" else lambda p, **a: safetensors.save_file(a, p))(path, ab=np.ones(2), c=np.arange(2))
    content = path.read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile's
        for place in range(len(content)):
            for flip in (0x01, 0x80):
                changed = bytearray(content)
                changed[place] ^= flip
                path.write_bytes(changed)
                with contextlib.suppress(errors.FileError):
                    assert isinstance(mg.load(path), dict)


@each_suffix
@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(content=st.binary(max_size=60))
def test_bytes_that_mean_nothing(tmp_path, suffix, content):
    path = tmp_path / f"x{suffix}"
    for start in (b"", b"PK\x03\x04", b"\x80\x04", (40).to_bytes(8, "little") + b'{"a":'):
        path.write_bytes(start + content)
        with pytest.raises(errors.FileError, match="cannot be loaded"):
            mg.load(path)


# Files that want to do harm


class Bomb:
    """What runs code when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.fixture
def bomb(tmp_path):
    made = Bomb(tmp_path / "executed")
    pickle.loads(pickle.dumps(made))
    assert made.path.exists()  # it does work
    made.path.unlink()
    yield made
    assert not made.path.exists()


@each_suffix
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_are_not_loaded(tmp_path, suffix, protocol, bomb):
    path = tmp_path / f"x{suffix}"
    path.write_bytes(pickle.dumps({"a": bomb}, protocol))
    with pytest.raises(errors.FileError, match="pickle, and to load one is to run code" if protocol > 1 else "damaged"):
        mg.load(path)


@each_suffix
def test_files_of_torch_save_are_not_loaded(tmp_path, suffix, bomb):
    path = tmp_path / f"x{suffix}"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(bomb, 2))
        archive.writestr("archive/data/0", b"\0" * 8)
        archive.writestr("archive/version", "3\n")
    with pytest.raises(errors.FileError, match=r"save_file\(model.state_dict" if suffix == ".npz" else "damaged"):
        mg.load(path)


def test_arrays_of_objects_are_not_loaded(tmp_path, bomb):
    path = tmp_path / "x.npz"
    np.savez(path, a=np.ones(2), b=np.array([bomb, 1], object))
    with pytest.raises(errors.FileError, match="cannot be loaded"):
        mg.load(path)
    inner = io.BytesIO()
    np.save(inner, np.array([bomb], object), allow_pickle=True)
    signed = mgio._to_npz({}, json.dumps({"version": 1, "tree": {"#": ["array", "b"]}}))
    for content in (inner.getvalue(), pickle.dumps(bomb)):
        with zipfile.ZipFile(io.BytesIO(signed)) as own, zipfile.ZipFile(path, "w") as archive:
            archive.writestr("b.npy", content)
            archive.writestr("minigrad.json", own.read("minigrad.json"))
        with pytest.raises(errors.FileError):
            mg.load(path)


@pytest.mark.parametrize(
    "array", [np.array(["x"]), np.array([b"x"]), np.array(["2020-01-01"], "M8[D]"), np.zeros(1, "i4,f4")]
)
def test_arrays_of_something_else_are_not_loaded(tmp_path, array):
    np.savez(tmp_path / "x.npz", a=array)
    with pytest.raises(errors.FileError, match="made of numbers"):
        mg.load(tmp_path / "x.npz")


def test_names_cannot_lead_out_of_the_archive(tmp_path):
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    member = io.BytesIO()
    np.save(member, np.ones(2))
    names = ["../../x.npy", "/tmp/minigrad-test-x.npy", "..\\x.npy", "a/../../../x.npy"]
    with zipfile.ZipFile(folder / "x.npz", "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), member.getvalue())
    assert list(mg.load(folder / "x.npz")) == [name.removesuffix(".npy") for name in names]
    assert [path.name for path in tmp_path.rglob("*")] == ["a", "b", "x.npz"]
    assert not Path("/tmp/minigrad-test-x.npy").exists()


def _npy(header):
    """An .npy file with this header and hardly any data."""
    text = header if isinstance(header, bytes) else repr(header).encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text) + 1) + text + b"\n" + b"\0" * 16


HEADERS = [
    {"descr": "<f8", "fortran_order": False, "shape": (10**6,)},
    {"descr": "<f8", "fortran_order": False, "shape": (2 * 10**9,)},
    {"descr": "<f8", "fortran_order": False, "shape": (10**13,)},
    {"descr": "<f8", "fortran_order": False, "shape": (2**62, 4)},
    {"descr": "<f8", "fortran_order": False, "shape": (-1,)},
    {"descr": "<f8", "fortran_order": False, "shape": (-2, -1)},
    {"descr": "<f8", "fortran_order": False, "shape": (1,) * 100},
    {"descr": "|V1000000000", "fortran_order": False, "shape": (1000,)},
    {"descr": "|O", "fortran_order": False, "shape": (2,)},
    {"descr": "<f8", "fortran_order": False, "shape": "x"},
    {"descr": "nonsense", "fortran_order": False, "shape": (2,)},
    {"descr": "<f8", "shape": (2,)},
    b"__import__('os').system('touch executed')",
    b"[" * 5000,
    b"(" * 200 + b")" * 200,
    b"",
    b"\xff" * 50,
    b"{'descr': " + b"9" * 60_000,
]


@pytest.mark.parametrize("header", HEADERS, ids=range(len(HEADERS)))
@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.filterwarnings("ignore::SyntaxWarning")
def test_absurd_headers_of_arrays(tmp_path, header, compression):
    with zipfile.ZipFile(tmp_path / "x.npz", "w", compression) as archive:
        archive.writestr("a.npy", _npy(header))
    with pytest.raises(errors.FileError):
        mg.load(tmp_path / "x.npz")


def test_a_member_that_is_said_to_be_huge(tmp_path):
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", _npy(HEADERS[2]))
    content = path.read_bytes()
    path.write_bytes(content.replace(struct.pack("<L", len(_npy(HEADERS[2]))), struct.pack("<L", 2**32 - 2)))
    with pytest.raises(errors.FileError):
        mg.load(path)


@pytest.mark.parametrize(
    "content",
    [
        _safetensors_file(b"", length=2**63),
        _safetensors_file(b"{}", length=2**40),
        _safetensors_file(b"{}", length=1),
        _safetensors_file(b"[]"),
        _safetensors_file(b"3"),
        _safetensors_file(b"null"),
        _safetensors_file(b"[" * 100_000),
        _safetensors_file(b'{"a":' * 100_000),
        _safetensors_file({"__metadata__": 5}),
        _safetensors_file({"__metadata__": {"minigrad": 5}}),
        _safetensors_file({"__metadata__": {"minigrad-sha256": 5}}),
        _safetensors_file({"__metadata__": {"minigrad-sha256": ""}}),
        _safetensors_file({"a": 5}),
        _safetensors_file({"a": {"dtype": "F64", "shape": [10**12], "data_offsets": [0, 8 * 10**12]}}),
        _safetensors_file({"a": {"dtype": "F64", "shape": [2**62, 4], "data_offsets": [0, 0]}}),
        _safetensors_file({"a": {"dtype": "F64", "shape": [-1], "data_offsets": [0, 8]}}, b"\0" * 8),
        _safetensors_file({"a": {"dtype": "F64", "shape": [1], "data_offsets": [8, 0]}}, b"\0" * 8),
        _safetensors_file({"a": {"dtype": "F64", "shape": [2], "data_offsets": [0, 8]}}, b"\0" * 8),
        _safetensors_file({"a": {"dtype": "BF16", "shape": [4], "data_offsets": [-8, 0]}}, b"\0" * 8),
        _safetensors_file({"a": {"dtype": "BF16", "shape": [4], "data_offsets": [0, 8]}}, b"\0" * 9),
        _safetensors_file({"a": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}, b"\0" * 8),
        _safetensors_file({"a": {"dtype": "what", "shape": [1], "data_offsets": [0, 8]}}, b"\0" * 8),
        _safetensors_file({"a": {"dtype": ["F64"], "shape": [1], "data_offsets": [0, 8]}}, b"\0" * 8),
    ],
    ids=range(23),
)
def test_absurd_headers_of_safetensors(tmp_path, content):
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(errors.FileError):
        mg.load(path)


FORMS = [
    "[" * 100_000,
    '{"version": 1, "tree": ' + "[" * 50_000 + "]" * 50_000 + "}",
    '{"version": 1, "tree": {"#": ["tensor", "missing"]}}',
    '{"version": 1, "tree": {"#": ["tensor"]}}',
    '{"version": 1, "tree": {"#": ["dict", 3]}}',
    '{"version": 1, "tree": {"#": ["dict", [[], 3]]}}',
    '{"version": 1, "tree": {"#": 5}}',
    '{"version": 1, "tree": {"#": []}}',
    '{"version": 1, "tree": {"#": ["code", "a"]}}',
    '{"version": "1", "tree": 3}',
    '{"version": 1}',
    '{"tree": 3}',
    "[]",
    "",
    "9" * 5000,
]


@each_suffix
@pytest.mark.parametrize("form", FORMS, ids=range(len(FORMS)))
def test_descriptions_that_describe_nothing(tmp_path, suffix, form):
    path = tmp_path / f"x{suffix}"
    path.write_bytes(mgio._WRITERS[suffix]({"a": np.ones(2)}, form))
    with pytest.raises(errors.FileError):
        mg.load(path)


@each_suffix
def test_files_of_a_newer_version(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    path.write_bytes(mgio._WRITERS[suffix]({}, '{"version": 2, "tree": "what nobody knows yet"}'))
    with pytest.raises(errors.FileError, match="written by a newer version of minigrad"):
        mg.load(path)


# Misuse


@each_suffix
@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"a": [1, {"b": {1, 2}}]}, r"a\.1\.b is a set"),
        ([deque()], "0 is a deque"),
        (object(), "this is a object"),
        ({"model": nn.Linear(1, 1)}, "model is a Linear"),
        ({"f": len}, "f is a builtin_function_or_method"),
        ({"x": b"bytes"}, "x is a bytes"),
        ({"x": np.array(["text"])}, "x has dtype <U4"),
        ({"x": [np.array([None])]}, r"x\.0 has dtype object"),
        ({"x": np.array(["2020"], "M8[Y]")}, "x has dtype datetime64"),
        ({"x": {(1, 2): 3}}, "the keys of x must be texts or numbers"),
        ({b"x": 3}, "the keys of the dict must be"),
        ({"x": {1j: 3}}, "the keys of x must be"),
    ],
    ids=lambda value: "" if isinstance(value, str) else None,
)
def test_what_cannot_be_saved_is_named_by_its_path(tmp_path, suffix, bad, words):
    path = tmp_path / f"x{suffix}"
    mg.save(path, "old")
    with pytest.raises(errors.DTypeError, match=words):
        mg.save(path, bad)
    assert mg.load(path) == "old"
    assert os.listdir(tmp_path) == [path.name]


@each_suffix
def test_a_tree_that_contains_itself(tmp_path, suffix):
    tree = {"a": []}
    tree["a"].append(tree)
    deep = []
    for _ in range(5000):
        deep = [deep]
    for bad in (tree, deep):
        with pytest.raises(errors.ArgumentError, match="contains itself"):
            mg.save(tmp_path / f"x{suffix}", bad)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["x", "x.pt", "x.pkl", "x.npy", ".npz", "npz", "x.npz.bak", "x.npz/x"])
def test_the_name_of_a_file_says_what_it_is(tmp_path, name):
    for call in (lambda: mg.save(tmp_path / name, {}), lambda: mg.load(str(tmp_path / name))):
        with pytest.raises(errors.ArgumentError, match=r"must end with \.npz or \.safetensors"):
            call()


@each_suffix
def test_places_where_no_file_can_be(tmp_path, suffix):
    with pytest.raises(FileNotFoundError):
        mg.load(tmp_path / f"missing{suffix}")
    with pytest.raises(FileNotFoundError):
        mg.save(tmp_path / "missing" / f"x{suffix}", {})
    folder = tmp_path / f"folder{suffix}"
    folder.mkdir()
    with pytest.raises(IsADirectoryError):
        mg.load(folder)
    with pytest.raises(IsADirectoryError):
        mg.save(folder, {})
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        mg.save(tmp_path / "file" / f"x{suffix}", {})
    assert sorted(os.listdir(tmp_path)) == ["file", folder.name]


@each_suffix
@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_to(tmp_path, suffix):
    mg.save(tmp_path / f"x{suffix}", 1)
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(PermissionError):
            mg.save(tmp_path / f"x{suffix}", 2)
    finally:
        tmp_path.chmod(0o700)
    assert there_and_back(1, tmp_path / f"x{suffix}") == 1


# Failures on the way


class FailingFile:
    """A file on a full disk."""

    def __init__(self, file, error, method):
        self.file, self.error, self.method = file, error, method

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.file.close()

    def _pass(self, method, *args):
        if method == self.method:
            if args:
                self.file.write(args[0][:5])
            raise self.error
        return getattr(self.file, method)(*args)

    def write(self, content):
        return self._pass("write", content)

    def flush(self):
        return self._pass("flush")

    def fileno(self):
        return self._pass("fileno")


@each_suffix
@pytest.mark.parametrize("method", ["write", "flush", "fileno", "replace"])
@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "no space left"), MemoryError(), KeyboardInterrupt()], ids=repr
)
def test_the_old_file_stays_if_the_new_one_cannot_be_written(tmp_path, suffix, method, error, monkeypatch):
    path = tmp_path / f"x{suffix}"
    mg.save(path, {"old": np.ones(3)})
    opened, content = Path.open, path.read_bytes()

    def fail(*_):
        raise error

    with monkeypatch.context() as patch:
        if method == "replace":
            patch.setattr(Path, "replace", fail)
        else:
            patch.setattr(Path, "open", lambda self, mode: FailingFile(opened(self, mode), error, method))
        with pytest.raises(type(error)):
            mg.save(path, {"new": np.zeros(1000)})
    assert path.read_bytes() == content
    assert os.listdir(tmp_path) == [path.name]


FULL = """
import os, resource, sys
import minigrad as mg, numpy as np
path = sys.argv[1]
mg.save(path, {"old": np.ones(10)})
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, resource.RLIM_INFINITY))
try:
    mg.save(path, {"new": np.ones(100_000)})
except OSError as error:
    print(error.errno, list(mg.load(path)), os.listdir(os.path.dirname(path)))
"""


@each_suffix
def test_a_disk_that_gets_full_in_the_middle_of_a_file(tmp_path, suffix):
    pytest.importorskip("resource")
    path = tmp_path / f"x{suffix}"
    done = subprocess.run([sys.executable, "-c", FULL, path], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(errno.EFBIG), "['old']", f"['{path.name}']"]


def test_a_folder_that_cannot_be_synchronized_is_no_failure(tmp_path, monkeypatch):
    def fail(*_):
        raise PermissionError

    monkeypatch.setattr(os, "open", fail)
    assert there_and_back(3, tmp_path / "x.npz") == 3


@each_suffix
def test_threads_that_write_one_file(tmp_path, suffix):
    path, problems = tmp_path / f"x{suffix}", []

    def work(i):
        try:
            for _ in range(10):
                mg.save(path, {"i": i, "x": np.full(50_000 * i, i)})
                loaded = mg.load(path)
                assert (loaded["x"] == loaded["i"]).all()
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert os.listdir(tmp_path) == [path.name]


@each_suffix
@pytest.mark.skipif(os.name != "posix", reason="there is no way to ask for a process")
def test_what_killed_processes_have_left_is_swept(tmp_path, suffix):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    path = tmp_path / f"run[1]*{suffix}"
    left = tmp_path / f".{path.name}.{dead.pid}.tmp"
    kept = [
        tmp_path / f".{path.name}.1.tmp",  # a process that is there
        tmp_path / f".{path.name}.x.tmp",
        tmp_path / f".run1abc{suffix}.{dead.pid}.tmp",  # of another file
        tmp_path / f"{path.name}.{dead.pid}.tmp",
    ]
    for file in (left, *kept):
        file.touch()
    mg.save(path, {})
    assert sorted(os.listdir(tmp_path)) == sorted(file.name for file in (path, *kept))


# Checkpoints


def started():
    mg.manual_seed(1)
    return nn.Linear(2, 2), nn.BatchNorm1d(2)


@each_suffix
def test_checkpoints_hold_states_trees_and_random_numbers(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    model, optimizer = training()
    mg.io.save_checkpoint(path, model=model, optimizer=optimizer, epoch=3, losses=[1.0, np.float32(2)])
    wanted = mg.random.rand(3).tolist()
    state = {name: tensor.tolist() for name, tensor in model.state_dict().items()}
    other = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    fresh = mg.optim.Adam(other.parameters(), lr=7.0)
    rest = mg.io.load_checkpoint(path, model=other, optimizer=fresh)
    assert rest == {"epoch": 3, "losses": [1.0, np.float32(2)]}
    assert mg.random.rand(3).tolist() == wanted
    assert {name: tensor.tolist() for name, tensor in other.state_dict().items()} == state
    np.testing.assert_equal(fresh.state_dict(), optimizer.state_dict())


def test_a_checkpoint_that_does_not_fit_changes_nothing(tmp_path):
    path = tmp_path / "x.npz"
    a, b = started()
    mg.io.save_checkpoint(path, a=nn.Linear(2, 2), b=nn.BatchNorm1d(3), c=nn.BatchNorm1d(2), d=1)
    before = [str(part.state_dict()) for part in (a, b)]
    random = mg.random.get_state()
    with pytest.raises(errors.StateDictError):
        mg.io.load_checkpoint(path, a=a, b=b)
    with pytest.raises(errors.ArgumentError, match=r"has no x, y; there are a, b, c, d"):
        mg.io.load_checkpoint(path, a=a, x=b, y=b)
    with pytest.raises(errors.DTypeError, match="d cannot load a state"):
        mg.io.load_checkpoint(path, a=a, d=1)
    for bad in ({}, {"bit_generator": "MT19937"}, 3, None):
        mg.save(path, {"a": nn.Linear(2, 2).state_dict(), "random": bad})
        with pytest.raises(errors.StateDictError, match="random"):
            mg.io.load_checkpoint(path, a=a)
    for tree in ({"a": a.state_dict()}, [1, 2], mg.ones(2), None):
        mg.save(path, tree)
        with pytest.raises(errors.ArgumentError):
            mg.io.load_checkpoint(path, a=a)
    assert [str(part.state_dict()) for part in (a, b)] == before
    assert mg.random.get_state() != random  # Linear(2, 2) above has drawn numbers
    with pytest.raises(errors.ArgumentError, match="in any case"):
        mg.io.save_checkpoint(path, random=3)
