"""Walks over the graph that look at it.

`capture` lists its nodes as a program, and `recording` those that are made in a block.  `draw` makes a picture, and
`Snapshots` one with a slider over the steps of a training.  `summary` counts what a graph consists of, `profile`
measures where the time goes, and `growth` warns of graphs that grow from step to step.
"""

from typing import TYPE_CHECKING

from minigrad.graph.capture import Entry, Graph, capture
from minigrad.graph.watching import recording
from minigrad.later import imported_later

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
__getattr__ = imported_later(__name__, {
    "drawing": ["draw"],
    "growing": ["Growth", "GrowthWarning", "growth"],
    "picture": ["Picture"],
    "profiling": ["Timing", "profile"],
    "snapshots": ["Snapshots"],
    "summarizing": ["GraphSummary", "summary"],
})  # fmt: skip
