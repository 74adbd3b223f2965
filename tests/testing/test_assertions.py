"""What the assertions accept, what they refuse, and what they say of it."""

import re

import numpy as np
import pytest

import minigrad as mg
from minigrad import errors, nn, testing
from minigrad.core import numpy_functions, primitives
from minigrad.gradcheck import DerivativeError
from minigrad.testing import assert_close, assert_gradients_close
from tests.rows import each

X = np.array([[0.5, 2.0]])


@pytest.fixture(autouse=True)
def _forget_operations():
    before = [(registry, dict(registry)) for registry in (primitives, numpy_functions)]
    yield
    for registry, known in before:
        registry.clear()
        registry.update(known)


@pytest.fixture
def squash():
    """An operation whose derivative is wrong: it should be ``1 - y * y``."""

    @mg.primitive(lambda g, y, x: g * (1 - y))
    def squash(x, /):
        return np.tanh(x)

    return squash


@pytest.fixture
def constant_slope():
    """An operation whose gradient is right, and cannot be differentiated."""

    @mg.primitive(lambda g, y, x: g * (1 - np.asarray(getattr(y, "data", y)) ** 2))
    def constant_slope(x, /):
        return np.tanh(x)

    return constant_slope


def complaint(assertion, *args, **kwargs):
    with pytest.raises(AssertionError) as caught:
        assertion(*args, **kwargs)
    return str(caught.value)


# Values


@each(("actual", "expected"), [
    (mg.ones(3), [1, 1, 1]),
    (mg.ones(3, requires_grad=True), np.ones(3)),
    (1.0, mg.tensor(1.0)),
    ({"a": mg.ones(2), "b": None}, {"b": None, "a": [1.0, 1.0]}),
    ([mg.ones(2), mg.ones(2)], np.ones((2, 2))),
    (np.ones((2, 2)), (mg.ones(2), [1.0, 1.0])),
    ((mg.ones(2), {"x": [mg.zeros((0, 3))]}), [np.ones(2), {"x": (np.zeros((0, 3)),)}]),
    (np.inf, np.inf),
    ([-np.inf, 1e300], [-np.inf, 1e300 * (1 + 1e-8)]),
    (np.float32(1 + 1e-6), 1.0),
    (mg.ones(1, dtype=np.float16), [1.0005]),
    (1 + 1j, 1 + 1.00000001j),
    ([True, False], [1, 0]),
    (np.uint64(2**63), 2**63),
    ({}, {}),
])  # fmt: skip
def test_close(actual, expected):
    assert_close(actual, expected)


@each(("actual", "expected", "said"), [
    (1.0, 1.000001, "actual"),
    (np.nan, np.nan, "nan"),
    (1.0, np.inf, "inf"),
    (np.inf, -np.inf, "inf"),
    (1e-8, 0.0, "relative"),
    (1 + 1j, 1 - 1j, "1-1j"),
    (mg.ones(3), np.ones((3, 1)), "of shape (3,), and (3, 1) is expected"),
    (mg.ones(3), 1.0, "of shape (3,), and () is expected"),
    (np.zeros((0, 2)), np.zeros((0, 3)), "of shape (0, 2), and (0, 3) is expected"),
    (None, 1.0, "actual is None (no gradient, if it is one), and an array of shape () is expected"),
    ([mg.ones(2)], [mg.ones(2)] * 2, "actual has 1 members, and 2 are expected"),
    ({"a": 1.0}, [1.0], "actual is a dict, and an array of shape (1,) is expected"),
    ({"a": {"b": [None]}}, {"a": {"b": [1.0]}}, "actual['a']['b'][0] is None"),
    ([True], [False], "1 of 1 elements is not close (rtol=0, atol=0)"),
])  # fmt: skip
def test_not_close(actual, expected, said):
    assert said in complaint(assert_close, actual, expected)


def test_keys_that_one_tree_has_and_the_other_has_not():
    text = complaint(assert_close, {"w": 1.0, 3: 1.0}, {"w": 1.0, "b": 1.0})
    assert text.splitlines() == ["actual['b'] is expected, and is not there", "actual[3] is there, and is not expected"]


def test_the_report_names_the_parameter_the_element_both_values_and_the_errors():
    expected = {"layer": {"weight": np.ones((2, 3)), "bias": np.zeros(3)}}
    actual = {"layer": {"weight": np.ones((2, 3)), "bias": np.zeros(3)}}
    actual["layer"]["weight"][1, 2] = 1.25
    actual["layer"]["bias"][0] = 1e-3
    lines = complaint(assert_close, actual, expected).splitlines()
    assert lines[0] == "2 of 9 elements are not close (rtol=1e-07, atol=1e-09)"
    assert lines[1].split() == ["element", "actual", "expected", "error", "relative"]
    assert lines[2].split()[-5:] == ["2]", "1.25", "1", "2.5e-01", "2.5e-01"]
    assert lines[2].startswith("  actual['layer']['weight'][1, 2]")
    assert lines[3].split() == ["actual['layer']['bias'][0]", "0.001", "0", "1.0e-03", "inf"]


