"""The page for exploring gradient descent: what it holds, what it is made of, and what it refuses."""

import html
import json
import re
import subprocess
import sys

import numpy as np
import pytest

import minigrad as mg
from minigrad import errors, objectives, optim, plot
from minigrad.plot.live.programs import Programs
from minigrad.plot.live.steppers import DEFAULTS
from tests.browser import HOSTILE
from tests.rows import each


def bowl(w):
    return (w[0] - 1) ** 2 + 3 * w[1] ** 2


def many(w):
    return (w**2 * np.arange(1.0, len(w) + 1)).sum()


def regression(w, x, y):
    return np.mean((w[0] * x + w[1] - y) ** 2)


DATA = (np.linspace(-1, 1, 20), np.linspace(-1, 1, 20) * 3 + 2)


def payload(page):
    """What the page is told, as the page reads it."""
    return json.loads(re.search(r'<script id="payload" type="application/json">(.*?)</script>', str(page), re.S)[1])


# The page


def test_the_page_is_one_file_that_loads_nothing_and_is_small():
    page = plot.explore(objectives.rosenbrock)
    text = str(page)
    assert text == page.html
    assert len(text.encode()) <= 300_000
    assert "default-src 'none'" in text
    assert not re.search(r"""(src|href)=["'](?!data:)""", text)
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)
    assert "eval(" not in text
    assert "new Function" not in text


def test_it_is_saved_and_shown_in_a_frame(tmp_path):
    page = plot.explore(bowl, [3.0, 2.0], path=tmp_path / "bowl.html")
    assert (tmp_path / "bowl.html").read_text(encoding="utf-8") == str(page)
    page.save(tmp_path / "again.html")
    assert (tmp_path / "again.html").read_text(encoding="utf-8") == str(page)
    frame = page._repr_mimebundle_()["text/html"]
    assert frame.startswith("<iframe srcdoc=")
    assert html.unescape(re.search(r'srcdoc="(.*?)"', frame, re.S)[1]) == str(page)
    assert "LivePage" in repr(page)
    assert len(repr(page)) < 100


def test_an_objective_knows_its_region_and_its_minimum():
    told = payload(plot.explore(objectives.himmelblau))
    assert told["bounds"] == [list(side) for side in objectives.himmelblau.domain]
    assert np.allclose(told["minima"], objectives.himmelblau.minimizers)
    (low, high), _ = objectives.himmelblau.domain
    assert low < told["start"][0] < high
    assert payload(plot.explore(objectives.himmelblau, minima=False))["minima"] == []
    assert payload(plot.explore(objectives.himmelblau, minima=(3, 2)))["minima"] == [[3, 2]]


def test_without_bounds_the_picture_holds_the_start_and_what_a_descent_needs():
    sides = payload(plot.explore(bowl, [30.0, -20.0]))["bounds"]
    assert sides[0][0] < 1 < 30 < sides[0][1]
    assert sides[1][0] < -20 < 0 < sides[1][1]


def test_a_start_that_is_outside_of_an_objectives_region_widens_it():
    (low, high), _ = payload(plot.explore(objectives.rosenbrock, [-3.0, 2.0]))["bounds"]
    assert low < -3
    assert high >= 2


@each(("start", "leaves", "names"), [
    ([1, 2], [{"size": 2, "scalar": False}], ["w1", "w2"]),
    (np.float32([1, 2]), [{"size": 2, "scalar": False}], ["w1", "w2"]),
    (mg.tensor([1.0, 2.0]), [{"size": 2, "scalar": False}], ["w1", "w2"]),
])  # fmt: skip
def test_starts_are_vectors(start, leaves, names):
    told = payload(plot.explore(bowl, start))
    assert (told["leaves"], told["names"], told["start"]) == (leaves, names, [1, 2])


def test_starts_are_trees():
    told = payload(plot.explore(lambda w: (w["a"] - 2) ** 2 + w["b"] ** 2, {"a": 1, "b": 2.0}))
    assert told["names"] == ["a", "b"]
    assert told["leaves"] == [{"size": 1, "scalar": True}] * 2
    assert not told["python"]


