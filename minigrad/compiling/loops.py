"""NumPy's own inner loops, by their addresses, so that C can call what NumPy would."""

import ctypes
from functools import cache
from typing import Any, NamedTuple

import numpy as np

# Where things stand in the objects of CPython and NumPy, in bytes.  `trusted` looks whether it is so.
HEAD = object.__basicsize__  # before the fields of an object: a NumPy scalar and a Python float have their value there
ITEMS = tuple.__basicsize__  # before the items of a tuple
POINTER = ctypes.sizeof(ctypes.c_void_p)
STRIDES = HEAD + 3 * POINTER  # in an array, after the address of its elements, the number of axes, and their lengths
_COUNTS = HEAD  # of a ufunc: operands, results, both, and what its identity is, as ints
_FUNCTIONS = HEAD + 4 * ctypes.sizeof(ctypes.c_int)
_DATA = _FUNCTIONS + POINTER


class Loop(NamedTuple):
    """One inner loop of a ufunc: the function for operands and results of these types, as characters."""

    ufunc: str
    types: str


def find_loop(ufunc: np.ufunc, dtypes: tuple[np.dtype[Any], ...]) -> Loop | None:
    """The loop of a ufunc for operands and results of exactly these dtypes, if it can be called by its address."""
    characters = [dtype.char for dtype in dtypes]
    types = "".join(characters[: ufunc.nin]) + "->" + "".join(characters[ufunc.nin :])
    known = getattr(np, ufunc.__name__, None) is ufunc and types in ufunc.types
    if not known or not set(characters) <= set("?bBhHiIlLqQefdFD"):
        return None
    return Loop(ufunc.__name__, types)


def addresses_of(loop: Loop) -> tuple[int, int]:
    """The address of the function, and of what it is to be given as its data."""
    ufunc = getattr(np, loop.ufunc)
    place = ufunc.types.index(loop.types) * POINTER
    functions, data = _pointer(id(ufunc) + _FUNCTIONS), _pointer(id(ufunc) + _DATA)
    return _pointer(functions + place), _pointer(data + place) if data else 0


def _pointer(address: int) -> int:
    return ctypes.c_void_p.from_address(address).value or 0


@cache
def trusted() -> bool:
    """Whether objects look in memory as they are expected to, and a loop that is called by its address works."""
    x = np.arange(6.0).reshape(2, 3).T
    number, items = np.float64(2.5), (x, 1.5)
    counts = (ctypes.c_int * 3).from_address(id(np.add) + _COUNTS)
    strides = (ctypes.c_ssize_t * 2).from_address(_pointer(id(x) + STRIDES))
    if (
        _pointer(id(x) + HEAD) != x.ctypes.data
        or tuple(strides) != x.strides
        or ctypes.c_double.from_address(id(number) + HEAD).value != 2.5
        or ctypes.c_double.from_address(id(items[1]) + HEAD).value != 1.5
        or _pointer(id(items) + ITEMS) != id(x)
        or _pointer(id(items) + ITEMS + POINTER) != id(items[1])
        or tuple(counts) != (2, 1, 3)
    ):
        return False
    loop = find_loop(np.add, (np.dtype(float),) * 3)
    if loop is None:
        return False
    address, data = addresses_of(loop)
    a, b, out = np.array([1.0, 2.0]), np.array([3.0, 4.0]), np.zeros(2)
    pointers = (ctypes.c_void_p * 3)(a.ctypes.data, b.ctypes.data, out.ctypes.data)
    count, steps = (ctypes.c_ssize_t * 1)(2), (ctypes.c_ssize_t * 3)(8, 8, 8)
    ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4)(address)(pointers, count, steps, data)
    return bool((out == [4.0, 6.0]).all())
