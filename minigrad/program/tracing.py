"""Writing down a program: an interpreter that sees every operation on Tensors while a function runs."""

import gc
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any, NamedTuple
from weakref import ref

import numpy as np

from minigrad import random
from minigrad.core import Array, Handle, Node, Operation, Switch, name_of, notes_of, unwrap
from minigrad.diagnostics import Place, user_place
from minigrad.errors.programs import (
    already_traced,
    argument_changed,
    argument_has_grad,
    checkpoint_outside,
    from_outside,
    leaked,
    no_tensor_returned,
    not_an_input,
    value_read,
)
from minigrad.program import bodies
from minigrad.program.entries import Entries
from minigrad.program.equations import (
    VARYING,
    Argument,
    Atom,
    Constant,
    Equation,
    Form,
    Guard,
    Literal,
    Look,
    OfEntry,
    OfGrad,
    OfTensor,
    Program,
    Signature,
    Source,
    Target,
    Variable,
    digest_of,
    form_of,
    normal,
)
from minigrad.program.numbers import SMALL, number_named
from minigrad.settings import now
from minigrad.tree import flatten, paths
from minigrad.writes import tick

NUMBERS = (bool, int, float, complex)


def trace(f: Callable[..., Any], *inputs: Any) -> Program:
    """Run a function once, and write it down as a program.

    Parameters
    ----------
    f : callable
        Everything that it does with Tensors is written down: operations, also on values without gradient, backward
        passes, steps of optimizers, random numbers, writes to Tensors.  Tensors that it finds outside of itself are
        read again at every run.
    *inputs
        Trees of Tensors, arrays and numbers.  Arrays and floats are inputs of the program; integers, bools and what
        else there is are fixed in it.

    Returns
    -------
    Program
        Its attribute `result` is what the call returned.

    Raises
    ------
    ProgramError
        If the function reads a value (``if x > 0``, ``float(x)``, ``x.data``), returns something that is no Tensor,
        leaves a Tensor behind in a list or an attribute, or is being traced already.  After an error nothing that the
        function would have changed has been changed.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> program = mg.program.trace(lambda x, y: mg.where(x > y, x, 2 * y), np.ones(2), np.zeros(2))
    >>> program.replay(np.zeros(2), np.ones(2))
    array([2., 2.])
    """
    name = getattr(f, "__name__", type(f).__name__)
    if now().interpreter is not None:
        raise already_traced(name)
    interpreter = Interpreter(name)
    arguments = interpreter.open(inputs)
    try:
        with interpreter:
            result = f(*arguments)
        form = interpreter.form_of_results(result, any(isinstance(x, Handle) for x in flatten(inputs)[0]))
        del arguments
        return interpreter.close(form, result)
    except BaseException:
        interpreter.roll_back()
        raise


class Given(NamedTuple):
    """An argument: its name, what was given, and the Tensor that the function has for it."""

    name: str
    value: Any
    tensor: Handle


