"""Programs as functions of JAX: values and gradients of every row of the table against the package's own."""

import itertools
import os
from importlib import import_module

import numpy as np
import pytest

import minigrad as mg
from minigrad.errors import ProgramError
from minigrad.registry import primitives

os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")  # to compile takes the longest by far
jax = pytest.importorskip("jax", reason="JAX is not installed (the extra `jax`)")
from minigrad.export import to_jax  # noqa: E402  # without JAX there is nothing to test
from minigrad.export.for_jax.table import LOWERED  # noqa: E402
from tests.export.programs import DEPENDING, function_of  # noqa: E402
from tests.op_tables import TABLE  # noqa: E402

TESTS = itertools.count(1)
# What has no counterpart, and why: at most ten.
ABSENT: dict[str, str] = {
    "compiled": "a call of a compiled function, into which a trace looks",
    **dict.fromkeys(["reduced", "broadcast", "gathered", "sent"], "goes between processes, and JAX has its own way"),
}
# Rows whose derivatives JAX gives otherwise at the points of the table, and why.
OTHER_DERIVATIVES: dict[str, str] = {}


@pytest.fixture(autouse=True)
def _double_precision():
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


def test_every_primitive_has_a_counterpart_or_a_reason():
    for module in ("optim.radam", "nn.parallel.averaging"):  # which are imported only when they are needed
        import_module(f"minigrad.{module}")
    own = {name for name, function in primitives.items() if function.primitive.ours}  # not those of other tests
    assert set(LOWERED) <= own
    assert own - set(LOWERED) == set(ABSENT)
    assert len(ABSENT) <= 10


ROWS = [row for row in TABLE if row.operation not in ABSENT]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_values_and_gradients_of_a_row(row):
    compare_some(row, row.cases[:1])


@pytest.mark.slow
@pytest.mark.parametrize("row", [row for row in ROWS if len(row.cases) > 1], ids=lambda row: row.name)
def test_values_and_gradients_of_the_other_cases_of_a_row(row):
    compare_some(row, row.cases[1:])


def compare_some(row, cases):
    for case in cases:
        compare(case, row.orders > 0 and row.name not in OTHER_DERIVATIVES)


@pytest.fixture(autouse=True)
def _let_go_of_compiled_functions():
    """Rows that come one after another share many; of hundreds of rows they would fill the memory."""
    yield
    if next(TESTS) % 25 == 0:
        jax.clear_caches()


def exported(f, floats, case):
    """The function of JAX; None if no program can have the case, as is known of some rows only."""
    try:
        return to_jax(f, *floats)
    except ProgramError as error:
        if case.row.name in DEPENDING and "was asked for" in str(error):
            return None
        raise


def compare(case, with_gradients):
    f, floats = function_of(case)
    lowered = exported(f, floats, case)
    if lowered is None:
        return
    wanted, found = f(*map(mg.asarray, floats)), lowered(*floats)
    for y, z in zip(wanted, found, strict=True):
        y, z = np.asarray(y), np.asarray(z)
        assert (y.shape, y.dtype) == (z.shape, z.dtype)
        np.testing.assert_allclose(z, y, rtol=1e-12, atol=1e-12)
    smooth = [i for i, y in enumerate(wanted) if np.asarray(y).dtype.kind in "fc"]
    if not (with_gradients and floats and smooth):
        return
    weights = [np.random.default_rng(i).normal(size=np.shape(wanted[i])) for i in smooth]

    def of(function, absolute, total):
        def scalar(*xs):
            ys = function(*xs)
            return total([total(absolute(ys[i]) * w) for i, w in zip(smooth, weights, strict=True)])

        return scalar

    ours = mg.grad(of(f, lambda y: mg.real(y) + mg.imag(y) if y.dtype.kind == "c" else y,
                      lambda parts: sum(parts) if isinstance(parts, list) else parts.sum()),
                   argnums=tuple(range(len(floats))))(*floats)  # fmt: skip
    theirs = jax.grad(of(lowered, lambda y: y.real + y.imag if y.dtype.kind == "c" else y,
                         lambda parts: sum(parts) if isinstance(parts, list) else parts.sum()),
                      argnums=tuple(range(len(floats))))(*floats)  # fmt: skip
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(np.asarray(b), np.asarray(a), rtol=1e-10, atol=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("row", [row for row in ROWS if row.orders > 1], ids=lambda row: row.name)
def test_second_derivatives_of_a_row(row):
    """Products of the Hessian with a vector, forward over backward in JAX."""
    results_of, floats = function_of(row.cases[0])

    def f(*floats):
        results = [y for y in results_of(*floats) if y.dtype.kind in "fc"]
        parts = [mg.real(y) + mg.imag(y) if y.dtype.kind == "c" else y for y in results]
        return sum((part**2).sum() for part in parts)

    lowered = exported(f, floats, row.cases[0]) if floats else None
    if lowered is None:
        return
    vectors = tuple(np.random.default_rng(i).normal(size=x.shape) for i, x in enumerate(floats))
    argnums = tuple(range(len(floats)))
    _, wanted = mg.jvp(mg.grad(f, argnums=argnums), floats, vectors)
    _, found = jax.jvp(jax.grad(lowered, argnums=argnums), floats, vectors)
    for a, b in zip(wanted, found, strict=True):
        np.testing.assert_allclose(np.asarray(b), np.asarray(a), rtol=1e-8, atol=1e-8)
