"""What a check finds: the derivatives that failed, in a table, and the exception that has it."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from minigrad import errors

if TYPE_CHECKING:
    from minigrad.gradcheck.compare import Comparison
    from minigrad.gradcheck.report import Report

ENOUGH = 8  # so many failures that are no kinks are confirmed, and so many failures are shown


class Failure(NamedTuple):
    """A derivative that was not confirmed.

    Attributes
    ----------
    kind : str
        ``"wrong"``, ``"not finite"``, ``"kink"``, or ``"uncertain"`` if rounding hides the derivative.
    output, input : int
        Which one, counted leaf by leaf where they are trees; the parameters of a module come after its inputs.  Of
        `gradgradcheck`, the outputs are the gradients of the floating-point inputs, and the inputs go on with the
        `grad_outputs`.
    output_element, input_element : tuple of int, or None
        Which of their elements, with ``"real"`` or ``"imag"`` at the end for a complex one; None for a random
        combination of all (in the fast mode).
    analytic, numeric : float
        The derivative by backward, and by finite differences.
    uncertainty : float
        Of the numeric derivative.
    complex_step : float or None
        The third opinion, where it was to be had.
    slopes : tuple of float, or None
        At a kink, those to the left and to the right.
    """

    kind: str
    output: int
    output_element: tuple[int | str, ...] | None
    input: int
    input_element: tuple[int | str, ...] | None
    analytic: float
    numeric: float
    uncertainty: float
    complex_step: float | None
    slopes: tuple[float, float] | None = None

    @property
    def error(self) -> float:
        """How far apart the two are."""
        return abs(self.analytic - self.numeric)

    @property
    def relative_error(self) -> float:
        """`error` as a part of the numeric derivative."""
        if self.error == 0:
            return 0.0
        return self.error / abs(self.numeric) if self.numeric else math.inf


_SUMMARY = {
    "wrong": "gradients disagree with finite differences",
    "not finite": "derivatives are NaN or inf, and nothing can confirm these: by backward, by differences, or both. "
    "Is the point at the edge of the domain?",
    "uncertain": "derivatives are too small, beside the values in the computation, to be seen in finite differences. "
    "Rescale the function, or give a larger atol",
    "kink": "derivatives do not exist: the function has a kink here, or a jump. Differences to the left and to the "
    "right do not meet. This says nothing against the rule: move the point",
}


OTHER_CAUSES = """Every operation of the graph is right by itself. Then the likely causes are:
  a hook that changes a gradient;
  a value that was taken out of the graph (detach(), .data, item(), under no_grad) and used on;
  writing into the memory of an array that the graph uses;
  a kink nearby"""


class DerivativeError(errors.GradcheckError):
    """What `gradcheck` raises: a report, as text and in attributes.

    Attributes
    ----------
    kind : str
        The most serious of its failures' kinds, or ``"not deterministic"``, ``"not linear"`` (in the gradient that
        enters, as every derivative is), ``"shape"``, or ``"nothing to check"``.
    failures : list of Failure
        The worst first; not all of them if there are many.
    count : int
        How many derivatives failed.
    operations : list of str
        The names of the operations that fail by themselves.
    findings : list of str
        In words, what the check of every operation found.
    report : Report
        What was found, to be printed, shown in a notebook, or saved as a page: heat maps of the errors, the sweep of
        the step, and the graph.  It is made when it is looked at.
    comparison : Comparison or None
        The two Jacobians, where there are any.
    """

    report: "Report"

    def __init__(
        self,
        kind: str,
        text: str,
        failures: Sequence[Failure] = (),
        count: int = 0,
        comparison: "Comparison | None" = None,
    ) -> None:
        super().__init__(text)
        self.kind = kind
        self.failures = list(failures)
        self.count = count
        self.operations: list[str] = []
        self.findings: list[str] = []
        self.comparison = comparison

    def __str__(self) -> str:
        return "\n".join([self.args[0], *self.findings])


def disagreement(names: tuple[Sequence[str], Sequence[str]], comparison: "Comparison") -> DerivativeError:
    """What to raise for the failures of a comparison, with the names of outputs and inputs."""
    count, total = int((~comparison.confirmed).sum()), comparison.confirmed.size
    failures = sorted(comparison.failures, key=lambda x: (list(_SUMMARY).index(x.kind), -x.error))[:ENOUGH]
    kind = failures[0].kind
    lines = aligned(table(names, failures))
    more = [f"  ... and {count - len(failures)} more"] if count > len(failures) else []
    text = "\n".join([f"{count} of {total} {_SUMMARY[kind]}", *lines, *more])
    return DerivativeError(kind, text, failures, count, comparison)


def table(names: tuple[Sequence[str], Sequence[str]], failures: Sequence[Failure]) -> list[tuple[str, ...]]:
    """The cells of a table of failures, titles first; a kind is given where it is not that of the first one."""
    rows: list[tuple[str, ...]] = [("output", "input", "analytic", "numeric", "complex step", "error", "relative", "")]
    for x in failures:
        output = place(names[0][x.output], x.output_element)
        given = place(names[1][x.input], x.input_element)
        opinion = "" if x.complex_step is None else f"{x.complex_step:.9g}"
        numbers = f"{x.analytic:.9g}", f"{x.numeric:.9g}", opinion, f"{x.error:.1e}", f"{x.relative_error:.1e}"
        rows.append((output, given, *numbers, "" if x.kind == failures[0].kind else x.kind))
    if any(x.slopes for x in failures):
        slopes = [("left slope", "right slope"), *(_signed(x.slopes) for x in failures)]
        rows = [(*row[:4], *pair, *row[4:]) for row, pair in zip(rows, slopes, strict=True)]
    return rows


def _signed(slopes: tuple[float, float] | None) -> tuple[str, str]:
    return ("", "") if slopes is None else (f"{slopes[0]:.5g}", f"{slopes[1]:.5g}")


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  " + "  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def place(name: str, element: tuple[int | str, ...] | None) -> str:
    """An element of an output or of an input, as it would be written."""
    if element is None:
        return f"{name} (random direction)"
    return f"{name}[{', '.join(map(str, element))}]" if element else name
