"""A program as few functions of C, with what stays Python between them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad import random
from minigrad.compiling.assembling import Assembly, Misfit, Run
from minigrad.compiling.building import is_there
from minigrad.compiling.loops import trusted
from minigrad.compiling.noting import alike, bits, recorded, scrambled, varied
from minigrad.compiling.recording import Refused, copied
from minigrad.program import Equation, Variable

MISFIT = "a kernel refuses the values it was made for"


class Lowered(NamedTuple):
    """A program with kernels.

    Attributes
    ----------
    run : callable
        As `straight_line` makes it; raises Misfit, and has changed nothing then.
    targets : mapping of Variable to Variable
        Of the targets that were asked for, those whose memory it writes to.
    fresh : set of Variable
        Outputs that have memory of their own, which nobody else knows.
    sources : list of str
        The kernels' C.
    steps : list of str
        The operations that stay steps of Python, and why.
    parts : mapping of int to tuple of str
        Of equations, by their numbers: the kernel, and if it is a loop over elements the loop, that computes them.
    """

    run: Run
    targets: Mapping[Variable, Variable]
    fresh: set[Variable]
    sources: list[str]
    steps: list[str]
    parts: Mapping[int, tuple[str, ...]]


def lowered(
    name: str,
    equations: Sequence[Equation],
    inputs: Sequence[Variable],
    outputs: Sequence[Variable],
    values: Sequence[Any],
    plainly: Run,
    targets: Mapping[Variable, Variable],
    quick: bool = False,
) -> Lowered | str:
    """The equations with kernels of C; or why not.

    Parameters
    ----------
    inputs, values
        What is given, and examples of it, which have the forms and the layouts of all that will be given.
    plainly : callable
        The same without kernels: every kernel is run at once on the examples and on other numbers, and thrown away if
        one bit differs.
    """
    if not is_there():
        return "there is no compiler"
    if not trusted():
        return "objects of NumPy have another form in memory than is known"
    others = [scrambled(value, i) for i, value in enumerate(values)]
    reasons: dict[int, str] = {}
    state = random.get_state()
    try:
        for _ in range(8):
            first = recorded(equations, inputs, values, reasons)
            second = recorded(equations, inputs, others, dict(reasons), first)
            differ = [i for i in first.parts if not alike(first.parts[i], second.parts.get(i))]
            if not differ:
                break
            reasons.update(dict.fromkeys(differ, "what it does depends on values"))
        else:
            return "what its operations do depends on values"
        made = Assembly(name, equations, inputs, outputs, first, reasons, targets, quick)
        run = made.function()
    except Refused as refused:
        return str(refused)
    finally:
        random.set_state(state)
    others_like_them = [varied(value, i) for i, value in enumerate(values)]
    for example in (values, others_like_them):
        difference = _difference(run, plainly, example, inputs, outputs, made.targets, quick)
        if difference and not (example is others_like_them and difference == MISFIT):
            return difference
    steps = [f"{equations[i].operation.name}: {why}" for i, why in sorted(reasons.items())]
    return Lowered(run, made.targets, made.fresh(), made.sources, steps, made.parts)


def _difference(
    run: Run,
    plainly: Run,
    values: Sequence[Any],
    inputs: Sequence[Variable],
    outputs: Sequence[Variable],
    targets: Mapping[Variable, Variable],
    quick: bool,
) -> str:
    """Where the kernels give other bits than the program without them; empty if nowhere."""
    changed = {t: copied(np.asarray(v))[0] for t, v in zip(inputs, values, strict=True) if t in targets.values()}
    state = random.get_state()
    try:
        with np.errstate(all="ignore"):
            try:
                expected = plainly(*values)
            except Exception:  # other numbers may be none for which the function is defined
                return ""
            random.set_state(state)
            try:
                found = run(*[changed.get(x, v) for x, v in zip(inputs, values, strict=True)])
            except Misfit:
                return MISFIT
    finally:
        random.set_state(state)
    found = tuple([changed[targets[x]] if x in targets else y for x, y in zip(outputs, found, strict=True)])
    for x, a, b in zip(outputs, found, expected, strict=True):
        if not (alike_enough if quick else same_bits)(a, b):
            return f"{x!r} differs"
    return ""


def same_bits(a: Any, b: Any) -> bool:
    """Whether two values are the same to the last bit; NaN is NaN."""
    if a is None or b is None or type(a) in (int, float) or type(b) in (int, float):
        return type(a) is type(b) and bits(a) == bits(b)
    a, b = np.asarray(a), np.asarray(b)
    if (a.shape, a.dtype) != (b.shape, b.dtype):
        return False
    if a.dtype.kind in "fc":
        both = np.isnan(a) & np.isnan(b)
        a, b = np.where(both, 0, a), np.where(both, 0, b)
    return bool(a.tobytes() == b.tobytes())


def alike_enough(a: Any, b: Any) -> bool:
    """Whether two values agree as far as sums of what is a few units in the last place off do."""
    if same_bits(a, b):
        return True
    a, b = np.asarray(a), np.asarray(b)
    if (a.shape, a.dtype) != (b.shape, b.dtype) or a.dtype.kind not in "fc":
        return False
    accuracy = 1e-3 if a.dtype.itemsize // (1 + (a.dtype.kind == "c")) < 8 else 1e-9
    with np.errstate(all="ignore"):
        scale = float(np.max(np.abs(b[np.isfinite(b)]), initial=0.0))
        return bool(np.allclose(a, b, rtol=accuracy, atol=accuracy * scale, equal_nan=True))
