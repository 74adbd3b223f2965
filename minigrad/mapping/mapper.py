"""`vmap`: a function of single samples is traced for one of them, and computed for all of them at once."""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

import numpy as np

from minigrad import random
from minigrad.core import Array, Handle, Node, Operation, Switch, interpreter, is_grad_enabled, leaf, name_of, unwrap
from minigrad.creation import asarray
from minigrad.diagnostics import Place, user_place
from minigrad.errors.functions import not_a_function
from minigrad.errors.mapping import (
    acts_in_a_batch,
    batched_result,
    drawn_in_a_batch,
    form_of_nothing,
    hook_in_a_batch,
    no_batch,
    no_such_axis,
    not_an_axis,
    nothing_mapped,
    other_axes,
    other_sizes,
    value_read_in_a_batch,
    warn_of_samples,
)
from minigrad.mapping.rules import rule_of
from minigrad.mapping.walk import Diverged, How, Value, computed, spread
from minigrad.ops.elementwise import positive
from minigrad.ops.shaping import concat, moveaxis, stack
from minigrad.options import one_of, whole_number
from minigrad.program import Program
from minigrad.program.equations import Argument, OfTensor, Variable, normal, without_history
from minigrad.program.tracing import Interpreter
from minigrad.settings import now
from minigrad.tree import flatten, is_branch, map_leaves, paths

Axes = Any  # int or None, or a tree of these


