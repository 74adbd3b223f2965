"""Walks that look at the graph: `capture` lists it, `draw` makes a picture of it."""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import minigrad as mg
from minigrad import graph
from minigrad.errors import DTypeError, GraphError, MissingPackageError, ReleasedGraphError
from minigrad.graph import render

HOSTILE = 'a"; [x=y]; \\N\\" <b>&amp; |{}| é漢\n\0\ud800->'
SHOWN = 'a"; [x=y]; \\N\\" <b>&amp; |{}| é漢\\n\\x00\\ud800->'


def graphviz_is_there():
    try:
        render.find_dot()
    except MissingPackageError:
        return False
    return True


needs_graphviz = pytest.mark.skipif(not graphviz_is_there(), reason="there is no Graphviz")


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


def nodes_of(svg):
    """The texts of each node of a picture, which must be well-formed XML."""
    root = ElementTree.fromstring(svg)
    found = {}
    for group in root.iter("{http://www.w3.org/2000/svg}g"):
        if group.get("class") == "node":
            title = group.find("{http://www.w3.org/2000/svg}title").text
            found[title] = ["".join(t.itertext()).strip() for t in group.iter("{http://www.w3.org/2000/svg}text")]
            found[title] = [text for text in found[title] if text]
    return found


# capture


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
    with pytest.raises(AttributeError):
        program[0].name = "other"
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


@pytest.mark.parametrize("walk", [graph.capture, lambda y: graph.draw(y, format="dot")])
def test_what_has_no_graph_is_refused(walk):
    with pytest.raises(GraphError, match="requires_grad=True"):
        walk(mg.tensor(1.0))
    with pytest.raises(GraphError, match="requires_grad=True"):
        walk([leaf(), mg.tensor(1.0)])
    for wrong in (1.0, np.ones(3), [], None, [leaf(), None]):
        with pytest.raises(DTypeError, match="captured from a Tensor"):
            walk(wrong)


@pytest.mark.parametrize("walk", [graph.capture, lambda y: graph.draw(y, format="dot")])
def test_a_released_graph_says_who_released_it(walk):
    y = leaf() ** 2
    y.backward(retain_graph=True)
    walk(y)
    y.backward()
    with pytest.raises(ReleasedGraphError, match=r"backward \(at .*test_graph.*y\.backward\(\)"):
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
        "getitem[1:, ..., None, int64 [0, 2]](%0)",
        "permute_dims(%1, axes=(1, 0, 3, 2))",
        "sum(%2, axis=(0, 2), keepdims=True)",
    ]
    z = mg.concat([x] * 50, axis=0)
    assert len(graph.capture(z)[1].expression) == 80


# draw: the text for Graphviz


def test_draw_gives_dot_without_graphviz(monkeypatch, tmp_path):
    monkeypatch.setenv("MINIGRAD_DOT", "/nowhere/dot")
    picture = graph.draw(leaf(3.0, "w") ** 2, format="dot")
    assert picture.source.startswith("digraph minigrad {")
    assert "n0 -> n1" in picture.source
    assert str(picture) == picture.source
    assert picture._repr_mimebundle_() == {"text/plain": picture.source}
    graph.draw(leaf(3.0, "w") ** 2, tmp_path / "w.dot")
    assert (tmp_path / "w.dot").read_text("utf-8") == picture.source


def test_kinds_differ_in_shape_and_colour():
    x = leaf(np.ones(5), "x")
    source = graph.draw((x * np.ones(5)).reshape(5, 1).sum(), format="dot").source
    nodes = re.findall(r"^  n\d \[.*$", source, re.MULTILINE)
    shapes = [re.search(r'shape="(\w+)"', node)[1] for node in nodes]
    fills = [(re.search(r'fillcolor="(#\w+)"', node) or [None, None])[1] for node in nodes]
    assert shapes == ["ellipse", "cylinder", "box", "box", "box"]
    assert fills[3] is None  # reshape is light
    assert len(set(fills)) == 5
    assert 'penwidth="2.5"' in nodes[4]
    assert source.count("penwidth") == 1


def test_operands_enter_in_their_order_where_it_matters():
    a, b = leaf(), leaf()
    assert "n0 -> n2:p1:n\n" in graph.draw(b - a, format="dot").source
    assert "n1 -> n2:p0:n\n" in graph.draw(b - a, format="dot").source
    assert "n1 -> n2:p0:w\n" in graph.draw(b - a, format="dot", direction="LR").source
    assert graph.draw(a * a, format="dot").source.count("n0 -> n1\n") == 2


def test_a_long_graph_is_folded_in_the_middle():
    source = graph.draw(chain(100_000), format="dot", limit=20).source
    assert '"… 99,981 nodes …"' in source
    assert "100,001 nodes, of which the first 10 and the last 10 are drawn" in source
    assert re.findall(r"(\w+) -> (\w+)", source).count(("n9", "fold")) == 1
    assert re.findall(r"(\w+) -> (\w+)", source).count(("fold", "n99991")) == 1
    assert source.count(" -> ") == 20
    assert len(source) < 20_000


