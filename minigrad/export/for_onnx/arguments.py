"""The arguments of a function that becomes a graph: their names, and which of their axes have any size."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad.core import Handle, name_of, unwrap
from minigrad.errors.exporting import no_named_size, no_such_axis, sizes_differ, too_many_names, wrong_shapes
from minigrad.export.for_onnx.naming import argument_names, chosen_names
from minigrad.tree import flatten

_MOST_NAMES = 4  # for n of them a function is traced 2 ** n times


class Arguments(NamedTuple):
    """Examples of the arguments.

    Attributes
    ----------
    args : tuple of tree
    leaves : list
        Arrays and Tensors become inputs; numbers of Python and strings are fixed.
    names : list of str
        Of the leaves.
    axes : list of dict
        For each leaf the axes whose sizes have names.
    sizes : dict of str to int
        What these are in the examples.
    """

    args: tuple[Any, ...]
    leaves: list[Any]
    names: list[str]
    axes: list[Mapping[int, str]]
    sizes: dict[str, int]

    @property
    def inputs(self) -> list[tuple[int, str]]:
        """The numbers and the names of those leaves that become inputs."""
        return [(i, name) for i, (name, x) in enumerate(zip(self.names, self.leaves, strict=True)) if is_tensor(x)]

    def resized(self, sizes: Mapping[str, int]) -> list[Any]:
        """The leaves with other sizes, and their elements repeated as often as they must be."""
        return [_resized(unwrap(x), axes, sizes) for x, axes in zip(self.leaves, self.axes, strict=True)]

    def as_tensors(self, leaves: Sequence[Any]) -> tuple[Any, ...]:
        """The trees of other leaves, of which arrays are Tensors."""
        made = [name_of(x, None) if is_tensor(x) else x for x in leaves]
        rebuilt: tuple[Any, ...] = flatten(self.args)[1](made)
        return rebuilt


def is_tensor(x: Any) -> bool:
    """Whether an argument becomes an input."""
    return isinstance(x, Handle | np.ndarray | np.generic)


def _native(x: Any) -> Any:
    """An array in the byte order of the machine."""
    array = unwrap(x)
    swapped = isinstance(array, np.ndarray) and not array.dtype.isnative
    return array.astype(array.dtype.newbyteorder("=")) if swapped else x


def _resized(array: Any, axes: Mapping[int, str], sizes: Mapping[str, int]) -> Any:
    for axis, name in axes.items():
        if array.shape[axis] != sizes[name]:
            array = np.take(array, np.arange(sizes[name]) % array.shape[axis], axis)
    return array


def arguments_of(f: Callable[..., Any], args: Any, input_names: Sequence[str] | None, dynamic_shapes: Any) -> Arguments:
    """The arguments under the names that are given, or those of the function's parameters; all of it checked."""
    args = args if isinstance(args, tuple) else (args,)
    leaves = [_native(x) for x in flatten(args)[0]]
    own = argument_names(f, args)
    tensors = [is_tensor(x) for x in leaves]
    chosen = chosen_names("input_names", input_names, [n for n, tensor in zip(own, tensors, strict=True) if tensor])
    rest = iter(chosen)
    names = [next(rest) if tensor else name for name, tensor in zip(own, tensors, strict=True)]
    axes, sizes = _axes(leaves, names, _entries(dynamic_shapes, args, names, tensors))
    return Arguments(args, leaves, names, axes, sizes)


def _entries(
    dynamic_shapes: Any, args: tuple[Any, ...], names: Sequence[str], tensors: Sequence[bool]
) -> list[Mapping[Any, Any]]:
    """What `dynamic_shapes` says of each leaf."""
    if dynamic_shapes is None:
        return [{} for _ in names]
    if isinstance(dynamic_shapes, Mapping):
        inputs = [name for name, tensor in zip(names, tensors, strict=True) if tensor]
        if unknown := [name for name in dynamic_shapes if name not in inputs]:
            raise wrong_shapes(dynamic_shapes, f"has {unknown[0]!r}, and the inputs are {', '.join(inputs)}")
        found = [dynamic_shapes.get(name) or {} for name in names]
    elif isinstance(dynamic_shapes, tuple | list):
        if len(dynamic_shapes) != len(args):
            raise wrong_shapes(
                dynamic_shapes, f"has {len(dynamic_shapes)} entries, and there are {len(args)} arguments"
            )
        found = [entry or {} for x, entry in zip(args, dynamic_shapes, strict=True) for _ in flatten(x)[0]]
    else:
        raise wrong_shapes(dynamic_shapes, "is neither")
    for entry, tensor in zip(found, tensors, strict=True):
        if not isinstance(entry, Mapping):
            raise wrong_shapes(dynamic_shapes, f"has {entry!r}, which is no dict of axes")
        if entry and not tensor:
            raise wrong_shapes(dynamic_shapes, "names axes of an argument that is no array")
    return found


def _axes(
    leaves: Sequence[Any], names: Sequence[str], wanted: Sequence[Mapping[Any, Any]]
) -> tuple[list[Mapping[int, str]], dict[str, int]]:
    """The axes counted from the front, and the sizes of the examples."""
    sizes: dict[str, int] = {}
    of_leaf: list[Mapping[int, str]] = []
    for x, name, axes in zip(leaves, names, wanted, strict=True):
        found: dict[int, str] = {}
        shape = np.shape(unwrap(x))
        for axis, size in axes.items():
            if not isinstance(size, str) or not size.isidentifier():
                raise no_named_size(name, axis, size)
            if isinstance(axis, bool) or not isinstance(axis, int) or not -len(shape) <= axis < len(shape):
                raise no_such_axis(name, axis, shape)
            length = shape[axis]
            if axis % len(shape) in found or not length:
                raise no_such_axis(name, axis, shape)
            if sizes.setdefault(size, length) != length:
                raise sizes_differ(size, sizes[size], length, name)
            found[axis % len(shape)] = size
        of_leaf.append(found)
    if len(sizes) > _MOST_NAMES:
        raise too_many_names(list(sizes), _MOST_NAMES)
    return of_leaf, sizes
