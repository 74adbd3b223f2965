"""`capture`: the nodes of a graph as a program."""

import subprocess
import sys

import numpy as np
import pytest

import minigrad as mg
from minigrad import graph, optim
from minigrad.errors import DTypeError, GraphError, ProgramError, ReleasedGraphError
from minigrad.program import trace
from tests.program.same import assert_same_bits


def leaf(value=2.0, name=None):
    return mg.tensor(value, requires_grad=True, name=name)


def rosenbrock():
    x, y = leaf(-1.2, "x"), leaf(1.0, "y")
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2, (x, y)


def mlp():
    rng = np.random.default_rng(0)
    data, labels = mg.tensor(rng.normal(size=(8, 4))), rng.integers(0, 3, 8)
    hidden = data
    for i, (n, m) in enumerate([(4, 5), (5, 5), (5, 3)], start=1):
        W, b = leaf(rng.normal(size=(m, n)), f"W{i}"), leaf(np.zeros(m), f"b{i}")
        hidden = (hidden if i == 1 else mg.maximum(hidden, 0)) @ W.T + b
    return -mg.log_softmax(hidden)[np.arange(8), labels].mean(), data


def chain(length):
    x = leaf(0.5, "start")
    for _ in range(length):
        x = mg.sin(x)
    return x


def test_rosenbrock_as_a_program():
    f, _ = rosenbrock()
    assert str(graph.capture(f)).splitlines() == [
        "%0 = leaf x              float64 -1.2",
        "%1 = leaf y              float64 1",
        "%2 = subtract(1, %0)     float64 2.2",
        "%3 = pow(%2, 2)          float64 4.84",
        "%4 = pow(%0, 2)          float64 1.44",
        "%5 = subtract(%1, %4)    float64 -0.44",
        "%6 = pow(%5, 2)          float64 0.1936",
        "%7 = multiply(100, %6)   float64 19.36",
        "%8 = add(%3, %7)         float64 24.2",
        "return %8",
    ]


def test_entries_tell_what_they_are():
    x = leaf(np.ones((3, 4)), "x")
    data = np.full((3, 1), 2.0)
    program = graph.capture((x * data).sum(axis=1))
    assert [(e.index, e.kind, e.op, e.name) for e in program] == [
        (0, "leaf", None, "x"),
        (1, "constant", None, None),
        (2, "operation", "multiply", None),
        (3, "operation", "sum", None),
    ]
    assert program[1].value is data
    assert program[2].inputs == (0, 1)
    assert program[2].args[1] is data
    assert program[3].inputs == (2,)
    assert program[3].params["axis"] == 1
    assert program[3].shape == (3,)
    assert program[3].dtype == np.float64
    assert program.outputs == (3,)
    assert program[-1] is program[3]
    assert program[1:3] == (program[1], program[2])
    assert len(program) == 4
    assert repr(program) == "<Graph: 1 leaf, 1 constant, 2 operations>"
    assert repr(program[3]) == "%3 = sum(%2, axis=1)   float64 [8, 8, 8]"


def test_a_captured_graph_cannot_be_changed():
    program = graph.capture(leaf().sum() * 2)
    with pytest.raises(TypeError):
        program[0] = program[1]
    with pytest.raises(TypeError):
        program[1].params["axis"] = 5  # the parameters of every other sum, too


def test_entries_are_in_order_of_creation_and_after_their_operands():
    a, b = leaf(), leaf()
    first = b * 1.0
    second = a * 1.0
    program = graph.capture(second + first)
    assert program[3].inputs == (0, None)
    assert program[4].inputs == (3, 2)
    loss, _ = mlp()
    for entry in graph.capture(loss):
        assert all(i is None or i < entry.index for i in entry.inputs)


def test_a_constant_that_is_used_twice_is_one_entry():
    x = leaf(np.ones(3))
    data, same_numbers = mg.tensor([1.0, 2.0, 3.0]), mg.tensor([1.0, 2.0, 3.0])
    program = graph.capture((x * data + data + same_numbers).sum())
    assert [e.kind for e in program].count("constant") == 2
    assert program[3].inputs == (2, 1)


def test_numbers_are_written_into_the_operation():
    program = graph.capture(np.float64(0.1) * leaf() ** 2)
    assert [e.kind for e in program] == ["leaf", "operation", "operation"]
    assert program[1].inputs == (0, None)
    assert program[1].args[1] == 2
    assert program[2].expression == "multiply(0.1, %1)"


def test_names_are_given_by_identity():
    w = mg.tensor(np.ones(3), requires_grad=True)
    data, rate = mg.tensor(np.ones(3)), mg.tensor(np.ones(2)).sum()
    h = w * data
    names = {"w": w, "data": data, "rate": rate, "h": h, "unused": leaf()}
    program = graph.capture(h.sum() * rate, names=names)
    assert [e.name for e in program] == ["w", "data", "h", None, "rate", None]
    assert program[2].expression == "multiply(%0, %1) as h"
    assert [e.name for e in graph.capture(h)] == [None, None, None]


