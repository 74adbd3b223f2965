"""Walks over the graph that look at it: `capture` lists its nodes as a program, `draw` makes a picture of it."""

from minigrad.graph.capture import Entry, Graph, capture
from minigrad.graph.draw import draw
from minigrad.graph.render import Picture
from minigrad.graph.watching import recording

__all__ = ["Entry", "Graph", "Picture", "capture", "draw", "recording"]
