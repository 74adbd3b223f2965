"""Functions and steps of training as modules of JavaScript, run in a real browser and compared with Python."""

import json

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, objectives, optim
from minigrad.errors import ProgramError, UnsupportedError
from minigrad.export.as_text.js_language import JavaScript
from minigrad.nn import functional as F  # noqa: N812
from tests.export.in_browser import call, literal, load
from tests.export.programs import MODELS, adam_step, assert_close, digits, joined, lowered_rows, step_of

HOSTILE = ["</script><script>window.hacked = 1</script>", "*/", "`${window.hacked = 1}`", "\\", '"', "\u2028",
           "__proto__", "constructor", "let", "a b", "t1", "tail", "9", "ä", "<!--"]  # fmt: skip
# The table of operations


def test_most_rows_are_written():
    assert len(lowered_rows(JavaScript())) >= 410


def test_rows_of_the_table(page):
    compare(page, lowered_rows(JavaScript()))


@pytest.mark.slow
def test_gradients_of_rows(page):
    rows = lowered_rows(JavaScript(), gradients=True)
    assert len(rows) >= 370
    compare(page, rows)


def compare(page, every):
    for part in range(4):
        rows = every[part::4]
        f, operands = joined(rows)
        load(page, "rows", f, *operands)
        found = iter(page.run(f"rows({', '.join(map(literal, operands))}).flat().map((x) => [numbers(x)].flat())"))
        with np.errstate(all="ignore"):
            for name, g, floats in rows:
                for y in mg.tree.flatten(g(*map(mg.asarray, floats)))[0]:
                    assert_close(np.array(list(map(float, next(found)))), y, name, places=32)


# Descents, to 1e-12

SEEDS = {
    "x^2": (lambda x: x**2, 10.0), "(x-3)^2+1": (lambda x: (x - 3) ** 2 + 1, 10.0),
    "x^2+5x+6": (lambda x: x**2 + 5 * x + 6, 10.0), "sin3x+0.1x^2": (lambda x: mg.sin(3 * x) + 0.1 * x**2, 3.5),
    "-exp(-x^2)": (lambda x: -mg.exp(-(x**2)), 1.0),
    "quadratic": (lambda w: (w[0] - 2) ** 2 + 3 * (w[1] + 1) ** 2, np.array([-0.5, 1.5])),
    "bowl 5": (lambda w: w[0] ** 2 + 5 * w[1] ** 2, np.array([4.0, 2.5])),
    "bowl 10": (lambda w: w[0] ** 2 + 10 * w[1] ** 2, np.array([4.0, 2.5])),
    "wavy": (lambda w: w[0] ** 2 + 3 * w[1] ** 2 + 0.5 * mg.sin(3 * w[0]) * mg.sin(3 * w[1]), np.array([2.5, 1.5])),
    "saddle": (lambda w: w[0] ** 2 - w[1] ** 2, np.array([1.0, 0.01])),
}  # fmt: skip
OBJECTIVES = [
    "rosenbrock", "beale", "himmelblau", "booth", "matyas", "goldstein_price", "three_hump_camel", "rastrigin",
    "styblinski_tang", "saddle", "wavy_bowl", "parabola", "wavy_parabola", "well",
]  # fmt: skip


def starts():
    yield from SEEDS.items()
    for name in OBJECTIVES:
        f = getattr(objectives, name)
        lows, highs = np.array(f.domain, float).reshape(-1, 2).T
        point = lows + np.array([0.3, 0.8])[: len(lows)] * (highs - lows)
        yield name, (f, point if len(lows) > 1 else point[0])