class Interpreter(Switch):
    """The interpreter of a thread while a function is traced.

    The values that operations compute are the function's own, and each belongs to a variable: of arrays the identity
    tells which.  While the function runs no memory is written to.  What would be written makes a new value, to which
    the name moves on; the memory itself is changed at the end.
    """

    setting = "interpreter"
    keeps_saved = True  # whether what operations save for their rules is a value of the program

    def __init__(self, name: str) -> None:
        self.value, self.name = self, name
        self._outer: Interpreter | None = now().interpreter  # that of the function which calls this one
        self.start = tick()  # leaves that are newer are the function's own
        self.equations: list[Equation] = []
        self.inputs: dict[Variable, Source] = {}
        self.arguments: dict[Variable, Given] = {}
        self.constants: dict[Variable, Constant] = {}
        self.guards: list[Guard] = []
        self._guarded: set[tuple[Any, ...]] = set()
        self._variables: dict[int, Variable] = {}  # by the identity of an array, or of a Tensor that is a number
        self._kept: list[Any] = []  # what has given its identity
        self._made: list[tuple[ref[Handle], Place | None]] = []
        self._own: dict[int, Handle] = {}  # Tensors that only the interpreter has made, by identity
        self._nodes: dict[Variable, Node] = {}  # of those that were made here
        self._operands: dict[Node, tuple[Handle, ...]] = {}  # of each node that was made here, and its result
        self._written: dict[int, tuple[OfTensor, Array]] = {}  # Tensors from outside, and what they were
        self._grads: dict[Node, Handle | None] = {}  # what leaves kept before
        # With the Tensor, and what it was at first.
        self.known_entries: dict[tuple[int, str], tuple[OfEntry, Any, Any]] = {}
        self._generators = random.States()
        self._drawn: list[Array] = []
        self._pending: list[Array] = []  # what the next draws are to give
        self._undo: list[Callable[[], Any]] = []
        self._modules: dict[int, tuple[Any, dict[str, Any]]] = {}  # with their attributes at the first call
        self._examples: dict[Variable, Any] = {}

    def inner(self, name: str) -> "Interpreter":
        """Another one like this, for the body of a loop or a branch."""
        return type(self)(name)

    # Arguments and results

    def open(self, inputs: tuple[Any, ...], names: Sequence[str] = ()) -> tuple[Any, ...]:
        """The arguments as Tensors; by default their leaves are called by their places in `inputs`."""
        leaves, rebuild = flatten(inputs)
        names = names or paths(inputs, "inputs")
        static, arguments = [], []
        for i, (x, name) in enumerate(zip(leaves, names, strict=True)):
            varies = isinstance(x, Handle | np.ndarray | np.generic) or type(x) in (float, complex)
            if not varies and not isinstance(x, bool | int | str | None):
                raise not_an_input(self.name, name, x)
            static.append(VARYING if varies else x)
            arguments.append(self._argument(Argument(i, name), x) if varies else x)
        self.signature = Signature(self.name, form_of(inputs), tuple(names), tuple(static))
        return tuple(rebuild(arguments))

    def _argument(self, source: Argument, x: Any) -> Handle:
        """A Tensor for an argument, in whose place another will be at another run: what is outside is none of it."""
        made = self.input(source, _apart(unwrap(x)))
        if isinstance(x, Handle):
            made.node = x.node
        self.arguments[self.variable_of(made)] = Given(source.name, x, made)
        return made

    def form_of_results(self, result: Any, named: bool) -> Form:
        """The variables of the results."""
        leaves, rebuild = flatten(result)
        for x in leaves:
            if not isinstance(x, Handle):
                raise no_tensor_returned(self.name, x)
        variables: Any = tuple(self._atom(x, x.array) for x in leaves)  # Tensors are never literals
        return Form(rebuild, variables, named)

    # Operations

    def computed(self, op: Operation, operands: tuple[Any, ...], args: list[Array], value: Any) -> Any:
        """Write down an operation; returns the value that it has from now on."""
        inputs = tuple([self._atom(x, arg) for x, arg in zip(operands, args, strict=True)])
        value = normal(value)
        self._equation(op, inputs, value)
        return value

    def _equation(self, op: Operation, inputs: tuple[Atom, ...], value: Any) -> None:
        outputs: tuple[Variable, ...] = (self._new_variable(value),)
        if op.primitive.saves:
            outputs += (self._new_variable(op.saved),)
        self.equations.append(Equation(Operation(op.primitive, op.params), inputs, outputs, self.place_of(op)))

    def place_of(self, op: Operation) -> Place | None:
        """The line of the user's program that makes an equation."""
        return user_place()

    def named(self, value: Any, node: Node | None, operands: tuple[Any, ...], args: list[Array]) -> Handle:
        """The Tensor that names a result; with the operands of its node, for the rules of its derivative."""
        tensor = self._name(value, node, self._last)
        self._made.append((ref(tensor), self.equations[-1].place))
        if node is not None:
            followed = tuple([isinstance(x, Handle) and x.node is not None for x in operands])
            self.equations[-1] = self.equations[-1]._replace(followed=followed)
            self._nodes[self.equations[-1].outputs[0]] = node
            pairs = zip(operands, args, strict=True)
            self._operands[node] = tuple(self._again(x, arg) if isinstance(x, Handle) else arg for x, arg in pairs)
        return tensor

    def adopted(self, tensor: Handle) -> None:
        """Note a Tensor that was made of another one, by a constructor."""
        self._made.append((ref(tensor), user_place()))

    def _name(self, value: Any, node: Node | None, variable: Variable) -> Handle:
        """A Tensor of a variable, of which an array tells itself which it is."""
        if value.__class__ not in NUMBERS:
            return name_of(value, node)
        tensor = number_named(value)
        self._variables[id(tensor)] = variable
        self._kept.append(tensor)
        return tensor

    def _again(self, tensor: Handle, value: Any) -> Handle:
        """Another Tensor of the same variable, which stays what it is."""
        made = self._name(value, None, self._variables[id(tensor) if value.__class__ in NUMBERS else id(value)])
        self._own[id(made)] = made
        return made

    def own(self, array: Array) -> Handle:
        """A Tensor that nobody has outside: to write to it has no effect there."""
        made = name_of(array, None)
        self._own[id(made)] = made
        return made

    def names_of(self, node: Node) -> tuple[Handle, tuple[Any, ...]]:
        """Result and operands of a node as Tensors, so that its rules are written down."""
        if node not in self._operands:
            raise from_outside(self.name, node)
        return name_of(node.value, None), self._operands[node]

    def replaced(self, node: Node, other: Node) -> None:
        """Note that a node has the operation and the operands of one that was made here."""
        self._operands[other] = self._operands[node]

    def _new_variable(self, value: Any) -> Variable:
        variable = self._last = Variable(len(self._kept), value)
        self._kept.append(value)
        if value.__class__ not in NUMBERS:
            self._variables[id(value)] = variable
        return variable

    def _remember(self, variable: Variable, value: Any) -> None:
        """Keep a small input, to show what the program is run with."""
        if np.size(value) <= SMALL:
            self._examples[variable] = np.array(value)[()] if isinstance(value, np.ndarray) else value

    def _variable_of(self, tensor: Handle, value: Any) -> Variable:
        """A new variable for a Tensor that is an input."""
        variable = self._new_variable(value)
        self._remember(variable, value)
        if value.__class__ in NUMBERS:
            self._variables[id(tensor)] = variable
            self._kept.append(tensor)
        return variable

    def input(self, source: Source, value: Any) -> Handle:
        """A Tensor of a new input."""
        variable = self._new_variable(value)
        self._remember(variable, value)
        self.inputs[variable] = source
        return self._name(value, None, variable)

    def _atom(self, operand: Any, arg: Any) -> Atom:
        """The variable of an operand: a known one, or a new input of the program; numbers are written as they are."""
        is_number = arg.__class__ in NUMBERS
        variable = self._variables.get(id(operand) if is_number else id(arg))
        if variable is not None:
            if isinstance(operand, Handle) and operand.node is not None:
                self._require_grad(variable, operand)
            return variable
        if isinstance(operand, Handle):
            variable = self._variable_of(operand, arg)
            self.inputs[variable] = OfTensor(operand, _name_of(operand))
        elif is_number or (isinstance(arg, np.generic) and not isinstance(arg, np.bool_)):
            return Literal(arg)
        else:
            variable = self._new_variable(arg)
            self.constants[variable] = Constant(arg, self.digest(arg))
        return variable

    def _require_grad(self, variable: Variable, tensor: Handle) -> None:
        """Read an input from the Tensor that requires grad, if there is a detached one of the same memory, too."""
        source = self.inputs.get(variable)
        if isinstance(source, OfTensor) and source.tensor.node is None:
            self.inputs[variable] = OfTensor(tensor, _name_of(tensor))

    def digest(self, array: Array) -> int:
        """What tells whether a constant is the same at another run."""
        return digest_of(array)

    def variable_of(self, tensor: Handle) -> Variable:
        """The variable of a Tensor of the program."""
        variable = self._atom(tensor, tensor.array)
        assert isinstance(variable, Variable)  # a Tensor is never written as a number
        return variable

    # Effects

    def rebound(self, tensor: Handle, in_memory: bool) -> None:
        """Note, before a Tensor moves on to a new value, that it does, where eagerly its memory may be written to."""
        if id(tensor) in self._own:
            return
        for argument in self.arguments.values():
            if tensor is argument.value or tensor is argument.tensor:
                raise argument_changed(self.name, argument.name)
        source = self.inputs.get(self._atom(tensor, tensor.array))  # type: ignore[arg-type]  # of a Tensor a variable
        if id(tensor) not in self._written and isinstance(source, OfTensor):
            target = OfTensor(tensor, source.name, in_memory)
            self._written[id(tensor)] = (target, tensor.array)

    def reading(self, tensor: Handle, how: str) -> None:
        """Refuse to give out a value, which a program cannot follow; options may be looked at, and are guarded."""
        known = self._variables.get(id(tensor) if tensor.array.__class__ in NUMBERS else id(tensor.array))
        source = None if known is None else self.inputs.get(known)
        if isinstance(source, OfEntry) and how == "bool()":
            look = source.look
            self.guard(f"whether {source} is 0", f"bool({look.text})", look.objects)
            return
        raise value_read(self.name, tensor, how, user_place())

    def seen(self, what: str, look: Callable[[], Any] | Look) -> None:
        """Note how something is that must be the same at every run."""
        self.guards.append(Guard(what, look, look()))

    def guard(self, what: str, text: str, objects: tuple[Any, ...]) -> None:
        """Note what an expression is that must be the same at every run; once for the same objects."""
        key = (text, *map(id, objects))
        if key not in self._guarded:
            self._guarded.add(key)
            self.seen(what, Look(text, objects))

    def entering(self, module: Any) -> None:
        """Note what a module is like when it is called, but for what the function itself changes in it."""
        if id(module) not in self._modules:
            self._modules[id(module)] = (module, _attributes_of(module))

    def grad_read(self, node: Node) -> None:
        """Note that the gradient of a leaf is looked at."""
        if node in self._grads or node.seq > self.start:
            return
        kept, source = notes_of(node).grad, OfGrad(node)
        self.guard(f"whether there is {source}", "{0}() is not None", (source.read,))
        self.grad_changed(node)
        if kept is not None and id(kept.array) not in self._variables:
            self.inputs[self._new_variable(kept.array)] = source

    def grad_changed(self, node: Node) -> None:
        """Note, before the gradient of a leaf changes, what it is."""
        if node not in self._grads and node.seq < self.start:
            for argument in self.arguments.values():
                if argument.tensor.node is node:
                    raise argument_has_grad(self.name, argument.name)
            self._grads[node] = notes_of(node).grad

    def entries(self, mapping: MutableMapping[str, Any], fixed: Sequence[str] = ()) -> Entries:
        """A dict whose numbers and arrays, but for those that are fixed, are Tensors, to be written back at the end."""
        return Entries(self, mapping, fixed)

    def on_failure(self, undo: Callable[[], Any]) -> None:
        """What is to be done if the function raises."""
        self._undo.append(undo)

    def draw(self, op: Operation, generator: "np.random.Generator") -> Handle:
        """Random numbers as a Tensor."""
        if self._pending:
            return name_of(self._pending.pop(0), None)
        self._generators.remember(generator)
        value = normal(op.primitive.forward(**op.params))
        self._equation(op, (), value)
        self._drawn.append(value)
        return name_of(value, None)

    def draws(self) -> int:
        """How many times random numbers were drawn."""
        return len(self._drawn)

    @contextmanager
    def drawing_again(self, first: int, last: int) -> Iterator[None]:
        """Let the draws in the block give what those with these numbers gave."""
        before, self._pending = self._pending, self._drawn[first:last]
        try:
            yield
        finally:
            self._pending = before

    def repeating(self, state: dict[str, Any]) -> AbstractContextManager[None]:
        """Refuse to compute once more in the program what was computed outside."""
        raise checkpoint_outside(self.name)

    # Loops and branches

    def scanned(self, *how: Any) -> Any:
        """`scan` as an operation of the program."""
        return bodies.scanned(self, *how)

    def looped(self, *how: Any) -> Any:
        """`while_loop` as an operation of the program."""
        return bodies.looped(self, *how)

    def chosen(self, *how: Any) -> Any:
        """`cond` as an operation of the program."""
        return bodies.chosen(self, *how)

    # The end

    def close(self, form: Form, result: Any, commit: bool = True) -> Program:
        """The program; now what the function has changed is changed outside, unless that is taken back next."""
        for module, at_first in self._modules.values():
            kind, now_there = type(module).__name__, _attributes_of(module)
            if at_first.pop("training", None) == now_there.pop("training", None):
                self.seen(f"whether {kind} is in training", partial(getattr, module, "training"))
            same = [name for name, value in at_first.items() if now_there.get(name) == value]
            self.seen(f"a {kind}", partial(_some_attributes_of, module, same))
        effects: list[tuple[Target, Variable | None]] = []
        commits: list[tuple[Target, Any]] = []

        def change(target: Target, tensor: Handle | None) -> None:
            effects.append((target, None if tensor is None else self._atom(tensor, tensor.array)))  # type: ignore[arg-type]
            commits.append((target, None if tensor is None else tensor.array))

        for written, _ in self._written.values():
            change(written, written.tensor)
        for node, before in self._grads.items():
            kept = notes_of(node).grad
            if kept is not before or id(kept) in self._written:
                change(OfGrad(node), kept)
        for entry, tensor, before in self.known_entries.values():
            if tensor.array is not before:
                change(entry, tensor)
        hooks = self._hooks()
        self._let_go_of_graphs(result)
        self._refuse_leaks(result)
        self._forget()
        program = Program(
            self.name, self.signature, self.inputs, self.constants, self.equations, form, effects, self.guards
        )
        program.examples = self._examples
        program.hooks = hooks
        self._restore_memory()
        for target, value in commits if commit else ():
            target.write(np.array(value)[()] if isinstance(value, np.ndarray | np.generic) else value)
        program.result = form.present([x.array for x in flatten(result)[0]])
        return program

    def _hooks(self) -> dict[Variable, tuple[Callable[[Any], Any], ...]]:
        """What has been registered to see gradients."""
        nodes = {x: given.tensor.node for x, given in self.arguments.items()} | self._nodes
        return {x: tuple(n.notes.hooks.values()) for x, n in nodes.items() if n and n.notes and n.notes.hooks}

    def _let_go_of_graphs(self, result: Any) -> None:
        """Forget nodes, which nobody needs any more: they hold Tensors, such as those that a checkpoint has."""
        self._operands.clear()
        self._nodes.clear()
        for x in flatten(result)[0]:
            if x.node is not None and x.node.op is not None and x.node.seq > self.start:
                x.node = None

    def _refuse_leaks(self, result: Any) -> None:
        """Raise if a Tensor lives on outside: it would never change again."""
        known = {id(x) for x in flatten(result)[0]} | {id(notes_of(node).grad) for node in self._grads}
        known |= {id(x) for x in self._kept} | {id(tensor) for _, tensor, _ in self.known_entries.values()}
        known |= {id(target.tensor) for target, _ in self._written.values()}
        if self._left_behind(known):
            gc.collect()  # what is referred to in a circle only is about to go
        if left := self._left_behind(known):
            raise leaked(self.name, left[0])

    def _left_behind(self, known: set[int]) -> list[Place | None]:
        return [place for made, place in self._made if (x := made()) is not None and id(x) not in known]

    def _forget(self) -> None:
        """Let go of what gave its identity: Tensors that then die were made by the function, and are constants."""
        written = {id(target.tensor) for target, _ in self._written.values()}
        read = {
            x: (ref(source.tensor), source.tensor.array, source.name)
            for x, source in self.inputs.items()
            if isinstance(source, OfTensor) and id(source.tensor) not in written
        }
        for x in read:
            del self.inputs[x]
        self._own.clear()
        self._variables.clear()
        self._kept.clear()
        for x, (tensor, array, name) in read.items():
            alive = tensor()
            if alive is None and self._is_of_outer(array):
                alive = name_of(array, None)
            if alive is not None:
                self.inputs[x] = OfTensor(alive, name)
            else:
                self.constants[x] = Constant(array, self.digest(array))

    def _is_of_outer(self, array: Array) -> bool:
        """Whether it is a value of a function around this one, by whatever Tensor, and so no constant."""
        outer = self._outer
        while outer is not None and id(array) not in outer._variables:
            outer = outer._outer
        return outer is not None

    def _restore_memory(self) -> None:
        for target, memory in self._written.values():
            target.tensor.array = memory

    def take_back(self) -> None:
        """Let values, gradients and random numbers be what they were before the function ran."""
        self._restore_memory()
        for node, grad in self._grads.items():
            notes_of(node).grad = grad
        self._generators.restore()

    def roll_back(self) -> None:
        """Make everything what it was before."""
        self.take_back()
        for undo in reversed(self._undo):
            undo()


def _apart(value: Any) -> Any:
    """The same value as an object of its own."""
    if isinstance(value, np.ndarray):
        return value.view()
    return np.array(value)[()] if isinstance(value, np.generic) else value


def _is_simple(value: Any) -> bool:
    """Whether it is an option that can be compared: NaN cannot."""
    if type(value) is tuple:
        return all(map(_is_simple, value))
    return type(value) in (bool, int, float, str, type(None)) and value == value


def _attributes_of(module: Any) -> dict[str, Any]:
    """What decides how a module computes: its options by their values, and its parts by their identities."""
    found = {name: value for name, value in vars(module).items() if _is_simple(value)}
    for table in ("_parameters", "_buffers", "_modules"):
        found |= {name: id(part) for name, part in vars(module)[table].items()}
    return found


def _some_attributes_of(module: Any, names: Sequence[str]) -> dict[str, Any]:
    found = _attributes_of(module)
    return {name: found.get(name) for name in names}


def _name_of(tensor: Handle) -> str:
    name = getattr(tensor, "name", None)
    return f"the Tensor {name!r}" if name else f"a Tensor of shape {np.shape(tensor.array)}"
