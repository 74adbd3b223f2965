"""The text for Graphviz, and the pictures that Graphviz makes of it."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import minigrad as mg
from minigrad import graph, nn
from tests.needs import needs_graphviz
from tests.rows import each

SVG = "{http://www.w3.org/2000/svg}"
DIRECTIONS = ["TB", "LR", "BT", "RL"]
HOSTILE = [
    'a"; [x=y]; \\N\\" <b>&amp; |{}| é漢\n\0\ud800->',
    " ",
    "\t",
    "\\",
    "\\N\\G\\l",
    "</TD></TABLE>>]; evil [",
    "&lt;&#0;&",
    "<script>alert(1)</script>",
    "<!-- -->]]>",
    "\u202eright to left\u2028\x85\u00ad",
    "😀",
    "\x1b[31m",
    "\ufffe",
    "{{payload}} %s {0}",
    "x" * 10_000,
    "y" * 48 + "\\N",
]


def leaf(value=2.0, name=None):
    return mg.tensor(value, requires_grad=True, name=name)


def rosenbrock():
    x, y = leaf(-1.2, "x"), leaf(1.0, "y")
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2, (x, y)


def chain(length):
    x = leaf(0.5, "start")
    for _ in range(length):
        x = mg.sin(x)
    return x


def groups(svg, kind):
    """The texts of each node or cluster of a picture, which must be well-formed XML."""
    found = {}
    for group in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        if group.get("class") == kind:
            texts = ["".join(text.itertext()).strip() for text in group.iter(f"{SVG}text")]
            found[group.find(f"{SVG}title").text] = [text for text in texts if text]
    return found


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(4)])
        self.last = nn.Linear(4, 3)

    def forward(self, x):
        for layer in self.layers:
            x = mg.tanh(layer(x))
        return mg.log_softmax(self.last(x))[np.arange(8), np.arange(8) % 3].mean()


# The text


def test_kinds_differ_in_shape_and_colour():
    source = graph.draw(lambda x, w: (x * w * leaf() * np.ones(5)).reshape(5, 1).sum(), np.ones(5), np.arange(5)).source
    nodes = re.findall(r"^  n\d \[.*$", source, re.MULTILINE)
    shapes = [re.search(r'shape="(\w+)"', node)[1] for node in nodes]
    fills = [(re.search(r'fillcolor="(#\w+)"', node) or [None, None])[1] for node in nodes]
    assert set(shapes) == {"house", "ellipse", "cylinder", "box"}
    assert len(set(zip(shapes, fills, strict=True))) == 5
    assert fills.count(None) == 1  # reshape is light
    assert [i for i, node in enumerate(nodes) if 'penwidth="2.5"' in node] == [len(nodes) - 1]


def test_what_an_operation_takes_in_order():
    a, b = leaf(), leaf()
    assert "n0 -> n2:p1:n\n" in graph.draw(b - a).source
    assert "n1 -> n2:p0:n\n" in graph.draw(b - a).source
    assert "n1 -> n2:p0:w\n" in graph.draw(b - a, direction="LR").source
    assert "n1 -> n2:p0:s\n" in graph.draw(b - a, direction="BT").source
    assert "n1 -> n2:p0:e\n" in graph.draw(b - a, direction="RL").source


def test_what_is_used_twice_has_two_arrows():
    a = leaf()
    assert graph.draw(a * a).source.count("n0 -> n1\n") == 2


def test_the_middle_is_left_out():
    source = graph.draw(chain(100_000), fold=False, limit=20).source
    assert "… 99,981 nodes …" in source
    assert "100,001 nodes, of which 99,981 in the middle are not drawn" in source
    arrows = re.findall(r"(\w+) -> (\w+)", source)
    assert len(arrows) == 20
    assert arrows.count(("n9", "skipped")) == 1
    assert arrows.count(("skipped", "n99991")) == 1
    assert len(source) < 30_000


def test_a_graph_at_the_limit_is_drawn_whole():
    assert "skipped" not in graph.draw(chain(9), limit=10).source
    assert "… 1 nodes …" in graph.draw(chain(10), limit=10).source


def test_arrows_to_what_is_left_out_are_drawn_once():
    w = leaf(0.5, "w")
    y = w
    for _ in range(100):
        y = y * w
    source = graph.draw(y, fold=False, limit=10).source
    assert source.count("n0 -> skipped") == 1
    assert source.count("n0 -> n") == 10  # twice to the first, and once to all others that are drawn


def test_the_same_graph_gives_the_same_text():
    def text():
        return graph.draw(rosenbrock()[0], show=("value", "grad", "shape"), heat="grad").source

    assert text() == text()


def test_a_legend_explains_what_is_there():
    source = graph.draw(leaf() * 2).source
    assert "parameter, requires grad" in source
    assert "closed module" not in source
    assert "closed module" in graph.draw(Net(), np.ones((8, 4)), depth=0).source


# The picture


@needs_graphviz
def test_rosenbrock():
    nodes = groups(graph.draw(rosenbrock()[0]).render(), "node")
    assert len(nodes) == 9
    assert nodes["n0"] == ["x", "float64 -1.2"]
    assert " ".join(nodes["n2"]) == "subtract (1, _) float64 2.2"
    assert nodes["n8"] == ["add", "float64 24.2"]


@needs_graphviz
def test_a_derivative():
    f, inputs = rosenbrock()
    gradient = mg.autograd.grad(f, inputs, create_graph=True)
    nodes = groups(graph.draw(gradient)._repr_mimebundle_()["image/svg+xml"], "node")
    assert len(nodes) == len(graph.capture(gradient))
    assert ["negative", "float64 88"] in nodes.values()


@needs_graphviz
@each("direction", DIRECTIONS)
@each("depth", [0, 1, None])
def test_a_network(direction, depth):
    picture = graph.draw(Net(), np.ones((8, 4)), direction=direction, depth=depth, show="all", heat="grad", fold=True)
    nodes, clusters = (groups(picture.render(), kind) for kind in ("node", "cluster"))
    assert len(nodes) == len(re.findall(r"^ *\w+ \[label=", picture.source, re.MULTILINE))
    assert len(clusters) == picture.source.count("subgraph cluster_")
    assert (depth != 0) == any("×4" in " ".join(texts) for texts in [*clusters.values(), *nodes.values()])


@needs_graphviz
@pytest.mark.parametrize("show", ["value", "all", ()])
def test_odd_values(show):
    values = [
        np.zeros((0, 3)),
        np.full(20, np.nan),
        np.ones(20),
        1j,
        np.full((3, 3), 1e-12),
        np.full(9, 1 + 1e9j),
        1e300,
    ]
    texts = groups(graph.draw([leaf(value) * 1 for value in values], show=show).render(), "node")
    assert len(texts) == 2 * len(values)


@needs_graphviz
@pytest.mark.parametrize("options", [{"fold": True}, {"limit": 3}, {"limit": 1}, {"depth": 0}, {"legend": False}])
def test_folded_pictures_can_be_laid_out(options):
    class Loop(nn.Module):
        def forward(self, x):
            for _ in range(30):
                x = mg.sin(x) * np.nan
            return x

    picture = graph.draw(Loop(), np.ones(3), mark={5: "<look>"}, **options)
    assert groups(picture.render(), "node")


# Names that could spoil it


@needs_graphviz
@each("name", HOSTILE)
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_names_cannot_inject_anything(name, direction):
    x, data = leaf(np.ones(5), name), mg.tensor(np.ones(5))
    y = x - data
    y.name = name
    picture = graph.draw(y, names={name: data}, mark={0: name}, show="all", direction=direction)
    nodes = groups(picture.render(), "node")
    assert sorted(nodes) == ["n0", "n1", "n2"]
    expected = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)
    expected = expected if len(expected) <= 50 else f"{expected[:15]}…{expected[-34:]}"
    if expected.strip():
        assert nodes["n0"][0].replace("\xa0", " ") == expected.strip()
        assert nodes["n0"][-1].replace("\xa0", " ") == expected.strip()  # the mark
    assert all(line.isprintable() for line in picture.text.splitlines())
    picture.text.encode()
    assert "<script>alert" not in picture.html


@needs_graphviz
@each("name", HOSTILE)
def test_names_of_modules_cannot_inject_anything(name):
    kind = type(
        "".join(c for c in name if c not in "\0\ud800"), (nn.Module,), {"forward": lambda self, x: self.part(x)}
    )
    module = kind()
    module.part = nn.Linear(2, 2)
    parts = nn.ModuleDict({name.replace(".", "-"): module})
    for depth in (0, 1, None):
        picture = graph.draw(lambda x: next(iter(parts.values()))(x), np.ones(2), depth=depth)
        groups(picture.render(), "node")
        assert all(line.isprintable() and len(line) < 300 for line in picture.text.splitlines())
        assert "<script>alert" not in picture.html


@needs_graphviz
def test_names_of_operations_and_parameters_cannot_inject_anything():
    @mg.primitive(lambda g, y, x, *, mode: g)
    def odd(x, /, *, mode):
        return x + 0

    odd.primitive.name = '<"\\G&>'
    call = odd(leaf(np.ones(5)), mode='</FONT>"\\N|')
    call.node.op.name = odd.primitive.name  # which the operation took when it was made
    nodes = groups(graph.draw(call).render(), "node")
    assert " ".join(nodes["n1"]) == "<\"\\G&> (mode='</FONT>\"\\\\N|') float64 (5,)"
