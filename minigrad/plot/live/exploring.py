"""Gradient descent on a page of its own, computed live by the function that was written in Python."""

import inspect
import os
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minigrad import display
from minigrad.core import only_outside
from minigrad.errors import ArgumentError
from minigrad.graph.page import ASSETS as ELEMENTS
from minigrad.graph.page import filled
from minigrad.optim.problem import Problem
from minigrad.options import real_number, whole_number
from minigrad.plot.html_page import HtmlPage
from minigrad.plot.live.programs import MOST_CURVED, Programs, data_of, objective, sizes_of
from minigrad.plot.live.space import (
    Plane,
    curvature_at,
    extent,
    minima_of,
    plane_of,
    start_of,
    vector_of,
    window_of,
)
from minigrad.plot.live.steppers import rate_for, read, stepper
from minigrad.plot.mesh import Window

ASSETS = Path(__file__).parent / "assets"
SCRIPTS = (
    "chance.js", "space.js", "run.js", "verdict.js", "field.js", "marks.js", "contour.js", "curve.js", "surface.js",
    "picture.js", "losses.js", "curvature.js", "address.js", "controls.js", "readout.js",
    "pointer.js", "page.js",
)  # fmt: skip

_SOURCE_LINES = 60  # of a function that the page shows
_MOST_STEPS = 20_000
_OF_BATCHES = 5.0  # by so much the gradient descent of batches is slower, so that noise does not hide where it goes


class LivePage(HtmlPage):
    """A page on which gradient descent runs: a notebook shows it, `save` writes it, and `str` of it is the HTML.

    Attributes
    ----------
    html : str
        The page.
    """