@pytest.mark.parametrize(("name", "start"), list(starts()), ids=lambda x: x if isinstance(x, str) else "")
def test_two_hundred_steps(page, name, start):
    """Gradient descent written in JavaScript with the gradient from here, against `minimize`."""
    f, x0 = start
    load(page, "loss", mg.value_and_grad(f), x0)
    largest = abs(np.linalg.eigvalsh(np.atleast_2d(np.asarray(mg.hessian(f)(x0))))).max()
    lr = float(f"{0.2 / max(largest, 1.0):.2g}")
    page.run(f"""window.path = (() => {{
      const scalar = {json.dumps(np.ndim(x0) == 0)}, path = [];
      let x = {literal(x0)};
      for (let i = 0; i < 200; i++) {{
        const [y, g] = loss(x);
        x = scalar ? x - {lr!r} * g : x.map((value, j) => value - {lr!r} * g[j]);
        path.push(...(scalar ? [x] : x));
      }}
      return path;
    }})()""")
    found = np.array(list(map(float, page.run("numbers(window.path)"))))
    run = optim.minimize(f, x0, lr=lr, steps=200)
    wanted = np.asarray(run.path[1:]).reshape(-1)
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12 * abs(wanted).max())


# Models and steps of training


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", MODELS)
def test_models(page, name, dtype):
    make, shape = MODELS[name]
    model = make(dtype)
    x = np.random.default_rng(0).normal(size=(2, *shape)).astype(dtype)
    load(page, "model", model, x)
    assert_close(call(page, "model", x), model(x).detach().numpy(), places=8)


def test_fifty_steps_of_adam(page):
    model, step = adam_step()
    x, y = digits()
    load(page, "step", step, x, y, name="step")
    losses = page.run(f"""(() => {{
      const x = {literal(x)}, y = {literal(y)}, losses = [];
      step.state.lr = 0.02;
      for (let i = 0; i < 50; i++) losses.push(text(step(x, y)));
      return losses;
    }})()""")
    optimizer = optim.Adam(model.parameters(), lr=0.02)
    again = step_of(model, optimizer)
    np.testing.assert_allclose(list(map(float, losses)), [again(x, y).item() for _ in range(50)], rtol=1e-11)
    np.testing.assert_allclose(
        list(map(float, page.run("numbers(step.state._2_weight)"))),
        model[2].weight.detach().numpy().ravel(),
        atol=1e-11,
    )
    assert page.run("create_step().state._0_weight_step") == 0
    assert page.run("step.state._0_weight_step") == 50


def test_instances_have_states_of_their_own(page):
    w = mg.tensor([1.0, 2.0], requires_grad=True, name="w")
    optimizer = optim.SGD([w], lr=0.5)

    def step():
        optimizer.zero_grad()
        (w * w).sum().backward()
        optimizer.step()
        return w.detach() + 0

    load(page, "first", step)
    page.run("window.a = create_first(); window.b = create_first({w: Float64Array.of(8, 9), lr: 0.25}); a()")
    assert page.run("Array.from(b())") == [4, 4.5]
    assert page.run("Array.from(a.state.w)") == [0, 0]
    assert page.run("Array.from(first.state.w)") == [1, 2]


def test_trees(page):
    def f(tree, pair, scale):
        a, (b, c) = tree["a"], pair
        return {"sum": a + b, "nested": [c * scale, None, (a.sum(), b > 0)]}

    tree = {"z": np.zeros(1), "a": np.array([1.0, -2.0])}
    load(page, "trees", f, tree, [np.array([3.0, -4.0]), np.array([[5.0], [6.0]])], 2.0)
    found = page.run("trees({a: [1, -2], z: [0]}, [[3, -4], [5, 6]], 2)")
    assert found["nested"][1] is None
    assert list(found["sum"].values()) == [4, -6]
    assert list(found["nested"][0].values()) == [10, 12]
    assert found["nested"][2][0] == -1
    assert list(found["nested"][2][1].values()) == [1, 0]


