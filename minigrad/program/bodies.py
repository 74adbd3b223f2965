"""Bodies of loops and branches: programs in a program, and the operations that run them.

The derivative of a scan is a scan over the same rows in the other direction, whose body goes back through one step: it
begins with the carry that the forward pass has kept of that step, and computes the rest of the step again.

Gradients are added in the order in which a loop of Python would add them.  Where a result of a step is its carry, the
gradient of the result comes first, and those of its uses in the next step after it.
"""

from collections.abc import Callable, Mapping, Sequence
from math import prod
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from minigrad.autograd import walk
from minigrad.control import check_branches, check_carry, cond, pair_of, scan, single
from minigrad.core import Handle, enable_grad, interpreter, is_grad_enabled, leaf, name_of, primitive, unwrap
from minigrad.creation import asarray
from minigrad.errors.control import acts_in_a_body, hook_on_an_argument, no_derivative_of_while
from minigrad.ops.elementwise import positive
from minigrad.ops.shaping import concat, reshape
from minigrad.program.equations import (
    Argument,
    Equation,
    OfTensor,
    Variable,
    normal,
    with_hooks,
    without_history,
)
from minigrad.program.passes import remove_dead_code, share_common_subexpressions
from minigrad.several import Forms, unpacked
from minigrad.tensor import Tensor
from minigrad.tree import flatten, map_leaves

NO_HOOKS: Mapping[Variable, Sequence[Callable[[Any], Any]]] = MappingProxyType({})


class Body:
    """A function as equations, from constants and arguments to results.

    Attributes
    ----------
    equations : list of Equation
    inputs : list of Variable
        First the values that it found outside of itself, then its arguments.
    outputs : list of Variable
    followed : sequence of bool
        Through which outputs gradients go.
    hooks : dict of Variable to tuple of callable
        What sees gradients.
    """

    def __init__(
        self,
        name: str,
        equations: Sequence[Equation],
        inputs: Sequence[Variable],
        outputs: Sequence[Variable],
        followed: Sequence[bool] = (),
        hooks: Mapping[Variable, Sequence[Callable[[Any], Any]]] = NO_HOOKS,
    ) -> None:
        self.name, self.equations, self.inputs, self.outputs = name, list(equations), list(inputs), list(outputs)
        self.followed, self.hooks = followed or (False,) * len(outputs), hooks

    def run(self, *operands: Any) -> list[Any]:
        """The values of the outputs."""
        values: dict[Any, Any] = dict(zip(self.inputs, operands, strict=True))
        for equation in self.equations:
            made, params = equation.operation.primitive, equation.operation.params
            inputs = [values[x] if isinstance(x, Variable) else x.value for x in equation.inputs]
            results = made.forward(*inputs, **params)
            if made.saves:
                values.update(zip(equation.outputs, map(normal, results), strict=True))
            else:
                values[equation.outputs[0]] = normal(results)
        return [np.asarray(values[x])[()] for x in self.outputs]

    def applied(self, operands: Sequence[Any]) -> list[Any]:
        """The outputs for Tensors, as a graph."""
        values: dict[Any, Any] = dict(zip(self.inputs, operands, strict=True))
        for x in self.inputs:
            with_hooks(values[x], self.hooks.get(x, ()))
        for equation in self.equations:
            equation.apply_to(values)
            for x in equation.outputs:
                with_hooks(values[x], self.hooks.get(x, ()))
        results = zip(self.outputs, self.followed, strict=True)
        return [values[x] if follow else without_history(values[x]) for x, follow in results]

    def __repr__(self) -> str:
        return f"<{self.name}, {len(self.equations)} equations>"


def bodies_of(equation: Equation) -> list[Body]:
    """The bodies of a loop or a branch."""
    return [x for x in equation.operation.params.values() if isinstance(x, Body)]


def _traced(
    outer: Any, name: str, f: Callable[..., Any], args: tuple[Any, ...], given: Any
) -> tuple[Body, list[Any], Any]:
    """The function as a body, what it found outside, and the form of its results, with arrays as examples.

    Where gradients go must be seen in the trace: if something that is `given`, or that it finds outside, requires grad,
    the arguments do.
    """
    requires = any(map(_requires_grad, flatten(given)[0]))
    body, constants, examples = _traced_once(outer, name, f, args, requires and is_grad_enabled())
    if not requires and is_grad_enabled() and any(map(_requires_grad, constants)):
        return _traced_once(outer, name, f, args, True)
    return body, constants, examples


