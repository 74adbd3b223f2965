"""Strategies for Hypothesis: Tensors, shapes that broadcast together, axes and indices.

They begin where `hypothesis.extra.numpy` ends: axes of length 0 and 1 come up often, numbers are of moderate size, and
points without ties can be had, at which a gradient check makes sense.  What fails shrinks to few and short axes, none
of length 0 unless that is what fails, and to small whole numbers.

Hypothesis is needed when a strategy is made, and not before.  From then on it also sees to it that the numbers of
`minigrad.random` are the same in each example, as it does for those of `numpy.random`.
"""

import math
from collections.abc import Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import random
from minigrad.core import Array
from minigrad.errors import ArgumentError
from minigrad.errors.files import missing_package
from minigrad.options import whole_number
from minigrad.tensor import Tensor

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

_LIMIT = 10  # numbers are between this and its opposite, unless the caller wants other ones

Shape = tuple[int, ...]


@cache
def _hypothesis() -> tuple[Any, Any]:
    """Hypothesis' strategies, and those for NumPy."""
    try:
        import hypothesis
        from hypothesis import strategies
        from hypothesis.extra import numpy
    except ImportError as error:
        raise missing_package("minigrad.testing.strategies", "hypothesis", "test") from error
    holder = [_generator]  # Hypothesis looks for one, and does not see the module's after `gc.freeze`
    hypothesis.register_random(holder[0])
    return strategies, numpy


class _Generator:
    """The generator of `minigrad.random` in the form of the standard library's, which Hypothesis knows how to seed."""

    seed = staticmethod(random.manual_seed)
    getstate = staticmethod(random.get_state)
    setstate = staticmethod(random.set_state)


_generator: Any = _Generator()


# Shapes


def shapes(*, min_dims: int = 0, max_dims: int = 3, min_side: int = 0, max_side: int = 4) -> "SearchStrategy[Shape]":
    """Shapes of arrays.

    Parameters
    ----------
    min_dims, max_dims : int
        How many axes.
    min_side, max_side : int
        How long an axis is.  A length of 0 shrinks last.

    Raises
    ------
    ArgumentError
        If a limit is negative, or lies on the wrong side of another.
    MissingPackageError
        If Hypothesis is not installed.  All strategies raise this.

    Examples
    --------
    >>> from hypothesis import find
    >>> from minigrad.testing import strategies
    >>> find(strategies.shapes(), lambda shape: len(shape) == 2)
    (1, 1)
    >>> find(strategies.shapes(), lambda shape: 0 in shape)
    (0,)
    """
    st, _ = _hypothesis()
    sides = _sides(min_dims, max_dims, min_side, max_side)
    found: SearchStrategy[Shape] = st.lists(sides, min_size=min_dims, max_size=max_dims).map(tuple)
    return found


def _sides(min_dims: int, max_dims: int, min_side: int, max_side: int) -> Any:
    """Lengths of axes, 0 as the last resort; and the limits are checked."""
    st, _ = _hypothesis()
    for name, least, most in (("dims", min_dims, max_dims), ("side", min_side, max_side)):
        if not 0 <= least <= most:
            raise ArgumentError(f"shapes: 0 <= min_{name} <= max_{name} must hold, and they are {least} and {most}")
    return st.sampled_from([side for side in range(min_side, max_side + 1) if side] + [0] * (min_side == 0))


def broadcastable_shapes(
    count: int = 2, *, min_dims: int = 0, max_dims: int = 3, min_side: int = 0, max_side: int = 4
) -> "SearchStrategy[tuple[Shape, ...]]":
    """Shapes of several arrays that can be combined elementwise.

    Parameters
    ----------
    count : int
        How many.
    min_dims, max_dims, min_side, max_side : int
        The limits of each shape, but for axes of length 1, which may always be there.

    Raises
    ------
    ArgumentError
        If there is to be no shape at all, or the limits make no sense.

    Examples
    --------
    >>> from hypothesis import find
    >>> from minigrad.testing import strategies
    >>> find(strategies.broadcastable_shapes(), lambda shapes: shapes[0] != shapes[1])
    ((1,), ())
    """
    st, _ = _hypothesis()
    whole_number(count, "broadcastable_shapes: count")
    sides = _sides(min_dims, max_dims, min_side, max_side)
    # Axis by axis, so that one can be taken away from all shapes at once: what fails gets smaller in this way.
    axis = st.tuples(sides, st.tuples(*[st.booleans()] * count))
    missing = st.tuples(*[st.integers(0, max_dims - min_dims)] * count)

    def group(axes: Sequence[tuple[int, Sequence[bool]]], missing: Sequence[int]) -> tuple[Shape, ...]:
        """The shapes: some of their axes are of length 1, and some of the first ones are not there."""
        wholes = [tuple(1 if single[i] else side for side, single in axes) for i in range(count)]
        return tuple(whole[min(few, len(axes) - min_dims) :] for whole, few in zip(wholes, missing, strict=True))

    found: SearchStrategy[tuple[Shape, ...]] = st.builds(
        group, st.lists(axis, min_size=min_dims, max_size=max_dims), missing
    )
    return found


