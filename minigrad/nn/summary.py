"""A table of a model's parts: what each gives out, and how many parameters it has."""

from collections.abc import Callable
from typing import Any, NamedTuple

from minigrad.core import Handle, no_grad
from minigrad.nn.module import Module
from minigrad.tree import flatten


class Line(NamedTuple):
    """One part of a model.

    Attributes
    ----------
    name : str
        Its path.
    kind : str
        Its class.
    shapes : tuple of tuple of int
        Of the Tensors that it gave out; empty if it was not called.
    parameters : int
        How many numbers are trained in the part itself, without its own parts.
    depth : int
    """

    name: str
    kind: str
    shapes: tuple[tuple[int, ...], ...]
    parameters: int
    depth: int


class Summary(NamedTuple):
    """What `summary` returns; printed, it is a table.

    Attributes
    ----------
    lines : tuple of Line
    parameters : int
        All parameters, each counted once.
    trainable : int
        Those that require grad.
    bytes : int
        The memory of parameters and buffers.
    """

    lines: tuple[Line, ...]
    parameters: int
    trainable: int
    bytes: int

    def __repr__(self) -> str:
        rows = [("part", "output", "parameters")]
        for line in self.lines:
            word = f"{'  ' * line.depth}{line.name.rpartition('.')[2] or 'model'}: {line.kind}"
            shapes = ", ".join(map(str, line.shapes)) or "-"
            rows.append((word, shapes, f"{line.parameters:,}" if line.parameters else "-"))
        widths = [max(len(row[i]) for row in rows) for i in range(3)]
        text = [f"{a:{widths[0]}}  {b:{widths[1]}}  {c:>{widths[2]}}" for a, b, c in rows]
        rule = "-" * len(text[0])
        return "\n".join([text[0], rule, *text[1:], rule, self._total()])

    def _total(self) -> str:
        return f"{self.parameters:,} parameters, {self.trainable:,} of them trained, {self.bytes / 2**20:.2f} MiB"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from minigrad import display  # only notebooks need it

        def html() -> str:
            rows = [
                (
                    display.indented(line.name.rpartition(".")[2] or "model", line.depth),
                    line.kind,
                    ", ".join(map(str, line.shapes)) or "-",
                    f"{line.parameters:,}" if line.parameters else "-",
                )
                for line in self.lines
            ]
            made = display.table(rows, ("part", "class", "output", "parameters"))
            return f"{made}{display.remark(self._total())}"

        return display.mimebundle(self.__repr__, include, exclude, html=html)


def summary(model: Module, *inputs: Any, **kwargs: Any) -> Summary:
    """Run a model once, in `eval` mode and without recording, and list its parts.

    Parameters
    ----------
    model : Module
    *inputs, **kwargs
        What it is called with. Without any, the model is not run and no shapes are shown.

    Returns
    -------
    Summary

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.summary(nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)), mg.zeros((1, 4)))
    part               output  parameters
    -------------------------------------
    model: Sequential  (1, 2)           -
      0: Linear        (1, 8)          40
      1: ReLU          (1, 8)           -
      2: Linear        (1, 2)          18
    -------------------------------------
    58 parameters, 58 of them trained, 0.00 MiB
    """
    shapes: dict[str, tuple[tuple[int, ...], ...]] = {}

    def watch(name: str) -> Callable[..., None]:
        def keep(module: Module, args: Any, output: Any) -> None:
            tensors = [x for x in flatten(output)[0] if hasattr(x, "shape")]
            shapes[name] = tuple(tuple(x.shape) for x in tensors)

        return keep

    parts = list(model.named_modules())
    if inputs or kwargs:
        before = [(p, n, b, b.array.copy()) for _, p in parts for n, b in p._buffers.items() if b is not None]
        modes = [(part, part.training) for _, part in parts]
        handles = [part.register_forward_hook(watch(name)) for name, part in parts]
        try:
            with no_grad():
                model.eval()(*inputs, **kwargs)
        finally:
            for handle in handles:
                handle.remove()
            for part, training in modes:
                part.training = training
            for part, name, buffer, value in before:
                part._buffers[name], buffer.array = buffer, value
    lines = []
    for name, part in parts:
        own = sum(p.array.size for p in part._parameters.values() if p is not None)
        lines.append(Line(name, type(part).__name__, shapes.get(name, ()), own, name.count(".") + bool(name)))
    parameters = list(model.parameters())
    memory: list[Handle] = [*parameters, *model.buffers()]
    return Summary(
        tuple(lines),
        sum(p.array.size for p in parameters),
        sum(p.array.size for p in parameters if p.requires_grad),
        sum(t.array.nbytes for t in memory),
    )
