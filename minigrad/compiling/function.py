"""`jit`: a function that is traced at its first call, and from then on run as a program."""

import functools
import inspect
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, Literal

import numpy as np

from minigrad import random
from minigrad.compiling.arguments import Call
from minigrad.compiling.building import info
from minigrad.compiling.entry import MISS, short_way
from minigrad.compiling.kernels import alike_enough
from minigrad.compiling.run import Compiled
from minigrad.compiling.tracing import trace_with_pullbacks
from minigrad.contexts import computed_beside
from minigrad.core import unwrap
from minigrad.errors import ArgumentError
from minigrad.errors.programs import (
    changes_in_the_trace,
    no_place_for_programs,
    no_such_static,
    out_of_date,
    warn_of_anomaly,
    warn_of_forms,
    warn_of_length,
)
from minigrad.options import one_of
from minigrad.settings import now, unusual
from minigrad.tree import flatten

LONG = 5000  # equations: a program of so many takes seconds to compile
MANY = 4  # from so many programs on a warning says why there are so many

_disabled = ContextVar("minigrad.jit.disabled", default=os.environ.get("MINIGRAD_JIT") == "0")


def jit(
    f: Callable[..., Any] | None = None,
    *,
    static: str | Sequence[str] = (),
    numerics: Literal["exact", "fast"] = "exact",
) -> Any:
    """Make a function that is traced at its first call, and from then on run as a program, in C if there is a compiler.

    What it returns and changes is the same to the last bit.  Everything that it does with Tensors becomes a part of the
    program: operations, backward passes, clipping, steps of optimizers, random numbers, BatchNorm's running values.
    Tensors and arrays that it finds outside are read at every call.  What it does beside that, such as printing,
    happens at the first two calls only.  Results require grad if those of the function do.

    Parameters
    ----------
    f : callable
        Takes trees of Tensors, arrays and numbers, and returns trees of Tensors.  Without it, a decorator is returned.
    static : str or sequence of str
        The names of arguments of which every value gets a program of its own: they decide how to compute.  Integers,
        bools and strings are static by themselves; floats are not.
    numerics : "exact" or "fast"
        "fast" takes exponentials, logarithms, trigonometric functions and powers from the C library, several at once:
        they may be a few units in the last place off.

    Returns
    -------
    Jitted
        Called as `f` is; for methods, each instance has programs of its own.  Its results are Tensors if an argument
        or something that it reads is one, and otherwise NumPy's arrays and numbers.

    Raises
    ------
    ProgramError
        At a first call, if `f` does what no program can (see `minigrad.program.trace`).  At the second call for
        arguments of the same forms, if the program gives something else than the function does: then `f` depends on
        something that the trace could not see, such as a global number.
    ArgumentError
        If `f` has no argument of a name in `static`.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> @mg.jit
    ... def loss(w, x, y):
    ...     return ((x @ w - y) ** 2).mean()
    >>> w = mg.tensor([1.0, 2.0], requires_grad=True)
    >>> loss(w, np.eye(2), np.zeros(2)).backward()
    >>> w.grad
    tensor([1., 2.])
    """
    names = (static,) if isinstance(static, str) else tuple(static)
    if f is None:
        return functools.partial(jit, static=names, numerics=numerics)
    return Jitted(f, names, one_of(numerics, "jit: numerics", ("exact", "fast")))


@contextmanager
def disabled() -> Iterator[None]:
    """Let functions made by `jit` run as they were written, in the block: to print, or to look for a mistake.

    Affects the running thread or asynchronous task alone.
    """
    before = _disabled.set(True)
    try:
        yield
    finally:
        _disabled.reset(before)


jit.disabled = disabled  # type: ignore[attr-defined]  # beside what it switches off
jit.info = info  # type: ignore[attr-defined]


