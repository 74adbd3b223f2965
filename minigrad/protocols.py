"""NumPy's protocols: what happens when a function or ufunc, NumPy's or another library's, is called with a Tensor."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minigrad.core import Array, Handle, give_out, interpreter, numpy_functions
from minigrad.errors.numpy_functions import unsupported, unsupported_arguments
from minigrad.errors.programs import array_written
from minigrad.errors.tensors import cuts_graph, read_by_scipy
from minigrad.ops import (  # noqa: F401  # for the names that they register
    applying,
    assembling,
    binning,
    choosing,
    describing,
    making,
    numpy_names,
    numpy_sets,
    padding,
    scimath,
    sparse,
    ufunc_methods,
)
from minigrad.ops.arguments import has_no_effect
from minigrad.ops.names import by_name, full_name, in_full, stand_in_for
from minigrad.ops.sparse import is_asked_by_sparse_product


class NumPyProtocols(Handle):
    """The part of a Tensor that NumPy asks."""

    __slots__ = ()

    def give_out(self, how: str) -> None:
        """Refuse to show the value, if a program is traced, which could not tell where it has gone."""
        give_out(self, how)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        if is_asked_by_sparse_product():
            return np.array(None)  # no numbers: the operator of the Tensor is to compute it
        if self.node is not None:
            raise read_by_scipy(self.node) or cuts_graph("conversion to an ndarray", "detach().numpy()", self.node)
        self.give_out("conversion to an ndarray")
        return np.array(self.array, dtype=dtype, copy=copy)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        stand_in = _stand_in(ufunc)
        if "out" in kwargs and interpreter() is not None:
            (target,) = kwargs.pop("out")
            return _into(target, self.__array_ufunc__(ufunc, method, *inputs, **kwargs))
        if method == "__call__" and not kwargs:
            return stand_in(*inputs)
        return ufunc_methods.call(ufunc, stand_in, method, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        stand_in = _stand_in(function)
        kwargs = {k: v for k, v in kwargs.items() if v is not np._NoValue}
        if kwargs.get("out") is not None and interpreter() is not None:
            return _into(kwargs.pop("out"), self.__array_function__(function, types, args, kwargs))
        try:
            return stand_in(*args, **kwargs)
        except TypeError:
            if (call := _in_full(function, stand_in, args, kwargs)) is None:
                raise
        return call()


def _into(target: Any, result: Any) -> Any:
    """What ``out=target`` means in a program: the name goes over to the result."""
    if not isinstance(target, Handle):
        raise array_written(target)
    return target._become(result)  # type: ignore[attr-defined]  # a Tensor has it


def _stand_in(function: Any) -> Callable[..., Any]:
    """What shall be called instead of a function that got a Tensor."""
    if (found := stand_in_for(function)) is None:
        supported = [*map(full_name, numpy_functions), *by_name]
        raise unsupported(full_name(function), supported)
    return found


# Calls that do not fit the stand-in: with NumPy's names for what is an operand here, with arguments that have their
# default, or with those that only the stand-in for all arguments has.


@functools.cache
def _signature(function: Callable[..., Any]) -> Any:
    import inspect  # which takes longer than to import the rest of this package

    return inspect.signature(function)


def _fits(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    try:
        _signature(function).bind(*args, **kwargs)
    except TypeError:
        return False
    return True


def _in_full(
    function: Callable[..., Any], stand_in: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Callable[[], Any] | None:
    """The call in other words; None if the arguments fit as they are, and the mistake lies elsewhere."""
    if _fits(stand_in, args, kwargs):
        return None
    chosen = in_full.get(function, stand_in)
    args, kwargs = _translated(function, chosen, args, kwargs)
    if not _fits(chosen, args, kwargs):
        known = _signature(chosen).parameters
        raise unsupported_arguments(full_name(function), [name for name in kwargs if name not in known])
    return functools.partial(chosen, *args, **kwargs)


def _translated(
    function: Callable[..., Any], chosen: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """NumPy's arguments as those of a function of ours: its operands by position, the rest by name.

    Those that it does not have are left out if they have NumPy's default, or would change nothing.
    """
    try:
        theirs = _signature(function)
    except ValueError:  # an older NumPy does not tell those of its functions in C
        theirs = _signature(chosen)
    ours = _signature(chosen).parameters
    operands = sum(parameter.kind is parameter.POSITIONAL_ONLY for parameter in ours.values())
    try:
        given = theirs.bind(*args, **kwargs).arguments
    except TypeError:  # so it is told by older versions of NumPy, of functions in C
        return args, {key: x for key, x in kwargs.items() if not has_no_effect(key, x)}
    positional: list[Any] = []
    named: dict[str, Any] = {}
    for place, (name, parameter) in enumerate(theirs.parameters.items()):
        value = given.get(name, np._NoValue)
        if value is np._NoValue:
            continue
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional.extend(value)
        elif parameter.kind is parameter.VAR_KEYWORD:
            named.update({key: x for key, x in value.items() if key in ours or not has_no_effect(key, x)})
        elif place < operands:
            positional.append(value)
        elif name in ours or not (_is_default(value, parameter.default) or has_no_effect(name, value)):
            named[name] = value
    return tuple(positional), named


def _is_default(value: Any, default: Any) -> bool:
    plain = isinstance(value, int | float | str) and type(value) is type(default)
    return value is default or (plain and value == default)
