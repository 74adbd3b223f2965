"""Elementwise operations on large arrays, one after another on a tile, instead of each on the whole array.

What they hand on to one another then stays in the processor's cache.  Each element goes through the same loops of NumPy
as before, so no bit changes.  Sums are left alone: NumPy adds in an order that depends on the length.
"""

from collections.abc import Collection, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from minigrad.compiling.straight import Calls, is_ufunc
from minigrad.core import Operation, Primitive
from minigrad.program import Equation, Variable

TILE = 1 << 15  # bytes of a tile of the widest array: some ten of them fit into a cache of the second level
LEAST = 4  # tiles of an array that is worth it


def fused(equations: Sequence[Equation], outputs: Collection[Variable]) -> list[Equation]:
    """The equations, with groups of elementwise ones as one equation each."""
    made: list[Equation] = []
    needed: set[Any] = set(outputs)
    for group in reversed(in_tiles(equations)):
        made.append(
            _as_one(group, [e.outputs[0] for e in group if e.outputs[0] in needed]) if len(group) > 1 else group[0]
        )
        needed.update(x for equation in group for x in equation.inputs)
    return made[::-1]


def in_tiles(equations: Sequence[Equation]) -> list[list[Equation]]:
    """The equations in an order that gives the same, with those together that are computed tile by tile."""
    made: list[list[Equation]] = []
    waiting = list(equations)
    while True:
        first = next((i for i, equation in enumerate(waiting) if _is_large(equation)), len(waiting))
        made += [[equation] for equation in waiting[:first]]
        if first == len(waiting):
            return made
        group, before, waiting = _gathered(waiting[first:])
        made += [*([equation] for equation in before), group]


def _is_large(equation: Equation) -> bool:
    """Whether it may begin a group."""
    y = equation.outputs[0]
    return _fits(equation, y.shape) and prod(y.shape) * np.dtype(y.dtype).itemsize >= LEAST * TILE


def _fits(equation: Equation, shape: tuple[int, ...]) -> bool:
    """Whether it computes each element of an array of this shape of the same elements of others, and of numbers."""
    made = equation.operation.primitive
    shapes = {x.shape for x in equation.inputs if isinstance(x, Variable)}
    return (
        made.ours
        and made.facts.kind == "elementwise"
        and not made.saves
        and not made.facts.acts
        and len(equation.outputs) == 1
        and equation.outputs[0].shape == shape
        and shape in shapes
        and shapes <= {shape, ()}
    )


def _gathered(equations: Sequence[Equation]) -> tuple[list[Equation], list[Equation], list[Equation]]:
    """A group that begins with the first one; what comes before it, and what after it.

    What does not depend on the group moves to the front of it.  What acts keeps its order.
    """
    shape = equations[0].outputs[0].shape
    group: list[Equation] = []
    before: list[Equation] = []
    after: list[Equation] = []
    own: set[Any] = set()
    later: set[Any] = set()
    for equation in equations:
        if not later.isdisjoint(equation.inputs) or (equation.acts and any(other.acts for other in after)):
            after.append(equation)
            later.update(equation.outputs)
        elif _fits(equation, shape):
            group.append(equation)
            own.update(equation.outputs)
        elif own.isdisjoint(equation.inputs):
            before.append(equation)
        else:
            after.append(equation)
            later.update(equation.outputs)
    return group, before, after


def _as_one(group: Sequence[Equation], needed: list[Variable]) -> Equation:
    """The group as one equation, for a function that is written here."""
    own = {equation.outputs[0] for equation in group}
    used = dict.fromkeys([x for e in group for x in e.inputs if isinstance(x, Variable) and x not in own])
    writer = _Writer(group, list(used), needed)
    namespace = writer.names
    exec(compile(writer.text(), "<a fused group>", "exec"), namespace)
    made = Primitive(namespace["fused"], (), None, None, {"kind": "elementwise"})
    made.ours = True
    return Equation(Operation(made, {}), tuple(used), tuple(needed), group[-1].place)


class _Tile(NamedTuple):
    """The memory of a result inside of a group, and the dtype of its elements."""

    name: str
    dtype: Any


