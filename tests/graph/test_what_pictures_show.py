"""What a picture of a graph can show: a row for each promise, and each is looked for in the picture itself."""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from functools import cache

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.graph import render


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(4, 4)

    def forward(self, x):
        return x + mg.tanh(self.inner(x))


class Net(nn.Module):
    def __init__(self, depth=12):
        super().__init__()
        self.blocks = nn.ModuleList([Block() for _ in range(depth)])
        self.head = nn.Linear(4, 1)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.head(x).sum()


def product(first, second):
    return first * second


def words(svg):
    """All texts of a picture."""
    found = ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    return [" ".join(text.text.split()) for text in found if text.text]


@cache
def drawn(*show, **options):
    mg.random.manual_seed(0)
    return words(mg.graph.draw(Net(), np.ones((3, 4)), show=show or None, **options).render("svg"))


def values():
    shown = words(mg.graph.draw(product, 3.0, 5.0, show="value").render("svg"))
    assert {"3", "5", "15"} <= set(shown)
    assert any("mean" in word and "±" in word for word in drawn("value"))


def gradients():
    shown = words(mg.graph.draw(product, 3.0, 5.0, show="grad").render("svg"))
    assert {"grad 5", "grad 3", "grad 1"} <= set(shown)


def shapes():
    assert {"(4, 4)", "(3, 4)", "(1, 4)", "()"} <= set(drawn("shape"))


def names():
    assert {"first", "second"} <= set(words(mg.graph.draw(product, 3.0, 5.0).render("svg")))
    assert {"x", "weight", "bias"} <= set(drawn())


def modules():
    assert {"Net", "inner: Linear", "head: Linear"} <= set(drawn())
    closed = drawn(depth=1, fold=False)
    assert "head: Linear" in closed
    assert "weight" not in closed
    assert "blocks.11: Block" in closed


def fold():
    assert "blocks.0 … blocks.11: Block" in " ".join(drawn())
    assert "×12" in drawn()


def source_line():
    assert any(word.startswith(os.path.basename(__file__) + ":") and "return first" in word for word in lines())


def lines():
    return words(mg.graph.draw(product, 3.0, 5.0, show="line").render("svg"))


def memory():
    assert {"128 B", "96 B"} <= set(drawn("memory"))


def time():
    assert any("µs" in word and "backward" in word for word in drawn("time", heat="grad"))


def heat():
    picture = mg.graph.draw(Net(), np.ones((3, 4)), heat="grad")
    boxes = [line for line in picture.source.splitlines() if re.match(r" +[ng]\d", line) and "->" not in line]
    fills = {line.split('fillcolor="')[1][:7] for line in boxes}
    assert len(fills) > 3
    assert "norm of the gradient" in " ".join(words(picture.render("svg")))


def nan():
    def f(x):
        return (mg.log(x) * 0.0).sum()

    with np.errstate(all="ignore"):
        shown = words(mg.graph.draw(f, np.array([0.0, 1.0])).render("svg"))
    assert {"inf", "NaN"} <= set(shown)
    assert any(word.startswith("first inf: log") for word in shown)


def derivative_graph():
    shown = words(mg.graph.draw(mg.grad(lambda x: mg.sin(x)), 0.5).render("svg"))
    assert {"cos", "operation of the derivative"} <= set(shown)
    second = words(mg.graph.draw(mg.grad(mg.grad(lambda x: mg.sin(x))), 0.5).render("svg"))
    assert "sin" in second


def interactive():
    page = mg.graph.draw(Net(), np.ones((3, 4)), format="html").render().decode()
    assert page.startswith("<!DOCTYPE html>")
    assert "blocks.0" in page
    assert "http" not in page.replace("http://www.w3.org/", "").replace("http-equiv", "")


def pip_only_rendering():
    code = "import minigrad as mg; print(len(mg.graph.draw(lambda x: x * x, 1.0).render('png')))"
    program = os.path.join(os.path.dirname(sys.executable), "graphviz-pure")
    environment = {**os.environ, "PATH": ""}
    environment.pop("MINIGRAD_DOT", None)
    if not os.path.exists(program):
        pytest.skip("the wheel graphviz-pure is not in this environment")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert int(done.stdout) > 1000


ROWS = [
    values, gradients, shapes, names, modules, fold, source_line, memory, time, heat, nan, derivative_graph,
    interactive, pip_only_rendering,
]  # fmt: skip


@pytest.mark.parametrize("row", [pytest.param(row, id=row.__name__.replace("_", " ")) for row in ROWS])
def test_pictures_show(row):
    render.find_dot()
    row()


def test_there_are_as_many_rows_as_were_promised():
    assert len(ROWS) == 14
