"""Results at the edges of floating-point arithmetic: signed zeros, infinity, NaN."""

import math
import operator

import numpy as np
import pytest

import minigrad as xp
from tests.array_api import standard
from tests.rows import each

# Functions of one real number: arguments with their results

REAL = """
abs         nan:nan  -0:0  -inf:inf
acos        nan:nan  1.5:nan  -1.5:nan  1:0
acosh       nan:nan  0.5:nan  1:0  inf:inf
asin        nan:nan  1.5:nan  -1.5:nan  0:0  -0:-0
asinh       nan:nan  0:0  -0:-0  inf:inf  -inf:-inf
atan        nan:nan  0:0  -0:-0  inf:pi/2  -inf:-pi/2
atanh       nan:nan  -1.5:nan  1.5:nan  -1:-inf  1:inf  0:0  -0:-0
ceil        inf:inf  -inf:-inf  0:0  -0:-0  nan:nan  -0.5:-0  3:3
cos         nan:nan  0:1  -0:1  inf:nan  -inf:nan
cosh        nan:nan  0:1  -0:1  inf:inf  -inf:inf
exp         nan:nan  0:1  -0:1  inf:inf  -inf:0
expm1       nan:nan  0:0  -0:-0  inf:inf  -inf:-1
floor       inf:inf  -inf:-inf  0:0  -0:-0  nan:nan  0.5:0  -3:-3
isfinite    inf:False  -inf:False  nan:False  1:True
isinf       inf:True  -inf:True  nan:False  1:False
isnan       inf:False  nan:True  1:False
log         nan:nan  -1:nan  0:-inf  -0:-inf  1:0  inf:inf
log1p       nan:nan  -1.5:nan  -1:-inf  -0:-0  0:0  inf:inf
log2        nan:nan  -1:nan  0:-inf  -0:-inf  1:0  inf:inf
log10       nan:nan  -1:nan  0:-inf  -0:-inf  1:0  inf:inf
negative    nan:nan  0:-0  -0:0  inf:-inf
positive    nan:nan  -0:-0  -inf:-inf
reciprocal  nan:nan  inf:0  -inf:-0  0:inf  -0:-inf
round       inf:inf  -inf:-inf  0:0  -0:-0  nan:nan  0.5:0  1.5:2  2.5:2  -0.5:-0  -1.5:-2
sign        -2:-1  0:0  -0:0  inf:1  -inf:-1  nan:nan
signbit     0:False  -0:True  inf:False  -inf:True  2:False  -2:True
sin         nan:nan  0:0  -0:-0  inf:nan  -inf:nan
sinh        nan:nan  0:0  -0:-0  inf:inf  -inf:-inf
sqrt        nan:nan  -1:nan  0:0  -0:-0  inf:inf
square      nan:nan  -0:0  -inf:inf
tan         nan:nan  0:0  -0:-0  inf:nan  -inf:nan
tanh        nan:nan  0:0  -0:-0  inf:1  -inf:-1
trunc       inf:inf  -inf:-inf  0:0  -0:-0  nan:nan  0.5:0  -0.5:-0  -3:-3
"""

# Functions of two real numbers

