"""What a picture shows of a graph, and what it hides."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad import graph, nn
from minigrad.graph.diagram import Diagram
from minigrad.graph.folding import Folding
from minigrad.graph.targets import target_of

# Programs: lists of steps on a stack of values

OPERATIONS = (mg.sin, mg.exp, mg.add, mg.multiply, mg.subtract)

steps = st.recursive(
    st.tuples(st.integers(0, len(OPERATIONS) - 1), st.integers(1, 3), st.integers(1, 4)),
    lambda inner: (
        st.tuples(st.just("loop"), st.integers(1, 4), st.lists(inner, max_size=4))
        | st.tuples(st.just("module"), st.integers(0, 2), st.lists(inner, min_size=1, max_size=4))
        | st.tuples(st.just("weight"), st.booleans())
    ),
    max_leaves=12,
)


class Program(nn.Module):
    """A module that does what its steps say, with parameters and parts that it makes as it goes."""

    def __init__(self, steps):
        super().__init__()
        self.steps = steps
        for i, step in enumerate(steps):
            if step[0] == "module":
                setattr(self, f"part{i}", Program(step[2]))

    def forward(self, x):
        values = [x]
        self.run(values, self.steps, "")
        return values[-1] + x

    def run(self, values, steps, where):
        for i, step in enumerate(steps):
            if step[0] == "loop":
                for _ in range(step[1]):
                    self.run(values, step[2], f"{where}{i}_")
            elif step[0] == "module":
                part = getattr(self, f"part{i}", None) or Program(step[2])
                for _ in range(step[1]):
                    values.append(part(values[-1]))
            elif step[0] == "weight":
                values.append(mg.tensor([0.5, 0.25], requires_grad=step[1]))
            else:
                operation = OPERATIONS[step[0]]
                operands = [values[max(-place, -len(values))] for place in step[1 : 2 if step[0] < 2 else 3]]
                values.append(operation(*operands))


def diagrams(test):
    """Give a test the diagram of a random program, folded in some way."""
    options = {
        "program": st.lists(steps, min_size=1, max_size=6),
        "fold": st.sampled_from([None, True, False]),
        "depth": st.sampled_from([None, 0, 1, 2]),
        "limit": st.sampled_from([1, 2, 3, 7, 500]),
    }

    @settings(deadline=None)
    @given(**options)
    def run(program, fold, depth, limit):
        x = mg.tensor([0.1, 0.2], requires_grad=True)
        with np.errstate(all="ignore"):
            found = target_of(Program(program), [x], None, False).graph
        test(Diagram(Folding(found, depth, fold, limit)), depth, fold, limit)

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


@diagrams
def test_every_entry_has_a_box_that_stands_for_it(diagram, depth, fold, limit):
    for entry in diagram.graph:
        assert diagram.key(entry.index) in diagram.boxes
    if fold is False:
        assert not diagram.folding.stands_for


@diagrams
def test_what_is_hidden_is_like_what_stands_for_it(diagram, depth, fold, limit):
    for hidden, shown in diagram.folding.stands_for.items():
        one, other = diagram.graph[hidden], diagram.graph[shown]
        assert (one.op, one.shape, one.dtype, one.kind) == (other.op, other.shape, other.dtype, other.kind)


@diagrams
def test_arrows_are_those_of_the_graph(diagram, depth, fold, limit):
    drawn = [(arrow.tail, arrow.head) for arrow in diagram.arrows]
    real = {
        (diagram.key(i), diagram.key(entry.index))
        for entry in diagram.graph
        for i in entry.inputs
        if i is not None and diagram.key(i) != diagram.key(entry.index)
    }
    assert set(drawn) <= real
    for tail, head in real - set(drawn):
        # From one repetition to the next: that would be an arrow backwards.
        assert repeated(diagram.boxes[tail].frame) & repeated(diagram.boxes[head].frame)


def repeated(frame):
    """The frames of repetitions that a frame stands in."""
    found = set()
    while frame is not None:
        found |= {frame} if frame.count > 1 else set()
        frame = frame.outer
    return found


@diagrams
def test_no_arrow_leads_back(diagram, depth, fold, limit):
    after = {}
    for arrow in diagram.arrows:
        after.setdefault(arrow.tail, set()).add(arrow.head)
    done, open_ones = set(), set()

    def visit(key):
        assert key not in open_ones, "a circle"
        if key not in done:
            open_ones.add(key)
            for head in after.get(key, ()):
                visit(head)
            open_ones.remove(key)
            done.add(key)

    for key in list(after):
        visit(key)


@diagrams
def test_the_limit_is_kept(diagram, depth, fold, limit):
    visible = [key for key in diagram.boxes if key != "skipped"]
    assert len(visible) <= limit
    if depth is not None and limit == 500:
        assert diagram.folding.boxes(depth) == len(visible)


@diagrams
def test_every_box_is_in_an_open_frame_or_is_closed_itself(diagram, depth, fold, limit):
    for box in diagram.boxes.values():
        frame = box.frame.outer if box.kind == "frame" else box.frame
        while frame is not None:
            assert not frame.closed
            frame = frame.outer


@diagrams
def test_every_form_can_be_written(diagram, depth, fold, limit):
    from minigrad.graph.dot import dot
    from minigrad.graph.payload import payload
    from minigrad.graph.text import text

    source = dot(diagram, ("value", "line", "formula"))
    assert source.count("{") == source.count("}")
    for key in diagram.boxes:
        assert re.search(rf"^ *{key} \[label=<", source, re.MULTILINE)
    assert text(diagram).count("return %") == 1
    everything = Diagram(Folding(diagram.graph, None, fold, 500))
    everything.folding.close(None, 10_000)
    assert len(payload(Diagram(everything.folding), "title")["nodes"]) == len(Diagram(everything.folding).boxes)
