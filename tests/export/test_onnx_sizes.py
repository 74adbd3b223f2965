"""Polynomials of sizes that are not known: arithmetic, and finding them from values."""

from itertools import product

import pytest

from minigrad.export.for_onnx.sizes import Inverse, NotFixedError, Size, named, solved

B, T = named("batch"), named("length")


def test_arithmetic_is_that_of_polynomials():
    size = 2 * B * T - 3 * T + (B + 1) - 5
    assert size.at({"batch": 4, "length": 7}) == 2 * 4 * 7 - 3 * 7 + 4 - 4
    assert size == B - 4 + T * (2 * B - 3)
    assert hash(size) == hash(B - 4 + T * (2 * B - 3))
    assert 10 - B == -(B - 10)


def test_what_depends_on_nothing_is_a_number():
    assert B - B == 0
    assert type(B - B + 3) is int
    assert B * 0 == 0
    assert B != 1
    assert B != T


def test_it_is_written_as_a_formula():
    assert repr(2 * B * T - T + 1) == "-1*length + 2*batch*length + 1"
    assert repr(B) == "batch"
    assert repr(Inverse(B * 2)) == "1 / (2*batch)"


@pytest.mark.parametrize("use", [int, float, bool, range, lambda n: [1, 2][n], lambda n: n < 3, lambda n: n <= 3])
def test_it_is_no_number_yet(use):
    with pytest.raises(NotFixedError):
        use(B)


PAIRS = {"batch": (4, 5), "length": (7, 9)}


@pytest.mark.parametrize("size", [B, T, B * T, 3 * B - 2, B * T * 6 - B + 11, 5])
def test_a_size_is_found_from_its_values(size):
    corners = [dict(zip(PAIRS, corner, strict=True)) for corner in product(*PAIRS.values())]
    values = [size.at(corner) if isinstance(size, Size) else size for corner in corners]
    assert solved(values, list(PAIRS), PAIRS) == size


def test_what_has_no_whole_coefficients_is_not_found():
    assert solved([3, 4], ["length"], {"length": (7, 9)}) is None  # half of it
    assert solved([16, 25], ["batch"], {"batch": (4, 5)}) == 9 * B - 20  # a square, which a third value tells
    assert solved([2.0, 2.5], ["batch"], {"batch": (4, 5)}) == Size({("batch",): 0.5})


def test_the_common_factor():
    assert (6 * B + 4 * B * T).factor == 2
    assert B.factor == 1
    assert Size({("batch",): 0.5}).factor == 1