class _Writer(Calls):
    def __init__(self, group: Sequence[Equation], inputs: list[Variable], needed: list[Variable]) -> None:
        super().__init__()
        self.names |= {"np": np, "flat": _flat}
        self.group, self.inputs, self.needed = group, inputs, needed
        self.arrays = [x for x in inputs if x.shape]
        self.size = prod(group[0].outputs[0].shape)
        widest = max(np.dtype(x.dtype).itemsize for x in (*self.arrays, *(e.outputs[0] for e in group)))
        self.step = TILE // widest
        self.last: dict[Any, int] = {x: i for i, e in enumerate(group) for x in (*e.inputs, *e.outputs)}
        # What another function may have handed on as it is.
        self.shared = {x for e in group if not is_ufunc(e) for x in e.inputs}

    def text(self) -> str:
        """The function: tile by tile if the arrays lie in memory in order, and otherwise each operation for itself."""
        inside, tiles = self._inside()
        results = ", ".join(map(repr, self.needed))
        scattered = " or ".join(f"w_{x!r} is None" for x in self.arrays)
        whole = [f"        {e.outputs[0]!r} = {self.call(e)}" for e in self.group]
        # In the loop a name stands for a tile, so what is whole has another one.
        flat = [f"    w_{x!r} = flat({x!r})" for x in self.arrays]
        made = [f"    r_{x!r} = np.empty({x.shape}, {self.name(x.dtype, 'd')})" for x in self.needed]
        made += [f"    w_{x!r} = r_{x!r}.reshape(-1)" for x in self.needed]
        scratch = [f"    {t.name} = np.empty({self.step}, {self.name(t.dtype, 'd')})" for t in tiles]
        shorter = [f"            {t.name} = {t.name}[: {self.size} - i]" for t in tiles]
        return "\n".join(
            [
                f"def fused({', '.join(map(repr, self.inputs))}, /):",
                *flat,
                f"    if {scattered}:",
                *whole,
                f"        return {results}",
                *made,
                *scratch,
                f"    for i in range(0, {self.size}, {self.step}):",
                f"        j = i + {self.step}",
                *([f"        if j > {self.size}:", *shorter] if tiles and self.size % self.step else []),
                *(f"        {x!r} = w_{x!r}[i:j]" for x in self.arrays),
                *inside,
                f"    return {', '.join(f'r_{x!r}' for x in self.needed)}",
                "",
            ]
        )

    def _inside(self) -> tuple[list[str], list[_Tile]]:
        """The lines for one tile, and the memory that they need."""
        lines: list[str] = []
        tiles: list[_Tile] = []
        free: list[_Tile] = []
        held: dict[Variable, _Tile] = {}
        for number, equation in enumerate(self.group):
            (y,) = equation.outputs
            for x in dict.fromkeys(equation.inputs):
                if x in held and self.last[x] == number and x not in self.shared:
                    free.append(held.pop(x))
            whole = f"w_{y!r}[i:j]"  # the part of a result that is needed outside
            if not is_ufunc(equation):
                lines.append(f"        {y!r} = {self.call(equation)}")
                if y in self.needed:
                    lines.append(f"        {whole} = {y!r}")
                continue
            if y not in self.needed:
                held[y] = _taken(free, y.dtype) or _Tile(f"t{len(tiles)}", y.dtype)
                if held[y] not in tiles:
                    tiles.append(held[y])
            lines.append(f"        {y!r} = {self.call(equation, whole if y in self.needed else held[y].name)}")
        return lines, tiles


def _flat(x: np.ndarray) -> np.ndarray | None:
    """The elements in the order of their indices, if they can be looked at like that without a copy."""
    if x.ndim == 1 or x.flags.c_contiguous:
        return x.reshape(-1)
    if not any(x.strides):  # one number everywhere, as the gradient of a sum is
        return np.broadcast_to(x[(0,) * x.ndim], x.size)
    return None


def _taken(free: list[_Tile], dtype: Any) -> _Tile | None:
    """Memory of this dtype that nobody needs any more."""
    tile = next((tile for tile in free if tile.dtype == dtype), None)
    if tile is not None:
        free.remove(tile)
    return tile
