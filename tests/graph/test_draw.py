"""`draw`: of what, and with which options."""

import re
import threading

import numpy as np
import pytest

import minigrad as mg
from minigrad import graph, nn
from minigrad.errors import (
    AnomalyError,
    ArgumentError,
    CutError,
    DTypeError,
    GraphError,
    ReleasedGraphError,
    StaleValueError,
)
from minigrad.graph.labels import DETAILS
from minigrad.settings import now
from tests.rows import each


def leaf(value=2.0, name=None):
    return mg.tensor(value, requires_grad=True, name=name)


def lines(picture):
    """The picture in letters, without spaces that only align."""
    return [" ".join(line.split()).replace("[ ", "[") for line in picture.text.splitlines()]


def shown(target, *inputs, **options):
    picture = graph.draw(target, *inputs, **options)
    assert picture.source.startswith("digraph minigrad {")
    return lines(picture)


# Targets


def test_a_tensor():
    assert shown(leaf(3.0, "w") ** 2) == ["%0 = leaf w float64 3", "%1 = pow(%0, 2) float64 9", "return %1"]


def test_several_tensors_some_of_them_twice():
    w = leaf(3.0, "w")
    y = w * 2
    assert shown([y, w, y]) == ["%0 = leaf w float64 3", "%1 = multiply(%0, 2) float64 6", "return %1, %0, %1"]


def test_a_captured_graph():
    captured = graph.capture(leaf(3.0, "w") ** 2)
    assert shown(captured, show="grad") == ["%0 = leaf w grad 6", "%1 = pow(%0, 2) grad 1", "return %1"]


def test_a_function_of_arrays_and_numbers():
    drawn = shown(
        lambda x, power, scale, mask: mg.where(mask, x**power * scale, 0.0).sum(),
        np.ones(2),
        3,
        0.5,
        np.array([True, False]),
    )
    assert drawn == [
        "%0 = input x float64 [1, 1]",
        "%1 = input scale float64 0.5",
        "%4 = input mask bool [True, False]",
        "%2 = pow(%0, 3) float64 [1, 1]",
        "%3 = multiply(%2, %1) float64 [0.5, 0.5]",
        "%5 = where(%4, %3, 0) float64 [0.5, 0]",
        "%6 = sum(%5) float64 0.5",
        "return %6",
    ]


def test_a_function_of_trees():
    def f(parameters, words):
        return {"loss": parameters["a"] * parameters["b"][0], "rest": [None, 1.0, words]}

    drawn = shown(f, {"a": 2.0, "b": [np.ones(2), 5]}, ["not", "a", "number"])
    assert drawn[:2] == ["%0 = input parameters['a'] float64 2", "%1 = input parameters['b'][0] float64 [1, 1]"]


@each("thing", ["text", np.array(["a"]), np.array([None]), None, {1, 2}, range(3)])
def test_inputs_that_hold_no_numbers_pass_as_they_are(thing):
    seen = []

    def f(x, other):
        seen.append(other)
        return x * 2

    graph.draw(f, 1.0, thing)
    assert seen == [thing] or seen[0] is thing


@pytest.mark.parametrize("kind", [np.float32, np.float16, np.complex64, np.complex128])
def test_inputs_keep_their_dtype(kind):
    assert f"input x {np.dtype(kind)}" in shown(lambda x: x * 2, np.ones(5, kind))[0]


def test_a_function_that_takes_more_than_its_parameters_say():
    assert shown(lambda *xs: xs[0] * xs[1], 1.0, 2.0)[:2] == [
        "%0 = input input 0 float64 1",
        "%1 = input input 1 float64 2",
    ]
    assert shown(np.sin, 0.0)[-2] == "%1 = sin(%0) float64 0"


def test_tensors_are_copied():
    x = leaf(np.ones(2), "my x")
    drawn = shown(lambda a: (a * a).sum(), x, show="grad")
    assert drawn[0] == "%0 = input a grad [2. 2.]"
    assert x.grad is None


