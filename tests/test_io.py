"""Files: whatever is saved comes back, whatever is damaged is found, and nothing is ever executed."""

import contextlib
import errno
import gzip
import io
import json
import os
import pickle
import re
import struct
import sys
import tempfile
import time
import tracemalloc
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
from minigrad.io import files
from tests.rows import each

safetensors = pytest.importorskip("safetensors.numpy")

REFERENCES = Path(__file__).parent / "references"
SUFFIXES = [".npz", ".safetensors"]
each_suffix = pytest.mark.parametrize("suffix", SUFFIXES)
Pair = namedtuple("Pair", "left right")


def content_of(suffix, arrays, form):
    """A file with any description, and a checksum that fits."""
    file = io.BytesIO()
    files._WRITERS[suffix](file, arrays, form)
    return file.getvalue()


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
@each("tree", [PLAIN, KEYS, {"#": ["tensor", "x"]}, {"#": {"#": "#"}}, [], None, "text", 3, ()])
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
@each("dtype", ["?", *np.typecodes["AllInteger"], "e", "f", "d"])
@each("order", "=<>")
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
    assert_same(loaded, {**tree, "result": mg.Tensor([3.0, 6.0]), "pair": (1, leaf.detach())})
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


@each_suffix
def test_files_of_older_versions(suffix):
    """Which wrote .safetensors with the package of that name, and so the metadata in any order."""
    loaded = mg.load(REFERENCES / f"saved_by_an_older_version{suffix}")
    counts = np.arange(3, dtype=">i2" if suffix == ".npz" else "<i2")
    weights = {"w": mg.Tensor([1.0, -2.5]), "n": counts}
    assert_same(
        loaded,
        {"weights": weights, "deep": [(1, None), {"#": 2, 3: "x"}], "scalar": np.float32(0.5), "nan": float("inf")},
    )


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


@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
def test_every_dtype_and_order_of_numbers_by_numpy(tmp_path, write):
    own = {}
    for code in ["?", *np.typecodes["AllInteger"], *np.typecodes["AllFloat"]]:
        for order in "<>":
            base = np.arange(12).astype(np.dtype(code).newbyteorder(order)).reshape(3, 4)
            forms = {"c": base, "f": base.T, "0": base[1, 2], "empty": base[:0], "strided": base[::-1, ::2]}
            own.update({f"{code}{order}{form}": np.asarray(array) for form, array in forms.items()})
    write(tmp_path / "x.npz", **own)
    assert_same(mg.load(tmp_path / "x.npz"), {name: mg.Tensor(array) for name, array in own.items()})


def test_files_by_safetensors(tmp_path):
    own = {"b": np.arange(3), "a.c": np.ones((2, 0), np.float16), "d": np.array(1.0)}
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


def test_complex_numbers_in_safetensors_of_others(tmp_path):
    path, header = tmp_path / "x.safetensors", {"z": {"dtype": "C64", "shape": [1], "data_offsets": [0, 8]}}
    path.write_bytes(_safetensors_file(header, struct.pack("<ff", 2, -3)))
    assert_same(mg.load(path), {"z": mg.Tensor(np.array([2 - 3j], np.complex64))})


def test_dtypes_that_numpy_does_not_have(tmp_path):
    path = tmp_path / "x.safetensors"
    path.write_bytes(_safetensors_file({"w": {"dtype": "F8_E4M3", "shape": [2], "data_offsets": [0, 2]}}, b"ab"))
    with pytest.raises(errors.FileError, match="w has dtype F8_E4M3, which NumPy does not have"):
        mg.load(path)


