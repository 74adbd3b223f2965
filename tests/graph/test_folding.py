"""What a picture shows of a graph, and what it hides."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad import graph, nn
from minigrad.graph.diagram import Diagram
from minigrad.graph.frames import Folding
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
        "derivative": st.booleans(),
    }

    @settings(deadline=None)
    @given(**options)
    def run(program, fold, depth, limit, derivative):
        x = mg.tensor([0.1, 0.2], requires_grad=True)
        with np.errstate(all="ignore"):
            function = Program(program)
            target = mg.grad(lambda x: (function(x) ** 2).sum()) if derivative else function
            found = target_of(target, [x], None, False).graph
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
    # Dashed arrows lead from one repetition into the next.
    onwards = diagram.onwards
    assert set(drawn) <= real
    assert {(tail, head) for tail, head in onwards if tail != head} <= real
    assert real <= set(drawn) | onwards
    for tail, head in onwards:
        if "skipped" not in (tail, head):
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
        if "skipped" in arrow and fold is not False:  # a part of a loop may be left out
            continue
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


# Modules


class Block(nn.Module):
    def __init__(self, size=3):
        super().__init__()
        self.linear = nn.Linear(size, size)

    def forward(self, x):
        return x + mg.tanh(self.linear(x))


class Swapped(nn.Module):
    """Looks like a `Block`, with other wires inside."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 3)

    def forward(self, x):
        y = self.linear(x)
        return mg.tanh(y) + y


Swapped.__name__ = "Block"


class Stack(nn.Module):
    def __init__(self, *blocks):
        super().__init__()
        self.blocks = nn.ModuleList(blocks)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x


def folded(target, *inputs, **options):
    return Diagram(Folding(target_of(target, inputs, None, False).graph, **options))


def frames(diagram):
    """The title and the count of every frame but the whole."""
    return [(frame.title, frame.count) for frame in diagram.folding.root.frames()][1:]


def titled(diagram, title):
    (frame,) = [frame for frame in diagram.folding.root.frames() if frame.title == title]
    return frame


def arrows(diagram):
    """Arrows between entries, as pairs of indices."""
    return [(int(arrow.tail[1:]), int(arrow.head[1:])) for arrow in diagram.arrows]


def test_equal_blocks_are_drawn_once():
    diagram = folded(Stack(*[Block() for _ in range(12)]), np.ones(3))
    assert frames(diagram) == [
        ("Stack", 1),
        ("blocks.0 … blocks.11: Block", 12),
        ("linear: Linear", 1),
    ]
    assert len(diagram.boxes) == 6  # input, weight, bias, linear, tanh, add
    (arrow_back,) = [(tail, head) for tail, head in arrows(diagram) if tail == head] or [None]
    assert arrow_back is None
    assert len(diagram.folding.stands_for) == 11 * 5


def test_a_picture_says_how_many_and_which():
    picture = graph.draw(Stack(*[Block() for _ in range(12)]), np.ones(3))
    assert "blocks.0 … blocks.11: Block ×12:" in picture.text
    assert "×12" in picture.source
    assert "61 nodes: what repeats itself is drawn once, with ×" in picture.text
    assert "61 nodes: what repeats itself is drawn once" in picture.source


def test_without_folding_everything_is_drawn():
    diagram = folded(Stack(*[Block() for _ in range(12)]), np.ones(3), fold=False)
    assert len(diagram.boxes) == len(diagram.graph)
    assert frames(diagram).count(("linear: Linear", 1)) == 12


def test_two_blocks_are_no_pattern():
    assert [count for _, count in frames(folded(Stack(Block(), Block()), np.ones(3)))] == [1] * 5


