"""Which operation it is: the same check, of every operation of a graph by itself."""

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from minigrad.core import Node, apply
from minigrad.gradcheck.compare import Options, check
from minigrad.gradcheck.failure import OTHER_CAUSES, DerivativeError
from minigrad.gradcheck.function import EXACT, Function, gradient_of, reals, split

_LARGE = 10_000  # the derivatives of an operation by itself, above which its check is a fast one
_ENOUGH = 3  # so many operations are named
__tracebackhide__ = True  # by pytest


class Culprit(NamedTuple):
    """An operation that fails by itself: its nodes in the graph, the kind of the failure, and what to say of it."""

    nodes: list[Node]
    kind: str
    text: str


def culprits(function: Function, options: Options, second: bool = False) -> dict[str, Culprit]:
    """Check every operation of the graph by itself, or its gradient: the first ones that fail, by name."""
    found: dict[str, Culprit] = {}
    for node in function.graph():
        active = [i for i, parent in enumerate(node.parents()) if parent is not None]
        inexact = any(x.dtype not in EXACT for x in (node.value, *(node.args[i] for i in active)))
        if inexact or len(found) == _ENOUGH:
            continue
        alone = Function(partial(_apply, node.op), node.args, active)
        try:
            alone = gradient_of(alone, None, options.seed) if second else alone
            check(alone, options._replace(fast=alone.x.size * alone.y.size > _LARGE))
        except DerivativeError as error:
            if error.kind != "uncertain":
                text = _accusation(node, error, second)
                found.setdefault(str(node.op), Culprit([], error.kind, text)).nodes.append(node)
    return found


def _apply(op: Any, *operands: Any) -> Any:
    return apply(op, operands)


def _accusation(node: Node, error: DerivativeError, second: bool) -> str:
    shapes = " and ".join(str(np.shape(x)) for x in node.args)
    params = node.op.params if node.op is not None else {}
    what = f"The operation {str(node.op)!r} of shapes {shapes}" + "".join(f", {k}={v!r}" for k, v in params.items())
    if not error.failures:
        return f"{what} by itself: {error}"
    worst = error.failures[0]
    operand = f"operand {worst.input}" if worst.input < len(node.args) else "the gradient that enters"
    numbers = f"(analytic {worst.analytic:.9g}, numeric {worst.numeric:.9g})"
    if error.kind == "kink":
        slopes = "" if worst.slopes is None else " (slopes: left {:.5g}, right {:.5g})".format(*worst.slopes)
        return f"{what} has a kink here, in {operand}{slopes}"
    whose = "the derivative of its gradient" if second else "its own derivative"
    return f"{what} is to blame: {whose} with respect to {operand} is {error.kind} {numbers}"


def explain(error: DerivativeError, function: Function, found: Mapping[str, Culprit]) -> None:
    """Add to the report what the check of every operation found, or what else may be the cause."""
    if error.kind in ("nothing to check", "not deterministic", "uncertain"):
        return
    error.findings = [culprit.text for culprit in found.values()]
    error.operations = [name for name, culprit in found.items() if culprit.kind != "kink" or error.kind == "kink"]
    if error.operations or error.kind == "kink":
        return
    error.findings.append(OTHER_CAUSES)
    for i, leaf, value in zip(function.active, function.leaves, split(function.x, function.shapes), strict=True):
        if not np.array_equal(reals(leaf.array), value, equal_nan=True):
            error.findings.append(f"The function has written into the memory of {function.names[1][i]}")
    if any(node.value.dtype == np.float32 for node in function.graph()):
        error.findings.append("Part of the computation is in float32, which has too few digits")