def explore(
    f: Callable[..., Any],
    start: Any = None,
    bounds: Any = None,
    *,
    optimizers: Any = None,
    lr: float | None = None,
    plane: Any = None,
    data: Sequence[Any] = (),
    batches: "int | Sequence[int] | None" = None,
    minima: Any = None,
    steps: int = 300,
    noise: float = 0.0,
    seed: int = 0,
    log: bool | None = None,
    title: str | None = None,
    path: "str | os.PathLike[str] | None" = None,
) -> LivePage:
    """A page on which gradient descent runs live, in any browser: drag the start, change the learning rates, look.

    The page computes: the function, its gradient, its Hessian and the steps of the optimizers are traced and written
    as JavaScript, so the runs go through the same numbers as those of `optim.minimize`.  It is one file that loads
    nothing.  Matplotlib is not needed.

    Parameters
    ----------
    f : callable
        From an array or a tree of arrays, of the form of `start`, and rows of `data` if there are any, to a single
        number.
    start : array, number, or tuple or dict of these, optional
        Where the runs begin; a list is an array.  An `Objective`, and a function with bounds, can do without.
    bounds : pair of pairs (low, high), or one pair for both axes, optional
        The limits of the picture: by default the `domain` of an `Objective`, or what a descent from the start needs.
    optimizers : str, class, callable, list or dict of these, optional
        What is compared: names or classes of `minigrad.optim`, or functions from a list of parameters to an optimizer,
        each alone or in a pair with its options, ``("SGD", {"momentum": 0.9})``; a dict gives them labels.  By default
        gradient descent, momentum, RMSprop and Adam, and others to switch on.
    lr : float, optional
        The learning rate of those that have none among their options: by default one that suits the function.
    plane : (origin, direction, direction) or Projection, optional
        What is shown of a function of more than two coordinates, in which the optimizers run all the same: points of
        the form of `start`, or what `plot.project` returned.
    data : sequence of array
        Arrays with one row for each observation, given to `f` after x.
    batches : int or sequence of int, optional
        The sizes of batches that the page offers, beside all rows; it begins with the first.  By default it offers
        three, and begins with all rows.
    minima : point or list of points, optional
        What to mark: by default the `minimizers` of an `Objective`; False for nothing.
    steps : int
        How many steps the runs make.
    noise : float
        The standard deviation of the normal numbers that are added to the gradient at first.
    seed : int
        Of noise and batches.
    log : bool, optional
        Whether levels are evenly spaced on a logarithmic scale: by default where they show more.
    title : str, optional
        By default the function's name.
    path : path-like, optional
        The file to write.

    Returns
    -------
    LivePage
        Notebooks show it; ``str`` of it is the HTML, and its `save` writes it.

    Raises
    ------
    ArgumentError
        If the function has more than two coordinates and no plane is given, or an option makes no sense.
    ShapeError
        If the function does not return a single number, or plane or minima do not have the coordinates of the start.
    UnsupportedError
        If JavaScript has nothing for an operation of the function or of an optimizer; it names the operation and its
        line.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad import plot
    >>> page = plot.explore(mg.objectives.bowl(1, 5), (4.0, 2.5), optimizers={"plain": "SGD", "Adam": "Adam"}, lr=0.08)
    >>> "<title>bowl(1, 5)</title>" in str(page)
    True
    """
    only_outside("plot.explore", "Trace its function, and call it outside")
    steps = whole_number(steps, "explore: steps")
    if steps > _MOST_STEPS:
        raise ArgumentError(f"explore: a page makes {_MOST_STEPS} steps at most, not {steps}: use optim.minimize")
    real_number(noise, "explore: noise", least=0, below=np.inf)
    if not 0 <= whole_number(seed, "explore: seed", least=0) < 2**32:
        raise ArgumentError(f"explore: seed is an integer below 2**32, not {seed}")
    if lr is not None:
        real_number(lr, "explore: lr", above=0, below=np.inf)
    place = start_of(f, start, bounds)
    shown = plane_of(plane, place)
    problem = Problem(f, place, data, "explore")
    rows = data_of(problem)
    _check_value(problem)
    known = minima_of(f, minima, shown)
    sides = window_of(bounds, f, problem, shown, known)
    programs = Programs()
    sizes = sizes_of(batches, problem)
    about = objective(problem, sizes, programs)
    curvature, size = curvature_at(problem, MOST_CURVED), extent(sides, shown)
    batch = sizes[0] if batches is not None and sizes else 0
    curvature *= _OF_BATCHES if batch else 1.0
    runs = []
    for label, given, options, on in read(optimizers):

        def rate(name: str, options: dict[str, Any] = options) -> float:
            return lr if lr is not None else rate_for(name, options, curvature, size)

        runs.append({**stepper(label, given, options, problem, programs, rate), "on": on})
    name = title or _name(f)
    payload = {
        "title": name,
        "source": _source(f),
        "leaves": [{"size": leaf.array.size, "scalar": leaf.array.ndim == 0} for leaf in problem.leaves],
        "start": vector_of(problem).tolist(),
        "python": _start_in_python(place),
        **_picture(shown, sides, known),
        "objective": about,
        "data": rows,
        "sizes": sizes,
        "batch": batch,
        "optimizers": runs,
        "steps": steps,
        "noise": float(noise),
        "seed": seed,
        "log": log,
    }
    scripts = [ELEMENTS / "elements.js", *(ASSETS / script for script in SCRIPTS)]
    html = filled(ASSETS / "page.html", scripts, payload, programs.script)
    page = LivePage(html, name, f"{name}, {display.memory(len(html))}")
    if path is not None:
        page.save(path)
    return page


def _check_value(problem: Problem) -> None:
    """Raise for a function that has no single finite number at the start."""
    with np.errstate(all="ignore"):
        value = problem.loss()
    if not np.isfinite(value):
        raise ArgumentError(f"explore: the function is {value} at the start: start where it is a number")


def _name(f: Any) -> str:
    name = getattr(f, "name", None) or getattr(f, "__name__", type(f).__name__)
    return "objective" if name == "<lambda>" else str(name)


def _source(f: Any) -> str:
    """How the function is written, if that is known and not long."""
    try:
        lines, _ = inspect.getsourcelines(getattr(f, "function", f))
    except (OSError, TypeError):
        return ""
    return textwrap.dedent("".join(lines)).rstrip() if len(lines) <= _SOURCE_LINES else ""


def _start_in_python(start: Any) -> bool:
    """Whether `minimize` can be given the start as a vector or a number."""
    return isinstance(start, np.ndarray) and start.ndim < 2


def _picture(plane: Plane, sides: Window, known: np.ndarray) -> dict[str, Any]:
    """The plane and what is marked in it."""
    return {
        "origin": plane.origin.tolist(),
        "directions": plane.directions.tolist(),
        "back": plane.back.tolist(),
        "names": plane.names,
        "bounds": [list(side) for side in sides],
        "minima": known.tolist(),
    }
