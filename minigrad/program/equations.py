"""What a program is: equations between variables, what they are read from, and what is changed at the end."""

import zlib
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from minigrad import random
from minigrad.core import Array, Handle, Node, Operation, apply, name_of, notes_of, unwrap
from minigrad.diagnostics import Place
from minigrad.errors.programs import (
    changed_constant,
    note_equation,
    other_form,
    other_input,
    other_result,
    other_state,
)
from minigrad.tree import Rebuild, flatten
from minigrad.writes import note_write

# Variables


class Variable:
    """A value of a program, by its form: an array, or a number of Python, which has no dtype of its own.

    Attributes
    ----------
    number : int
        Its place among the variables of the program.
    shape : tuple of int
    dtype : dtype, or type
        Of a number of Python its class.
    scalar : bool
        Whether it was one of NumPy's single numbers, whose operators are not always those of arrays.
    """

    __slots__ = ("dtype", "number", "scalar", "shape")

    def __init__(self, number: int, value: Any) -> None:
        self.number = number
        self.shape: tuple[int, ...] = getattr(value, "shape", ())
        self.dtype: Any = getattr(value, "dtype", type(value))
        self.scalar = isinstance(value, np.generic)

    def fits(self, value: Any) -> bool:
        """Whether a value has the form of this variable."""
        if self.dtype is int or self.dtype is float:
            return type(value) in (int, float)  # NumPy treats them alike
        return getattr(value, "shape", ()) == self.shape and getattr(value, "dtype", type(value)) == self.dtype

    def __repr__(self) -> str:
        return f"v{self.number}"


class Literal(NamedTuple):
    """A number that is written into an equation."""

    value: Any

    def __repr__(self) -> str:
        return repr(self.value)


Atom: TypeAlias = Variable | Literal


class Equation(NamedTuple):
    """One operation of a program.

    Attributes
    ----------
    operation : Operation
        The primitive and its parameters.
    inputs : tuple of (Variable or Literal)
    outputs : tuple of Variable
        The value, and what the operation saves for its rule, if it does.
    place : Place or None
        The line of the user's program that it came from.
    followed : tuple of bool
        To which operands gradients went when it was traced: not to detached ones, and to none under `no_grad`; empty
        for none.
    """

    operation: Operation
    inputs: tuple[Atom, ...]
    outputs: tuple[Variable, ...]
    place: Place | None
    followed: tuple[bool, ...] = ()

    @property
    def acts(self) -> bool:
        """Whether it does something beside computing its outputs, as a draw does, or may do so."""
        made = self.operation.primitive
        return made.facts.kind == "draw" or made.facts.acts or not made.ours

    def apply_to(self, values: dict[Any, Any]) -> None:
        """Compute the outputs of Tensors, as a part of a graph in which gradients go where they went in the trace."""
        made = self.operation.primitive
        operands = [values[x] if isinstance(x, Variable) else x.value for x in self.inputs]
        if made.facts.relays:
            values.update(dict.fromkeys(self.outputs, operands[0]))
            return
        follows = self.followed or (False,) * len(operands)
        known = [x if follow else without_history(x) for x, follow in zip(operands, follows, strict=True)]
        operation = Operation(made, self.operation.params)
        values[self.outputs[0]] = apply(operation, tuple(known))
        values.update(dict.fromkeys(self.outputs[1:], operation.saved))

    def __repr__(self) -> str:
        params = [f"{name}={value!r}" for name, value in self.operation.params.items()]
        call = f"{self.operation.name}({', '.join([*map(repr, self.inputs), *params])})"
        return f"{', '.join(map(repr, self.outputs))} = {call}"


def without_history(x: Any) -> Any:
    """The same value, in no graph."""
    return name_of(x.array, None) if isinstance(x, Handle) and x.node is not None else x


def with_hooks(x: Any, hooks: Sequence[Callable[[Any], Any]]) -> Any:
    """A Tensor whose gradient the hooks see."""
    if isinstance(x, Handle) and x.node is not None:
        notes_of(x.node).hooks.update({object(): hook for hook in hooks})
    return x


# What variables are read from at the beginning of a run, and where values go at its end


class Argument(NamedTuple):
    """An argument, by its number among the leaves of all arguments."""

    number: int
    name: str

    def __str__(self) -> str:
        return f"argument {self.name}"


class OfTensor(NamedTuple):
    """A Tensor that the function found outside of itself."""

    tensor: Handle
    name: str
    in_memory: bool = False

    def read(self) -> Any:
        """Its value now."""
        return self.tensor.array

    @property
    def look(self) -> "Look":
        """How to read it."""
        return Look("{0}.array", (self.tensor,))

    def write(self, value: Array) -> None:
        """Make it its value: in its memory, or by moving the name."""
        if self.in_memory:
            self.tensor.array[...] = value
        else:
            self.tensor.array = value
        if self.tensor.node is not None:
            note_write(self.tensor.node)

    def __str__(self) -> str:
        return self.name


