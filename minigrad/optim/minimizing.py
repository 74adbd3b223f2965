"""Minimising a function of arrays: the loop that people write around an optimizer, once."""

import difflib
import inspect
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal

import numpy as np

from minigrad.core import only_outside
from minigrad.errors import ArgumentError, DTypeError
from minigrad.errors.optimizers import other_options_of_minimize
from minigrad.optim.descent import Change, Descent, Limits
from minigrad.optim.optimizer import Optimizer
from minigrad.optim.problem import Problem
from minigrad.optim.result import Result, Step
from minigrad.optim.scipy_methods import scipy_minimize
from minigrad.options import one_of, real_number, whole_number
from minigrad.tensor import Tensor


def minimize(
    f: Callable[..., Any],
    x0: Any,
    *,
    optimizer: "str | type[Optimizer] | Callable[[list[Tensor]], Optimizer] | None" = None,
    lr: float | None = None,
    steps: int | None = None,
    tol: float | None = None,
    target: float | None = None,
    loss_limit: float = math.inf,
    x_limit: float = math.inf,
    clip_value: float | None = None,
    clip_norm: float | None = None,
    noise: "float | Callable[[tuple[int, ...]], Any] | None" = None,
    schedule: Callable[[Optimizer], Any] | None = None,
    data: Sequence[Any] = (),
    batches: "int | Iterable[Any] | None" = None,
    every: int = 1,
    callback: Callable[[Step], Any] | None = None,
    method: str | None = None,
    compiled: "bool | Literal['auto']" = "auto",
    **options: Any,
) -> Result:
    """Minimise a function of arrays from a start.

    The gradient comes from the graph: `f` is written once, with array operations.  A run that diverges is a result too.

    Parameters
    ----------
    f : callable
        From a Tensor of the shape of `x0` (or a tree of Tensors of the form of `x0`), and rows of `data` if there are
        any, to a single number.
    x0 : number, array, Tensor, or tuple or dict of these
        The start; it is copied.  A list is an array, as in NumPy; integers become the default float dtype.
    optimizer : str, class or callable, optional
        A class of `minigrad.optim` or its name, by default ``"SGD"``, which is plain gradient descent; or a function
        from the list of parameters to an optimizer.
    lr : float, optional
        The learning rate; by default the optimizer's.
    steps : int, optional
        How many steps to make at most: by default 100, or as many as there are `batches`.
    tol : float, optional
        Stop after the step at whose start the gradient's norm was below this.
    target : float, optional
        Stop when a recorded loss is below this.
    loss_limit, x_limit : float
        The run has diverged when a recorded loss, or the norm of x, passes this; or when a value is not finite.
    clip_value, clip_norm : float, optional
        Limit each element of the gradient, or the norm of all of them together.
    noise : float or callable, optional
        Added to the gradient, before clipping: the standard deviation of normal numbers from `minigrad.random`, or a
        function from a shape to an array.
    schedule : callable, optional
        From the optimizer to a scheduler of `optim.lr_scheduler`, which makes a step after each step.
    data : sequence of array
        Arrays with one row for each observation, given to `f` after x.
    batches : int or iterable, optional
        Minibatches of so many rows, in a new order of `minigrad.random` for each epoch; or the indices of the rows of
        one batch after the other.  By default each step is made on all rows.
    every : int
        Record the path and the loss of all rows after each so many steps, and at the end.
    callback : callable, optional
        Called with a `Step` after each step; the run stops if it returns True.
    method : str, optional
        A method of `scipy.optimize.minimize`, such as ``"L-BFGS-B"`` or ``"trust-ncg"``: then SciPy does the work, and
        the graph supplies gradients, Hessians and Hessian-vector products.  Takes `bounds`, `constraints` and
        `options` as SciPy does, and `steps` for the greatest number of iterations.  If `x0` is a tree, `bounds` is one
        too, with a pair of lowest and greatest values in place of each array: of numbers, arrays or None.
    compiled : bool or "auto"
        Whether to trace a step and to make the others inside of one compiled loop: the same numbers, to the last bit,
        without Python between the steps. "auto": when a run has taken a while and is far from its end, if it can be
        done; a run with batches, noise, `clip_norm`, a schedule or a callback stays in Python. `f` is called once more
        for that, and two steps are made both ways: if they differ, all others are made in Python.
    **options
        Further options of the optimizer, such as ``momentum=0.9``.

    Returns
    -------
    Result

    Raises
    ------
    ShapeError
        If `f` does not return a single number, or arrays of data differ in the number of their rows.
    DTypeError
        If `x0` holds no real numbers.
    ValueError
        If an option makes no sense, the optimizer or method is unknown, or `f` or its gradient is not finite at `x0`.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.optim.minimize(lambda x: x**2 + 5 * x + 6, 10, lr=0.1, steps=50)
    Result
      method         SGD(lr=0.1)
      verdict        slow
      stop           made 50 steps
      steps          50
      evaluations    51
      loss           -0.25, from 156
      x              -2.499822
      gradient norm  0.000446, from 25
    """
    only_outside("minimize", "Trace its function, and call it outside")
    scipys = {key: options.pop(key) for key in ("bounds", "constraints", "options") if key in options}
    problem = Problem(f, x0, data)
    steps = None if steps is None else whole_number(steps, "minimize: steps", least=0)
    every = whole_number(every, "minimize: every")
    limits = Limits(
        _positive(tol, "tol"),
        None if target is None else real_number(target, "minimize: target"),
        real_number(loss_limit, "minimize: loss_limit"),
        real_number(x_limit, "minimize: x_limit"),
    )
    if method is not None:
        foreign = {
            "optimizer": optimizer, "lr": lr, "clip_value": clip_value, "clip_norm": clip_norm, "noise": noise,
            "schedule": schedule, "batches": batches, **options,
        }  # fmt: skip
        unused = [name for name, value in foreign.items() if value is not None]
        if unused:
            raise other_options_of_minimize(unused, method) or ArgumentError(
                f"minimize: SciPy's {method} does not take {', '.join(unused)}: leave it out"
            )
        return scipy_minimize(problem, method, steps, limits, every, callback, **scipys)
    if scipys:
        raise ArgumentError(f"minimize: {', '.join(scipys)} are for SciPy's methods: add method='L-BFGS-B', say")
    chosen = options if lr is None else {"lr": lr, **options}
    made = make_optimizer(optimizer or "SGD", problem.leaves, chosen)
    run = Descent(
        problem,
        made,
        limits=limits,
        change=Change(noise, _positive(clip_value, "clip_value"), _positive(clip_norm, "clip_norm")),
        every=every,
        scheduler=schedule(made) if schedule is not None else None,
        callback=callback,
        compiled=one_of(compiled, "minimize: compiled", (True, False, "auto")),
    )
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # the result says what is not finite
        run.go(batches, 100 if steps is None and (batches is None or isinstance(batches, int)) else steps)
    return run.result(f"{type(made).__name__}({', '.join(f'{key}={value}' for key, value in chosen.items())})")


