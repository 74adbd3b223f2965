"""Every exception that minigrad raises, and the words of those that people meet most.

::

    MinigradError
    ├── ArgumentError        (ValueError)     an argument whose value makes no sense
    │   ├── ShapeError                        shapes that do not fit the operation
    │   │   └── AxisError    (IndexError)     an axis that the array does not have
    │   └── linalg.LinAlgError (also NumPy's) a matrix that is singular, or not positive definite
    ├── DTypeError           (TypeError)      a dtype or a Python type that cannot be used here
    │   └── UnsupportedError                  a NumPy function, or an argument of one, without a derivative here
    ├── IndexingError        (IndexError)     an index out of range, or one that fits no axis
    ├── GraphError           (RuntimeError)   the graph cannot do what was asked
    │   ├── ReleasedGraphError                backward through a graph that an earlier backward has released
    │   ├── StaleValueError                   a leaf was written to after an operation had used its value
    │   └── CutError         (also TypeError) a conversion that would cut the graph without anybody noticing
    ├── AnomalyError         (FloatingPointError, RuntimeError)   NaN or inf under detect_anomaly
    ├── GradcheckError       (RuntimeError)   a derivative that disagrees with finite differences
    ├── StateDictError       (RuntimeError)   a state_dict that does not fit the module
    ├── FileError            (ValueError)     a file that is damaged, or is not what it should be
    ├── WorkerError          (RuntimeError)   a worker of a data loader that died, or did not answer in time
    └── MissingPackageError  (ImportError)    an optional package that is not installed

Each is also the built-in exception that users of NumPy or PyTorch would catch.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from minigrad.core.node import Node


class MinigradError(Exception):
    """The base of all exceptions of this package."""


class ArgumentError(MinigradError, ValueError):
    """An argument whose value makes no sense."""


class ShapeError(ArgumentError):
    """Shapes that do not fit the operation."""


class AxisError(ShapeError, IndexError):
    """An axis that the array does not have."""


class DTypeError(MinigradError, TypeError):
    """A dtype, or a Python type, that cannot be used here."""


class UnsupportedError(DTypeError):
    """A NumPy function, or an argument of one, that has no derivative here."""


class IndexingError(MinigradError, IndexError):
    """An index out of range, or one that fits no axis."""


class GraphError(MinigradError, RuntimeError):
    """The graph cannot do what was asked of it."""


class ReleasedGraphError(GraphError):
    """A backward pass through a graph that an earlier pass has released."""


class StaleValueError(GraphError):
    """A leaf was written to after an operation had used its value."""


class CutError(GraphError, TypeError):
    """A conversion that would cut the graph without anybody noticing."""


class AnomalyError(MinigradError, FloatingPointError, RuntimeError):
    """NaN or inf appeared under `detect_anomaly`."""


class GradcheckError(MinigradError, RuntimeError):
    """A derivative disagrees with finite differences."""


class StateDictError(MinigradError, RuntimeError):
    """A state_dict does not fit the module."""


class FileError(MinigradError, ValueError):
    """A file is damaged, or is not what it should be."""


class WorkerError(MinigradError, RuntimeError):
    """A worker of a data loader died, or did not answer in time."""


class MissingPackageError(MinigradError, ImportError):
    """An optional package is not installed."""


def at(place: Any) -> str:
    """A place in the user's program, in parentheses, if it is known."""
    return f" (at {place})" if place else ""


# Values in words


def describe(value: Any) -> str:
    """An operand in a few words: its dtype and shape, and the range of its numbers."""
    value = getattr(value, "data", value) if not isinstance(value, (np.ndarray, np.generic)) else value
    if not isinstance(value, (np.ndarray, np.generic)):
        return repr(value)
    if value.ndim == 0:
        return f"{value.dtype} {value!s}"
    text = f"{value.dtype} {value.shape}"
    if value.dtype.kind in "fc" and value.size:
        bad = {"NaN": int(np.isnan(value).sum()), "inf": int(np.isinf(value).sum())}
        text += "".join(f", {count} {name}" for name, count in bad.items() if count)
        good = np.asarray(value)[np.isfinite(value)]
        if good.size and value.dtype.kind == "f":
            text += f", from {good.min():.4g} to {good.max():.4g}"
    return text


def _shapes(args: Sequence[Any]) -> str:
    shapes = [str(np.shape(x)) for x in args]
    return " and ".join([", ".join(shapes[:-1]), shapes[-1]] if len(shapes) > 1 else shapes)


# Operations