class Jitted:
    """A function that runs as a program: see `jit`."""

    def __init__(self, f: Callable[..., Any], static: tuple[str, ...], numerics: str = "exact") -> None:
        if not callable(f):
            raise ArgumentError(f"jit takes a function, not {type(f).__name__}")
        functools.update_wrapper(self, f, updated=())
        self._f, self._static, self._numerics = f, static, numerics
        self._name = getattr(f, "__name__", type(f).__name__)
        self._signature = inspect.signature(f) if static else None
        for name in static:
            if self._signature is not None and name not in self._signature.parameters:
                raise no_such_static(self._name, name, list(self._signature.parameters))
        self._said = False  # that it runs as it was written under detect_anomaly
        self._enter: Callable[..., Any] | None = None  # the short way to the program of the last call
        self._programs: dict[Any, list[Compiled]] = {}
        self._made: list[tuple[Compiled, str]] = []  # all programs in the order of their traces, and why each was made

    def __get__(self, instance: Any, owner: type | None = None) -> "Jitted":
        if instance is None:
            return self
        try:
            kept = vars(instance)
        except TypeError:
            raise no_place_for_programs(self._name, type(instance).__name__) from None
        # The instance has them, so that they go when it goes; others, equal ones too, have their own.
        place = f"_jitted_{self._name}"
        if place not in kept:
            kept[place] = Jitted(self._f.__get__(instance, owner), self._static, self._numerics)
        bound: Jitted = kept[place]
        return bound

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the function returns."""
        if self._enter is not None and not kwargs:
            result = self._enter(*args)
            if result is not MISS:
                return result
        return self._call(args, kwargs)

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The long way."""
        if _disabled.get():
            return self._f(*args, **kwargs)
        if unusual:
            mode = now()
            if mode.interpreter is not None or mode.anomaly or mode.watcher is not None:
                if mode.anomaly and mode.interpreter is None and not self._said:
                    self._said = True
                    warn_of_anomaly(self._name)
                return self._f(*args, **kwargs)  # a part of another program, or somebody wants to see every operation
        call = self._call_of(args, kwargs)
        compiled, outside = self._found(call) or self._traced(call)
        if compiled.runs == 1:
            return self._compared(call, compiled, outside)
        compiled.runs += 1
        outcome = compiled.compute(outside, call.leaves)
        outcome.commit()
        self._enter = compiled.short_way(partial(short_way, compiled, call, _disabled.get))
        return outcome.present(call.named or compiled.reads_tensors)

    # Keys and programs

    def _call_of(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
        fixed: dict[str, Any] = {}
        if self._signature is not None:
            for place, (name, parameter) in enumerate(self._signature.parameters.items()):
                by_place = parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
                if name in self._static and by_place and place < len(args):
                    fixed[name] = args[place]
                    args = (*args[:place], None, *args[place + 1 :])
                elif name in self._static and name in kwargs:
                    fixed[name] = kwargs[name]
                    kwargs = {**kwargs, name: None}
        return Call(self._name, args, kwargs, fixed)

    def _found(self, call: Call) -> tuple[Compiled, list[Any]] | None:
        """The program for this call, if there is one, and what it reads; it is noted why the others are not."""
        for compiled in reversed(self._programs.get(call.key, ())):
            outside = compiled.read()
            if not isinstance(outside, str):
                return compiled, outside
            call.objections.append(outside)
        return None

    def _traced(self, call: Call) -> tuple[Compiled, list[Any]]:
        with computed_beside(", to trace a function"):
            written = trace_with_pullbacks(self._filled(call), self._name, (call.args, call.kwargs))
        compiled = Compiled(written, call.leaves, quick=self._numerics == "fast")
        outside = compiled.read()
        if isinstance(outside, str):
            raise changes_in_the_trace(self._name, outside)
        self._made.append((compiled, call.objections[0] if call.objections else call.described()))
        self._programs.setdefault(call.key, []).append(compiled)
        equations = compiled.program.equations
        if len(equations) >= LONG:
            (line, count), *_ = Counter(
                [str(equation.place or "an unknown line") for equation in equations]
            ).most_common(1)
            warn_of_length(self._name, len(equations), line, count)
        if len(self._made) == MANY:
            warn_of_forms(self._name, [reason for _, reason in self._made])
        return compiled, outside

    def _filled(self, call: Call) -> Callable[..., Any]:
        """The function, with the values of its static arguments in their places."""
        if not call.fixed:
            return self._f
        assert self._signature is not None
        places = list(self._signature.parameters)

        @functools.wraps(self._f)
        def f(*args: Any, **kwargs: Any) -> Any:
            for name, value in call.fixed.items():
                if name in kwargs:
                    kwargs[name] = value
                else:
                    args = (*args[: places.index(name)], value, *args[places.index(name) + 1 :])
            return self._f(*args, **kwargs)

        return f

    # The second run

    def _compared(self, call: Call, compiled: Compiled, outside: list[Any]) -> Any:
        """The results of the program, if the function gives the same, whose effects are those that take place."""
        state = random.get_state()
        outcome = compiled.compute(outside, call.leaves)
        after = random.get_state()
        written = [(target, None if value is None else np.array(value)) for target, value in outcome.written()]
        random.set_state(state)
        args, kwargs = call.as_tensors()
        with disabled(), computed_beside(", to compare a compiled function"):
            result = self._filled(call)(*args, **kwargs)
        expected = [*map(unwrap, flatten(result)[0]), *(target.read() for target, _ in written)]
        found = [*outcome.made[: compiled.results], *(value for _, value in written)]
        words = [f"result {i}" for i in range(len(expected) - len(written))] + [str(target) for target, _ in written]
        for what, x, y in zip(words, found, expected, strict=True):
            if not (alike_enough(x, y) if compiled.quick and x is not None and y is not None else _same(x, y)):
                raise out_of_date(self._name, what, x, y)
        if random.get_state() != after:
            raise out_of_date(self._name, "how many random numbers are drawn", None, None)
        compiled.runs += 1
        return outcome.present(call.named or compiled.reads_tensors)

    # What it tells of itself

    @property
    def program(self) -> Any:
        """The latest program, which prints as a NumPy file; None before the first call.

        It takes all arguments by their places: those that were given by name come last, and static ones are None.
        """
        return self._made[-1][0].program if self._made else None

    @property
    def fused(self) -> Any:
        """The latest program with what computes its equations, for `graph.draw`; None before the first call."""
        if not self._made:
            return None
        compiled, _ = self._made[-1]
        program = compiled.program.changed(compiled.program.equations)
        program.parts = compiled.runner.parts()
        return program

    def check(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function as it was written and as a program, and raise ProgramError if they do not agree."""
        call = self._call_of(args, kwargs)
        compiled, outside = self._found(call) or self._traced(call)
        return self._compared(call, compiled, outside)

    def explain(self) -> str:
        """What was traced, and why; what became of it, and which operations stay steps of Python."""
        if not self._made:
            return f"{self._name}: no call yet"
        lines = [f"{self._name}, programs: {len(self._made)}"]
        for compiled, reason in self._made:
            lines.append(f"  {len(compiled.program.equations)} equations, calls: {compiled.runs}; {reason}")
            lines += [f"    {words}" for words in compiled.runner.described()]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<jit of {self._name}>"

    def __reduce__(self) -> Any:
        """By its name, as functions and methods are pickled, if it is found there; otherwise without its programs."""
        if inspect.ismethod(self._f) and getattr(type(self._f.__self__), self._name, None).__class__ is Jitted:
            return getattr, (self._f.__self__, self._name)
        found: Any = sys.modules.get(getattr(self._f, "__module__", ""))
        for part in getattr(self._f, "__qualname__", "?").split("."):
            found = getattr(found, part, None)
        return self._f.__qualname__ if found is self else (Jitted, (self._f, self._static, self._numerics))


def _same(x: Any, y: Any) -> bool:
    """Whether two values agree, to within what another order of sums may make."""
    if x is None or y is None:
        return x is y
    x, y = np.asarray(x), np.asarray(y)
    if (x.shape, x.dtype) != (y.shape, y.dtype):
        return False
    if x.dtype.kind not in "fc":
        return bool(np.array_equal(x, y))
    accuracy = 64 * float(np.finfo(x.dtype).eps)
    with np.errstate(all="ignore"):
        scale = float(np.max(np.abs(y[np.isfinite(y)]), initial=0.0))
        return bool(np.allclose(x, y, rtol=accuracy, atol=accuracy * scale, equal_nan=True))