def test_the_package_safetensors_is_not_needed(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    assert_same(there_and_back([np.ones(2), 3], tmp_path / "x.safetensors"), [np.ones(2), 3])
    assert len(mg.load(REFERENCES / "torch_model.safetensors")) == 9 + 3  # of the model, and its input and outputs


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
@each("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
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
    signed = content_of(".npz", {}, json.dumps({"version": 1, "tree": {"#": ["array", "b"]}}))
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


@each("header", HEADERS)
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


@each(
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
@each("form", FORMS)
def test_descriptions_that_describe_nothing(tmp_path, suffix, form):
    path = tmp_path / f"x{suffix}"
    path.write_bytes(content_of(suffix, {"a": np.ones(2)}, form))
    with pytest.raises(errors.FileError):
        mg.load(path)


@each_suffix
def test_files_of_a_newer_version(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    path.write_bytes(content_of(suffix, {}, '{"version": 2, "tree": "what nobody knows yet"}'))
    with pytest.raises(errors.FileError, match="written by a newer version of minigrad"):
        mg.load(path)


# Small files that would take all memory, or all time

MB = 10**6


def refused(path, words="cannot be loaded", memory=4 * MB):
    """Loading is refused by this word, and has not allocated much before."""
    tracemalloc.start()
    try:
        with pytest.raises(errors.FileError, match=words):
            mg.load(path)
        assert tracemalloc.get_traced_memory()[1] < memory + 40 * path.stat().st_size
    finally:
        tracemalloc.stop()


def npy(descr, shape, data=b"", version=1, order="False"):
    """An .npy file with any header."""
    text = f"{{'descr': {descr!r}, 'fortran_order': {order}, 'shape': {shape}, }}".encode()
    length = struct.pack("<H" if version == 1 else "<L", len(text) + 1)
    return b"\x93NUMPY" + bytes([version, 0]) + length + text + b"\n" + data


def archive_of(path, *members, compression=zipfile.ZIP_STORED):
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", compression) as archive:
        warnings.simplefilter("ignore")  # of double names
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, compress_type=compression)
    return path


ABSURD = [
    *[npy(descr, "(1000000000000,)") for descr in ("|V0", "|S0", "<U0", "|b1", "<f8", "<c16", "|O", "<M8[D]", "<f0")],
    *[npy("|S0", "(500000000,)"), npy("<f2", "(4294967296, 4294967296)"), npy("|i1", "(18446744073709551617,)")],
    *[npy("<f8", f"({'9' * 18}, {'9' * 18}, 0, {'9' * 30})"), npy("<f8", "(-1, -1000)"), npy("<f8", "(1, -0)")],
    *[npy("<f8", "(2,)", b"0" * 8), npy("<f8", "(2,)", b"0" * 24), npy("<f8", "()", b""), npy("<f8", "(0,)", b"0")],
    *[npy([("a", "<f8")], "(1,)", b"0" * 8), npy([], "(1000000000000,)"), npy("3<f8", "(1,)", b"0" * 24)],
    *[npy("f8,f8", "(1,)", b"0" * 16), npy("(1000000000,)<f8", "(1,)"), npy("<f999", "(1,)"), npy("<i3", "()", b"000")],
    *[npy("<f8", "(1.0,)", b"0" * 8), npy("<f8", "(True,)", b"0" * 8), npy("<f8", "1", b"0" * 8), npy("<f8", "[1]")],
    *[npy("<f8", f"({'1,' * 65})", b"0" * 8), npy("<f8", f"({'0,' * 4000})"), npy("<f8", f"({'9' * 5000},)")],
    *[npy("<f8", "(1,)", b"0" * 8, version) for version in (0, 4, 255)],
    *[npy("<f8", "(1,)", b"0" * 8, order="1"), npy("<f8", "(1,)", b"0" * 8, order="True, 'x': 1")],
    *[b"\x93NUMPY\x01\x00" + struct.pack("<H", 9000) + sign * 9000 for sign in (b"-", b"(", b"{", b"[", b"1", b" ")],
    *[b"\x93NUMPY\x02\x00" + struct.pack("<L", n) + b" " * 200 for n in (2**32 - 1, 10**6, 9000)],
    *[b"", b"\x93NUMPY", b"\x93NUMPY\x01\x00", b"\x93NUMPY\x01\x00\x05", b"PK\x03\x04", b"\x80\x04]."],
]


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_arrays_that_are_not_what_they_say(tmp_path, compression):
    for content in ABSURD:
        refused(archive_of(tmp_path / "x.npz", ("a.npy", content), compression=compression))


LOOSE = b"{'shape':(1,),\n\"fortran_order\":False,'descr':\"|u1\"}   \n"


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (npy("<f8", "(1,)", bytes(8), version=2), np.zeros(1)),
        (npy("<f8", "(1,)", bytes(8), version=3), np.zeros(1)),
        (npy("<f4", "(2L, 1L)", bytes(8)), np.zeros((2, 1), "f4")),  # as Python 2 wrote them
        (npy("<i2", "(2,2)", bytes(range(8)), order="True"), np.array([[0x100, 0x504], [0x302, 0x706]], "i2")),
        (npy(">i2", "(1,)", b"\0\1"), np.array([1], ">i2")),
        (npy("?", "()", b"\1"), np.array(True)),
        (npy("<f8", "(0, 1000000000000)"), np.zeros((0, 10**12))),
        (npy("<f8", "(1000000000000, 0)", order="True"), np.zeros((10**12, 0))),
        (b"\x93NUMPY\x01\x00" + struct.pack("<H", len(LOOSE)) + LOOSE + b"\7", np.array([7], "u1")),
    ],
    ids=range(9),
)
def test_headers_as_others_write_them(tmp_path, content, wanted):
    assert_same(mg.load(archive_of(tmp_path / "x.npz", ("a.npy", content))), {"a": mg.Tensor(wanted)})


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_to_compress_are_refused_by_name(tmp_path, method):
    content = npy("<f8", "(2000000,)", bytes(16 * MB))
    path = archive_of(tmp_path / "x.npz", ("a.npy", content), compression=method)
    assert path.stat().st_size < 5000
    refused(path, r"'a.npy' is compressed by (bzip2|lzma), and only what NumPy writes is read")


def test_what_is_unpacked_has_a_limit_that_can_be_raised(tmp_path, monkeypatch):
    path = tmp_path / "x.npz"
    np.savez_compressed(path, a=np.zeros(2 * MB), b=np.zeros((2, MB)))
    assert path.stat().st_size < 40_000
    assert mg.load(path)["a"].shape == (2 * MB,)  # little, however much it is for its size
    monkeypatch.setattr(files, "_ANYWAY", 10 * MB)
    refused(path, r"unpacked it takes 32000\d\d\d bytes, and the file has 3\d+; more than 10000000 are not unpacked")
    with pytest.raises(errors.FileError, match=r"write load\(path, max_size=(\d+)\)") as caught:
        mg.load(path)
    needed = int(re.search(r"max_size=(\d+)", str(caught.value)).group(1))
    assert mg.load(path, max_size=needed)["b"].shape == (2, MB)
    assert len(mg.load(path, max_size=float("inf"))) == 2
    with pytest.raises(errors.FileError, match="are not unpacked"):
        mg.load(path, max_size=needed - 1)


@each_suffix
def test_the_limit_holds_for_every_kind_of_file(tmp_path, suffix):
    mg.save(tmp_path / f"x{suffix}", {"a": np.ones(1000)})
    with pytest.raises(errors.FileError, match="are not unpacked"):
        mg.load(tmp_path / f"x{suffix}", max_size=7999)
    assert len(mg.load(tmp_path / f"x{suffix}", max_size=9000)["a"]) == 1000
    for bad, error in ((-1, errors.ArgumentError), (float("nan"), errors.ArgumentError), ("1", errors.DTypeError)):
        with pytest.raises(error, match="max_size is a number of bytes"):
            mg.load(tmp_path / f"x{suffix}", max_size=bad)


def test_a_file_that_unfolds_by_default(tmp_path):
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.npy", "w") as member:
        member.write(npy("<f8", "(37500000,)"))
        for _ in range(300):
            member.write(bytes(MB))
    refused(path, "unpacked it takes 300000")


def test_members_with_one_name_are_refused(tmp_path):
    member = npy("<f8", "(1,)", bytes(8))
    refused(
        archive_of(tmp_path / "x.npz", ("a.npy", member), ("b.npy", member), ("a.npy", member)),
        "'a.npy' is there twice",
    )
    refused(archive_of(tmp_path / "x.npz", *[("a.npy", member)] * 2000), "'a.npy' is there twice")
    refused(archive_of(tmp_path / "x.npz", ("a.npy", member), ("a.npy\0b", member)), "'a.npy' is there twice")


def directory_patched(path, change):
    """Change the entries of an archive's directory, and leave what they stand for as it is."""
    content = path.read_bytes()
    start = content.index(b"PK\x01\x02")
    path.write_bytes(content[:start] + change(content[start:]))
    return path


def test_members_that_lie_one_over_another(tmp_path):
    """As in a quoted-overlap bomb, many entries may stand for one member, under names of their own."""
    member = npy("<f8", "(1000,)", bytes(8000))
    path = archive_of(tmp_path / "x.npz", ("a.npy", member), ("b.npy", b""), ("c.npy", b""))
    entry = 46 + len("a.npy")

    def all_are_the_first(directory):
        first = directory[:entry]
        others = [first[:46] + name + first[46 + 5 :] for name in (b"b.npy", b"c.npy")]
        return first + b"".join(others) + directory[3 * entry :]

    refused(directory_patched(path, all_are_the_first), "lie one over another|Overlapped entries")


@pytest.mark.parametrize("field", [20, 24], ids=["compressed", "uncompressed"])
def test_sizes_that_are_too_large(tmp_path, field):
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        path = archive_of(tmp_path / "x.npz", ("a.npy", npy("|u1", "(100000000,)", b"1")), compression=compression)
        huge = struct.pack("<L", 100_000_000 + len(npy("|u1", "(100000000,)")))
        refused(directory_patched(path, lambda old, huge=huge: old[:field] + huge + old[field + 4 :]), memory=110 * MB)


def test_members_that_are_encrypted(tmp_path):
    path = archive_of(tmp_path / "x.npz", ("a.npy", npy("<f8", "()", bytes(8))))
    refused(directory_patched(path, lambda old: old[:8] + b"\1" + old[9:]), "'a.npy' is encrypted")


@each_suffix
def test_one_array_at_many_places_of_a_tree(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    form = {"version": 1, "tree": [{"#": ["tensor", "a"]}] * 3000}
    path.write_bytes(content_of(suffix, {"a": np.ones(1000)}, json.dumps(form)))
    refused(path, "'a' is missing, or stands at two places of the tree")


@each_suffix
@pytest.mark.parametrize(
    "form", ['{"version": 1, "version": 1, "tree": 3}', '{"version": 1, "tree": {"a": 1, "a": 2}}']
)
def test_descriptions_with_one_name_twice(tmp_path, suffix, form):
    path = tmp_path / f"x{suffix}"
    path.write_bytes(content_of(suffix, {}, form))
    refused(path, "is there twice")


@each_suffix
def test_keys_that_are_made_to_have_one_hash(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    pairs = [[k * (2**61 - 1), 0] for k in range(50_000)]  # Python's hash of ints is their rest by this number
    path.write_bytes(content_of(suffix, {}, json.dumps({"version": 1, "tree": {"#": ["dict", *pairs]}})))
    refused(path, "all have one hash")
    assert_same(there_and_back({-1: 0, -2: 1, 0: 2, 2**61 - 1: 3}, path), {-1: 0, -2: 1, 0: 2, 2**61 - 1: 3})


def test_a_description_that_is_compressed(tmp_path):
    path = archive_of(tmp_path / "x.npz", ("minigrad.json", b"[" * 40 * MB), compression=zipfile.ZIP_DEFLATED)
    refused(path, "'minigrad.json' in the archive is no array")


def test_entries_of_safetensors_that_do_not_fit(tmp_path):
    for entries in (
        {"a": ("F64", [1], 0, 8), "b": ("F64", [1], 0, 8)},  # one over another
        {"a": ("F64", [1], 0, 8), "b": ("F64", [1], 4, 12)},
        {"a": ("F64", [1], 8, 16)},  # a hole
        {"a": ("F64", [0], 0, 0)},  # too much
        {"a": ("F64", [10**9, 10**9, 10**9], 0, 16)},
        {"a": ("F64", [True], 0, 8), "b": ("F64", [1], 8, 16)},
        {"a": ("F64", [2.0], 0, 16)},
        {"a": ("F64", [-2], 0, 16)},
        {"a": ("F64", [-1, -2], 0, 16)},
        {"a": ("F64", [0] * 100, 0, 0), "b": ("F64", [2], 0, 16)},
        {"a": ("F64", [2], 0, 16), "b": ("F64", ["1"], 16, 24)},
        {"a": ("F64", [2], "0", 16)},
        {"a": ("F64", [2], None, 16)},
    ):
        header = {name: {"dtype": d, "shape": s, "data_offsets": [a, b]} for name, (d, s, a, b) in entries.items()}
        (tmp_path / "x.safetensors").write_bytes(_safetensors_file(header, bytes(16)))
        refused(tmp_path / "x.safetensors")


def test_headers_of_safetensors_with_one_name_twice(tmp_path):
    entry = b'"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}'
    (tmp_path / "x.safetensors").write_bytes(_safetensors_file(b"{" + entry + b"," + entry + b"}", bytes(8)))
    refused(tmp_path / "x.safetensors", "'a' is there twice")


def test_safetensors_that_are_empty_have_their_shape(tmp_path):
    header = {"a": {"dtype": "F32", "shape": [0, 10**12], "data_offsets": [0, 0]}}
    (tmp_path / "x.safetensors").write_bytes(_safetensors_file(header))
    assert mg.load(tmp_path / "x.safetensors")["a"].shape == (0, 10**12)


# Memory and time


@each_suffix
@pytest.mark.parametrize("order", ["C", "F", "strided", ">f4"])
def test_files_take_no_memory_but_the_arrays_themselves(tmp_path, suffix, order):
    array = np.arange(20 * MB // 8, dtype=float).reshape(1000, -1)
    array = {"C": array, "F": array.T, "strided": array[::-1, ::2], ">f4": array.astype(">f4")}[order]
    path = tmp_path / f"x{suffix}"
    mg.save(path, [np.ones(1)])
    mg.load(path)  # what is imported is there now
    tracemalloc.start()
    try:
        mg.save(path, {"a": array, "b": mg.Tensor(1.0)})
        assert tracemalloc.get_traced_memory()[1] < 4 * MB
        tracemalloc.reset_peak()
        loaded = mg.load(path)["a"]
        assert tracemalloc.get_traced_memory()[1] < array.nbytes + 4 * MB
    finally:
        tracemalloc.stop()
    assert_same(loaded, np.array(array), native=suffix == ".safetensors")


@each_suffix
def test_many_arrays(tmp_path, suffix):
    tree = {f"layer.{i}": np.full(2, float(i)) for i in range(5_000)}
    np.savez(tmp_path / "numpys.npz", **tree)
    start = time.process_time()
    with np.load(tmp_path / "numpys.npz") as archive:
        assert len({name: archive[name] for name in archive.files}) == len(tree)
    middle = time.process_time()
    mg.save(tmp_path / f"x{suffix}", tree)
    loaded = mg.load(tmp_path / f"x{suffix}")
    assert time.process_time() - middle < 3 * (middle - start)  # about as long as NumPy takes to load it
    assert all(loaded[name][0] == i for i, name in enumerate(tree))


# Files that are open


class Trickle(io.RawIOBase):
    """A file that takes and gives three bytes at a time."""

    def __init__(self):
        self.inner = io.BytesIO()

    def readable(self):
        return True

    writable = seekable = readable

    def write(self, content):
        return self.inner.write(bytes(content[:3]))

    def readinto(self, places):
        return self.inner.readinto(memoryview(places)[:3])

    def seek(self, *args):
        return self.inner.seek(*args)

    def tell(self):
        return self.inner.tell()


class Listing:
    """Something that can be written to, and no more."""

    def __init__(self):
        self.parts = []

    def write(self, content):
        self.parts.append(content)


OPEN_TREE = {"a": np.arange(5.0), "t": mg.Tensor([1, 2]), "n": [None, "x"]}
each_format = pytest.mark.parametrize("format", ["npz", "safetensors"])


def unbuffered():
    return tempfile.TemporaryFile(buffering=0)  # closed by the test


@each_format
@pytest.mark.parametrize("make", [
    io.BytesIO, Trickle, tempfile.TemporaryFile, tempfile.NamedTemporaryFile, tempfile.SpooledTemporaryFile, unbuffered,
])  # fmt: skip
def test_files_that_are_open(format, make):
    with make() as file:
        mg.save(file, OPEN_TREE, format=format)
        file.seek(0)
        assert_same(mg.load(file), OPEN_TREE)
        assert not file.closed
        file.seek(0)
        assert file.read(2) == b"PK" or format == "safetensors"


@each_format
def test_files_that_begin_with_something_else(format):
    file = io.BytesIO(b"0123456789" * 20)
    file.seek(0, 2)
    mg.save(file, OPEN_TREE, format=format)
    with pytest.raises(
        errors.FileError, match=r"the BytesIO cannot be loaded: it is empty, or stands at its end: file\.seek"
    ):
        mg.load(file)
    file.seek(200)
    assert_same(mg.load(file), OPEN_TREE)
    np.testing.assert_array_equal(file.getvalue()[:200], b"0123456789" * 20)


@each_format
def test_what_is_written_to_an_open_file_is_what_a_path_would_hold(tmp_path, format):
    path = tmp_path / f"x.{format}"
    mg.save(path, OPEN_TREE)
    listing = Listing()
    mg.save(listing, OPEN_TREE, format=format)
    assert b"".join(listing.parts) == path.read_bytes()
    with path.open("rb") as file:
        assert_same(mg.load(file), OPEN_TREE)
    with path.open("wb") as file:  # whose name says how
        mg.save(file, OPEN_TREE)
    assert_same(mg.load(path), OPEN_TREE)
    with (tmp_path / "x.bin").open("w+b") as file:
        mg.save(file, OPEN_TREE)
    np.testing.assert_array_equal(np.load(tmp_path / "x.bin")["a"], OPEN_TREE["a"])


@each_format
def test_files_of_others_that_are_open(format):
    file = io.BytesIO()
    if format == "npz":
        np.savez_compressed(file, a=np.ones(3))
    else:
        file.write(safetensors.save({"a": np.ones(3)}))
    file.seek(0)
    assert_same(mg.load(file), {"a": mg.ones(3)})
    with gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(file.getvalue()))) as packed:
        assert_same(mg.load(packed), {"a": mg.ones(3)})


@each_format
def test_a_pipe_can_be_written_to(format):
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as source, os.fdopen(writing, "wb") as target:
        mg.save(target, OPEN_TREE, format=format)
        target.close()
        with pytest.raises(errors.ArgumentError, match=r"load\(io\.BytesIO\(file\.read\(\)\)\)"):
            mg.load(source)
        assert_same(mg.load(io.BytesIO(source.read())), OPEN_TREE)


def test_checkpoints_in_open_files():
    file = io.BytesIO()
    model = nn.Linear(2, 1)
    weight = model.weight.tolist()
    mg.io.save_checkpoint(file, model=model, epoch=3)
    file.seek(0)
    other = nn.Linear(2, 1)
    assert mg.io.load_checkpoint(file, model=other) == {"epoch": 3}
    assert other.weight.tolist() == weight
    file.seek(0)
    with pytest.raises(errors.ArgumentError, match="the BytesIO has no x; there are"):
        mg.io.load_checkpoint(file, x=other)


MODES = {"save": "wb", "load": "rb"}


@pytest.mark.parametrize("function", ["save", "load"])
def test_files_that_are_open_in_another_way(tmp_path, function):
    path = tmp_path / "x.npz"
    path.touch()
    call = {"save": lambda file: mg.save(file, 1), "load": mg.load}[function]
    other = {"save": "rb", "load": "wb"}[function]
    remedy = rf": a file to {function} is opened by open\(path, '{MODES[function]}'\)"
    for mode, words in (("w+", "x.npz is opened for text, .*"), (other, r"x.npz is not (read|writ)able")):
        with path.open(mode) as file, pytest.raises(errors.ArgumentError, match=words + remedy):
            call(file)
    with pytest.raises(errors.ArgumentError, match="x.npz is closed" + remedy):
        call(file)
    with tempfile.NamedTemporaryFile("w+") as file, pytest.raises(errors.ArgumentError, match="is opened for text"):
        call(file)
    with pytest.raises(errors.ArgumentError, match="the StringIO is opened for text"):
        call(io.StringIO("x"))


@pytest.mark.parametrize("function", ["save", "load"])
@pytest.mark.parametrize(
    ("given", "words"),
    [
        (3, r"an int is neither a path nor a binary file; .* by open\(descriptor, '[rw]b'\)"),
        (b"x.npz", r"a bytes is neither .* os\.fsdecode\(path\), .* io\.BytesIO\(content\)"),
        (None, "a NoneType is neither"),
        ({}, "a dict is neither"),
        (np.ones(2), "an ndarray is neither"),
    ],
)
def test_what_is_no_file(function, given, words):
    with pytest.raises(errors.DTypeError, match=f"{function}: {words}"):
        mg.save(given, [1]) if function == "save" else mg.load(given)


def test_arguments_of_save_in_the_wrong_order(tmp_path):
    for place in (str(tmp_path / "x.npz"), tmp_path / "x.npz", io.BytesIO()):
        with pytest.raises(errors.DTypeError, match=r"wrong order: write minigrad\.save\(path, tree\)"):
            mg.save({"a": 1}, place)
    mg.save(tmp_path / "x.npz", "a text")
    mg.save(io.BytesIO(), "a text")


def test_formats(tmp_path):
    for place in (io.BytesIO(), tmp_path / "x.npz"):
        with pytest.raises(errors.ArgumentError, match="there is no format 'pt': write format='npz' or"):
            mg.save(place, 1, format="pt")
    with pytest.raises(errors.ArgumentError, match=r"x\.npz ends with \.npz, and the format is 'safetensors'"):
        mg.save(tmp_path / "x.npz", 1, format="safetensors")
    mg.save(tmp_path / "x.npz", 1, format="npz")
    assert mg.load(tmp_path / "x.npz") == 1


@pytest.mark.parametrize("protocol", [2, pickle.HIGHEST_PROTOCOL])
def test_pickles_in_open_files_are_not_loaded(bomb, protocol):
    with pytest.raises(errors.FileError, match="pickle, and to load one is to run code"):
        mg.load(io.BytesIO(pickle.dumps(bomb, protocol)))


@each_format
def test_a_file_that_fails_while_it_is_written_to(format):
    class Full(io.RawIOBase):
        def writable(self):
            return True

        def write(self, content):
            raise OSError(errno.ENOSPC, "no space left")

    with pytest.raises(OSError, match="no space left"):
        mg.save(Full(), OPEN_TREE, format=format)


# Misuse


@each_suffix
@each(
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


@pytest.mark.parametrize("tree", [{"n": 10**4300}, [-(10**5000)], {10**5000: 1}])
def test_ints_that_python_would_not_read_again(tmp_path, tree):
    with pytest.raises(errors.ArgumentError, match=r"4300 digits.*save large ints as texts, hex\(n\)"):
        mg.save(tmp_path / "x.npz", tree)
    assert os.listdir(tmp_path) == []
    assert there_and_back(10**4299, tmp_path / "x.npz") == 10**4299


@pytest.mark.parametrize("name", ["x", "x.pt", "x.pkl", "x.npy", ".npz", "npz", "x.npz.bak", "x.npz/x"])
def test_the_name_of_a_file_says_what_it_is(tmp_path, name):
    for call in (lambda: mg.save(tmp_path / name, {}), lambda: mg.load(str(tmp_path / name))):
        with pytest.raises(errors.ArgumentError, match=r"must end with \.npz or \.safetensors"):
            call()


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


# Several files with an index


PARTS = {
    "a-1.safetensors": {"w": np.arange(6.0, dtype=np.float32).reshape(2, 3), "b": np.array([1, 2])},
    "sub/a-2.safetensors": {"v": np.ones((2, 2)), "of no index": np.zeros(3)},
}
PLACES = {"v": "sub/a-2.safetensors", "w": "a-1.safetensors", "b": "a-1.safetensors"}


def indexed(folder, weight_map=PLACES, parts=PARTS, name="model.safetensors.index.json"):
    """The index of files with these arrays."""
    (folder / "sub").mkdir(parents=True, exist_ok=True)
    for file, arrays in parts.items():
        safetensors.save_file(arrays, folder / file)
    content = weight_map if isinstance(weight_map, bytes) else json.dumps({"metadata": {}, "weight_map": weight_map})
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder / name


def test_an_index_is_the_arrays_of_its_files(tmp_path):
    loaded = mg.load(str(indexed(tmp_path)))
    expected = {name: mg.tensor({**PARTS["a-1.safetensors"], **PARTS["sub/a-2.safetensors"]}[name]) for name in PLACES}
    assert_same(loaded, expected)
    mg.save(tmp_path / "a-1.safetensors", {name: mg.tensor(x) for name, x in PARTS["a-1.safetensors"].items()})
    assert_same(mg.load(tmp_path / "model.safetensors.index.json"), expected)
    model = nn.Linear(3, 2)
    safetensors.save_file({name: x.numpy() for name, x in model.state_dict().items()}, tmp_path / "l.safetensors")
    whole = mg.load(indexed(tmp_path, dict.fromkeys(model.state_dict(), "l.safetensors"), {}))
    assert model.load_state_dict(whole) == ([], [])


def test_files_of_an_index_may_be_links(tmp_path):
    path = indexed(tmp_path / "snapshot")
    (tmp_path / "snapshot" / "a-1.safetensors").rename(tmp_path / "blob")
    (tmp_path / "snapshot" / "a-1.safetensors").symlink_to("../blob")
    assert len(mg.load(path)) == 3


def test_the_files_of_an_index_are_in_memory_once(tmp_path):
    parts = {f"{i}.safetensors": {f"x{i}": np.ones(MB // 8)} for i in range(4)}
    places = {f"x{i}": f"{i}.safetensors" for i in range(4)}
    path = indexed(tmp_path, places, parts)
    tracemalloc.start()
    try:
        loaded = mg.load(path)
        assert tracemalloc.get_traced_memory()[1] < 6.5 * MB
    finally:
        tracemalloc.stop()
    assert len(loaded) == 4
    assert len(mg.load(path, max_size=4 * MB)) == 4
    with pytest.raises(errors.FileError, match=r"3\.safetensors cannot be loaded: unpacked it takes"):
        mg.load(path, max_size=4 * MB - 1)


@each(("weight_map", "words"), [
    ({"w": "../a-1.safetensors"}, r"the file '\.\./a-1\.safetensors' would be outside of the folder"),
    ({"w": "sub/../../x.safetensors"}, "would be outside of the folder"),
    ({"w": "/etc/x.safetensors"}, "would be outside of the folder"),
    ({"w": "..\\x.safetensors"}, "would be outside of the folder"),
    ({"w": "C:x.safetensors"}, "would be outside of the folder"),
    ({"w": "pytorch_model-1.bin"}, "does not end with .safetensors; others are pickles"),
    ({"w": 3}, "an index has a weight_map"),
    ([], "an index has a weight_map"),
    (b"[]", "an index has a weight_map"),
    (b"{}", "an index has a weight_map"),
    (b'{"weight_map": {"w": "a-1.safetensors", "w": "sub/a-2.safetensors"}}', "the name 'w' is there twice"),
    (b"", r"model\.safetensors\.index\.json cannot be loaded, it is truncated or damaged"),
    (b"[" * 100_000, "cannot be loaded"),
    ({"other": "a-1.safetensors"}, r"a-1\.safetensors cannot be loaded: it has no 'other', which model\.safetensors"),
])  # fmt: skip
def test_an_index_that_is_wrong_is_refused(tmp_path, weight_map, words):
    with pytest.raises(errors.FileError, match=words):
        mg.load(indexed(tmp_path, weight_map))


def test_files_that_an_index_names_must_be_there(tmp_path):
    path = indexed(tmp_path, {"w": "a-1.safetensors", "x": "no.safetensors", "y": "neither.safetensors"})
    with pytest.raises(
        FileNotFoundError, match=r"model\.safetensors\.index\.json: there is no such file \(and 1 more\)"
    ):
        mg.load(path)
    with pytest.raises(FileNotFoundError):
        mg.load(tmp_path / "no.safetensors.index.json")
    damaged = indexed(tmp_path)
    (tmp_path / "a-1.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}")
    with pytest.raises(errors.FileError, match=r"a-1\.safetensors cannot be loaded"):
        mg.load(damaged)
