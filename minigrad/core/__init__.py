"""The engine.  Read `node` first (what a graph is), then `operation`, `apply`, `backprop` (the walk) and `mode`."""

# fmt: off
# one line for several names: a list of one name a line would be longer than the reading matter
from minigrad.core.apply import apply, as_operand, binary, holds_tensor, name_of, set_result_type
from minigrad.core.backprop import backprop
from minigrad.core.mode import detect_anomaly, enable_grad, no_grad, traced
from minigrad.core.node import Array, Handle, Node, leaf, unwrap
from minigrad.core.operation import Operation, Primitive
from minigrad.core.primitive import primitive
from minigrad.facts import EVERY, Cost, Facts, Kind
from minigrad.gradients import conjugated
from minigrad.notes import notes_of
from minigrad.operands import NUMBERS, PLAIN
from minigrad.ordering import collect
from minigrad.registry import implements, numpy_functions, numpy_keywords, primitives
from minigrad.settings import Switch, give_out, interpreter, is_grad_enabled, only_outside

__all__ = [
    "EVERY", "NUMBERS", "PLAIN", "Array", "Cost", "Facts", "Handle", "Kind", "Node", "Operation", "Primitive",
    "Switch", "apply", "as_operand", "backprop", "binary", "collect", "conjugated", "detect_anomaly", "enable_grad",
    "give_out", "holds_tensor", "implements", "interpreter", "is_grad_enabled", "leaf", "name_of", "no_grad",
    "notes_of", "numpy_functions", "numpy_keywords", "only_outside", "primitive", "primitives",
    "set_result_type", "traced", "unwrap",
]