# Tensors


def tensors(
    shape: "int | Shape | SearchStrategy[Shape] | None" = None,
    dtype: Any = np.float64,
    *,
    elements: Any = None,
    apart: float = 0.0,
    requires_grad: "bool | SearchStrategy[bool]" = False,
) -> "SearchStrategy[Tensor]":
    """Tensors.

    Parameters
    ----------
    shape : int, tuple of int, or strategy, optional
        By default `shapes()`.
    dtype : dtype or strategy
    elements : strategy or dict, optional
        Of the numbers, or options for `hypothesis.extra.numpy.from_dtype`.  By default they are finite, between -10
        and 10, and if they are integers without a sign between 0 and 10.
    apart : float
        If it is positive, all numbers are multiples of it, different from each other and from 0.  Such a point is none
        of the usual kinks: ``relu``, ``abs``, ``maximum`` and ``sort`` have a derivative there.  For real
        floating-point dtypes, and in the place of `elements`.
    requires_grad : bool or strategy

    Raises
    ------
    ArgumentError
        If `apart` is negative, or given beside `elements` or for another dtype.

    Examples
    --------
    >>> from hypothesis import find
    >>> from minigrad.testing import strategies
    >>> find(strategies.tensors(3), lambda x: x.sum() > 5)
    tensor([2., 2., 2.])
    >>> x = find(strategies.tensors(3, apart=0.5), lambda x: True)
    >>> len({0.0, *x.tolist()})
    4
    """
    st, _ = _hypothesis()
    if shape is None:
        shape = shapes()
    chosen = shape if isinstance(shape, st.SearchStrategy) else st.just((shape,) if isinstance(shape, int) else shape)
    made: SearchStrategy[Tensor] = _tensors(chosen.map(lambda one: (one,)), dtype, elements, apart, requires_grad).map(
        lambda group: group[0]
    )
    return made


def broadcastable_tensors(
    count: int = 2,
    dtype: Any = np.float64,
    *,
    elements: Any = None,
    apart: float = 0.0,
    requires_grad: "bool | SearchStrategy[bool]" = False,
    min_dims: int = 0,
    max_dims: int = 3,
    min_side: int = 0,
    max_side: int = 4,
) -> "SearchStrategy[tuple[Tensor, ...]]":
    """Several Tensors that can be combined elementwise.

    Parameters
    ----------
    count : int
        How many.
    dtype, elements, apart, requires_grad
        As for `tensors`, and the same for all.  With `apart`, no number comes up twice in the whole group.
    min_dims, max_dims, min_side, max_side : int
        As for `broadcastable_shapes`.

    Raises
    ------
    ArgumentError
        As in `tensors` and `broadcastable_shapes`.

    Examples
    --------
    >>> from hypothesis import find
    >>> from minigrad.testing import strategies
    >>> find(strategies.broadcastable_tensors(), lambda group: (group[0] + group[1]).ndim == 2)
    (tensor([[0.]]), tensor([[0.]]))
    """
    groups = broadcastable_shapes(count, min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=max_side)
    found: SearchStrategy[tuple[Tensor, ...]] = _tensors(groups, dtype, elements, apart, requires_grad)
    return found


def _tensors(groups: Any, dtype: Any, elements: Any, apart: float, requires_grad: Any) -> Any:
    """Tensors of a group of shapes: their numbers are drawn together, so that they can differ."""
    st, _ = _hypothesis()
    if not (0 <= apart < math.inf) or (apart and elements is not None):
        reason = "takes the place of elements" if elements is not None else f"is a number from 0 on, not {apart!r}"
        raise ArgumentError(f"tensors: apart {reason}")
    if not isinstance(dtype, st.SearchStrategy):
        dtype = st.just(np.dtype(dtype))
    if not isinstance(requires_grad, st.SearchStrategy):
        requires_grad = st.just(requires_grad)

    def group(drawn: tuple[Sequence[Shape], Any]) -> Any:
        chosen, kind = drawn[0], np.dtype(drawn[1])
        size = sum(map(_drawn, chosen))
        numbers = _distinct(size, kind, apart) if apart else _numbers(size, kind, elements)
        return st.builds(partial(_cut_up, chosen), numbers, st.tuples(*[requires_grad] * len(chosen)))

    return st.tuples(groups, dtype).flatmap(group)