def test_the_worst_element_comes_first_and_many_are_counted():
    actual = np.ones(100)
    actual[60] = 9.0
    lines = complaint(assert_close, actual, np.zeros(100)).splitlines()
    assert lines[2].split()[0] == "actual[60]"
    assert len(lines) == 2 + 8 + 1
    assert lines[-1] == "  ... and 92 more"


def test_every_one_of_several_arrays_gets_a_line():
    lines = complaint(assert_close, [mg.ones(9), mg.ones(9), mg.ones(9)], np.zeros((3, 9))).splitlines()
    assert {line.split("[")[1] for line in lines[2:-1]} == {"0]", "1]", "2]"}
    assert lines[-1] == "  ... and 21 more"


def test_large_integers_are_compared_exactly():
    text = complaint(assert_close, [2**62 + 1], [2**62])
    assert "4611686018427387905  4611686018427387904  1.0e+00" in text


@pytest.mark.filterwarnings("error")
def test_extreme_numbers_warn_of_nothing():
    with np.errstate(all="warn"):
        complaint(assert_close, [1e308, np.inf, np.nan], [-1e308, np.nan, 0.0])
        complaint(assert_close, np.array([1e38], np.float32), np.array([-3e38], np.float32))
        complaint(assert_close, np.array([-128], np.int8), np.array([127], np.int8))
        complaint(assert_close, [complex(1e308, 1e308)], [0j])


def test_tolerances_are_those_of_the_coarser_dtype_unless_given():
    assert_close(mg.tensor([1.000001], dtype=np.float32), np.ones(1))
    complaint(assert_close, np.array([1.000001]), np.ones(1))
    assert_close(np.array([1.000001]), np.ones(1), rtol=1e-5)
    complaint(assert_close, mg.tensor([1.000001], dtype=np.float32), np.ones(1), rtol=1e-8, atol=0.0)
    assert_close([3], [4], atol=1.0)
    complaint(assert_close, 1.0 + 1e-15, 1.0, rtol=0.0, atol=0.0)


def test_nan_and_dtype_on_demand():
    assert_close([np.nan, 1.0], [np.nan, 1.0], equal_nan=True)
    complaint(assert_close, [np.nan, 1.0], [1.0, np.nan], equal_nan=True)
    text = complaint(assert_close, {"w": mg.ones(2, dtype=np.float32)}, {"w": mg.ones(2)}, check_dtype=True)
    assert text == "actual['w'] is of dtype float32, and float64 is expected"


@pytest.mark.parametrize("name", ["rtol", "atol"])
@pytest.mark.parametrize("value", [-1.0, np.nan])
def test_a_tolerance_that_makes_no_sense(name, value):
    with pytest.raises(errors.ArgumentError, match=f"{name} must be a number of at least 0, not {value}"):
        assert_close(1.0, 1.0, **{name: value})


def test_what_is_not_numbers():
    with pytest.raises(errors.DTypeError, match="actual"):
        assert_close("a", "a")
    with pytest.raises(errors.DTypeError, match="what is expected of actual"):
        assert_close([1.0], ["a"])


def test_state_dicts_of_equal_and_of_different_models():
    model, other = nn.Linear(2, 3), nn.Linear(2, 3)
    assert "actual['weight'][" in complaint(assert_close, model.state_dict(), other.state_dict())
    other.load_state_dict(model.state_dict())
    assert_close(model.state_dict(), other.state_dict())


def test_gradients_of_a_model_and_one_that_was_not_computed():
    model = nn.Linear(2, 1)
    model(mg.ones((1, 2))).sum().backward()
    assert_close({name: p.grad for name, p in model.named_parameters()}, {"weight": [[1.0, 1.0]], "bias": [1.0]})
    model.bias.grad = None
    text = complaint(assert_close, [p.grad for p in model.parameters()], [[[1.0, 1.0]], [1.0]])
    assert text == "actual[1] is None (no gradient, if it is one), and an array of shape (1,) is expected"


# Gradients against finite differences