def test_a_graph_at_the_limit_is_drawn_whole():
    assert "fold" not in graph.draw(chain(9), format="dot", limit=10).source
    assert '"… 1 nodes …"' in graph.draw(chain(10), format="dot", limit=10).source


def test_arrows_to_a_fold_are_drawn_once():
    w = leaf(0.5, "w")
    y = w
    for _ in range(100):
        y = y * w
    source = graph.draw(y, format="dot", limit=10).source
    assert source.count("n0 -> fold") == 1
    assert source.count("n0 -> n") == 10  # twice to the first, and once to all others that are drawn


# draw: the picture


@needs_graphviz
def test_the_picture_of_rosenbrock():
    f, _ = rosenbrock()
    nodes = nodes_of(graph.draw(f).render())
    assert len(nodes) == 9
    assert nodes["n0"] == ["x", "float64 -1.2"]
    assert nodes["n2"] == ["subtract", "(1, _)", "float64 2.2"]
    assert nodes["n8"] == ["add", "float64 24.2"]


@needs_graphviz
def test_the_picture_of_a_derivative():
    f, inputs = rosenbrock()
    gradient = mg.autograd.grad(f, inputs, create_graph=True)
    nodes = nodes_of(graph.draw(gradient)._repr_mimebundle_()["image/svg+xml"])
    assert len(nodes) == len(graph.capture(gradient))
    assert ["negative", "float64 88"] in nodes.values()


@needs_graphviz
@pytest.mark.parametrize("direction", ["TB", "LR", "BT", "RL"])
def test_the_picture_of_a_network(direction):
    loss, data = mlp()
    nodes = nodes_of(graph.draw(loss, names={"x": data}, direction=direction).render())
    texts = [" ".join(text) for text in nodes.values()]
    assert len(nodes) == len(graph.capture(loss))
    for text in ("x float64 (8, 4)", "W1 float64 (5, 4)", "log_softmax (axis=-1) float64 (8, 3)"):
        assert text in texts
    assert "permute_dims(axes=(1, 0)) float64 (4, 5)" in texts
    assert "getitem [int64 (8,), int64 (8,)] float64 (8,)" in texts


@needs_graphviz
def test_names_cannot_inject_anything():
    x, data = leaf(np.ones(5), HOSTILE), mg.tensor(np.ones(5))
    y = x * data
    y.name = HOSTILE
    picture = graph.draw(y, names={HOSTILE: data})
    nodes = nodes_of(picture.render())
    assert len(nodes) == 3
    assert nodes["n0"] == [SHOWN, "float64 (5,)"]
    assert nodes["n1"] == [SHOWN, "float64 (5,)"]
    assert nodes["n2"][0] == SHOWN + " ="
    assert SHOWN in str(graph.capture(y))


@needs_graphviz
def test_the_names_of_operations_and_their_parameters_cannot_inject_anything():
    @mg.primitive(lambda g, y, x, *, mode: g)
    def odd(x, /, *, mode):
        return x + 0

    odd.primitive.name = '<"\\G&>'
    call = odd(leaf(np.ones(5)), mode='</FONT>"\\N|')
    # The operation took its name when it was made.
    call.node.op.name = odd.primitive.name
    nodes = nodes_of(graph.draw(call).render())
    assert nodes["n1"] == ['<"\\G&>', "(mode='</FONT>\"\\\\N|')", "float64 (5,)"]


@needs_graphviz
@pytest.mark.parametrize(("suffix", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("SVG", b"<?xml")])
def test_files_by_their_suffix(tmp_path, suffix, start):
    path = tmp_path / f"picture.{suffix}"
    path.write_text("old")
    graph.draw(leaf() * 2, str(path))
    assert path.read_bytes().startswith(start)
    assert os.listdir(tmp_path) == [path.name]


@needs_graphviz
def test_format_goes_before_the_suffix(tmp_path):
    graph.draw(leaf() * 2, tmp_path / "picture", format="png")
    assert (tmp_path / "picture").read_bytes().startswith(b"\x89PNG")
    assert set(graph.draw(leaf() * 2, format="png")._repr_mimebundle_()) == {"image/png"}


@needs_graphviz
def test_a_picture_saves_itself_in_other_formats(tmp_path):
    picture = graph.draw(leaf() * 2)
    picture.save(tmp_path / "a.png")
    picture.save(tmp_path / "a.dot")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "a.dot").read_text("utf-8") == picture.source


# draw: what can go wrong


@pytest.mark.parametrize("name", ["picture.jpg", "picture"])
def test_an_unknown_suffix_is_refused_before_any_work(tmp_path, name):
    with pytest.raises(GraphError, match="choose one of svg, png, pdf, dot"):
        graph.draw("not even a Tensor", tmp_path / name)
    with pytest.raises(GraphError, match="the format 'gif'"):
        graph.draw(leaf() * 2, format="gif")
    with pytest.raises(GraphError, match="direction"):
        graph.draw(leaf() * 2, format="dot", direction="up")
    assert not os.listdir(tmp_path)