def _cut_up(group: Sequence[Shape], numbers: Array, requires_grad: Sequence[bool]) -> tuple[Tensor, ...]:
    """Tensors of these shapes, of numbers in a row."""
    parts = np.split(numbers, np.cumsum([_drawn(shape) for shape in group])[:-1])
    rows = zip(parts, group, requires_grad, strict=True)
    return tuple(Tensor(part[: math.prod(shape)].reshape(shape), requires_grad=flag) for part, shape, flag in rows)


def _drawn(shape: Shape) -> int:
    """How many numbers are drawn for a shape: one for an empty array too, or it would shrink best."""
    return max(1, math.prod(shape))


def _numbers(size: int, dtype: np.dtype[Any], elements: Any) -> Any:
    _, hnp = _hypothesis()
    if elements is None:
        bounds = {"min_value": 0 if dtype.kind == "u" else -_LIMIT, "max_value": _LIMIT}
        elements = {
            "f": {**bounds, "allow_subnormal": False},
            "c": {"max_magnitude": _LIMIT, "allow_subnormal": False, "allow_nan": False},
        }.get(dtype.kind, {} if dtype.kind == "b" else bounds)
    return hnp.arrays(dtype, size, elements=elements)


def _distinct(size: int, dtype: np.dtype[Any], apart: float) -> Any:
    st, _ = _hypothesis()
    if dtype.kind != "f":
        raise ArgumentError(f"tensors: apart is for real floating-point dtypes, not for {dtype}")
    most = max(size, int(_LIMIT / apart))
    multiples = [sign * k * apart for k in range(1, most + 1) for sign in (1, -1)]
    rows = st.lists(st.sampled_from(multiples), min_size=size, max_size=size, unique=True)
    return rows.map(partial(np.array, dtype=dtype))


# Axes and indices


def axes(shape: "int | Shape", *, several: bool = True, none: bool = True) -> "SearchStrategy[int | Shape | None]":
    """What can be given as ``axis=``: a number, negative ones too, a tuple of numbers, or None.

    Parameters
    ----------
    shape : int or tuple of int
        Of the array; a number is a number of axes.
    several : bool
        Whether there are tuples, empty ones too.
    none : bool
        Whether there is None.

    Raises
    ------
    ArgumentError
        If nothing is left to give, as of an array without axes.

    Examples
    --------
    >>> from hypothesis import find
    >>> from minigrad.testing import strategies
    >>> find(strategies.axes((2, 3), several=False, none=False), lambda axis: axis > 0)
    1
    """
    st, hnp = _hypothesis()
    ndim = shape if isinstance(shape, int) else len(shape)
    choices = [st.integers(-ndim, ndim - 1)] if ndim else []
    choices += [st.none()] * none + [hnp.valid_tuple_axes(ndim)] * several
    if not choices:
        raise ArgumentError("axes: an array without axes has none to give: allow None or tuples, or demand min_dims=1")
    found: SearchStrategy[int | Shape | None] = st.one_of(*choices)
    return found


def indices(shape: "int | Shape", *, arrays: bool = True) -> "SearchStrategy[Any]":
    """What can stand in the brackets of ``x[...]``.

    Numbers, slices (also empty and backward ones), ``...``, None (a new axis), and tuples of these.

    Parameters
    ----------
    shape : int or tuple of int
        Of the array that is indexed.
    arrays : bool
        Whether there are also arrays of integers, in which an element may come up more than once, and masks.

    Examples
    --------
    >>> import numpy as np
    >>> from hypothesis import find
    >>> from minigrad.testing import strategies
    >>> find(strategies.indices((2, 3)), lambda index: np.zeros((2, 3))[index].shape == ())
    (0, 0)
    """
    st, hnp = _hypothesis()
    shape = (shape,) if isinstance(shape, int) else shape
    choices = [hnp.basic_indices(shape, allow_newaxis=True)]
    if arrays and shape:
        choices.append(hnp.arrays(np.bool_, shape))
        if all(shape):
            choices.append(hnp.integer_array_indices(shape))
    found: SearchStrategy[Any] = st.one_of(*choices)
    return found
