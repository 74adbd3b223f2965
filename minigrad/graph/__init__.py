"""Walks over the graph that look at it.

`capture` lists its nodes as a program, and `recording` those that are made in a block.  `draw` makes a picture, and
`Snapshots` one with a slider over the steps of a training.  `summary` counts what a graph consists of, `profile`
measures where the time goes, and `growth` warns of graphs that grow from step to step.
"""

import importlib
from typing import TYPE_CHECKING, Any

from minigrad.graph.capture import Entry, Graph, capture
from minigrad.graph.watching import recording

if TYPE_CHECKING:
    from minigrad.graph.drawing import draw
    from minigrad.graph.growing import Growth, GrowthWarning, growth
    from minigrad.graph.picture import Picture
    from minigrad.graph.profiling import Timing, profile
    from minigrad.graph.snapshots import Snapshots
    from minigrad.graph.summarizing import GraphSummary, summary

__all__ = [
    "Entry",
    "Graph",
    "GraphSummary",
    "Growth",
    "GrowthWarning",
    "Picture",
    "Snapshots",
    "Timing",
    "capture",
    "draw",
    "growth",
    "profile",
    "recording",
    "summary",
]

# Most programs draw and measure nothing: what does is imported when it is wanted.
_LATER = {
    "GraphSummary": "summarizing",
    "Growth": "growing",
    "GrowthWarning": "growing",
    "Picture": "picture",
    "Snapshots": "snapshots",
    "Timing": "profiling",
    "draw": "drawing",
    "growth": "growing",
    "profile": "profiling",
    "summary": "summarizing",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_LATER[name]}"), name)
    globals()[name] = value
    return value
