"""The error function to its last digits."""

import math

import numpy as np
import pytest

import minigrad as mg
from minigrad.ops.special import erf

TINY = np.array([5e-324, 1e-320, 2.2250738585072014e-308, 1e-300, 1e-30, 1e-8, 3.7252902984e-09])
BORDERS = np.array([0.84375, 1.25, 1 / 0.35, 6.0])


def grid():
    """All intervals densely, their borders and both neighbours of each, and numbers of all magnitudes."""
    rng = np.random.default_rng(0)
    magnitudes = 10.0 ** rng.uniform(-308, 1, 20_000)
    near = np.concatenate([BORDERS, np.nextafter(BORDERS, 0), np.nextafter(BORDERS, 9)])
    x = np.concatenate([np.linspace(0, 7, 40_001), magnitudes, TINY, near])
    return np.concatenate([x, -x])


def ulps(value, exact, dtype):
    """By how many units in the last place of the exact value, rounded to the dtype, another is away."""
    return np.abs(value.astype(float) - exact) / np.spacing(np.abs(exact).astype(dtype)).astype(float)


def test_doubles_are_within_two_units_of_the_last_place():
    x = grid()
    exact = np.array([math.erf(v) for v in x])
    assert erf(x).dtype == np.float64
    assert ulps(erf(x), exact, np.float64).max() <= 2


def test_singles_are_within_two_units_of_the_last_place():
    x = np.concatenate([grid(), np.linspace(-4.2, 4.2, 20_001)]).astype(np.float32)
    exact = np.array([math.erf(v) for v in x.astype(float)])
    assert erf(x).dtype == np.float32
    # Below its smallest normal number the exact value of a single is not a single.
    assert ulps(erf(x), exact, np.float32).max() <= 2


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_the_ends(dtype):
    x = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0, 30, -30], dtype)
    y = erf(x)
    assert y.dtype == dtype
    np.testing.assert_array_equal(y, np.array([1, -1, np.nan, 0, 0, 1, -1], dtype))
    np.testing.assert_array_equal(np.signbit(y[3:5]), [False, True])


def test_it_is_odd_and_never_beyond_one():
    x = np.linspace(0, 7, 10_001)
    for dtype in (np.float64, np.float32):
        np.testing.assert_array_equal(erf(x.astype(dtype)), -erf(-x.astype(dtype)))
        assert erf(x.astype(dtype)).max() == 1


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_it_rises(dtype):
    x = np.linspace(-7, 7, 20_001).astype(dtype)
    assert (np.diff(erf(x)) >= -np.spacing(dtype(1))).all()


def test_other_kinds_of_numbers():
    assert erf(np.array([0, 1, 100])).tolist() == [0.0, math.erf(1), 1.0]
    assert erf(0.5) == math.erf(0.5)
    assert erf(np.float32(0.5)).dtype == np.float32
    assert erf(np.zeros((0, 3))).shape == (0, 3)
    assert isinstance(erf(np.array(0.5)), float)


def test_the_gradient_vanishes_far_out_without_a_warning():
    x = mg.tensor([-1e200, -30.0, 0.0, 30.0, np.inf], requires_grad=True)
    erf(x).sum().backward()
    np.testing.assert_allclose(x.grad, [0, 0, 2 / math.sqrt(math.pi), 0, 0])