def numeric(data: Any, what: str, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
    """Data as an array of numbers; `what` it is for, for the message."""
    try:
        array = np.array(data, dtype=dtype, copy=copy)
    except ValueError as error:
        if "inhomogeneous" in str(error):
            raise ShapeError(f"{what} cannot be made of a {type(data).__name__} whose rows differ in length") from error
        raise DTypeError(f"{what} cannot be made of {type(data).__name__}: {error}") from error
    if array.dtype.kind not in "biufc":
        raise DTypeError(f"{what} is made of numbers, and a {type(data).__name__} of dtype {array.dtype} holds none")
    return array


def as_operand(operand: Any, name: str) -> np.ndarray:
    """A list, tuple or foreign array as an ndarray."""
    return numeric(operand, f"{name}: an operand")


# What NumPy's plain ValueErrors speak of when they are about shapes.
_OF_SHAPES = ("shape", "dimension", "broadcast", "axis", "axes", "size", "array", "einstein", "subscript")


def explain(error: Exception, name: str, args: Sequence[Any], params: Mapping[str, Any]) -> None:
    """Raise what NumPy says of a failed operation again, as ours, with the operation's name and the shapes.

    Returns if there is no better word for the error than its own.
    """
    given = "".join(f", {key}={value!r}" for key, value in params.items() if value is not None and value is not False)
    said = str(error).strip()
    what = f"{name} of shape{'s' if len(args) != 1 else ''} {_shapes(args)}{given}: {said}"
    if isinstance(error, MinigradError):
        return
    if isinstance(error, np.exceptions.AxisError):
        raise AxisError(what) from error
    if type(error) is ValueError:
        of_shapes = any(word in said.lower() for word in _OF_SHAPES)
        raise (ShapeError if of_shapes else ArgumentError)(what) from error
    if type(error) is IndexError:
        raise IndexingError(what) from error
    if isinstance(error, TypeError) and " argument" not in said:
        if "casting rule" in said and args:
            kinds = " and ".join(str(np.asarray(x).dtype) for x in args)
            raise DTypeError(f"{name} is not defined for {kinds}: operations on bits need bools or integers") from error
        raise DTypeError(f"{name} of {', '.join(map(describe, args))}: {said}") from error


# What people mean by names of functions that are not supported, where spelling would not lead to it.
_MEANT = {
    "clip": "clip", "_ones_like": "ones_like", "polygrid2d": "polyval", "polyval2d": "polyval",
}  # fmt: skip

_VALUE = "or, if no gradient shall flow, give it t.detach().numpy()"

# What to write instead of functions to which none is near.
_INSTEAD = {
    "copyto": "x[...] = values", "fill_diagonal": "x[i, i] = values with i = arange(n)", "place": "x[mask] = values",
    "put": "x[indices] = values, of the flat x = x.reshape(-1)", "put_along_axis": "x[rows, indices] = values",
    "putmask": "x = where(mask, values, x)",
}  # fmt: skip
_IN_PLACE = {"add": "+=", "subtract": "-=", "multiply": "*=", "divide": "/="}
_OF_OTHER_THINGS = {
    "numpy.lib.recfunctions": "works on records with fields, and a Tensor holds numbers: keep a Tensor for each field",
    "numpy.char": "works on strings, and a Tensor holds numbers",
    "numpy.strings": "works on strings, and a Tensor holds numbers",
    "dates": f"works on dates, and a Tensor holds numbers: convert them before, {_VALUE}",
    "bits": "works on the bits of integers, which have no derivative: give it t.detach().numpy()",
}
_KINDS = {
    **dict.fromkeys(("busday_count", "busday_offset", "datetime_as_string", "is_busday", "isnat"), "dates"),
    **dict.fromkeys(("packbits", "unpackbits"), "bits"),
}


def unsupported(name: str, supported: Sequence[str]) -> UnsupportedError:
    """For a function that no operation stands for.  The names are full ones, with their modules."""
    module, _, last = name.rpartition(".")
    if last in _INSTEAD:
        return UnsupportedError(f"{name} writes into an array, and a Tensor is a value: write {_INSTEAD[last]}")
    if (kind := _KINDS.get(last, module)) in _OF_OTHER_THINGS:
        return UnsupportedError(f"{name} {_OF_OTHER_THINGS[kind]}")
    alike = [x.rpartition(".")[2] for x in supported if x.rpartition(".")[0] == module]
    near = _MEANT.get(name.removeprefix("numpy.")) or _MEANT.get(last) or _nearest(last, alike)
    nearest = f"the nearest that has one is {near!r}. You can also" if near else "you can"
    return UnsupportedError(
        f"{name} has no derivative in minigrad; {nearest} write it with supported functions, make it an operation "
        f"with @minigrad.primitive, {_VALUE}"
    )


def _nearest(name: str, names: Sequence[str]) -> str | None:
    import difflib  # only for this message

    return next(iter(difflib.get_close_matches(name, names, n=1, cutoff=0.75)), None)


def unsupported_at(name: str, operands: int) -> UnsupportedError:
    """For the method `at` of a ufunc, whose full name is given."""
    sign = _IN_PLACE.get(name.rpartition(".")[2])
    what = f"x[i] {sign} v" if sign else f"x[i] = {name}(x[i]{', v' * (operands - 1)})"
    also = ", or where an index repeats x += bincount(i, v, len(x))" if sign == "+=" else ""
    return UnsupportedError(f"{name}.at writes into an array, and a Tensor is a value: write {what}{also}")


def unsupported_arguments(name: str, arguments: Iterable[str]) -> UnsupportedError:
    """For arguments, such as out=, that have no meaning here, of a function whose full name is given."""
    advice = {
        "out": "Results of operations are new Tensors: write y = f(x) instead of f(x, out=y) or of array += x",
        "where": "Write where(c, f(x), y) instead of f(x, where=c)",
        "order": "A Tensor has no order in memory: transpose it, or leave the order to NumPy",
        "axes": "Move the axes with moveaxis before and after",
        "signature": "Write dtype=, or convert the operands with astype",
    }
    words = [text for argument, text in advice.items() if argument in arguments]
    given = ", ".join(arguments) or "too many by position"
    return UnsupportedError(". ".join([f"{name} of a Tensor does not take these arguments: {given}", *words]))


def cuts_graph(what: str, instead: str) -> CutError:
    """For a conversion that would lose the history of a value."""
    return CutError(
        f"{what} of a Tensor that requires grad would cut the graph, and gradients would be missing without a word. "
        f"If that is what you want, write t.{instead}; if not, use minigrad's or NumPy's functions on the Tensor "
        "(and minigrad.stack for a list of Tensors)"
    )


# The backward pass


def no_graph(what: str) -> GraphError:
    """For what needs a graph, of a Tensor that has none."""
    return GraphError(
        f"{what} needs a Tensor that requires grad, and this one does not: nothing that it was computed from requires "
        "grad, or it was made under no_grad() or by detach(). Make the leaves with tensor(..., requires_grad=True)"
    )


def not_a_scalar(shape: tuple[int, ...]) -> GraphError:
    """For backward from many numbers without weights."""
    return GraphError(
        f"backward needs a single number to start from, and this Tensor has shape {shape}: reduce it first, as in "
        "y.sum().backward(), or say how much each element counts: y.backward(gradient=weights of the same shape)"
    )


def wrong_seed(given: tuple[int, ...], shape: tuple[int, ...]) -> ShapeError:
    """For a gradient given to backward that does not fit."""
    return ShapeError(f"the gradient given has shape {given}, the Tensor {shape}: they must be equal")


def released(place: Any, interruption: str | None) -> ReleasedGraphError:
    """For backward through a released graph."""
    first = f"backward{at(place)} was interrupted by {interruption}, and" if interruption else f"backward{at(place)}"
    return ReleasedGraphError(
        f"part of this graph is gone: an earlier {first} released it, to save memory. Compute the loss anew for "
        "every backward. If it keeps a value from an earlier step (a hidden state, a running total), detach() that "
        "value. If you do want two passes over one graph, pass retain_graph=True to the first"
    )


def stale(leaf: "Node", node: "Node") -> StaleValueError:
    """For backward after the memory that it needs was written to."""
    assert leaf.notes is not None
    name = f"the leaf {leaf.notes.name!r}" if leaf.notes.name else "a leaf"
    used = node.notes.where if node.notes is not None else None
    return StaleValueError(
        f"{name} of shape {leaf.value.shape} was written to{at(leaf.notes.where)} after {node.op} number {node.seq} "
        f"had used its value{at(used)}, and the derivative of {node.op} needs the old value. "
        "Call backward() before the update, or compute the loss again after it"
    )


def bad_primitive(name: str, operands: int | None, rules: int) -> DTypeError:
    """For a function and rules that do not make an operation."""
    return DTypeError(
        f"primitive: {name} has {'any number of' if operands is None else operands} operands (the arguments "
        f"before `/`, or *operands, of a Python function) and {rules} rules: give one for each operand, or one "
        "`joint` rule for all"
    )


def bad_joint(name: str, given: int, operands: int) -> ShapeError:
    """For a joint rule that does not give one gradient for each operand."""
    return ShapeError(f"the joint rule of {name} returned {given} gradients for {operands} operands")


def bad_rule(name: str, what: str, shape: tuple[int, ...]) -> ShapeError:
    """For a rule that returns what cannot be a gradient."""
    return ShapeError(
        f"the derivative rule of {name} {what}, but its operand has shape {shape}: a rule must return an array "
        "of the operand's shape, or of one that broadcasting makes of it"
    )


def bad_hook(hook: Callable[..., Any], given: tuple[int, ...], shape: tuple[int, ...]) -> ShapeError:
    """For a hook that returns what cannot be a gradient."""
    name = getattr(hook, "__qualname__", repr(hook))
    return ShapeError(f"the hook {name} returned a gradient of shape {given} for a Tensor of shape {shape}")