def test_a_function_of_a_leaf_that_is_not_an_input():
    w = leaf(3.0, "w")
    assert shown(lambda x: x * w, 2.0)[:2] == ["%0 = leaf w float64 3", "%1 = input x float64 2"]
    assert shown(lambda: w * 2)[0] == "%0 = leaf w float64 3"


def test_a_function_that_returns_its_input():
    assert shown(lambda x: x, 2.0) == ["%0 = input x float64 2", "return %0"]


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (None, "nothing"),
        (1.0, "float"),
        ([1.0, 2.0, 3], "float, int"),
        (np.ones(3), "ndarray"),
        ({"a": mg.tensor(1.0)}, "Tensor"),
    ],
)
def test_a_function_that_returns_no_graph(returned, said):
    def constant(x):
        return returned

    with pytest.raises(GraphError, match=rf"called constant, which returned {said}, without a graph: it must return"):
        graph.draw(constant, 2.0)


def test_a_function_that_cuts_the_graph():
    with pytest.raises(CutError, match="would cut the graph"):
        graph.draw(lambda x: float(x) * 2, 2.0)


def test_a_function_that_raises():
    with pytest.raises(ZeroDivisionError):
        graph.draw(lambda x: x / 0 if isinstance(x, int) else 1 / 0, 2.0)
    assert now().watcher is None
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'x'"):
        graph.draw(lambda x: x)


def test_a_function_that_writes_to_its_inputs():
    numbers, counts, names = np.ones(2), np.array([1, 2]), ["a"]

    def f(x, counts, names):
        counts += 1
        names.append("b")
        return (x * counts).sum()

    assert shown(f, numbers, counts, names)[-1] == "return %3"
    assert counts.tolist() == [1, 2]
    assert names == ["a"]

    def g(x):
        x += 1
        return x.sum()

    with pytest.raises(GraphError, match="cannot be changed in place"):
        graph.draw(g, numbers)
    assert numbers.tolist() == [1, 1]


def test_a_function_is_called_once(capsys):
    calls = []

    def f(x):
        print("here")
        calls.append(x)
        return x * 2

    picture = graph.draw(f, 1.0, show="all", heat="grad")
    assert picture.source
    assert picture.text
    assert picture.html
    assert len(calls) == 1
    assert capsys.readouterr().out == "here\n"


def test_a_generator_as_input():
    w = leaf()
    assert shown(lambda xs: sum(x * x for x in xs), (v for v in [w, w]))[-1] == "return %4"


def test_a_generator_function_returns_no_tensor():
    def f(x):
        yield x * 2

    with pytest.raises(GraphError, match="returned generator, without a graph"):
        graph.draw(f, 1.0)


@pytest.mark.parametrize(
    ("wrong", "kind"), [(1.0, "float"), ("text", "str"), (None, "NoneType"), (np.ones(2), "ndarray"), ({1}, "set")]
)
def test_what_cannot_be_drawn(wrong, kind):
    with pytest.raises(DTypeError, match=f"graph.draw takes a Tensor, a list of Tensors, .* not a {kind}"):
        graph.draw(wrong)


def test_a_tensor_takes_no_inputs():
    with pytest.raises(DTypeError, match="file to write is named by path="):
        graph.draw(leaf() * 2, "picture.svg")


# Derivatives


def test_the_graph_of_a_derivative():
    drawn = shown(mg.grad(lambda x: mg.sin(x)), 0.5)
    # The copy of its argument that grad makes is not shown.
    assert [line.split(" = ")[1].split("(")[0] for line in drawn[:-1]] == [
        "input x float64 0.5",
        "cos",
        "zero_safe_multiply",
    ]


def test_a_result_that_is_a_copy_is_shown():
    assert [line.split("(")[0] for line in shown(lambda x: +x, 0.5)] == [
        "%0 = input x float64 0.5",
        "%1 = positive",
        "return %1",
    ]


