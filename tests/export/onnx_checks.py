"""What the tests of ONNX files share: to export, to run on both evaluators, and to compare."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.tree import flatten

onnx = pytest.importorskip("onnx", reason="onnx is not installed (the extra `onnx`)")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (the extra `onnx`)")

from minigrad.export import onnx as export  # noqa: E402  # without ONNX there is nothing to check
from minigrad.export.for_onnx.verifying import reference  # noqa: E402


def session_of(path):
    """A file in onnxruntime, without its warnings."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])


def on_runtime(path, *arrays):
    """The results of a file in onnxruntime, of inputs in their order."""
    session = session_of(path)
    names = [x.name for x in session.get_inputs()]
    return session.run(None, dict(zip(names, map(np.asarray, arrays), strict=True)))


def on_reference(path, *arrays):
    """The results of a file on ONNX's reference evaluator."""
    model = onnx.load(path)
    names = [x.name for x in model.graph.input]
    return reference(model)(dict(zip(names, map(np.asarray, arrays), strict=True)))


def wanted_of(f, *arrays):
    """What the function returns, as arrays."""
    with mg.no_grad(), np.errstate(all="ignore"):
        return [np.asarray(y) for y in flatten(f(*map(mg.asarray, arrays)))[0]]


def assert_close(found, wanted, tolerance):
    """Whether results are alike, floating-point numbers as far as a tolerance of the largest says."""
    assert len(found) == len(wanted)
    for z, y in zip(found, wanted, strict=True):
        z = np.asarray(z)
        assert (z.shape, z.dtype) == (y.shape, y.dtype)
        if y.dtype.kind != "f":
            np.testing.assert_array_equal(z, y)
            continue
        finite = np.isfinite(y)
        np.testing.assert_array_equal(z[~finite], y[~finite])
        scale = np.max(np.abs(y[finite]), initial=0) or 1
        assert np.max(np.abs(z[finite] - y[finite]), initial=0) <= tolerance * scale


def check(tmp_path, f, *arrays, runs=(on_reference, on_runtime), tolerance=1e-12, **options):
    """Export a function without its own check, and compare what the file computes; returns the model."""
    path = tmp_path / "f.onnx"
    with np.errstate(all="ignore"):
        export(f, arrays, path, verify=False, **options)
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    for run in runs:
        assert_close(run(path, *arrays), wanted_of(f, *arrays), tolerance)
    return model
