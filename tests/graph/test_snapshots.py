"""`Snapshots`: one computation at several moments."""

import gc
import json
import os
import re
import weakref

import numpy as np
import pytest

import minigrad as mg
from minigrad import graph, nn
from minigrad.errors import GraphError, ReleasedGraphError
from minigrad.graph import Snapshots


def payload_of(snapshots):
    """What the page holds."""
    found = re.search(r'<script[^>]*type="application/json"[^>]*>(.*?)</script>', snapshots.html, re.DOTALL)
    return json.loads(found[1])


def trained(steps=4, rate=0.1):
    w = mg.tensor(3.0, requires_grad=True, name="w")
    optimizer, snapshots = mg.optim.SGD([w], lr=rate), Snapshots()
    for _ in range(steps):
        optimizer.zero_grad()
        loss = (w - 1) ** 2
        snapshots.take(loss)
        loss.backward()
        optimizer.step()
    return snapshots


def test_values_are_those_of_their_moments():
    page = payload_of(trained())
    assert [step["label"] for step in page["steps"]] == ["step 0", "step 1", "step 2", "step 3"]
    leaf = next(str(node["id"]) for node in page["nodes"] if node["title"] == "w")
    values = [float(step["nodes"][leaf]["value"]["text"]) for step in page["steps"]]
    np.testing.assert_allclose(values, [1 + 2 * 0.8**i for i in range(4)], rtol=1e-5)
    gradients = [float(step["nodes"][leaf]["grad"]["text"]) for step in page["steps"]]
    np.testing.assert_allclose(gradients, [4 * 0.8**i for i in range(4)], rtol=1e-5)


def test_every_step_has_every_node():
    page = payload_of(trained())
    for step in page["steps"]:
        assert set(step["nodes"]) == {str(node["id"]) for node in page["nodes"]}


def test_the_colours_of_all_steps_are_on_one_scale():
    snapshots, scale = Snapshots(), mg.tensor(1.0)
    for size in (1.0, 1e-4, 1e-8):
        w = mg.tensor(1.0, requires_grad=True, name="w")
        snapshots.take(w * mg.tensor(size) * scale)
    page = payload_of(snapshots)
    leaf = next(str(node["id"]) for node in page["nodes"] if node["title"] == "w")
    np.testing.assert_allclose([step["nodes"][leaf]["heat"] for step in page["steps"]], [1.0, 0.5, 0.0], atol=1e-9)


def test_labels():
    snapshots = Snapshots(title="<b>mine</b>")
    w = mg.tensor(3.0, requires_grad=True)
    for label in ("first </script>", None, "é漢\ud800"):
        snapshots.take(w * 2, label=label)
    assert len(snapshots) == 3
    assert [step["label"] for step in payload_of(snapshots)["steps"]] == ["first </script>", "step 1", "é漢\ud800"]
    assert "<b>mine" not in snapshots.html
    assert "first </script>" not in snapshots.html


def test_names():
    w = mg.tensor(3.0, requires_grad=True)
    snapshots = Snapshots(names={"mine": w})
    snapshots.take(w * 2)
    assert "mine" in [node["title"] for node in payload_of(snapshots)["nodes"]]


def test_nothing_was_taken():
    with pytest.raises(GraphError, match=r"there are no snapshots yet: call take\(loss\)"):
        Snapshots().html  # noqa: B018
    assert len(Snapshots()) == 0


def test_nothing_was_taken_and_nothing_is_written(tmp_path):
    (tmp_path / "page.html").write_text("old")
    with pytest.raises(GraphError):
        Snapshots().save(tmp_path / "page.html")
    assert os.listdir(tmp_path) == ["page.html"]
    assert (tmp_path / "page.html").read_text() == "old"
    with pytest.raises(OSError, match="cannot be saved"):
        trained(1).save(tmp_path / "none" / "page.html")


def test_to_a_file(tmp_path):
    snapshots = trained()
    snapshots.save(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text("utf-8") == snapshots.html


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (lambda w: mg.sin(w), r"had 3 nodes, this one has 2, and differs at %1 = sin\(%0\) .*, which was subtract of"),
        (lambda w: (w - 1) ** 2 * 2, "had 3 nodes, this one has 4. Take snapshots of the same loss"),
        (lambda w: w - 1, "had 3 nodes, this one has 2. Take"),
        (lambda w: (1 - w) ** 2, "differs at %1"),
        (lambda w: (w - np.ones(3)) ** 2, "this one has 4, and differs at %1 = constant"),
    ],
)
def test_another_computation(other, message):
    w = mg.tensor(3.0, requires_grad=True)
    snapshots = Snapshots()
    snapshots.take((w - 1) ** 2)
    with pytest.raises(GraphError, match=message):
        snapshots.take(other(w))
    assert len(snapshots) == 1
    snapshots.take((w - 2) ** 2)
    assert len(payload_of(snapshots)["steps"]) == 2


def test_a_batch_of_another_size():
    snapshots, w = Snapshots(), mg.tensor(np.ones(3), requires_grad=True)
    snapshots.take((mg.tensor(np.ones((4, 3))) @ w).sum())
    with pytest.raises(GraphError, match="with batches of the same size"):
        snapshots.take((mg.tensor(np.ones((2, 3))) @ w).sum())


def test_a_released_graph():
    loss = mg.tensor(3.0, requires_grad=True) ** 2
    loss.backward()
    with pytest.raises(ReleasedGraphError):
        Snapshots().take(loss)


def test_a_module():
    layer, snapshots = nn.Linear(2, 2), Snapshots()
    for _ in range(2):
        snapshots.take(layer, np.ones(2))
        with mg.no_grad():
            layer.bias += 1.0
    page = payload_of(snapshots)
    bias = next(str(node["id"]) for node in page["nodes"] if node["title"] == "bias")
    first, second = (step["nodes"][bias]["value"]["mean"] for step in page["steps"])
    assert second == pytest.approx(first + 1)
    assert all(p.grad is None for p in layer.parameters())


def test_modules_that_are_known_in_one_snapshot_only():
    net, snapshots = nn.Sequential(*[nn.Linear(2, 2) for _ in range(5)]), Snapshots()
    with graph.profile():
        snapshots.take(net(mg.tensor(np.ones(2))))
    with pytest.raises(GraphError, match="other modules are known"):
        snapshots.take(net(mg.tensor(np.ones(2))))
    assert len(snapshots) == 1


def test_arrays_are_not_kept():
    w = mg.tensor(np.ones(1000), requires_grad=True)
    snapshots = Snapshots()
    y = (w * 2).sum()
    values = [weakref.ref(entry.value) for entry in graph.capture(y) if isinstance(entry.value, np.ndarray)]
    assert values
    snapshots.take(y)
    del y, w
    gc.collect()
    assert [ref() for ref in values] == [None] * len(values)
    assert len(payload_of(snapshots)["nodes"]) == 3


def test_values_that_are_not_finite():
    snapshots = Snapshots()
    for value in (1.0, np.nan, np.inf, 1e300):
        w = mg.tensor(value, requires_grad=True)
        with np.errstate(all="ignore"):
            snapshots.take(w * w * w)
    page = payload_of(snapshots)
    last = page["nodes"][-1]["id"]
    assert [step["nodes"][str(last)]["bad"] for step in page["steps"]] == [None, "NaN", "inf", "inf"]
