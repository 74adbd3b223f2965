"""The dashboard of a training run: what is read, what the page holds, and what is refused.  Without a browser."""

import base64
import html
import json
import re
import subprocess
import sys

import numpy as np
import pytest

import minigrad as mg
from minigrad import errors, nn, optim, plot
from minigrad.objectives import bowl
from minigrad.plot.dashboards import BARS, CELLS
from tests.browser import HOSTILE
from tests.rows import each


def payload_of(page):
    """What a page holds, read as its script reads it."""
    text = page if isinstance(page, str) else page.html
    return json.loads(re.search(r'<script id="payload" type="application/json">(.*?)</script>', text, re.S)[1])


def shown(history, **options):
    return payload_of(plot.dashboard(history, **options))


def line(data, name, kind=None):
    (found,) = [x for x in data["lines"] if x["name"] == name and kind in (None, x["kind"])]
    return found


def norms(data):
    """The norms in a page: NaN where not finite, -1 where there is none."""
    packed = data["gradients"]
    codes = np.frombuffer(base64.b64decode(packed["codes"]), "<u2").reshape(len(data["names"]), -1)
    values = 10 ** (packed["low"] + (codes - 3.0) / (2**16 - 4) * (packed["high"] - packed["low"]))
    return np.select([codes == 0, codes == 1, codes == 2], [-1.0, 0.0, np.nan], values)


# Plain numbers


def test_rows_of_numbers_go_to_their_panels():
    data = shown({"loss": [3.0, 2.0, 1.0, 0.5], "val_loss": [2.5, 1.5], "lr": [0.1] * 4, "accuracy": [0.5, 0.75]})
    assert {x["name"]: (x["panel"], x["kind"]) for x in data["lines"]} == {
        "loss": ("losses", "step"), "val_loss": ("losses", "epoch"), "lr": ("rates", "step"),
        "accuracy": ("measures", "epoch"),
    }  # fmt: skip
    assert line(data, "loss")["first"] == [0, 1, 2, 3]
    assert line(data, "val_loss")["first"] == [2, 4]  # the ends of the halves
    assert line(data, "accuracy")["y"] == [0.5, 0.75]
    assert (data["first"], data["last"], data["heading"], data["unit"]) == (0, 4, "Losses", "step")
    assert data["facts"] == "4 steps"
    assert data["gradients"] is data["weights"] is None
    assert data["notes"] == []


@each("name", ["lr", "LR", "lr, group 1", "learning_rate", "learning rate", "encoder_lr"])
def test_names_of_learning_rates(name):
    assert line(shown({"loss": [1.0], name: [0.1]}), name)["panel"] == "rates"


@each("name", ["blr", "lrs", "colour", "color_lrx"])
def test_names_that_only_look_like_learning_rates(name):
    assert line(shown({"loss": [1.0], name: [0.1]}), name)["panel"] == "measures"


def test_without_losses_other_measures_have_the_first_panel():
    data = shown({"accuracy": [0.5, 0.75]})
    assert (data["heading"], line(data, "accuracy")["panel"]) == ("Values", "losses")


def test_steps_can_be_given():
    data = shown({"loss": [3.0, 2.0, 1.0], "val_loss": ([0, 2], [2.5, 1.5]), "lr": (np.array([5]), [0.1])})
    assert line(data, "val_loss")["first"] == [0, 2]
    assert line(data, "lr")["first"] == [5]
    assert data["last"] == 5


def test_a_pair_of_numbers_is_a_row():
    assert line(shown({"loss": (2.0, 1.0)}), "loss")["y"] == [2.0, 1.0]


def test_columns_are_groups_and_tensors_and_arrays_are_rows():
    data = shown({"loss": mg.tensor([2.0, 1.0], requires_grad=True), "lr": np.array([[0.1, 0.2], [0.3, 0.4]])})
    assert line(data, "lr, group 1")["y"] == [0.2, 0.4]


def test_norms_of_gradients_by_layer():
    data = shown({"loss": [1.0, 1.0, 1.0], "gradients": {"a.w": [1.0, 0.0, np.nan], "a.b": [100.0, np.inf]}})
    np.testing.assert_allclose(norms(data), [[1.0, 0.0, np.nan], [100.0, np.nan, -1.0]], rtol=1e-3)
    assert data["names"] == ["a.w", "a.b"]
    assert data["paths"] is True


@each("name", ["grad_norm", "gradient_norms", "grad norm", "gradients"])
def test_names_of_norms(name):
    assert shown({"loss": [1.0, 2.0], name: [1.0, 2.0]})["names"] == [name]