def _requires_grad(x: Any) -> bool:
    return isinstance(x, Handle) and x.node is not None


def _as_leaf(x: Any) -> Any:
    """A Tensor that requires grad, if it can."""
    value = np.asarray(x)[()]
    return name_of(value, leaf(value)) if value.dtype.kind in "fc" else x


def _traced_once(
    outer: Any, name: str, f: Callable[..., Any], args: tuple[Any, ...], requires: bool
) -> tuple[Body, list[Any], Any]:
    inner = outer.inner(name)
    given = inner.open(map_leaves(_as_leaf, args) if requires else args)
    try:
        with inner, np.errstate(all="ignore"):  # perhaps it is a branch that is not for these numbers
            result = map_leaves(asarray, f(*given))
        form = inner.form_of_results(result, True)
        examples = map_leaves(lambda x: x.array, result)
        followed = [_requires_grad(x) for x in flatten(result)[0]]
        del given
        program = inner.close(form, result, commit=False)
        inner.take_back()
    except BaseException:
        inner.roll_back()
        raise
    if program.effects:
        raise acts_in_a_body(name, f"changes {program.effects[0][0]}")
    if any(isinstance(program.inputs.get(x), Argument) for x in program.hooks):
        raise hook_on_an_argument(name)
    program = remove_dead_code(share_common_subexpressions(program, differentiable=True))
    if any(equation.operation.primitive.facts.kind == "draw" for equation in program.equations):
        raise acts_in_a_body(name, "draws random numbers")
    constants: list[Any] = []
    outside: list[Variable] = []
    arguments: dict[int, Variable] = {}
    for x, source in program.inputs.items():
        if isinstance(source, Argument):
            arguments[source.number] = x
        elif isinstance(source, OfTensor):
            outside.append(x)
            constants.append(source.tensor)
        else:
            raise acts_in_a_body(name, f"reads {source}")
    for x, constant in program.constants.items():
        outside.append(x)
        constants.append(constant.array)
    for guard in program.guards:
        outer.guards.append(guard)
    ordered = [arguments[i] for i in sorted(arguments)]
    body = Body(name, program.equations, [*outside, *ordered], program.outputs, followed, program.hooks)
    return body, constants, examples


def _examples(tree: Any) -> Any:
    """The values of a tree, for a function that is traced with Tensors of its own."""
    return map_leaves(lambda x: np.array(unwrap(x))[()], tree)


# Scan


class Scan(NamedTuple):
    """How a scan goes: how many operands are constants and carries, how many steps there are, in which direction."""

    constants: int
    carries: int
    length: int
    reverse: bool
    keeps: bool  # whether each step's first carry is a result, too, for the way back
    limited: bool = False  # whether the first operand says how many steps to make, of so many at most
    aliases: tuple[tuple[int, int], ...] = ()  # results that are carries: the number of one, and that of the other

    def order(self, operands: Sequence[Any]) -> Sequence[int]:
        """The rows in their order."""
        count = min(int(operands[0]), self.length) if self.limited else self.length
        return range(count)[:: -1 if self.reverse else 1]


def scanned(outer: Any, f: Callable[..., Any], carry: Any, rows: Any, count: int, reverse: bool) -> tuple[Any, Any]:
    """`scan` as an operation of a program."""
    first = map_leaves(lambda x: np.array(unwrap(x)[0])[()], rows)

    def checked(before: Any, x: Any) -> Any:
        after, y = pair_of(f(before, x))
        after = map_leaves(asarray, after)
        check_carry("scan", before, after)
        return after, y

    body, constants, (_, y) = _traced(outer, "scan", checked, (_examples(carry), first), (carry, rows))
    carries, carry_tree = flatten(carry)
    xs, ys = flatten(rows)[0], flatten(y)[0]
    operands = (*constants, *carries, *xs)
    keeps = any(isinstance(x, Handle) and x.node is not None for x in operands)
    after = body.outputs[: len(carries)]
    aliases = [(j, after.index(x)) for j, x in enumerate(body.outputs[len(carries) :]) if x in after]
    unique = {i: (j, i) for j, i in reversed(aliases)}  # one result for each carry
    how = Scan(len(constants), len(carries), count, reverse, keeps, aliases=tuple(unique.values()))
    forms = [(x.shape, x.dtype) for x in carries] + [((count, *y.shape), y.dtype) for y in ys]
    forms += [((count, *x.shape), x.dtype) for x in carries] * keeps
    results = unpacked(_scan(*operands, body=body, how=how, forms=tuple(forms)), tuple(forms))
    last, stacked = results[: len(carries)], results[len(carries) : len(carries) + len(ys)]
    return carry_tree(last), flatten(y)[1](stacked)


