"""A graph at several moments of a training, as one page with a slider."""

import os
from collections.abc import Mapping
from typing import Any

from minigrad import errors
from minigrad.graph.capture import Graph
from minigrad.graph.drawing import opened
from minigrad.graph.heat import Heat
from minigrad.graph.payload import payload, step
from minigrad.graph.targets import target_of
from minigrad.replacing import replace_file


class Snapshots:
    """Values and gradients of the same computation at several moments.

    Parameters
    ----------
    names : mapping of str to Tensor, optional
        Names for leaves and constants, such as ``dict(model.named_parameters())``.
    title : str

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor(3.0, requires_grad=True, name="w")
    >>> optimizer = mg.optim.SGD([w], lr=0.1)
    >>> snapshots = mg.graph.Snapshots()
    >>> for step in range(5):
    ...     optimizer.zero_grad()
    ...     loss = (w - 1) ** 2
    ...     snapshots.take(loss)
    ...     loss.backward()
    ...     optimizer.step()
    >>> len(snapshots)
    5
    >>> page = snapshots.html  # or snapshots.save("training.html")
    """

    def __init__(self, names: Mapping[str, Any] | None = None, title: str = "training") -> None:
        self.names, self.title = names, title
        self._taken: list[tuple[str, dict[str, Any], Heat]] = []
        self._first: dict[str, Any] = {}
        self._structure: list[Any] = []

    def __len__(self) -> int:
        return len(self._taken)

    def take(self, target: Any, *inputs: Any, label: str | None = None) -> None:
        """Keep the values and gradients of this moment, in numbers; the arrays themselves are not kept.

        Parameters
        ----------
        target, *inputs
            As for `draw`: a Tensor, before `backward` has released its graph, or a function or a Module.
        label : str, optional
            What the slider says; by default ``"step 0"``, ``"step 1"``, ...

        Raises
        ------
        GraphError
            If the computation is not the same as in the first snapshot.
        """
        graph, gradients, _ = target_of(
            target, inputs, self.names, True, what="Snapshots.take", instead='What the slider says is label="..."'
        )
        structure = [(entry.op, entry.inputs, entry.shape) for entry in graph]
        if self._structure and structure != self._structure:
            raise errors.GraphError(
                f"a snapshot of another computation: the first had {len(self._structure):,} nodes, this one has "
                f"{len(graph):,}{_difference(self._structure, structure, graph)}. Take snapshots of the same loss, "
                "with batches of the same size (a DataLoader leaves out a smaller last one with drop_last=True)"
            )
        diagram, closed = opened(graph, gradients)
        if self._taken and [*diagram.boxes] != [*self._taken[0][1]]:
            raise errors.GraphError(
                "a snapshot in which other modules are known than in the first: take each of the same Tensor, computed "
                "under graph.profile() or not, or each of the same function or Module"
            )
        heat = Heat(diagram, "grad")
        if not self._structure:
            self._structure = structure
            self._first = payload(diagram, self.title, None, closed)
        self._taken.append((label or f"step {len(self)}", step(diagram), heat))

    @property
    def html(self) -> str:
        """The page."""
        from minigrad.graph.page import page  # few programs need it

        if not self._taken:
            raise errors.GraphError("there are no snapshots yet: call take(loss) in the training loop")
        first = self._taken[0][2]
        first.fit(heat.levels for _, _, heat in self._taken)
        for _, _, heat in self._taken:
            heat.low, heat.high = first.low, first.high
        steps = []
        for label, nodes, heat in self._taken:
            shares = {key: {**numbers, "heat": heat.share(key)} for key, numbers in nodes.items()}
            steps.append({"label": label, "nodes": {str(i): numbers for i, numbers in enumerate(shares.values())}})
        return page({**self._first, "heat": first.words(), "steps": steps})

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page to a file; a file that is there is replaced when the new one is complete."""
        replace_file(
            path,
            lambda file: file.write(self.html.encode("utf-8", "backslashreplace")),
            "file.write(snapshots.html.encode())",
        )


def _difference(first: list[Any], second: list[Any], graph: Graph) -> str:
    """Where two computations part."""
    for entry, before, now in zip(graph, first, second, strict=False):
        if before != now:
            return f", and differs at {entry}, which was {before[0] or entry.kind} of shape {before[2]}"
    return ""