def test_one_coordinate_has_a_curve():
    told = payload(plot.explore(objectives.parabola, 10))
    assert told["names"] == ["w"]
    assert len(told["bounds"]) == 1
    assert told["directions"] == [[1]]


def test_more_coordinates_are_shown_in_a_plane():
    told = payload(plot.explore(many, np.ones(4), plane=(np.zeros(4), [1, 0, 0, 0], [0, 2, 0, 0])))
    assert told["directions"] == [[1, 0, 0, 0], [0, 2, 0, 0]]
    assert np.allclose(np.array(told["back"]) @ np.array(told["directions"]).T, np.eye(2))
    run = optim.minimize(many, np.ones(4), lr=0.05, steps=20)
    found = plot.project(run)
    told = payload(plot.explore(many, np.ones(4), plane=found))
    assert np.allclose(told["directions"], found.directions)
    assert np.allclose(told["origin"], found.center)


def test_data_is_held_once():
    told = payload(plot.explore(regression, [0.0, 0.0], data=DATA, batches=(8, 1)))
    assert [array["numbers"] for array in told["data"]] == [array.tolist() for array in DATA]
    assert told["sizes"] == [8, 1]
    assert told["batch"] == 8
    assert set(told["objective"]["batches"]) == {"8", "4", "1"}  # 20 rows are 8, 8 and 4
    assert payload(plot.explore(regression, [0.0, 0.0], data=DATA))["batch"] == 0


def test_source_and_title():
    told = payload(plot.explore(bowl, [1, 2]))
    assert told["title"] == "bowl"
    assert "3 * w[1] ** 2" in told["source"]
    assert payload(plot.explore(bowl, [1, 2], title="A bowl"))["title"] == "A bowl"


# Optimizers


def test_by_default_four_run_and_others_can_be_switched_on():
    runs = payload(plot.explore(bowl, [3.0, 2.0]))["optimizers"]
    assert [run["label"] for run in runs] == [label for label, *_ in DEFAULTS]
    assert [run["label"] for run in runs if run["on"]] == ["Gradient descent", "Momentum", "RMSprop", "Adam"]


def test_default_rates_suit_the_function():
    for scale in (1e-3, 1.0, 1e4):
        runs = payload(plot.explore(lambda w, scale=scale: scale * bowl(w), [3.0, 2.0]))["optimizers"]
        assert 0.5 <= runs[0]["values"]["lr"] * 6 * scale < 2, "the largest curvature is 6 times the scale"


@each(("given", "labels", "values"), [
    ("Adam", ["Adam"], {"lr": 0.3, "betas_0": 0.9, "betas_1": 0.999}),
    (optim.SGD, ["SGD"], {"lr": 0.3, "momentum": 0.0}),
    (("SGD", {"momentum": 0.8, "lr": 0.1}), ["SGD"], {"lr": 0.1, "momentum": 0.8}),
    (["SGD", "SGD"], ["SGD", "SGD 2"], {"lr": 0.3, "momentum": 0.0}),
    ({"heavy": {"momentum": 0.5}}, ["heavy"], {"lr": 0.3, "momentum": 0.5}),
    ({"mine": lambda params: optim.RMSprop(params, lr=0.2, alpha=0.5)}, ["mine"],
     {"lr": 0.2, "momentum": 0.0, "alpha": 0.5}),
    (("SGD", {"weight_decay": 0.1}), ["SGD"], {"lr": 0.3, "momentum": 0.0, "weight_decay": 0.1}),
])  # fmt: skip
def test_optimizers_are_given_in_many_ways(given, labels, values):
    runs = payload(plot.explore(bowl, [3.0, 2.0], optimizers=given, lr=0.3))["optimizers"]
    assert [run["label"] for run in runs] == labels
    assert runs[0]["values"] == values
    assert all(run["on"] for run in runs)