def test_derivatives_of_every_order_are_joint_graphs():
    def f(x):
        return (x**4).sum()

    x = np.array([1.0, 2.0])
    first, second = (shown(transform, x, show=("value", "grad")) for transform in (mg.grad(f), mg.hessian(f)))
    assert "[4. 32.]" in " ".join(first)
    assert "grad [12. 48.]" in " ".join(first)  # of the sum of the gradient
    assert "grad [24. 48.]" in " ".join(second)
    third = graph.draw(mg.grad(mg.grad(mg.grad(lambda x: x**4))), 2.0, show="value")
    assert "48" in lines(third)[-2]
    value_and_grad = graph.draw(mg.value_and_grad(f), x)
    assert lines(value_and_grad)[-1].count("%") == 2
    assert "derivative" in value_and_grad.source
    pushed = graph.draw(lambda x, v: mg.jvp(f, (x,), (v,)), x, x)
    assert lines(pushed)[-1].count("%") == 2


def test_operations_of_a_derivative_have_their_own_colour():
    source = graph.draw(mg.grad(lambda x: mg.sin(x) * x), 0.5).source
    boxes = [line for line in source.splitlines() if "#F6E3EF" in line and line.lstrip().startswith("n")]
    assert boxes
    assert "operation of the derivative" in source
    assert "operation of the derivative" not in graph.draw(lambda x: mg.sin(x) * x, 0.5).source


def test_the_derivative_of_a_module_stands_apart():
    net = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1))
    text = graph.draw(mg.grad(lambda x: net(x).sum()), np.ones(2)).text
    assert "\nderivative:\n  Sequential:\n    2: Linear:" in text


# Modules


class Everything(nn.Module):
    """What a forward pass can change."""

    def __init__(self):
        super().__init__()
        self.norm, self.dropout = nn.BatchNorm1d(3), nn.Dropout(0.5)
        self.linear = nn.Linear(3, 2)
        self.calls, self.fails = 0, False

    def forward(self, x):
        self.calls += 1
        self.last = x.data
        with mg.no_grad():
            self.linear.bias += 1.0
        y = self.linear(self.dropout(self.norm(x)))
        if self.fails:
            raise RuntimeError("no")
        return y


def state_of(module):
    values = [np.array(x) for x in module.state_dict().values()]
    nodes = [p.node for p in module.parameters()]
    return values, nodes, [p.grad for p in module.parameters()], module.training, module.calls, hasattr(module, "last")


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("training", [True, False])
def test_nothing_changes_in_a_module(training, fails):
    module = Everything().train(training)
    module.fails = fails
    mg.random.manual_seed(3)
    expected = mg.random.get_state()
    values, *rest = state_of(module)
    data = np.arange(12.0).reshape(4, 3)
    if fails:
        with pytest.raises(RuntimeError, match="no"):
            graph.draw(module, data)
    else:
        picture = graph.draw(module, data, show="all", heat="grad")
        assert ("Dropout" in picture.text) == training
    found, *others = state_of(module)
    assert all(np.array_equal(a, b) for a, b in zip(values, found, strict=True))
    assert others == rest
    assert str(mg.random.get_state()) == str(expected)
    assert np.array_equal(data, np.arange(12.0).reshape(4, 3))
    assert now().watcher is None


def test_a_picture_shows_the_random_numbers_that_the_module_would_get():
    module = nn.Dropout(0.5)
    mg.random.manual_seed(0)
    text = graph.draw(module, np.ones(4), show="value").text
    assert str(module(mg.tensor(np.ones(4))).data) in text


def test_frozen_parameters_are_constants():
    layer = nn.Linear(2, 2)
    layer.weight.requires_grad = False
    drawn = shown(layer, np.ones(2))
    assert [line.split(" float64")[0] for line in drawn if "weight" in line or "bias" in line] == [
        "%0 = leaf bias",
        "%2 = constant weight",
    ]
    layer.bias.requires_grad = False
    assert "constant bias" in " ".join(shown(layer, np.ones(2)))
    with pytest.raises(GraphError, match="called Linear, which returned Tensor, without a graph"):
        graph.draw(layer, np.array([1, 2]))


