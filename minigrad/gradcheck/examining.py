"""The check of a function of several Tensors, from its arguments to its report.

It is looked at as one function ``y = F(x)`` of one vector of real numbers, in which a complex number stands as its real
and its imaginary part (`tree_arguments`, `function`).  Its Jacobian is computed by backward and by differences
(`compare`).  Where the two disagree, the same check is made of every operation of the graph by itself, to find the one
whose derivative is wrong (`blame`).  What was found is a `Report`.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.core import enable_grad, only_outside
from minigrad.gradcheck.blame import Culprit, culprits, explain
from minigrad.gradcheck.compare import STEP, Options, check
from minigrad.gradcheck.failure import DerivativeError
from minigrad.gradcheck.function import Function, gradient_of, listed
from minigrad.gradcheck.marked_graph import Drawing
from minigrad.gradcheck.tree_arguments import arguments
from minigrad.nn.module import Module
from minigrad.nn.restoring import with_state_restored
from minigrad.options import real_number

if TYPE_CHECKING:
    from minigrad.gradcheck.report import Report

__tracebackhide__ = True  # by pytest


def _options(eps: float | None, atol: float, rtol: float, fast: bool, seed: int) -> Options:
    """What the check shall be like, or an error if a number makes no sense."""
    step = STEP if eps is None else eps
    remedy = f"it is the step of the differences, {STEP:.1e} if it is not given"
    real_number(step, "gradcheck: eps", above=0, below=math.inf, remedy=remedy)
    for name, value, usual in (("atol", atol, "1e-9"), ("rtol", rtol, "1e-6")):
        real_number(value, f"gradcheck: {name}", least=0, remedy=f"{usual} is usual")
    return Options(step, atol, rtol, fast, seed)


def examine(
    f: Callable[..., Any],
    inputs: Any,
    order: int,
    grad_outputs: Any,
    eps: float | None,
    atol: float,
    rtol: float,
    fast: bool,
    seed: int,
) -> "Report":
    """The report of a check that is passed; of one that is not, it is in the exception."""
    only_outside("a gradient check")
    options = _options(eps, atol, rtol, fast, seed)
    name = getattr(f, "__name__", type(f).__name__)
    title = f"{'gradcheck' if order == 1 else 'gradgradcheck'} of {name}"

    def report() -> "Report":
        called, leaves, names = arguments(f, inputs)
        with enable_grad(), np.errstate(all="ignore"):
            function = Function(called, leaves, names=(None, names), module=module)
            return _report(title, function, order, grad_outputs, options)

    module = f if isinstance(f, Module) else None
    return report() if module is None else with_state_restored(module, report)


def _report(title: str, function: Function, order: int, grad_outputs: Any, options: Options) -> "Report":
    from minigrad.gradcheck.report import Report  # with what draws it; programs that check nothing do without

    checked = function
    try:
        if order == 2 and function.active:
            given = None if grad_outputs is None else listed(grad_outputs)
            checked = gradient_of(function, given, options.seed)
        comparison = check(checked, options)
        return Report(title, checked, options, comparison, _drawings(function, checked, {}, {}))
    except DerivativeError as error:
        first = culprits(checked, options)
        second = culprits(function, options, second=True) if order == 2 else {}
        explain(error, checked, second | first)
        drawings = _drawings(function, checked, first, second)
        error.report = Report(title, checked, options, error.comparison, drawings, error)
        raise


def _drawings(
    function: Function, checked: Function, first: dict[str, Culprit], second: dict[str, Culprit]
) -> list[Drawing]:
    """The graphs in which operations are at fault; if there are none, that of what was checked."""
    if checked is function:
        return [Drawing("the graph of the function", function, second | first)]
    found = [
        Drawing("the graph of the function", function, second),
        Drawing("the graph of the function and its gradient", checked, first),
    ]
    return [drawing for drawing in found if drawing.culprits] or found[1:]
