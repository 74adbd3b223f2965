"""NumPy's functions whose results have no derivative: what describes an array, indices, and answers of yes or no.

They see the values.  Arrays that they return are Tensors if a Tensor came in; shapes, names and answers about whole
arrays are what NumPy returns.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minigrad.core import Array, Handle, implements, interpreter, name_of, primitive
from minigrad.errors.operations import explain
from minigrad.ops.arguments import value_of


def values_of(x: Any) -> Any:
    """The value of a Tensor, also of those in lists, tuples and dictionaries; other things as they are."""
    if isinstance(x, Handle):
        return value_of(x)
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


def of_forms(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of shapes and dtypes, from one of arrays."""

    def call(*args: Any, **kwargs: Any) -> Any:
        operands: list[Handle] = []
        form = _emptied((args, kwargs), operands)
        given, named = filled(form, iter([np.asarray(x.array) for x in operands]))
        return explained(function.__name__, function, *given, **named)

    return call


def of_values(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of values, from one of arrays."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return explained(function.__name__, function, *values_of(args), **values_of(kwargs))

    return call


def without_derivative(function: Callable[..., Any], name: str = "") -> Callable[..., Any]:
    """A function of Tensors, from one of arrays, that returns constants."""
    name = name or function.__name__

    def call(*args: Any, **kwargs: Any) -> Any:
        if interpreter() is not None and function not in _OF_UNKNOWN_SHAPE:
            return _as_operation(function, name, args, kwargs)
        return constant(explained(name, function, *values_of(args), **values_of(kwargs)))

    return call


# How many results there are depends on the values: in a program that would have to be said beforehand.
_OF_UNKNOWN_SHAPE = {np.nonzero, np.flatnonzero, np.argwhere}


@primitive(cost=1)
def _numpy_call(*operands: Array, function: Any, name: str, form: Any, part: int | None) -> Array:
    """A result of a function of NumPy's that is no operation of ours; `form` has `OPERAND` where operands come."""
    args, kwargs = filled(form, iter(operands))
    value = explained(name, function, *args, **kwargs)
    return value if part is None else value[part]


class _Operand:
    def __repr__(self) -> str:
        return "operand"


OPERAND = _Operand()


def filled(form: Any, operands: Iterator[Any]) -> Any:
    """Arguments with the operands in their places."""
    if form is OPERAND:
        return next(operands)
    if type(form) is dict:
        return {key: filled(part, operands) for key, part in form.items()}
    return type(form)([filled(part, operands) for part in form]) if type(form) in (list, tuple) else form


def _emptied(x: Any, operands: list[Handle]) -> Any:
    """Arguments without the Tensors in them, which go into the list."""
    if isinstance(x, Handle):
        operands.append(x)
        return OPERAND
    if type(x) is dict:
        return {key: _emptied(part, operands) for key, part in x.items()}
    return type(x)([_emptied(part, operands) for part in x]) if type(x) in (list, tuple) else x


def _as_operation(function: Callable[..., Any], name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The results as those of operations of a program."""
    operands: list[Handle] = []
    form = _emptied((args, kwargs), operands)
    given, named = filled(form, iter([x.array for x in operands]))
    seen = explained(name, function, *given, **named)
    how = {"function": function, "name": name, "form": form}
    if isinstance(seen, tuple):
        return tuple([_numpy_call(*operands, part=i, **how) for i in range(len(seen))])
    return _numpy_call(*operands, part=None, **how)


_function: Any
for _function in (
    np.array_equal, np.array_equiv, np.allclose, np.may_share_memory, np.shares_memory, np.array_repr, np.array_str,
    np.array2string, np.save, np.savetxt, np.savez, np.savez_compressed,
):  # fmt: skip
    implements(_function)(of_values(_function))

for _function in (
    np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.common_type, np.min_scalar_type, np.iscomplexobj,
    np.isrealobj, np.einsum_path,
):  # fmt: skip
    implements(_function)(of_forms(_function))

for _function in (
    np.isclose, np.iscomplex, np.isreal, np.isneginf, np.isposinf, np.isin, np.nonzero, np.flatnonzero, np.argwhere,
    np.lexsort, np.searchsorted, np.digitize, np.unravel_index, np.ravel_multi_index,
    np.diag_indices_from, np.tril_indices_from, np.triu_indices_from, np.bitwise_count, np.gcd, np.lcm,
):  # fmt: skip
    implements(_function)(without_derivative(_function))