def test_a_place_that_cannot_be_written_to_is_refused_before_any_work(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileNotFoundError, match=r"picture cannot be written there.*none.picture\.svg"):
        graph.draw("not even a Tensor", tmp_path / "none" / "picture.svg")
    with pytest.raises(OSError, match="picture cannot be written there"):
        graph.draw("not even a Tensor", tmp_path / "file" / "picture.svg")
    (tmp_path / "folder.svg").mkdir()
    with pytest.raises(IsADirectoryError, match="is a folder"):
        graph.draw("not even a Tensor", tmp_path / "folder.svg")

    def deny(path, mode):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("builtins.open", deny)  # as root no folder is closed
    with pytest.raises(PermissionError, match=r"picture cannot be written there.*picture\.svg'$"):
        graph.draw("not even a Tensor", tmp_path / "picture.svg")


@pytest.mark.parametrize("failure", ["no graph", "no program", "interrupted"])
def test_a_failure_leaves_the_old_file_and_no_other(tmp_path, monkeypatch, failure):
    path = tmp_path / "picture.svg"
    path.write_text("old")
    y = mg.tensor(1.0) if failure == "no graph" else leaf() * 2
    if failure == "no program":
        monkeypatch.setenv("MINIGRAD_DOT", str(tmp_path / "missing"))
    if failure == "interrupted":

        def interrupt(source, format):
            raise KeyboardInterrupt

        monkeypatch.setattr(render, "_run", interrupt)
    with pytest.raises((GraphError, MissingPackageError, KeyboardInterrupt)):
        graph.draw(y, path)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["picture.svg"]


def test_a_missing_program_that_was_asked_for(monkeypatch):
    monkeypatch.setenv("MINIGRAD_DOT", "/nowhere/dot")
    with pytest.raises(MissingPackageError, match="MINIGRAD_DOT names the program '/nowhere/dot'"):
        graph.draw(leaf() * 2).render()


def test_no_graphviz_at_all(monkeypatch, tmp_path):
    monkeypatch.delenv("MINIGRAD_DOT", raising=False)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    with pytest.raises(MissingPackageError) as caught:
        graph.draw(leaf() * 2, tmp_path / "picture.svg")
    for way in ("MINIGRAD_DOT", "apt install graphviz", "pip install graphviz graphviz-pure", 'format="dot"'):
        assert way in str(caught.value)
    assert not os.listdir(tmp_path)


def script(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.mark.skipif(sys.platform == "win32", reason="the programs are shell scripts")
def test_which_program_is_used(monkeypatch, tmp_path):
    folders = {}
    for name in ("asked", "path", "scripts"):
        folders[name] = tmp_path / name
        folders[name].mkdir()
    pure = script(folders["scripts"] / "graphviz-pure", "exit")
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(folders["scripts"]))
    monkeypatch.delenv("MINIGRAD_DOT", raising=False)
    monkeypatch.setenv("PATH", str(folders["path"]))
    assert render.find_dot() == str(pure)
    on_path = script(folders["path"] / "dot", "exit")
    assert render.find_dot() == str(on_path)
    asked = script(folders["asked"] / "my dot", "exit")
    monkeypatch.setenv("MINIGRAD_DOT", str(asked))
    assert render.find_dot() == str(asked)


@pytest.mark.skipif(sys.platform == "win32", reason="the programs are shell scripts")
@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("echo 'what is this' >&2; exit 1", GraphError, "could not make a SVG picture: what is this"),
        ("exit 3", GraphError, "exit status 3"),
        ("cat > /dev/null", GraphError, "no picture"),
        ("exec sleep 20", GraphError, "did not lay the picture out within 0.2 s"),
    ],
)
def test_a_program_that_fails(monkeypatch, tmp_path, text, error, message):
    monkeypatch.setenv("MINIGRAD_DOT", str(script(tmp_path / "dot", text)))
    monkeypatch.setattr(render, "SECONDS", 0.2 if "sleep" in text else 20.0)
    with pytest.raises(error, match=message):
        graph.draw(leaf() * 2).render()


@pytest.mark.skipif(sys.platform == "win32", reason="the programs are shell scripts")
def test_a_program_that_cannot_be_run(monkeypatch, tmp_path):
    program = tmp_path / "dot"
    program.write_text("#!/nowhere/shell\n")
    program.chmod(0o755)
    monkeypatch.setenv("MINIGRAD_DOT", str(program))
    with pytest.raises(MissingPackageError, match="cannot be run"):
        graph.draw(leaf() * 2).render()


def test_import_is_cheap():
    slow = "{'subprocess', 'tempfile', 'shutil', 'html', 'graphviz'}"
    code = f"import sys, numpy; old = set(sys.modules); import minigrad.graph; print({slow} & set(sys.modules) - old)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
