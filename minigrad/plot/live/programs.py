"""What the page computes of the function, as programs of JavaScript: values, gradients, curvature, batches."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad import jacobians, transforms
from minigrad.errors import ArgumentError, UnsupportedError
from minigrad.export.as_text.js_module import factory
from minigrad.optim.problem import Problem
from minigrad.options import whole_number
from minigrad.plot.live.space import vector_of

MOST_CURVED = 24  # coordinates: of more a table of curvatures would say nothing, and its program would be long


class Programs:
    """Expressions of JavaScript, each once, with the numbers by which the page knows them."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def add(self, text: str) -> int:
        """The number of a program."""
        if text not in self.texts:
            self.texts.append(text)
        return self.texts.index(text)

    @property
    def script(self) -> str:
        """The list of all of them, as JavaScript writes it."""
        script = "const PROGRAMS = [\n" + ",\n".join(self.texts) + ",\n];\n"
        if "</" in script or "<!--" in script:
            raise ArgumentError("explore: a program holds what would end its script: rename what is called so")
        return script


def objective(problem: Problem, sizes: Sequence[int], programs: Programs) -> dict[str, Any]:
    """The numbers of the programs of the function; the messages of those that it cannot have.

    All take a point as one row of numbers, and rows of the data.
    """
    point, data = vector_of(problem), [np.asarray(array) for array in problem.data]

    def value(x: Any, *rows: Any) -> Any:
        return problem.on(problem.parts(x), rows)

    def lowered(f: Callable[..., Any], count: int | None = None) -> int:
        return programs.add(factory(f, point, *(array[:count] for array in data), name="objective"))

    slope = transforms.value_and_grad(value)
    found: dict[str, Any] = {"value": lowered(value), "slope": lowered(slope), "hessian": None, "batches": {}}
    if point.size <= MOST_CURVED:
        try:
            found["hessian"] = lowered(jacobians.hessian(value))
        except UnsupportedError as error:
            found["flat"] = str(error)
    else:
        found["flat"] = f"{point.size} coordinates are too many"
    for size in sizes:
        rest = len(data[0]) % size
        for count in {size, rest} - {0}:
            found["batches"][count] = lowered(slope, count)
    return found


def sizes_of(batches: Any, problem: Problem) -> list[int]:
    """The sizes of batches that the page offers, beside all rows."""
    if not problem.data:
        if batches is not None:
            raise ArgumentError("explore: batches are of rows of data: give data=(X, y) too, and f takes them after x")
        return []
    rows = len(problem.data[0])
    if batches is None:
        return [size for size in dict.fromkeys((1, max(2, rows // 16), max(4, rows // 4))) if size < rows]
    given = batches if isinstance(batches, (tuple, list)) else [batches]
    sizes = dict.fromkeys(whole_number(size, "explore: batches") for size in given)
    return [size for size in sizes if size < rows]


def data_of(problem: Problem) -> list[dict[str, Any]]:
    """The data as the page holds it: for each array its numbers in one row, and how many there are in a row of it."""
    held = []
    for array in map(np.asarray, problem.data):
        if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
            raise ArgumentError(f"explore: data is made of finite real numbers, and an array of {array.dtype} is not")
        held.append({"numbers": array.reshape(-1).tolist(), "width": int(np.prod(array.shape[1:]))})
    return held
