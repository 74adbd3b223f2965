"""A sweep of the step as a picture: the error of the difference over the step, on logarithmic axes."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from minigrad.core import Array
from minigrad.display import escaped

if TYPE_CHECKING:
    from minigrad.gradcheck.step_sweep import Sweep

_WIDTH, _HEIGHT = 720, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 30, 48
_BLUE, _ORANGE, _GREEN, _PURPLE, _GREY = "#0072b2", "#d55e00", "#009e73", "#aa4499", "#70767e"


def sweep_section(sweep: "Sweep") -> str:
    """A sweep with its title and what it says."""
    said = "".join(f"<p>{escaped(text)}</p>" for text in (sweep.verdict, *sweep.remarks))
    picture = _Plot(sweep).svg() if np.isfinite(sweep.errors).any() else ""
    return f"<h3>{escaped(sweep.place)}</h3>{picture}{said}"


class _Plot:
    """The picture of a sweep on logarithmic axes."""

    def __init__(self, sweep: "Sweep") -> None:
        self.sweep = sweep
        self.x = np.log10(sweep.steps)
        curves = [sweep.errors, sweep.expected, sweep.half_jump, np.array([sweep.tolerance])]
        heights = np.concatenate([curve for curve in curves if curve is not None])
        heights = np.log10(heights[np.isfinite(heights) & (heights > 0)])
        self.low, self.high = (float(np.floor(heights.min() - 0.3)), float(np.ceil(heights.max() + 0.3)))
        self.width, self.height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def svg(self) -> str:
        # The inner picture cuts off what leaves the axes.
        inside = "".join([*self._grid(), *self._branches(), *self._steps(), *self._curves()])
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="sweep" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" '
            f'style="max-width:100%" font-size="12" fill="#202428">{"".join(self._axes())}'
            f'<svg x="{_LEFT}" y="{_TOP}" width="{self.width}" height="{self.height}">{inside}</svg>'
            f'<rect x="{_LEFT}" y="{_TOP}" width="{self.width}" height="{self.height}" fill="none" stroke="{_GREY}"/>'
            f'{"".join(self._labels())}</svg><div class="small">{self._caption()}</div>'
        )

    def _across(self, step: Array | float) -> Array:
        return np.asarray((np.log10(step) - self.x[0]) / (self.x[-1] - self.x[0]) * self.width)

    def _down(self, error: Array | float) -> Array:
        with np.errstate(all="ignore"):
            return np.asarray((self.high - np.log10(error)) / (self.high - self.low) * self.height)

    def _decades(self) -> range:
        return range(int(self.low), int(self.high) + 1, 1 + int(self.high - self.low) // 10)

    def _grid(self) -> Iterator[str]:
        lines = "".join(f"M0 {self._down(10.0**k):.4g}h{self.width}" for k in self._decades())
        lines += "".join(f"M{self._across(step):.4g} 0v{self.height}" for step in self.sweep.steps[::8])
        yield f'<path d="{lines}" stroke="#e4e7ea"/>'

    def _axes(self) -> Iterator[str]:
        for k in self._decades():
            y = _TOP + self._down(10.0**k)
            yield f'<text x="{_LEFT - 8}" y="{y + 4:.4g}" text-anchor="end">1e{k:+03d}</text>'
        for step in self.sweep.steps[::8]:
            x = _LEFT + self._across(step)
            yield f'<text x="{x:.4g}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="middle">{step:.0e}</text>'
        yield f'<text x="{_LEFT + self.width / 2:.4g}" y="{_HEIGHT - 8}" text-anchor="middle">step h</text>'
        yield (
            f'<text transform="translate(14 {_TOP + self.height / 2:.4g}) rotate(-90)" text-anchor="middle">'
            "|analytic − numeric(h)|</text>"
        )

    def _branches(self) -> Iterator[str]:
        """Thin lines for rounding and truncation, each with its name where there is room for it."""
        ends = self.sweep.steps[[0, -1]]
        for constant, power, name, side in (
            (self.sweep.rounding, -1, "rounding ∝ 1/h", 1),
            (self.sweep.truncation, 2, "truncation ∝ h²", -1),
        ):
            if constant is None:
                continue
            with np.errstate(over="ignore"):
                heights = constant * self.sweep.steps**power
            y = self._down(heights)
            if np.isfinite(y[[0, -1]]).all():
                yield _line(self._across(ends), y[[0, -1]], f'stroke="{_GREY}"')
            inside = np.flatnonzero((y > 30) & (y < self.height - 30))
            if len(inside):
                k = inside[len(inside) // 2]
                x = self._across(self.sweep.steps[k]) + 10 * side
                anchor = "start" if side > 0 else "end"
                place = f'x="{x:.4g}" y="{y[k] - 6:.4g}" text-anchor="{anchor}"'
                yield f'<text {place} fill="{_GREY}" class="halo">{name}</text>'
        y = self._down(self.sweep.tolerance)
        if not np.isfinite(y):
            return
        yield f'<path d="M0 {y:.4g}h{self.width}" stroke="{_GREY}" stroke-dasharray="2 4"/>'
        yield f'<text x="6" y="{y - 5:.4g}" fill="{_GREY}">tolerance</text>' if y > 20 else ""

    def _marks(self) -> Iterator[tuple[str, float, str]]:
        yield "step of the check", self.sweep.used, _ORANGE
        if self.sweep.best is not None:
            yield "best step", self.sweep.best, _GREEN

    def _steps(self) -> Iterator[str]:
        for _, step, colour in self._marks():
            yield f'<path d="M{self._across(step):.4g} 0v{self.height}" stroke="{colour}" stroke-dasharray="6 3"/>'

    def _labels(self) -> Iterator[str]:
        """The names of the marked steps, above the picture, on the sides where they do not meet."""
        first = min(step for _, step, _ in self._marks())
        for name, step, colour in self._marks():
            x, anchor = _LEFT + self._across(step), "end" if step == first else "start"
            x += -4 if anchor == "end" else 4
            yield f'<text x="{x:.4g}" y="{_TOP - 8}" text-anchor="{anchor}" fill="{colour}">{name} {step:.1e}</text>'

    def _curves(self) -> Iterator[str]:
        if self.sweep.half_jump is not None:
            yield from self._curve(self.sweep.half_jump, _PURPLE)
        yield from self._curve(self.sweep.errors, _BLUE)

    def _curve(self, errors: Array, colour: str) -> Iterator[str]:
        """A line through all points that are neither missing nor 0, and rings at the foot for those that are 0."""
        x, y = self._across(self.sweep.steps), self._down(errors)
        drawn = np.isfinite(y)
        for run in np.split(np.arange(len(x)), np.flatnonzero(np.diff(drawn)) + 1):
            if drawn[run[0]]:
                yield _line(x[run], y[run], f'stroke="{colour}" stroke-width="1.5"')
        for a, b in zip(x[drawn], y[drawn], strict=True):
            yield f'<circle cx="{a:.4g}" cy="{b:.4g}" r="2.8" fill="{colour}"/>'
        for a in x[errors == 0]:
            yield f'<circle cx="{a:.4g}" cy="{self.height - 5}" r="3" fill="#fff" stroke="{colour}"/>'

    def _caption(self) -> str:
        parts = [f'<span style="color:{_BLUE}">●</span> measured']
        if (self.sweep.errors == 0).any():
            parts.append(f'<span style="color:{_BLUE}">○</span> equal to the last digit')
        if self.sweep.half_jump is not None:
            parts.append(
                f'<span style="color:{_PURPLE}">●</span> half of the distance between the slopes to both sides'
            )
        if self.sweep.expected is not None:
            parts.append(f"thin lines: the error of the differences themselves, {escaped(self.sweep.branches)}")
        return " &nbsp; ".join(parts)


def _line(x: Array, y: Array, style: str) -> str:
    points = " ".join(f"{a:.5g},{b:.5g}" for a, b in zip(x, y, strict=True))
    return f'<polyline points="{points}" fill="none" {style}/>'
