"""The sweep of the step: how far the central difference is from the derivative, with large steps and with small ones.

The difference ``(f(x + h) - f(x - h)) / 2 h`` is wrong by ``f'''(x) h**2 / 6``, since the Taylor series is cut off
(truncation), and by about ``eps |f(x)| / h``, since both values are rounded.  On logarithmic axes these are two
straight lines, of the slopes 2 and -1, and their sum is a V [1]_.

References
----------
.. [1] W. H. Press, S. A. Teukolsky, W. T. Vetterling and B. P. Flannery, "Numerical Recipes", 3rd edition, section 5.7,
   Cambridge University Press, 2007.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad import display
from minigrad.core import Array, enable_grad
from minigrad.gradcheck.compare import Ray, along, moved
from minigrad.gradcheck.function import Function

_STEPS = np.logspace(-13, -1, 49)  # four in each decade
_SMALL = 16  # so many of them are on the branch of rounding
_SEEN = 20.0  # truncation is measured where it is so many times larger than rounding
_ROWS = 22  # of the plot in characters, one for each decade

HOW_TO_READ = (
    "How to read it: the curve of a right derivative falls and rises as a V. At the right, with large steps, the "
    "difference is wrong by truncation, proportional to h²; at the left, with small steps, by rounding, proportional "
    "to 1/h. The curve of a wrong derivative goes flat at the size of its error, whatever the step. At a kink the "
    "slopes to the right and to the left keep their distance, and the curve stays at half of it, if the derivative by "
    "backward is that of one side."
)


@dataclass(frozen=True, eq=False, repr=False)
class Sweep:
    """One derivative against central differences with many steps: print it, or show it in a notebook.

    Attributes
    ----------
    place : str
        The element of the output, by the element of the input.
    kind : str
        ``"right"``, or as that of a `Failure`.
    steps : ndarray
        From small to large, in units of the input.
    errors : ndarray
        ``|analytic - numeric|`` with each step; NaN where the function is not finite, or raises an exception.
    half_jump : ndarray or None
        At a kink, half of the distance between the slopes to the right and to the left.
    analytic, numeric : float
        The derivative by backward, and the best numeric one.
    tolerance : float
        How far apart these two may be.
    used : float
        The step of the check, which extrapolates from two such differences.
    truncation : float or None
        The constant ``C`` of the branch ``C h**2``; None if it is too small to be seen, as for a linear function.
    rounding : float or None
        The constant ``R`` of the branch ``R / h``; None if the differences are exact.
    refused : str or None
        What exception the function raised with some of the steps.
    """

    place: str
    kind: str
    steps: Array
    errors: Array
    half_jump: Array | None
    analytic: float
    numeric: float
    tolerance: float
    used: float
    truncation: float | None
    rounding: float | None
    refused: str | None

    @property
    def best(self) -> float | None:
        """The step with the smallest error of a central difference, by the two branches; None if one is not known."""
        if not self.truncation or not self.rounding:
            return None
        # Where the derivative of C h**2 + R / h vanishes.
        return float((self.rounding / (2 * self.truncation)) ** (1 / 3))

    @property
    def expected(self) -> Array | None:
        """The error of the differences themselves, by the two branches: the curve of a right derivative."""
        if self.truncation is None and self.rounding is None:
            return None
        with np.errstate(over="ignore"):
            return np.asarray((self.truncation or 0.0) * self.steps**2 + (self.rounding or 0.0) / self.steps)

    @property
    def branches(self) -> str:
        """The formulas of the two branches, with their constants."""
        rounding = "no rounding" if self.rounding is None else f"rounding {self.rounding:.1e} / h"
        truncation = "no truncation to be seen" if self.truncation is None else f"truncation {self.truncation:.1e} h²"
        return f"{rounding}, {truncation}"

    @property
    def verdict(self) -> str:
        """What the curve says, in words."""
        known = self.errors[np.isfinite(self.errors)]
        if not known.size:
            return (
                f"There is no curve: by backward the derivative is {self.analytic:.9g}, by differences "
                f"{self.numeric:.9g}, and what is not finite has no distance from anything."
            )
        least = float(known.min())
        if self.kind == "wrong":
            return (
                f"The curve goes flat at {abs(self.analytic - self.numeric):.1e}: the derivative by backward is wrong "
                "by that, whatever the step."
            )
        if self.kind == "kink":
            return self._of_kink()
        if self.kind == "not finite":
            return "The curve does not settle: the differences do not converge, or are not finite."
        if self.kind == "uncertain":
            return (
                f"Rounding hides the derivative: no step brings the two closer than {least:.1e}, or says how far apart "
                f"they are; the tolerance is {self.tolerance:.1e}."
            )
        if least == 0:
            return "The derivative is right: with some step the two are equal to the last digit."
        return f"The derivative is right: the curve falls to {least:.1e}, and rises again where rounding takes over."

    def _of_kink(self) -> str:
        jumps = (
            np.array([]) if self.half_jump is None else self.half_jump[(self.steps < self.used) & (self.steps > 1e-8)]
        )
        jumps = jumps[np.isfinite(jumps)]
        if not jumps.size:
            return "There is no derivative here, and the function is not finite close by."
        if jumps[0] > 10 * jumps[-1]:
            return "The slopes grow without end as the step shrinks: the function jumps here, or its slope is infinite."
        return (
            f"The slopes to the right and to the left keep a distance of {2 * np.median(jumps):.3g}, however small the "
            "step is: there is a kink, and no derivative."
        )

    def __repr__(self) -> str:
        return f"<Sweep: {self.place}, {self.kind}>"

    def __str__(self) -> str:
        ends = f"{self.steps[0]:.0e} to {self.steps[-1]:.0e}"
        title = f"|analytic - numeric| of {self.place}, for central differences with steps from {ends}"
        return "\n".join([title, *_plot(self), *_wrapped(self.verdict), *self.remarks])

    @property
    def remarks(self) -> list[str]:
        """What else is to be said: steps that are missing, and of steps that are not those of the axis."""
        missing = int((~np.isfinite(self.errors)).sum())
        if missing == 0 or missing == len(self.steps):
            return []
        why = f"the function raised {self.refused}" if self.refused else "NaN or inf"
        return [f"With {missing} of the {len(self.steps)} steps there is no difference: {why}."]

    def html(self) -> str:
        """The picture, as HTML that stands by itself."""
        from minigrad.gradcheck.curve import sweep_section  # only notebooks and pages need them
        from minigrad.gradcheck.style import framed

        return framed(sweep_section(self))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str | bytes]:
        return display.mimebundle(self.__str__, include, exclude, html=self.html)


def how_to_read() -> str:
    """What the shapes of the curve mean."""
    return "\n".join(_wrapped(HOW_TO_READ))


def _wrapped(text: str) -> list[str]:
    import textwrap  # only what is shown needs it

    return textwrap.wrap(text, 110)


def sweep_of(
    function: Function, seed: Ray, probe: Ray, scale: float, place: str, kind: str, numbers: tuple[float, float, float]
) -> Sweep:
    """Measure the differences along a direction, with steps in units of `scale`.

    `numbers` are the analytic derivative, the best numeric one, and how far they may be apart.
    """
    analytic, numeric, tolerance = numbers
    steps = scale * _STEPS
    on, back, refused = np.full(len(steps), np.nan), np.full(len(steps), np.nan), None
    with enable_grad(), np.errstate(all="ignore"):
        for k, step in enumerate(steps):
            try:
                right, left = (function(moved(function.x, probe, distance)) for distance in (step, -step))
            except Exception as error:  # far from the point the function may be anything, also undefined
                refused = f"{type(error).__name__}: {error}"
                continue
            on[k], back[k] = along([seed], np.stack([right, left]))[:, 0]
        slopes = (on - back) / (2 * steps)
        here = along([seed], function.y)[0]
        half_jump = rounding = truncation = None
        if kind == "kink":  # there is no Taylor series
            half_jump = np.abs(on - 2 * here + back) / (2 * steps)
        else:
            bound = function.noise / 8  # the precision times the largest number of the computation
            rounding = _rounding(steps, slopes, numeric, bound)
            truncation = _truncation(steps, slopes, max(_SEEN * (rounding or 0.0), 2 * bound))
        errors = np.abs(analytic - slopes)
    errors[~np.isfinite(errors)] = np.nan
    used = float(probe.step)
    return Sweep(
        place, kind, steps, errors, half_jump, analytic, numeric, tolerance, used, truncation, rounding, refused
    )


def _rounding(steps: Array, slopes: Array, numeric: float, bound: float) -> float | None:
    """The constant of the branch of rounding: the median over the small steps, if these change the values at all."""
    small = np.arange(len(steps)) < _SMALL
    errors = np.abs(slopes - numeric) * steps
    known = errors[small & np.isfinite(errors)]
    if not known.any():
        return None
    return float(np.median(known)) if slopes[small].any() else bound


def _truncation(steps: Array, slopes: Array, noise: float) -> float | None:
    """The constant of the branch of truncation, from the distance of differences with neighbouring steps.

    So it is known without the derivative.
    """
    distance = np.abs(np.diff(slopes))
    seen = np.flatnonzero(distance > noise / steps[:-1] + _SEEN * np.finfo(np.float64).eps * np.abs(slopes[1:]))
    # Three in a row, which chance does not give; the smallest such steps, where the terms of higher order vanish.
    run = [k for k in seen if k + 1 in seen and k + 2 in seen]
    if not run:
        return None
    first = np.arange(run[0], run[0] + 3)
    return float(np.median((distance / (steps[1:] ** 2 - steps[:-1] ** 2))[first]))


def _plot(sweep: Sweep) -> list[str]:
    """The curve in characters: a column for each step, a row for each decade."""
    expected = sweep.expected
    drawn = [sweep.errors, *([] if sweep.half_jump is None else [sweep.half_jump])]
    heights = np.concatenate([*drawn, [] if expected is None else expected, [sweep.tolerance]])
    heights = heights[np.isfinite(heights) & (heights > 0)]
    if not heights.size or not np.isfinite(sweep.errors).any():
        return []
    top = int(np.floor(np.log10(heights.max())))
    bottom = max(int(np.floor(np.log10(heights.min()))), top - _ROWS + 1)
    cells = np.full((top - bottom + 1, len(sweep.steps)), " ")
    columns = np.arange(len(sweep.steps))

    def put(values: Array, mark: str, equal: str = "") -> None:
        for k, value in zip(columns, values, strict=True):
            if 0 < value < np.inf and np.log10(value) >= bottom:
                cells[top - int(np.floor(np.log10(value))), k] = mark
            elif equal and value <= 10.0**bottom:
                cells[-1, k] = equal

    cells[:, _column(sweep, sweep.used)] = "|"
    put(np.full(len(columns), sweep.tolerance), "-")
    if expected is not None:
        put(expected, ".")
    if sweep.half_jump is not None:
        put(sweep.half_jump, "o")
    put(sweep.errors, "*", equal="0")
    cells[0, ~np.isfinite(sweep.errors)] = "N"

    lines = [f"  {f'1e{top - i:+03d}':>5} |{''.join(row)}" for i, row in enumerate(cells)]
    axis = ["-"] * len(columns)
    axis[::4] = ["+"] * len(axis[::4])
    if sweep.best is not None:
        axis[_column(sweep, sweep.best)] = "^"
    labels = "".join(f"{step:<8.0e}" for step in sweep.steps[::8]).rstrip()
    legend = _legend(sweep, below="0" in cells)
    return [*lines, f"        +{''.join(axis)}", f"         {labels}", *(f"  {line}" for line in legend)]


def _column(sweep: Sweep, step: float) -> int:
    return int(np.abs(np.log10(sweep.steps) - np.log10(step)).argmin())


def _legend(sweep: Sweep, below: bool) -> list[str]:
    lines = [f"* measured    - the tolerance    | the step of the check, {sweep.used:.1e}"]
    if sweep.rounding is not None or sweep.truncation is not None:
        lines.append(f". the error of the differences themselves: {sweep.branches}")
    if sweep.best is not None:
        lines.append(f"^ the best step of a central difference, {sweep.best:.1e}")
    if sweep.half_jump is not None:
        lines.append("o half of the distance between the slopes to the right and to the left, unless it is under *")
    if below:
        lines.append("0 no error at all, or one below the picture")
    if not np.isfinite(sweep.errors).all():
        lines.append("N no difference")
    return lines
