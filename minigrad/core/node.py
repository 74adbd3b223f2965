"""The graph: nodes, and names for their values.

A `Node` is a value together with how it was computed.  A `Handle` (the bare part of what people hold as a
Tensor) is a name for a value.  Edges run from node to node, never to a name, so there are no reference cycles
and a graph dies with its last name; and because a name can move on to another value, ``x += 1`` is harmless.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from minigrad.diagnostics import Receipt
from minigrad.errors.backward import released
from minigrad.notes import Notes, notes_of
from minigrad.views import View
from minigrad.writes import tick

if TYPE_CHECKING:
    from minigrad.core.operation import Operation

# An ndarray or a NumPy scalar; in a rule that is being recorded, a Tensor.  NumPy's protocols make the three
# interchangeable, and no static type can say so.
Array: TypeAlias = Any
Rule: TypeAlias = Callable[..., Any]


class Node:
    """One value of the graph.

    Attributes
    ----------
    op : Operation or None
        What computed the value; None for a leaf.
    inputs : tuple of (Node or None)
        The node of each operand, None for a constant.  After a backward pass has released the node, a `Receipt`.
    args : tuple
        The operands' values, as they were given to the operation.
    value : ndarray or NumPy scalar
    seq : int
        Rises with every node made.
    notes : Notes or None
        What only few nodes have.  Every leaf has notes.
    """

    __slots__ = ("args", "inputs", "notes", "op", "seq", "value")
    op: "Operation | None"
    inputs: "tuple[Node | None, ...] | Receipt"
    args: Any  # a tuple of arrays, or the receipt as well
    value: Array
    seq: int
    notes: Notes | None

    @property
    def released(self) -> bool:
        """Whether a backward pass has taken operands and edges."""
        return isinstance(self.inputs, Receipt)

    def parents(self) -> "tuple[Node | None, ...]":
        """The inputs; raises ReleasedGraphError if a backward pass has taken them."""
        if isinstance(self.inputs, Receipt):
            raise released(self.inputs.place, self.inputs.interruption)
        return self.inputs


class Handle:
    """A name for a value: its data, and the node that computed them if the value requires grad."""

    __slots__ = ("__weakref__", "array", "node", "viewed")
    array: Array
    node: Node | None
    viewed: View | None  # what it was read from; not set for what is no view


def leaf(value: Array, name: str | None = None) -> Node:
    """A node that nothing computed, which keeps the gradients that reach it."""
    node = Node()
    node.op, node.inputs, node.args, node.value, node.seq, node.notes = None, (), (), value, tick(), None
    notes_of(node).keep, notes_of(node).name = True, name
    return node


def unwrap(x: Any) -> Any:
    """The array of a Tensor; anything else as it is."""
    return x.array if isinstance(x, Handle) else x