def test_what_is_not_finite_is_missing_and_counted():
    data = shown({"loss": [1.0, np.nan, np.inf, -np.inf, 2.0]})
    assert line(data, "loss")["y"] == [1.0, None, None, None, 2.0]
    assert line(data, "loss")["bad"] == [[1, 1], [2, 1], [3, 1]]
    assert shown({"loss": [np.nan]})["lines"][0]["y"] == [None]


def test_a_hundred_thousand_steps_are_a_small_page_that_hides_no_spike():
    losses = np.ones(100_000)
    losses[54_321], losses[77_777] = 50.0, np.nan
    data = shown({"loss": losses})
    (one,) = data["lines"]
    assert len(one["y"]) <= 1000
    (spike,) = [i for i, high in enumerate(one["high"]) if high == 50]
    assert one["first"][spike] <= 54_321 <= one["last"][spike]
    ((bad, count),) = one["bad"]
    assert one["first"][bad] <= 77_777 <= one["last"][bad]
    assert count == 1
    assert one["y"][0] == 1.0
    assert data["notes"] == [
        "Curves: up to 128 steps make one point, which is their mean, in a band from the lowest to the highest."
    ]
    assert len(plot.dashboard({"loss": losses}).html) < 120_000


@each(
    ("losses", "log"),
    [([1.0, 31.0], True), ([1.0, 29.0], False), ([0.0, 100.0], False), ([-1.0, 100.0], False), ([np.nan], False)],
)
def test_the_scale_that_is_chosen(losses, log):
    assert shown({"loss": losses})["log"] is log
    assert shown({"loss": losses}, log=True)["log"] is True
    assert shown({"loss": losses}, log=False)["log"] is False


# Histories


def network():
    mg.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))


@pytest.fixture
def history():
    """Ten steps in two epochs; the last layer's bias is frozen, and the first layer is dead in the end."""
    model = network()
    model[2].bias.requires_grad = False
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    history = optim.History(model, optimizer, bins=5)
    x = np.random.default_rng(0).normal(size=(16, 4))
    for step in range(10):
        optimizer.zero_grad()
        if step == 9:
            model[0].bias.array[...] = -1000.0
        loss = nn.functional.mse_loss(model(x), x[:, :2])
        loss.backward()
        history.record(loss=loss)
        optimizer.step()
        if step % 5 == 4:
            history.end_epoch(val_loss=1.0 / (step + 1))
    return history


def test_all_of_a_history(history):
    data = shown(history, title="ten steps")
    assert data["facts"] == "10 steps, 2 epochs"
    assert data["title"] == "ten steps"
    assert [(x["name"], x["kind"]) for x in data["lines"]] == [
        ("loss", "step"), ("lr", "step"), ("loss", "mean"), ("val_loss", "epoch"),
    ]  # fmt: skip
    assert data["ends"] == [5, 10]
    assert line(data, "val_loss")["first"] == [5, 10]
    wanted = history.gradients.rows.centre.T
    got = norms(data)
    np.testing.assert_allclose(got[:3, :9], wanted[:3, :9], rtol=1e-3)
    assert got[:2, 9].tolist() == [0.0, 0.0]
    assert (got[3] == -1).all()


def test_histograms_of_a_history(history):
    data = shown(history)
    packed = data["weights"]
    shape = (4, 10)
    facts = np.frombuffer(base64.b64decode(packed["facts"]), "<f4").reshape(*shape, 4)
    bars = np.frombuffer(base64.b64decode(packed["bars"]), np.uint8).reshape(*shape, 5)
    _, wanted, _, counts = history.weights.stacked(4)
    np.testing.assert_allclose(facts, wanted.swapaxes(0, 1), rtol=1e-6)
    highest = counts.max(axis=-1, keepdims=True)
    np.testing.assert_allclose((bars / 255.0) ** 2, (counts / highest).swapaxes(0, 1), atol=0.01)
    assert packed["sizes"] == [32, 8, 16, 2]
    assert packed["steps"] == list(range(10))
    assert ((bars > 0) == (counts > 0).swapaxes(0, 1)).all()  # few values are seen, too


def test_weights_that_are_not_finite_are_counted_and_enormous_ones_can_be_written():
    w = mg.tensor([1e300, -1e300, np.nan], requires_grad=True)
    w.grad = [1e300, 1e-300, 0.0]
    history = optim.History({"w": w})
    history.record(loss=1e300)
    w.grad = [0.0, 5e-324, 0.0]
    history.record(loss=-1e-300)
    data = shown(history)
    assert data["weights"]["bad"] == [[0, 0, 1], [0, 1, 1]]
    np.testing.assert_allclose(np.log10(norms(data)), [[300.0, np.log10(5e-324)]], atol=0.01)
    assert line(data, "loss")["y"] == [1e300, -1e-300]


