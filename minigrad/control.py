"""Loops and branches that can be a part of a program: `scan`, `while_loop` and `cond`.

Without a program they are Python's `for`, `while` and `if`, and differentiate as what is in them does.  In a function
that is traced their bodies are traced once, and stand in the program as one operation.
"""

from collections.abc import Callable
from typing import Any

from minigrad.core import Handle, interpreter, unwrap
from minigrad.creation import asarray
from minigrad.errors import ArgumentError
from minigrad.errors.control import (
    carry_changed,
    no_length,
    other_branch,
    other_lengths,
    predicate_of_many,
)
from minigrad.ops.shaping import stack
from minigrad.options import whole_number
from minigrad.tree import flatten, map_leaves


def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    *,
    reverse: bool = False,
) -> tuple[Any, Any]:
    """Loop over the first axis of arrays, and carry something along.

    The same as

    .. code-block:: python

        carry, ys = init, []
        for x in xs:
            carry, y = f(carry, x)
            ys.append(y)
        return carry, stack(ys)

    In a compiled function it is one loop, which is traced once, however long it is.

    Parameters
    ----------
    f : callable
        From the carry and one element of `xs` to the next carry, of the same form, shapes and dtypes, and a result.
        Gets Tensors and returns trees of Tensors; the result may be None.
    init : tree of Tensor, array or number
        The first carry.
    xs : tree of Tensor or array, optional
        Arrays of which each step gets one row.  Without it, `f` gets None.
    length : int, optional
        The number of steps, where there are no `xs`.
    reverse : bool
        Begin with the last row; results stand where their rows stood.

    Returns
    -------
    carry : tree of Tensor
        The last one.
    ys : tree of Tensor
        The results, stacked along a new first axis.

    Raises
    ------
    ArgumentError
        If there is neither `xs` nor `length`, the rows differ in number, there is no step at all although there are
        results to stack, or a carry has another form than the one before.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> def add(total, x):
    ...     total = total + x
    ...     return total, total
    >>> last, sums = mg.scan(add, 0.0, np.array([1.0, 2.0, 4.0]))
    >>> sums
    tensor([1., 3., 7.])
    """
    carry, rows = map_leaves(asarray, init), map_leaves(asarray, xs)
    count = _length(flatten(rows)[0], length)
    tracer = interpreter()
    if tracer is not None and count:
        carry, ys = tracer.scanned(f, carry, rows, count, reverse)
        return carry, ys
    ys = []
    for i in reversed(range(count)) if reverse else range(count):
        before = carry
        carry, y = pair_of(f(carry, map_leaves(lambda x, i=i: x[i], rows)))
        carry = map_leaves(asarray, carry)
        check_carry("scan", before, carry)
        ys.append(map_leaves(asarray, y))
    if not ys:
        raise ArgumentError("scan: there is no step, so nobody knows the form of the results: give at least one row")
    if reverse:
        ys.reverse()
    return carry, map_leaves(lambda *parts: stack(parts), ys[0], *ys[1:])


def while_loop(cond: Callable[[Any], Any], body: Callable[[Any], Any], init: Any) -> Any:
    """Compute ``carry = body(carry)`` as long as ``cond(carry)`` holds.

    Parameters
    ----------
    cond : callable
        From the carry to a single bool.
    body : callable
        From the carry to the next one, of the same form, shapes and dtypes.
    init : tree of Tensor, array or number
        The first carry.

    Returns
    -------
    tree of Tensor
        The first carry for which the condition does not hold.

    Raises
    ------
    ArgumentError
        If a carry has another form than the one before, or the condition is not a single bool.
    ProgramError
        In a compiled function, if a gradient is wanted through it: how often the body runs is not known, so nothing can
        be kept for the way back.  `scan` has a derivative there.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.while_loop(lambda x: x < 100, lambda x: x * 2, 3.0)
    tensor(192.)
    """
    carry = map_leaves(asarray, init)
    tracer = interpreter()
    if tracer is not None:
        return tracer.looped(cond, body, carry)
    while _holds(cond(carry), "while_loop"):
        before, carry = carry, map_leaves(asarray, body(carry))
        check_carry("while_loop", before, carry)
    return carry


def cond(pred: Any, true_fun: Callable[..., Any], false_fun: Callable[..., Any], *operands: Any) -> Any:
    """``true_fun(*operands)`` if `pred` holds, and otherwise ``false_fun(*operands)``.

    In a compiled function both are traced, and one is computed.

    Parameters
    ----------
    pred : bool, or Tensor or array of a single bool
    true_fun, false_fun : callable
        They return trees of Tensors of the same form, shapes and dtypes.
    *operands
        Trees of Tensors, arrays and numbers.

    Returns
    -------
    tree of Tensor

    Raises
    ------
    ArgumentError
        If `pred` is not a single bool, or, in a compiled function, the results have different forms.

    Examples
    --------
    >>> import minigrad as mg
    >>> x = mg.tensor(-2.0, requires_grad=True)
    >>> mg.cond(x > 0, mg.sqrt, lambda x: x * x, x).backward()
    >>> x.grad
    tensor(-4.)
    """
    tracer = interpreter()
    if tracer is not None and isinstance(pred, Handle):
        single(pred, "cond")
        return tracer.chosen(pred, true_fun, false_fun, tuple(map_leaves(asarray, x) for x in operands))
    return map_leaves(asarray, (true_fun if _holds(pred, "cond") else false_fun)(*operands))


def _length(rows: list[Any], length: int | None) -> int:
    """How many steps there are."""
    if length is not None:
        length = whole_number(length, "scan: length", least=0)
    lengths = {x.shape[0] if x.ndim else None for x in rows if x is not None}
    if len(lengths) > 1 or None in lengths or (length is not None and lengths - {length}):
        raise other_lengths([x.shape for x in rows], length)
    if not lengths and length is None:
        raise no_length()
    return int(lengths.pop()) if lengths else int(length)  # type: ignore[arg-type]  # one of them is there


def pair_of(result: Any) -> tuple[Any, Any]:
    """The next carry and the result of a step."""
    if not isinstance(result, tuple) or len(result) != 2:
        raise ArgumentError("scan: the function must return a pair: the next carry, and a result, which may be None")
    return result


def check_carry(name: str, before: Any, after: Any) -> None:
    """Raise if a carry has another form than the one before."""
    forms = [[(x.shape, x.dtype) for x in flatten(tree)[0]] for tree in (before, after)]
    alike = repr(map_leaves(lambda x: 0, before)) == repr(map_leaves(lambda x: 0, after))
    if forms[0] != forms[1] or not alike:
        raise carry_changed(name, forms[0], forms[1], alike)


def check_branches(first: Any, second: Any) -> None:
    """Raise if two branches return results of different forms."""
    forms = [[(x.shape, x.dtype) for x in flatten(tree)[0]] for tree in (first, second)]
    if forms[0] != forms[1] or repr(map_leaves(lambda x: 0, first)) != repr(map_leaves(lambda x: 0, second)):
        raise other_branch(forms[0], forms[1])


def single(pred: Any, name: str) -> Any:
    """The value of a condition, which must be a single bool."""
    value = unwrap(pred)
    if getattr(value, "shape", ()) != () or getattr(value, "dtype", type(value)) not in (bool,):
        raise predicate_of_many(name, value)
    return value


def _holds(pred: Any, name: str) -> bool:
    return bool(single(pred, name))
