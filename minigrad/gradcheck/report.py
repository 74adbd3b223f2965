"""The report of a check, passed or not: heat maps of the errors, the sweep of the step, and the graph."""

import os
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from minigrad import display, errors
from minigrad.core import Array
from minigrad.gradcheck import heat_map
from minigrad.gradcheck.compare import Comparison, Options, Ray
from minigrad.gradcheck.failure import DerivativeError, aligned, place
from minigrad.gradcheck.function import Function
from minigrad.gradcheck.marked_graph import Drawing
from minigrad.gradcheck.step_sweep import Sweep, how_to_read, sweep_of
from minigrad.replacing import replace_file

_FAST = "the fast mode compares random combinations of all elements, and knows no single ones"
_MAPS_IN_TEXT = 4
_SIDE_IN_TEXT = (24, heat_map.SIDE)
_PAIRS = 40  # rows of the table


class Report:
    """What `gradcheck` and `gradgradcheck` found: print it, show it in a notebook, or `save` it as a page.

    The check is over when the report is there.  To sweep the step it calls the function again, when it is looked at.

    Attributes
    ----------
    title : str
        The names of the check and of the function.
    passed : bool
    kind : str
        ``"right"``, or that of the `DerivativeError`.
    message : str
        What was found; if the check has failed, the text of the exception.
    summary : str
        Its first sentence.
    failures : list of Failure
    operations : list of str
        The names of the operations that fail by themselves.
    findings : list of str
        In words, what the check of every operation found.
    count, total : int
        How many derivatives failed, and how many there are; in the fast mode, how many combinations.
    drawings : list of Drawing
        The graphs that belong to it.
    """

    def __init__(
        self,
        title: str,
        function: Function,
        options: Options,
        comparison: Comparison | None,
        drawings: Sequence[Drawing],
        error: DerivativeError | None = None,
    ) -> None:
        self.title = title
        self.passed = error is None
        self.total = 0 if comparison is None else comparison.analytic.size
        self.drawings = list(drawings)
        self._function = function
        self._options = options
        self._comparison = comparison
        self._sweeps: dict[tuple[int, int], Sweep] = {}
        # The error has this report.  A reference back would keep the graph until the garbage collector runs.
        self.kind = "right" if error is None else error.kind
        self.failures = [] if error is None else error.failures
        self.operations = [] if error is None else error.operations
        self.findings = [] if error is None else error.findings
        self.count = 0 if error is None else error.count
        self.message = self._praise() if error is None else str(error)
        self.summary = self.message if error is None else error.args[0]
        if self.failures:
            self.summary = self.summary.splitlines()[0]  # a table follows

    def _praise(self) -> str:
        if not self.total:
            return "there is nothing to compare: the inputs or the outputs have no elements"
        what = "random combinations of derivatives" if self._options.fast else "derivatives"
        return f"{self.total:,} of {self.total:,} {what} agree with finite differences"

    # Numbers

    def disagreement(self, output: int = 0, input: int = 0) -> Array:
        """How far apart the two Jacobians of an output by an input are, as multiples of the tolerance.

        Parameters
        ----------
        output, input : int

        Returns
        -------
        ndarray
            Of the shape of the output and that of the input, one after the other, where complex numbers have one more
            axis, of their real and imaginary parts.  Above 1 the check fails; NaN where a derivative is not finite.

        Raises
        ------
        ArgumentError
            If there is no such output or input, or nothing was compared element by element.

        Examples
        --------
        >>> import numpy as np
        >>> from minigrad.gradcheck import gradcheck_report
        >>> report = gradcheck_report(lambda x: x**2, np.array([1.0, 2.0, 3.0]))
        >>> report.disagreement().shape, bool(report.disagreement().max() < 1)
        ((3, 3), True)
        """
        ratios = heat_map.ratios(self._compared())
        if self._options.fast:
            raise errors.ArgumentError(f"there is no disagreement of single derivatives: {_FAST}")
        pair = next((x for x in self._pairs if (x.output, x.input) == (output, input)), None)
        if pair is None:
            raise errors.ArgumentError(f"no output {output} was compared by an input {input}")
        outputs, inputs = self._shapes
        return ratios[pair.rows, pair.columns].reshape(outputs[output] + inputs[input])

    def sweep(
        self,
        output: int | None = None,
        output_element: tuple[int | str, ...] | None = None,
        input: int | None = None,
        input_element: tuple[int | str, ...] | None = None,
    ) -> Sweep:
        """The error of one derivative with steps from 0.1 to 1e-13: the worst one, or the worst of those asked for.

        Parameters
        ----------
        output, input : int, optional
        output_element, input_element : tuple of int, optional
            With ``"real"`` or ``"imag"`` at the end for a complex one.

        Returns
        -------
        Sweep

        Raises
        ------
        ArgumentError
            If there is no such derivative.

        Examples
        --------
        >>> import numpy as np
        >>> from minigrad.gradcheck import gradcheck_report
        >>> report = gradcheck_report(np.sin, np.array([0.1, 0.2]))
        >>> sweep = report.sweep(output_element=(1,), input_element=(1,))
        >>> sweep.place
        'output 0[1] by input 0[1]'
        >>> 1e-6 < sweep.best < 1e-4
        True
        """
        comparison = self._compared()
        rows = [_fits(ray, output, output_element) for ray in comparison.seeds]
        columns = [_fits(ray, input, input_element) for ray in comparison.probes]
        wanted = np.outer(rows, columns)
        if not wanted.any():
            raise errors.ArgumentError(
                f"no derivative was compared of {_asked('output', output, output_element)} by "
                f"{_asked('input', input, input_element)}"
            )
        i, j = _worst(comparison, wanted)
        if (i, j) not in self._sweeps:
            self._sweeps[i, j] = self._swept(comparison, i, j)
        return self._sweeps[i, j]

    def _swept(self, comparison: Comparison, i: int, j: int) -> Sweep:
        seed, probe = comparison.seeds[i], comparison.probes[j]
        analytic, numeric, tolerance = (
            float(x[i, j]) for x in (comparison.analytic, comparison.numeric, comparison.tolerance)
        )
        if comparison.confirmed[i, j]:
            kind = "right"
        elif comparison.kinked[i, j]:
            kind = "kink"
        elif not np.isfinite(analytic - numeric):
            kind = "not finite"
        else:
            known = {(x.analytic, x.numeric): x.kind for x in self.failures}
            kind = known.get((analytic, numeric), "wrong")
        outputs, inputs = self._function.names
        where = f"{place(outputs[seed.tensor], seed.element)} by {place(inputs[probe.tensor], probe.element)}"
        scale = probe.step / self._options.step
        numbers = analytic, numeric, tolerance
        return self._function.with_state_restored(
            lambda: sweep_of(self._function, seed, probe, scale, where, kind, numbers)
        )

    def _compared(self) -> Comparison:
        if self._comparison is None:
            raise errors.ArgumentError(f"no derivatives were compared: {self.message}")
        return self._comparison

    # Words and pictures

    @property
    def names(self) -> tuple[Sequence[str], Sequence[str]]:
        """What the outputs and the inputs are called."""
        return self._function.names

    @property
    def settings(self) -> str:
        """How the check was made."""
        step, atol, rtol, fast, seed = self._options
        told = f"steps of {step:.2g} times max(1, |x|); within {atol:.1g} + {rtol:.1g} |numeric|"
        return f"{told}; fast, with seed {seed}" if fast else told

    @property
    def missing(self) -> str:
        """Why there is no heat map, if there is none."""
        if self._comparison is not None:
            return f"There is no heat map: {_FAST}." if self._options.fast else ""
        if self.passed:
            return ""
        return "There is no heat map, and no sweep of the step: no two Jacobians were compared."

    @cached_property
    def table(self) -> list[tuple[str, ...]]:
        """For each output and input how many derivatives failed, and the worst; titles first."""
        comparison = self._compared()
        ratios = np.nan_to_num(heat_map.ratios(comparison), nan=np.inf, posinf=np.inf)
        outputs, inputs = self._function.names
        rows: list[tuple[str, ...]] = [("output", "input", "derivatives", "failed", "worst / tolerance", "at")]
        for output, input, down, across in self._pairs[:_PAIRS]:
            part, failed = ratios[down, across], int((~comparison.confirmed[down, across]).sum())
            worst, at = "-", "-"
            if part.size:
                i, j = np.unravel_index(part.argmax(), part.shape)
                worst = f"{part[i, j]:.1e}" if np.isfinite(part[i, j]) else "NaN or inf"
                seed, probe = comparison.seeds[down.start + i], comparison.probes[across.start + j]
                at = f"{_brackets(seed)} by {_brackets(probe)}"
            rows.append((outputs[output], inputs[input], f"{part.size:,}", f"{failed:,}", worst, at))
        if len(self._pairs) > _PAIRS:
            rows.append((f"... {len(self._pairs) - _PAIRS:,} more", "", "", "", "", ""))
        return rows

    def heat_maps(
        self, most: int = 24, side: tuple[int, int] = (heat_map.SIDE, heat_map.SIDE)
    ) -> list[heat_map.HeatMap]:
        """A map of each output by each input, and one of each input: of more than `most`, the worst ones."""
        if self._comparison is None or self._options.fast:
            return []
        levels = heat_map.levels(self._comparison)
        outputs, inputs = self._function.names
        found: list[tuple[int, heat_map.HeatMap]] = []
        for output, input, down, across in self._pairs:
            part = levels[down, across]
            if part.size:
                title = f"{outputs[output]} by {inputs[input]}"
                found.append((part.max(), heat_map.jacobian_map(title, part, side)))
        for input, across in {pair.input: pair.columns for pair in self._pairs}.items():
            part, shape = levels[:, across], self._shapes[1][input]
            if self._is_complex(input):
                part, shape = part.reshape(len(part), -1, 2).max(axis=2), shape[:-1]
            if part.size and 1 <= len(shape) <= 3 and (len(shape) > 1 or len(part) > 1):
                found.append((part.max(), heat_map.input_map(inputs[input], part, shape, side)))
        chosen = sorted(range(len(found)), key=lambda k: -found[k][0])[:most]
        maps = [found[k][1] for k in sorted(chosen)]
        if len(found) > most:
            maps[-1] = maps[-1]._replace(
                note=f"{maps[-1].note}\n  ... {len(found) - most:,} more maps, with smaller errors"
            )
        return maps

    def __repr__(self) -> str:
        return f"<Report: {self.title}, {'passed' if self.passed else self.kind}>"

    def __str__(self) -> str:
        parts = [
            f"{self.title}: {'passed' if self.passed else 'failed'}\n{self.message}\n({self.settings})",
            self.missing,
        ]
        if self._comparison is not None:
            parts.append("\n".join(aligned(self.table)))
            maps = self.heat_maps(_MAPS_IN_TEXT, _SIDE_IN_TEXT)
            parts += [*map(str, maps), heat_map.key() if maps else ""]
            parts += [str(self.sweep()), how_to_read()]
        if not self.passed:
            parts += [f"{drawing.title}\n{drawing.text()}" for drawing in self.drawings]
        return "\n\n".join(part for part in parts if part)

    def html(self, *more: Sweep) -> str:
        """One page, which needs no network and runs no script.

        Parameters
        ----------
        *more : Sweep
            Other derivatives whose sweeps it shall show too.
        """
        from minigrad.gradcheck.report_page import page  # only what is shown needs it

        return page(self, more)

    def save(self, path: str | os.PathLike[str], *more: Sweep) -> None:
        """Write the page to a file; a file that is there is replaced when the new one is complete.

        Parameters
        ----------
        path : path-like
        *more : Sweep
            As for `html`.

        Raises
        ------
        OSError
            If the file cannot be written there.
        """
        replace_file(
            path,
            lambda file: file.write(self.html(*more).encode("utf-8", "backslashreplace")),
            "file.write(report.html().encode())",
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str | bytes]:
        def html() -> str:
            from minigrad.gradcheck.report_page import body

            return body(self, ())

        return display.mimebundle(self.__str__, include, exclude, html=html)

    # Places

    @cached_property
    def _pairs(self) -> list[heat_map.Pair]:
        return heat_map.pairs(self._compared(), self._function.places, self._function.active)

    @property
    def _shapes(self) -> tuple[dict[int, tuple[int, ...]], dict[int, tuple[int, ...]]]:
        """Of every output and of every input that is compared."""
        function = self._function
        outputs = dict(zip(function.places, function.output_shapes, strict=True))
        return outputs, dict(zip(function.active, function.shapes, strict=True))

    def _is_complex(self, input: int) -> bool:
        return bool(self._function.complex[self._function.active.index(input)])


def _worst(comparison: Comparison, wanted: Array) -> tuple[int, int]:
    """What is wrong before what is not finite, that before a kink, and that before what is right; then the largest."""
    ratios = heat_map.ratios(comparison)
    rank = np.where(comparison.confirmed, 0, np.where(comparison.kinked, 1, np.where(np.isnan(ratios), 2, 3)))
    rank = np.where(wanted, rank, -1)
    with np.errstate(all="ignore"):
        distance = ratios if rank.max() == 0 else np.abs(comparison.analytic - comparison.numeric)
    score = np.where(rank == rank.max(), np.nan_to_num(distance), -1.0)
    i, j = np.unravel_index(score.argmax(), score.shape)
    return int(i), int(j)


def _fits(ray: Ray, tensor: int | None, element: tuple[int | str, ...] | None) -> bool:
    if tensor is not None and tensor != ray.tensor:
        return False
    return element is None or tuple(element) == ray.element


def _asked(what: str, tensor: int | None, element: tuple[int | str, ...] | None) -> str:
    name = f"any {what}" if tensor is None else f"{what} {tensor}"
    return name if element is None else place(name, element)


def _brackets(ray: Ray) -> str:
    return place("", ray.element).strip() or "[]"