def vmap(
    f: Callable[..., Any],
    in_axes: Axes = 0,
    out_axes: Axes = 0,
    *,
    random: Literal["error", "different", "same"] = "error",
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """Make a function of batches of a function of single samples.

    The function is traced for the first sample, and each of its operations is then computed for all samples at once.
    What it returns is a part of the graph, so that `grad`, `jit`, `jacobian`, `scan`, `checkpoint` and `vmap` itself
    work on it and in it.

    Parameters
    ----------
    f : callable
        Takes and returns trees of arrays.  Inside, what is mapped over is a Tensor without the axis of the batch.
    in_axes : int, None, or a tuple of these or of trees of these
        For each positional argument the axis of its batch; None for what is the same for all samples.  A tree is for
        the parts of an argument.  Arguments by name have theirs in front.
    out_axes : int, None, or a tree of these
        Where the results shall have the axis of the batch.  What is the same for all samples is repeated, unless None
        says that it shall stay as it is.
    random : "error", "different" or "same"
        What random numbers in the function are: forbidden, others for each sample, or the same for all of them.
    chunk_size : int, optional
        How many samples to compute at once, to save memory; by default all.

    Returns
    -------
    callable
        With the arguments of `f`.  Tensors and Modules that it finds outside are the same for all samples.  It returns
        Tensors if an argument, or something found outside, is one, and ndarrays otherwise.

    Raises
    ------
    AxisError
        If an argument does not have the axis that is named.
    ShapeError
        If batches differ in size.
    ProgramError
        If the function looks at a value (``if x > 0``), writes to a Tensor outside, or draws random numbers without
        `random`.

    Notes
    -----
    `cond` and `while_loop` take their own way for each sample.  Operations that nobody has given a rule for are
    computed for one sample after another, after a warning.  NumPy does not warn of divisions by zero and the like.  The
    names are JAX's.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.vmap(np.dot)(np.ones((3, 2)), np.arange(6.0).reshape(3, 2))
    array([1., 5., 9.])
    >>> loss = lambda w, x, y: (np.dot(w, x) - y) ** 2
    >>> gradients = mg.vmap(mg.grad(loss), in_axes=(None, 0, 0))  # one for each sample
    >>> gradients(np.array([1.0, 2.0]), np.eye(2), np.zeros(2))
    array([[2., 0.],
           [0., 4.]])
    """
    if not callable(f):
        raise not_a_function(f, "vmap")
    one_of(random, "vmap: random", ("error", "different", "same"))
    if chunk_size is not None:
        chunk_size = whole_number(chunk_size, "vmap: chunk_size", least=1)

    @functools.wraps(f, updated=())
    def mapped(*args: Any, **kwargs: Any) -> Any:
        call = _Call(f, args, kwargs, in_axes)
        traced = call.traced(random)
        return traced.presented(
            call.results(traced, How(call.size, rule_of, random, drawn={}), chunk_size), out_axes, call
        )

    return mapped


def mapped_rows(f: Callable[..., Any], *batches: Any, chunk_size: int | None = None) -> list[Any]:
    """The results of a function that returns a list of arrays, with the batch in front; without warnings of loops."""
    call = _Call(f, batches, {}, 0)
    traced = call.traced("error")
    chunks = call.results(traced, How(call.size, rule_of, warns=False), chunk_size)
    whole = [[spread(x, size) for x in chunk] for chunk, size in zip(chunks, call.sizes(chunk_size), strict=True)]
    return whole[0] if len(whole) == 1 else [concat(parts) for parts in zip(*whole, strict=True)]


# Arguments


class Several:
    """An argument that stands for several of something, and is one of them inside of a mapped function."""

    def tensors(self) -> dict[str, Any]:
        """What is mapped over, by names."""
        raise NotImplementedError

    def member(self, tensors: Mapping[str, Any]) -> Any:
        """One of them, of these parts."""
        raise NotImplementedError


class _Leaf(NamedTuple):
    """A leaf of the arguments that is mapped over: its place among all leaves, its name, and its value, batch first."""

    place: int
    name: str
    value: Any


class _Call:
    """The arguments of one call, taken apart."""

    def __init__(self, f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], in_axes: Axes) -> None:
        self.f, self.name = f, getattr(f, "__name__", type(f).__name__)
        if isinstance(in_axes, tuple | list):
            if len(in_axes) != len(args):
                raise other_axes("in_axes", in_axes, f"{len(args)} arguments")
            of_args = list(in_axes)
        else:
            of_args = [in_axes] * len(args)
        named = [*((f"argument {i}", x) for i, x in enumerate(args)), *kwargs.items()]
        trees = [x.tensors() if isinstance(x, Several) else x for _, x in named]
        self.leaves, self.rebuild = flatten(trees)
        self.given = (args, kwargs)
        self.numbers: list[Any] = []  # Tensors that were made of what the function returned as plain numbers
        axes: list[int | None] = []
        names: list[str] = []
        for (name, _), tree, of in zip(named, trees, [*of_args, *[0] * len(kwargs)], strict=True):
            axes += _axes_of(of, tree, f"in_axes of {name}")
            names += paths(tree, name)
        self.mapped = [
            _Leaf(i, name, _batch_first(x, axis, name))
            for i, (x, axis, name) in enumerate(zip(self.leaves, axes, names, strict=True))
            if axis is not None
        ]
        if not self.mapped:
            raise nothing_mapped(self.name)
        sizes = [(x.name, x.value.shape[0], axes[x.place]) for x in self.mapped]
        self.size = sizes[0][1]
        if any(size != self.size for _, size, _ in sizes):
            raise other_sizes(sizes)

    def batch(self, start: int, stop: int) -> list[Any]:
        """What is mapped over, for some of the samples."""
        values = [leaf.value for leaf in self.mapped]
        return values if stop - start >= self.size else [x[start:stop] for x in values]

    def sizes(self, chunk_size: int | None) -> list[int]:
        """Of the parts in which the batch is computed."""
        step = chunk_size or max(self.size, 1)
        return [min(step, self.size - start) for start in range(0, max(self.size, 1), step)]

    def results(self, traced: "_Traced", how: How, chunk_size: int | None) -> list[list[Value]]:
        """The results for all samples, part by part."""
        step, used = chunk_size or max(self.size, 1), random.generator().bit_generator
        state = used.state
        quiet = {kind: "ignore" for kind, what in np.geterr().items() if what == "warn"}
        try:
            with np.errstate(**quiet):  # type: ignore[arg-type]  # backward passes, which meet 0 / 0, may be among it
                return [
                    traced.results(self.batch(i * step, i * step + size), how._replace(size=size))
                    for i, size in enumerate(self.sizes(chunk_size))
                ]
        except Diverged as diverged:
            if how.warns:
                warn_of_samples(self.name, diverged.place, self.size)
            used.state = state
            return [self.one_by_one(again=state if how.random == "same" else None)]

    def called(self, rows: list[Any]) -> Any:
        """What the function returns for a sample, as Tensors; the list is emptied."""
        leaves = list(self.leaves)
        for mapped, row in zip(self.mapped, rows, strict=True):
            leaves[mapped.place] = row
        rows.clear()
        args, kwargs = self.given
        values = [
            x.member(tree) if isinstance(x, Several) else tree
            for x, tree in zip([*args, *kwargs.values()], self.rebuild(leaves), strict=True)
        ]
        del leaves
        return map_leaves(
            self._tensor, self.f(*values[: len(args)], **dict(zip(kwargs, values[len(args) :], strict=True)))
        )

    def _tensor(self, x: Any) -> Any:
        if not isinstance(x, Handle):
            x = asarray(x)
            self.numbers.append(x)
        return x

    def one_by_one(self, again: Any) -> list[Value]:
        """The results of one sample after another, each from this state of the random numbers, if one is given."""
        rows = []
        for i in range(self.size):
            if again is not None:
                random.generator().bit_generator.state = again
            rows.append(flatten(self.called([x[i] for x in self.batch(0, self.size)]))[0])
        return [Value(stack(column), True) for column in zip(*rows, strict=True)]

    def traced(self, random: str) -> "_Traced":
        """The function as a program, traced for the first sample."""
        examples = [_example(leaf.value) for leaf in self.mapped]
        inner = _Interpreter(self.name, random)
        rows = list(inner.open(tuple(examples), [leaf.name for leaf in self.mapped]))
        try:
            with inner, _Unwatched(), np.errstate(all="ignore"):
                result = self.called(rows)
            return _Traced(inner, result, self.name, any(isinstance(x, Handle) for x in self.leaves), self.numbers)
        except Exception as error:
            inner.roll_back()
            if not self.size:
                raise form_of_nothing(self.name) from error
            raise
        except BaseException:
            inner.roll_back()
            raise


