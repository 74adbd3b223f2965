"""What cannot be an ONNX file is refused, with the reason and the line."""

import sys

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.errors import ArgumentError, MissingPackageError, ProgramError, UnsupportedError
from minigrad.nn import functional as F  # noqa: N812

onnx = pytest.importorskip("onnx", reason="onnx is not installed (the extra `onnx`)")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (the extra `onnx`)")

from minigrad.export import onnx as export  # noqa: E402
from minigrad.export.for_onnx import program as onnx_program  # noqa: E402

X = np.arange(12.0).reshape(4, 3)


def double(x):
    return x * 2


def refused(kind, match, f, args, tmp_path, **options):
    """Nothing is written, and the error says why."""
    path = tmp_path / "f.onnx"
    with pytest.raises(kind, match=match):
        export(f, args, path, **options)
    assert list(tmp_path.iterdir()) == []


# Arguments

BAD_OPTIONS = {
    "old version": ({"opset_version": 17}, "from 18 to"),
    "new version": ({"opset_version": 1000}, f"to {max(row[2] for row in onnx.helper.VERSION_TABLE)}, not 1000"),
    "bool as a version": ({"opset_version": True}, "not True"),
    "fraction as a version": ({"opset_version": 18.0}, r"not 18\.0"),
    "a string of names": ({"input_names": "x"}, "not a list"),
    "too many names": ({"input_names": ["x", "y"]}, "are 2, and there are 1: x"),
    "too few names": ({"output_names": []}, "are 0, and there are 1: output"),
    "an empty name": ({"input_names": [""]}, "no name"),
    "a name with a line break": ({"output_names": ["a\nb"]}, "no name"),
    "a number as a name": ({"output_names": [1]}, "no name"),
    "a name of both": ({"output_names": ["x"]}, "'x', which an input or a parameter is called"),
    "an unknown input": ({"dynamic_shapes": {"y": {0: "n"}}}, "has 'y', and the inputs are x"),
    "a string of shapes": ({"dynamic_shapes": "batch"}, "is neither"),
    "too many shapes": ({"dynamic_shapes": ({0: "n"}, None)}, "has 2 entries, and there are 1"),
    "no dict of axes": ({"dynamic_shapes": {"x": ["n"]}}, "no dict of axes"),
    "no such axis": ({"dynamic_shapes": {"x": {2: "n"}}}, r"axis 2, and the example is of shape \(4, 3\)"),
    "no number of an axis": ({"dynamic_shapes": {"x": {"0": "n"}}}, "axis '0'"),
    "an axis twice": ({"dynamic_shapes": {"x": {0: "n", -2: "m"}}}, "named once"),
    "no name of a size": ({"dynamic_shapes": {"x": {0: 5}}}, "axis 0 5"),
    "a formula as a name": ({"dynamic_shapes": {"x": {0: "n + 1"}}}, r"'n \+ 1'"),
    "two sizes of one name": ({"dynamic_shapes": {"x": {0: "n", 1: "n"}}}, "'n' is 4 in one example and 3"),
}


@pytest.mark.parametrize("name", BAD_OPTIONS)
def test_bad_options(name, tmp_path):
    options, match = BAD_OPTIONS[name]
    refused(ArgumentError, match, double, X, tmp_path, **options)


def test_bad_options_of_several_inputs(tmp_path):
    refused(ArgumentError, "twice", lambda x, y: x + y, (X, X), tmp_path, input_names=["a", "a"])
    refused(ArgumentError, "is no array", lambda x, n: x * n, (X, 2), tmp_path, dynamic_shapes=(None, {0: "n"}))
    refused(ArgumentError, "at most 4", lambda *xs: xs[0], (X,) * 3, tmp_path,
            dynamic_shapes=[{0: f"a{i}", 1: f"b{i}"} for i in range(3)])  # fmt: skip
    with pytest.raises(ArgumentError, match="'weight', which an input or a parameter"):
        export(nn.Linear(3, 2), X, tmp_path / "f.onnx", input_names=["weight"])


def test_no_function(tmp_path):
    refused(ArgumentError, "a model or a function", X, X, tmp_path)