def test_buffers_have_their_names():
    class Shifted(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("shift", mg.tensor(np.ones(5)))

        def forward(self, x):
            return x + self.shift

    assert any("constant shift" in line for line in shown(Shifted(), np.ones(5)))


def test_names_of_parameters_in_frames():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    source = graph.draw(net, np.ones(2)).source
    assert "<B>weight</B>" in source  # in the frame of the layer
    assert "<B>0.weight</B>" not in source
    assert any("leaf 0.weight" in line for line in shown(net, np.ones(2)))
    assert any("leaf mine" in line for line in shown(net, np.ones(2), names={"mine": net[0].weight}))


def test_hooks_run():
    layer, seen = nn.Linear(2, 2), []
    layer.register_forward_hook(lambda module, args, result: seen.append("forward"))
    x = leaf(np.ones(2))
    y = x * 2
    y.register_hook(lambda g: seen.append("backward"))
    graph.draw(layer, np.ones(2))
    assert seen == ["forward"]
    graph.draw(y.sum(), show="grad")
    assert seen == ["forward", "backward"]


# Modes of the thread


def test_under_no_grad():
    with mg.no_grad():
        assert shown(lambda x: mg.sin(x), 0.0, show="grad")[-2] == "%1 = sin(%0) grad 1"
        assert not mg.is_grad_enabled()


def test_under_detect_anomaly():
    with mg.detect_anomaly():
        assert shown(lambda x: mg.sin(x), 0.0, show="grad")[-2] == "%1 = sin(%0) grad 1"
        with pytest.raises(AnomalyError, match="log made"):
            graph.draw(lambda x: mg.log(x), -1.0)


def test_in_a_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(shown(lambda x: mg.sin(x), 0.0, show=("grad", "line"))))
    thread.start()
    thread.join()
    assert found[0][-2].startswith("test_draw.py:")


def test_inside_of_a_profile():
    w = leaf()
    with graph.profile() as measured:
        w * 2
        graph.draw(lambda x: mg.sin(x), 0.0, show="all")
        w * 3
    assert [(line.name, line.count) for line in measured.operations] == [("multiply", 2)]


def test_of_what_was_computed_under_a_profile():
    layer = nn.Linear(2, 2)
    with graph.profile():
        y = layer(mg.tensor(np.ones(2)))
    text = graph.draw(y, show=("line", "time")).text
    assert "Linear:" in text
    assert "test_draw.py" in text
    assert "µs" in text or "ms" in text


# Details


def test_every_detail():
    x = leaf([1.0, 2.0], "x")
    y = mg.exp(x)
    expected = {
        "shape": "(2,)",
        "dtype": "float64",
        "value": "[2.7183 7.3891]",
        "memory": "16 B",
        "formula": "grad of x: g * y",
    }
    for word in DETAILS:
        drawn = lines(graph.draw(y, show=word))
        assert word not in expected or drawn[-2].endswith(expected[word])
        assert drawn == lines(graph.draw(y, show=[word]))
    assert set(expected) | {"grad", "line", "time"} == set(DETAILS)
    assert lines(graph.draw(y, show="grad"))[-3:] == [
        "%1 = exp(%0) grad [1. 1.]",
        "return %1",
        "# gradients are those of the sum of all outputs",
    ]
    for word in ("line", "time"):
        assert "graph.profile()" in lines(graph.draw(y, show=word))[-1]
    everything = " ".join(lines(graph.draw(y, show="all")))
    assert all(text in everything for text in expected.values() if text not in ("(2,)", "float64"))
    assert "float64 (2,)" in everything
    assert lines(graph.draw(y, show=())) == ["%0 = leaf x", "%1 = exp(%0)", "return %1"]
    assert lines(graph.draw(y, show=["all", "value"])) == lines(graph.draw(y, show=DETAILS))