class OfGrad(NamedTuple):
    """The gradient that a leaf keeps."""

    node: Node

    def read(self) -> Any:
        """The gradient now; None if there is none."""
        kept = notes_of(self.node).grad
        return None if kept is None else kept.array

    @property
    def look(self) -> "Look":
        """How to read it."""
        return Look("{0}()", (self.read,))

    def write(self, value: Any) -> None:
        """Give the leaf a gradient, or none."""
        notes_of(self.node).grad = None if value is None else name_of(value, None)

    def __str__(self) -> str:
        name = notes_of(self.node).name
        return f"the grad of {name or 'a leaf'}"


class OfEntry(NamedTuple):
    """An entry of a dict, as the state and the options of an optimizer are."""

    mapping: MutableMapping[str, Any]
    key: str
    place: int | None  # in a tuple

    def read(self) -> Any:
        """The entry now."""
        return self.look()

    @property
    def look(self) -> "Look":
        """How to read it."""
        place = "" if self.place is None else f"[{self.place}]"
        return Look(f"{{0}}.get({{1}}){place}", (self.mapping, self.key))

    def write(self, value: Any) -> None:
        """Change the entry, an array in its own memory."""
        before = self.mapping.get(self.key)
        if isinstance(before, np.ndarray) and isinstance(value, np.ndarray) and before.shape == value.shape:
            before[...] = value
        else:
            self.mapping[self.key] = value

    def __str__(self) -> str:
        place = "" if self.place is None else f"[{self.place}]"
        return f"{self.key!r}{place} of an optimizer"


Source: TypeAlias = Argument | OfTensor | OfGrad | OfEntry
Target: TypeAlias = OfTensor | OfGrad | OfEntry


class Constant(NamedTuple):
    """An array that the function found outside of itself, or a pass has made of such; and a digest of what it was."""

    array: Array
    digest: int
    made_of: "tuple[Constant, ...]" = ()

    def changed(self) -> Array | None:
        """An array from outside that is not what it was; None if they all are."""
        found = self.made_of or (self,)
        return next((constant.array for constant in found if digest_of(constant.array) != constant.digest), None)


def digest_of(array: Array) -> int:
    """A number that changes with the elements of an array."""
    return zlib.crc32(array.tobytes())


class Form(NamedTuple):
    """How results are put together: the tree, and for each leaf a variable, or None for a leaf that is None."""

    rebuild: Rebuild
    variables: tuple[Variable, ...]
    named: bool  # whether they are Tensors

    def present(self, values: Sequence[Any]) -> Any:
        """The tree of values."""
        made = [name_of(x, None) if self.named and isinstance(x, np.ndarray | np.generic) else x for x in values]
        return self.rebuild(made)