def _positive(value: Any, name: str) -> float | None:
    return None if value is None else float(real_number(value, f"minimize: {name}", above=0))


def make_optimizer(given: Any, params: list[Tensor], options: dict[str, Any]) -> Optimizer:
    """An optimizer from its name, its class, or a function that makes it.

    Raises
    ------
    ValueError
        If there is no optimizer of this name, or it has no such option.
    TypeError
        If it is none of these, or what the function returned is no optimizer.
    """
    if isinstance(given, str):
        known = {cls.__name__.casefold(): cls for cls in _subclasses(Optimizer) if _is_named(cls)}
        if given.casefold() not in known:
            near = difflib.get_close_matches(given.casefold(), known, n=1, cutoff=0.0)[0]
            raise ArgumentError(
                f"there is no optimizer {given!r}; did you mean {known[near].__name__!r}? (SciPy's methods are chosen "
                "by method=)"
            )
        given = known[given.casefold()]
    if isinstance(given, type) and issubclass(given, Optimizer):
        unknown = sorted(options.keys() - inspect.signature(given).parameters.keys())
        if unknown:
            raise other_options_of_minimize(unknown) or ArgumentError(
                f"{given.__name__} has no option {', '.join(unknown)}: {inspect.signature(given)}"
            )
        return given(params, **options)
    if not callable(given):
        raise DTypeError(f"an optimizer is given by its name, its class or a function that makes it, not by {given!r}")
    if options:
        raise other_options_of_minimize(options) or ArgumentError(
            f"write {', '.join(options)} into the function that makes the optimizer"
        )
    made = given(params)
    if not isinstance(made, Optimizer):
        raise DTypeError(f"the function that makes the optimizer returned a {type(made).__name__}, and no Optimizer")
    return made


def _is_named(cls: type[Optimizer]) -> bool:
    """Whether a name means this class: not one that speaks PyTorch's dialect, or is made of another optimizer."""
    return not cls.__name__.startswith("_") and not cls.__module__.startswith(("minigrad.torch", "minigrad.optim.zero"))


def _subclasses(cls: type[Optimizer]) -> Iterator[type[Optimizer]]:
    for sub in cls.__subclasses__():
        yield sub
        yield from _subclasses(sub)