@pytest.mark.parametrize("show", ["colour", ["value", "colour"], "", "Value"])
def test_unknown_details(show):
    with pytest.raises(ArgumentError, match=r"show= takes shape, dtype, value, grad, .* or 'all'"):
        graph.draw(leaf() * 2, show=show)


@each(
    ("value", "expected"),
    [
        (0.5, ["0.5"]),
        (float("nan"), ["nan"]),
        (1 / 3 + 1j, ["0.333333+1j"]),
        ([1.0, -2.0, 0.5], ["[1. -2. 0.5]"]),
        ([1e-9, 2e-9], ["[1.e-09 2.e-09]"]),
        ([0.0, 1.0], ["[0. 1.]"]),
        ([[1.0, 2.0], [3.0, 4.0]], ["[[1. 2.]", "[3. 4.]]"]),
        (np.zeros((0, 3)), ["empty"]),
        (np.arange(16.0), ["mean 7.5 ± 4.6", "█ ▅▅"]),
        (np.where(np.arange(16) > 7, np.nan, np.inf), ["8 NaN, 8 inf"]),
        (np.where(np.arange(16) > 7, np.nan, 1.0), ["mean 1 ± 0, 8 NaN"]),
        (np.full(16, 1e300), ["mean 1e+300 ± 0"]),
        (np.ones((2, 2, 2)), ["mean 1 ± 0"]),
    ],
)
def test_values(value, expected):
    drawn = lines(graph.draw(leaf(value), show="value"))
    assert drawn[0].split("<--")[0].removeprefix("%0 = leaf ").strip() == expected[0]
    if len(expected) > 1 and "█" not in expected[1]:
        assert drawn[1] == expected[1]


def test_values_of_whole_numbers_and_truths():
    drawn = shown(
        lambda x, i, m: x[i] * mg.where(m, 1.0, x), np.ones(20), np.arange(20), np.arange(20) > 14, show="value"
    )
    assert "5 of 20 true" in " ".join(drawn)


def test_gradients_are_those_of_autograd():
    rng = np.random.default_rng(0)
    W, x = leaf(rng.normal(size=(2, 2))), leaf(rng.normal(size=2))
    hidden = mg.tanh(W @ x)
    loss, other = (hidden * x).sum(), hidden[0] * 3
    from minigrad.graph.targets import gradients_of

    captured = graph.capture([loss, other])
    found = gradients_of(captured)
    expected = mg.autograd.grad([loss, other], [W, x, hidden], retain_graph=True)
    for tensor, gradient in zip([W, x, hidden], expected, strict=True):
        np.testing.assert_array_equal(found[tensor.node], gradient.data)
    assert W.grad is None
    assert x.grad is None
    assert all(entry.node is None or entry.node in found for entry in captured)
    loss.backward()  # the graph is still there


def test_gradients_of_complex_numbers():
    z = leaf(1 + 1j)
    y = mg.abs(z) ** 2
    assert "grad 2+2j" in shown(y, show="grad")[0]


def test_a_leaf_that_was_written_to_has_no_gradients_to_show():
    w = leaf(np.ones(2))
    y = (w * w).sum()
    with mg.no_grad():
        w -= 0.5
    assert shown(y)
    with pytest.raises(StaleValueError):
        graph.draw(y, show="grad")


def test_lines_of_the_program():
    def f(x):
        y = mg.sin(x)
        return y * 2

    drawn = shown(f, 1.0, show="line")
    assert drawn[1].endswith("y = mg.sin(x)")
    assert drawn[2].endswith("return y * 2")
    code = f.__code__.co_firstlineno
    assert f"test_draw.py:{code + 1} " in drawn[1]
    assert "test_draw.py" not in " ".join(shown(leaf() * 2, show="line"))  # nobody watched


