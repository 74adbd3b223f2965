"""How the arguments of an operation are drawn: functions of a Draft, which the table of operations names."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.fuzz import duals as d
from tests.fuzz.programs import Draft, Name, Operation, Unsuitable

Arguments = dict[str, Any]
Drawer = Callable[[Draft], Arguments]
Parameters = Callable[[Draft, np.ndarray], Arguments]


def op(
    name: str,
    reference: Callable[..., Any],
    draw: Drawer,
    *spellings: str,
    on_arrays: str = "",
    exact: bool = True,
    constant: bool = False,
) -> Operation:
    """A row of the table; empty spellings are left out."""
    given = tuple(spelling for spelling in spellings if spelling)
    return Operation(name, reference, draw, given, on_arrays or given[0], exact, constant)


def spelled(name: str, *spellings: str) -> list[str]:
    """Spellings in which NAME stands for a name."""
    return [spelling.replace("NAME", name) for spelling in spellings]


def nothing(draft: Draft, x: np.ndarray) -> Arguments:
    """An operation without parameters."""
    return {}


@dataclass(frozen=True)
class Domain:
    """Where a function may be asked, and a step that leads there from anywhere."""

    holds: Callable[[np.ndarray], Any]
    guard: Operation
    kinds: str = "f"

    def __call__(self, draft: Draft, test: Callable[[np.ndarray], Any] = lambda x: True, active: bool = False) -> Name:
        """The name of a value in the domain, for which something else holds too."""
        name = draft.pick(lambda x: x.dtype.kind in self.kinds and test(x), active)
        x = draft.values[name]
        if not x.size or self.holds(x):
            return name
        return draft.add(self.guard, {"x": name})


def _guard(spelling: str, reference: Callable[[Any], Any]) -> Operation:
    return op(spelling, reference, lambda draft: {}, spelling)


def _moderate(limit: float) -> Callable[[np.ndarray], Any]:
    return lambda x: np.abs(x).max() <= limit


TAME = _guard("{x} / (1.0 + np.real({x} * np.conj({x})))", lambda x: x / (1.0 + d.real(x * d.conj(x))))
SINE = _guard("0.9 * np.sin({x})", lambda x: 0.9 * d.sin(x))
FAR = _guard("2.0 + np.cos(np.real({x}))", lambda x: 2.0 + d.cos(d.real(x)))

ANY = Domain(_moderate(20), TAME, "fc")
SMALL = Domain(_moderate(3), TAME, "fc")
HALF = Domain(_moderate(0.6), TAME, "fc")
REAL = Domain(_moderate(20), _guard("3.0 * np.sin({x})", lambda x: 3.0 * d.sin(x)))
UNIT = Domain(_moderate(0.95), SINE)
FRACTION = Domain(lambda x: x.min() > 0.1 and x.max() < 0.9,
                  _guard("0.5 + 0.3 * np.sin({x})", lambda x: 0.5 + 0.3 * d.sin(x)))  # fmt: skip
POSITIVE = Domain(lambda x: x.min() > 0.2 and x.max() < 20, _guard("np.exp(np.sin({x}))", lambda x: d.exp(d.sin(x))))
ABOVE_ONE = Domain(lambda x: x.min() > 1.2, _guard("np.cosh({x}) + 0.5", lambda x: d.cosh(x) + 0.5))
NONZERO = Domain(lambda x: np.abs(x).min() > 0.2, FAR, "fc")
NONZERO_REAL = Domain(NONZERO.holds, FAR)


# Operands


def one(domain: Domain, **parameters: Callable[[Draft], Any]) -> Drawer:
    """An operand, with parameters that do not depend on it."""

    def drawn(draft: Draft) -> Arguments:
        return {"x": domain(draft), **{key: make(draft) for key, make in parameters.items()}}

    return drawn


def clear(draw: Drawer, gap: Callable[..., Any] = lambda x: x) -> Drawer:
    """Operands that are not near a jump, on whose side rounding would decide."""

    def drawn(draft: Draft) -> Arguments:
        arguments = draw(draft)
        numbers = {key: draft.values.get(x, x) if isinstance(x, Name) else x for key, x in arguments.items()}
        if np.abs(gap(**numbers)).min(initial=1.0) < 1e-3:
            raise Unsuitable
        return arguments

    return drawn


def difference(x: Any, y: Any) -> Any:
    return np.subtract(x, y, dtype=complex)


def to_integer(x: Any, y: Any = 1) -> Any:
    """How far a quotient is from the next multiple of one half."""
    return 2 * x / y - np.round(2 * x / y)


def _fits(shape: Sequence[int]) -> Callable[[np.ndarray], bool]:
    def fits(x: np.ndarray) -> bool:
        try:
            np.broadcast_shapes(shape, x.shape)
        except ValueError:
            return False
        return True

    return fits


def constant(draft: Draft, shape: Sequence[int], positive: bool = False, numbers: bool = True) -> Any:
    """A number of Python or NumPy, or an array, of floats, integers or truths, that broadcasts with a shape."""
    low = 0.3 if positive else -2.0
    kind = draft.dice.randrange(3 if numbers else 0, 8)
    if kind < 2:
        return draft.number(low) if kind else draft.dice.randint(1, 3)
    if kind == 2:
        return draft.dice.choice([np.float64, np.float32, np.int64, np.int8])(draft.dice.choice([1, 2, 3]))
    kept = shape[draft.dice.randint(0, len(shape)) :]
    sizes = tuple(1 if draft.chance(0.2) else n for n in kept)
    if kind == 3:
        return draft.rng.integers(1, 4, sizes)
    if kind == 4:
        return draft.rng.random(sizes) < 0.6
    x = np.array(draft.normal(sizes))
    return np.array(np.round(np.exp(x / 2), 2)) if positive else x


def two(domain: Domain, other: Domain | None = None, constants: float = 0.3) -> Drawer:
    """Operands that broadcast; one of them may be a constant."""

    def drawn(draft: Draft) -> Arguments:
        x = domain(draft)
        shape = draft.values[x].shape
        if draft.chance(constants):
            return {"x": x, "y": constant(draft, shape, positive=other in (POSITIVE, NONZERO))}
        return {"x": x, "y": (other or domain)(draft, _fits(shape))}

    return drawn


def constant_first(domain: Domain) -> Drawer:
    def drawn(draft: Draft) -> Arguments:
        x = domain(draft)
        return {"x": x, "c": constant(draft, draft.values[x].shape, positive=True)}

    return drawn


def same(*domains: Domain, test: Callable[[np.ndarray], Any] = lambda x: True) -> Drawer:
    """Operands of one shape and dtype."""

    def drawn(draft: Draft) -> Arguments:
        first = domains[0](draft, test)
        x = draft.values[first]
        rest = [domain(draft, lambda y: (y.shape, y.dtype) == (x.shape, x.dtype)) for domain in domains[1:]]
        return dict(zip("xyz", [first, *rest], strict=False))

    return drawn


# Axes


def axis_of(draft: Draft, x: np.ndarray) -> int:
    if not x.ndim:
        raise Unsuitable
    return draft.dice.randint(-x.ndim, x.ndim - 1)


def _some_axes(draft: Draft, x: np.ndarray) -> Any:
    kind = draft.dice.random()
    if kind < 0.3 or not x.ndim:
        return None
    if kind < 0.8:
        return axis_of(draft, x)
    return tuple(draft.dice.sample(range(x.ndim), draft.dice.randint(1, x.ndim)))


def reduced(domain: Domain, several: int = 0, **more: Callable[[Draft, np.ndarray], Any]) -> Drawer:
    """An operand, with axes along which there are enough numbers for each result."""

    def drawn(draft: Draft) -> Arguments:
        name = domain(draft)
        x = draft.values[name]
        axis = _some_axes(draft, x)
        if x.size < several * np.sum(x, axis=axis).size or (several and not x.size):
            raise Unsuitable
        extra = {key: make(draft, x) for key, make in more.items()}
        return {"x": name, "axis": axis, "keepdims": draft.chance(0.4), **extra}

    return drawn


def along(domain: Domain, **more: Callable[[Draft, np.ndarray], Any]) -> Drawer:
    """An operand of one dimension or more, with one axis."""

    def drawn(draft: Draft) -> Arguments:
        name = domain(draft, lambda x: x.ndim and x.size)
        x = draft.values[name]
        axis = axis_of(draft, x)
        extra = {key: make(draft, np.moveaxis(x, axis, 0)) for key, make in more.items()}
        return {"x": name, "axis": axis, **extra}

    return drawn


def in_order(draft: Draft) -> Arguments:
    """An operand with an axis along which all numbers are apart: the order of others is a matter of rounding."""
    drawn = along(REAL)(draft)
    x = np.sort(draft.values[drawn["x"]], axis=drawn["axis"])
    if np.diff(x, axis=drawn["axis"]).min(initial=1.0) < 1e-3:
        raise Unsuitable
    return drawn


def shaped(make: Parameters, domain: Domain = ANY, least: int = 0) -> Drawer:
    """An operand of so many dimensions, with parameters that follow from it."""

    def drawn(draft: Draft) -> Arguments:
        name = domain(draft, lambda x: x.ndim >= least)
        return {"x": name, **make(draft, draft.values[name])}

    return drawn


def mask(draft: Draft, x: np.ndarray) -> np.ndarray:
    return np.asarray(draft.rng.random(x.shape) < 0.7)


def other_shape(draft: Draft, x: np.ndarray) -> Arguments:
    """A shape of as many numbers."""
    sizes = list(x.shape)
    draft.dice.shuffle(sizes)
    if draft.chance(0.4):
        sizes = [x.size]
    if draft.chance(0.4):
        sizes.insert(draft.dice.randint(0, len(sizes)), 1)
    if sizes and x.size and draft.chance(0.3):
        sizes[draft.dice.randrange(len(sizes))] = -1
    return {"shape": tuple(sizes)}


def order(draft: Draft, x: np.ndarray) -> Arguments:
    axes = list(range(x.ndim))
    draft.dice.shuffle(axes)
    return {"axes": tuple(axes)}


def wider(draft: Draft, x: np.ndarray) -> Arguments:
    shape = tuple(draft.dice.randint(1, 3) if n == 1 else n for n in x.shape)
    return {"shape": (draft.dice.randint(1, 2), *shape) if draft.chance(0.5) else shape}


def pads(draft: Draft, x: np.ndarray) -> Arguments:
    return {"pad_width": tuple((draft.dice.randint(0, 1), draft.dice.randint(0, 2)) for _ in x.shape)}


def parts(draft: Draft) -> Arguments:
    """Arrays of one shape, with an axis."""
    first = ANY(draft, lambda x: x.ndim)
    shape = draft.values[first].shape
    names = [first, *(ANY(draft, lambda x: x.shape == shape) for _ in range(draft.dice.randint(1, 2)))]
    return {"x": names, "axis": axis_of(draft, draft.values[first])}


# Indices


def basic_index(draft: Draft, x: np.ndarray) -> Any:
    """Integers, slices with steps, None and an ellipsis."""
    index: list[Any] = []
    for n in x.shape[: draft.dice.randint(0, x.ndim)]:
        kind = draft.dice.random()
        if kind < 0.35 and n:
            index.append(draft.dice.randint(-n, n - 1))
        else:
            bounds = [draft.dice.choice([None, None, 0, 1, -1, -2]) for _ in range(2)]
            index.append(slice(*bounds, draft.dice.choice([None, 1, 2, -1, -2])))
    if draft.chance(0.3):
        index.append(Ellipsis)
    if draft.chance(0.3):
        index.insert(draft.dice.randint(0, len(index)), None)
    return tuple(index)


def fancy_index(draft: Draft, x: np.ndarray) -> Any:
    """Arrays of integers with repetitions, and masks; alone, or beside others."""
    if not x.ndim or not x.size:
        raise Unsuitable
    if draft.chance(0.3):
        return (mask(draft, x),)
    if draft.chance(0.2):
        return (mask(draft, x[..., 0]) if x.ndim > 1 else mask(draft, x), Ellipsis)
    index: list[Any] = []
    length = draft.dice.randint(1, 4)
    for n in x.shape[: draft.dice.randint(1, x.ndim)]:
        kind = draft.dice.random()
        if kind < 0.6:
            index.append(draft.rng.integers(-n, n, length))
        elif kind < 0.8:
            index.append(draft.dice.randint(-n, n - 1))
        else:
            index.append(slice(None, None, draft.dice.choice([None, -1])))
    return tuple(index)


def any_index(draft: Draft, x: np.ndarray) -> Any:
    return basic_index(draft, x) if draft.chance(0.5) else fancy_index(draft, x)


def indexed(make: Callable[[Draft, np.ndarray], Any], least: int = 0) -> Drawer:
    return shaped(lambda draft, x: {"index": make(draft, x)}, least=least)


def positions(draft: Draft, x: np.ndarray) -> np.ndarray:
    """Numbers of elements along the first axis, some of them twice."""
    return draft.rng.integers(-len(x), len(x), draft.dice.choice([(2,), (4,), (2, 2)]))


def written(make: Callable[[Draft, np.ndarray], Any]) -> Drawer:
    """An array, an index, and what is to be written there."""

    def drawn(draft: Draft) -> Arguments:
        name = ANY(draft, lambda x: x.ndim and x.size)
        x = draft.values[name]
        index = make(draft, x)
        place = x[index]
        if draft.chance(0.2):
            return {"x": name, "index": index, "y": draft.number()}
        shapes = (place.shape, place.shape[-1:], ())
        return {"x": name, "index": index, "y": ANY(draft, lambda y: y.dtype == x.dtype and y.shape in shapes)}

    return drawn


# Matrices


def _real_square(x: np.ndarray) -> bool:
    return x.dtype.kind == "f" and x.ndim >= 2 and x.shape[-1] == x.shape[-2] and x.size > 0


def square(draft: Draft) -> Arguments:
    """Square matrices of real numbers, which are small."""
    return {"x": HALF(draft, _real_square)}


def systems(draft: Draft) -> Arguments:
    """A square matrix, and right-hand sides for it."""
    A = HALF(draft, lambda x: _real_square(x) and x.ndim == 2)
    n = draft.values[A].shape[-1]
    return {"x": A, "b": SMALL(draft, lambda x: x.ndim == 2 and x.shape[0] == n and x.dtype.kind == "f")}


def matrix(domain: Domain, make: Parameters = nothing) -> Drawer:
    """One matrix, since NumPy's older functions take other axes of stacks than the newer ones."""
    return _matrices(domain, make, lambda x: x.ndim == 2)


