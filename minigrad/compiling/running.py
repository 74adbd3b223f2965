"""Equations as a function to call: as kernels of C if that is possible, and otherwise operation by operation."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy._core import umath

from minigrad import random
from minigrad.compiling.assembling import Misfit
from minigrad.compiling.fusing import fused, in_tiles
from minigrad.compiling.kernels import Lowered, lowered
from minigrad.compiling.straight import straight_line
from minigrad.program import Equation, Variable

FEW = 4  # misfits after which it is asked whether kernels are worth it


def raises() -> bool:
    """Whether somebody wants an exception, or a call, at a division by zero and the like, which kernels do not see."""
    return any(how not in ("ignore", "warn") for how in np.geterr().values())


def _handling() -> Any:
    """What tells how such errors are handled, without a look at it."""
    variable = getattr(umath, "_extobj_contextvar", None)  # which is not public
    return None if variable is None else variable.get()


_usual = None if raises() else _handling()


def raising() -> bool:
    """`raises`, quickly."""
    handling = _handling()
    return (handling is not _usual or handling is None) and raises()


class Runner:
    """A function of the values of some variables that computes those of others.

    Attributes
    ----------
    plainly : callable
        It without kernels.
    lowered : Lowered or None
        It with kernels.
    reason : str
        Why there are none.
    """

    def __init__(
        self,
        name: str,
        equations: Sequence[Equation],
        inputs: Sequence[Variable],
        outputs: Sequence[Variable],
        ordered: Collection[Variable] = (),
        targets: Mapping[Variable, Variable] | None = None,
        quick: bool = False,
    ) -> None:
        self._quick = quick
        self._targets = targets or {}
        self._form = (name, equations, inputs, outputs)
        self.draws = any(e.operation.primitive.facts.kind == "draw" for e in equations)
        self.plainly: Callable[..., tuple[Any, ...]] = straight_line(
            name, fused(equations, outputs), inputs, outputs, ordered
        )
        self.lowered: Lowered | None = None
        self.reason = "it has not run yet"
        self._ready = False
        self.calls = self.misfits = 0

    def prepare(self, values: Sequence[Any]) -> None:
        """Make kernels for values of these forms."""
        self._ready = True
        found: Lowered | str = "not asked for"
        if self._quick:
            found = lowered(*self._form, values, self.plainly, self._targets, quick=True)
        if isinstance(found, str):  # perhaps the C library has no functions of several numbers at once
            found = lowered(*self._form, values, self.plainly, self._targets)
        if isinstance(found, str):
            self.reason = found
        else:
            self.lowered = found

    def __call__(self, *values: Any) -> tuple[Any, ...]:
        """The values of the outputs."""
        if not self._ready and not raising():
            self.prepare(values)
        if self.lowered is None or raising():
            return self.plainly(*values)
        self.calls += 1
        state = random.get_state() if self.draws else None
        try:
            return self._pure(self.lowered, values) if self.lowered.targets else self.lowered.run(*values)
        except Misfit:
            if state is not None:
                random.set_state(state)
            self.misfits += 1
            if self.misfits >= FEW and 2 * self.misfits > self.calls:
                self.lowered, self.reason = None, "most calls were none that the kernels could do"
            return self.plainly(*values)

    def _pure(self, lowered: Lowered, values: Sequence[Any]) -> tuple[Any, ...]:
        """What the kernels make, without a change of what they would write to."""
        _, _, inputs, outputs = self._form
        written = set(lowered.targets.values())
        values = [v.copy() if x in written else v for x, v in zip(inputs, values, strict=True)]
        found = dict(zip(inputs, values, strict=True))
        made = lowered.run(*values)
        return tuple(
            [found[lowered.targets[x]] if x in lowered.targets else y for x, y in zip(outputs, made, strict=True)]
        )

    def parts(self) -> Mapping[int, tuple[str, ...]]:
        """What computes each equation, by its number: a kernel and a loop, or tiles; nothing of steps of Python."""
        if self.lowered is not None:
            return self.lowered.parts
        _, equations, _, _ = self._form
        groups = [group for group in in_tiles(equations) if len(group) > 1]
        number_of = {equation.outputs[0]: i for i, equation in enumerate(equations)}
        return {number_of[e.outputs[0]]: (f"tiles {i + 1}",) for i, group in enumerate(groups) for e in group}

    def described(self) -> list[str]:
        """What it runs as, in words."""
        if self.lowered is None:
            return [f"operation by operation: {self.reason}"]
        loops = sum(source.count("static __attribute__((noinline)) void") for source in self.lowered.sources)
        kernels = len(self.lowered.sources)
        words = [f"functions of C: {kernels}, with loops over elements: {loops}"]
        if self.misfits:
            words.append(f"calls that they could not do: {self.misfits} of {self.calls}")
        counted: dict[str, int] = {}
        for step in self.lowered.steps:
            counted[step] = counted.get(step, 0) + 1
        return words + [f"in Python, {count} times: {step}" for step, count in counted.items()]
