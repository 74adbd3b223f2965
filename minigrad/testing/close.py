"""Are numbers nearly equal?  If not: which of them, in which array of which tree."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad.core import Array, Handle, unwrap
from minigrad.operands import numeric
from minigrad.options import real_number

_SHOWN = 8  # so many elements are shown, of all arrays together

# Relative and absolute tolerance.  The first two lines are those of torch.testing.assert_close; of float64, the
# relative one is that of numpy.testing.assert_allclose, and the absolute one that of gradcheck.
_TOLERANCES = {
    np.dtype(np.float16): (1e-3, 1e-5),
    np.dtype(np.float32): (1.3e-6, 1e-5),
    np.dtype(np.float64): (1e-7, 1e-9),
}


class Closeness(NamedTuple):
    """What counts as close."""

    rtol: float | None = None
    atol: float | None = None
    equal_nan: bool = False
    check_dtype: bool = False

    def checked(self) -> "Closeness":
        """The same, or an error if a tolerance makes no sense."""
        for name, value in (("rtol", self.rtol), ("atol", self.atol)):
            if value is not None:
                real_number(value, name, least=0)
        return self

    def tolerances(self, *dtypes: np.dtype[Any]) -> tuple[float, float]:
        """Relative and absolute tolerance for numbers of these dtypes: those of the coarsest, 0 for whole numbers."""
        parts = [np.finfo(dtype).dtype for dtype in dtypes if dtype.kind in "fc"]
        known = [_TOLERANCES.get(part, _TOLERANCES[np.dtype(np.float64)]) for part in parts]
        rtol, atol = max(known, default=(0.0, 0.0))
        return rtol if self.rtol is None else self.rtol, atol if self.atol is None else self.atol


def assert_close(
    actual: Any,
    expected: Any,
    *,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_dtype: bool = False,
) -> None:
    """Raise an AssertionError unless two Tensors, arrays, numbers or trees of these are nearly equal.

    Parameters
    ----------
    actual, expected : Tensor, array_like, None, or dict, list or tuple of these
        Nested as you like; a state_dict, for example, or a dict of gradients.  The two have the same keys, lengths and
        shapes: nothing is broadcast.  None (a gradient that was never computed) equals None alone.
    rtol, atol : float, optional
        Numbers are close if ``|actual - expected| <= atol + rtol * |expected|``.  The default depends on the less
        precise of the two dtypes: 1e-7 and 1e-9 for float64, 1.3e-6 and 1e-5 for float32, 1e-3 and 1e-5 for float16;
        integers and booleans are equal or not.
    equal_nan : bool
        Whether NaN is close to NaN.
    check_dtype : bool
        Whether the dtypes must be equal, too.

    Raises
    ------
    AssertionError
        Its text says which elements of which arrays differ, and by how much.
    DTypeError
        If there is something that is not numbers.
    ArgumentError
        If a tolerance is negative.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad.testing import assert_close
    >>> w = mg.tensor([1.0, 2.0], requires_grad=True)
    >>> (w**2).sum().backward()
    >>> assert_close({"w": w.grad}, {"w": [2.0, 4.0]})
    >>> assert_close({"w": w.grad}, {"w": [2.0, 5.0]})
    Traceback (most recent call last):
    AssertionError: 1 of 2 elements is not close (rtol=1e-07, atol=1e-09)
      element         actual  expected  error    relative
      actual['w'][1]  4       5         1.0e+00  2.0e-01
    """
    __tracebackhide__ = True
    closeness = Closeness(rtol, atol, equal_nan, check_dtype).checked()
    if text := disagreements([("actual", actual, expected)], closeness):
        raise AssertionError(text)


# From trees to arrays


class _Pair(NamedTuple):
    name: str
    actual: Array
    expected: Array


def _pairs(name: str, actual: Any, expected: Any) -> Iterator[_Pair | str]:
    """The arrays of two trees that belong together, and in words what does not fit."""
    if isinstance(actual, Mapping) and isinstance(expected, Mapping):
        yield from _missing(name, expected.keys() - actual.keys(), "is expected, and is not there")
        yield from _missing(name, actual.keys() - expected.keys(), "is there, and is not expected")
        for key in actual:
            if key in expected:
                yield from _pairs(f"{name}[{key!r}]", actual[key], expected[key])
    elif (_branches(actual) and _has_rows(expected)) or (_has_rows(actual) and _branches(expected)):
        if len(actual) != len(expected):
            yield f"{name} has {len(actual)} members, and {len(expected)} are expected"
            return
        for i, (one, other) in enumerate(zip(actual, expected, strict=True)):
            yield from _pairs(f"{name}[{i}]", one, other)
    elif actual is None or expected is None or _is_tree(actual) or _is_tree(expected):
        if actual is not expected:
            yield f"{name} is {_in_words(actual)}, and {_in_words(expected)} is expected"
    else:
        yield _Pair(name, numeric(unwrap(actual), name), numeric(unwrap(expected), f"what is expected of {name}"))


def _missing(name: str, keys: set[Any], what: str) -> Iterator[str]:
    for key in sorted(keys, key=str):
        yield f"{name}[{key!r}] {what}"


def _branches(x: Any) -> bool:
    """Whether it is a sequence of arrays or trees, and not one of numbers, which is an array itself."""
    whole = (Handle, np.ndarray, Mapping)
    return isinstance(x, (list, tuple)) and any(y is None or isinstance(y, whole) or _branches(y) for y in x)


def _has_rows(x: Any) -> bool:
    return isinstance(x, (list, tuple)) or getattr(x, "shape", ()) != ()


def _is_tree(x: Any) -> bool:
    return isinstance(x, Mapping) or _branches(x)


def _in_words(x: Any) -> str:
    if x is None:
        return "None (no gradient, if it is one)"
    return f"a {type(x).__name__}" if _is_tree(x) else f"an array of shape {np.shape(x)}"


# From arrays to a report


class _Difference(NamedTuple):
    """Two arrays of the same shape that are not close."""

    pair: _Pair
    wrong: list[tuple[int, ...]]  # the elements, the worst first


def disagreements(trees: Sequence[tuple[str, Any, Any]], closeness: Closeness) -> str:
    """In words, where named pairs of trees are not close; nothing if they are."""
    complaints: list[str] = []
    differences: list[_Difference] = []
    numbers, used = 0, set()
    for pair in (pair for tree in trees for pair in _pairs(*tree)):
        if isinstance(pair, str):
            complaints.append(pair)
            continue
        name, actual, expected = pair
        if closeness.check_dtype and actual.dtype != expected.dtype:
            complaints.append(f"{name} is of dtype {actual.dtype}, and {expected.dtype} is expected")
        if actual.shape != expected.shape:
            complaints.append(f"{name} is of shape {actual.shape}, and {expected.shape} is expected")
            continue
        rtol, atol = closeness.tolerances(actual.dtype, expected.dtype)
        numbers += actual.size
        if wrong := _wrong(actual, expected, rtol, atol, closeness.equal_nan):
            used.add(f"rtol={rtol:g}, atol={atol:g}")
            differences.append(_Difference(pair, wrong))
    if differences:
        complaints.append(_report(differences, numbers, used))
    return "\n".join(complaints)


def _wrong(actual: Array, expected: Array, rtol: float, atol: float, equal_nan: bool) -> list[tuple[int, ...]]:
    """The elements that are not close, the farthest from being so first."""
    with np.errstate(all="ignore"):
        error, tolerance = _error(actual, expected), atol + rtol * np.abs(expected)
        near = np.isfinite(expected) & (error <= tolerance) if rtol or atol else np.zeros(actual.shape, bool)
        close = near | (actual == expected)
        if equal_nan:
            close |= np.isnan(actual) & np.isnan(expected)
        excess = np.nan_to_num(np.ravel(error / tolerance), nan=np.inf)
    wrong = np.flatnonzero(~close)
    worst = wrong[np.argsort(-excess[wrong], kind="stable")]
    return [tuple(map(int, np.unravel_index(i, actual.shape))) for i in worst]


def _error(actual: Array, expected: Array) -> Array:
    """How far apart they are: in double precision, as small dtypes overflow and booleans have no difference."""
    dtype = np.result_type(actual, expected, np.float64)
    return np.abs(np.asarray(actual, dtype) - np.asarray(expected, dtype))


def _report(differences: Sequence[_Difference], numbers: int, used: set[str]) -> str:
    count = sum(len(difference.wrong) for difference in differences)
    each = max(1, _SHOWN // len(differences))
    rows = [("element", "actual", "expected", "error", "relative")]
    for (name, actual, expected), wrong in differences[:_SHOWN]:
        for i in wrong[:each]:
            element = f"{name}[{', '.join(map(str, i))}]" if i else name
            rows.append((element, _number(actual[i]), _number(expected[i]), *_errors(actual[i], expected[i])))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = ["  " + "  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    more = [f"  ... and {count - len(rows) + 1} more"] if count >= len(rows) else []
    verb = "is" if count == 1 else "are"
    return "\n".join([f"{count} of {numbers} elements {verb} not close ({'; '.join(sorted(used))})", *table, *more])


def _number(x: Any) -> str:
    return f"{x:.9g}" if x.dtype.kind in "fc" else str(x)


def _errors(actual: Any, expected: Any) -> tuple[str, str]:
    """The absolute error and the relative one."""
    whole = actual.dtype.kind in "biu" and expected.dtype.kind in "biu"
    with np.errstate(all="ignore"):
        error = abs(int(actual) - int(expected)) if whole else float(_error(actual, expected))
        size = float(np.abs(expected))
    return f"{error:.1e}", f"{error / size if size else math.inf:.1e}"