PAIRS = """
add            nan,1:nan  1,nan:nan  inf,-inf:nan  -inf,inf:nan  inf,inf:inf  -inf,-inf:-inf  inf,1:inf  1,-inf:-inf
add            -0,-0:-0  -0,0:0  0,-0:0  0,0:0  2,-2:0  -0,3:3  3,-0:3
atan2          nan,1:nan  1,nan:nan  2,0:pi/2  2,-0:pi/2  0,2:0  0,0:0  0,-0:pi  0,-2:pi  -0,2:-0  -0,0:-0
atan2          -0,-0:-pi  -0,-2:-pi  -2,0:-pi/2  -2,-0:-pi/2  2,inf:0  2,-inf:pi  -2,inf:-0  -2,-inf:-pi
atan2          inf,2:pi/2  -inf,2:-pi/2  inf,inf:pi/4  inf,-inf:3*pi/4  -inf,inf:-pi/4  -inf,-inf:-3*pi/4
copysign       2,0:2  2,-0:-2  -2,inf:2  2,-inf:-2  nan,1:nan  0,-1:-0  -0,1:0  2,nan:2  2,-nan:-2  inf,-1:-inf
divide         nan,1:nan  1,nan:nan  inf,inf:nan  inf,-inf:nan  0,0:nan  0,-0:nan  0,2:0  -0,2:-0  0,-2:-0  -0,-2:0
divide         2,0:inf  2,-0:-inf  -2,0:-inf  -2,-0:inf  inf,2:inf  inf,-2:-inf  -inf,2:-inf  -inf,-2:inf
divide         2,inf:0  2,-inf:-0  -2,inf:-0  -2,-inf:0
equal          nan,nan:False  0,-0:True  inf,inf:True  -inf,inf:False  1,nan:False
floor_divide   nan,1:nan  1,nan:nan  inf,inf:nan  0,0:nan  0,2:0  -0,2:-0  0,-2:-0  -0,-2:0  2,0:inf  2,-0:-inf
floor_divide   -2,0:-inf  -2,-0:inf  2,inf:0  -2,-inf:0  7,-2:-4
greater        nan,1:False  1,nan:False  0,-0:False  inf,1:True  inf,inf:False
greater_equal  nan,nan:False  1,nan:False  0,-0:True  inf,inf:True
hypot          inf,nan:inf  nan,-inf:inf  nan,1:nan  1,nan:nan  0,-2:2  -2,-0:2  -0,-0:0
less           nan,1:False  1,nan:False  -0,0:False  -inf,1:True
less_equal     nan,nan:False  nan,1:False  0,-0:True  -inf,-inf:True
logaddexp      nan,1:nan  1,nan:nan  inf,1:inf  1,inf:inf  -inf,1:1  -inf,-inf:-inf
maximum        nan,1:nan  1,nan:nan  -inf,1:1  inf,1:inf
minimum        nan,1:nan  1,nan:nan  -inf,1:-inf  inf,1:1
multiply       nan,1:nan  1,nan:nan  inf,0:nan  -0,inf:nan  inf,inf:inf  -inf,inf:-inf  inf,-2:-inf  -2,-inf:inf
multiply       0,-2:-0  -0,-2:0  2,-0:-0
nextafter      1,1:1  nan,1:nan  1,nan:nan  0,-0:-0  -0,0:0
not_equal      nan,nan:True  0,-0:False  1,nan:True
pow            2,nan:nan  nan,0:1  nan,-0:1  inf,0:1  0,0:1  nan,2:nan  1,nan:1  2,inf:inf  -2,inf:inf  2,-inf:0
pow            -2,-inf:0  1,inf:1  -1,inf:1  -1,-inf:1  0.5,inf:0  -0.5,inf:0  0.5,-inf:inf  -0.5,-inf:inf
pow            inf,2:inf  inf,-2:0  -inf,3:-inf  -inf,2:inf  -inf,0.5:inf  -inf,-3:-0  -inf,-2:0  -inf,-0.5:0
pow            0,2:0  0,-2:inf  0,-inf:inf  -0,3:-0  -0,2:0  -0,0.5:0  -0,-3:-inf  -0,-2:inf  -0,-0.5:inf
pow            -2,0.5:nan  -2,3:-8
remainder      nan,1:nan  1,nan:nan  inf,inf:nan  0,0:nan  2,0:nan  0,2:0  -0,2:0  0,-2:-0  -0,-2:-0  inf,2:nan
remainder      -inf,2:nan  2,inf:2  -2,-inf:-2  2,-inf:-inf  -2,inf:inf  -7,2:1  7,-2:-1
subtract       inf,inf:nan  -inf,-inf:nan  inf,-inf:inf  0,-0:0  0,0:0  -0,0:-0  1,nan:nan
"""

# Functions of one complex number, which are written as "real|imaginary".  The standard follows C (C99, appendix G).