def test_whole_numbers(page):
    def f(a, b):
        return [a // b, a % b, a**2, a * b, abs(a), mg.sign(a), a + 0.5, b / 2, (a > b).sum(), a == b]

    a, b = np.array([7, -7, 7, -7, 0, 5]), np.array([2, 2, -2, -2, 3, 5])
    load(page, "whole", f, a, b)
    for found, wanted in zip(call(page, "whole", a, b), f(mg.asarray(a), mg.asarray(b)), strict=True):
        np.testing.assert_array_equal(np.asarray(found), wanted.numpy())
        assert not (np.asarray(found) == 0).any() or not np.signbit(found)[np.asarray(found) == 0].any()
    with pytest.raises(RuntimeError, match="too large to be exact"):
        call(page, "whole", np.full(6, 2**40), b)


def test_loops(page):
    def f(x):
        last, sums = mg.scan(lambda carry, row: (carry * 0.5 + row, carry.sum()), x[0], x)
        return last, sums, mg.while_loop(lambda r: r > 1, lambda r: r / 2, mg.abs(x[0, 0]) + 9)

    x = np.random.default_rng(0).normal(size=(5, 2))
    load(page, "loops", f, x)
    for found, wanted in zip(call(page, "loops", x), f(mg.asarray(x)), strict=True):
        assert_close(found, wanted.numpy())


# What is refused


def test_wrong_arguments(page):
    load(page, "two", lambda w, lr: w * lr, np.ones(2), 0.5)
    for arguments, message in (
        ("[1], 1", "w has to be an array of 2 numbers"), ("[1, 2]", "lr has to be a number"),
        ("", "w has to be an array of 2 numbers"), ("[1, 2], [1]", "lr has to be a number"),
    ):  # fmt: skip
        with pytest.raises(RuntimeError, match=message):
            page.run(f"two({arguments})")


def test_arguments_are_taken_in_their_dtype(page):
    """Numbers are rounded where float32 is meant, and anything is true or false where bools are."""
    load(
        page, "of_float", lambda x, y: (x - np.float32(0.1), y - np.float32(0.1)), np.ones(1, np.float32), np.float32(1)
    )
    assert page.run("of_float([0.1], 0.1).map(numbers)") == [["0"], "0"]
    load(page, "of_bool", lambda x, y: (x & y).sum(), np.array([True, False]), np.array([True, True]))
    assert page.run("of_bool([2, true], [1, 3])") == 2
    load(page, "of_int", lambda x, i: x[i], np.arange(3.0), np.array([0, 1]))
    with pytest.raises(RuntimeError, match="i has to be whole"):
        page.run("of_int([1, 2, 3], [0, 0.5])")


def test_an_index_out_of_range(page):
    load(page, "pick", lambda x, i: x[i], np.arange(3.0), np.array([0, 1]))
    assert list(call(page, "pick", np.arange(3.0), np.array([-1, 2]))) == [2, 2]
    with pytest.raises(RuntimeError, match="an index is out of range"):
        call(page, "pick", np.arange(3.0), np.array([0, 3]))


def test_names_may_be_anything(page):
    tree = {name: np.array([float(i), 1.0]) for i, name in enumerate(HOSTILE)}
    tensors = [mg.tensor([1.0 + i, 2.0], name=name) for i, name in enumerate(HOSTILE)]

    def f(tree):
        return {name: x * t for (name, x), t in zip(tree.items(), tensors, strict=True)}

    load(page, "hostile", f, tree)
    found = call(page, "hostile", tree)
    assert [name for name, _ in found] == [*sorted(["9"]), *(name for name in HOSTILE if name != "9")]
    values = dict(found)
    for name, t in zip(HOSTILE, tensors, strict=True):
        np.testing.assert_array_equal(values[name], tree[name] * t.numpy())
    assert page.run("window.hacked") is None
    text = mg.export.javascript(f, tree)
    assert "</script" not in text
    assert "<!--" not in text


def test_what_javascript_has_not():
    x = np.ones(2)
    with pytest.raises(UnsupportedError, match=r"gammaln \(at .*test_javascript\.py.*gammaln of float64"):
        mg.export.javascript(lambda x: mg.special.gammaln(x), x)
    for wrong in (x * 1j, x.astype(np.float16), x.astype(np.int32)):
        with pytest.raises(UnsupportedError, match=f"is of {wrong.dtype}"):
            mg.export.javascript(lambda x: x * 2, wrong)
    with pytest.raises(UnsupportedError, match="no random numbers"):
        mg.export.javascript(lambda x: F.dropout(x, training=True), x)
    with pytest.raises(ProgramError, match=r"model\.eval\(\)"):
        mg.export.javascript(nn.Dropout(), x)