def test_right_gradients_pass():
    assert_gradients_close(lambda x, k: np.sin(k * x), (X, 3))
    assert_gradients_close(lambda p: (p["w"] @ p["b"]["c"]).sum(), {"w": X, "b": {"c": np.ones(2)}, "n": None})
    assert_gradients_close(lambda x: x * x, 3.0)
    assert_gradients_close(lambda z: z * z, 1 + 2j)
    assert_gradients_close(lambda x: x * 2, np.zeros((0, 3)))


def test_a_wrong_gradient_is_reported_with_the_operation(squash):
    text = complaint(assert_gradients_close, squash, X)
    assert text.startswith("First derivatives of squash: 2 of 4 gradients disagree with finite differences\n")
    assert "The operation 'squash' of shapes (1, 2) is to blame" in text


def test_the_error_of_gradcheck_is_kept(squash):
    with pytest.raises(AssertionError) as caught:
        assert_gradients_close(squash, X)
    assert isinstance(caught.value.__context__, DerivativeError)
    assert caught.value.__context__.operations == ["squash"]
    assert caught.value.__suppress_context__


def test_leaves_of_trees_are_named(squash):
    text = complaint(assert_gradients_close, lambda n, p: n * squash(p["b"]) + p["w"], (3, {"w": X, "b": X}))
    assert "input 1['b'][0, 0]" in text
    assert "input 1['w']" not in text


class Squashed(nn.Module):
    def __init__(self, squash):
        super().__init__()
        self.squash = squash
        self.w = nn.Parameter(X)

    def forward(self, x):
        return x * self.squash(self.w)


def test_parameters_of_modules_are_checked(squash):
    assert_gradients_close(Squashed(np.tanh), X)
    text = complaint(assert_gradients_close, Squashed(squash), X)
    assert text.startswith("First derivatives of Squashed: 2 of 8 gradients disagree")
    assert " w[0, 0] " in text
    assert_gradients_close(nn.Embedding(3, 2), np.array([0, 2]))


def test_second_derivatives_are_checked_by_default_and_can_be_left_out(constant_slope):
    assert_gradients_close(constant_slope, X, order=1)
    assert complaint(assert_gradients_close, constant_slope, X).startswith("Second derivatives of constant_slope: ")


def test_options_of_gradcheck_are_passed_on(squash):
    assert_gradients_close(squash, X, order=1, rtol=10.0)
    assert "random direction" in complaint(assert_gradients_close, squash, X, fast=True)
    with pytest.raises(TypeError, match="esp"):
        assert_gradients_close(np.sin, X, esp=1e-3)


def test_a_kink_is_called_a_kink():
    assert "has a kink here" in complaint(assert_gradients_close, nn.functional.relu, np.array([0.0, 1.0]))


def test_float32_is_refused_and_inputs_without_floats_are_nothing_to_check():
    with pytest.raises(errors.DTypeError, match="float32"):
        assert_gradients_close(np.sin, np.ones(2, np.float32))
    for reference in (None, np.sin):
        text = complaint(assert_gradients_close, np.add, [1, 2], reference)
        assert "no input is floating-point" in text
        assert "dtype=float" in text


# Gradients against another function


def test_two_implementations_agree():
    assert_gradients_close(mg.logsumexp, X, lambda x: np.log(np.exp(x).sum()))
    assert_gradients_close(lambda x: [x**3, x.sum()], X, lambda x: (x * x * x, x[0, 0] + x[0, 1]))
    assert_gradients_close(np.sin, X.astype(np.float32), mg.sin)
    assert_gradients_close(lambda z: z**2, X + 1j, lambda z: z * z)
    assert_gradients_close(lambda p: p["w"] * p["n"], {"w": X, "n": 2}, lambda p: p["w"] + p["w"])
    assert_gradients_close(lambda x: x * 3, X, lambda x: x + x + x)


def test_constants_between_two_implementations_do_not_matter():
    assert_gradients_close(lambda x: x.sum() + 1, X, lambda x: x.sum())


def test_a_wrong_gradient_is_found_by_a_reference(squash):
    text = complaint(assert_gradients_close, lambda p: squash(p["w"]).sum(), {"w": X}, lambda p: np.tanh(p["w"]).sum())
    assert text.startswith(
        "First derivatives of the function and of its reference differ:\n2 of 2 elements are not close"
    )
    assert f"first derivative by input 0['w'][0, 0]  {1 - np.tanh(0.5):.9g}   {1 - np.tanh(0.5) ** 2:.9g}" in text


def test_a_wrong_second_derivative_is_found_by_a_reference(constant_slope):
    assert_gradients_close(constant_slope, X, np.tanh, order=1)
    text = complaint(assert_gradients_close, constant_slope, X, np.tanh)
    assert text.startswith("Second derivatives of constant_slope and of its reference differ:\n")
    assert "second derivative by input 0[0, 0]" in text


