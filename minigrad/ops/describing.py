"""NumPy's functions whose results have no derivative: what describes an array, indices, and answers of yes or no.

They see the values.  Arrays that they return are Tensors if a Tensor came in; shapes, names and answers about whole
arrays are what NumPy returns.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.core import Handle, implements, name_of
from minigrad.errors.operations import explain


def values_of(x: Any) -> Any:
    """The value of a Tensor, also of those in lists, tuples and dictionaries; other things as they are."""
    if isinstance(x, Handle):
        return np.asarray(x.array)
    if type(x) is dict:
        return {key: values_of(part) for key, part in x.items()}
    return type(x)(map(values_of, x)) if type(x) in (list, tuple) else x


def constant(value: Any) -> Any:
    """An array, or a tuple or list of arrays, as Tensors; other things as they are."""
    if isinstance(value, np.ndarray | np.number | np.bool_):
        return name_of(value, None)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(constant, value))
    return type(value)(map(constant, value)) if type(value) in (list, tuple) else value


def explained(name: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What a function of NumPy's makes of values, with its errors in our words."""
    try:
        return function(*args, **kwargs)
    except Exception as error:
        explain(error, name, [x for x in args if isinstance(x, np.ndarray)], {})
        raise


def of_values(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of values, from one of arrays."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return explained(function.__name__, function, *values_of(args), **values_of(kwargs))

    return call


def without_derivative(function: Callable[..., Any], name: str = "") -> Callable[..., Any]:
    """A function of Tensors, from one of arrays, that returns constants."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return constant(explained(name or function.__name__, function, *values_of(args), **values_of(kwargs)))

    return call


_function: Any
for _function in (
    np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.common_type, np.min_scalar_type, np.iscomplexobj,
    np.isrealobj, np.array_equal, np.array_equiv, np.allclose, np.may_share_memory, np.shares_memory, np.einsum_path,
    np.array_repr, np.array_str, np.array2string, np.save, np.savetxt, np.savez, np.savez_compressed,
):  # fmt: skip
    implements(_function)(of_values(_function))

for _function in (
    np.isclose, np.iscomplex, np.isreal, np.isneginf, np.isposinf, np.isin, np.nonzero, np.flatnonzero, np.argwhere,
    np.lexsort, np.searchsorted, np.digitize, np.unravel_index, np.ravel_multi_index,
    np.diag_indices_from, np.tril_indices_from, np.triu_indices_from, np.bitwise_count, np.gcd, np.lcm,
):  # fmt: skip
    implements(_function)(without_derivative(_function))