def test_a_network_of_hundreds_of_layers_is_still_a_page_of_a_megabyte():
    count = 700
    parameters = {f"{i}.weight": mg.tensor(np.ones(3) * i, requires_grad=True) for i in range(count)}
    for p in parameters.values():
        p.grad = np.ones(3)
    history = optim.History(parameters)
    for _ in range(40):
        history.record(loss=1.0)
    page = plot.dashboard(history)
    data = payload_of(page)
    assert norms(data).shape == (count, 40)
    assert norms(data).size <= CELLS
    assert count * len(data["weights"]["steps"]) * 40 <= BARS
    assert len(page.html) < 1_500_000
    assert f"Weights: {len(data['weights']['steps'])} histograms, up to 2 steps apart." in data["notes"]


def test_columns_of_gradients_are_merged_where_there_are_too_many(monkeypatch):
    monkeypatch.setattr("minigrad.plot.dashboards.CELLS", 40)
    rows = {str(i): np.arange(1.0, 33.0) for i in range(4)}
    data = shown({"gradients": rows})
    assert norms(data).shape == (4, 8)
    wanted = np.sqrt((np.arange(1.0, 33.0).reshape(8, 4) ** 2).mean(axis=1))
    np.testing.assert_allclose(norms(data)[0], wanted, rtol=1e-3)
    assert "8 columns stands for up to 4 steps, as the root of their mean square" in data["notes"][0]


def test_a_dashboard_changes_nothing_in_the_history(history):
    before = json.dumps(str(history.state_dict()))
    first = plot.dashboard(history).html
    assert plot.dashboard(history).html == first
    assert json.dumps(str(history.state_dict())) == before


# Runs and estimators


def test_runs_of_minimize():
    runs = optim.sweep(bowl(1, 10), (4.0, 2.5), [0.01, 0.09, 0.3], steps=20)
    for given in (runs, {f"lr={lr:.4g}": run for lr, run in runs}):
        data = shown(given)
        assert [x["name"] for x in data["lines"]] == data["names"] == ["lr=0.01", "lr=0.09", "lr=0.3"]
        assert data["paths"] is False
        np.testing.assert_allclose(line(data, "lr=0.01")["y"], runs.results[0].losses, rtol=1e-5)
        np.testing.assert_allclose(norms(data)[1], runs.results[1].gradient_norms, rtol=2e-3)
        assert data["last"] == 20
    one = shown(runs.results[0])
    assert len(one["lines"]) == 1
    assert len(shown(list(runs.results))["lines"]) == 3


def test_a_fitted_estimator():
    pytest.importorskip("sklearn")
    from minigrad.interop.sklearn import Regressor

    x = np.random.default_rng(0).normal(size=(40, 2))
    model = Regressor(epochs=7, early_stopping=True, patience=7, random_state=0)
    with pytest.raises(errors.DTypeError, match="not Regressor: fit it first"):
        plot.dashboard(model)
    model.fit(x, x[:, 0])
    data = shown(model)
    assert (data["unit"], data["facts"], data["first"], data["last"]) == ("epoch", "7 epochs", 1, 7)
    np.testing.assert_allclose(line(data, "loss")["y"], model.loss_history_, rtol=1e-5)
    np.testing.assert_allclose(line(data, "validation loss")["y"], model.validation_history_, rtol=1e-5)
    data = shown(Regressor(epochs=3, random_state=0).fit(x, x[:, 0]))
    assert [x["name"] for x in data["lines"]] == ["loss"]


# What is refused


