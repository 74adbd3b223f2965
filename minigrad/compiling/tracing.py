"""A function written down together with its derivative."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad.autograd import walk
from minigrad.core import Handle, Node, collect, leaf, name_of
from minigrad.program import Equation, Program, Variable, remove_dead_code, share_common_subexpressions
from minigrad.program.equations import Argument, OfTensor, form_of
from minigrad.program.passes import leading_to
from minigrad.program.tracing import Interpreter
from minigrad.tree import flatten, paths


class Pullback(NamedTuple):
    """How the gradient of one result goes back to what the function was computed from.

    Attributes
    ----------
    equations : list of Equation
        What is computed of the seed and of values of the forward pass.
    seed : Variable
    needed : list of Variable
        The values of the forward pass that it takes.
    gradients : dict of Variable to Variable
        Of inputs of the program that require grad, the gradients.
    """

    equations: list[Equation]
    seed: Variable
    needed: list[Variable]
    gradients: dict[Variable, Variable]


class Differentiable(NamedTuple):
    """A program, and for each of its results a pullback, or None where it does not require grad.

    `written` is the program as it was traced, in which nothing is shared that gradients do not all go through.
    """

    program: Program
    pullbacks: list[Pullback | None]
    written: Program


def trace_with_pullbacks(f: Callable[..., Any], name: str, inputs: tuple[Any, ...]) -> Differentiable:
    """Run ``f(*args, **kwargs)`` once, for ``inputs = (args, kwargs)``, and write down it and its derivative.

    Raises what `minigrad.program.trace` raises.
    """
    pulled: list[Pulled | None] = []
    forward = 0

    def pull(interpreter: Interpreter, results: Sequence[Any]) -> None:
        nonlocal forward
        forward = len(interpreter.equations)
        pulled.extend(_pulled(interpreter, i, x) for i, x in enumerate(results))

    program = traced(f, name, inputs, pull)
    return _parted(program, forward, pulled)


def traced(
    f: Callable[..., Any],
    name: str,
    inputs: tuple[Any, ...],
    then: Callable[[Interpreter, Sequence[Any]], None] | None = None,
) -> Program:
    """Run ``f(*args, **kwargs)`` once, for ``inputs = (args, kwargs)``, and write it down; nothing is changed by it.

    Before the program is closed, `then` is given the interpreter and the results.  Raises what
    `minigrad.program.trace` raises.
    """
    leaves, rebuild = flatten(inputs)
    # Arguments that require grad begin graphs of their own, each a new one.
    fresh = [name_of(x.array, leaf(x.array)) if isinstance(x, Handle) and x.node is not None else x for x in leaves]
    interpreter = Interpreter(name)
    args, kwargs = interpreter.open(tuple(rebuild(fresh)), _names_of(f, *inputs))
    try:
        with interpreter:
            result = f(*args, **kwargs)
            form = interpreter.form_of_results(result, any(isinstance(x, Handle) for x in leaves))
            if then is not None:
                then(interpreter, flatten(result)[0])
        del args, kwargs
        program = interpreter.close(form, result, commit=False)
        # By itself the program takes all arguments by their places.
        program.signature = program.signature._replace(form=form_of((*inputs[0], *inputs[1].values())))
    except BaseException:
        interpreter.roll_back()
        raise
    interpreter.take_back()  # a run of the program will do it all; an optimizer keeps the state that it begins with
    return program


def _names_of(f: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[str]:
    """What the leaves of the arguments are called: by the function's own names."""
    try:
        parameters = inspect.signature(getattr(f, "forward", f)).parameters.values()  # of a model
    except (TypeError, ValueError):  # some of C do not tell
        parameters = ()  # type: ignore[assignment]  # none
    known = [x.name for x in parameters if x.kind in (x.POSITIONAL_ONLY, x.POSITIONAL_OR_KEYWORD)]
    named = [*zip([*known, *(f"args[{i}]" for i in range(len(known), len(args)))], args, strict=False), *kwargs.items()]
    return [name for prefix, tree in named for name in paths(tree, prefix)]


# A seed, and gradients by the variables of what they belong to
Pulled = tuple[Variable, dict[Variable, Variable]]


def _pulled(interpreter: Interpreter, number: int, result: Handle) -> Pulled | None:
    """Go back from one result to what was there before the function ran."""
    if result.node is None:
        return None
    nodes = collect([result.node], interpreter.start)
    if any(node.released for node in nodes):
        return None  # a backward pass of the function's own has used the graph up
    places = {node: x for x, node in _nodes_of(interpreter).items()}
    wanted = [node for node in nodes if node in places]
    if not wanted:
        return None
    # As if there were one more argument for each result.
    source = Argument(len(interpreter.signature.names) + number, f"the gradient of result {number}")
    seed = interpreter.input(source, np.ones_like(result.array))
    found: Mapping[Node, Any] = walk([result], [seed], wanted, True, False)
    gradients = {places[node]: interpreter.variable_of(g) for node, g in found.items()}
    return interpreter.variable_of(seed), gradients


def _nodes_of(interpreter: Interpreter) -> dict[Variable, Node]:
    """The nodes of Tensors that were there before."""
    found: dict[Variable, Node] = {}
    for x, source in interpreter.inputs.items():
        if isinstance(source, OfTensor):
            node = source.tensor.node
        else:
            node = interpreter.arguments[x].tensor.node if x in interpreter.arguments else None
        if node is not None:
            found[x] = node
    return found


def _parted(program: Program, forward: int, pulled: Sequence[Pulled | None]) -> Differentiable:
    """The program without what was written down of its derivative, and that by itself."""
    written = _with_results(program, program.outputs).changed(program.equations[:forward])
    own = {x for equation in written.equations for x in equation.outputs}
    gradients = [g for pair in pulled if pair is not None for g in pair[1].values()]
    everything = _with_results(program, (*program.outputs, *gradients))
    everything = remove_dead_code(share_common_subexpressions(everything))
    results = everything.outputs[: len(program.outputs)]
    renamed = dict(zip((*program.outputs, *gradients), everything.outputs, strict=True))
    known = own | set(program.inputs) | set(program.constants)
    pullbacks: list[Pullback | None] = []
    for pair in pulled:
        if pair is None:
            pullbacks.append(None)
            continue
        seed, found = pair
        ends = {x: renamed[g] for x, g in found.items()}
        equations = leading_to(ends.values(), [e for e in everything.equations if e.outputs[0] not in own])
        made = {x for equation in equations for x in equation.outputs}
        used = {x: None for equation in equations for x in equation.inputs if isinstance(x, Variable)}
        used.update(dict.fromkeys(ends.values()))
        needed = [x for x in used if x not in made and x is not seed]
        assert known.issuperset(needed)
        pullbacks.append(Pullback(equations, seed, needed, ends))
    kept = {x for pullback in pullbacks if pullback is not None for x in pullback.needed}
    equations = [e for e in everything.equations if e.outputs[0] in own]
    ours = _with_results(everything, results).changed(equations)
    seeds = {pair[0] for pair in pulled if pair is not None}
    ours.inputs = {x: source for x, source in everything.inputs.items() if x not in seeds}
    ours.constants = {x: c for x, c in everything.constants.items() if x in kept or x in ours.constants}
    ours.result = program.result
    return Differentiable(ours, pullbacks, written)


def _with_results(program: Program, results: tuple[Variable, ...]) -> Program:
    """The program with other results, whose tree is of no interest."""
    made = program.changed(program.equations)
    made.inputs, made.constants = dict(program.inputs), dict(program.constants)
    made.form = program.form._replace(variables=results)
    return made
