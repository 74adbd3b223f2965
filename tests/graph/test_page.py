"""The interactive page in a real browser: what is drawn, and what people do with it."""

import copy
import itertools
import json
import math
import random
import re

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.graph.page import page
from minigrad.graph.snapshots import Snapshots
from tests.browser import HOSTILE, SHIFT
from tests.rows import each


@pytest.fixture
def show(open_page):
    """A function that opens the page of a payload."""
    return lambda payload, **size: open_page(page(payload), **size)


# Payloads


def group(number, parent=0, title="", **more):
    made = {"id": number, "parent": parent, "title": title, "kind": "Module", "count": 1, "folded": False, "facts": []}
    return made | more


def node(number, title, kind="operation", within=0, **more):
    made = {"id": number, "group": within, "kind": kind, "output": False, "level": 0, "title": title}
    made |= {"detail": "float64 (3, 4)", "facts": [], "value": None, "grad": None, "heat": None, "bad": None}
    return made | {"mark": None} | more


def stats(text, histogram=None, **more):
    made = {"text": text, "min": -1.0, "max": 2.0, "mean": 0.5, "std": 1.25, "norm": 3.0, "histogram": histogram}
    return made | {"low": -1.0, "high": 2.0, "bad": None} | more


def payload(nodes, edges=(), groups=(), **more):
    made = {"title": "graph", "caption": [], "groups": [group(0, None), *groups], "nodes": nodes}
    return made | {"edges": [list(edge) for edge in edges], "steps": [], "opened": True} | more


def sample_payload():
    """A network of two blocks with a skip connection, a loss that is NaN, a derivative, and three steps."""
    bell = [0, 1, 3, 7, 12, 16, 12, 7, 3, 1]
    groups = [
        group(1, 0, "net: Net", facts=[["operations", "8"], ["parameters", "36"]]),
        group(2, 1, "blocks.0: Block", facts=[["operations", "4"]]),
        group(3, 1, "blocks.1 … blocks.12: Block", count=12, folded=True, facts=[["operations, each", "3"]]),
        group(4, 2, "norm: LayerNorm"),
        group(5, 0, "derivative", kind="derivative"),
    ]
    line = ["source line", "train.py:12  y = x @ w"]
    nodes = [
        node(0, "x", "input", value=stats("mean 0.5 ± 1.2", bell)),
        node(1, "weight", "parameter", 2, value=stats("mean 0", bell), grad=stats("mean 1", bell[::-1]), heat=0.9),
        node(2, "bias", "parameter", 2, detail="float64 (4,)", value=stats("[1 2 3 4]"), heat=0.2),
        node(3, "standardized(eps=1e-05)", within=4, heat=0.3),
        node(4, "scale", "constant", 4, detail="float64 2"),
        node(5, "multiply", within=4, heat=0.5),
        node(6, "linear", within=2, facts=[["computed as", "%6 = linear(%5, %1, %2)"], line], heat=0.7),
        node(7, "reshape(shape=(3, 4))", "arrangement", 2),
        node(8, "add", within=2, heat=0.6),
        node(9, "weight", "parameter", 3, detail="float64 (9, 9)"),
        node(10, "matmul", within=3, heat=0.1),
        node(11, "relu", within=3, mark="wrong gradient"),
        node(
            12, "y = log", bad="NaN", detail="float64 nan", value=stats("nan", mean=math.nan, bad="1 NaN"), output=True
        ),
        node(13, "… 40 nodes …", "fold"),
        node(14, "divide", within=5, level=1, bad="inf", value=stats("inf", max=math.inf)),
        node(15, "multiply", within=5, level=1, output=True),
    ]
    edges = [(0, 3, None), (3, 5, None), (4, 5, None), (5, 6, 0), (1, 6, 1), (2, 6, 2), (6, 7, None), (7, 8, None)]
    edges += [(0, 8, None), (8, 10, 0), (9, 10, 1), (10, 11, None), (11, 12, None), (11, 13, None), (13, 14, 0)]
    edges += [(12, 14, 1), (14, 15, None), (1, 15, None)]
    steps = []
    for i, text in enumerate(["0.25", "7.5", "nan"]):
        bad = "NaN" if text == "nan" else None
        changed = {"value": stats(text, bad=bad and "1 NaN"), "grad": None, "heat": i / 2, "bad": bad}
        steps.append({"label": f"step {i}", "nodes": {"12": changed}})
    return payload(nodes, edges, groups, title="sample", caption=["first NaN: %12 log at train.py:12"], steps=steps)


def plain_payload():
    return sample_payload() | {"steps": []}


