"""What is said of functions that are to be differentiated or minimised, and of their arguments."""

import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from minigrad.errors import ArgumentError, CutError, DTypeError, GraphError, ShapeError
from minigrad.errors.words import an, defined_at, describe, shapes, warn


def not_a_function(f: Any, transform: str) -> DTypeError:
    """For a value in the place of a function."""
    what = describe(f) if hasattr(f, "dtype") else an(type(f).__name__)
    return DTypeError(
        f"{transform} takes a function, and this is {what}: give it the function itself and call the result, as in "
        f"{transform}(f)(x)"
    )


def argnums_not_integers(argnums: Any, transform: str) -> DTypeError:
    """For argnums that are no numbers of arguments, but arguments perhaps."""
    return DTypeError(
        f"{transform}: argnums says by which arguments to differentiate, counted from 0, and this is "
        f"{describe(argnums)}: to get the derivative at a point, call what {transform} returns, as in "
        f"{transform}(f)(x)"
    )


def not_a_sequence(transform: str, what: str, given: Any) -> DTypeError:
    """For one array in the place of a tuple with one for each argument."""
    return DTypeError(
        f"{transform}: {what} are a tuple with one for each argument of the function, and this is {describe(given)}: "
        f"write {transform}(f, (x,), (v,))"
    )


def no_such_argument(f: Callable[..., Any], argnums: Sequence[int], given: int) -> ArgumentError:
    """For argnums beyond the arguments of a call."""
    return ArgumentError(
        f"argnums is {tuple(argnums)}, and {defined_at(f)} was called with {given} arguments by position: they are "
        "counted from 0, and what is differentiated by is given by position"
    )


def same_argument(f: Callable[..., Any], argnums: Sequence[int]) -> ArgumentError:
    """For argnums that name an argument twice."""
    return ArgumentError(
        f"argnums is {tuple(argnums)}, and two of them are the same argument of {defined_at(f)}: name each argument "
        "once, counted from 0, or from the end with negative numbers"
    )


def not_differentiable(value: Any) -> DTypeError:
    """For an argument that is no floating-point number."""
    return DTypeError(
        f"derivatives are for floating-point and complex numbers, and an argument is {describe(value)}: "
        "write numbers with a decimal point, or choose other arguments with argnums (in a dataclass, mark the field "
        "static)"
    )


def not_rebuilt(cls: type, error: Exception) -> DTypeError:
    """For a branch of a tree whose class does not let itself be made with other contents."""
    return DTypeError(
        f"a {cls.__name__} in a tree of arrays cannot be made again with other contents ({type(error).__name__}: "
        f"{error}): give a plain dict, list or tuple, a named tuple or a dataclass"
    )


def not_a_field(cls: type, name: str) -> DTypeError:
    """For a dataclass that has more than its fields."""
    return DTypeError(
        f"the {cls.__name__} in a tree of arrays has the attribute {name!r}, which is no field: with other numbers in "
        "the fields it might be wrong. Make it a property that computes it from the fields; or, if it does not depend "
        f"on them, a field: {name}: ... = field(init=False, metadata={{'static': True}})"
    )


def other_form(what: str, expected: Any, given: Any) -> ShapeError:
    """For a tree that does not have the form of the one that it belongs to."""
    return ShapeError(
        f"{what} is {_form(given)}, and {_form(expected)} is expected: give arrays in the form of those that they "
        "belong to (the order of the keys of a dict does not matter)"
    )


def _form(tree: Any) -> str:
    """A branch of a tree, or a leaf, in words."""
    if tree is None:
        return "None"
    if isinstance(tree, dict):
        return f"{an(type(tree).__name__)} with the keys {[*tree]}"
    if isinstance(tree, (list, tuple)):
        return f"{an(type(tree).__name__)} of length {len(tree)}"
    return describe(tree) if hasattr(tree, "dtype") else an(type(tree).__name__)


def not_one_number(f: Callable[..., Any], outputs: Sequence[Any]) -> GraphError:
    """For the gradient of a function that returns something else than one number."""
    if not outputs:
        what = "nothing: is a `return` missing?"
    elif len(outputs) == 1:
        what = f"an array of shape {np.shape(outputs[0])}: reduce it (sum, mean), or use jacobian"
    else:
        what = (
            f"{len(outputs)} results of shapes {shapes(outputs)}: return others than the first with has_aux=True, "
            "or use jacobian"
        )
    return GraphError(
        f"the gradient is defined for functions that return a single number, and {defined_at(f)} returned {what}"
    )


def not_a_real_number(f: Callable[..., Any], y: Any) -> DTypeError:
    """For the gradient of a function that returns an integer, a bool, or a complex number."""
    if y.dtype.kind == "c":
        remedy = (
            "return np.real(y), np.imag(y) or np.abs(y); or, for the complex derivative, use jacobian, or vjp with a "
            "cotangent"
        )
    else:
        remedy = (
            "numbers of this kind come in steps, and their derivative would be 0 wherever there is one. Return a "
            "floating-point number that is computed by operations which can be differentiated, not by comparisons, "
            "argmax, int() or the like; a constant needs a decimal point"
        )
    return DTypeError(
        f"the gradient is defined for functions that return a real floating-point number, and {defined_at(f)} returned "
        f"{describe(y)}: {remedy}"
    )