def _axes_of(axes: Axes, tree: Any, what: str) -> list[int | None]:
    """The axis for each leaf of a tree."""
    if axes is None or (isinstance(axes, int | np.integer) and not isinstance(axes, bool)):
        return [None if axes is None else int(axes)] * len(flatten(tree)[0])
    if not isinstance(axes, tuple | list | dict):
        raise not_an_axis(what, axes)
    keys = list(axes) if isinstance(axes, dict) else range(len(axes))
    alike = isinstance(tree, dict) and isinstance(axes, dict) and axes.keys() == tree.keys()
    if not alike and not (isinstance(tree, tuple | list) and not isinstance(axes, dict) and len(axes) == len(tree)):
        raise other_axes(what, axes, "the tree" if is_branch(tree) else f"one {type(tree).__name__}")
    keys = list(tree) if isinstance(tree, dict) else list(keys)
    return [axis for key in keys for axis in _axes_of(axes[key], tree[key], f"{what}[{key!r}]")]


def _batch_first(x: Any, axis: int, name: str) -> Any:
    value = unwrap(x)
    if not isinstance(value, np.ndarray) or not value.ndim:
        raise no_batch(name, x)
    if not -value.ndim <= axis < value.ndim:
        raise no_such_axis(name, axis, value.shape)
    return moveaxis(x, axis, 0) if axis % value.ndim else x


def _example(x: Any) -> Any:
    """A sample to trace the function with: it requires grad if the batch does."""
    value = unwrap(x)
    row = np.array(value[0])[()] if len(value) else np.zeros(value.shape[1:], value.dtype)[()]
    requires = isinstance(x, Handle) and x.node is not None and is_grad_enabled()
    return name_of(row, leaf(row)) if requires else row


# The trace


class _Interpreter(Interpreter):
    """That of a function which is mapped: it lets nothing happen that would have to happen for each sample."""

    keeps_saved = False

    def __init__(self, name: str, random: str) -> None:
        super().__init__(name)
        self._random, self._repeats = random, False
        self._found: list[Handle] = []  # Tensors that were found outside

    def inner(self, name: str) -> Interpreter:
        """Another one like this."""
        return _Interpreter(name, self._random)

    def reading(self, tensor: Handle, how: str) -> None:
        """Refuse to give out a value."""
        raise value_read_in_a_batch(self.name, tensor, how, user_place())

    def draw(self, op: Any, generator: "np.random.Generator") -> Handle:
        """Random numbers for one sample."""
        if self._repeats:
            return name_of(normal(op.primitive.forward(**op.params)), None)
        if self._random == "error":
            raise drawn_in_a_batch(self.name)
        return super().draw(op, generator)

    @contextmanager
    def repeating(self, state: dict[str, Any]) -> Iterator[None]:
        """Let draws give what they gave in a checkpoint outside, the same for all samples."""
        before, repeats = random.generator().bit_generator.state, self._repeats
        random.generator().bit_generator.state, self._repeats = state, True
        try:
            yield
        finally:
            random.generator().bit_generator.state, self._repeats = before, repeats

    @contextmanager
    def drawing_again(self, first: int, last: int) -> Iterator[None]:
        """Let draws give what they gave; in a program around this one, if there is one, it has drawn them."""
        if self._outer is None:
            with super().drawing_again(first, last):
                yield
            return
        before, self._pending = self._pending, self._outer._drawn[first:last]
        try:
            yield
        finally:
            self._pending = before

    def digest(self, array: Array) -> int:
        """Nothing: the program is run at once."""
        return 0

    def place_of(self, op: Operation) -> Place | None:
        """The line, of what there may be to say something of."""
        return None if rule_of(op.primitive) is not None and not op.primitive.facts.acts else super().place_of(op)

    def names_of(self, node: Node) -> tuple[Handle, tuple[Any, ...]]:
        """Result and operands of a node, also of one that was there before."""
        if node in self._operands:
            return super().names_of(node)
        if self._outer is not None:
            result: tuple[Handle, tuple[Any, ...]] = self._outer.names_of(node)
            return result
        pairs = zip(node.args, node.parents(), strict=True)
        return name_of(node.value, None), tuple([x if p is None else name_of(x, None) for x, p in pairs])

    def _variable_of(self, tensor: Handle, value: Any) -> Variable:
        if tensor.node is not None and tensor.node.seq < self.start:
            self._found.append(tensor)  # a backward pass has named it, perhaps; it stays alive, so that it can be read
        return super()._variable_of(tensor, value)