def _scan_rule(g: Any, y: Any, *operands: Any, body: Body, how: Scan, forms: Forms) -> list[Any]:
    """The gradients of all operands, by a scan in the other direction."""
    operands = _named(operands)
    if not how.keeps:  # nobody knew that there would be a way back: once more, with the carries
        more: Forms = (*forms, *(((how.length, *shape), dtype) for shape, dtype in forms[: how.carries]))
        y = _scan(*operands, body=body, how=how._replace(keeps=True), forms=more)
        none = np.zeros(sum(prod(shape) for shape, _ in more[len(forms) :]), unwrap(g).dtype)
        return _scan_rule(
            concat([reshape(g, -1), none]), y, *operands, body=body, how=how._replace(keeps=True), forms=more
        )
    constants, rows = operands[: how.constants], operands[how.constants + how.carries :]
    as_gradients: Forms = tuple((shape, kind if kind.kind in "fc" else np.dtype(float)) for shape, kind in forms)
    gradients, results = unpacked(g, as_gradients), unpacked(y, forms)
    kept, kept_gradients = results[-how.carries :], gradients[-how.carries :]
    ys_gradients = gradients[how.carries : -how.carries]
    varies = _varying(g, operands)
    if any(varies):  # what is carried depends on it
        first = slice(how.constants, how.constants + how.carries)
        varies[first] = [_dtype_of(x).kind in "fc" for x in operands[first]]
    entering = list(gradients[: how.carries])
    for j, i in how.aliases:
        g_y = ys_gradients[j]
        last, none = g_y[0 if how.reverse else -1], np.zeros_like(unwrap(g_y)[:1])
        entering[i] = entering[i] + last
        earlier = concat([g_y[1:], none]) if how.reverse else concat([none, g_y[:-1]])
        kept_gradients[i] = kept_gradients[i] + earlier
    others = [j for j in range(len(ys_gradients)) if j not in dict(how.aliases)]

    def back(state: Any, x: Any) -> Any:
        carry_gradients, sums = state
        before, own, results_gradients, before_gradients = x
        seeds: list[Any] = [*carry_gradients, *[None] * len(ys_gradients)]
        for j, g in zip(others, results_gradients, strict=True):
            seeds[how.carries + j] = g
        begun = [None] * how.constants + list(before_gradients) + [None] * len(own)
        found = _pulled(body, [*constants, *before, *own], seeds, varies, begun)
        of_constants, of_carry = found[: how.constants], found[how.constants : how.constants + how.carries]
        sums = [a + b for a, b in zip(sums, of_constants, strict=True)]
        return (of_carry, sums), found[how.constants + how.carries :]

    zeros = [np.zeros(np.shape(unwrap(x)), _gradient_dtype(x)) for x in constants]
    state = (entering, zeros)
    named = isinstance(g, Handle) or any(isinstance(x, Handle) for x in operands)
    (of_carry, of_constants), of_rows = scan(
        back,
        state,
        (kept, list(rows), [ys_gradients[j] for j in others], kept_gradients),
        reverse=not how.reverse,
    )
    found = [*of_constants, *of_carry, *of_rows]
    made = [x if vary else None for x, vary in zip(found, varies, strict=True)]
    return made if named else [None if x is None else unwrap(x) for x in made]


def _varying(g: Any, operands: Sequence[Any]) -> list[bool]:
    """Of which operands a gradient is wanted: in a graph of those that belong to it, else of all that can have one."""
    recorded = interpreter() is None and isinstance(g, Handle)
    return [
        _dtype_of(x).kind in "fc" and not (recorded and not (isinstance(x, Handle) and x.node is not None))
        for x in operands
    ]


def _named(operands: Sequence[Any]) -> tuple[Any, ...]:
    """In a program all arrays are values of it, and have names."""
    if interpreter() is None:
        return tuple(operands)
    return tuple([name_of(x, None) if isinstance(x, np.ndarray | np.generic) else x for x in operands])


def _dtype_of(x: Any) -> Any:
    value = unwrap(x)
    return np.asarray(value).dtype


def _gradient_dtype(x: Any) -> Any:
    dtype = _dtype_of(x)
    return dtype if dtype.kind in "fc" else np.dtype(float)