COMPLEX = """
abs       inf|nan:inf  nan|-inf:inf  nan|1:nan  -0|0:0
acos      0|0:pi/2|-0  2|inf:pi/2|-inf  inf|2:0|-inf
acosh     2|inf:inf|pi/2  -inf|2:inf|pi  inf|2:inf|0  inf|inf:inf|pi/4
asinh     0|0:0|0  2|inf:inf|pi/2  inf|2:inf|0  nan|0:nan|0
atanh     0|0:0|0  2|inf:0|pi/2  inf|2:0|pi/2
conj      1|0:1|-0  nan|inf:nan|-inf
cosh      0|0:1|0  inf|0:inf|0  2|nan:nan|nan
exp       0|0:1|0  -0|0:1|0  inf|0:inf|0  -inf|1:0|0  -inf|inf:0|0  -inf|nan:0|0  2|inf:nan|nan  nan|0:nan|0
expm1     0|0:0|0  nan|2:nan|nan
isfinite  1|inf:False  nan|1:False  1|2:True
isinf     nan|inf:True  -inf|nan:True  1|nan:False
isnan     inf|nan:True  nan|0:True  1|inf:False
log       -0|0:-inf|pi  0|0:-inf|0  2|inf:inf|pi/2  -inf|2:inf|pi  inf|2:inf|0  -inf|inf:inf|3*pi/4  inf|inf:inf|pi/4
log       nan|inf:inf|nan  nan|nan:nan|nan
sign      0|0:0|0  3|-4:0.6|-0.8  nan|1:nan|nan
sinh      0|0:0|0  inf|0:inf|0  nan|0:nan|0
sqrt      -0|0:0|0  0|0:0|0  2|inf:inf|inf  nan|inf:inf|inf  -inf|2:0|inf  inf|2:inf|0  inf|nan:inf|nan  nan|2:nan|nan
sqrt      -4|0:0|2  -4|-0:0|-2
square    0|2:-4|0  1|1:0|2
tanh      0|0:0|0  inf|0.5:1|0  nan|0:nan|0
"""


def number(text):
    """A float, complex number or bool."""
    if "|" in text:
        return complex(*map(number, text.split("|")))
    if text in ("True", "False"):
        return text == "True"
    sign = -1.0 if text.startswith("-") else 1.0
    return math.copysign(eval(text.removeprefix("-"), vars(math)), sign)


def cases(table):
    """The names in a table, each with its cases: arguments and result."""
    found = {}
    for name, *entries in map(str.split, table.strip().split("\n")):
        parts = [entry.partition(":") for entry in entries]
        found.setdefault(name, []).extend((list(map(number, a.split(","))), number(b)) for a, _, b in parts)
    return found


def assert_same(result, expected):
    """Equal with the signs of zeros, and but for rounding."""
    value = result.item()
    assert type(value) is type(expected)
    for a, b in zip(*([x.real, x.imag] if isinstance(x, complex) else [x] for x in (value, expected)), strict=True):
        if b != b or b in (0, math.inf, -math.inf):
            assert str(a) == str(b), f"{value} instead of {expected}"
        else:
            assert a == pytest.approx(b, rel=1e-6)


def in_arrays(dtype, numbers):
    """Numbers as they come to a function: in arrays, and alone."""
    yield [xp.asarray([1, number], dtype=dtype) for number in numbers], 1
    yield [xp.asarray(number, dtype=dtype) for number in numbers], ()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@each("dtype", standard.REAL_FLOATING)
@pytest.mark.parametrize(("name", "table"), cases(REAL).items())
def test_real(name, table, dtype):
    for arguments, expected in table:
        for operands, place in in_arrays(dtype, arguments):
            assert_same(getattr(xp, name)(*operands)[place], expected)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@each("dtype", standard.REAL_FLOATING)
@pytest.mark.parametrize(("name", "table"), cases(PAIRS).items())
def test_pairs(name, table, dtype):
    symbol = next((k for k, f in (standard.OPERATORS | standard.COMPARISONS).items() if f == name), None)
    function = getattr(xp, name)
    calls = [function]
    if symbol:
        calls.append(getattr(operator, f"__{symbol}__"))
    if name in standard.OPERATORS.values():
        calls.append(lambda x, y: getattr(operator, f"__i{symbol}__")(xp.asarray(x, copy=True), y))
    for (first, second), expected in table:
        for (x, y), place in in_arrays(dtype, (first, second)):
            if (name, second) == ("pow", 0.5) and y.ndim == 0:
                continue  # NumPy takes a square root then
            for call in calls:
                assert_same(call(x, y)[place], expected)
            assert_same(function(first, y)[place], expected)
            if (name, second) != ("pow", 0.5):
                assert_same(function(x, second)[place], expected)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("name", "table"), cases(COMPLEX).items())