class _Unwatched(Switch):
    """While the function runs for the first sample: what is to be seen is what is computed of the batch."""

    setting = "watcher"

    def __init__(self) -> None:
        self.value = None


class _Traced:
    """A function as a program, and how its results are put together."""

    def __init__(self, inner: Interpreter, result: Any, name: str, named: bool, numbers: Sequence[Any]) -> None:
        leaves, self.rebuild = flatten(result)
        self.name, self.followed = name, [x.node is not None for x in leaves]
        program: Program = inner.close(inner.form_of_results(result, True), result, commit=False)
        inner.take_back()
        if program.hooks:
            raise hook_in_a_batch(name)
        if program.effects:
            raise acts_in_a_batch(name, f"changes {program.effects[0][0]}")
        if (outer := interpreter()) is not None:
            outer.guards.extend(program.guards)
        self.program, self.outputs = program, program.outputs
        found = [source.tensor for source in program.inputs.values() if isinstance(source, OfTensor)]
        self.named = named or any(all(x is not number for number in numbers) for x in found)

    def results(self, batch: Sequence[Any], how: How) -> list[Value]:
        """The results for a batch."""
        values: dict[Any, Value] = {x: Value(c.array, False) for x, c in self.program.constants.items()}
        for x, source in self.program.inputs.items():
            if isinstance(source, Argument):
                given = batch[source.number]
                named = isinstance(given, Handle) or not now().anomaly  # which looks at Tensors alone
                values[x] = Value(given if named else name_of(given, None), True)
            elif isinstance(source, OfTensor):
                values[x] = Value(source.tensor, False)
            else:
                raise acts_in_a_batch(self.name, f"reads {source}")
        computed(self.program.equations, values, how)
        pairs = zip([values[x] for x in self.outputs], self.followed, strict=True)
        return [y if follows else Value(without_history(y.array), y.batched) for y, follows in pairs]

    def presented(self, chunks: Sequence[Sequence[Value]], out_axes: Axes, call: _Call) -> Any:
        """The tree of the results, with the batch where it shall be."""
        like = self.rebuild(list(self.outputs))
        axes = _axes_of(out_axes, like, "out_axes")
        sources = [s.tensor for s in self.program.inputs.values() if isinstance(s, OfTensor)]
        given = [*call.batch(0, call.size), *sources, *(c.array for c in self.program.constants.values())]
        taken = {id(_owner(unwrap(x))) for x in given}
        made = []
        for number, (axis, *parts) in enumerate(zip(axes, *chunks, strict=True)):
            made.append(self._present(self._at_axis(axis, parts, call.size, number), taken))
        return self.rebuild(made)

    def _at_axis(self, axis: int | None, parts: Sequence[Value], size: int, number: int) -> Any:
        if axis is None:
            if parts[0].batched:
                raise batched_result(self.name, number)
            return parts[0].array
        rank = parts[0].rank + 1
        if not -rank <= axis < rank:
            raise no_such_axis(
                f"result {number}", axis, (size, *np.shape(unwrap(parts[0].array))[parts[0].batched :]), "out_axes"
            )
        if not parts[0].batched:
            return moveaxis(spread(parts[0], size), 0, axis)
        whole = parts[0].array if len(parts) == 1 else concat([part.array for part in parts])
        return moveaxis(whole, 0, axis) if axis % rank else whole

    def _present(self, y: Any, taken: set[int]) -> Any:
        """A result in memory that nobody else has, as a Tensor or an array."""
        if interpreter() is not None:
            return y
        value = unwrap(y)
        if value.__class__ is np.ndarray and (id(_owner(value)) in taken or not value.flags.writeable):
            y = positive(y) if isinstance(y, Handle) and y.node is not None else value.copy()
            value = unwrap(y)
        taken.add(id(_owner(value)))
        if isinstance(y, Handle) and y.node is not None:
            return y
        return name_of(value, None) if self.named else value


def _owner(value: Any) -> Any:
    """The array whose memory it is a view of."""
    while getattr(value, "base", None) is not None:
        value = value.base
    return value