def random_payload(count, seed, depth=3):
    """Any graph, with groups in groups; arrows between groups run in circles."""
    rng = random.Random(seed)
    groups = [group(i, rng.randrange(max(1, i - 1)) if i > 1 else 0, f"group {i}") for i in range(1, 2 + count // 8)]
    kinds = ["operation"] * 6 + ["parameter", "arrangement"]
    nodes, edges = [], []
    for i in range(count):
        kind = rng.choice(kinds) if i else "input"
        width = rng.randrange(1, 25)
        nodes.append(node(i, "o" * width, kind, rng.randrange(len(groups) + 1)))
        if kind in ("operation", "arrangement"):
            operands = [rng.randrange(max(0, i - 20), i) for _ in range(rng.choice([1, 2, 2, 3]))]
            edges += [(tail, i, place if len(operands) > 1 else None) for place, tail in enumerate(operands)]
    return payload(nodes, edges, groups)


def large_payload(count):
    """As many operations as asked for, in blocks of ten with residual connections, eight blocks in a stage."""
    blocks = range(count // 10)
    stages = [group(1 + i, 0, f"stage.{i}") for i in range(len(blocks) // 8 + 1)]
    groups = [*stages, *(group(1000 + i, 1 + i // 8, f"block.{i}: Block") for i in blocks)]
    nodes, edges = [], []
    for i in blocks:
        for j in range(10):
            number = 10 * i + j
            kind = "parameter" if j % 3 == 0 and number else "operation"
            nodes.append(node(number, f"{kind}{j}", kind, 1000 + i))
            if kind == "operation" and number:
                edges += [(number - 1, number, None)]
                edges += [(number - 2, number, None)] if j == 2 else []
        if i:
            edges += [(10 * i - 1, 10 * i + 8, None), (10 * i - 1, 10 * i + 1, None)]
    return payload(nodes, edges, groups)


# What is on the screen


def node_at(number):
    return f'.box[data-node="{number}"]'


def folded(number):
    return f'.box[data-group="{number}"]'


def handle(number):
    return f'.handle[data-group="{number}"]'


# Boxes without their halos and badges, frames, and the lines between, in the coordinates of the graph.
GEOMETRY = """(() => {
  const at = (element) => element.transform.baseVal.consolidate().matrix;
  const place = (element, shape) => {
    const [m, box] = [at(element), shape.getBBox()];
    return [m.e + box.x, m.f + box.y, box.width, box.height];
  };
  const all = (selector) => [...document.querySelectorAll(selector)];
  const key = ({ dataset }) => (dataset.node ? "n" + dataset.node : "g" + dataset.group);
  return {
    boxes: all(".box").map((box) => [key(box), ...place(box, box.querySelector(".shape"))]),
    titles: all(".handle[data-group]").map((title) => [key(title), ...place(title, title.querySelector("rect"))]),
    frames: all(".frame").map((frame) => [key(frame), ...place(frame, frame.firstChild)]),
    lines: all(".edge").map((edge) => {
      const path = edge.querySelector("path");
      const length = path.getTotalLength();
      const spots = Array.from({ length: 41 }, (_, i) => path.getPointAtLength((length * i) / 40));
      const tip = edge.querySelector(".tip");
      const end = /M(\\S+) (\\S+)l/.exec(tip?.getAttribute("d") ?? "");
      return { edges: edge.dataset.edges.split(" "), spots: spots.map(({ x, y }) => [x, y]),
               tip: end && [Number(end[1]), Number(end[2])] };
    }),
  };
})()"""


def inside(spot, box, margin=0.0):
    x, y, width, height = box
    return x - margin <= spot[0] <= x + width + margin and y - margin <= spot[1] <= y + height + margin


def overlap(a, b):
    return a[0] + 1 < b[0] + b[2] and b[0] + 1 < a[0] + a[2] and a[1] + 1 < b[1] + b[3] and b[1] + 1 < a[1] + a[3]


def outer_groups(data):
    """For every key of a node or a group those of the groups around it."""
    parent = {one["id"]: one["parent"] for one in data["groups"]}
    around = {}
    for key, number in [(f"n{one['id']}", one["group"]) for one in data["nodes"]] + [
        (f"g{one['id']}", one["parent"]) for one in data["groups"]
    ]:
        around[key] = []
        while number:
            around[key].append(f"g{number}")
            number = parent[number]
    return around


def check_layout(shown, data, edges):
    """Boxes apart and in their frames; lines from box to box along all edges, past the boxes between."""
    found = shown.run(GEOMETRY)
    boxes = {key: box for key, *box in found["boxes"]}
    frames = {key: box for key, *box in found["frames"]}
    around = outer_groups(data)
    assert all(math.isfinite(x) for box in [*boxes.values(), *frames.values()] for x in box)
    for (a, one), (b, other) in itertools.combinations(boxes.items(), 2):
        assert not overlap(one, other), f"{a} and {b} overlap"
    for frame, outline in frames.items():
        for key, box in [*boxes.items(), *frames.items()]:
            if frame in around[key]:
                assert inside(box[:2], outline), (key, frame)
                assert inside([box[0] + box[2], box[1] + box[3]], outline), (key, frame)
            elif frame != key and key not in around[frame]:
                assert not overlap(box, outline), f"{key} lies in {frame}"
    for frame, *title in found["titles"]:
        assert inside(title[:2], frames[frame])
        assert inside([title[0] + title[2], title[1]], frames[frame])
        for line in found["lines"]:
            assert not any(inside(spot, title) for spot in line["spots"]), f"{line['edges']} cross {frame}'s title"
    arrived = set()
    for line in found["lines"]:
        for name in line["edges"]:
            if line["tip"]:
                head = name.split(">")[1]
                assert inside(line["tip"], boxes[head], 1.5), f"{name} does not end at its head"
                arrived.add(name)
        ends = {key for name in line["edges"] for key in name.split(">")}
        for key, (x, y, width, height) in boxes.items():
            if key not in ends:
                shrunk = (x + 2, y + 2, width - 4, height - 4)
                assert not any(inside(spot, shrunk) for spot in line["spots"]), f"{line['edges']} runs through {key}"
    assert arrived == edges
    for name in edges:
        tail, head = (boxes[key] for key in name.split(">"))
        pieces = [line["spots"] for line in found["lines"] if name in line["edges"]]
        reached = [spot for spots in pieces for spot in (spots[0], spots[-1])]
        assert any(inside(spot, tail, 1.5) for spot in reached), f"{name} does not begin at its tail"
        # From the head back to the tail without a gap.
        spots = [(spots[0], spots[-1]) for spots in pieces]
        at = next(start for start, end in spots if inside(end, head, 8))
        for _ in spots:
            if inside(at, tail, 1.5):
                break
            at = next(start for start, end in spots if math.dist(end, at) < 1.5 and start != at)
        assert inside(at, tail, 1.5), f"{name} is broken"
    return boxes


def edges_of(data):
    return {f"n{tail}>n{head}" for tail, head, _ in data["edges"] if tail != head}


def unfolded(data):
    data = copy.deepcopy(data)
    for one in data["groups"]:
        one["folded"] = False
    return data


def camera(shown):
    """How far the graph is moved, and its scale."""
    text = shown.run('document.getElementById("view").getAttribute("transform")')
    return [float(number) for number in re.findall(r"[-\d.e]+", text.replace("translate", "").replace("scale", ""))]


def keys(shown, selector):
    """The keys of boxes and titles, as in the payload: n and g for nodes and groups."""
    pairs = shown.run(f"[...document.querySelectorAll('{selector}')].map((x) => [x.dataset.node, x.dataset.group])")
    return [f"n{node}" if node else f"g{group}" for node, group in pairs]


def focused(shown):
    (key,) = keys(shown, "#view :focus")
    return key


def classes(shown, selector):
    return shown.run(f"document.querySelector('{selector}').getAttribute('class')").split()


def click_unseen(shown, selector):
    """A click on what may be out of sight."""
    shown.run(f"document.querySelector('{selector}').dispatchEvent(new MouseEvent('click', {{ bubbles: true }}))")


def assert_in_sight(shown, selector, width=1280, height=800):
    x, y, wide, high = shown.rectangle(selector)
    assert x >= 0
    assert y >= shown.rectangle("#canvas")[1]
    assert x + wide <= width
    assert y + high <= height


def fill_of(shown, number):
    return shown.run(f"getComputedStyle(document.querySelector('{node_at(number)} .shape')).fill")


# The text of the page


def test_the_page_is_one_ascii_payload_that_json_reads_back():
    text = page(sample_payload())
    found = re.search(r'<script id="payload" type="application/json">(.*?)</script>', text, re.S)[1]
    assert found.isascii()
    assert not set("<>&") & set(found)
    read = json.loads(found)
    assert read["nodes"][12]["value"]["mean"] == "NaN"
    assert read["nodes"][14]["value"]["max"] == "inf"
    assert [each["title"] for each in read["nodes"]] == [each["title"] for each in sample_payload()["nodes"]]


def test_the_page_forbids_the_network_and_names_no_address():
    text = page(sample_payload())
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)[1]
    assert "default-src 'none'" in policy
    assert "http:" not in policy + text.replace("http://www.w3.org/2000/svg", "")
    assert "https:" not in text
    assert "innerHTML" not in text


def test_numpy_scalars_and_infinities_are_plain_in_the_page():
    value = stats("x", min=np.float32(-np.inf), max=np.float64(1.5), mean=np.nan, norm=np.int64(3))
    text = page(payload([node(np.int64(0), "x", value=value)]))
    read = json.loads(re.search(r'application/json">(.*?)</script>', text, re.S)[1])["nodes"][0]
    assert read["id"] == 0
    assert [read["value"][key] for key in ("min", "max", "mean", "norm")] == ["-inf", 1.5, "NaN", 3]


@each("text", HOSTILE)
def test_no_text_breaks_out_of_the_payload(text):
    made = page(payload([node(0, text, facts=[[text, text]])], title=text, caption=[text]))
    made.encode()
    assert made.count("<script") == 2
    assert made.count("</script") == 2
    found = re.search(r'<script id="payload" type="application/json">(.*?)</script>', made, re.S)[1]
    shown = text.replace("\u202e", r"\u202e")
    assert json.loads(found)["nodes"][0]["facts"] == [[shown, shown]]


def test_no_text_turns_the_direction_of_what_is_around_it():
    turning = [chr(n) for n in (0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))]
    name = "".join(f"a{c}b" for c in turning)
    part, model = nn.Sequential(), nn.Sequential()
    part.add_module(name, nn.Sequential(nn.Linear(2, 1), nn.ReLU()))
    model.add_module(name, part)
    made = mg.graph.draw(model, mg.ones((1, 2)), depth=3).html
    for text in (made, page(payload([node(0, name, facts=[[name, name]])], title=name, caption=[name]))):
        assert not {*turning} & {*text}
        found = json.loads(re.search(r'application/json">(.*?)</script>', text, re.S)[1])
        assert not {*turning} & {*str(found)}
        assert r"a\\u202eb" in str(found)


# The driver and the policy


def test_the_driver_notices_errors_and_requests(browser):
    script = 'console.error("a message"); window.setTimeout(() => missing()); throw new Error("thrown")'
    shown = browser.open(f'<img src="http://127.0.0.1:9/x.png"><script>{script}</script>')
    for word in ("request: http://127.0.0.1:9/x.png", "a message", "thrown"):
        assert any(word in trouble for trouble in shown.troubles), word
    with pytest.raises(AssertionError, match="missing is not defined"):
        shown.close()


@pytest.mark.parametrize(
    "smuggled",
    [
        '<img src="http://127.0.0.1:9/x.png">',
        '<script src="http://127.0.0.1:9/x.js"></script>',
        '<style>@import "http://127.0.0.1:9/x.css";</style>',
        '<script>fetch("http://127.0.0.1:9/").catch(() => 0)</script>',
        '<iframe src="http://127.0.0.1:9/"></iframe>',
    ],
)
def test_the_policy_stops_requests_even_of_smuggled_elements(browser, smuggled):
    shown = browser.open(page(sample_payload()).replace("</header>", f"</header>{smuggled}"))
    shown.settle()
    assert any("Content Security Policy" in trouble for trouble in shown.troubles)
    with pytest.raises(AssertionError):
        shown.close()


# In the browser: what is drawn


def test_hostile_names_are_shown_as_text(show):
    nodes = [node(i, text, facts=[[text, text]], value=stats(text), mark=text) for i, text in enumerate(HOSTILE)]
    groups = [group(1 + i, 0, text, facts=[[text, text]], kind=text) for i, text in enumerate(HOSTILE)]
    for one, home in zip(nodes, groups, strict=True):
        one["group"] = home["id"]
    edges = [(i, i + 1, None) for i in range(len(nodes) - 1)]
    data = payload(nodes, edges, groups, title=HOSTILE[0], caption=HOSTILE, heat={"title": HOSTILE[1]})
    data["steps"] = [{"label": text, "nodes": {}} for text in HOSTILE]
    shown = show(data)
    assert shown.text("#title") == HOSTILE[0] == shown.run("document.title")
    assert shown.texts("#notes li")[:6] == HOSTILE[:6]
    for i, text in enumerate(HOSTILE):
        click_unseen(shown, node_at(i))
        expected = text.replace("\u202e", r"\u202e").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        assert shown.text("#panel dd").encode("utf-16", "surrogatepass").decode("utf-16", "replace") == expected
    shown.click("#fold")
    assert shown.count(".box[data-group]") == len(HOSTILE)
    assert shown.run("typeof window.hacked") == "undefined"
    assert shown.count("img, iframe, object, a") == 0
    assert shown.count("script") == 2


def test_everything_of_the_sample_is_drawn(show):
    data = unfolded(plain_payload())
    shown = show(data)
    boxes = check_layout(shown, data, edges_of(data))
    assert len(boxes) == len(data["nodes"])
    for number, kind in [(0, "input"), (1, "parameter"), (4, "constant"), (6, "operation"), (7, "arrangement")]:
        assert kind in classes(shown, node_at(number))
    assert "derivative" in classes(shown, node_at(14))
    assert "output" in classes(shown, node_at(12))
    assert shown.text(f"{node_at(11)} .mark") == "wrong gradient"
    assert "operation of the derivative" in shown.texts("#legend li")
    assert shown.texts("#notes li") == data["caption"]


def test_folded_groups_are_boxes_and_their_edges_end_there(show):
    shown = show(plain_payload())
    edges = {"g3>n12", "g3>n13", "n8>g3"} | {
        name for name in edges_of(plain_payload()) if not {"n9", "n10", "n11"} & set(name.split(">"))
    }
    check_layout(shown, plain_payload(), edges)
    assert "×12" in shown.text(folded(3))
    assert "3 operations, each" in shown.text(folded(3))
    assert shown.count(node_at(10)) == 0


@pytest.mark.parametrize("seed", range(8))
def test_no_boxes_overlap_and_all_edges_arrive_in_any_graph(show, seed):
    data = random_payload(10 + 12 * seed, seed)
    check_layout(show(data), data, edges_of(data))


@pytest.mark.parametrize("seed", range(3))
def test_layouts_stay_sound_whatever_is_folded(show, seed):
    data = random_payload(40, seed)
    rng = random.Random(seed)
    shown = show(data)
    for one in rng.sample(data["groups"][1:], 3):
        target = handle(one["id"])
        if shown.count(target):
            click_unseen(shown, target)
            one["folded"] = True
    around = outer_groups(data)
    closed = {f"g{one['id']}" for one in data["groups"] if one["folded"]}
    drawn = {key: next((g for g in reversed(around[key]) if g in closed), key) for key in around}
    edges = {f"{drawn[a]}>{drawn[b]}" for a, b in (name.split(">") for name in edges_of(data)) if drawn[a] != drawn[b]}
    assert closed
    check_layout(shown, data, edges)


def test_operands_come_in_from_left_to_right(show):
    nodes = [*(node(i, f"a{i}", "input") for i in range(4)), node(4, "where"), node(5, "subtract")]
    edges = [(2, 4, 0), (0, 4, 1), (3, 4, 2), (4, 5, 0), (1, 5, 1)]
    shown = show(payload(nodes, edges))
    tips = {}
    for line in shown.run(GEOMETRY)["lines"]:
        for name in line["edges"]:
            tips[name] = line["tip"]
    assert tips["n2>n4"][0] < tips["n0>n4"][0] < tips["n3>n4"][0]
    assert tips["n4>n5"][0] < tips["n1>n5"][0]
    boxes = {key: box for key, *box in shown.run(GEOMETRY)["boxes"]}
    assert boxes["n2"][0] < boxes["n0"][0] < boxes["n3"][0]


def test_a_chain_is_a_straight_line(show):
    data = payload([node(i, "o" * (1 + i)) for i in range(12)], [(i, i + 1, None) for i in range(11)])
    middles = [x + width / 2 for _, x, _, width, _ in show(data).run(GEOMETRY)["boxes"]]
    assert max(middles) - min(middles) < 0.5


def test_a_node_that_stands_for_its_group_is_the_group_that_stays_folded(show):
    groups = [group(1, 0, "blocks"), group(2, 1, "blocks.7: Block", facts=[["operations", "9"]], count=3)]
    nodes = [node(0, "x", "input"), node(1, "inner", "frame", 2, bad="NaN"), node(2, "y", within=1)]
    shown = show(payload(nodes, [(0, 1, None), (1, 2, None)], groups))
    assert keys(shown, ".box") == ["n0", "g2", "n2"]
    assert shown.text(f"{folded(2)} .badge") == "NaN"
    assert "blocks.7: Block ×39 operations" in shown.text(folded(2))
    shown.click("#unfold")
    shown.click(f"{folded(2)} .handle")
    assert keys(shown, ".box") == ["n0", "g2", "n2"]
    assert shown.text("#panel h2") == "blocks.7: Block ×3"
    assert "too large" in shown.text("#panel")
    shown.press("Enter")
    assert keys(shown, ".box") == ["n0", "g2", "n2"]
    shown.click("#fold")
    shown.click("#alarm")
    assert keys(shown, ".chosen") == ["g2"]
    shown.click(node_at(2))
    shown.click("#panel .links button")
    assert shown.text("#panel h2") == "blocks.7: Block ×3"


def test_an_empty_graph_says_so(show):
    shown = show(payload([]))
    assert shown.count(".box") == 0
    assert "empty" in shown.text("#message")
    shown.click("#fit")
    shown.wheel(400, 400, -200)
    assert all(math.isfinite(x) for x in camera(shown))


def test_a_single_node_is_drawn_in_sight(show):
    shown = show(payload([node(0, "x", "input")]))
    assert_in_sight(shown, node_at(0))
    assert not shown.visible("#fold")
    assert not shown.visible("#steps")
    assert not shown.visible("#heat")
    assert not shown.visible("#alarm")


def test_edges_that_lead_to_their_own_box_or_come_twice_are_drawn_once_or_not_at_all(show):
    data = payload([node(0, "a"), node(1, "b")], [(0, 0, None), (0, 1, None), (0, 1, None), (1, 0, None)])
    shown = show(data)
    assert shown.count(".edge .tip") == 2


def test_groups_without_nodes_are_not_drawn(show):
    data = payload([node(0, "a", within=2)], [], [group(1, 0, "empty"), group(2, 0, "full"), group(3, 2, "empty too")])
    shown = show(data)
    assert shown.texts(".handle .name") == ["▾ full"]
    shown.click("#fold")
    assert shown.count(".box") == 1


def test_five_hundred_nodes_are_laid_out(show):
    data = large_payload(500)
    boxes = check_layout(show(data), data, edges_of(data))
    assert len(boxes) == 500


def test_thousands_of_nodes_are_folded_with_a_message(show):
    shown = show(large_payload(6000))
    assert 100 < shown.count(".box") <= 2000
    assert "folded" in shown.text("#message")
    shown.click("#unfold")
    assert shown.count(".box") <= 2000
    assert "stay folded" in shown.text("#message")
    shown.click("#search")
    shown.type("block.599")
    shown.press("Enter")
    assert shown.count(".current") == 1
    assert shown.count(".box") <= 2000


def test_a_flat_graph_of_thousands_is_cut_off_with_a_message(show):
    data = payload([node(i, "step") for i in range(5000)], [(i, i + 1, None) for i in range(4999)])
    shown = show(data)
    assert shown.count(".box") == 2000
    assert "3,000" in shown.text("#message")


# In the browser: what people do


def test_dragging_moves_the_graph(show):
    shown = show(sample_payload())
    before = camera(shown)
    shown.drag(200, 300, 120, 45)
    after = camera(shown)
    assert after == pytest.approx([before[0] + 120, before[1] + 45, before[2]], abs=0.01)
    assert not shown.visible("#panel")
    # A drag that begins on a box moves the graph too, and chooses nothing.
    x, y, width, height = shown.rectangle(node_at(0))
    shown.drag(x + width / 2, y + height / 2, -60, 10)
    assert camera(shown)[:2] == pytest.approx([after[0] - 60, after[1] + 10], abs=0.01)
    assert not shown.visible("#panel")


def test_the_wheel_zooms_about_the_mouse(show):
    shown = show(sample_payload())
    x, y, width, height = shown.rectangle(node_at(0))
    spot = [x + width / 2, y + height / 2]
    shown.wheel(*spot, -300)
    left, top, wide, high = shown.rectangle(node_at(0))
    assert wide > 1.3 * width
    assert [left + wide / 2, top + high / 2] == pytest.approx(spot, abs=1.5)
    shown.wheel(*spot, 300)
    assert shown.rectangle(node_at(0)) == pytest.approx([x, y, width, height], abs=1)


def test_zoom_by_buttons_and_keys_and_fit(show):
    shown = show(sample_payload(), height=600)
    start = camera(shown)[2]
    shown.click("#larger")
    assert camera(shown)[2] == pytest.approx(1.25 * start)
    shown.click("#smaller")
    assert camera(shown)[2] == pytest.approx(start)
    shown.press("+")
    shown.press("+")
    shown.press("-")
    assert camera(shown)[2] == pytest.approx(1.25 * start)
    shown.drag(300, 300, 900, 500)
    shown.press("0")
    for number in (0, 15):
        assert_in_sight(shown, node_at(number), height=600)
    whole = camera(shown)
    shown.press("-")
    shown.click("#fit")
    assert camera(shown) == pytest.approx(whole)


def test_zoom_has_limits(show):
    shown = show(sample_payload())
    for _ in range(12):
        shown.wheel(600, 400, 3000)
    assert 0 < camera(shown)[2] < 0.02
    for _ in range(12):
        shown.wheel(600, 400, -3000)
    assert 1 < camera(shown)[2] < 20


def test_click_on_a_title_folds_and_unfolds_where_it_is(show):
    shown = show(plain_payload())
    frame = shown.rectangle('.frame[data-group="2"]')
    shown.click(handle(2))
    assert shown.count('.frame[data-group="2"]') == 0
    assert shown.count(node_at(6)) == 0
    x, y, width, _ = shown.rectangle(f"{folded(2)} .shape")
    assert y == pytest.approx(frame[1], abs=3)
    assert x + width / 2 == pytest.approx(frame[0] + frame[2] / 2, abs=3)
    shown.click(f"{folded(2)} .handle")
    assert shown.count(node_at(6)) == 1
    assert shown.count('.frame[data-group="4"]') == 1
    assert not shown.visible("#panel")


def test_fold_all_and_unfold_all(show):
    data = unfolded(plain_payload())
    shown = show(data)
    shown.click("#fold")
    assert keys(shown, ".box[data-group]") == ["g1", "g5"]
    check_layout(shown, data, {"n0>g1", "g1>n12", "g1>n13", "g1>g5", "n12>g5", "n13>g5"})
    assert "NaN" not in shown.text(folded(1))
    assert shown.text(f"{folded(5)} .badge") == "inf"
    shown.click("#unfold")
    check_layout(shown, data, edges_of(data))


def test_the_panel_tells_everything_about_a_node(show):
    shown = show(plain_payload(), height=1500)
    shown.click(node_at(1))
    text = shown.text("#panel")
    assert shown.text("#panel h2") == "weight"
    assert "parameter, requires grad" in text
    assert shown.texts("#panel h3") == ["Value", "Gradient", "Used by"]
    assert shown.count("#panel .value .histogram rect") == shown.count("#panel .gradient .histogram rect") == 10
    heights = shown.run("[...document.querySelectorAll('#panel .value rect')].map((x) => x.height.baseVal.value)")
    assert heights[5] == max(heights) == pytest.approx(54)
    assert heights[0] == 0
    for word in ("min", "max", "mean", "std", "norm", "1.25"):
        assert word in text
    shown.click(node_at(6))
    assert "train.py:12  y = x @ w" in shown.text("#panel")
    assert shown.texts("#panel .links button") == ["multiply", "weight", "bias", "reshape(shape=(3, 4))"]
    assert set(shown.run("[...document.querySelectorAll('.near')].flatMap((x) => x.dataset.edges.split(' '))")) == {
        "n5>n6", "n1>n6", "n2>n6", "n6>n7"
    }  # fmt: skip
    shown.click("#panel .links button:nth-child(2)")
    assert shown.text("#panel h2") == "weight"
    shown.click("#panel .close")
    assert not shown.visible("#panel")
    assert shown.count(".near, .chosen") == 0


def test_a_click_on_a_group_shows_its_facts(show):
    shown = show(plain_payload())
    x, y, _, height = shown.rectangle('.frame[data-group="1"]')
    shown.click_at(x + 6, y + min(height, 500) - 10)
    assert shown.text("#panel h2") == "net: Net"
    assert "36" in shown.text("#panel")
    shown.click("#panel p button")
    assert shown.count(folded(1)) == 1
    assert shown.text("#panel p button") == "Unfold"
    shown.click("#canvas")  # nothing is there: the panel closes
    shown.click_at(20, 300)
    assert not shown.visible("#panel")


def test_links_lead_into_folded_groups(show):
    shown = show(plain_payload())
    shown.click(node_at(12))
    assert shown.texts("#panel .links button") == ["relu", "divide"]
    shown.click("#panel .links button")
    assert shown.count(node_at(11)) == 1
    assert "chosen" in classes(shown, node_at(11))
    assert_in_sight(shown, node_at(11))


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("weight", {"n1", "g3"}),  # the second one is in the folded group
        ("LINEAR", {"n6"}),
        ("train.py:12", {"n6"}),
        ("(4,)", {"n2"}),
        ("layernorm", {"g4"}),
        ("multiply derivative", set()),
        ("log nan", {"n12"}),
        (".*", set()),
    ],
)
def test_search_finds_titles_names_shapes_and_lines(show, words, found):
    shown = show(plain_payload())
    shown.press("/")
    shown.type(words)
    assert set(keys(shown, ".found")) == found
    assert (shown.text("#found") == "nothing found") == (not found)
    shown.press("Escape")
    assert shown.count(".found") == 0
    assert shown.run("document.getElementById('search').value") == ""


def test_enter_goes_from_match_to_match_and_unfolds(show):
    shown = show(plain_payload())
    shown.click("#search")
    shown.type("float64 (9, 9)")
    shown.press("Enter")
    assert shown.count(node_at(9)) == 1
    assert "current" in classes(shown, node_at(9))
    assert_in_sight(shown, node_at(9))
    shown.press("Escape")
    shown.press("/")
    shown.type("weight")
    visited = []
    for modifiers in (0, 0, 0, SHIFT):
        shown.press("Enter", modifiers)
        visited.append((shown.text("#found"), *keys(shown, ".current")))
    assert visited == [("1 of 2", "n1"), ("2 of 2", "n9"), ("1 of 2", "n1"), ("2 of 2", "n9")]
    assert shown.text("#panel h2") == "weight"


def test_the_button_leads_to_the_first_value_that_is_not_finite(show):
    data = plain_payload()
    shown = show(data)
    assert shown.text("#alarm") == "First NaN"
    assert shown.text(f"{node_at(12)} .badge") == "NaN"
    assert shown.run(f"getComputedStyle(document.querySelector('{node_at(12)} .shape')).stroke") == "rgb(213, 94, 0)"
    shown.click("#fold")
    shown.click("#alarm")
    assert shown.text("#panel h2") == "y = log"
    assert shown.text("#panel .bad") == "NaN"
    data["nodes"][12]["bad"] = None
    data["nodes"][10]["bad"] = "inf"  # in a folded group
    shown = show(data)
    assert shown.text("#alarm") == "First inf"
    assert shown.text(f"{folded(3)} .badge") == "inf"
    shown.click("#alarm")
    assert shown.text("#panel h2") == "matmul"
    assert shown.visible(node_at(10))


def test_of_gradients_the_last_is_the_first(show):
    words = [None, "gradient inf", "gradient NaN", None]
    data = payload([node(i, f"op{i}", bad=bad) for i, bad in enumerate(words)], [(i, i + 1, None) for i in range(3)])
    shown = show(data)
    assert shown.text("#alarm") == "First gradient NaN"
    shown.click("#alarm")
    assert shown.text("#panel h2") == "op2"


def test_heat_colours_the_boxes_and_has_a_key(show):
    data = plain_payload() | {"heat": {"title": "norm of the gradient", "low": "1e-3", "high": "1e+1"}}
    shown = show(data)
    before = fill_of(shown, 1)
    assert shown.count("#legend .scale") == 0
    shown.click("#heat")
    assert fill_of(shown, 1) not in (before, fill_of(shown, 2), fill_of(shown, 6))
    assert fill_of(shown, 0) == "rgb(217, 242, 227)"  # has none
    assert "norm of the gradient:1e-31e+1" in shown.text("#legend li")
    assert shown.run("document.getElementById('heat').getAttribute('aria-pressed')") == "true"
    assert "hot" in classes(shown, folded(3))
    shown.click("#heat")
    assert fill_of(shown, 1) == before
    assert shown.count(".hot") == 0


def test_the_slider_shows_another_step(show):
    shown = show(sample_payload())
    assert shown.text("#moment") == "step 0"
    assert shown.text("#alarm") == "First inf"
    assert "float64 0.25" in shown.text(node_at(12))
    shown.click(node_at(12))
    assert shown.text("#panel pre") == "0.25"
    boxes = shown.run(GEOMETRY)["boxes"]
    shown.run("document.getElementById('step').focus()")
    shown.press("ArrowRight")
    assert shown.text("#moment") == "step 1"
    assert "float64 7.5" in shown.text(node_at(12))
    assert shown.text("#panel pre") == "7.5"
    shown.press("ArrowRight")
    assert shown.text("#panel .bad") == "NaN"
    assert shown.text("#alarm") == "First NaN"
    assert shown.text(f"{node_at(12)} .badge") == "NaN"
    shown.press("ArrowLeft")
    assert shown.text("#alarm") == "First inf"
    assert shown.count(f"{node_at(12)} .badge") == 0
    assert shown.run(GEOMETRY)["boxes"] == boxes
    shown.click("#heat")
    warm = fill_of(shown, 12)
    shown.run("document.getElementById('step').focus()")
    shown.press("ArrowLeft")
    assert fill_of(shown, 12) != warm


def test_play_runs_to_the_last_step_and_stops(show):
    shown = show(sample_payload())
    shown.click("#play")
    assert shown.run("document.getElementById('play').getAttribute('aria-label')") == "Pause"
    shown.run(
        "new Promise((done) => setInterval(() => document.getElementById('play').getAttribute('aria-label') === 'Play'"
        " && done(), 20))"
    )
    assert shown.text("#moment") == "step 2"
    shown.click("#play")
    assert shown.text("#moment") == "step 0"
    shown.click("#play")


def test_values_in_the_boxes(show):
    shown = show(plain_payload())
    assert shown.count(".spark") == 0
    shown.click("#values")
    assert shown.count(".spark") == 2
    assert "[1 2 3 4]" in shown.text(node_at(2))
    edges = {f"{a}>{b}" for a, b in (name.split(">") for name in edges_of(plain_payload())) if b not in ("n10", "n11")}
    edges = {e for e in edges if not e.startswith("n11")} | {"g3>n12", "g3>n13", "n8>g3"}
    check_layout(shown, plain_payload(), edges)
    shown.click("#values")
    assert shown.count(".spark") == 0


def test_the_keyboard_alone_is_enough(show):
    shown = show(plain_payload())
    shown.run("document.getElementById('larger').focus()")
    shown.press("Tab")
    assert shown.run("document.activeElement.closest('#canvas') !== null")
    # From wherever that is, up to the input: operands are up.
    shown.run(f"document.querySelector('{node_at(3)}').focus()")
    shown.press("ArrowUp")
    assert focused(shown) == "n0"
    shown.press("ArrowDown")
    assert focused(shown) == "n3"
    shown.press("Enter")
    assert shown.text("#panel h2") == "standardized(eps=1e-05)"
    assert focused(shown) == "n3"
    shown.press("Tab")
    assert shown.run("document.activeElement.closest('#panel') !== null")
    shown.press("Escape")
    assert not shown.visible("#panel")
    assert focused(shown) == "n3"
    shown.run(f"document.querySelector('{folded(3)}').focus()")
    shown.press("Enter")
    assert shown.count(node_at(10)) == 1
    assert focused(shown) == "g3"
    shown.press("Enter")
    assert shown.count(node_at(10)) == 0
    assert focused(shown) == "g3"
    shown.press(" ")
    assert shown.text("#panel h2").startswith("blocks.1")
    before = focused(shown)
    shown.press("ArrowLeft")
    assert focused(shown) != before


def test_one_thing_of_the_graph_is_a_tab_stop_and_all_have_names(show):
    shown = show(sample_payload())
    assert shown.count('#view [tabindex="0"]') == 1
    names = shown.run("[...document.querySelectorAll('#view [role=button]')].map((x) => x.getAttribute('aria-label'))")
    assert all(names)
    assert "weight, parameter, requires grad, float64 (3, 4)" in names
    buttons = shown.run(
        "[...document.querySelectorAll('button, input')].map((x) => x.getAttribute('aria-label') || x.textContent"
        " || x.hidden)"
    )
    assert all(buttons)


def test_dark_pages_have_light_text_on_dark_boxes(show):
    def brightness(shown, selector, what):
        colour = shown.run(f"getComputedStyle(document.querySelector('{selector}')).{what}")
        return sum(map(int, re.findall(r"\d+", colour)[:3])) / 3

    for dark in (False, True):
        shown = show(plain_payload(), dark=dark)
        for kind in ("input", "parameter", "constant", "operation", "folded", "derivative"):
            text, box = brightness(shown, f".{kind} text", "fill"), brightness(shown, f".{kind} .shape", "fill")
            assert (text - box > 100) if dark else (box - text > 100), kind
        assert (brightness(shown, "body", "backgroundColor") < 60) == dark


def test_narrow_screens_keep_the_page_in_the_window(show):
    shown = show(sample_payload(), width=420, height=700)
    assert shown.run("document.documentElement.scrollWidth") <= 420
    shown.click("#fit")
    click_unseen(shown, node_at(0))
    x, _, width, _ = shown.rectangle("#panel")
    assert x >= 0
    assert x + width <= 420


# Pages of real graphs


class Block(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.up, self.down = nn.Linear(size, 2 * size), nn.Linear(2 * size, size)

    def forward(self, x):
        return x + self.down(nn.functional.relu(self.up(x)))


def test_pages_of_modules_derivatives_and_snapshots(browser, tmp_path):
    model = nn.Sequential(*[Block(3) for _ in range(4)])
    mg.graph.draw(model, np.ones((2, 3)), path=tmp_path / "model.html")
    shown = browser.open((tmp_path / "model.html").read_text(encoding="utf-8"))
    assert "×4" in shown.run("document.getElementById('view').textContent")
    shown.close()
    function = mg.grad(lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2)
    shown = browser.open(mg.graph.draw(function, 1.0, 2.0, format="html").html)
    assert shown.count(".derivative") > 3
    shown.close()
    w = mg.tensor([0.0, 1.0], requires_grad=True, name="w")
    snapshots = Snapshots()
    for value in (2.0, 1.0, 0.5):
        x = mg.tensor(value, requires_grad=True, name="x")
        snapshots.take(mg.exp(x) * x, label=f"x = {value}")
    shown = browser.open(snapshots.html)
    assert "7.389" in shown.run("document.getElementById('view').textContent")
    shown.run("document.getElementById('step').focus()")
    shown.press("ArrowRight")
    assert shown.text("#moment") == "x = 1.0"
    assert "2.718" in shown.run("document.getElementById('view').textContent")
    shown.click("#heat")
    shown.close()
    with np.errstate(divide="ignore"):
        loss = mg.log(w).sum()
    shown = browser.open(mg.graph.draw(loss, format="html").html)
    shown.click("#alarm")
    assert "log" in shown.text("#panel h2")
    shown.close()


# What is seen at first


def layers(count, opened):
    """Modules of modules of operations, one after the other, which no window shows whole."""
    groups, nodes, edges = [], [], []
    for i in range(count):
        outer = 3 * i + 1
        groups += [group(outer, 0, f"layer {i}"), group(outer + 1, outer, "a"), group(outer + 2, outer, "b")]
        nodes += [node(6 * i + k, f"op {k}", within=outer + 1 + k // 3) for k in range(6)]
    edges = [(k, k + 1, 0) for k in range(6 * count - 1)]
    return payload(nodes, edges, groups, opened=opened)


def test_inner_groups_are_folded_at_first_if_the_whole_graph_can_be_seen_then(show):
    shown = show(layers(3, opened=False), width=1300, height=900)
    assert shown.count("#view .box") == 6  # the parts of the layers, not the layers
    assert camera(shown)[2] >= 0.55
    for number in (2, 9):
        assert_in_sight(shown, folded(number), width=1300, height=900)
    assert show(layers(3, opened=True), width=1300, height=900).count("#view .box") == 18
    many = show(layers(40, opened=False), width=1300, height=900)
    assert many.count("#view .box") == 80  # the outermost are never folded, and one has to scroll
    assert camera(many)[2] >= 0.55


def test_the_legend_is_beside_the_graph_where_there_is_room(show):
    shown = show(layers(3, opened=True), width=1300, height=900)
    legend = shown.run("document.getElementById('legend-and-notes').getBoundingClientRect().right")
    assert camera(shown)[0] > legend
    narrow = show(layers(1, opened=True), width=500, height=1200)
    bottom = narrow.run("document.getElementById('canvas').getBoundingClientRect().bottom")
    assert narrow.run("document.getElementById('legend-and-notes').getBoundingClientRect().top") > bottom - 200
