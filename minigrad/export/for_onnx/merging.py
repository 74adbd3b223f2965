"""Programs of one function at several sizes as one program: what differs among them is a function of the sizes."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from minigrad.core import Operation
from minigrad.errors.exporting import baked_in, other_equations
from minigrad.export.for_onnx.captures import Captures
from minigrad.export.for_onnx.sizes import Inverse, Size, solved
from minigrad.program.bodies import Body
from minigrad.program.equations import Argument, Equation, Literal, OfTensor, Program, Variable


class Typed(NamedTuple):
    """A single number that depends on sizes, and has a dtype of its own."""

    value: Any
    dtype: Any


class Filled(NamedTuple):
    """A constant that is the same along the axes whose lengths depend on sizes: there it has length 1, or is Typed."""

    array: Any
    shape: tuple[Any, ...]


class Reshaped(NamedTuple):
    """A constant that has one of these forms in another shape."""

    form: Any
    shape: tuple[Any, ...]


class Rising(NamedTuple):
    """A constant that rises by equal steps along the axes whose lengths depend on sizes, as row numbers do."""

    first: Any  # of length 1 along these axes
    steps: dict[int, Any]  # by axis: an array like the first, or a size
    shape: tuple[Any, ...]


class Corner(NamedTuple):
    """A constant of two values on and beyond a diagonal, as the mask of causal attention is: (..., rows, columns)."""

    inside: Any  # where the column is at most `diagonal` more than the row
    outside: Any
    diagonal: int
    shape: tuple[Any, ...]
    dtype: Any


class Merged(NamedTuple):
    """A program of which sizes may be unknown.

    Attributes
    ----------
    arguments : dict of Variable to int
        By their numbers among the leaves.
    constants : dict of Variable to (ndarray, Filled, Rising, Corner, Reshaped, Typed, Size or Inverse)
    equations : list of Equation
    outputs : tuple of Variable
    shapes : dict of Variable to tuple
        Of all variables, with sizes, or None for a length that is no polynomial of them.
    """

    arguments: dict[Variable, int]
    constants: dict[Variable, Any]
    equations: list[Equation]
    outputs: tuple[Variable, ...]
    shapes: dict[Variable, tuple[Any, ...]]


def merged(captures: Captures) -> Merged:
    """The program that all captures are."""
    return _Merger(captures).merged()


class _Merger:
    """Walks over all programs at once.  The variables of the first program stand for those of all."""

    def __init__(self, captures: Captures) -> None:
        self.programs, self.pairs, self.check = captures.programs, captures.pairs, captures.check
        self.names = list(captures.pairs)
        self.same: dict[Variable, tuple[Variable, ...]] = {}
        self.others: set[tuple[int, Variable]] = set()  # with the numbers of their programs
        self.shapes: dict[Variable, tuple[Any, ...]] = {}

    def merged(self) -> Merged:
        first = self.programs[0]
        equations = self.equations([p.equations for p in self.programs])
        outputs = [self.variable(xs, None) for xs in zip(*[p.outputs for p in self.programs], strict=True)]
        arguments: dict[Variable, int] = {}
        constants: dict[Variable, Any] = {}
        for x, source in first.inputs.items():
            if isinstance(source, Argument):
                arguments[x] = source.number
                by_number = [
                    {s.number: y for y, s in p.inputs.items() if isinstance(s, Argument)} for p in self.programs
                ]
                self.variable([found[source.number] for found in by_number], None)
        for x, xs in self.same.items():
            if isinstance(first.inputs.get(x), Argument) or not (x in first.inputs or x in first.constants):
                continue
            arrays = [self.array(p, y) for p, y in zip(self.programs, xs, strict=True)]
            constants[x] = self.constant(arrays, first_use(x, equations))
        return Merged(arguments, constants, equations, tuple(outputs), self.shapes)

    @staticmethod
    def array(program: Program, x: Variable) -> Any:
        source = program.inputs.get(x)
        return source.tensor.array if isinstance(source, OfTensor) else program.constants[x].array

    # Equations

    def equations(self, columns: Sequence[Sequence[Equation]]) -> list[Equation]:
        made = []
        for rows in zip(*columns, strict=False):
            first = rows[0]
            if any(not _alike(first, other) for other in rows[1:]):
                raise other_equations(first, self.names)
            inputs = tuple([self.atom(xs, first) for xs in zip(*[e.inputs for e in rows], strict=True)])
            outputs = tuple([self.variable(xs, first) for xs in zip(*[e.outputs for e in rows], strict=True)])
            params = {key: self.param([e.operation.params[key] for e in rows], first) for key in first.operation.params}
            operation = Operation(first.operation.primitive, params)
            made.append(first._replace(operation=operation, inputs=inputs, outputs=outputs))
        longest = max(columns, key=len)
        if any(len(column) != len(longest) for column in columns):
            raise other_equations(longest[len(made)], self.names)
        return made

    def atom(self, xs: Sequence[Any], equation: Equation) -> Any:
        if isinstance(xs[0], Variable):
            return self.variable(xs, equation)
        values = [x.value for x in xs]
        found = self.param(values, equation)
        typed = isinstance(found, Size | Inverse) and isinstance(values[0], np.generic)
        return Literal(Typed(found, values[0].dtype) if typed else found)

    def variable(self, xs: Sequence[Any], equation: Equation | None) -> Variable:
        first: Variable = xs[0]
        if first in self.same:
            if self.same[first] != tuple(xs):
                raise other_equations(equation, self.names)
            return first
        taken = any(pair in self.others for pair in enumerate(xs))
        if taken or any(len(x.shape) != len(first.shape) or x.dtype != first.dtype for x in xs):
            raise other_equations(equation, self.names)
        self.same[first] = tuple(xs)
        self.others.update(enumerate(xs))
        self.shapes[first] = tuple([self.number(ns) for ns in zip(*[x.shape for x in xs], strict=True)])
        return first

    # What an equation says beside its operands

    def param(self, values: Sequence[Any], equation: Equation) -> Any:
        """One value that stands for those of all captures."""
        first = values[0]
        if isinstance(first, Body):
            return self.body(values)
        if isinstance(first, tuple | list) and all(len(x) == len(first) for x in values):
            parts = [self.param(part, equation) for part in zip(*values, strict=True)]
            kind = type(first)
            return kind(*parts) if hasattr(first, "_fields") else kind(parts)
        if isinstance(first, Mapping):
            return {key: self.param([x[key] for x in values], equation) for key in first}
        if isinstance(first, slice):
            ends = [[getattr(x, end) for x in values] for end in ("start", "stop", "step")]
            return slice(*[self.param(part, equation) for part in ends])
        if _equal(values):
            return first
        found = self.number(values)
        if found is None:
            raise baked_in(equation, self.names, values)
        return found

    def body(self, bodies: Sequence[Body]) -> Body:
        first = bodies[0]
        inputs = [self.variable(xs, None) for xs in zip(*[b.inputs for b in bodies], strict=True)]
        equations = self.equations([b.equations for b in bodies])
        outputs = [self.variable(xs, None) for xs in zip(*[b.outputs for b in bodies], strict=True)]
        return Body(first.name, equations, inputs, outputs, first.followed)

    def number(self, values: Sequence[Any]) -> Any:
        """What a number is as a function of sizes; None if it is none that is known."""
        first = values[0]
        if _equal(values):
            return first
        if isinstance(first, bool) or not all(isinstance(x, int | float | np.integer | np.floating) for x in values):
            return None
        plain = [x.item() if isinstance(x, np.generic) else x for x in values]
        found = solved(plain[:-1], self.names, self.pairs)
        if found is not None and self.fits(found, plain[-1]):
            return found
        if isinstance(plain[0], float) and all(plain):
            inverse = [1 / x for x in plain[:-1]]
            whole = [round(x) for x in inverse]
            near = all(abs(x - n) <= 1e-6 * abs(n) for x, n in zip(inverse, whole, strict=True))
            of = solved(whole if near else inverse, self.names, self.pairs)
            if isinstance(of, Size) and self.fits(Inverse(of), plain[-1]):
                return Inverse(of)
        return None

    def fits(self, found: Any, value: Any) -> bool:
        """Whether it is right also at the sizes that it was not made of."""
        now = found.at(self.check) if isinstance(found, Size | Inverse) else found
        return bool(now == value) if isinstance(value, int) else bool(abs(now - value) <= 1e-6 * abs(value))

    # Constants

    def constant(self, arrays: Sequence[Any], equation: Equation | None) -> Any:
        """An array that stands for those of all captures."""
        first = arrays[0]
        if all(x is first for x in arrays) or _equal(arrays):
            return first
        if np.ndim(first) == 0:
            found = self.number([np.asarray(x)[()] for x in arrays])
            if found is not None:
                return Typed(found, first.dtype) if hasattr(first, "dtype") else found
        shape = self.shape([np.shape(x) for x in arrays])
        if shape is not None:
            made = self.formed(arrays, shape)
            made = self.parted(arrays, shape) if made is None else made
            if made is not None:
                return made
        raise baked_in(equation, self.names, [np.shape(x) for x in arrays], "an array")

    def shape(self, shapes: Sequence[tuple[int, ...]]) -> tuple[Any, ...] | None:
        if len({len(s) for s in shapes}) > 1:
            return None
        made = tuple([self.number(ns) for ns in zip(*shapes, strict=True)])
        return None if None in made else made

    def formed(self, arrays: Sequence[Any], shape: tuple[Any, ...]) -> Any:
        """The first form that an array has."""
        forms = (form(arrays, shape) for form in (self.filled, self.rising, self.corner))
        return next((made for made in forms if made is not None), None)

    def parted(self, arrays: Sequence[Any], shape: tuple[Any, ...]) -> Any:
        """The same with an axis apart in two, as row numbers that are repeated have it."""
        for axis, length in enumerate(shape):
            factor = length.factor if isinstance(length, Size) else 1
            if factor < 2:
                continue
            one = Size({names: n // factor for names, n in length.terms.items()})
            for parts in ((one, factor), (factor, one)):
                places = [-1 if isinstance(n, Size) else n for n in parts]
                apart = [x.reshape(*x.shape[:axis], *places, *x.shape[axis + 1 :]) for x in arrays]
                made = self.formed(apart, (*shape[:axis], *parts, *shape[axis + 1 :]))
                if made is not None:
                    return Reshaped(made, shape)
        return None

    def filled(self, arrays: Sequence[Any], shape: tuple[Any, ...]) -> Any:
        axes = [i for i, n in enumerate(shape) if not isinstance(n, int)]
        part = np.array(arrays[0][_at(shape, dict.fromkeys(axes, 0))])
        same = all(np.array_equal(x, np.broadcast_to(part, x.shape), True) for x in arrays)
        if same:
            return Filled(part, shape)
        uniform = all((x == x.flat[0]).all() for x in arrays)
        found = self.number([x.flat[0] for x in arrays]) if uniform else None
        return None if found is None else Filled(Typed(found, arrays[0].dtype), shape)

    def rising(self, arrays: Sequence[Any], shape: tuple[Any, ...]) -> Any:
        axes = [i for i, n in enumerate(shape) if not isinstance(n, int)]
        first = [x[_at(shape, dict.fromkeys(axes, 0))] for x in arrays]
        numeric = arrays[0].dtype.kind in "iuf" and all(np.isfinite(x).all() for x in arrays)
        if not axes or not numeric or not _equal(first) or min(x.shape[a] for x in arrays for a in axes) < 2:
            return None
        steps: dict[int, Any] = {}
        rows: list[Any] = [f.copy() for f in first]
        for axis in axes:
            own = [x[_at(shape, {**dict.fromkeys(axes, 0), axis: 1})] - first[0] for x in arrays]
            steps[axis] = own[0] if _equal(own) else None
            if steps[axis] is None and all((step == step.flat[0]).all() for step in own):
                steps[axis] = self.number([step.flat[0] for step in own])
            if steps[axis] is None:
                return None
            for i, (x, step) in enumerate(zip(arrays, own, strict=True)):
                numbers = np.arange(x.shape[axis]).reshape([-1 if a == axis else 1 for a in range(x.ndim)])
                rows[i] = rows[i] + numbers * step
        return Rising(first[0], steps, shape) if all(map(np.array_equal, rows, arrays)) else None

    def corner(self, arrays: Sequence[Any], shape: tuple[Any, ...]) -> Any:
        first = arrays[0]
        if first.ndim < 2:
            return None
        inside, outside = first[..., -1, 0].ravel()[0], first[..., 0, -1].ravel()[0]
        row = first.reshape(-1, *first.shape[-2:])[0, 0]
        diagonal = int(np.flatnonzero(row != outside)[-1]) if (row != outside).any() else -1
        for x in arrays:
            rows, columns = np.ogrid[: x.shape[-2], : x.shape[-1]]
            wanted = np.where(columns <= rows + diagonal, inside, outside)
            if not np.array_equal(x, np.broadcast_to(wanted, x.shape)):
                return None
        return Corner(inside, outside, diagonal, shape, first.dtype)


def first_use(x: Variable, equations: Iterable[Equation]) -> Equation | None:
    """The first equation that a variable is an operand of."""
    return next((equation for equation in equations if x in equation.inputs), None)


def _at(shape: Sequence[Any], places: Mapping[int, int]) -> tuple[slice, ...]:
    """An index that takes one element of some axes, which stay."""
    return tuple([slice(places[i], places[i] + 1) if i in places else slice(None) for i in range(len(shape))])


def _alike(a: Equation, b: Equation) -> bool:
    """Whether two equations are of the same operation, of operands of the same kinds."""
    return (
        a.operation.primitive is b.operation.primitive
        and [type(x) for x in a.inputs] == [type(x) for x in b.inputs]
        and len(a.outputs) == len(b.outputs)
        and a.operation.params.keys() == b.operation.params.keys()
    )


def _equal(values: Sequence[Any]) -> bool:
    """Whether all values are the same, arrays by their elements."""
    first = values[0]
    if isinstance(first, np.ndarray | np.generic):
        return all(np.array_equal(first, x, first.dtype.kind == "f") and first.dtype == x.dtype for x in values[1:])
    return all(first is x or (type(first) is type(x) and _same(first, x)) for x in values[1:])


def _same(a: Any, b: Any) -> bool:
    if callable(a):  # a function of the package's own, made anew at each call
        a, b = (x.func if isinstance(x, partial) else x for x in (a, b))
        return getattr(a, "__qualname__", a) == getattr(b, "__qualname__", b)
    return bool(a == b) or (a != a and b != b)
