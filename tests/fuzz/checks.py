"""Compares what minigrad says of a program with what the reference says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import minigrad as mg
from tests.fuzz import ways
from tests.fuzz.duals import Dual
from tests.fuzz.programs import Program

WAYS = ["values", *(way.__name__ for way in ways.GRADIENTS), "jvp", *(way.__name__ for way in ways.SECOND)]


@dataclass(frozen=True)
class Disagreement:
    """What minigrad said and what was expected of it."""

    way: str
    problem: str
    found: Any = None
    expected: Any = None
    along: list[np.ndarray] | None = None  # the direction of a derivative

    def kind(self) -> tuple[str, str]:
        """What must stay when a program is made shorter."""
        return self.way, self.problem.split(":")[0]


class Unsure(Exception):  # noqa: N818 -- a verdict
    """The reference itself changes that much where the leaves change by rounding errors."""


# Numbers that are weights and directions


def wave(x: Any, shift: float) -> np.ndarray:
    """Numbers of the shape and dtype of an array: a direction, or weights; zeros for what is not differentiated."""
    x = np.asarray(x)
    if x.dtype.kind not in "fc":
        return np.zeros_like(x)
    angles = 1.7 * np.arange(x.size).reshape(x.shape) + shift
    numbers = np.cos(angles) + 1j * np.sin(2 * angles) if x.dtype.kind == "c" else np.cos(angles)
    return np.asarray(np.round(numbers, 2).astype(x.dtype))


@dataclass(frozen=True)
class Expectation:
    """What the reference says: outputs, their tangents along two directions, and their second derivative along both."""

    values: list[np.ndarray]
    tangents: list[np.ndarray]
    others: list[np.ndarray]
    bends: list[np.ndarray]


def directions(program: Program) -> tuple[list[np.ndarray], list[np.ndarray]]:
    leaves = program.leaves.values()
    return [wave(x, 1.0 + i) for i, x in enumerate(leaves)], [wave(x, 2.5 + i) for i, x in enumerate(leaves)]


def expect(program: Program, leaves: Sequence[np.ndarray]) -> Expectation:
    moving = [Dual(Dual(x, u), Dual(v, np.zeros_like(x))) for x, u, v in zip(leaves, *directions(program), strict=True)]
    parts: list[list[Any]] = [[], [], [], []]
    with np.errstate(all="ignore"):
        for y in program.refer(*moving):
            if isinstance(y, Dual):
                found = y.value.value, y.value.tangent, y.tangent.value, y.tangent.tangent
            else:
                found = y, np.zeros_like(y), np.zeros_like(y), np.zeros_like(y)
            for part, x in zip(parts, found, strict=True):
                part.append(np.asarray(x))
    return Expectation(*parts)


def along(gradients: Sequence[Any], direction: Sequence[Any]) -> tuple[float, float]:
    """The derivative along a direction, and the size of what it is a sum of."""
    terms = [np.real(np.conj(g) * u) for g, u in zip(gradients, direction, strict=True) if g is not None]
    return float(sum(np.sum(term) for term in terms)), float(sum(np.sum(np.abs(term)) for term in terms))


# Comparisons


def _narrow(arrays: Sequence[np.ndarray]) -> bool:
    return any(x.dtype in (np.float32, np.complex64) for x in arrays)


def _close(found: Any, expected: Any, scale: float, tolerance: float) -> bool:
    gap = np.abs(np.asarray(found) * 1.0 - expected)
    return bool(np.all(gap <= tolerance * (1 + scale + np.abs(expected))))


class Examination:
    """A program, with what is expected of it."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.leaves = list(program.leaves.values())
        self.expected = expect(program, self.leaves)
        self.weights = [wave(y, 0.5 + i) for i, y in enumerate(self.expected.values)]
        self.u, self.v = directions(program)
        self.tolerance = 2e-3 if _narrow([*self.leaves, *self.expected.values]) else 1e-7

    def arguments(self, way: str) -> list[Any]:
        """What a way is called with."""
        second = way == "jvp" or way in [f.__name__ for f in ways.SECOND]
        return [self.leaves, self.weights, self.u][: 3 if second else 2]

    def by(self, way: str) -> Disagreement | None:
        """What one way gets wrong."""
        compare = {"values": self._values, "jvp": self._tangents}.get(way, self._slopes)
        try:
            return compare(way)
        except Unsure:
            raise
        except Exception as problem:
            return Disagreement(way, f"{type(problem).__name__}: {problem}")

    def _values(self, way: str) -> Disagreement | None:
        arrays = self.program(*self.leaves)
        tensors = self.program(*(mg.tensor(x, requires_grad=True) for x in self.leaves))
        # NumPy itself rounds products of complex numbers in more than one way.
        exact = all(step.operation.exact for step in self.program.steps) and not any(map(np.iscomplexobj, self.leaves))
        for found, y, expected in zip(arrays, tensors, self.expected.values, strict=True):
            found, same = np.asarray(found), np.asarray(y.data)
            if (found.shape, found.dtype) != (expected.shape, expected.dtype):
                return Disagreement(way, f"form: {found.dtype}{found.shape}, not {expected.dtype}{expected.shape}")
            if not _close(found, expected, 0.0, self.tolerance):
                return Disagreement(way, "value", found, expected)
            if (same.shape, same.dtype) != (found.shape, found.dtype):
                return Disagreement(way, f"form of Tensors: {same.dtype}{same.shape}, not {found.dtype}{found.shape}")
            if not (np.array_equal(same, found) if exact else _close(same, found, 0.0, self.tolerance)):
                return Disagreement(way, "value of Tensors", same, found)
        return None

    def _tangents(self, way: str) -> Disagreement | None:
        found = ways.jvp(self.program, *self.arguments(way))
        for i, (t, y) in enumerate(zip(found, self.expected.values, strict=True)):
            expected = self.expected.tangents[i]
            if (np.shape(t), np.asarray(t).dtype) != (y.shape, y.dtype):
                return Disagreement(way, f"form: {np.asarray(t).dtype}{np.shape(t)}, not {y.dtype}{y.shape}")
            if not _close(t, expected, 0.0, self.tolerance):
                self._be_sure(lambda e, i=i: e.tangents[i], np.abs(t - expected).max(), expected)
                return Disagreement(way, "tangent", t, expected)
        return None

    def _slopes(self, way: str) -> Disagreement | None:
        gradients = getattr(ways, way)(self.program, *self.arguments(way))
        for g, x in zip(gradients, self.leaves, strict=True):
            if g is not None and (np.shape(g), np.asarray(g).dtype) != (x.shape, x.dtype):
                return Disagreement(way, f"form: {np.asarray(g).dtype}{np.shape(g)}, not {x.dtype}{x.shape}")
        if way in [f.__name__ for f in ways.SECOND]:
            sides = [(self.v, lambda e: e.bends)]
        else:
            sides = [(self.u, lambda e: e.tangents), (self.v, lambda e: e.others)]
        for direction, part in sides:
            found, scale = along(gradients, direction)
            expected, other_scale = along(self.weights, part(self.expected))
            if not _close(found, expected, min(scale, 10 * other_scale), self.tolerance):
                self._be_sure(lambda e, part=part: along(self.weights, part(e))[0], abs(found - expected), expected)
                return Disagreement(way, "derivative", found, expected, direction)
        return None

    def _be_sure(self, part: Callable[[Expectation], Any], gap: float, expected: Any) -> None:
        """Refuse to judge where rounding errors in the leaves would make as large a difference."""
        if not np.all(np.isfinite(expected)):
            raise Unsure
        rng = np.random.default_rng(0)
        for _ in range(3):
            noise = [1 + 4 * np.finfo(self._dtype).eps * rng.uniform(-1, 1, x.shape) for x in self.leaves]
            near = expect(self.program, [(x * n).astype(x.dtype) for x, n in zip(self.leaves, noise, strict=True)])
            if not 100 * np.abs(part(near) - expected).max(initial=0.0) < gap:
                raise Unsure

    @property
    def _dtype(self) -> Any:
        return np.float32 if self.tolerance > 1e-6 else np.float64


def ways_for(index: int) -> list[str]:
    """The ways that are tried on the program with a number: the first ones on all, of the others one each in turn."""
    gradients, second = ways.GRADIENTS[1:], ways.SECOND
    return [
        "values", "backward", gradients[index % len(gradients)].__name__, "jvp", second[index % len(second)].__name__,
    ]  # fmt: skip


def examine(program: Program, tried: Sequence[str]) -> Disagreement | None:
    """The first thing that some way gets wrong."""
    examination = Examination(program)
    for way in tried:
        disagreement = examination.by(way)
        if disagreement is not None:
            return disagreement
    return None