def test_an_empty_axis_has_no_size(tmp_path):
    refused(ArgumentError, "at least one element", double, np.zeros((0, 3)), tmp_path, dynamic_shapes={"x": {0: "n"}})


def test_a_missing_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    refused(MissingPackageError, "extra `onnx`", double, X, tmp_path)


def test_a_place_that_cannot_be_written(tmp_path):
    with pytest.raises(OSError, match="missing"):
        export(double, X, tmp_path / "missing" / "f.onnx")


# Training, state and randomness


def test_a_model_in_training(tmp_path):
    for layer in (nn.Dropout(0.5), nn.BatchNorm1d(3)):
        model = nn.Sequential(nn.Linear(3, 3), layer)
        before = {name: np.array(x) for name, x in model.state_dict().items()}
        refused(ProgramError, r"Sequential is in training.*call model\.eval\(\)", model, X, tmp_path)
        assert all(np.array_equal(np.asarray(x), before[name]) for name, x in model.state_dict().items())
        export(model.eval(), X, tmp_path / "f.onnx")
        (tmp_path / "f.onnx").unlink()


def test_training_that_makes_no_difference(tmp_path):
    model = nn.Sequential(nn.Linear(3, 3), nn.LayerNorm(3))
    assert model.training
    export(model, X, tmp_path / "f.onnx")


def test_a_function_with_a_model_in_training(tmp_path):
    model = nn.Sequential(nn.Dropout(0.5))
    refused(ProgramError, r"in training.*test_to_onnx_errors\.py.*model\.eval", lambda x: model(x), X, tmp_path)


def test_random_numbers_go_on_as_if_nothing_had_been_drawn(tmp_path):
    with mg.random.using(0):
        refused(ProgramError, "draws", lambda x: x * mg.random.rand(3), X, tmp_path, dynamic_shapes={"x": {0: "n"}})
        found = np.asarray(mg.random.rand(3))
    with mg.random.using(0):
        np.testing.assert_array_equal(found, np.asarray(mg.random.rand(3)))


def test_random_numbers(tmp_path):
    refused(ProgramError, r"draws random numbers \(at .*training=False", lambda x: F.dropout(x), X, tmp_path)
    refused(ProgramError, "give them as an argument", lambda x: x * mg.random.rand(3), X, tmp_path)


def test_a_function_that_changes_something(tmp_path):
    total = mg.tensor(np.zeros(3))

    def adding(x):
        total[...] = mg.sum(x, axis=0)
        return x * 2

    refused(ProgramError, "adding changes", adding, X, tmp_path)
    np.testing.assert_array_equal(np.asarray(total), 0)


def test_a_training_step(tmp_path):
    model = nn.Linear(3, 1)
    optimizer = mg.optim.SGD(model.parameters(), lr=0.1)
    before = model.weight.detach().numpy().copy()

    def step(x):
        optimizer.zero_grad()
        loss = model(x).sum()
        loss.backward()
        optimizer.step()
        return loss

    refused(ProgramError, "changes", step, X, tmp_path)
    np.testing.assert_array_equal(model.weight.detach().numpy(), before)
    assert model.weight.grad is None


def test_values_that_are_looked_at(tmp_path):
    refused(ProgramError, "was asked for", lambda x: x * 2 if x[0, 0] > 0 else x, X, tmp_path)
    refused(ProgramError, "was asked for", lambda x: x * x[0, 0].item(), X, tmp_path)
    refused(ProgramError, "was asked for|mask", lambda x: x[x > 0], X, tmp_path)
    refused(ProgramError, "returns nothing", lambda x: (), X, tmp_path)
    refused(ProgramError, "a program returns Tensors", lambda x: 1.0, X, tmp_path)


# Operations and dtypes


@mg.primitive(lambda g, y, x: g * 2)
def doubled(x, /):
    return x * 2


def test_operations_without_a_row(tmp_path):
    place = r"\(at .*test_to_onnx_errors\.py"
    refused(UnsupportedError, f"ONNX has nothing for doubled {place}", lambda x: doubled(x), X, tmp_path)
    refused(UnsupportedError, f"ONNX has nothing for svd {place}", lambda x: mg.linalg.svd(x)[1], X, tmp_path)
    refused(
        UnsupportedError, "ONNX has nothing for doubled",
        lambda x: mg.scan(lambda c, row: (c + doubled(row), None), x[0], x)[0], X, tmp_path,
    )  # fmt: skip