def test_runs_that_differ_in_numbers_alone_share_their_programs():
    one = plot.explore(bowl, [3.0, 2.0], optimizers=[("SGD", {"momentum": 0.9})])
    two = plot.explore(bowl, [3.0, 2.0], optimizers=[("SGD", {"momentum": m, "lr": 0.1}) for m in (0.0, 0.5, 0.9)])
    count = str(one).count("function step(")
    assert count
    assert str(two).count("function step(") == count


def test_steps_that_branch_have_a_program_for_each_way():
    (run,) = payload(plot.explore(bowl, [3.0, 2.0], optimizers="SGD"))["optimizers"]
    ways = [tuple(variant["when"].values()) for variant in run["variants"]]
    assert ways == [(False, False), (True, False), (True, True)], "no Nesterov without momentum"


def test_what_begins_as_a_multiple_of_the_rate_is_told():
    runs = payload(plot.explore(bowl, [3.0, 2.0], optimizers=["Rprop", "ASGD", "Adam"]))["optimizers"]
    assert [run["scaled"] for run in runs] == [{"step_size": 1.0}, {"eta": 1.0}, {}]


class Signs(optim.Optimizer):
    """Steps by the signs of gradients, with a state that begins in a way of its own."""

    def __init__(self, params, lr=0.1, power=1):
        super().__init__(params, {"lr": lr, "power": power})

    def initial_state(self, value, options):
        return {"size": np.full_like(value, options["lr"] ** options["power"])}

    def update(self, value, gradient, state, options):
        value -= state["size"] * np.sign(gradient)


def test_optimizers_of_ones_own_are_traced_like_all_others():
    (run,) = payload(plot.explore(bowl, [3.0, 2.0], optimizers=Signs, lr=0.05))["optimizers"]
    assert (run["label"], run["values"], run["scaled"]) == ("Signs", {"lr": 0.05}, {"size": 1.0})
    assert run["python"] is None
    with pytest.raises(errors.ArgumentError, match="'size', which depends on the learning rate"):
        plot.explore(bowl, [3.0, 2.0], optimizers=(Signs, {"power": 2}))


# Mistakes