def _pulled(
    body: Body, operands: Sequence[Any], seeds: Sequence[Any], varies: Sequence[bool], begun: Sequence[Any] = ()
) -> list[Any]:
    """The gradients of the operands of a body, zeros where there are none, for gradients of its outputs.

    To what has `begun` of a gradient the rest is added.
    """
    with enable_grad():
        variables = [_variable(x) if vary else x for x, vary in zip(operands, varies, strict=True)]
        outputs = body.applied(variables)
    first = [(x, g) for x, g, vary in zip(variables, begun, varies, strict=False) if g is not None and vary]
    pairs = [*first, *zip(outputs, seeds, strict=True)]
    roots = [(y, g) for y, g in pairs if g is not None and isinstance(y, Handle) and y.node is not None]
    wanted = [x.node for x in variables if isinstance(x, Handle) and x.node is not None]
    found = walk([y for y, _ in roots], [g for _, g in roots], wanted, True, True) if roots else {}
    belongs = any(isinstance(x, Handle) and x.node is not None for x in (*operands, *seeds, *begun))
    made = []
    for x, vary in zip(variables, varies, strict=True):
        g = found.get(x.node) if vary else None
        if isinstance(g, Handle) and not belongs:  # it depends on nothing but variables of its own
            g = name_of(g.array, None)
        value = unwrap(x)
        made.append(np.zeros(np.shape(value), _gradient_dtype(x)) if g is None else g)
    return made


def _variable(x: Any) -> Any:
    """A Tensor at which a walk can end, and which depends on `x`."""
    if isinstance(x, Handle) and x.node is not None:
        return positive(x)
    made = Tensor(unwrap(x)) if interpreter() is None else positive(asarray(x))
    return made.requires_grad_()


def rows_in_order(run: Any, operands: Any, how: Any, order: Any, forms: Any) -> Any:
    """The last carry, the stacked results, and perhaps the carries of all steps, one after another."""
    number_of_constants, number_of_carries, keeps = how
    constants, rows = operands[:number_of_constants], operands[number_of_constants + number_of_carries :]
    carry = list(operands[number_of_constants : number_of_constants + number_of_carries])
    results = [np.zeros(shape, dtype) for shape, dtype in forms]
    end = len(results) - number_of_carries * keeps
    for i in order:
        for place, x in zip(results[end:], carry, strict=False):
            place[i] = x
        made = run(*constants, *carry, *[x[i] for x in rows])
        carry = made[:number_of_carries]
        for place, y in zip(results[number_of_carries:end], made[number_of_carries:], strict=True):
            place[i] = y
    for place, x in zip(results, carry, strict=False):
        place[...] = x
    return joined(results)


def joined(results: Any) -> Any:
    """All results as one value, as `packed` makes it."""
    if len(results) == 1:
        return np.array(results[0])
    return np.concatenate([np.reshape(x, -1) for x in results])


@primitive(joint=_scan_rule)
def _scan(*operands: Any, body: Body, how: Scan, forms: Forms) -> Any:
    """What a scan comes to, as `rows_in_order` gives it."""
    order, used = how.order(operands), operands[how.limited :]
    return rows_in_order(body.run, used, (how.constants - how.limited, how.carries, how.keeps), order, forms)


# While


class _While(NamedTuple):
    """How many operands the condition, the body and both of them have."""

    test_constants: int
    step_constants: int


def looped(outer: Any, test: Callable[..., Any], step: Callable[..., Any], carry: Any) -> Any:
    """`while_loop` as an operation of a program."""

    def checked(before: Any) -> Any:
        after = map_leaves(asarray, step(before))
        check_carry("while_loop", before, after)
        return after

    condition, test_constants, holds = _traced(outer, "while_loop", test, (_examples(carry),), carry)
    single(holds, "while_loop")
    body, step_constants, _ = _traced(outer, "while_loop", checked, (_examples(carry),), carry)
    carries, rebuild = flatten(carry)
    operands = (*test_constants, *step_constants, *carries)
    if any(isinstance(x, Handle) and x.node is not None for x in operands):
        raise no_derivative_of_while()
    forms = tuple((x.shape, x.dtype) for x in carries)
    how = _While(len(test_constants), len(step_constants))
    return rebuild(unpacked(_while_loop(*operands, test=condition, body=body, how=how, forms=forms), forms))


@primitive()
def _while_loop(*operands: Any, test: Body, body: Body, how: _While, forms: Forms) -> Any:
    """The first carry for which the condition does not hold."""
    return while_it_holds(test.run, body.run, operands, how)