def stack_of_matrices(domain: Domain, make: Parameters = nothing) -> Drawer:
    return _matrices(domain, make, lambda x: x.ndim >= 2)


def _matrices(domain: Domain, make: Parameters, test: Callable[[np.ndarray], bool]) -> Drawer:
    def drawn(draft: Draft) -> Arguments:
        name = domain(draft, test)
        return {"x": name, **make(draft, draft.values[name])}

    return drawn


def _multiply(x: np.ndarray, y: np.ndarray) -> bool:
    if not x.ndim or not y.ndim or x.shape[-1] != y.shape[-2 if y.ndim > 1 else 0]:
        return False
    return _fits(x.shape[:-2])(np.empty(y.shape[:-2]))


def factors(draft: Draft) -> Arguments:
    """Operands for a matrix product, of any dimensions, one of them perhaps a constant."""
    x = SMALL(draft, lambda x: x.ndim)
    n = draft.values[x].shape[-1]
    if draft.chance(0.3):
        return {"x": x, "y": np.array(draft.normal(draft.dice.choice([(n,), (n, 2), (2, n, 1)])))}
    return {"x": x, "y": SMALL(draft, lambda y: _multiply(draft.values[x], y))}


def contracted(draft: Draft) -> Arguments:
    """Operands whose last axes are of one length, one of them perhaps a constant."""
    x = SMALL(draft, lambda x: x.ndim)
    n = draft.values[x].shape[-1]
    if draft.chance(0.3):
        return {"x": x, "y": np.array(draft.normal((n,)))}
    return {"x": x, "y": SMALL(draft, lambda y: y.ndim and y.shape[-1] == n)}


def vectors(draft: Draft) -> Arguments:
    """Operands that broadcast, and whose last axes are of one length."""
    x = SMALL(draft, lambda x: x.ndim)
    shape = draft.values[x].shape
    return {"x": x, "y": SMALL(draft, lambda y: y.ndim and y.shape[-1] == shape[-1] and _fits(shape)(y))}


def triples(draft: Draft) -> Arguments:
    """Operands for a cross product."""
    x = SMALL(draft, lambda x: x.ndim and x.shape[-1] == 3)
    shape = draft.values[x].shape
    return {"x": x, "y": SMALL(draft, lambda y: y.ndim and y.shape[-1] == 3 and _fits(shape)(y))}