class Program:
    """A function as the equations that it was when it was traced.

    Attributes
    ----------
    inputs : dict of Variable to Source
        What each variable is read from at the beginning of a run: arguments, Tensors that the function found outside of
        itself, gradients, the state and the options of optimizers.
    constants : dict of Variable to Constant
        Arrays that it found outside.
    equations : list of Equation
        In the order of computation.
    outputs : tuple of Variable
        What the function returned, by the leaves of the tree.
    effects : list of (Target, Variable or None)
        What is changed at the end of a run.
    parts : mapping of int to tuple of str
        Once it is compiled, what computes an equation, by its number: as ``("kernel 1", "loop 2")``.
    """

    def __init__(
        self,
        name: str,
        signature: "Signature",
        inputs: Mapping[Variable, Source],
        constants: Mapping[Variable, Constant],
        equations: Sequence[Equation],
        form: Form,
        effects: Sequence[tuple[Target, Variable | None]],
        guards: "Sequence[Guard]",
    ) -> None:
        self.name, self.signature, self.form = name, signature, form
        self.inputs, self.constants = dict(inputs), dict(constants)
        self.equations, self.effects, self.guards = list(equations), list(effects), list(guards)
        self.result: Any = None  # what the call returned that was traced
        self.examples: dict[Variable, Any] = {}  # small inputs, as they were then
        self.parts: Mapping[int, tuple[str, ...]] = {}
        self.hooks: dict[Variable, tuple[Callable[[Any], Any], ...]] = {}  # of Tensors' gradients

    @property
    def outputs(self) -> tuple[Variable, ...]:
        """The variables that are returned."""
        return self.form.variables

    def changed(self, equations: Sequence[Equation], names: Mapping[Variable, Atom] | None = None) -> "Program":
        """A program with other equations, in which some variables have gone over into others."""
        names = names or {}

        def now(x: Any) -> Any:
            return names.get(x, x)

        form = self.form._replace(variables=tuple(map(now, self.form.variables)))
        effects = [(target, now(x)) for target, x in self.effects]
        used = {x for equation in equations for x in equation.inputs}
        used.update(form.variables, (x for _, x in effects))
        inputs = {x: s for x, s in self.inputs.items() if x in used or isinstance(s, Argument)}
        constants = {x: c for x, c in self.constants.items() if x in used}
        made = Program(self.name, self.signature, inputs, constants, equations, form, effects, self.guards)
        made.result, made.examples, made.hooks = self.result, self.examples, self.hooks
        return made

    def replay(self, *inputs: Any) -> Any:
        """Compute the program again, in NumPy.

        Parameters
        ----------
        *inputs
            As for the function, of the same forms: shapes, dtypes, and what is neither an array nor a float the same.

        Returns
        -------
        tree of Tensor or ndarray
            What the function would return, to the last bit.  Nothing in it requires grad.

        Raises
        ------
        ProgramError
            If an input, or what the program reads elsewhere, has another form, or if a constant was changed.  After an
            error, also one of an operation, nothing has been changed.

        Examples
        --------
        >>> import numpy as np
        >>> import minigrad as mg
        >>> program = mg.program.trace(lambda x: mg.sum(x * x), np.array([1.0, 2.0]))
        >>> float(program.replay(np.array([3.0, 4.0])))
        25.0
        """
        with random.restoring():
            values = self.values(*inputs)
            results = [values[x] for x in self.outputs]
            written = [(target, None if x is None else _owned(values[x])) for target, x in self.effects]
            results = [_owned(x) for x in results]
        for target, value in written:
            target.write(value)
        return self.form.present(results)

    def values(self, *inputs: Any) -> dict[Variable, Any]:
        """Everything that a run reads and computes, by its variable; raises what `replay` does, and changes nothing.

        Random numbers are drawn.
        """
        values = self._read(self.signature.leaves_of(inputs))
        for equation in self.equations:
            self._compute(equation, values)
        return values

    def _read(self, leaves: Sequence[Any]) -> dict[Variable, Any]:
        """What the run begins with, checked."""
        for guard in self.guards:
            guard.check()
        values: dict[Variable, Any] = {}
        for x, source in self.inputs.items():
            value = leaves[source.number] if isinstance(source, Argument) else source.read()
            if not x.fits(value):
                raise other_input(self.name, str(source), value, x.shape, x.dtype)
            values[x] = value
        for x, constant in self.constants.items():
            if (changed := constant.changed()) is not None:
                raise changed_constant(self.name, changed)
            values[x] = constant.array
        return values

    def _compute(self, equation: Equation, values: dict[Variable, Any]) -> None:
        operation = equation.operation
        operands = [values[x] if isinstance(x, Variable) else x.value for x in equation.inputs]
        try:
            results = operation.primitive.forward(*operands, **operation.params)
        except Exception as error:
            note_equation(error, self.name, equation)
            raise
        for x, value in zip(equation.outputs, results if operation.primitive.saves else (results,), strict=True):
            values[x] = normal(value)
            if not x.fits(values[x]):
                raise other_result(self.name, equation, values[x])

    def __repr__(self) -> str:
        return f"<Program of {self.name}: {len(self.equations)} equations>"

    def __str__(self) -> str:
        from minigrad.program.source import source_of  # which reads source files, and takes long to import

        return source_of(self)


def normal(value: Any) -> Any:
    """A result as programs have it: bools in arrays, since NumPy has but two scalars of them."""
    return np.asarray(value) if isinstance(value, np.bool_ | bool) else value


def _owned(value: Any) -> Any:
    return np.array(value)[()] if isinstance(value, np.ndarray | np.generic) else value


# What a program takes for granted


class Look(NamedTuple):
    """How to find out how something outside is now: an expression of Python, with {0}, {1}, ... for objects."""

    text: str
    objects: tuple[Any, ...]

    def __call__(self) -> Any:
        """How it is now."""
        return _function_of(self.text, len(self.objects))(*self.objects)


@cache
def _function_of(text: str, count: int) -> Callable[..., Any]:
    names = [f"x{i}" for i in range(count)]
    function: Callable[..., Any] = eval(f"lambda {', '.join(names)}: {text.format(*names)}")
    return function


class Guard(NamedTuple):
    """Something that was looked at while the function was traced, and must be the same at every run."""

    what: str
    look: Any  # a function without arguments; if it is a `Look`, it can be written into other code
    seen: Any

    def check(self) -> None:
        """Raise if it is something else now."""
        if (now := self.look()) != self.seen:
            raise other_state(self.what, self.seen, now)


class Signature(NamedTuple):
    """The form of the arguments of a program: a tree, and for each leaf its name and what it must be."""

    name: str
    form: str
    names: tuple[str, ...]
    static: tuple[Any, ...]  # the value of what is neither an array nor a float, and `VARYING` for these

    def leaves_of(self, inputs: tuple[Any, ...]) -> list[Any]:
        """The values of the arguments, which must have the form."""
        leaves = [unwrap(x) for x in flatten(inputs)[0]]
        if form_of(inputs) != self.form:
            raise other_form(self.name, self.form, form_of(inputs))
        for name, fixed, leaf in zip(self.names, self.static, leaves, strict=True):
            if fixed is not VARYING and (type(fixed) is not type(leaf) or fixed != leaf):
                raise other_state(f"argument {name} of {self.name}", fixed, leaf)
        return leaves


class _Varying:
    def __repr__(self) -> str:
        return "varying"


VARYING = _Varying()


def form_of(tree: Any) -> str:
    """The form of a tree, written as Python would."""
    leaves, rebuild = flatten(tree)
    return repr(rebuild([_Star()] * len(leaves)))


class _Star:
    def __repr__(self) -> str:
        return "*"