def while_it_holds(test: Any, step: Any, operands: Any, how: Any) -> Any:
    """The first carry for which the test does not hold."""
    number, begin = how[0], how[0] + how[1]
    carry = operands[begin:]
    while test(*operands[:number], *carry)[0]:
        carry = step(*operands[number:begin], *carry)
    return joined(carry)


# Branches


def chosen(
    outer: Any, pred: Any, true_fun: Callable[..., Any], false_fun: Callable[..., Any], operands: tuple[Any, ...]
) -> Any:
    """`cond` as an operation of a program."""
    examples = _examples(operands)
    first, of_first, result = _traced(outer, "cond", true_fun, examples, operands)
    second, of_second, other = _traced(outer, "cond", false_fun, examples, operands)
    check_branches(result, other)
    leaves, rebuild = flatten(result)
    forms = tuple((x.shape, x.dtype) for x in leaves)
    everything = (pred, *of_first, *of_second, *flatten(operands)[0])
    how = _While(len(of_first), len(of_second))
    return rebuild(unpacked(_branch(*everything, first=first, second=second, how=how, forms=forms), forms))


def _parts(how: _While, operands: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any], Sequence[Any]]:
    begin = how.test_constants + how.step_constants
    return operands[: how.test_constants], operands[how.test_constants : begin], operands[begin:]


def _branch_rule(
    g: Any, y: Any, pred: Any, *operands: Any, first: Body, second: Body, how: _While, forms: Forms
) -> list[Any]:
    """The gradients of all operands: of those that only the other branch takes, zeros."""
    pred, *operands = _named((pred, *operands))  # type: ignore[assignment]  # a list will do
    as_gradients: Forms = tuple((shape, kind if kind.kind in "fc" else np.dtype(float)) for shape, kind in forms)
    gradients = unpacked(g, as_gradients)
    of_first, of_second, shared = _parts(how, operands)
    varies = _varying(g, operands)
    v_first, v_second, v_shared = _parts(how, varies)

    def zeros(tensors: Sequence[Any]) -> list[Any]:
        return [asarray(np.zeros(np.shape(unwrap(x)), _gradient_dtype(x))) for x in tensors]

    def back_first() -> Any:
        found = _pulled(first, [*of_first, *shared], gradients, [*v_first, *v_shared])
        return [*found[: len(of_first)], *zeros(of_second), *found[len(of_first) :]]

    def back_second() -> Any:
        found = _pulled(second, [*of_second, *shared], gradients, [*v_second, *v_shared])
        return [*zeros(of_first), *found[: len(of_second)], *found[len(of_second) :]]

    named = isinstance(g, Handle) or any(isinstance(x, Handle) for x in operands)
    found = cond(pred, back_first, back_second)
    made = [x if vary else None for x, vary in zip(found, varies, strict=True)]
    return [None, *(made if named else [None if x is None else unwrap(x) for x in made])]


@primitive(joint=_branch_rule)
def _branch(pred: Any, *operands: Any, first: Body, second: Body, how: _While, forms: Forms) -> Any:
    """The results of one of two branches."""
    return one_of_two(first.run, second.run, pred, operands, how)


def one_of_two(first: Any, second: Any, pred: Any, operands: Any, how: Any) -> Any:
    """The results of the first function, if it holds, or of the second one."""
    number, begin = how[0], how[0] + how[1]
    if pred:
        return joined(first(*operands[:number], *operands[begin:]))
    return joined(second(*operands[number:begin], *operands[begin:]))


# How printed programs call them


def _printed_scan(operands: list[Any], body: Body, how: Scan, forms: Forms) -> tuple[Any, list[Any]]:
    order = how.order(operands)
    return rows_in_order, [body, tuple(operands), (how.constants, how.carries, how.keeps), order, forms]


def _printed_while(operands: list[Any], test: Body, body: Body, how: _While, forms: Forms) -> tuple[Any, list[Any]]:
    return while_it_holds, [test, body, tuple(operands), tuple(how)]


def _printed_cond(operands: list[Any], first: Body, second: Body, how: _While, forms: Forms) -> tuple[Any, list[Any]]:
    return one_of_two, [first, second, operands[0], tuple(operands[1:]), tuple(how)]


_scan.primitive.printed = _printed_scan  # type: ignore[attr-defined]  # an operation has its primitive
_while_loop.primitive.printed = _printed_while  # type: ignore[attr-defined]
_branch.primitive.printed = _printed_cond  # type: ignore[attr-defined]
