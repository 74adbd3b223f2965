"""Programs as ONNX files: values and gradients of every row of the table, on ONNX's reference evaluator."""

from importlib import import_module

import numpy as np
import pytest

import minigrad as mg
from minigrad.errors import ProgramError, UnsupportedError
from minigrad.program.bodies import bodies_of
from minigrad.registry import primitives
from tests.export.programs import DEPENDING, function_of, leaves
from tests.op_tables import TABLE

onnx = pytest.importorskip("onnx", reason="onnx is not installed (the extra `onnx`)")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (the extra `onnx`)")

from minigrad.export import onnx as export  # noqa: E402  # without ONNX there is nothing to test
from minigrad.export.for_onnx.table import LOWERED  # noqa: E402
from tests.export.onnx_checks import assert_close, on_reference, on_runtime  # noqa: E402

COMPLEX = "ONNX has complex numbers for few operations, and none for arithmetic"
DECOMPOSITION = "ONNX has no decompositions of matrices, and most take as many steps as the numbers need"
SERIES = "ONNX has no such function, and a series for all numbers is long"
ABSENT = {  # the primitives that have no row, and why
    "compiled": "a call of a compiled function, into which a trace looks",
    "checkpoint": "passes on what was computed, and needs no node",
    "draw": "random numbers would be others at each run",
    "numpy_call": "any function of NumPy's",
    **dict.fromkeys(["reduced", "broadcast", "gathered", "sent"], "goes between processes, of which a file knows none"),
    "nonzero": "how many elements are not 0 depends on values",
    "histogram_bin_edges": "how many bins there are depends on values",
    "argpartition": "any order that NumPy's own method leaves",
    "nextafter": "ONNX has no bits of floating-point numbers",
    "spacing": "ONNX has no bits of floating-point numbers",
    **dict.fromkeys(["fft", "ifft", "rfft", "irfft"], COMPLEX),
    **dict.fromkeys(
        ["corank", "eig", "eigh", "eigvals", "eigvalsh", "matrix_rank", "pinv", "qr", "svd", "svdvals"], DECOMPOSITION,
    ),
    **dict.fromkeys(
        ["bessel_i", "betainc", "gammainc", "gammaincc", "polygamma", "stdtr"], SERIES
    ),
}  # fmt: skip
# Cases that the reference evaluator cannot compute, and why: they are compared on onnxruntime, in single precision.
ON_RUNTIME = {
    ("convolve_transposed", 11): "its ConvTranspose has no several groups with output padding",
    ("convolve_transposed", 15): "its ConvTranspose has two axes",
    ("convolve_transposed", 16): "its ConvTranspose has two axes",
    ("convolve_transposed", 17): "its ConvTranspose has two axes",
    ("max_pool", 8): "its MaxPool counts fewer windows of three axes",
    ("max_pool", 11): "its MaxPool takes the largest of no elements",
}


def operations(equations):
    """The names of all primitives, in bodies too, and whether there are complex numbers."""
    names, is_complex = set(), False
    for equation in equations:
        if not equation.operation.primitive.facts.relays:
            names.add(equation.operation.name)
        is_complex |= any(np.dtype(x.dtype).kind == "c" for x in equation.outputs)
        for body in bodies_of(equation):
            inner, inside = operations(body.equations)
            names, is_complex = names | inner, is_complex | inside
    return names, is_complex


def compare(f, floats, case, path):
    """Whether the file computes what the function does; what cannot be written is refused by name."""
    try:
        program = mg.program.trace(f, *floats)
    except ProgramError as error:
        if case.row.name in DEPENDING and "was asked for" in str(error):
            return
        raise
    names, is_complex = operations(mg.program.remove_dead_code(program).equations)
    is_complex |= any(np.dtype(x.dtype).kind == "c" for x in (*program.inputs, *program.constants))
    if (absent := names & ABSENT.keys()) or is_complex:
        with pytest.raises(UnsupportedError) as caught:
            export(f, floats, path, verify=False)
        assert any(name in str(caught.value) for name in absent) or (is_complex and "complex" in str(caught.value))
        return
    in_single = (case.row.name, case.number) in ON_RUNTIME
    floats = tuple(x.astype(np.float32) for x in floats) if in_single else floats
    export(f, floats, path, verify=False)
    onnx.checker.check_model(onnx.load(path), full_check=True)
    with np.errstate(all="ignore"):
        wanted = [np.asarray(y) for y in leaves(f(*map(mg.asarray, floats)))]
    if in_single:
        assert_close(on_runtime(path, *floats), wanted, 5e-6)
    else:
        assert_close(on_reference(path, *floats), wanted, 1e-12)


def test_every_primitive_has_a_row_or_a_reason():
    for module in ("optim.radam", "nn.parallel.averaging", "compiling.run"):  # imported only when they are needed
        import_module(f"minigrad.{module}")
    own = {name for name, function in primitives.items() if function.primitive.ours}  # not those of other tests
    assert set(LOWERED) <= own
    assert own - set(LOWERED) == set(ABSENT)
    assert len(LOWERED) >= 120


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_values_of_a_row(row, tmp_path):
    compare(*function_of(row.cases[0]), row.cases[0], tmp_path / "row.onnx")


@pytest.mark.slow
@pytest.mark.parametrize("row", [row for row in TABLE if len(row.cases) > 1], ids=lambda row: row.name)
def test_values_of_the_other_cases_of_a_row(row, tmp_path):
    for case in row.cases[1:]:
        compare(*function_of(case), case, tmp_path / "row.onnx")


@pytest.mark.slow
@pytest.mark.parametrize("row", [row for row in TABLE if row.orders > 0], ids=lambda row: row.name)
def test_gradients_of_a_row(row, tmp_path):
    """Which `mg.grad` writes into the program."""
    case = row.cases[0]
    f, floats = function_of(case)
    smooth = [i for i, y in enumerate(f(*map(mg.asarray, floats))) if y.dtype.kind in "fc"]
    if not floats or not smooth:
        return

    def total(*xs):
        ys = [f(*xs)[i] for i in smooth]
        parts = [mg.real(y) + mg.imag(y) if y.dtype.kind == "c" else y for y in ys]
        weights = [np.random.default_rng(i).normal(size=y.shape) for i, y in enumerate(ys)]
        return sum((part * w).sum() for part, w in zip(parts, weights, strict=True))

    compare(mg.grad(total, argnums=tuple(range(len(floats)))), floats, case, tmp_path / "row.onnx")


@pytest.mark.slow
@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_values_of_a_row_in_single_precision(row, tmp_path):
    """On onnxruntime, which people use; what it has no kernel for, as double precision of some functions, is left."""
    f, floats = function_of(row.cases[0])
    floats = tuple(x.astype(np.float32) for x in floats)
    path = tmp_path / "row.onnx"
    try:
        export(f, floats, path, verify=False)
    except (UnsupportedError, ProgramError):
        return
    try:
        found = on_runtime(path, *floats)
    except Exception as error:
        if "NOT_IMPLEMENTED" not in str(error):
            raise
        return
    with np.errstate(all="ignore"):
        wanted = [np.asarray(y) for y in leaves(f(*map(mg.asarray, floats)))]
    if row.name != "det (rank 1)":  # which is 0 but for rounding
        assert_close(found, wanted, 5e-6)