def test_names_must_be_of_tensors():
    with pytest.raises(DTypeError, match="'k' is a int"):
        graph.capture(leaf() * 2, names={"k": 2})


def test_several_outputs_are_one_program():
    x = leaf()
    a = mg.exp(x)
    program = graph.capture([a * a, a, x])
    assert len(program) == 3
    assert program.outputs == (2, 1, 0)
    assert str(program).endswith("return %2, %1, %0")


def test_the_graph_of_a_derivative():
    f, inputs = rosenbrock()
    gradient = mg.autograd.grad(f, inputs, create_graph=True)
    program = graph.capture(gradient)
    assert program.outputs == tuple(
        i for g in gradient for i, e in enumerate(program) if e.kind == "operation" and e.value is g.node.value
    )
    assert [e.name for e in program if e.kind == "leaf"] == ["x", "y"]
    assert "subtract" in [e.op for e in program]  # of the value
    assert "negative" in [e.op for e in program]  # of its derivative


@pytest.mark.parametrize("walk", [graph.capture, graph.draw, lambda y: graph.draw(y, show="grad", heat="grad")])
def test_what_has_no_graph_is_refused(walk):
    with pytest.raises(GraphError, match="requires_grad=True"):
        walk(mg.tensor(1.0))
    with pytest.raises(GraphError, match="requires_grad=True"):
        walk([leaf(), mg.tensor(1.0)])
    for wrong in (1.0, np.ones(3), [], None, [leaf(), None]):
        with pytest.raises(DTypeError, match=r"is made of a Tensor|takes a Tensor, a list of Tensors"):
            walk(wrong)


@pytest.mark.parametrize("walk", [graph.capture, graph.draw, lambda y: graph.draw(y, show="grad", heat="grad")])
def test_a_released_graph_says_who_released_it(walk):
    y = leaf() ** 2
    y.backward(retain_graph=True)
    walk(y)
    y.backward()
    with pytest.raises(ReleasedGraphError, match=r"backward \(at .*test_capture.*y\.backward\(\)"):
        walk(y)


def test_a_long_graph_is_captured_without_recursion_and_printed_without_its_middle():
    program = graph.capture(chain(100_000))
    assert len(program) == 100_001
    assert program[-1].inputs == (99_999,)
    lines = str(program).splitlines()
    assert len(lines) == 62
    assert lines[30] == "... 99,941 more ..."
    assert lines[29].startswith("%29 ")
    assert lines[31].startswith("%99971  = sin(%99970)   ")
    assert len(str(graph.capture(chain(59))).splitlines()) == 61


def test_only_few_and_short_numbers_are_shown():
    values = [1.0, [1.0], [1.0, -2.5, 3.0], [1.0, 2.0, 3.0, 4.0], [1 / 3, 1 / 3, 1 / 3], [[1.0]], []]
    program = graph.capture([leaf(value) for value in values])
    assert [repr(entry).removeprefix(f"%{entry.index} = leaf   float64 ") for entry in program] == [
        "1", "[1]", "[1, -2.5, 3]", "(4,)", "(3,)", "(1, 1)", "(0,)"
    ]  # fmt: skip


def test_indices_and_parameters_read_like_python():
    x = leaf(np.ones((3, 4, 5)))
    y = mg.permute_dims(x[1:, ..., None, np.array([0, 2])], (1, 0, 3, 2)).sum(axis=(0, 2), keepdims=True)
    assert [e.expression for e in graph.capture(y)][1:] == [
        "constant",
        "getitem[1:, ..., None, array](%0, %1)",
        "permute_dims(%2, axes=(1, 0, 3, 2))",
        "sum(%3, axis=(0, 2), keepdims=True)",
    ]
    z = mg.concat([x] * 50, axis=0)
    assert len(graph.capture(z)[1].expression) == 80


def test_inputs_are_told_apart_from_other_leaves():
    from minigrad.graph.targets import target_of

    w = leaf(3.0, "w")
    program = target_of(lambda x: x * w, [2.0], None, False).graph
    assert repr(program) == "<Graph: 1 input, 1 leaf, 0 constants, 1 operation>"
    assert str(program).startswith("%0 = leaf w ")
    assert "%1 = input x " in str(program)