@pytest.mark.parametrize("place", range(5))
def test_a_block_with_other_wires_inside_is_drawn_by_itself(place):
    blocks = [Block() for _ in range(4)]
    blocks.insert(place, Swapped())
    diagram = folded(Stack(*blocks), np.ones(3), fold=True)
    kept = [frame for frame in diagram.folding.root.frames() if frame.call and frame.call.name == f"blocks.{place}"]
    assert [frame.count for frame in kept] == [1]
    assert not any(hidden in kept[0].operations() for hidden in diagram.folding.stands_for)


def test_blocks_of_other_shapes_are_drawn_by_themselves():
    layers = [nn.Linear(n, m) for n, m in [(3, 4), (4, 4), (4, 4), (4, 4), (4, 2)]]
    assert frames(folded(Stack(*layers), np.ones((2, 3)))) == [
        ("Stack", 1),
        ("blocks.0: Linear", 1),
        ("blocks.1 … blocks.3: Linear", 3),
        ("blocks.4: Linear", 1),
    ]


def test_frozen_blocks_are_drawn_by_themselves():
    blocks = [Block() for _ in range(8)]
    for block in blocks[:4]:
        block.linear.weight.requires_grad = False
    found = frames(folded(Stack(*blocks), mg.tensor(np.ones(3))))
    assert ("blocks.0 … blocks.3: Block", 4) in found
    assert ("blocks.4 … blocks.7: Block", 4) in found


def test_a_module_that_is_called_several_times():
    cell = nn.RNNCell(2, 3)

    def unrolled(x, h):
        for t in range(10):
            h = cell(x[t], h)
        return h

    diagram = folded(unrolled, np.ones((10, 2)), np.zeros(3), fold=True)
    assert frames(diagram) == [("", 10), ("RNNCell", 1)]
    assert [diagram.graph[i].name for i in diagram.folding.root.sources] == [
        "weight_ih",
        "weight_hh",
        "bias_ih",
        "bias_hh",
        "x",
        "h",
    ]
    assert len(diagram.boxes) == 11


def test_modules_that_are_parts_of_none_are_told_apart():
    first, second, third = (nn.Linear(2, 2) for _ in range(3))

    def run(x):
        return third(mg.tanh(second(mg.sin(first(x)))))

    diagram = folded(run, np.ones(2))
    assert frames(diagram) == [("Linear", 1), ("Linear 2", 1), ("Linear 3", 1)]
    inner = [frame.operations() for frame in diagram.folding.root.frames()][1:]
    assert [len(operations) for operations in inner] == [1, 1, 1]
    layers = [nn.Linear(2, 2) for _ in range(5)]
    row = folded(lambda x: layers[4](layers[3](layers[2](layers[1](layers[0](x))))), np.ones(2))
    assert frames(row) == [("Linear … Linear 5", 5)]


def test_a_cell_that_starts_from_a_constant():
    cell = nn.RNNCell(2, 3)

    def unrolled(x):
        h = mg.tensor(np.zeros(3))
        for t in range(10):
            h = cell(x[t], h)
        return h

    assert frames(folded(unrolled, np.ones((10, 2)), fold=True)) == [("", 10), ("RNNCell", 1)]


def test_an_input_for_each_repetition_is_drawn_with_its_arrow():
    cell = nn.RNNCell(2, 3)

    def unrolled(xs, h):
        for x in xs:
            h = cell(x, h)
        return h

    diagram = folded(unrolled, [np.ones(2)] * 5, np.zeros(3))
    given = [entry.index for entry in diagram.graph if entry.kind == "input" and entry.name != "h"]
    linear = next(entry.index for entry in diagram.graph if entry.op == "linear")
    assert frames(diagram) == [("RNNCell … RNNCell (call 5)", 5)]
    assert {(i, linear) for i in given} <= set(arrows(diagram))


