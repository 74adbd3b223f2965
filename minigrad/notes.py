"""What only few nodes of a graph have beside their value."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from minigrad.diagnostics import Place
from minigrad.writes import Lent

if TYPE_CHECKING:
    from minigrad.core.node import Array, Handle, Node


class Notes:
    """What leaves have, and other nodes when somebody asks for it: a gradient to keep, hooks, a name, a line."""

    __slots__ = ("argument", "constants", "grad", "hooks", "keep", "lent", "name", "trace", "where", "written")

    def __init__(self) -> None:
        self.grad: Handle | None = None
        self.hooks: dict[object, Callable[[Any], Any]] = {}
        self.name: str | None = None
        self.argument = False  # whether it is an argument of a function that is being differentiated
        self.where: Place | None = None  # the line that made the node; of a leaf, that last wrote to it
        self.trace: Any = None  # what a watcher wants to remember of the node
        # Whether to keep the gradient, and the `seq` at which the memory was last written to; who else may write to it.
        self.keep, self.written = False, 0
        self.lent: Lent | None = None
        self.constants: dict[int, Array] = {}  # copies of borrowed operands, under `detect_anomaly`


def notes_of(node: "Node") -> Notes:
    """The node's notes, started if it has none."""
    if node.notes is None:
        node.notes = Notes()
    return node.notes
