"""The plugin for pytest, which loads it by itself: ``-p no:minigrad`` on its command line switches it off.

- The fixture `gradcheck` compares the first and second derivatives of a function with finite differences, or with a
  reference, as `minigrad.testing.assert_gradients_close` does.
- ``--minigrad-anomaly``, or ``minigrad_anomaly = true`` in the configuration, runs every test, with its fixtures, under
  `minigrad.detect_anomaly`: the first NaN or inf fails it.  For some tests, there is the marker
  ``@pytest.mark.minigrad_anomaly``, and ``@pytest.mark.minigrad_anomaly(False)`` for exceptions.
- ``@pytest.mark.minigrad_seed(0)`` gives a test, and its fixtures, random numbers of `minigrad.random` that are the
  same each time and do not depend on other tests.
- What a test leaves behind of the grad mode and the default dtype is set back after it.

pytest loads this module in every environment that minigrad is installed in, for tests that have nothing to do with it.
So it imports nothing until a test wants it, and it stands beside the package, which would come along with a part of it.
"""

import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, ExitStack
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

_MARKERS = (
    "minigrad_anomaly(on=True): run the test under minigrad.detect_anomaly, or not",
    "minigrad_seed(seed): give the test random numbers of minigrad.random of its own",
)


def pytest_addoption(parser: "pytest.Parser") -> None:
    """Tell pytest the option and its counterpart in configuration files."""
    text = "run every test under minigrad.detect_anomaly: the first NaN or inf fails it"
    parser.getgroup("minigrad").addoption("--minigrad-anomaly", action="store_true", help=text)
    parser.addini("minigrad_anomaly", text, type="bool", default=False)


def pytest_configure(config: "pytest.Config") -> None:
    """Tell pytest the markers, and register the rest."""
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)
    anomaly = config.getoption("minigrad_anomaly") or config.getini("minigrad_anomaly")
    config.pluginmanager.register(_rest(bool(anomaly)), "minigrad-tests")


def _rest(anomaly: bool) -> ModuleType:
    """The fixture and the hooks around tests: made here, as the decorators are pytest's."""
    import pytest  # it is there, since it calls this, but minigrad itself does not need it

    # Of the whole session, as Hypothesis objects to fixtures that are made for a test and not for each example.
    @pytest.fixture(scope="session")
    def gradcheck() -> Callable[..., bool]:
        """Check derivatives: gradcheck(f, inputs, reference=None, order=2, rtol=, atol=, eps=, fast=, seed=)."""
        from minigrad.testing import assert_gradients_close

        def gradcheck(f: Callable[..., Any], inputs: Any, reference: Any = None, **options: Any) -> bool:
            __tracebackhide__ = True
            assert_gradients_close(f, inputs, reference, **options)
            return True

        return gradcheck

    blocks = pytest.StashKey[ExitStack]()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(item: pytest.Item) -> None:
        """Enter what the option and markers ask for, before the fixtures."""
        stack = item.stash.setdefault(blocks, ExitStack())
        for block in _blocks(item, anomaly):
            stack.enter_context(block)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call() -> Generator[None, Any, Any]:
        """Set back what the test changed, and not what a fixture did, which may be for all tests of a module."""
        before = _settings()
        try:
            return (yield)
        finally:
            if _settings() != before:
                _set_back(*before)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, Any, Any]:
        """Leave after the fixtures what was entered before them."""
        try:
            return (yield)
        finally:
            item.stash.setdefault(blocks, ExitStack()).close()

    rest = ModuleType("minigrad_tests")
    for x in (gradcheck, pytest_runtest_setup, pytest_runtest_call, pytest_runtest_teardown):
        setattr(rest, x.__name__, x)
    return rest


def _blocks(item: "pytest.Item", anomaly: bool) -> Iterator[AbstractContextManager[Any]]:
    """The blocks that a test runs in."""
    marker = item.get_closest_marker("minigrad_anomaly")
    if _wants_anomaly(*marker.args, **marker.kwargs) if marker else anomaly:
        from minigrad.core import detect_anomaly

        yield detect_anomaly()
    if marker := item.get_closest_marker("minigrad_seed"):
        from minigrad.errors import ArgumentError
        from minigrad.random import using

        if len(marker.args) != 1 or not isinstance(marker.args[0], int) or marker.args[0] < 0 or marker.kwargs:
            raise ArgumentError("the marker minigrad_seed takes a whole number, as in @pytest.mark.minigrad_seed(0)")
        yield using(marker.args[0])


def _wants_anomaly(on: bool = True) -> bool:
    """What the arguments of the marker say."""
    return on


def _settings() -> tuple[Any, str]:
    """The mode and the default dtype: those that minigrad begins with while nobody has imported it."""
    if "minigrad" not in sys.modules:
        return None, "float64"
    from minigrad.creation import get_default_dtype
    from minigrad.settings import now

    return now(), str(get_default_dtype())


def _set_back(mode: Any, dtype: str) -> None:
    from minigrad.creation import set_default_dtype
    from minigrad.settings import NORMAL, go_back

    go_back(mode or NORMAL)
    set_default_dtype(dtype)
