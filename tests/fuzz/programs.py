"""Programs of random steps: how they are drawn, run and written down.

A program is drawn by running it: the numbers that its steps give decide which operations may come next, so that
each stays inside its domain.  What the numbers are is said by the reference, not by minigrad.
"""

import functools
import random
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

import minigrad as mg

SHAPES = [(), (1,), (3,), (3,), (2, 3), (2, 3), (1, 3), (2, 1, 3), (3, 3), (2, 2)]
EMPTY = [(0,), (0, 3), (2, 0)]
LARGEST = 200.0  # numbers that programs may reach
MODULES = {"np": np, "mg": mg, "F": mg.nn.functional}


class Unsuitable(Exception):  # noqa: N818 -- not an error: another step is drawn
    """There is nothing among the values that an operation could be applied to."""


class Name(str):
    """The name of a value, among arguments that may be anything else."""

    __slots__ = ()


@dataclass(frozen=True)
class Operation:
    """What a step may do: how it is written for minigrad, and what it means to the reference."""

    name: str
    reference: Callable[..., Any]
    draw: Callable[["Draft"], dict[str, Any]]
    spellings: tuple[str, ...]  # {x} stands for the argument x; what has several lines binds {out}
    on_arrays: str  # the spelling for ndarrays
    exact: bool = True  # all spellings give the same bits, in the same order in memory
    constant: bool = False  # the result is not to be differentiated


@dataclass(frozen=True)
class Step:
    """An operation applied to values that have names, and to constants."""

    out: str
    operation: Operation
    arguments: dict[str, Any]
    spelling: str

    def names(self) -> list[str]:
        return [x for x in _flat(self.arguments.values()) if isinstance(x, Name)]

    def renamed(self, names: dict[str, str]) -> "Step":
        arguments = {
            key: [Name(names.get(n, n)) for n in x]
            if isinstance(x, list)
            else Name(names.get(x, x))
            if isinstance(x, Name)
            else x
            for key, x in self.arguments.items()
        }
        return replace(self, arguments=arguments)

    def run(self, values: dict[str, Any], spelling: str) -> Any:
        return _compiled(spelling, tuple(self.arguments))(*_filled(self.arguments, values).values())

    def refer(self, values: dict[str, Any]) -> Any:
        return self.operation.reference(**_filled(self.arguments, values))

    def source(self) -> str:
        words = {key: literal(x) for key, x in self.arguments.items()}
        return _statements(self.spelling).format(out=self.out, **words)


def _flat(arguments: Any) -> Iterator[Any]:
    for x in arguments:
        if isinstance(x, list):
            yield from x
        else:
            yield x