def test_complex(name, table):
    for arguments, expected in table:
        for operands, place in in_arrays("complex128", arguments):
            assert_same(getattr(xp, name)(*operands)[place], expected)


def test_the_next_number():
    one, zero, tiny = xp.asarray(1.0), xp.asarray(0.0), 5e-324
    assert (xp.nextafter(zero, one).item(), xp.nextafter(zero, -one).item()) == (tiny, -tiny)
    assert (xp.nextafter(one, math.inf) - 1).item() == xp.finfo(xp.float64).eps
    assert (xp.nextafter(xp.asarray(1, dtype=xp.float32), 2) - 1).item() == xp.finfo(xp.float32).eps


def test_integers():
    x, y = xp.asarray([7, -7, 7, -7]), xp.asarray([2, 2, -2, -2])
    assert (x // y).tolist() == xp.floor_divide(x, y).tolist() == [3, -4, -4, 3]
    assert (x % y).tolist() == xp.remainder(x, y).tolist() == [1, 1, -1, -1]
    assert (xp.asarray([-8, 8]) >> 1).tolist() == [-4, 4]
    assert (xp.asarray([1], dtype=xp.int8) << xp.asarray([3], dtype=xp.int8)).tolist() == [8]
    assert xp.round(xp.asarray([5, -5])).tolist() == xp.ceil(xp.asarray([5, -5])).tolist() == [5, -5]
    assert (~xp.asarray([0, 5], dtype=xp.uint8)).tolist() == [255, 250]
    with pytest.raises(ValueError, match=r"pow.*negative"):
        xp.asarray([2]) ** xp.asarray([-1])


# Functions of whole arrays

nan, inf = math.nan, math.inf


def test_nothing_and_nan_in_reductions():
    empty = xp.zeros((0, 2))
    assert xp.sum(empty).item() == 0
    assert xp.prod(empty, axis=0).tolist() == [1, 1]
    assert (xp.all(empty).item(), xp.any(empty).item()) == (True, False)
    assert xp.count_nonzero(empty, axis=1).shape == (0,)
    x = xp.asarray([1.0, nan, 3.0])
    for function in (xp.sum, xp.prod, xp.max, xp.min, xp.mean, xp.std, xp.var):
        assert math.isnan(function(x).item())
    assert (xp.all(x).item(), xp.any(xp.asarray([nan])).item(), xp.count_nonzero(x).item()) == (True, True, 3)
    assert xp.all(xp.asarray([-inf, 1e-300j])).item()
    for function in (xp.max, xp.min, xp.argmax, xp.argmin):
        with pytest.raises(ValueError, match=function.__name__):
            function(empty)
    with np.errstate(invalid="ignore"), pytest.warns(RuntimeWarning):
        assert math.isnan(xp.mean(xp.zeros(0, dtype=xp.int8)).item())


def test_clip_with_nan():
    x, low, high = xp.asarray([nan, 1.0, 1.0, 1.0]), xp.asarray([0.0, nan, 0.0, 0.0]), xp.asarray([2.0, 2.0, nan, 0.5])
    expected = [nan, nan, nan, 0.5]
    for bounds in ((low, high), (low.numpy(), high.numpy()), (low, high.numpy())):
        np.testing.assert_array_equal(xp.clip(x, *bounds).numpy(), expected)
    np.testing.assert_array_equal(xp.clip(x, nan).numpy(), [nan] * 4)


def test_every_nan_is_another_and_zeros_are_one():
    x = xp.asarray([[nan, 0.0, 1.0], [-0.0, nan, 1.0]])
    found = xp.unique_all(x)
    np.testing.assert_array_equal(found.values.numpy(), [0, 1, nan, nan])
    assert found.counts.tolist() == xp.unique_counts(x).counts.tolist() == [2, 2, 1, 1]
    assert found.indices.tolist() == [1, 2, 0, 4]
    assert found.inverse_indices.shape == (2, 3)
    np.testing.assert_array_equal(found.values[found.inverse_indices].numpy(), x.numpy())
    np.testing.assert_array_equal(
        xp.unique_values(xp.asarray([complex(nan, 1), 1j, complex(nan, 1)])).numpy()[1:], [complex(nan, 1)] * 2
    )
    assert xp.isin(x, xp.asarray([nan, 0.0])).tolist() == [[False, True, False], [True, False, False]]