def test_names_that_could_spoil_the_list_are_escaped_and_cut():
    names = ["a\nb", "\x1b[31m", "\ud800", "\u202e", "x" * 10_000]
    program = graph.capture([leaf(1.0, name) * 2 for name in names])
    lines = str(program).splitlines()
    assert len(lines) == 2 * len(names) + 1
    assert [line.split()[3] for line in lines[0:-1:2]][:4] == ["a\\nb", "\\x1b[31m", "\\ud800", "\\u202e"]
    assert all(line.isprintable() and len(line) < 200 for line in lines)


def test_a_notebook_shows_a_graph():
    bundle = graph.capture(leaf(2.0, "<b>") * 3)._repr_mimebundle_()
    assert bundle["text/plain"].startswith("%0 = leaf <b>")
    assert "&lt;b&gt;" in bundle["text/html"]
    assert "<b>" not in bundle["text/html"]
    assert set(graph.capture(leaf())._repr_mimebundle_(include=["text/plain"])) == {"text/plain"}
    assert "text/plain" not in graph.capture(leaf())._repr_mimebundle_(exclude=["text/plain"])


def test_import_is_cheap():
    slow = "{'subprocess', 'tempfile', 'shutil', 'html', 'graphviz', 'json', 'minigrad.graph.drawing'}"
    code = f"import sys, numpy; old = set(sys.modules); import minigrad.graph; print({slow} & set(sys.modules) - old)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_what_the_package_does_not_have():
    with pytest.raises(AttributeError, match="no attribute 'picture_of'"):
        graph.picture_of  # noqa: B018


@pytest.mark.slow
def test_a_million_nodes():
    y = chain(1_000_000)
    program = graph.capture(y)
    assert len(program) == 1_000_001
    picture = graph.draw(y)
    assert "×1,000,000" in picture.source
    assert picture.source.count("->") == 2  # one from the start, and one from each repetition into the next
    assert picture.text.count("\n") < 10
    whole = graph.draw(y, fold=False, limit=20)
    assert whole.source.count("->") == 20
    assert "1,000,001 nodes, of which 999,981 in the middle are not drawn" in whole.source


# Programs


def training_program():
    w = leaf([1.0, 2.0], "w")
    optimizer = optim.SGD([w], lr=0.5, momentum=0.9)

    def step(x, y):
        optimizer.zero_grad()
        loss = mg.mean((x @ w - y) ** 2)
        loss.backward()
        optimizer.step()
        return loss, x > y

    batch = np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([[0.0], [1.0]])
    step(*batch)
    return trace(step, *batch), batch, w


def test_the_graph_of_a_program_has_all_of_it():
    program, batch, w = training_program()
    before = w.tolist()
    seen = graph.capture(program, *batch)
    assert w.tolist() == before
    kinds = [(e.kind, e.name) for e in seen if e.kind != "operation"]
    assert kinds[:3] == [("input", "inputs[0]"), ("input", "inputs[1]"), ("leaf", "w")]
    assert "'momentum_buffer' of an optimizer" in [name for _, name in kinds]
    assert "greater" in [e.op for e in seen]  # though it has no gradient
    assert all(i is None or i < e.index for e in seen for i in e.inputs)
    for e in seen:
        pairs = [(seen[i].value, arg) for i, arg in zip(e.inputs, e.args, strict=True) if i is not None]
        assert all(value is arg or value == arg for value, arg in pairs)
    loss, greater, *written = [seen[i] for i in seen.outputs]
    assert_same_bits((loss.value, greater.value), program.replay(*batch))
    assert {e.name for e in written} >= {"w", "the grad of w", "'momentum_buffer' of an optimizer"}
    (new,) = [e for e in written if e.name == "w"]
    assert new.value.tolist() == w.tolist()  # now that the program was replayed


def test_names_of_what_a_program_reads():
    table = np.array([1.0, 2.0])
    buffer = mg.tensor([3.0, 4.0])
    program = trace(lambda x: x * table + buffer, np.ones(2))
    seen = graph.capture(program, np.ones(2), names={"table": table, "buffer": buffer})
    assert [(e.kind, e.name) for e in seen[:3]] == [
        ("input", "inputs[0]"),
        ("constant", "buffer"),
        ("constant", "table"),
    ]


def test_inputs_of_a_program_are_checked_and_others_take_none():
    program, batch, _ = training_program()
    with pytest.raises(ProgramError, match=r"inputs\[0\]"):
        graph.capture(program, np.ones((3, 2)), batch[1])
    with pytest.raises(DTypeError, match="inputs for a program, and Tensor is none"):
        graph.capture(leaf() * 2, 1.0)


def test_a_program_is_drawn():
    program, batch, w = training_program()
    before = w.tolist()
    picture = graph.draw(program, *batch, show=("value", "grad"))
    assert "momentum_buffer" in picture.text
    assert "the grad of w" in picture.source
    assert "momentum_buffer" in graph.draw(program, *batch, format="html").render().decode()
    assert w.tolist() == before
