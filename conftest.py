"""What pytest needs to know of optional packages, and what tests tidy up."""

import gc
import importlib.util
import os
import sys
from pathlib import Path

import pytest

os.environ.setdefault("MPLBACKEND", "Agg")  # no test opens a window
# The workers of pytest-xdist inherit it.  They share the cores, on which more threads wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

if sys.dont_write_bytecode:
    # To compile all tests takes longer than to run those of an operation. Where Python shall write nothing beside the
    # sources, what it makes of them goes to the directory in which pytest keeps such things.
    sys.pycache_prefix = str(Path(__file__).parent / ".pytest_cache" / "bytecode")
    sys.dont_write_bytecode = False

# The doctests of what draws and of what wraps scikit-learn run where these are installed.
collect_ignore_glob = [
    pattern
    for package, pattern in (
        ("matplotlib", "minigrad/plot/*"),
        ("sklearn", "minigrad/interop/*"),
        ("hypothesis", "minigrad/testing/*"),
        ("jax", "minigrad/export/for_jax/*"),
        ("onnx", "minigrad/export/for_onnx/writing.py"),
        ("onnx", "minigrad/export/for_onnx/verifying.py"),
    )
    if importlib.util.find_spec(package) is None
]
collect_ignore_glob += ["tests/distributed/programs/*"]  # which MPI's launcher starts


if importlib.util.find_spec("hypothesis") is not None:
    from hypothesis import HealthCheck, settings

    # How long it takes to draw an example is a measure of the machine, which others may be using too.
    slow = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
    settings.register_profile("any machine", parent=settings(), **slow)
    settings.load_profile("any machine")


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """What is made while tests are collected lives as long as they run: the garbage collector passes it over."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


@pytest.fixture(autouse=True, scope="module")
def _pass_over_what_stays():
    """So does what the tests of a module import."""
    yield
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _close_figures():
    """Matplotlib keeps every figure until it is closed."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture
def _own_primitives():
    """Operations that a test defines are forgotten after it."""
    from minigrad.core import primitives  # what no test asks for is not imported

    known = dict(primitives)
    yield
    primitives.clear()
    primitives.update(known)