def test_lines_of_programs_without_source():
    space = {"mg": mg}
    exec(compile("def f(x):\n    return mg.sin(x)", "<string>", "exec"), space)
    assert shown(space["f"], 1.0, show="line")[1].endswith("<string>:2")
    assert "test_draw.py" in shown(lambda x: mg.sin(x), 1.0, show="line")[1]


def test_formulas():
    drawn = " ".join(shown(lambda x, y: mg.sin(x) / y, 1.0, 2.0, show="formula"))
    assert "grad of x: g * np.cos(x)" in drawn
    assert "grad of a: g / b" in drawn


def test_formulas_of_a_users_own_operation():
    def slope(g, y, x):
        """The derivative, by hand."""
        doubled = g * 2
        return doubled

    @mg.primitive(lambda g, y, x: g * 2)
    def doubled(x, /):
        return x * 2

    @mg.primitive(slope)
    def again(x, /):
        return x * 2

    made = mg.primitive(eval("lambda g, y, x: g * 3"))(lambda x, /: x * 3)
    drawn = " ".join(shown(lambda x: made(again(doubled(x))), 1.0, show="formula"))
    assert "grad of x: g * 2" in drawn
    assert "slope(g, y, x): The derivative, by hand." in drawn
    assert "a lambda whose source is not there" in drawn


# What is not finite


def test_the_first_value_that_is_not_finite_is_named():
    def f(x):
        y = mg.log(x)
        return (y * 0.0).sum()

    with np.errstate(all="ignore"):
        picture = graph.draw(f, np.array([0.0, 1.0]))
    text = lines(picture)
    assert text[1].endswith("<-- inf")
    assert text[2].endswith("<-- NaN")
    (note,) = [line for line in text if line.startswith("# first")]
    assert note.startswith("# first inf: log")
    assert "test_draw.py" in note
    assert "y = mg.log(x)" in note
    assert picture.source.count("#D55E00") == 3


def test_an_input_that_is_not_finite_is_the_first():
    assert "# first NaN: x" in graph.draw(lambda x: x * 2, float("nan")).text


def test_the_first_gradient_that_is_not_finite_is_named():
    def f(x):
        return mg.sqrt(x) * 0 + mg.sin(x)

    assert "<--" not in graph.draw(f, 0.0).text
    picture = graph.draw(lambda x: mg.sqrt(mg.sin(x)), 0.0, show="grad")
    assert "# first inf in a gradient: that of sin" in picture.text
    assert lines(picture)[:2] == ["%0 = input x grad inf <-- gradient inf", "%1 = sin(%0) grad inf <-- gradient inf"]
    assert "<B>gradient inf</B>" in graph.draw(lambda x: mg.sqrt(mg.sin(x)), 0.0, heat="grad").source


# Heat


def colours(picture):
    """The colour of every box by its key."""
    boxes = [line.split(" [label=") for line in picture.source.splitlines() if " [label=" in line and "->" not in line]
    return {key.strip(): rest.rsplit('fillcolor="', 1)[1][:7] for key, rest in boxes if 'fillcolor="' in rest}


def test_gradients_that_vanish_become_darker():
    def f(x):
        for _ in range(6):
            x = x * 0.02
        return x

    found = colours(graph.draw(f, 1.0, heat="grad"))
    brightness = [sum(bytes.fromhex(found[f"n{i}"][1:])) for i in range(7)]
    assert brightness == sorted(brightness)
    assert len(set(brightness)) == 7
    assert found["n6"] == "#FEE838"
    assert found["n0"] == "#00224E"


def test_gradients_of_one_size_have_one_colour():
    assert len(set(colours(graph.draw(lambda x: x + 1 + 2 + 3, 1.0, heat="grad")).values())) == 1


def test_what_has_no_gradient_is_not_coloured_and_zero_is_white():
    data = mg.tensor(np.ones(5))
    found = colours(graph.draw(leaf(np.ones(5)) * data * 0.0, heat="grad"))
    assert found["n0"] == "#FFFFFF"
    assert found["n1"] == "#ECECEC"