def test_dtypes_without_a_counterpart(tmp_path):
    refused(UnsupportedError, "complex128, which the input 'x' has", double, X + 0j, tmp_path)
    refused(UnsupportedError, "float16, which the input 'x' has", double, X.astype(np.float16), tmp_path)
    refused(UnsupportedError, "float16, which sin", lambda x: mg.sin(x), X.astype(np.int8), tmp_path)
    refused(UnsupportedError, r"complex128, which fft.*\(at", lambda x: mg.fft.fft(x), X, tmp_path)
    refused(UnsupportedError, "complex128", lambda x: x * 1j, X, tmp_path)
    half = nn.Linear(3, 2).astype(np.float16)
    refused(UnsupportedError, "float16, which the parameter 'weight'", lambda x: half(x).astype(float), X, tmp_path)


def test_too_many_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_program, "LIMIT", 100)
    table = np.ones((5, 3))
    refused(UnsupportedError, "have 120 bytes, and a file of ONNX has at most 100", lambda x: x @ table.T, X, tmp_path)
    export(double, X, tmp_path / "f.onnx")


def test_more_bytes_than_protobuf_has():
    """Counted without the memory for them: all elements are one."""
    large = np.broadcast_to(np.ones(1), 2**28)
    with pytest.raises(UnsupportedError, match=f"have {2**31} bytes"):
        onnx_program.check_size([large])
    onnx_program.check_size([large[1:]])


# Sizes that are baked in


def looped(x):
    total = x[0]
    for i in range(1, x.shape[0]):
        total = total + x[i]
    return total


def chosen(x):
    return x * 2 if x.shape[0] < 5 else x + 1


RANDOM = np.random.default_rng(0).normal(size=1000)
BAKED = {
    "a loop": (looped, r"other operations, first in .*test_to_onnx_errors\.py.*mg\.scan"),
    "a choice": (chosen, "other operations, first in multiply|other operations, first in add"),
    "a table of its own": (lambda x: x + np.ones((4, 1)), "cannot be computed with n = .*baked in"),
    "a reshape": (lambda x: x.reshape(2, 2, 3), "cannot be computed with n = "),
    "a square": (lambda x: x * (x.shape[0] ** 2), r"multiply \(at .*has a number that depends on it"),
    "a root": (lambda x: x * float(x.shape[0] ** 0.5), "has a number"),
    "an operand": (lambda x: x + (x if x.shape[0] < 5 else np.zeros((x.shape[0], 1))), "other operations"),
    "an operand, otherwise": (lambda x: x + (np.zeros((4, 1)) if x.shape[0] < 5 else x), "other operations"),
    "half": (lambda x: x[: x.shape[0] // 2], "has a number"),
    "random rows": (lambda x: x + RANDOM[: x.shape[0], None] * np.arange(3), "has an array"),
    "a string of lengths": (lambda x: mg.einsum("ij->j" if x.shape[0] % 2 else "ij->i", x), "baked in|other"),
}


@pytest.mark.parametrize("name", BAKED)
def test_sizes_that_are_baked_in(name, tmp_path):
    f, match = BAKED[name]
    refused(ProgramError, match, f, X, tmp_path, dynamic_shapes={"x": {0: "n"}})
    export(f, X, tmp_path / "f.onnx")  # of one size it is possible


def test_errors_of_the_function_are_its_own(tmp_path):
    shapes = {"x": {0: "n"}}
    refused(mg.errors.ShapeError, "matmul of shapes", lambda x: x @ np.ones((5, 5)), X, tmp_path, dynamic_shapes=shapes)
    refused(ProgramError, "^bool", lambda x: x if mg.sum(x) > 0 else -x, X, tmp_path, dynamic_shapes=shapes)


def test_a_size_that_the_check_finds_out(tmp_path):
    """Linear between the sizes of the first captures, and not beyond."""
    refused(ProgramError, "baked in", lambda x: x * max(x.shape[0], 6), X, tmp_path, dynamic_shapes={"x": {0: "n"}})