def test_a_connection_around_folded_blocks():
    class Around(Stack):
        def forward(self, x):
            y = mg.sin(x)
            return super().forward(y) + y

    diagram = folded(Around(*[Block() for _ in range(5)]), np.ones(3))
    sine = next(entry.index for entry in diagram.graph if entry.op == "sin")
    last = diagram.graph.outputs[0]
    shown = {
        entry.op: entry.index for entry in reversed(diagram.graph) if entry.index not in diagram.folding.stands_for
    }
    assert set(arrows(diagram)) >= {(sine, shown["linear"]), (sine, last)}
    assert (diagram.folding.shown(last - 1), last) in arrows(diagram)


def test_a_connection_from_inside_a_hidden_block():
    class Tapped(Stack):
        def forward(self, x):
            taps = []
            for block in self.blocks:
                x = block(x)
                taps.append(x)
            return mg.exp(taps[3]) + mg.cos(x)

    diagram = folded(Tapped(*[Block() for _ in range(6)]), np.ones(3))
    exponential = next(entry for entry in diagram.graph if entry.op == "exp")
    assert exponential.inputs[0] in diagram.folding.stands_for
    assert (diagram.folding.shown(exponential.inputs[0]), exponential.index) in arrows(diagram)


def test_a_module_inside_of_itself():
    class Nested(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(np.ones(3))
            self.itself = self

        def forward(self, x, left=5):
            return x if left == 0 else self.itself(x * self.weight, left - 1)

    diagram = folded(Nested(), np.ones(3))
    assert [frame.depth for frame in diagram.folding.root.frames()][1:] == [0, 1, 2, 3, 4]
    assert len(folded(Nested(), np.ones(3), depth=2).boxes) == 5  # input, weight, two products, and the rest


# Loops


def test_a_loop_is_folded_if_asked_for():
    def newton(x):
        for _ in range(30):
            x = x - (x * x - 2) / (2 * x)
        return x

    assert frames(folded(newton, 1.0, fold=True)) == [("", 30)]
    assert len(folded(newton, 1.0, fold=True).boxes) == 6
    assert frames(folded(newton, 1.0, fold=False)) == []
    assert frames(folded(newton, 1.0)) == [("", 30)]  # it is large


def test_a_short_loop_is_not_folded_by_itself():
    def short(x):
        for _ in range(10):
            x = mg.sin(mg.cos(x))
        return x

    assert frames(folded(short, 1.0)) == []
    assert frames(folded(short, 1.0, fold=True)) == [("", 10)]


def test_loops_in_loops():
    def nested(x):
        for _ in range(5):
            for _ in range(10):
                x = mg.sin(x)
            x = x * 2
        return x

    diagram = folded(nested, 1.0, fold=True)
    assert frames(diagram) == [("", 5), ("", 10)]
    assert [diagram.graph[box.entries[0]].op for box in diagram.boxes.values()] == [None, "sin", "multiply"]
    assert arrows(diagram) == [(0, 1), (1, 11)]


def test_an_inner_loop_over_what_the_outer_loop_has_made():
    def nested(x):
        for _ in range(4):
            parts = [mg.sin(x), mg.cos(x), mg.tanh(x)]
            for part in parts:
                x = x + part
        return x

    diagram = folded(nested, 1.0, fold=True)
    assert frames(diagram) == [("", 4), ("", 3)]
    # x and the three parts, to the sum that stands for three of them
    assert {(1, 4), (2, 4), (3, 4)} <= set(arrows(diagram))


def test_a_loop_inside_a_module():
    class Loop(nn.Module):
        def forward(self, x):
            for _ in range(20):
                x = mg.sin(x) * 2
            return x

    assert frames(folded(Loop(), 1.0, fold=True)) == [("Loop", 1), ("", 20)]
    assert frames(folded(Stack(*[Loop() for _ in range(3)]), 1.0)) == [
        ("Stack", 1),
        ("blocks.0 … blocks.2: Loop", 3),
        ("", 20),
    ]


def test_what_is_subtracted_from_what_makes_a_difference():
    def alternating(x):
        for i in range(12):
            x = x - 1 if i % 2 else 1 - x
        return x

    diagram = folded(alternating, 1.0, fold=True)
    assert frames(diagram) == [("", 6)]
    assert list(diagram.boxes) == ["n0", "n1", "n2"]


def test_constants_of_hidden_repetitions_are_hidden():
    def noisy(x):
        for i in range(10):
            x = x + mg.tensor(np.full(3, float(i)))
        return x

    diagram = folded(noisy, np.ones(3), fold=True)
    assert [box.kind for box in diagram.boxes.values()] == ["input", "constant", "operation"]
    assert folded(noisy, np.ones(3), fold=False).graph.outputs == diagram.graph.outputs


def test_outputs_of_hidden_repetitions():
    diagram = folded(lambda x: [mg.sin(x * 2) for _ in range(10)], 1.0, fold=True)
    assert diagram.outputs == {"n2"}
    picture = graph.draw(lambda x: [mg.sin(x * 2) for _ in range(10)], 1.0, fold=True)
    assert picture.source.count('penwidth="2.5"') == 1


@pytest.mark.parametrize("options", [{"fold": True}, {"depth": 0}, {"limit": 4, "fold": False}])
def test_what_is_not_drawn_by_itself_is_still_seen_to_be_nan(options):
    class Fault(nn.Module):
        def forward(self, x):
            for i in range(12):
                x = mg.sin(x) * (np.nan if i == 6 else 1.0)
            return x * 1e300 * 1e300

    picture = graph.draw(Fault(), np.array([0.5, 0.25]), **options)
    word = {"fold": "NaN in a repetition"}.get(next(iter(options)), "NaN inside")
    assert f"<-- {word}" in picture.text
    assert f"<B>{word}</B>" in picture.source
    assert "first NaN: multiply" in picture.text


@pytest.mark.parametrize("options", [{"fold": True}, {"depth": 0}, {"limit": 4, "fold": False}])
def test_what_is_not_drawn_by_itself_is_still_marked(options):
    class Loop(nn.Module):
        def forward(self, x):
            for _ in range(12):
                x = mg.sin(x)
            return x * 2

    picture = graph.draw(Loop(), np.array([0.5, 0.25]), mark={7: "wrong"}, **options)
    word = {"fold": "wrong in a repetition"}.get(next(iter(options)), "wrong inside")
    assert f"<-- {word}" in picture.text
    assert f"<B>{word}</B>" in picture.source


# What is too large


def test_depth_closes_modules():
    net = Stack(*[Block() for _ in range(4)])
    sizes = [len(folded(net, np.ones(3), depth=depth, fold=False).boxes) for depth in (0, 1, 2, 3, None)]
    assert sizes == [2, 5, 1 + 4 * 3, len(folded(net, np.ones(3), fold=False).graph), sizes[3]]
    closed = graph.draw(net, np.ones(3), depth=1, fold=False)
    assert "%17 = blocks.2: Block(%14)   3 operations, 12 parameters, float64 (3,)" in closed.text
    assert "depth= opens them" in closed.text
    assert "4 times" not in closed.text
    assert (
        "blocks.0 … blocks.3: Block ×4(%8)   3 operations, each, 12 parameters"
        in graph.draw(net, np.ones(3), depth=1).text
    )


def test_as_many_modules_are_closed_as_the_limit_asks_for():
    net = Stack(*[Block() for _ in range(4)])
    for limit, size in ((21, 21), (20, 13), (13, 13), (12, 5), (5, 5), (4, 2), (2, 2)):
        assert len(folded(net, np.ones(3), limit=limit, fold=False).boxes) == size


@pytest.mark.parametrize("limit", range(1, 12))
def test_the_middle_of_a_long_row_of_modules_is_left_out(limit):
    layers = [nn.Linear(2, 2) for _ in range(10)]

    def run(x):
        for layer in layers:
            x = layer(x)
        return x

    diagram = folded(run, np.ones(2), limit=limit, fold=False)
    assert len(diagram.boxes) == (limit + 1 if limit < 11 else 11)
    heads = {arrow.head for arrow in diagram.arrows} | {arrow.tail for arrow in diagram.arrows}
    assert heads == set(diagram.boxes)  # they hang together
    picture = graph.draw(run, np.ones(2), limit=limit, fold=False)
    assert ("in the middle are not drawn" in picture.text) == (limit < 11)
    assert picture.text.count(" more ...") == (limit < 11)


def test_leaves_stay_with_what_uses_them():
    weights = [mg.tensor(np.ones(2), requires_grad=True, name=f"w{i}") for i in range(100)]

    def product(x):
        for weight in weights:
            x = x * weight
        return x

    diagram = folded(product, np.ones(2), limit=20, fold=False)
    shown = [entry.name for entry in diagram.graph if entry.kind == "leaf" and diagram.key(entry.index) != "skipped"]
    assert len(shown) in (9, 10)
    assert shown[0] == "w0"
    assert shown[-1] == "w99"


def test_a_page_has_everything_open():
    from minigrad.graph.drawing import opened

    found = target_of(Stack(*[Block() for _ in range(12)]), [np.ones(3)], None, False).graph
    diagram, closed = opened(found, {}, depth=1)
    assert sorted(frame.title for frame in closed) == ["blocks.0 … blocks.11: Block", "linear: Linear"]
    assert not any(frame.closed for frame in diagram.folding.root.frames())


def test_many_nodes_become_few_boxes():
    net = Stack(*[Stack(*[Block() for _ in range(50)]) for _ in range(40)])
    diagram = folded(net, np.ones(3))
    assert len(diagram.graph) == 10_001
    assert len(diagram.boxes) == 6
    assert len(folded(net, np.ones(3), fold=False).boxes) <= 500


def dashed(diagram):
    return {(int(tail[1:]), int(head[1:])) for tail, head in diagram.onwards}


def test_what_a_repetition_hands_on_is_dashed():
    def recurrent(x, h):
        for t in range(10):
            h = mg.tanh(x[t] + h * 2)
        return h

    diagram = folded(recurrent, np.ones((10, 3)), np.zeros(3), fold=True)
    by_op = {
        entry.op: entry.index for entry in reversed(diagram.graph) if entry.index not in diagram.folding.stands_for
    }
    assert dashed(diagram) == {(by_op["tanh"], by_op["multiply"])}
    nested = folded(lambda x: [x := mg.cos(mg.sin(x)) for _ in range(5)][-1], 1.0, fold=True)
    assert dashed(nested) == {(2, 1)}
    assert dashed(folded(lambda x: [mg.cos(mg.sin(x)) for _ in range(5)], 1.0, fold=True)) == set()  # nothing
    assert (
        "dashed arrows lead into later repetitions"
        in graph.draw(recurrent, np.ones((10, 3)), np.zeros(3), fold=True).source
    )


def test_weights_of_hidden_blocks_are_used_by_hidden_parts_of_the_derivative():
    class Scale(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(np.ones(3))

        def forward(self, x):
            return x * self.weight

    net = Stack(*[Scale() for _ in range(5)])
    diagram = folded(mg.grad(lambda x: (net(x) ** 2).sum()), np.ones(3))
    forward, backward = (frame for frame in diagram.folding.root.frames() if frame.count > 1)
    first = next(entry.index for entry in diagram.graph if entry.kind == "leaf")
    for frame in (forward, backward):
        drawn = {*arrows(diagram), *dashed(diagram)}
        assert any((first, entry) in drawn for entry in frame.own())


def test_of_what_is_drawn_once_the_picture_says_whose_values_it_shows():
    def f(x):
        for _ in range(100):
            x = x * 0.9
        return x

    assert graph.draw(f, 10.0, show="value").text.endswith("drawn once, with ×, and with the values of its first time")
    assert graph.draw(f, 10.0, show="shape").text.endswith("drawn once, with ×")
