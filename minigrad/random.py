"""Random numbers: one generator for the package, seeded by `manual_seed`, or your own."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minigrad.core import Operation, interpreter, name_of, only_outside, primitive
from minigrad.creation import get_default_dtype
from minigrad.errors import StateDictError
from minigrad.tensor import Tensor

_own: "np.random.Generator | None" = None


def manual_seed(seed: int) -> "np.random.Generator":
    """Start the package's generator anew: the same seed gives the same numbers.  Returns the generator.

    Examples
    --------
    >>> import minigrad as mg
    >>> _ = mg.manual_seed(0)
    >>> a = mg.random.randn(2)
    >>> _ = mg.manual_seed(0)
    >>> bool((mg.random.randn(2) == a).all())
    True
    """
    only_outside("manual_seed")
    made = generator()
    own: Any = made.bit_generator
    own.state = type(own)(seed).state
    return made


def generator(given: "np.random.Generator | None" = None) -> "np.random.Generator":
    """The generator that is given, or else the thread's (see `using`), or else the package's, made when first needed.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mine = np.random.default_rng(0)
    >>> mg.random.generator(mine) is mine
    True
    """
    global _own
    if given is not None:
        return given
    if _here.generator is not None:
        return _here.generator
    if _own is None:
        _own = np.random.default_rng()
    return _own


class _Here(threading.local):
    """What one thread uses instead of the package's generator."""

    generator: "np.random.Generator | None" = None


_here = _Here()


@contextmanager
def using(own: "np.random.Generator | int") -> Iterator["np.random.Generator"]:
    """Let a generator, or a new one with this seed, take the place of the package's: in this thread and block.

    Examples
    --------
    >>> import minigrad as mg
    >>> with mg.random.using(0):
    ...     a = mg.random.rand(2)
    >>> with mg.random.using(0):
    ...     b = mg.random.rand(2)
    >>> bool((a == b).all())
    True
    """
    if not isinstance(own, np.random.Generator):
        only_outside("a generator with a seed", "Make it outside, and give it to `using`")
    before = _here.generator
    _here.generator = own if isinstance(own, np.random.Generator) else np.random.default_rng(own)
    try:
        yield _here.generator
    finally:
        _here.generator = before


def get_state() -> dict[str, Any]:
    """The state of the package's generator, to be restored by `set_state`."""
    state: Any = generator().bit_generator.state
    return dict(state)


def set_state(state: dict[str, Any]) -> None:
    """Continue with the numbers that followed when `get_state` gave this state.

    Raises
    ------
    StateDictError
        If this is no state of the generator; nothing has been changed then.
    """
    only_outside("random.set_state")
    own: Any = generator().bit_generator
    try:
        type(own)(0).state = state
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise StateDictError(f"this is no state of the random numbers: {error!r}") from error
    own.state = state


@contextmanager
def restoring() -> Iterator[None]:
    """If an exception ends the block, the package's generator goes back to its state before."""
    used = generator()
    before = used.bit_generator.state
    try:
        yield
    except BaseException:
        used.bit_generator.state = before
        raise


class States:
    """The states that generators had before they were used, for when that is to be undone."""

    def __init__(self) -> None:
        self._before: dict[int, tuple[np.random.Generator, Any]] = {}

    def remember(self, used: "np.random.Generator") -> None:
        """Note the state of a generator, if it is not noted yet."""
        if id(used) not in self._before:
            self._before[id(used)] = (used, used.bit_generator.state)

    def restore(self) -> None:
        """Give all of them their states back."""
        for used, state in self._before.values():
            used.bit_generator.state = state


@primitive(kind="draw")
def draw(*, method: str, arguments: tuple[Any, ...], options: Mapping[str, Any], generator: Any) -> Any:
    """What a method of a generator gives; None stands for the one that `generator` would choose."""
    return getattr(_generator(generator), method)(*arguments, **options)


def drawn(method: str, *arguments: Any, generator: "np.random.Generator | None" = None, **options: Any) -> Any:
    """Random numbers as an array; while a program is traced, as a Tensor, so that each run draws new ones."""
    how = {"method": method, "arguments": arguments, "options": options, "generator": generator}
    tracer = interpreter()
    if tracer is None:
        return getattr(_generator(generator), method)(*arguments, **options)
    return tracer.draw(Operation(draw.primitive, how), _generator(generator))  # type: ignore[attr-defined]


_generator = generator  # the parameters below have the same name


def _made(value: Any, dtype: DTypeLike | None, requires_grad: bool) -> Tensor:
    value = value if isinstance(value, Tensor) else name_of(value, None)
    made: Tensor = value.astype(dtype or get_default_dtype())
    return made.requires_grad_() if requires_grad else made


def rand(
    *shape: int,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    generator: "np.random.Generator | None" = None,
) -> Tensor:
    """Uniform random numbers from 0 to 1, without 1."""
    return _made(drawn("random", shape, generator=generator), dtype, requires_grad)


def randn(
    *shape: int,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    generator: "np.random.Generator | None" = None,
) -> Tensor:
    """Normal random numbers with mean 0 and variance 1."""
    return _made(drawn("standard_normal", shape, generator=generator), dtype, requires_grad)
