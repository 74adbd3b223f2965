"""Functions of functions: derivatives of all kinds, under JAX's names.

Each takes a function of arrays (or of nested dicts, lists, tuples and dataclasses of arrays) and works on ndarrays and
on Tensors: ndarrays in, ndarrays out, unless the result depends on Tensors that require grad outside.
They can be nested to any depth.  Inside, an argument is a new variable of its own, so that derivatives of
different levels are never confused.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.autograd import walk
from minigrad.core import (
    Handle,
    Node,
    collect,
    enable_grad,
    is_grad_enabled,
    leaf,
    name_of,
    notes_of,
    traced,
    unwrap,
)
from minigrad.creation import asarray, get_default_dtype
from minigrad.errors.functions import (
    argnums_not_integers,
    complex_direction,
    explain_list,
    no_such_argument,
    not_a_function,
    not_a_real_number,
    not_a_sequence,
    not_differentiable,
    not_one_number,
    same_argument,
    wrong_direction,
)
from minigrad.operands import numeric
from minigrad.ops.elementwise import positive
from minigrad.tree import Rebuild, flatten, leaves_as_in, map_leaves

Function = Callable[..., Any]

# Variables and results


def variable(x: Any, recorded: bool) -> Any:
    """A Tensor of the value of `x` to differentiate by; a new element of the outer graph if `x` belongs to one."""
    if isinstance(x, Handle) and x.node is not None and recorded:
        return positive(x)
    value = unwrap(x)
    if value is not x and type(value) is float:  # a number of Python in a program, which knows it
        value = unwrap(asarray(x))
    if type(value) is float:
        value = get_default_dtype().type(value)
    elif value.__class__ is not np.ndarray and not isinstance(value, np.generic):
        if isinstance(value, str):
            raise not_differentiable(value)
        value = numeric(value, "an argument to differentiate by")
    if value.dtype.kind not in "fc":
        raise not_differentiable(value)
    node = leaf(value)
    notes_of(node).argument = True
    return name_of(value, node)


class _Run:
    """One call of a function on variables: what it returned, and how to go back from there."""

    def __init__(self, function: Function, args: Sequence[Any], argnums: Sequence[int], kwargs: dict[str, Any]) -> None:
        self.recorded = is_grad_enabled()
        if any(not -len(args) <= i < len(args) for i in argnums):
            raise no_such_argument(function, argnums, len(args))
        if len({i % len(args) for i in argnums}) < len(argnums):
            raise same_argument(function, argnums)
        given, self.rebuild = flatten(tuple(args[i] for i in argnums))
        self.named = any(isinstance(x, Handle) for x in given)
        with enable_grad():
            self.variables = [variable(x, self.recorded) for x in given]
            arguments = list(args)
            for i, argument in zip(argnums, self.rebuild(self.variables), strict=True):
                arguments[i] = argument
            try:
                self.result = function(*arguments, **kwargs)
            except (TypeError, AttributeError) as error:
                explain_list(error, arguments)
                raise

    def outside(self, outputs: Sequence[Any]) -> bool:
        """Whether outputs depend on Tensors that require grad, other than the variables alone."""
        wanted = {x.node for x in self.variables}
        if not self.recorded:
            return False
        if any(node.op is not None for node in wanted):
            return True
        oldest = min((node.seq for node in wanted), default=0)
        return any(
            node not in wanted and (node.op is not None or notes_of(node).keep)
            for node in collect([y.node for y in outputs if y.node is not None], oldest)
            if node.op is None or node.seq <= oldest
        )

    def present(self, tree: Any, create: bool) -> Any:
        """Results in the form that suits the arguments: ndarrays for ndarrays, Tensors otherwise."""
        return map_leaves(lambda x: _presented(x, create, self.named), tree)


def _pull(
    variables: Sequence[Any], outputs: Sequence[Any], cotangents: Sequence[Any], create: bool, retain: bool = False
) -> list[Any]:
    """The gradient for each variable; zeros for those that were not used."""
    used = [(y, g) for y, g in zip(outputs, cotangents, strict=True) if y.node is not None]
    found: dict[Node, Any] = {}
    if used and variables:
        roots, seeds = zip(*used, strict=True)
        found = walk(roots, seeds, [x.node for x in variables], retain or create, create)
    return [found[x.node] if x.node in found else np.zeros_like(x.array) for x in variables]


def _close(variables: Sequence[Any]) -> None:
    """Say that variables are no longer open: what comes later and still depends on them does not vary."""
    for x in variables:
        if x.node.op is None:
            x.node.notes.keep = False


def _presented(x: Any, create: bool, named: bool) -> Any:
    if create and isinstance(x, Handle):
        return x
    if traced(x):
        return x.detach()
    value = unwrap(x)
    if not isinstance(value, (np.ndarray, np.generic)):
        return value
    value = np.array(value)[()]  # gradients may share memory
    return name_of(value, None) if named or create else value


def _outputs(result: Any) -> tuple[list[Any], Rebuild]:
    """The Tensors that a function returned; its plain numbers and arrays become constants."""
    leaves, rebuild = flatten(result)
    return [_output(y) for y in leaves], rebuild


def _output(y: Any) -> Any:
    return y if isinstance(y, Handle) else name_of(numeric(y, "a result to differentiate"), None)


def _scalar_output(function: Function, result: Any) -> Any:
    outputs, _ = _outputs(result)
    if len(outputs) != 1 or outputs[0].array.size != 1:
        raise not_one_number(function, [y.array for y in outputs])
    if outputs[0].array.dtype.kind != "f":
        raise not_a_real_number(function, outputs[0].array)
    return outputs[0]


# First derivatives


def _numbers(argnums: Any, transform: str) -> tuple[int, ...]:
    """Numbers of arguments as a tuple."""
    numbers = argnums if isinstance(argnums, Sequence) else (argnums,)
    if not all(isinstance(i, (int, np.integer)) and not isinstance(i, bool) for i in numbers):
        raise argnums_not_integers(argnums, transform)
    return tuple(map(int, numbers))


def value_and_grad(f: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
    """Make a function that returns the value of `f` and its gradient.

    Parameters
    ----------
    f : callable
        Returns a single real number; with `has_aux`, a pair of that number and anything else.
    argnums : int or sequence of int
        Which arguments to differentiate by.
    has_aux : bool
        Whether `f` returns other results, which are handed on.

    Returns
    -------
    callable
        With the arguments of `f`, returns ``(value, gradient)`` or ``((value, aux), gradient)``.  The gradient has
        the form of the argument; for a sequence `argnums` it is a tuple.

    Raises
    ------
    GraphError
        If `f` returns more than one number.
    DTypeError
        If an argument to differentiate by is an integer, or if what `f` returns is one, a bool, or complex.
    ArgumentError
        If `argnums` names an argument twice, or one that there is not.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> value, gradient = mg.value_and_grad(lambda p: (p["w"] ** 2).sum() + p["b"])({"w": np.ones(2), "b": 1.0})
    >>> float(value), gradient["w"]
    (3.0, array([2., 2.]))
    """
    if not callable(f):
        raise not_a_function(f, "grad")
    numbers = _numbers(argnums, "grad")

    @functools.wraps(f)
    def compute(*args: Any, **kwargs: Any) -> Any:
        run = _Run(f, args, numbers, kwargs)
        result, aux = run.result if has_aux else (run.result, None)
        value = _scalar_output(f, result)
        create = run.outside([value])
        found = run.present(run.rebuild(_pull(run.variables, [value], [None], create)), create)
        gradient = found if isinstance(argnums, Sequence) else found[0]
        value = run.present(value, create)
        _close(run.variables)
        return ((value, run.present(aux, create)) if has_aux else value), gradient

    return compute


def grad(f: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
    """Make a function that returns the gradient of `f`; with `has_aux`, ``(gradient, aux)``.

    The parameters are those of `value_and_grad`.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.grad(lambda x: np.sum(np.sin(x)))(np.zeros(3))
    array([1., 1., 1.])
    >>> float(mg.grad(lambda x: x * mg.grad(lambda y: x * y)(2.0))(3.0))  # x * x
    6.0
    """
    both = value_and_grad(f, argnums, has_aux)

    @functools.wraps(f)
    def compute(*args: Any, **kwargs: Any) -> Any:
        value, gradient = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return compute


def vjp(f: Function, *primals: Any) -> tuple[Any, Function]:
    """The value of `f`, and the function that multiplies a vector by its Jacobian from the left.

    Parameters
    ----------
    f : callable
        Returns an array, or a tree of arrays.
    *primals : array or tree of arrays
        The arguments of `f`.

    Returns
    -------
    value : array or tree
    pullback : callable
        Takes a cotangent of the form of the value and returns a tuple with a gradient for each primal.  It may be
        called more than once.  With a cotangent `v` of a complex value `y`, they are the gradients of the real number
        ``sum(real(conj(v) * y))``.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> value, pullback = mg.vjp(lambda x: x**2, np.array([1.0, 2.0]))
    >>> pullback(np.array([1.0, 10.0]))
    (array([ 2., 40.]),)
    """
    run = _Run(f, primals, range(len(primals)), {})
    outputs, _ = _outputs(run.result)
    outer = run.outside(outputs)
    _close(run.variables)

    def pullback(cotangent: Any) -> Any:
        seeds = _directions(cotangent, run.result, outputs, "cotangent")
        create = is_grad_enabled() and (outer or any(isinstance(g, Handle) and g.node is not None for g in seeds))
        return run.present(run.rebuild(_pull(run.variables, outputs, seeds, create, retain=True)), create)

    return run.present(run.result, outer), pullback


def jvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """The value of `f`, and the product of its Jacobian with tangents: the derivative along a direction.

    The pullback is linear in its cotangent, and the derivative of that linear function, pulled back once more, is the
    product with the Jacobian from the right (J. Townsend, "A new trick for calculating Jacobian vector products",
    2017).

    Parameters
    ----------
    f : callable
        Returns an array, or a tree of arrays.
    primals, tangents : sequence of (array or tree of arrays)
        The arguments of `f`, and a direction for each.

    Returns
    -------
    value, tangent : array or tree
        The tangent has the form of the value, and its dtypes; it is 0 where the value does not depend on the primals.

    Raises
    ------
    ShapeError
        If a tangent does not have the form of its primal.
    DTypeError
        If the tangent of a real primal is complex.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> value, tangent = mg.jvp(np.sin, (0.0,), (2.0,))
    >>> float(value), float(tangent)
    (0.0, 2.0)
    """
    for what, given in (("primals", primals), ("tangents", tangents)):
        if not isinstance(given, Sequence):
            raise not_a_sequence("jvp", what, given)
    value, push = linearize(f, *primals)
    return value, push(*tangents)


def linearize(f: Function, *primals: Any) -> tuple[Any, Function]:
    """The value of `f`, and the linear function that its Jacobian is: `jvp` for many tangents at one point.

    What does not depend on the tangents is computed once.

    Parameters
    ----------
    f : callable
        Returns an array, or a tree of arrays.
    *primals : array or tree of arrays
        The arguments of `f`.

    Returns
    -------
    value : array or tree
    push : callable
        Takes a tangent for each primal, of its form, and returns that of the value.  It may be called often.

    Raises
    ------
    ShapeError, DTypeError
        By `push`, as by `jvp`.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> slope, product = mg.linearize(mg.grad(lambda x: np.sum(x**3)), np.array([1.0, 2.0]))
    >>> slope, product(np.array([1.0, 0.0])), product(np.array([0.0, 1.0]))  # rows of the Hessian
    (array([ 3., 12.]), array([6., 0.]), array([ 0., 12.]))
    """
    run = _Run(f, primals, range(len(primals)), {})
    outputs, rebuild = _outputs(run.result)
    outer = run.outside(outputs)
    transposed = _transposed(run, outputs)
    _close(run.variables)

    def push(*tangents: Any) -> Any:
        directions = _directions(tuple(tangents), tuple(primals), run.variables, "tangent")
        along = is_grad_enabled() and any(isinstance(t, Handle) and t.node is not None for t in directions)
        return run.present(rebuild(transposed(directions, outer or along)), outer or along)

    return run.present(run.result, outer), push


def _transposed(run: _Run, outputs: Sequence[Any]) -> Callable[[Sequence[Any], bool], list[Any]]:
    """From a direction for each variable, or None, the tangents of the outputs: see `jvp`."""
    varying = [y for y in outputs if y.node is not None]
    with enable_grad():
        weights = [variable(np.zeros_like(y.array), False) for y in varying]
        gradients = _pull(run.variables, varying, weights, create=True)
        pulled = [g if isinstance(g, Handle) else name_of(g, None) for g in gradients]
    _close(weights)

    def push(directions: Sequence[Any], create: bool) -> list[Any]:
        pairs = [(g, t) for g, t in zip(pulled, directions, strict=True) if t is not None]
        pushed = iter(_pull(weights, [g for g, _ in pairs], [t for _, t in pairs], create, retain=True))
        return [np.zeros_like(y.array) if y.node is None else next(pushed) for y in outputs]

    return push


def _directions(tree: Any, like: Any, values: Sequence[Any], kind: str) -> list[Any]:
    """The leaves of a tree of tangents or cotangents, in the order of what they belong to and must have the form of."""
    given = leaves_as_in(like, tree, kind)
    leaves = [g if isinstance(g, Handle) else numeric(g, f"a {kind}") for g in given]
    for g, x in zip(leaves, values, strict=True):
        data = unwrap(g)
        if data.shape != x.array.shape:
            raise wrong_direction(kind, data.shape, x.array.shape)
        if x.array.dtype.kind == "f" and data.dtype.kind == "c":
            raise complex_direction(kind, x.array.dtype)
    return leaves


# Second derivatives along a direction


def hvp(f: Function, x: Any, v: Any) -> Any:
    """The product of the Hessian of `f` at `x` with `v`, for the cost of a few gradients.

    The gradient of (gradient · v), after B. A. Pearlmutter, "Fast exact multiplication by the Hessian", Neural
    Computation 6 (1994).

    Parameters
    ----------
    f : callable
        Of one argument, returns a single real number.
    x, v : array or tree of arrays
        Of the same form.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.hvp(lambda x: (x**3).sum(), np.array([1.0, 2.0]), np.array([1.0, 0.0]))
    array([6., 0.])
    """
    leaves_as_in(x, v, "v")  # which names `v` if it has another form
    _, pullback = vjp(grad(f), x)
    return pullback(v)[0]