def _filled(arguments: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    return {
        key: values[x] if isinstance(x, Name) else [values[n] for n in x] if isinstance(x, list) else x
        for key, x in arguments.items()
    }


def _statements(spelling: str) -> str:
    return spelling if "{out}" in spelling else "{out} = " + spelling


@functools.cache
def _compiled(spelling: str, parameters: tuple[str, ...]) -> Callable[..., Any]:
    """A function of the arguments of a step."""
    body = _statements(spelling).format(out="out", **{name: name for name in parameters})
    lines = [f"def step({', '.join(parameters)}):", *body.split("\n"), "return out"]
    namespace = dict(MODULES)
    exec("\n    ".join(lines), namespace)
    return namespace["step"]


def literal(x: Any) -> str:
    """Python that makes an argument of a step."""
    if isinstance(x, Name):
        return str(x)
    if isinstance(x, list):
        return f"[{', '.join(x)}]"
    if isinstance(x, tuple):
        return f"({''.join(literal(part) + ', ' for part in x)})"
    if isinstance(x, np.ndarray):
        if x.size:
            return f"np.array({x.tolist()!r}, dtype=np.{x.dtype.name})"
        return f"np.zeros({x.shape!r}, dtype=np.{x.dtype.name})"
    if isinstance(x, np.generic):
        return f"np.{x.dtype.name}({x.item()!r})"
    return repr(x)


@dataclass(frozen=True)
class Program:
    """Leaves, and steps that each make a new value of earlier ones."""

    leaves: dict[str, np.ndarray]
    steps: tuple[Step, ...]
    outputs: tuple[str, ...]

    def __call__(self, *leaves: Any) -> list[Any]:
        """The outputs; of ndarrays if the leaves are, of Tensors likewise."""
        values = dict(zip(self.leaves, leaves, strict=True))
        arrays = all(isinstance(x, np.ndarray | np.generic) for x in leaves)
        for step in self.steps:
            values[step.out] = step.run(values, step.operation.on_arrays if arrays else step.spelling)
        return [values[name] for name in self.outputs]

    def refer(self, *leaves: Any) -> list[Any]:
        """The outputs according to the reference, of Duals or ndarrays."""
        values = dict(zip(self.leaves, leaves, strict=True))
        for step in self.steps:
            values[step.out] = step.refer(values)
        return [values[name] for name in self.outputs]

    def size(self) -> tuple[int, int, int]:
        """What a shorter program has less of: steps, outputs, numbers in leaves."""
        return len(self.steps), len(self.outputs), sum(x.size for x in self.leaves.values())

    def source(self) -> str:
        """The program as a function."""
        lines = [line for step in self.steps for line in step.source().split("\n")]
        head = f"def program({', '.join(self.leaves)}):"
        return "\n    ".join([head, *lines, f"return [{', '.join(self.outputs)}]"])


@dataclass
class Draft:
    """A program that is being drawn, with the numbers that its values have."""

    rng: np.random.Generator
    dice: random.Random
    values: dict[str, np.ndarray] = field(default_factory=dict)
    leaves: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    active: set[str] = field(default_factory=set)  # values that depend on leaves, and can be differentiated

    # What there is to draw

    def chance(self, probability: float) -> bool:
        return self.dice.random() < probability

    def number(self, low: float = -2.0, high: float = 2.0) -> float:
        return round(self.dice.uniform(low, high), 2)

    def normal(self, shape: Sequence[int], digits: int = 2) -> np.ndarray:
        return np.round(self.rng.normal(size=tuple(shape)), digits)

    def pick(self, holds: Callable[[np.ndarray], Any], active: bool = False) -> Name:
        """The name of a value, rather a late one, for which something holds."""
        names = [name for name, x in self.values.items() if (not active or name in self.active) and holds(x)]
        if not names:
            raise Unsuitable
        late = self.dice.random() ** 0.6
        return Name(names[int(late * len(names))])

    def add(self, operation: Operation, arguments: dict[str, Any]) -> Name:
        """A step, if the reference can run it and its numbers stay moderate."""
        out = Name(f"v{len(self.steps)}")
        step = Step(out, operation, arguments, self.dice.choice(operation.spellings))
        try:
            value = np.asarray(step.refer(self.values))
        except (FloatingPointError, IndexError, ValueError, Warning) as problem:
            raise Unsuitable from problem
        if value.size > 60 or value.ndim > 5 or (value.size and not np.abs(value).max() < LARGEST):
            raise Unsuitable
        self.steps.append(step)
        self.values[out] = value
        if not operation.constant and value.dtype.kind in "fc" and any(n in self.active for n in step.names()):
            self.active.add(out)
        return out

    def leaf(self) -> None:
        kind = self.dice.random()
        shape = self.dice.choice(EMPTY) if self.chance(0.03) else self.dice.choice(SHAPES)
        x = self.normal(shape, 3) + 0.00037  # never at a kink
        if kind < 0.1:
            x = x.astype(np.float32)
        elif kind < 0.2:
            x = x + 1j * self.normal(shape, 3)
        x = np.round(x, 5)
        name = Name("abc"[len(self.leaves)])
        self.leaves.append(name)
        self.values[name] = np.asarray(x)
        self.active.add(name)


def draw(seed: int, index: int, families: Sequence[Sequence[Operation]]) -> Program:
    """The program with a number: the same for the same seed."""
    draft = Draft(np.random.default_rng([seed, index]), random.Random(f"{seed} {index}"))
    for _ in range(draft.dice.choice([1, 2, 2, 3])):
        draft.leaf()
    length = draft.dice.randint(3, 12)
    with warnings.catch_warnings(), np.errstate(all="raise", under="ignore"):
        warnings.simplefilter("error")
        while len(draft.steps) < length or not any(step.out in draft.active for step in draft.steps):
            operation = draft.dice.choice(draft.dice.choice(families))
            try:
                draft.add(operation, operation.draw(draft))
            except Unsuitable:
                continue
    used = {name for step in draft.steps for name in step.names()}
    outputs = [step.out for step in draft.steps if step.out not in used]
    if not any(name in draft.active for name in outputs):
        outputs.append(next(step.out for step in reversed(draft.steps) if step.out in draft.active))
    return Program({name: draft.values[name] for name in draft.leaves}, tuple(draft.steps), tuple(outputs))