@each(("make", "kind", "words"), [
    (lambda: plot.explore(many, np.ones(5)), errors.ArgumentError, r"5 coordinates: give plane=\(origin"),
    (lambda: plot.explore(bowl), errors.ArgumentError, r"give start=.*bounds="),
    (lambda: plot.explore(bowl, [1, 2], ((1, -1), (0, 1))), errors.ArgumentError, "low < high"),
    (lambda: plot.explore(bowl, [1, 2], ((0, 3),) * 3), errors.ArgumentError, "the picture's 2 axes"),
    (lambda: plot.explore(bowl, [5, 2], (-3, 3)), errors.ArgumentError, r"w1 = 5, outside of its bounds \(-3, 3\)"),
    (lambda: plot.explore(bowl, [np.nan, 2]), errors.ArgumentError, "the start is not finite"),
    (lambda: plot.explore(bowl, [1, 2j]), errors.DTypeError, "real numbers, not of complex128"),
    (lambda: plot.explore(bowl, []), errors.ArgumentError, "holds no number"),
    (lambda: plot.explore(bowl, [1.0]), IndexError, "out of"),
    (lambda: plot.explore(lambda w: w * 2, [1, 2]), errors.ShapeError, "explore: .* array of shape .* return its sum"),
    (lambda: plot.explore(lambda w: float(w[0]), [1, 2]), errors.GraphError, "explore: .* was not computed"),
    (lambda: plot.explore(lambda w: mg.log(w[0] + w[1]), [-1, -2]), errors.ArgumentError, "nan at the start"),
    (lambda: plot.explore(many, np.ones(4), plane=(np.zeros(4), np.ones(4), -np.ones(4))), errors.ArgumentError,
     "parallel"),
    (lambda: plot.explore(many, np.ones(4), plane=(np.zeros(3), np.ones(4), np.ones(4))), errors.ShapeError,
     "3 numbers, and the start 4"),
    (lambda: plot.explore(many, np.ones(4), plane=1), errors.ArgumentError, "plot.project"),
    (lambda: plot.explore(bowl, [1, 2], optimizers=[]), errors.ArgumentError, "optimizers is empty"),
    (lambda: plot.explore(bowl, [1, 2], optimizers=3), errors.DTypeError, "names such as 'Adam'"),
    (lambda: plot.explore(bowl, [1, 2], optimizers="Adm"), errors.ArgumentError, "did you mean 'Adam'"),
    (lambda: plot.explore(bowl, [1, 2], optimizers=("SGD", {"momentun": 0.9})), errors.ArgumentError, "momentun"),
    (lambda: plot.explore(bowl, [1, 2], optimizers="LBFGS"), errors.ArgumentError, "several times in a step"),
    (lambda: plot.explore(bowl, [1, 2], optimizers="Muon"), errors.ArgumentError, "Muon is for matrices"),
    (lambda: plot.explore(bowl, [1, 2], steps=0), errors.ArgumentError, "explore: steps"),
    (lambda: plot.explore(bowl, [1, 2], steps=10**6), errors.ArgumentError, "at most"),
    (lambda: plot.explore(bowl, [1, 2], noise=-1), errors.ArgumentError, "explore: noise"),
    (lambda: plot.explore(bowl, [1, 2], noise=np.nan), errors.ArgumentError, "explore: noise"),
    (lambda: plot.explore(bowl, [1, 2], seed=2**32), errors.ArgumentError, "explore: seed"),
    (lambda: plot.explore(bowl, [1, 2], lr=0), errors.ArgumentError, "explore: lr"),
    (lambda: plot.explore(bowl, [1, 2], batches=4), errors.ArgumentError, r"give data=\(X, y\)"),
    (lambda: plot.explore(bowl, [1, 2], minima=[1, 2, 3]), errors.ShapeError, "2 finite coordinates"),
    (lambda: plot.explore(regression, [0, 0], data=(DATA[0], DATA[1][:3])), errors.ShapeError,
     "explore: arrays of data"),
    (lambda: plot.explore(regression, [0, 0], data=(DATA[0], np.where(DATA[1] > 3, np.inf, DATA[1]))),
     errors.ArgumentError, "finite"),
    (lambda: plot.explore(lambda w: mg.sum(mg.sort(w) * w), [1, 2]), errors.UnsupportedError, "argsort"),
])  # fmt: skip
def test_mistakes_are_told_with_what_to_write_instead(make, kind, words):
    with np.errstate(all="ignore"), pytest.raises(kind, match=words):
        make()


def test_an_operation_without_a_counterpart_is_named_with_its_line():
    def f(w):
        return mg.sum(mg.sort(w) * w)  # here

    with pytest.raises(errors.UnsupportedError, match=r"return mg\.sum\(mg\.sort\(w\) \* w\)"):
        plot.explore(f, [1.0, 2.0])


# What might be smuggled in


@each("text", HOSTILE)
def test_nothing_is_smuggled_in(text):
    def f(w):
        return w[text] ** 2 + w["b"] ** 2

    page = plot.explore(f, {text: 1.0, "b": 2.0}, title=text, optimizers={text: "SGD"})
    plain = str(plot.explore(lambda w: w["a"] ** 2 + w["b"] ** 2, {"a": 1.0, "b": 2.0}, optimizers={"a": "SGD"}))
    for mark in ("<script", "</script", "<!--", "<img", "</style"):
        assert str(page).count(mark) == plain.count(mark), mark
    told = payload(page)
    directions = {0x202E: "\\u202e"}
    assert told["optimizers"][0]["label"] == text.translate(directions)
    page._repr_mimebundle_()


def test_a_program_that_would_end_its_script_is_refused():
    programs = Programs()
    programs.add("function create() { return '</script>'; }")
    with pytest.raises(errors.ArgumentError, match="end its script"):
        programs.script  # noqa: B018  # it is computed


def test_matplotlib_is_not_needed():
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from minigrad import objectives, plot\n"
        "print(len(str(plot.explore(objectives.bowl(1, 5), optimizers='SGD'))) > 10000)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "True\n"
