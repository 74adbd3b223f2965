"""The engine.  Read `node` first (what a graph is), then `backprop` (the walk), then `mode`."""

# fmt: off
# ruff: noqa: I001  # one line for several names: a list of one name a line would be longer than the reading matter
from minigrad.core.backprop import backprop, collect, conjugated, note_write
from minigrad.core.mode import Switch, detect_anomaly, enable_grad, is_grad_enabled, no_grad
from minigrad.core.view import note_view, viewed_from
from minigrad.core.node import (
    PLAIN, Array, Handle, Node, Operation, Primitive, apply, binary, implements, leaf, name_of, notes_of,
    numpy_functions, primitive, primitives, set_result_type,
)

__all__ = [
    "PLAIN", "Array", "Handle", "Node", "Operation", "Primitive", "Switch", "apply", "backprop", "binary", "collect",
    "conjugated", "detect_anomaly", "enable_grad", "implements", "is_grad_enabled", "leaf", "name_of", "no_grad",
    "note_view", "note_write", "notes_of", "numpy_functions", "primitive", "primitives", "set_result_type",
    "viewed_from",
]