@pytest.mark.parametrize(
    ("value", "factors"),
    [(1.0, [5e-324]), (1.0, [1e-200, 1e-100]), (1.0, [1e300]), (1.0, [1e300, 1e-300, 1e-300]), (1.0, [np.inf])],
)
def test_extreme_gradients(value, factors):
    def f(x):
        for factor in factors:
            x = x * factor
        return x.sum()

    picture = graph.draw(f, np.full(3, value), heat="grad", show="grad")
    assert len(colours(picture)) == len(factors) + 2
    assert picture.html


def test_the_norm_of_small_and_large_gradients_is_not_lost():
    assert colours(graph.draw(lambda x: (x * 1e-200).sum(), np.ones(20), heat="grad"))["n0"] == "#00224E"


@pytest.mark.parametrize("heat", ["time", "memory"])
def test_other_quantities(heat):
    picture = graph.draw(lambda x: mg.sin(x).sum(), np.ones(20), heat=heat)
    assert heat in picture.source
    assert len(colours(picture)) == 3


def test_an_unknown_quantity():
    with pytest.raises(ArgumentError, match="heat must be 'grad', 'time' or 'memory', not 'size'"):
        graph.draw(leaf() * 2, heat="size")


def test_time_that_nobody_measured():
    assert graph.draw(leaf() * 2, heat="time").source


# Marks


def test_marks():
    w, data = leaf(2.0), mg.tensor(np.ones(2))
    y = w * data
    for thing, place in ((w, 0), (w.node, 0), (data, 1), (y, 2), (y.node, 2), (0, 0), (np.int64(2), 2)):
        picture = graph.draw(y, mark={thing: "look"})
        assert [i for i, line in enumerate(lines(picture)) if line.endswith("<-- look")] == [place]
        assert picture.source.count("#C2185B") == 1
    assert graph.draw(y, mark={0: "a", 2: "b"}).source.count("#C2185B") == 2
    assert "<--" not in graph.draw(y, mark={}).text


def test_marks_of_what_is_copied():
    layer, x = nn.Linear(2, 2), leaf(np.ones(2))
    drawn = shown(layer, x, mark={layer.weight: "weight here", x: "input here"})
    assert [line.split("<-- ")[1] for line in drawn if "<--" in line] == ["input here", "weight here"]


@pytest.mark.parametrize("wrong", [3, -1, "x", None, 1.5])
def test_unknown_marks(wrong):
    with pytest.raises(
        GraphError, match="mark= takes Tensors and nodes of the graph that is drawn, or indices from 0 to 2"
    ):
        graph.draw(leaf() * 2 + 1, mark={wrong: "look"})
    with pytest.raises(GraphError, match="none of them: tensor"):
        graph.draw(leaf() * 2 + 1, mark={leaf(): "look"})


def test_a_nan_can_be_marked_too():
    assert lines(graph.draw(leaf(float("nan")), mark={0: "look"}))[0].endswith("<-- NaN <-- look")


# Other options


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"direction": "up"}, "direction must be 'TB', 'LR', 'BT' or 'RL', not 'up'"),
        ({"direction": None}, "not None"),
        ({"limit": 0}, "limit must be a number of at least 1, not 0"),
        ({"limit": 7, "depth": -1}, "depth must be a number of at least 0, not -1"),
    ],
)
def test_options_that_are_wrong(option, message):
    with pytest.raises(ArgumentError, match=message):
        graph.draw(leaf() * 2, **option)


def test_names_must_be_of_tensors():
    with pytest.raises(DTypeError, match="'k' is a int"):
        graph.draw(lambda x: x * 2, 1.0, names={"k": 2})


def test_without_a_legend():
    y = leaf() * 2
    assert "requires grad" in graph.draw(y).source
    assert "requires grad" not in graph.draw(y, legend=False).source


