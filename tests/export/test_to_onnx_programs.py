"""Whole programs as ONNX files: NumPy's rules, sizes that are not known, loops, names, and verification."""

import os
import subprocess
import sys
from functools import partial

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.errors import ProgramError

onnx = pytest.importorskip("onnx", reason="onnx is not installed (the extra `onnx`)")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (the extra `onnx`)")

from minigrad.export import onnx as export  # noqa: E402
from minigrad.export.for_onnx import program as onnx_program  # noqa: E402
from minigrad.export.for_onnx import verifying as onnx_verifying  # noqa: E402
from tests.export.onnx_checks import assert_close, check, on_reference, on_runtime, wanted_of  # noqa: E402

X = np.array([0.3, -1.2, 0.7])


def test_nothing_is_imported_before_it_is_needed():
    code = (
        "import sys, minigrad, minigrad.export; minigrad.export.onnx\n"
        "assert not {'onnx', 'onnxruntime', 'jax'} & sys.modules.keys()"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


# NumPy's rules

FLOATS = np.array([0.0, -0.0, 1.5, -1.5, 2.5, np.nan, np.inf, -np.inf, 7.0, -7.0])
INTS = {
    dtype: np.array([0, 1, 2, 3, 7, 10, np.iinfo(dtype).max, np.iinfo(dtype).min], dtype)
    for dtype in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8")
}
PAIRS = {
    "floor_divide": mg.floor_divide,
    "remainder": mg.remainder,
    "fmod": np.fmod,
    "divide": mg.divide,
    "add": mg.add,
    "subtract": mg.subtract,
    "multiply": mg.multiply,
    "pow": mg.pow,
    "maximum": mg.maximum,
    "fmin": np.fmin,
    "less": mg.less,
    "equal": mg.equal,
    "where": lambda a, b: mg.where(a > b, a, b),
    "copysign": np.copysign,
    "atan2": mg.atan2,
    "hypot": mg.hypot,
    "logaddexp": mg.logaddexp,
}


def grid(a, b):
    """All pairs of elements."""
    return tuple(np.ascontiguousarray(x) for x in np.meshgrid(a, b))


@pytest.mark.parametrize("name", PAIRS)
def test_pairs_of_floats(name, tmp_path):
    check(tmp_path, PAIRS[name], *grid(FLOATS, FLOATS), runs=(on_reference,))
    single = FLOATS.astype(np.float32)
    check(tmp_path, PAIRS[name], *grid(single, single), tolerance=1e-6)


# Of numbers of 8 bits NumPy makes float16 where it makes numbers with a point.
WHOLE = [name for name in PAIRS if name not in ("copysign", "atan2", "hypot", "logaddexp")]
OF_INTEGERS = [(name, dtype) for name in WHOLE for dtype in INTS if name != "divide" or dtype[1] != "1"]


@pytest.mark.parametrize(("name", "dtype"), OF_INTEGERS)
def test_pairs_of_integers(name, dtype, tmp_path):
    """Signs, zeros as divisors, and what wraps around."""
    a, b = grid(INTS[dtype], np.abs(INTS[dtype][:6]) if name == "pow" else INTS[dtype])
    runs = (on_reference,) if dtype in ("u8", "u4") else (on_reference, on_runtime)
    check(tmp_path, PAIRS[name], a, b, runs=runs)


MIXED = {
    "int and float32": (lambda x, n: x * n, np.ones(3, np.float32), np.arange(3)),
    "int32 and int64": (lambda x, n: x + n, np.arange(3, dtype=np.int32), np.arange(3)),
    "uint8 and int8": (lambda x, n: x - n, np.arange(3, dtype=np.uint8), np.arange(3, dtype=np.int8)),
    "bool and int": (lambda x, n: x * n, np.array([True, False, True]), np.arange(3)),
    "where": (lambda x, n: mg.where(x > 0.5, x, n), np.array([0, 1, 2], np.float32), np.arange(3)),
    "concat": (lambda x, n: mg.concat([x, n]), np.ones(3, np.float32), np.arange(3, dtype=np.int16)),
    "matmul": (lambda x, n: x @ n, np.ones((2, 3), np.float32), np.arange(3)),
    "a float of Python is weak": (lambda x, n: x * 2.5 + n / 3, np.ones(3, np.float32), np.ones(3, np.float32)),
    "an int of Python is weak": (lambda x, n: x + 200, np.arange(3, dtype=np.uint8), np.arange(3)),
    "a number of NumPy is not": (lambda x, n: x * np.float64(2.5), np.ones(3, np.float32), np.arange(3)),
    "an int beyond the dtype": (lambda x, n: (x < 300) & (x > -1), np.arange(3, dtype=np.uint8), np.arange(3)),
    "sums of bools": (lambda x, n: mg.sum(x > 1) + mg.sum(x, axis=0), np.arange(3, dtype=np.int8), np.arange(3)),
    "means of ints": (lambda x, n: mg.mean(x), np.arange(3), np.arange(3)),
    "int powers": (lambda x, n: (x**2, x**3, x**0, x**5), np.array([-3, 0, 7]), np.arange(3)),
    # Of 1 / x * x onnxruntime makes x / x, also of integers.
    "one in parts": (lambda x, n: (np.fmod(1, x), 1 // x, 1 % x), np.array([2, -2, 3, 1, -1]), np.arange(3)),
    "a power of a negative infinity": (lambda x, n: x**0.5, np.array([-np.inf, 4, 0], np.float32), np.arange(3)),
}


@pytest.mark.parametrize("name", MIXED)
def test_operands_of_several_dtypes(name, tmp_path):
    f, x, n = MIXED[name]
    check(tmp_path, f, x, n)


EVERYWHERE = np.array([0, -0.0, 1, -1, 0.5, -0.5, 1 - 1e-12, 1e-10, -1e-10, 1e-300, np.nan, 2, -2.5, 6, -20, 40])
SPECIAL = ["erf", "erfc", "erfinv", "ndtr", "ndtri", "log_ndtr", "gamma", "gammaln", "digamma"]


@pytest.mark.parametrize("name", SPECIAL)
def test_special_functions_to_all_their_digits(name, tmp_path):
    """Each number by itself, also in the tails."""
    f, path = getattr(mg.special, name), tmp_path / "f.onnx"
    export(f, EVERYWHERE, path, verify=False)
    (wanted,), (found,) = wanted_of(f, EVERYWHERE), on_reference(path, EVERYWHERE)
    np.testing.assert_allclose(found, wanted, rtol=1e-11, atol=1e-14 if name == "gammaln" else 0)  # which has zeros


@pytest.mark.parametrize("name", ["expm1", "log1p", "logaddexp", "sinh", "atanh", "cbrt"])
def test_small_numbers_keep_their_digits(name, tmp_path):
    x = np.array([1e-20, -1e-10, 1e-5, 0.1, -0.4, 0.6, 30.0, -30.0])
    x = x[np.abs(x) < 1] if name in ("log1p", "atanh") else x

    def f(x):
        return mg.logaddexp(x, x * 2 - 1) if name == "logaddexp" else getattr(mg, name)(x)

    path = tmp_path / "f.onnx"
    export(f, x, path, verify=False)
    np.testing.assert_allclose(on_reference(path, x)[0], wanted_of(f, x)[0], rtol=1e-14)


TIES = np.array([[1, 3, 3, 2], [np.nan, 3, np.nan, 4], [-np.inf, -np.inf, -5, -5]])
ORDER = {
    "argmax": lambda x: mg.argmax(x, axis=1),
    "argmin": lambda x: mg.argmin(x, axis=1),
    "argmax of all": lambda x: mg.argmax(x),
    "argsort": lambda x: mg.argsort(x, axis=1),
    "argsort backwards": lambda x: mg.argsort(x, axis=1, descending=True),
    "max": lambda x: mg.max(x, axis=1),
    "min": lambda x: mg.min(x),
    "nanmax": lambda x: np.nanmax(x, axis=1),
    "topk": lambda x: mg.topk(x[:1], 2),
    "round": lambda x: mg.round(x * 0.5),
    "round to decimals": lambda x: mg.round(x[0] * 0.12345, 2),
    "running maxima": lambda x: mg.cummax(x, axis=1),
    "clip": lambda x: mg.clip(x, -4, 2.5),
    "sign": lambda x: mg.sign(x),
}


@pytest.mark.parametrize("name", ORDER)
def test_ties_and_nan(name, tmp_path):
    check(tmp_path, ORDER[name], TIES)
    check(tmp_path, ORDER[name], TIES.astype(np.float32), tolerance=1e-6)


A = np.arange(24.0).reshape(2, 3, 4)
INDICES = {
    "int": lambda x: x[1],
    "ints": lambda x: x[1, :, -1],
    "slices": lambda x: x[:, 1:, ::-2],
    "new axes": lambda x: x[None, ..., None, 1],
    "array": lambda x: x[:, [2, 0, 0]],
    "arrays": lambda x: x[[0, 1], [2, -1]],
    "arrays apart": lambda x: x[[0, 1], :, [2, -1]],
    "arrays and an int": lambda x: x[0, :, [[1, 2]]],
    "arrays with a new axis": lambda x: x[[0, 1], None, [2, -1]],
    "mask": lambda x: x[np.array([[True, False, True], [False, True, True]])],
    "written": lambda x: written(x, (slice(None), 1), -1.0),
    "written twice": lambda x: written(x, (0, [1, 1], [2, 2]), np.array([5.0, 6.0])),
    "written by a mask": lambda x: written(x, x > 5, 0.0),
    "scattered": lambda x: mg.grad(lambda x: (x[[0, 0, 1]] ** 2).sum())(x),
    "along an axis": lambda x: mg.take_along_axis(x, mg.argsort(-x, axis=1), axis=1),
}


def written(x, index, value):
    x = mg.asarray(x, copy=True)
    x[index] = value
    return x


@pytest.mark.parametrize("name", INDICES)
def test_indices(name, tmp_path):
    check(tmp_path, INDICES[name], A)


def test_an_index_that_is_an_argument(tmp_path):
    check(tmp_path, lambda x, i, j: (x[i], x[:, j, 0], x[i, j]), A, np.array([1, 0, -1]), np.array([2, 0, -3]))


# Sizes that are not known


def rows(size, *shape, seed=0):
    return np.random.default_rng(seed).normal(size=(size, *shape)).astype(np.float32)


SIZES = {
    "mean": lambda x: mg.mean(x, axis=0),
    "a sum by its length": lambda x: mg.sum(x, axis=0) / x.shape[0],
    "a factor of its length": lambda x: x * (1 / x.shape[0]) + x.shape[0],
    "a root of a product of lengths": lambda x: x * (x.shape[0] * x.shape[1]),
    "variance": lambda x: mg.var(x, axis=0, correction=0.0),
    "standardized": lambda x: (x - mg.mean(x, axis=0)) / (mg.std(x) + 1),
    "flattened": lambda x: x.reshape(-1),
    "flattened by lengths": lambda x: x.reshape(x.shape[0] * x.shape[1], x.shape[2]),
    "put apart": lambda x: x.reshape(x.shape[0], 2, -1),
    "transposed": lambda x: mg.permute_dims(x, (1, 0, 2)).reshape(4, -1),
    "broadcast": lambda x: mg.broadcast_to(x[:1], x.shape) + x,
    "zeros": lambda x: x + np.zeros(x.shape, np.float32),
    "numbers of rows": lambda x: x + np.arange(x.shape[0])[:, None, None],
    "numbers of rows, backwards": lambda x: x + np.arange(x.shape[0])[::-1, None, None] * 0 + 1,
    "joined": lambda x: mg.concat([x, x[:1], x], axis=0),
    "stacked": lambda x: mg.stack([x, x * 2], axis=1),
    "last row": lambda x: x[-1] + x[x.shape[0] - 1],
    "some columns": lambda x: x[:, 1:],
    "backwards": lambda x: x[::-1],
    "padded": lambda x: mg.concat([np.zeros((1, 4, 6), np.float32), x], axis=0),
    "rolled": lambda x: mg.roll(x, 1, axis=0),
    "softmax over rows": lambda x: mg.softmax(x, axis=0),
    "products of rows": lambda x: mg.einsum("nij,mij->nm", x, x),
    "lower triangle": lambda x: mg.tril(mg.einsum("nij,mij->nm", x, x)),
    "mask of pairs": lambda x: mg.einsum("nij,mij->nm", x, x) * np.tri(x.shape[0], dtype=np.float32),
    "cumulative": lambda x: mg.cumulative_sum(x, axis=0),
    "running product": lambda x: mg.cumulative_prod(x, axis=0),
    "sorted": lambda x: mg.sort(x, axis=0),
    "argmax": lambda x: mg.argmax(x.reshape(x.shape[0], -1), axis=1),
    "scan over rows": lambda x: mg.scan(lambda c, row: (c * 0.5 + row, c), x[0] * 0, x),
    "scan over an axis": lambda x: mg.scan(lambda c, row: (c + row, mg.sum(c)), x[:, 0] * 0, mg.moveaxis(x, 1, 0)),
    "gradients": lambda x: mg.grad(lambda x: mg.mean(mg.softmax(x) ** 2))(x),
    "gradients of an index": lambda x: mg.grad(lambda x: mg.sum(x[:, 1] ** 2))(x),
    "repeated": lambda x: np.repeat(x, 2, axis=0) + np.repeat(np.arange(x.shape[0]), 2)[:, None, None],
    "tiled": lambda x: np.tile(x, (3, 1, 1)),
    "a constant of its length": lambda x: x * np.full((x.shape[0], 1, 1), 1 / x.shape[0]),
    "a number of NumPy of its length": lambda x: x * np.float64(1 / x.shape[0]),
    "weights": lambda x: np.average(x, axis=0, weights=np.ones(x.shape[0])),
    "one-hot": lambda x: mg.eye(4, dtype=np.float32)[mg.argmax(x[..., 0], axis=1)],
}


@pytest.mark.parametrize("name", SIZES)
def test_a_size_that_is_not_known(name, tmp_path):
    f, path = SIZES[name], tmp_path / "f.onnx"
    export(f, rows(4, 4, 6), path, dynamic_shapes={"x": {0: "batch"}})
    for size in (1, 2, 3, 17):
        x = rows(size, 4, 6, seed=size)
        assert_close(on_runtime(path, x), wanted_of(f, x), 5e-6)


@pytest.mark.parametrize("example", [1, 2, 4, 6, 7])
def test_the_size_of_the_example_does_not_matter(example, tmp_path):
    """Also where it is that of another axis, or 1, which is broadcast."""

    def f(x, w):
        return x @ w + mg.sum(x, axis=0), x.reshape(x.shape[0], 2, 3)

    path, w = tmp_path / "f.onnx", rows(6, 6)
    export(f, (rows(example, 6), w), path, dynamic_shapes=({0: "batch"}, None))
    for size in (1, 2, 6, 7, 50):
        x = rows(size, 6)
        assert_close(on_runtime(path, x, w), wanted_of(f, x, w), 5e-6)


def test_several_sizes(tmp_path):
    def attention(q, k, v):
        scores = mg.einsum("bqd,bkd->bqk", q, k) / np.float32(q.shape[-1] ** 0.5)
        return mg.softmax(scores) @ v, q.reshape(q.shape[0] * q.shape[1], -1)

    path = tmp_path / "f.onnx"
    q = {0: "batch", 1: "queries"}
    shapes = {"q": q, "k": {0: "batch", -2: "keys"}, "v": {0: "batch", 1: "keys"}}
    export(attention, (rows(3, 3, 4), rows(3, 5, 4), rows(3, 5, 2)), path, dynamic_shapes=shapes)
    model = onnx.load(path)
    found = [[d.dim_param or d.dim_value for d in x.type.tensor_type.shape.dim] for x in model.graph.output]
    assert found == [["batch", "queries", 2], ["batch*queries", 4]]
    for batch, queries, keys in ((1, 1, 1), (2, 3, 7), (5, 2, 1)):
        arrays = rows(batch, queries, 4), rows(batch, keys, 4), rows(batch, keys, 2)
        assert_close(on_runtime(path, *arrays), wanted_of(attention, *arrays), 5e-6)


def test_a_length_that_a_convolution_makes(tmp_path):
    """How many windows there are is no polynomial of the length, and nothing needs it."""
    with mg.random.using(0):
        f = nn.Sequential(nn.Conv1d(2, 3, 3, stride=2, dtype=np.float32), nn.ReLU(), nn.AdaptiveAvgPool1d(1))

    def g(x):
        return mg.mean(f[:2](x), axis=-1)

    path = tmp_path / "f.onnx"
    export(g, rows(2, 2, 9), path, dynamic_shapes={"x": {2: "length"}})
    for length in (3, 4, 10, 31):
        x = rows(2, 2, length)
        assert_close(on_runtime(path, x), wanted_of(g, x), 5e-6)


MATRICES = {
    "solve": lambda a: mg.linalg.solve(a, np.ones((4, 2), np.float32)),
    "solve for a vector": lambda a: mg.linalg.solve(a[0], np.ones(4, np.float32)),
    "inv": mg.linalg.inv,
    "slogdet": mg.linalg.slogdet,
    "cholesky": lambda a: mg.linalg.cholesky(a @ mg.permute_dims(a, (0, 2, 1)) + np.eye(4, dtype=np.float32)),
    "expm": mg.linalg.expm,
    "gradient": mg.grad(lambda a: mg.sum(mg.linalg.slogdet(a)[1])),
}


@pytest.mark.parametrize("name", MATRICES)
def test_matrices(name, tmp_path):
    """Many at once, with rows that must change places."""
    f, path = MATRICES[name], tmp_path / "f.onnx"

    def examples(count):
        return np.flip(np.eye(4, dtype=np.float32), 0) * 3 + rows(count, 4, 4, seed=count) * 0.5

    export(f, examples(2), path, dynamic_shapes=({0: "batch"},), verify=False)
    for count in (1, 3, 17):
        x = examples(count)
        assert_close(on_runtime(path, x), wanted_of(f, x), 2e-5)


def test_a_matrix_that_is_singular(tmp_path):
    path, x = tmp_path / "f.onnx", np.array([[1.0, 2.0], [2.0, 4.0]])
    export(mg.linalg.slogdet, x, path)
    assert_close(on_runtime(path, x), [np.array(0.0), np.array(-np.inf)], 0)


# Loops and branches


def rolling(x, start):
    def step(carry, row):
        total, count = carry
        total = mg.tanh(total + row * row)
        return (total, count + 1), total * count

    (last, count), out = mg.scan(step, (start, np.asarray(0)), x)
    return mg.sum(out * out) + last, count


def test_scan(tmp_path):
    x, start = np.linspace(-1, 1, 7), np.asarray(0.5)
    check(tmp_path, rolling, x, start)
    check(tmp_path, mg.grad(lambda x, start: rolling(x, start)[0], argnums=(0, 1)), x, start)
    check(tmp_path, lambda x: mg.scan(lambda c, row: (c * 0.5 + row, c), np.asarray(0.0), x, reverse=True), x)
    check(
        tmp_path, lambda x: mg.scan(lambda c, row: (c + mg.scan(lambda d, r: (d + r, None), c, x)[0], None), x[0], x), x
    )


def test_while_loop(tmp_path):
    def f(x):
        return mg.while_loop(lambda c: c[0] < 100.0, lambda c: (c[0] * 2 + 1, c[1] + 1), (x, np.asarray(0)))

    path = tmp_path / "f.onnx"
    export(f, np.asarray(1.0), path)
    for x in (1.0, 7.0, 200.0):
        for run in (on_reference, on_runtime):
            assert_close(run(path, np.asarray(x)), wanted_of(f, np.asarray(x)), 1e-12)


def test_cond(tmp_path):
    def f(x):
        return mg.cond(mg.sum(x) > 0, lambda x: (mg.sum(mg.sin(x)), x), lambda x: (mg.sum(x**2), -x), x)

    for g in (f, mg.grad(lambda x: f(x)[0])):
        path = tmp_path / "f.onnx"
        export(g, X, path)
        for x in (X, -X):
            for run in (on_reference, on_runtime):
                assert_close(run(path, x), wanted_of(g, x), 1e-12)


# Names


class Pair(nn.Module):
    """Two layers that share their weight."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(3, 3, dtype=np.float32), nn.Linear(3, 3, dtype=np.float32)
        self.second.weight = self.first.weight
        self.register_buffer("scale", mg.tensor(np.ones(3, np.float32)))

    def forward(self, x, options=None):
        return {"out": self.second(self.first(x)) * self.scale, "parts": [x * 2, x]}


def names_of(path):
    graph = onnx.load(path).graph
    return [[x.name for x in part] for part in (graph.input, graph.initializer, graph.output)]


def test_names_of_a_model(tmp_path):
    path = tmp_path / "model.onnx"
    export(Pair(), rows(2, 3), path)
    inputs, initializers, outputs = names_of(path)
    assert inputs == ["x"]
    assert outputs == ["out", "parts.0", "parts.1"]
    assert set(initializers) >= {"first.weight", "first.bias", "second.bias", "scale"}
    assert "second.weight" not in initializers  # which is the first one's


def test_names_of_models_that_a_function_finds(tmp_path):
    encoder, decoder = nn.Linear(3, 2, dtype=np.float32), nn.Linear(2, 3, dtype=np.float32)
    path = tmp_path / "model.onnx"
    export(lambda data: decoder(encoder(data)), rows(2, 3), path)
    inputs, initializers, _ = names_of(path)
    assert inputs == ["data"]
    assert set(initializers) == {"encoder.weight", "encoder.bias", "decoder.weight", "decoder.bias"}
    export(encoder.forward, rows(2, 3), path)
    assert names_of(path)[1] == ["weight", "bias"]


def test_names_of_a_model_in_other_functions(tmp_path):
    model, path = nn.Linear(3, 2, dtype=np.float32), tmp_path / "model.onnx"

    def scores(x):
        return model(x) * 2

    for f in (
        mg.jit(model),
        partial(scores),
        mg.vmap(model),
        lambda x: mg.exp(scores(x)),
        mg.grad(lambda x: mg.sum(scores(x))),
    ):
        export(f, rows(2, 3), path)
        assert set(names_of(path)[1]) >= {"weight"}


def test_trees_of_arguments(tmp_path):
    def f(params, x, scale=1.0):
        return x @ params["w"] * scale + params["b"][0]

    path, params = tmp_path / "f.onnx", {"w": rows(3, 2), "b": [rows(2)]}
    export(f, (params, rows(4, 3), 2.0), path, dynamic_shapes={"x": {0: "batch"}})
    assert names_of(path)[0] == ["params.w", "params.b.0", "x"]
    x = rows(5, 3)
    found = on_runtime(path, params["w"], params["b"][0], x)
    assert_close(found, wanted_of(lambda x: f(params, x, 2.0), x), 5e-6)


def test_names_that_are_given(tmp_path):
    path = tmp_path / "model.onnx"
    names = {"input_names": ["das Bild"], "output_names": ["a/b", "größe:0", "2"]}
    export(Pair(), rows(2, 3), path, dynamic_shapes={"das Bild": {0: "n"}}, **names)
    inputs, _, outputs = names_of(path)
    assert inputs == ["das Bild"]
    assert outputs == ["a/b", "größe:0", "2"]
    assert_close(on_runtime(path, rows(5, 3)), on_reference(path, rows(5, 3)), 5e-6)


def test_results_that_are_no_results_of_operations(tmp_path):
    constant = np.arange(3.0)
    check(tmp_path, lambda x, y: (x, x, mg.asarray(constant), x * 2, x * 2), X, X)
    path = tmp_path / "f.onnx"
    export(lambda x, y: (x, x), (X, X), path)
    assert names_of(path)[0] == ["x", "y"]  # also an input that nothing uses


FORMS = {
    "compiled": (mg.jit(lambda x: mg.sin(x) * 2), X),
    "mapped": (mg.vmap(lambda x: mg.sin(x) * x.sum()), np.ones((4, 3))),
    "value and gradient": (mg.value_and_grad(lambda x: mg.sum(x**3)), X),
    "hessian": (mg.hessian(lambda x: mg.sum(x**3)), X),
    "forward": (lambda x, v: mg.jvp(mg.sin, (x,), (v,)), X, X),
    "checkpoint": (mg.grad(lambda x: mg.checkpoint(lambda y: mg.sin(y) * y)(x).sum()), X),
    "partly given": (partial(lambda factor, x: x * factor, 2.0), X),
    "detached": (lambda x: x.detach() * 2, X),
    "without inputs": (lambda: mg.asarray(X) * 2,),
    "of no axes": (lambda x, s: x * s, X, np.asarray(2.0)),
    "a number of NumPy": (lambda x, s: x * s, X, np.float64(2.0)),
    "bytes in the other order": (lambda x: x * np.arange(3, dtype=">f8"), X),
    "a parameter": (lambda x: (x, nn.Linear(2, 2, dtype=float).bias * 0), X),
}


@pytest.mark.parametrize("name", FORMS)
def test_kinds_of_functions(name, tmp_path):
    f, *arrays = FORMS[name]
    check(tmp_path, f, *arrays)


def test_a_function_that_goes_backward_itself(tmp_path):
    def f(x):
        w = mg.tensor(np.ones(3), requires_grad=True)
        (w * x).sum().backward()
        return w.grad

    path = tmp_path / "f.onnx"
    export(f, X, path)
    assert_close(on_runtime(path, X), [X], 0)


def test_bytes_in_the_other_order(tmp_path):
    path = tmp_path / "f.onnx"
    export(lambda x: x * 2, X.astype(">f8"), path)
    assert_close(on_runtime(path, X), [X * 2], 0)


def test_nodes_say_what_and_where_they_are(tmp_path):
    model = check(tmp_path, lambda x: mg.tanh(x) + mg.softmax(x), X)
    assert [node.name for node in model.graph.node] == ["tanh", "softmax", "output"]
    assert model.graph.node[0].doc_string.startswith("test_to_onnx_programs.py:")
    assert model.producer_name == "minigrad"
    assert model.producer_version == mg.__version__


# The file and its verification


@pytest.mark.parametrize("version", [18, 21, max(row[2] for row in onnx.helper.VERSION_TABLE)])
def test_versions(version, tmp_path):
    model = check(tmp_path, lambda x: mg.sum(mg.softmax(x) * x), X, opset_version=version)
    assert model.opset_import[0].version == version
    assert model.ir_version == onnx.helper.find_min_ir_version_for(model.opset_import)


def test_a_file_that_differs_is_not_written(tmp_path, monkeypatch):
    path = tmp_path / "f.onnx"
    path.write_bytes(b"as it was")
    results = onnx_verifying.results_of
    monkeypatch.setattr(onnx_verifying, "results_of", lambda *args: [y + 0.01 for y in results(*args)])
    with pytest.raises(ProgramError, match=r"other results.*'output'.*largest difference is 0\.01.*verify=False"):
        export(lambda x: x * 2, X, path)
    assert path.read_bytes() == b"as it was"
    assert os.listdir(tmp_path) == ["f.onnx"]
    export(lambda x: x * 2, X, path, verify=False)
    assert_close(on_runtime(path, X), [X * 2], 0)


def test_what_counts_as_a_difference():
    unlike, one = onnx_verifying.unlike, np.array([1.0, 1e-12, np.nan, np.inf])
    assert unlike(one, one * (1 + 1e-10)) is None
    assert "the largest difference is 1e-08" in unlike(one, one * (1 + 1e-8))
    assert unlike(np.full(2, 1e-17), np.zeros(2)) is None
    assert unlike(np.full(2, 1e-13), np.zeros(2)) is not None
    assert unlike(one.astype("f4"), (one * (1 + 1e-5)).astype("f4")) is None
    assert "other places" in unlike(one, np.array([1.0, np.nan, np.nan, np.inf]))
    assert "other places" in unlike(one, np.array([1.0, 0, np.nan, -np.inf]))
    assert "float64 (4,)" in unlike(one, one[:3])
    assert "int64" in unlike(np.arange(3), np.arange(3.0))
    assert "1 of 3" in unlike(np.arange(3), np.array([0, 1, 3]))
    assert unlike(np.zeros(0), np.zeros(0)) is None
    assert unlike(np.zeros(2), np.full(2, 1e-3)) is not None


def test_what_onnxruntime_lacks_is_run_on_the_reference(tmp_path):
    path = tmp_path / "f.onnx"
    export(lambda x: mg.special.erf(x) + mg.tan(x), X, path)  # no kernels in double precision
    with pytest.raises(Exception, match="NOT_IMPLEMENTED"):
        on_runtime(path, X)


def test_without_onnxruntime_the_reference_verifies(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    calls = []
    reference = onnx_verifying.reference
    monkeypatch.setattr(onnx_verifying, "reference", lambda model: calls.append(model) or reference(model))
    export(lambda x: mg.exp(x), X, tmp_path / "f.onnx")
    assert len(calls) == 1


def test_the_model_stays_what_it_is(tmp_path):
    with mg.random.using(0):
        model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5)).eval()
    before = {name: np.array(x) for name, x in model.state_dict().items()}
    export(model, np.ones((2, 3)), tmp_path / "f.onnx", dynamic_shapes={"input": {0: "batch"}})
    for name, x in model.state_dict().items():
        np.testing.assert_array_equal(np.asarray(x), before[name])
    assert all(p.requires_grad for p in model.parameters())


def test_the_limit_of_protobuf():
    assert onnx_program.LIMIT == 2**31 - 1