def test_an_error_in_one_of_many_outputs_and_one_of_many_inputs_is_found():
    weights = np.ones(50)
    weights[7] += 1e-4
    text = complaint(assert_gradients_close, lambda a, b: a * b * weights, (np.ones(50),) * 2, lambda a, b: a * b)
    assert {line.split()[4] for line in text.splitlines()[3:]} == {"0[7]", "1[7]"}


def test_an_input_that_one_of_the_two_does_not_use():
    text = complaint(assert_gradients_close, lambda a, b: a.sum(), (X, X), lambda a, b: (a + b).sum())
    assert re.search(r"first derivative by input 1\[0, 0\]  0 +1 ", text)


def test_results_of_different_shapes_are_not_broadcast():
    text = complaint(assert_gradients_close, lambda x: x.sum(axis=1), X, lambda x: x.sum())
    assert text == "The results of the function and of its reference differ in shape: (1,), and () is expected"


def test_a_cut_graph_is_the_likeliest_reason():
    text = complaint(assert_gradients_close, lambda x: x.detach() * 2, X, lambda x: x * 2)
    assert "No result of the function requires grad" in text


def test_random_weights_come_from_the_seed():
    def text(seed):
        return complaint(assert_gradients_close, lambda x: x * 2, X, lambda x: x, seed=seed)

    assert text(1) == text(1)
    assert text(1) != text(2)


# Given gradients


def test_given_gradients():
    assert_gradients_close(lambda x: (x**2).sum(), X, 2 * X)
    assert_gradients_close(lambda a, n: (a * n).sum(), (X, 3), ([[3.0, 3.0]], None))
    assert_gradients_close(lambda p: (p["w"] ** 2).sum(), {"w": X, "b": 1.0}, {"w": 2 * X, "b": 0.0})
    assert_gradients_close(lambda a, b: a * b, [2.0, 3.0], [3.0, 2.0])
    assert_gradients_close(lambda ps: (ps[0] * ps[1]).sum(), ([X, X],), ([X, X],))


def test_wrong_given_gradients():
    text = complaint(assert_gradients_close, lambda p: (p["w"] ** 2).sum(), {"w": X}, {"w": 3 * X})
    assert text.startswith("The gradients of the function are not those given:\n2 of 2 elements are not close")
    assert "gradient of input 0['w'][0, 1]  4" in text
    text = complaint(assert_gradients_close, lambda p: (p["w"] ** 2).sum(), {"w": X}, {"v": X})
    assert "gradient of input 0['v'] is expected, and is not there" in text


def test_given_gradients_of_a_wrong_number_and_of_many_results():
    with pytest.raises(errors.ArgumentError, match="1 gradients, for 2 inputs"):
        assert_gradients_close(lambda a, b: (a * b).sum(), (X, X), X)
    with pytest.raises(errors.GraphError, match="single number"):
        assert_gradients_close(lambda x: x, X, X)


# Misuse


@pytest.mark.parametrize(("reference", "options", "said"), [
    (None, {"order": 3}, "order is 1 or 2, for first or second derivatives, not 3"),
    (X, {"order": 2}, "order is 1 or 2, and given gradients are first ones, not 2"),
    (np.sin, {"fast": True, "eps": 1e-3}, "no finite differences, and no options: fast, eps"),
    (np.sin, {"rtol": -1.0}, "rtol must be a number of at least 0"),
])  # fmt: skip
def test_options_that_do_not_go_together(reference, options, said):
    with pytest.raises(errors.ArgumentError, match=said):
        assert_gradients_close(np.sin, X, reference, **options)


@pytest.mark.parametrize("reference", [None, np.sin, X])
def test_a_function_that_returns_no_tensor(reference):
    with pytest.raises(errors.DTypeError, match=r"output 0 of .* is a ndarray, not a Tensor"):
        assert_gradients_close(lambda x: x.detach().numpy(), X, reference)


@pytest.mark.parametrize("reference", [None, lambda x: np.tanh(x).sum(), 1 - np.tanh(X) ** 2])
def test_inputs_and_grad_mode_are_left_alone(reference):
    x = mg.tensor(X, requires_grad=True)
    with mg.no_grad():
        assert_gradients_close(lambda x: np.tanh(x).sum(), x, reference)
        assert not mg.is_grad_enabled()
    assert x.grad is None
    assert x.detach().numpy().tolist() == X.tolist()


def test_the_names_of_the_package():
    assert testing.__all__ == ["assert_close", "assert_gradients_close", "strategies"]