def test_a_value_that_is_not_finite_is_said_before_a_gradient():
    def f(x):
        for i in range(12):
            x = mg.sin(x) * (np.nan if i == 6 else 1.0)
        return x

    drawn = shown(f, np.ones(2), fold=True, show="grad")
    assert [line.split("<-- ")[1] for line in drawn if "<--" in line] == [
        "gradient NaN",
        "NaN in a repetition",
        "NaN in a repetition",
    ]


# What reviewers of pictures missed


def test_a_dict_of_tensors():
    x = leaf([1.0, 2.0], "x")
    drawn = lines(graph.draw({"double": x * 2, "half": [x / 2, None]}))
    assert drawn[-1] == "return %1, %2"
    with pytest.raises(DTypeError, match="made of a Tensor"):
        graph.draw({"a": 1.0})


def test_arguments_by_name():
    def f(x, *, scale, shift=0.0):
        return x * scale + shift

    drawn = shown(f, 2.0, kwargs={"scale": np.array([3.0, 4.0])})
    assert drawn[:2] == ["%0 = input x float64 2", "%1 = input scale float64 [3, 4]"]
    with pytest.raises(TypeError, match="missing 1 required"):
        graph.draw(f, 2.0)


def test_a_list_of_numbers_is_an_array():
    drawn = shown(nn.Linear(2, 3), [[1.0, 2.0]])
    assert any("input input float64 (1, 2)" in line for line in drawn)
    assert shown(lambda x: x[0] * x[1][0], [2.0, [3.0]])[0] == "%0 = input x[0] float64 2"  # no array: a tree


def test_a_mask_of_infinities_is_meant():
    mask = np.where(np.tril(np.ones((3, 3))), 0.0, -np.inf)
    picture = graph.draw(lambda x: mg.softmax(x + mask, axis=-1), np.ones((3, 3)))
    assert "inf" not in " ".join(lines(picture)).replace("-inf", "")
    assert "#D55E00" not in picture.source
    with np.errstate(all="ignore"):
        nan = graph.draw(lambda x: mg.sum((x + mask) * 0.0), np.ones((3, 3)))
        own = graph.draw(lambda x: mg.sum(mg.log(x) + mask), np.zeros((3, 3)))
    assert "first NaN: multiply" in nan.text
    assert "first inf: log" in own.text


class Deep(nn.Module):
    def __init__(self, depth):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(depth)])

    def forward(self, x):
        for layer in self.layers:
            x = mg.sigmoid(layer(x))
        return x.sum()


def test_heat_compares_equal_modules():
    found = colours(graph.draw(Deep(12), np.ones((2, 4)), heat="grad", depth=1))
    assert len(set(found.values())) > 6
    assert "×12" in graph.draw(Deep(12), np.ones((2, 4)), heat="grad", fold=True).text


def test_closed_modules_show_what_they_give_out():
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh())
    closed = graph.draw(net, np.ones((5, 2)), depth=1, show=("shape", "dtype", "time", "memory"))
    line = next(line for line in closed.text.splitlines() if "0: Linear" in line)
    assert re.fullmatch(
        r" +%\d+ = 0: Linear\(%\d+\)   1 operation, 9 parameters, float64 \(5, 3\), 120 B, [\d.]+ .s", line
    )
    assert "(5, 3)" in closed.source
    assert closed.text.splitlines()[-2].startswith("return %") or closed.text.splitlines()[-1].startswith("# ")


def test_magnitudes_of_complex_numbers_are_called_so():
    drawn = " ".join(shown(lambda x: x * 1j, np.arange(16.0), show="value"))
    assert "mean of |z| 7.5" in drawn


def test_long_names_keep_their_ends():
    name = "encoder.layers.3.self_attention.in_projection.output.weight"
    assert graph.draw(leaf(1.0, name) * 2).text.splitlines()[0].split()[3].endswith("in_projection.output.weight")


def test_a_released_graph_is_drawn_before_backward():
    y = leaf() ** 2
    y.backward()
    with pytest.raises(ReleasedGraphError) as caught:
        graph.draw(y)
    assert caught.value.__notes__ == ["graph.draw needs the whole graph: call it before backward()"]
