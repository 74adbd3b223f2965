"""Makes a short program of a long one that shows the same fault, and writes it down as a file to run."""

import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from tests.fuzz import ways
from tests.fuzz.checks import Disagreement, Examination, examine
from tests.fuzz.programs import Program, literal


def shrink(program: Program, disagreement: Disagreement) -> tuple[Program, Disagreement]:
    """The shortest program found in which the same goes wrong in the same way."""

    def fails(candidate: Program) -> Disagreement | None:
        try:
            with np.errstate(all="raise", under="ignore"):
                values_of(candidate)
            found = examine(candidate, [disagreement.way])
        except Exception:  # unsure, or not a program that the reference can run inside of its domains
            return None
        return found if found is not None and found.kind() == disagreement.kind() else None

    shorter = True
    while shorter:
        shorter = False
        for candidate in _candidates(program):
            if candidate.size() < program.size() and (found := fails(candidate)):
                program, disagreement, shorter = candidate, found, True
                break
    return program, disagreement


def _candidates(program: Program) -> Iterator[Program]:
    """Programs with one output, without a step, or with a leaf for all that a value was computed from."""
    for name in program.outputs if len(program.outputs) > 1 else ():
        yield pruned(replace(program, outputs=(name,)))
    for name in program.outputs if len(program.outputs) > 1 else ():
        yield pruned(replace(program, outputs=tuple(x for x in program.outputs if x != name)))
    numbers = values_of(program)
    for step in reversed(program.steps):
        rest = tuple(other for other in program.steps if other is not step)
        value = numbers[step.out]
        if value.dtype.kind in "fc" and program.outputs != (step.out,):
            yield pruned(replace(program, leaves={**program.leaves, step.out: value}, steps=rest))
        for name in step.names():
            if (numbers[name].shape, numbers[name].dtype) == (value.shape, value.dtype):
                yield pruned(_instead(replace(program, steps=rest), step.out, name))
    for name, x in program.leaves.items():
        if x.ndim and x.size > 1:
            for axis in range(x.ndim):
                yield replace(program, leaves={**program.leaves, name: np.take(x, [0], axis=axis)})


def values_of(program: Program) -> dict[str, np.ndarray]:
    """The values of all steps."""
    everything = replace(program, outputs=tuple(step.out for step in program.steps))
    found = everything.refer(*program.leaves.values())
    return {**program.leaves, **dict(zip(everything.outputs, map(np.asarray, found), strict=True))}


def _instead(program: Program, old: str, new: str) -> Program:
    steps = tuple(step.renamed({old: new}) for step in program.steps)
    return replace(program, steps=steps, outputs=tuple(new if name == old else name for name in program.outputs))


def pruned(program: Program) -> Program:
    """Without what the outputs do not depend on."""
    needed = set(program.outputs)
    steps = []
    for step in reversed(program.steps):
        if step.out in needed:
            steps.append(step)
            needed.update(step.names())
    leaves = {name: x for name, x in program.leaves.items() if name in needed}
    return Program(leaves, tuple(reversed(steps)), program.outputs)


# A file to run


def reproducer(program: Program, disagreement: Disagreement) -> str:
    """Python that compares what minigrad says with what was expected, and needs nothing of this package."""
    examination = Examination(program)
    if disagreement.way == "values":
        ways_needed, run, expected = "", VALUES, _listed(examination.expected.values)
    else:
        ways_needed = f"{inspect.getsource(ways.loss_of)}\n\n{inspect.getsource(getattr(ways, disagreement.way))}\n\n"
        given = dict(zip(("leaves", "weights", "direction"), examination.arguments(disagreement.way), strict=False))
        run = "".join(f"{name} = {_listed(arrays)}\n" for name, arrays in given.items() if name != "leaves")
        run += f"found = {disagreement.way}(program, {', '.join(given)})\nprint(found)\n"
        expected = _listed(examination.expected.tangents) if disagreement.way == "jvp" else ""
        if disagreement.along is not None:
            run += f"along = {_listed(disagreement.along)}\n{ALONG}"
            expected = f"[{disagreement.expected!r}]"
    compare = COMPARE.format(expected=expected, tolerance=examination.tolerance) if expected else ""
    head = "\n# ".join(textwrap.wrap(f"{disagreement.way}: {disagreement.problem}", 110))
    leaves = f"leaves = {_listed(examination.leaves)}\n"
    return f"# {head}\n{IMPORTS}{ways_needed}{program.source()}\n\n\n{leaves}{run}{compare}"


IMPORTS = """\
import numpy as np

import minigrad as mg
from minigrad.nn import functional as F


"""
VALUES = """\
arrays = program(*leaves)
found = [y.data for y in program(*(mg.tensor(x, requires_grad=True) for x in leaves))]
print(arrays, found, sep="\\n")
"""
ALONG = """\
found = [sum(np.sum(np.real(np.conj(g) * u)) for g, u in zip(found, along) if g is not None)]
"""
COMPARE = """\
expected = {expected}
for y, x in zip(found, expected):
    np.testing.assert_allclose(y, x, {tolerance}, {tolerance})
"""


def _listed(arrays: list[np.ndarray]) -> str:
    return f"[{', '.join(map(literal, arrays))}]"


def report(program: Program, disagreement: Disagreement) -> str:
    """The reproducer of the shortest program with the same fault."""
    return reproducer(*shrink(program, disagreement))