def not_holomorphic(f: Callable[..., Any]) -> DTypeError:
    """For the complex derivative of a function that has none."""
    return DTypeError(
        f"jacobian: {defined_at(f)} has no complex derivative by a complex argument at this point, as conj, real, imag "
        "and abs have none: two real matrices would be needed. Differentiate by real and imaginary part, as in "
        "jacobian(lambda x, y: f(x + 1j * y), argnums=(0, 1)), or return the parts of the result that are wanted, as "
        "np.real(y) and np.imag(y)"
    )


# What tangents and cotangents belong to.
_WHOSE = {"tangent": "argument", "cotangent": "result"}


def sparse_without_graph(f: Callable[..., Any]) -> CutError:
    """For a sparse Jacobian that is to be differentiated itself."""
    return CutError(
        f"jacobian(sparse=True) of {getattr(f, '__name__', f)} depends on Tensors that require grad, and "
        "SciPy's matrices have no graph: gradients would be missing without a word. Leave out sparse, or call it under "
        "no_grad()"
    )


def not_one_array(f: Callable[..., Any], outputs: Sequence[Any], variables: Sequence[Any]) -> ArgumentError:
    """For a sparse Jacobian of several arrays, or of complex ones."""
    shapes = ", ".join(f"{x.dtype} {x.shape}" for x in (*outputs, *variables))
    return ArgumentError(
        f"jacobian(sparse=True) is of one real array by one real array, and {getattr(f, '__name__', f)} has results "
        f"and arguments of the forms {shapes}: flatten and join them, or leave out sparse"
    )


def wrong_direction(kind: str, given: tuple[int, ...], shape: tuple[int, ...]) -> ShapeError:
    """For a tangent or cotangent of another shape than what it belongs to."""
    whose = _WHOSE[kind]
    return ShapeError(f"a {kind} of shape {given} does not fit its {whose} of shape {shape}: they must be equal")


def complex_direction(kind: str, dtype: Any) -> DTypeError:
    """For a complex tangent or cotangent of something real."""
    whose = _WHOSE[kind]
    return DTypeError(
        f"a {kind} is complex, and its {whose} is {dtype}: give np.real(v) and np.imag(v) one after the other, and add "
        "the two products, the second times 1j"
    )


def explain_coordinates(error: TypeError, f: Callable[..., Any], given: int = 1) -> None:
    """Note that a function gets one vector, if it wants more arguments than it is given, as if for coordinates."""
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):  # a function of C without a signature
        return
    by_position = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    wanted = [p.name for p in parameters if p.kind in by_position and p.default is p.empty]
    if len(wanted) > given:
        error.add_note(
            f"{defined_at(f)} takes {', '.join(wanted)} one by one, and gets all coordinates in one vector: write a "
            "function of one argument, as in lambda w: w[0]**2 + w[1]**2"
        )


def explain_list(error: Exception, arguments: Iterable[Any]) -> None:
    """Note that a list of numbers is no vector, for a function that failed to compute with one."""
    lists = [x for x in arguments if type(x) in (list, tuple) and x and all(np.ndim(leaf) == 0 for leaf in x)]
    if lists and re.search(r"\b(list|tuple)\b", str(error)):
        error.add_note(
            f"the function gets a {type(lists[0]).__name__}, each element of which is an argument of its own: write "
            "np.array([...]) for a vector"
        )


def objective_of_many(caller: str, f: Callable[..., Any], y: Any) -> ShapeError:
    """For an objective that returns an array."""
    return ShapeError(
        f"{caller}: the objective {defined_at(f)} returned an array of shape {np.shape(y)}, and only a single number "
        "can be least: return its sum or mean, say"
    )


def objective_not_real(caller: str, f: Callable[..., Any], y: Any) -> DTypeError:
    """For an objective that returns an integer, a bool, or a complex number."""
    remedy = "its absolute value, say, np.abs(y)" if y.dtype.kind == "c" else "a floating-point number"
    return DTypeError(
        f"{caller}: the objective {defined_at(f)} returned {describe(y)}, and what is minimised is real and varies "
        f"smoothly: return {remedy}"
    )


def objective_cut(caller: str, f: Callable[..., Any], y: Any) -> GraphError:
    """For an objective that returns a number which was not computed by operations."""
    return GraphError(
        f"{caller}: the objective {defined_at(f)} returned {y!r} of type {type(y).__name__}, which was not computed "
        "from x by operations that can be differentiated: use minigrad's or NumPy's functions, not float(x) or "
        "x.numpy()"
    )


def hessian_not_definite(hessian: np.ndarray) -> ArgumentError:
    """For the covariance of an estimate where the objective has no strict minimum."""
    lowest = np.linalg.eigvalsh((hessian + hessian.T) / 2)[0] if np.isfinite(hessian).all() else np.nan
    return ArgumentError(
        f"covariance: the Hessian at x is not positive definite (its lowest eigenvalue is {lowest:.3g}), so that x is "
        "no minimum, or one of many: make more steps, or leave out parameters that the data do not tell apart"
    )


def warn_not_at_the_minimum(distance: float) -> None:
    """For the covariance of an estimate where the gradient is not 0."""
    warn(
        f"covariance: the gradient at x is not 0, and the minimum is {distance:.2g} standard errors away: make more "
        "steps; an estimate at one of its bounds has no standard error of this kind"
    )


def profile_of_a_call(given: Any) -> DTypeError:
    """For ``profile(f)``."""
    return DTypeError(
        f"profile takes memory=True or False, and this is {an(type(given).__name__)}: it measures a block, so write "
        "`with profile() as measured: f(x)`"
    )