@each(
    ("given", "options", "kind", "words"),
    [
        (optim.History(), {}, errors.ArgumentError, "there is nothing in this History yet: call history.record("),
        ({}, {}, errors.ArgumentError, "there are no numbers in this dict"),
        ({"loss": []}, {}, errors.ArgumentError, "there are no numbers in this dict"),
        ([], {}, errors.DTypeError, "and not list"),
        ([1.0, 2.0], {}, errors.DTypeError, "and not list"),
        (3.0, {}, errors.DTypeError, "dashboard shows an optim.History"),
        ({"loss": 1.0}, {}, errors.ShapeError, "'loss' has numbers of shape ()"),
        ({"loss": np.ones((2, 2, 2))}, {}, errors.ShapeError, "numbers of shape (2, 2, 2)"),
        ({"loss": ["low", "high"]}, {}, errors.DTypeError, "'loss'"),
        ({"loss": [1j]}, {}, errors.DTypeError, "complex"),
        ({"loss": ([0, 1], [1.0])}, {}, errors.ShapeError, "2 steps and numbers of shape (1,)"),
        ({"loss": ([1, 0], [1.0, 2.0])}, {}, errors.ArgumentError, "the steps of 'loss' are whole numbers"),
        ({"loss": ([0.5, 1], [1.0, 2.0])}, {}, errors.ArgumentError, "whole numbers"),
        ({"loss": ([0, np.nan], [1.0, 2.0])}, {}, errors.ArgumentError, "whole numbers"),
        ({"loss": {"train": [1.0]}}, {}, errors.DTypeError, "norms of gradients by their layers go under"),
        ({"gradients": {"a": [-1.0]}}, {}, errors.ArgumentError, "negative numbers, which are no norms"),
        ({"grad_norm": np.ones((2, 2))}, {}, errors.ShapeError, "give one norm for each step"),
        ({"loss": [1.0]}, {"log": "yes"}, errors.DTypeError, "log is True, False or None, not 'yes'"),
    ],
)
def test_what_cannot_be_shown(given, options, kind, words):
    with pytest.raises(kind) as caught:
        plot.dashboard(given, **options)
    assert words in str(caught.value)


def test_a_history_without_numbers_has_nothing_to_show_but_gradients():
    history = optim.History()
    history.record()
    with pytest.raises(errors.ArgumentError, match="nothing in this History"):
        plot.dashboard(history)
    w = mg.tensor([1.0], requires_grad=True)
    w.grad = [2.0]
    history = optim.History({"w": w}, histograms=0)
    history.record()
    data = shown(history)
    np.testing.assert_allclose(norms(data), [[2.0]])
    assert data["lines"] == []
    assert data["weights"] is None


def test_rows_that_are_still_empty_are_left_out():
    assert [x["name"] for x in shown({"loss": [1.0], "val_loss": []})["lines"]] == ["loss"]


# The page


def test_the_page_loads_nothing_and_holds_nothing_but_its_own_scripts(history):
    text = plot.dashboard(history).html
    assert "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'" in text
    assert not re.search(r'(src|href)="(?!data:,)', text)
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")
    assert text.count("<script") == text.count("</script") == 2
    assert "{{" not in re.sub(r"\$\{\{.*?\}\}", "", text)


@each("name", HOSTILE)
def test_no_name_leaves_the_place_where_it_stands(name):
    plain = plot.dashboard({"loss": [1.0, 2.0], "gradients": {"a": [1.0]}}).html
    text = plot.dashboard({name: [1.0, 2.0], "gradients": {name: [1.0]}}, title=name).html
    text.encode("utf-8", "backslashreplace")
    for mark in ("<script", "</script", "<!--", "<img", "<style"):
        assert text.count(mark) == plain.count(mark)
    data = payload_of(text)
    wanted = name.replace("\u202e", r"\u202e")
    assert data["names"] == [wanted]
    assert data["lines"][0]["name"] == data["title"] == wanted


def test_the_page_is_written_whole(tmp_path, history):
    path = tmp_path / "run.html"
    page = plot.dashboard(history, path, title="a \ud83d half")
    written = path.read_text(encoding="utf-8")
    assert written == page.html.encode("utf-8", "backslashreplace").decode()
    assert [p.name for p in tmp_path.iterdir()] == ["run.html"]
    with pytest.raises(OSError, match="nowhere"):
        page.save(tmp_path / "nowhere" / "run.html")


def test_a_notebook_shows_the_page_in_a_frame_of_its_own(history):
    page = plot.dashboard(history, title='"><script>alert(1)</script>')
    bundle = page._repr_mimebundle_()
    assert bundle["text/plain"] == repr(page) == (
        "<Dashboard: 10 steps, 2 epochs, loss, lr, val_loss; save(path) writes the page>"
    )  # fmt: skip
    frame = bundle["text/html"]
    found = re.fullmatch(
        r'<iframe srcdoc="([^"]*)" sandbox="allow-scripts" title="([^"]*)" style="[^"]*"></iframe>', frame
    )
    assert html.unescape(found[1]) == page.html
    assert html.unescape(found[2]) == '"><script>alert(1)</script>'
    assert page._repr_mimebundle_(include=["text/plain"]).keys() == {"text/plain"}


def test_no_other_package_is_needed():
    code = (
        "import sys\n"
        "sys.modules['matplotlib'] = None\n"
        "from minigrad import plot\n"
        "plot.dashboard({'loss': [1.0, 2.0]})\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('scipy', 'PIL', 'IPython')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
