"""The checker is checked: it must catch every kind of wrong derivative, name the operation, and accept right ones."""

import collections
import math

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.errors import ArgumentError, DTypeError, GradcheckError, ShapeError
from minigrad.gradcheck import DerivativeError, gradcheck, gradgradcheck
from tests.rows import each

BOTH = pytest.mark.parametrize("check", [gradcheck, gradgradcheck])


def point(*shape, seed=0):
    return np.random.default_rng(seed).uniform(0.2, 1.5, shape)


def failing(f, inputs, check=gradcheck, **options):
    with pytest.raises(DerivativeError) as caught:
        check(f, inputs, **options)
    return caught.value


# Wrong rules, one for each way of being wrong


def sine(rule):
    """The sine with another rule."""

    @mg.primitive(rule)
    def wrong_sine(x, /):
        return np.sin(x)

    return wrong_sine


def in_one_element(g, y, x):
    spoiled = np.arange(math.prod(x.shape)).reshape(x.shape) == 1
    return np.where(spoiled, 1.001, 1.0) * g * np.cos(x)


too_large = sine(lambda g, y, x: g * np.cos(x) * 1.001)
too_small = sine(lambda g, y, x: g * np.cos(x) * 0.999)
wrong_sign = sine(lambda g, y, x: -g * np.cos(x))
one_element = sine(in_one_element)
all_zero = sine(lambda g, y, x: np.zeros_like(g))
shifted = sine(lambda g, y, x: g * np.cos(x) + 1e-6 * g)
tiny_errors = sine(lambda g, y, x: g * np.cos(x) * (1 + 3e-6 * np.sign(np.sin(100 * x))))
makes_nan = sine(lambda g, y, x: g * np.cos(x) * np.nan)
makes_inf = sine(lambda g, y, x: g * np.cos(x) / 0)
transposed = sine(lambda g, y, x: np.swapaxes(g * np.cos(x), 0, 1))
mixed_up = sine(lambda g, y, x: np.flip(g) * np.cos(x))


@mg.primitive(lambda g, y, x: y * g)
def diagonal_only(x, /):
    """Softmax, with a rule that knows only part of the diagonal."""
    return np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True)


@mg.primitive(lambda g, y, x: g * y * (1 - y))
def no_off_diagonal(x, /):
    """Softmax, with a rule that is right on the diagonal of the Jacobian only."""
    return np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True)


@mg.primitive(lambda g, y, x: g * 2 * x / x.shape[0])
def forgotten_term(x, /):
    """Variance, with a rule that forgets the mean."""
    return ((x - x.mean()) ** 2).mean()


@mg.primitive(lambda g, y, a, x: g * np.outer(x, x), lambda g, y, a, x: g * 2 * np.matmul(a, x))
def form(a, x, /):
    """``x A x``, with a rule that is right for symmetric matrices only."""
    return x @ a @ x


WRONG = [
    too_large, too_small, wrong_sign, one_element, all_zero, shifted, mixed_up, diagonal_only, no_off_diagonal,
]  # fmt: skip


@each("fast", [False, True])
@pytest.mark.parametrize("f", WRONG, ids=[name for name, f in globals().items() if f in WRONG])
def test_wrong_rules_are_caught_and_the_operation_named(f, fast):
    for inputs in (point(2, 3), point(1, 2)):
        error = failing(f, inputs, fast=fast)
        assert error.kind == "wrong"
        assert error.operations == [f.__name__]
        assert f"The operation {f.__name__!r}" in str(error)


def test_a_forgotten_term_is_caught():
    assert failing(forgotten_term, point(4)).operations == ["forgotten_term"]


def test_a_rule_for_symmetric_matrices_passes_at_these_only():
    a, x = point(3, 3), point(3)
    assert gradcheck(form, (a + a.T, x))
    error = failing(form, (a, x))
    assert error.kind == "wrong"
    assert {failure.input for failure in error.failures} == {1}


@pytest.mark.parametrize("f", [makes_nan, makes_inf])
@pytest.mark.parametrize("fast", [False, True])
def test_nan_and_inf_never_pass(f, fast):
    error = failing(f, point(2, 2), fast=fast)
    assert error.kind == "not finite"
    assert error.operations == ["wrong_sine"]
    failing(makes_nan, np.float64(0.3), atol=np.inf, rtol=np.inf)


def test_infinite_slopes_and_edges_of_the_domain_never_pass():
    assert failing(mg.sqrt, np.array([1.0, 0.0])).kind == "not finite"
    assert failing(mg.log, np.array(-1.0)).kind == "not finite"
    assert failing(lambda x: x * np.inf, np.array(1.0)).kind == "not finite"
    assert failing(lambda x: all_zero(20 * x) * 1e308, np.array(0.0)).kind == "not finite"


def test_a_gradient_of_the_wrong_shape_is_reported():
    error = failing(transposed, point(2, 3))
    assert error.kind == "shape"
    assert error.operations == ["wrong_sine"]
    assert "(3, 2)" in str(error)


@pytest.mark.parametrize("spoil", [lambda g: g.astype(np.float32), lambda g: g.reshape(1, -1)])
def test_a_gradient_that_is_not_like_its_input_is_reported(monkeypatch, spoil):
    grad = mg.autograd.grad
    monkeypatch.setattr(mg.autograd, "grad", lambda *args, **kwargs: [spoil(g) for g in grad(*args, **kwargs)])
    error = failing(mg.sin, point(3))
    assert error.kind == "shape"
    assert "input 0" in str(error)


def test_a_rule_that_is_not_linear_is_caught():
    error = failing(sine(lambda g, y, x: g * np.abs(g) * np.cos(x)), point(3))  # right for gradients of 1
    assert error.kind == "not linear"
    assert error.operations == ["wrong_sine"]


def test_a_rule_that_changes_its_mind_is_caught():
    calls = []

    def rule(g, y, x):
        calls.append(None)
        return g * np.cos(x) * (1 if len(calls) < 5 else 1.01)

    assert failing(sine(rule), point(3)).kind == "not linear"


# Second derivatives


def constant(x):
    return x.detach() if isinstance(x, mg.Tensor) else x


@mg.primitive(lambda g, y, x: g * constant(np.cos(x)))
def cut_sine(x, /):
    return np.sin(x)


@mg.primitive(lambda h, y, g, x: h * np.cos(x), lambda h, y, g, x: -h * g * np.sin(x) * 1.001)
def times_cosine(g, x, /):
    return g * np.cos(x)


@mg.primitive(lambda g, y, x: times_cosine(g, x))
def deep_sine(x, /):
    return np.sin(x)


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("f", [cut_sine, deep_sine])
def test_a_wrong_second_derivative_is_caught(f, fast):
    x = point(2, 2)
    assert gradcheck(lambda x: f(2 * x), x, fast=fast)
    error = failing(lambda x: f(2 * x), x, gradgradcheck, fast=fast)
    assert error.kind == "wrong"
    assert error.operations[0] == f.__name__
    assert ("times_cosine" in error.operations) == (f is deep_sine)
    assert "the derivative of its gradient with respect to operand 0 is wrong" in str(error)
    assert "gradient of input 0" in str(error)


def test_second_derivatives_may_be_zero():
    assert gradgradcheck(lambda x, y: 3 * x + y.sum(), (point(2, 3), point(2)))
    assert gradgradcheck(lambda x: x, point(3))
    assert gradgradcheck(lambda x: mg.tensor([1.0, 2.0]), point(3))


def test_grad_outputs_can_be_given():
    assert gradgradcheck(mg.sin, point(3), point(3))
    assert gradgradcheck(lambda x: (mg.sin(x), x * x), point(3), (mg.tensor(point(3)), point(3)))
    zeros = np.zeros(2)
    assert gradgradcheck(cut_sine, point(2), zeros)  # nothing enters, so the second derivative is right
    with pytest.raises(ShapeError):
        gradgradcheck(mg.sin, point(3), (point(3), point(3)))
    with pytest.raises(ShapeError):
        gradgradcheck(mg.sin, point(3), point(2))


# Right functions

RIGHT = {
    "polynomial": lambda x: x**3 - 2 * x,
    "exponential": mg.exp,
    "softmax": mg.softmax,
    "logsumexp": lambda x: mg.logsumexp(x, axis=1),
    "std": lambda x: mg.std(x, axis=0),
    "max": lambda x: mg.max(x, axis=1),
    "sort": mg.sort,
    "product": mg.prod,
    "matrix product": lambda x: mg.tanh(x @ x.T) @ x,
    "choice": lambda x: mg.where(x > 0.7, mg.exp(x), x),
    "large values": lambda x: 1e6 + x,
    "large sum": lambda x: 1e4 * (x * x).sum(),
    "small slopes": lambda x: 1e-4 * mg.sin(x),
    "masked": lambda x: mg.softmax(mg.where(np.eye(*x.shape) > 0, -1e9, x)),
    "constant sum": lambda x: mg.softmax(x).sum(),
}


@BOTH
@each("fast", [False, True])
@pytest.mark.parametrize("name", RIGHT)
def test_right_functions_pass(name, check, fast):
    for seed in range(3):
        x = np.random.default_rng(seed).normal(size=(2, 4))
        assert check(RIGHT[name], x, fast=fast, seed=seed) is True


@BOTH
def test_slopes_that_rounding_hides_from_small_steps_are_still_confirmed(check):
    assert check(lambda x: ((x - 1) ** 2).sum(), np.array([1e3, -1e3, 1.0]))
    assert check(lambda x: x**2 + 1e6, np.array([1e-3, 1.0, 0.0]))


@pytest.mark.parametrize("distance", [1e-5, 1e-6, 1e-7])
def test_smaller_steps_confirm_derivatives_beside_a_kink_or_an_edge(distance):
    x = np.array([distance, 2 * distance])
    assert gradcheck(mg.log, x)
    assert gradcheck(mg.sqrt, x)
    assert gradcheck(mg.abs, -x)
    assert gradcheck(lambda x: mg.maximum(x, 0.0), x)


@BOTH
@pytest.mark.parametrize("distance", [5e-7, 1e-7, 3e-8])
def test_slopes_close_to_a_pole_are_confirmed(check, distance):
    for f in (lambda x: 1 / x, lambda x: x**-2.0, lambda x: mg.log(mg.abs(x))):
        assert check(f, np.array([distance]))


def test_the_extrapolated_difference_needs_no_second_look_at_curved_functions():
    calls = []
    assert gradcheck(lambda x: (calls.append(None), mg.sin(1000 * x))[1], point(3))
    assert len(calls) == 2 + 4 * 3


def test_a_derivative_that_rounding_hides_altogether_is_said_to_be_uncertain():
    error = failing(lambda x: (mg.exp(x) + 1e10) - 1e10, point(2))
    assert error.kind == "uncertain"
    assert "too small" in str(error)
    assert error.failures[0].complex_step == pytest.approx(error.failures[0].analytic, rel=1e-12)


def test_rounding_excuses_no_wrong_rule():
    assert failing(lambda x: (all_zero(x) + 1e10) - 1e10, point(2)).kind == "wrong"
    assert failing(lambda x: too_large(x) + 1e5, point(2)).kind == "wrong"
    assert failing(lambda x: x + 1e10, point(2)).kind == "uncertain"
    assert failing(lambda x: (x + 1e10, wrong_sign(x)), point(2)).operations == ["wrong_sine"]


@each("seed", range(25))
def test_fast_mode_catches_small_errors_with_every_seed(seed):
    assert failing(too_large, point(5, 4, seed=seed), fast=True, seed=seed).kind == "wrong"
    assert failing(one_element, point(5, 4, seed=seed), fast=True, seed=seed).kind == "wrong"
    assert failing(tiny_errors, point(5, 4, seed=seed), fast=True, seed=seed).kind == "wrong"


def test_fast_mode_catches_one_wrong_element_among_thousands_in_few_evaluations():
    calls = []
    assert failing(one_element, point(3000), fast=True).kind == "wrong"
    assert gradcheck(lambda x: (calls.append(None), mg.sin(x))[1], point(3000), fast=True)
    assert len(calls) < 50


# Kinks and jumps


KINKS = {
    "abs": (mg.abs, [0.0, 1.0]),
    "maximum": (lambda x: mg.maximum(x, 0.0), [0.0, 1.0]),
    "tie": (lambda x: mg.max(x), [1.0, 1.0]),
    "sorted tie": (mg.sort, [1.0, 1.0]),
    "clip": (lambda x: mg.clip(x, 0.0, 1.0), [1.0, 0.5]),
    "norm": (lambda x: mg.std(x), [1.0, 1.0]),
    "sign": (mg.sign, [0.0, 1.0]),
    "floor": (mg.floor, [2.0, 1.5]),
    "choice": (lambda x: mg.where(x > 1.0, x, 2 * x), [1.0, 0.5]),
    "deep inside": (lambda x: mg.exp(mg.abs(mg.sin(x)) * 3).sum(), [0.0, 1.0]),
}


@pytest.mark.parametrize("name", KINKS)
@each("fast", [False, True])
def test_kinks_are_told_from_wrong_rules(name, fast):
    f, x = KINKS[name]
    error = failing(f, np.array(x), fast=fast)
    assert error.kind == "kink"
    assert "the function has a kink here" in str(error)
    assert "move the point" in str(error)
    assert "to blame" not in str(error)


def test_the_slopes_on_both_sides_of_a_kink_are_shown():
    error = failing(lambda x: 2 * mg.abs(x), np.array([0.0, 1.0]))
    (failure,) = error.failures
    assert failure.slopes == (-2.0, 2.0)
    titles, row = (line.split() for line in str(error).splitlines()[1:3])
    assert titles[4:8] == ["left", "slope", "right", "slope"]
    assert row[6:8] == ["-2", "2"]
    assert "'abs' of shapes (2,) has a kink here, in operand 0 (slopes: left -1, right 1)" in str(error)


def test_slopes_are_shown_of_kinks_only():
    error = failing(lambda x: mg.abs(x) + wrong_sign(x), np.array([0.0, 1.0]))
    assert {failure.kind: failure.slopes is None for failure in error.failures} == {"wrong": True}
    assert "slope" not in str(error).splitlines()[1]
    error = failing(lambda x: (nn.functional.relu(x), wrong_sign(x)), np.array([0.0, 1.0]))
    assert {failure.kind: failure.slopes for failure in error.failures}["kink"] == (0.0, 1.0)
    assert {failure.kind: failure.slopes for failure in error.failures}["wrong"] is None


def test_the_operation_that_has_the_kink_is_named():
    assert failing(KINKS["deep inside"][0], np.array([0.0, 1.0])).operations == ["abs"]


def test_a_kink_does_not_hide_a_wrong_rule():
    error = failing(lambda x: mg.abs(x) + wrong_sign(x), np.array([0.0, 1.0]))
    assert error.kind == "wrong"
    assert error.operations == ["wrong_sine"]
    error = failing(lambda x: mg.concat([mg.abs(x), wrong_sign(x[-1:])]), np.array([0.0] * 12 + [1.0]))
    assert error.kind == "wrong"
    assert error.failures[0].input_element == (12,)


def test_a_slope_that_lies_on_neither_side_of_a_kink_is_wrong():
    @mg.primitive(lambda g, y, x: g * np.where(x == 0, 3.0, np.sign(x)))
    def wrong_at_the_kink(x, /):
        return np.abs(x)

    assert failing(wrong_at_the_kink, np.array([0.0, 1.0])).kind == "wrong"


def test_smooth_functions_have_no_kink_where_their_slope_vanishes():
    assert gradcheck(lambda x: x**2, np.zeros(3))
    assert gradcheck(lambda x: x * mg.abs(x), np.zeros(3))
    assert gradcheck(lambda x: x**5, np.zeros(3))


# The report


def test_the_report_names_elements_numbers_and_the_operation():
    def f(a, b):
        return a.sum(), mg.multiply(one_element(b), 2.0)

    error = failing(f, (point(2), np.array([[0.5, 0.25]])))
    assert error.kind == "wrong"
    assert error.count == 1
    (failure,) = error.failures
    assert (failure.output, failure.output_element) == (1, (0, 1))
    assert (failure.input, failure.input_element) == (1, (0, 1))
    assert failure.numeric == pytest.approx(2 * math.cos(0.25), rel=1e-9)
    assert failure.analytic == pytest.approx(2 * math.cos(0.25) * 1.001, rel=1e-12)
    assert failure.complex_step == pytest.approx(2 * math.cos(0.25), rel=1e-14)
    assert failure.error == pytest.approx(2e-3 * math.cos(0.25), rel=1e-5)
    assert failure.relative_error == pytest.approx(1e-3, rel=1e-5)
    assert failure.uncertainty < 1e-8
    assert str(error).splitlines() == [
        "1 of 12 gradients disagree with finite differences",
        "  output          input          analytic    numeric     complex step  error    relative",
        "  output 1[0, 1]  input 1[0, 1]  1.93976267  1.93782484  1.93782484    1.9e-03  1.0e-03",
        "The operation 'wrong_sine' of shapes (1, 2) is to blame: its own derivative with respect to operand 0 "
        "is wrong (analytic 0.969881334, numeric 0.968912422)",
    ]
    assert isinstance(error, GradcheckError)


def test_the_worst_failures_come_first_and_the_others_are_counted():
    error = failing(all_zero, np.linspace(0.1, 1.0, 20))
    assert error.count == 20
    assert [failure.error for failure in error.failures] == sorted((x.error for x in error.failures), reverse=True)
    assert "20 of 400 gradients disagree" in str(error)
    assert f"... and {20 - len(error.failures)} more" in str(error)


@pytest.mark.parametrize("step", [1, -1])
def test_the_worst_of_many_are_found_wherever_they_stand(step):
    @mg.primitive(lambda g, y, x: g * y * 1.001)
    def wrong_exp(x, /):
        return np.exp(x)

    calls = []
    x = np.linspace(0, 3, 60)[::step]
    error = failing(lambda x: (calls.append(None), wrong_exp(x))[1], x)
    assert [x[failure.input_element] for failure in error.failures] == sorted(x, reverse=True)[:8]
    assert len(calls) < 300 + 4 * len(x)
    error = failing(lambda x: wrong_exp(x) * np.array([[1.0], [2.0]]), x)
    assert [failure.output_element[0] for failure in error.failures[:4]] == [1] * 4
    assert failing(lambda x: wrong_exp(x), np.zeros(30)).count == 30


def test_what_is_not_finite_hides_no_wrong_derivative():
    error = failing(lambda x: (mg.sqrt(x), wrong_sign(x[-1])), np.array([0.0] * 12 + [1.0]))
    assert error.kind == "wrong"
    assert error.failures[0].input_element == (12,)


def test_parameters_and_the_operand_are_named():
    @mg.primitive(lambda g, y, a, b, *, power: g, lambda g, y, a, b, *, power: g * b)
    def plus_power(a, b, /, *, power):
        return a + b**power

    error = failing(lambda a, b: plus_power(a, b, power=2).sum(), (point(3, 2), point(2)))
    assert "'plus_power' of shapes (3, 2) and (2,), power=2 is to blame" in str(error)
    assert "operand 1" in str(error)


@pytest.mark.parametrize("place", [0, 14, 29])
def test_the_wrong_operation_is_found_in_a_deep_graph(place):
    steps = [mg.tanh, lambda x: x + 0.3, mg.exp, lambda x: mg.log(1 + x), mg.softmax]

    def f(x):
        for i in range(30):
            x = too_large(x) if i == place else steps[i % 5](x)
        return x

    error = failing(f, point(3))
    assert error.operations == ["wrong_sine"]


def test_the_check_of_a_large_operation_by_itself_is_a_fast_one():
    calls = []

    @mg.primitive(lambda g, y, x: g * 1.001)
    def wrong_copy(x, /):
        calls.append(None)
        return x.copy()

    error = failing(lambda x: wrong_copy(mg.broadcast_to(x, (200, 3))).sum(axis=0), point(3))
    assert error.operations == ["wrong_copy"]
    assert len(calls) < 500


def test_no_operation_is_blamed_for_what_lies_between_them():
    def detached(x):
        return x * x.detach()

    def hooked(x):
        y = x * 2
        y.register_hook(lambda g: 2 * g)
        return mg.sin(y)

    def written(x):
        x.data *= 2.0
        return x * x

    for f in (detached, hooked, written):
        error = failing(f, point(3))
        assert error.kind == "wrong"
        assert error.operations == []
        assert "Every operation of the graph is right by itself" in str(error)
        assert "detach()" in str(error)
        assert ("has written into the memory of input 0" in str(error)) == (f is written)


def test_float32_inside_the_function_is_pointed_out():
    error = failing(lambda x: mg.sin(x.astype(np.float32)).astype(np.float64), point(3))
    assert error.operations == []
    assert "float32" in str(error) or error.kind == "kink"


def test_the_complex_step_decides_nothing():
    @mg.primitive(lambda g, y, x: np.zeros_like(g))
    def flat_abs(x, /):
        return np.abs(x)

    error = failing(flat_abs, np.array([1.5]))  # the complex step, too, says 0
    assert error.kind == "wrong"
    assert error.failures[0].complex_step is None
    error = failing(lambda x: (x * x, flat_abs(x.astype(np.float64))), np.array([1.5]))
    assert error.failures[0].complex_step is None  # an imaginary part was lost on the way
    error = failing(lambda x: flat_abs(x) * (1 + 0 * x), np.array([1.5]))
    assert error.failures[0].complex_step == 0.0
    assert error.failures[0].numeric == pytest.approx(1.0)


# The function


def test_functions_that_are_not_deterministic_are_told_apart():
    rng = np.random.default_rng(0)
    seen = []
    error = failing(lambda x: (seen.append(None), x * rng.normal())[1], point(3))
    assert error.kind == "not deterministic"
    assert len(seen) == 2
    assert "not deterministic" in str(error)
    calls = []
    assert failing(lambda x: x * (calls.append(None) or len(calls) > 5), point(3)).kind == "not deterministic"


def test_outputs_that_change_their_shape_are_reported():
    assert failing(lambda x: x[x.data > 0.5], np.array([0.5, 1.0])).kind == "shape"


def test_integers_and_other_arguments_are_passed_on():
    index, seen = np.array([0, 2, 2]), []

    def f(x, index, k, word, flag, nothing):
        seen.append((index, k, word, flag, nothing))
        return mg.take(x, index) * k

    for check in (gradcheck, gradgradcheck):
        assert check(f, (point(3), index, 3, "word", True, None))
    assert all(args[0] is index and args[1:] == (3, "word", True, None) for args in seen)


@BOTH
def test_several_inputs_and_outputs(check):
    def f(x, n, y):
        return [x * y, mg.argmax(x), (x + n).sum(), mg.tensor([5.0])]

    assert check(f, (point(3), 2, mg.tensor(point(3))))
    assert check(f, [point(3), 2, point(3)], fast=True)
    assert check(lambda x: (x, x, x * 2), point(2))


@BOTH
@pytest.mark.parametrize("fast", [False, True])
def test_inputs_without_axes_and_without_elements(check, fast):
    for x in (0.5, np.float64(0.5), np.array(0.5), mg.tensor(0.5), np.empty((0, 3)), np.empty(0)):
        assert check(lambda x: mg.sin(x) * 2, x, fast=fast)
        assert check(lambda x: mg.sum(x * x), x, fast=fast)
    assert check(lambda x, y: x.sum() * y, (np.empty((0, 3)), point(2)), fast=fast)
    assert check(lambda x: x[:0], point(2), fast=fast)
    assert failing(too_large, 0.5, fast=fast).count > 0


@BOTH
def test_an_input_that_is_not_used_has_gradient_zero(check):
    assert check(lambda x, y: mg.sin(x), (point(2), point(3)))
    assert check(lambda x: mg.tensor([1.0]), point(3))
    error = failing(lambda x, y: mg.tensor(x.data * 2) + y, (point(2), point(2)))
    assert {failure.input for failure in error.failures} == {0}
    assert all(failure.analytic == 0 for failure in error.failures)


def test_functions_that_differentiate_inside_can_be_checked():
    def slope(x):
        (g,) = mg.autograd.grad((x**3).sum(), x, create_graph=True)
        return (g**2).sum()

    assert gradcheck(slope, point(3))


@BOTH
def test_nothing_of_the_callers_is_touched(check):
    w = mg.tensor(point(3), requires_grad=True)
    (w * w).sum().backward()
    x = mg.tensor(point(3), requires_grad=True)
    array = point(3)
    kept = w.grad, w.grad.numpy().copy(), x.data.copy(), array.copy()

    def f(x, array):
        result = w * mg.sin(x) * array
        array.data = np.zeros((2, 2))  # its own copy
        return result

    with pytest.raises(GradcheckError):
        check(f, (x, array))
    assert check(lambda x, array: w * mg.sin(x) * array, (x, array))
    assert w.grad is kept[0]
    assert np.array_equal(w.grad.numpy(), kept[1])
    assert x.grad is None
    assert np.array_equal(x.data, kept[2])
    assert np.array_equal(array, kept[3])


def test_the_mode_and_the_global_random_state_stay_as_they_are():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    with mg.no_grad():
        assert gradcheck(mg.sin, point(3), fast=True)
        assert not mg.is_grad_enabled()
    failing(too_large, point(3))
    assert mg.is_grad_enabled()
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


# Refusals and options


@BOTH
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_float32_is_refused_with_advice(check, dtype):
    for x in (point(3).astype(dtype), mg.tensor(point(3).astype(dtype))):
        with pytest.raises(DTypeError, match=rf"input 1 is {np.dtype(dtype)}.*x\.astype\(np\.float64\)"):
            check(lambda a, x: a * x, (1.0, x))
    with pytest.raises(DTypeError, match="output 0"):
        check(lambda x: x.astype(dtype), point(3))


@BOTH
def test_complex_numbers_are_checked_in_both_parts(check):
    point = np.array([0.3 + 0.4j, -1.0 + 0.2j])
    assert check(lambda z: mg.exp(z) * mg.conj(z), point)
    assert check(lambda z, x: mg.abs(z) * x, (point, np.array([2.0, 3.0])))
    assert check(lambda z: mg.exp(z) * mg.conj(z), point, fast=True)
    with pytest.raises(DTypeError, match=r"input 0 is complex64.*digits of float64"):
        check(lambda z: z, point.astype(np.complex64))


def test_what_cannot_be_checked_is_refused():
    assert failing(lambda n: mg.tensor(1.0), np.array([1, 2])).kind == "nothing to check"
    for f in (mg.argmax, lambda x: x > 0, lambda x: (x > 0, mg.argmax(x))):
        error = failing(f, point(3))
        assert error.kind == "nothing to check"
        assert "no result is floating-point" in str(error)
    assert gradcheck(lambda x: (x, mg.argmax(x)), point(3))
    with pytest.raises(DTypeError, match="output 0 of the function is a float"):
        gradcheck(lambda x: 1.0, point(3))


@BOTH
def test_what_cannot_be_checked_is_refused_with_advice(check):
    with pytest.raises(DTypeError, match=r"output 0 of the function is a float, .*functions of minigrad"):
        check(lambda x: 1.0, point(3))
    with pytest.raises(DTypeError, match=r"output 1\['loss'\] of the function is a ndarray"):
        check(lambda x: (x, {"loss": x.data}), point(3))
    with pytest.raises(DTypeError, match="Is a `return` missing"):
        check(lambda x: None, point(3))
    for f in (mg.sin, lambda n: None):
        error = failing(f, 1, check)
        assert error.kind == "nothing to check"
        assert "1.0" in str(error)
        assert "dtype=float" in str(error)
        assert "no input is floating-point" in str(error.report)
    for swapped in (point(3), mg.tensor(1.0), None):
        with pytest.raises(DTypeError, match=r"takes a function first.*gradcheck\(f, x\)"):
            check(swapped, mg.sin)


@BOTH
@each("eps", [0, -1e-5, np.nan, np.inf, "small", [1e-5]])
def test_steps_that_are_none_are_refused(check, eps):
    with pytest.raises(ArgumentError, match=r"eps must be a number above 0 .*: it is the step of the differences"):
        check(mg.sin, point(3), eps=eps)


@BOTH
@each("tolerance", [-1e-9, np.nan, "small", None])
def test_tolerances_that_are_none_are_refused(check, tolerance):
    with pytest.raises(ArgumentError, match=r"atol must be a number of at least 0, not .*: 1e-9 is usual"):
        check(mg.sin, point(3), atol=tolerance)
    with pytest.raises(ArgumentError, match=r"rtol must be a number of at least 0, not .*: 1e-6 is usual"):
        check(mg.sin, point(3), rtol=tolerance)


@BOTH
def test_numbers_of_numpy_are_steps_and_tolerances(check):
    assert check(mg.sin, point(3), eps=np.float64(1e-4), atol=np.float32(1e-3), rtol=0)


# Trees


@BOTH
def test_trees_keep_their_form(check):
    Pair = collections.namedtuple("Pair", "left right")
    seen = []

    def f(p, n, index):
        seen.append((p, index))
        return {"a": (p["w"] ** 2).sum(), "b": Pair(p["pair"].left[0] * n, [p["pair"].right, None])}

    index = [0, 1]
    assert check(f, ({"w": point(2), "pair": Pair([point(3), 0.5], 1 + 1j), "none": None, "word": "w"}, 3, index))
    p, given = seen[0]
    assert given is index
    assert type(p["pair"]) is Pair
    assert all(isinstance(x, mg.Tensor) for x in (p["w"], *p["pair"].left, p["pair"].right))
    assert (p["none"], p["word"]) == (None, "w")
    assert check(lambda p: (p["w"] ** 2).sum(), {"w": point(2)})  # the one argument
    assert check(lambda x, rest: x * rest[0], (point(2), [2.0]), fast=True)


def test_leaves_of_trees_are_named():
    def f(n, p):
        return mg.tensor(0.0), {"y": {"z": one_element(p["b"][0])}}

    error = failing(f, (3, {"w": point(2), "b": [point(3)]}))
    (failure,) = error.failures
    assert (failure.output, failure.input) == (1, 2)
    assert "output 1['y']['z'][1]  input 1['b'][0][1]" in str(error)
    error = failing(lambda p: {"y": cut_sine(p["w"])}, {"w": point(1)}, gradgradcheck)
    assert "gradient of input 0['w'][0]" in str(error)
    with pytest.raises(DTypeError, match=r"input 0\['w'\] is float32"):
        gradcheck(lambda p: p["w"], {"w": np.ones(2, np.float32)})
    with pytest.raises(DTypeError, match=r"output 0\['y'\] is float32"):
        gradcheck(lambda x: {"y": x.astype(np.float32)}, point(2))


# Modules


class Scaled(nn.Module):
    def __init__(self, rule=mg.sin):
        super().__init__()
        self.rule = rule
        self.scale = nn.Parameter(mg.tensor([0.5, 0.75]))
        self.inner = nn.BatchNorm1d(2)

    def forward(self, x):
        self.seen = x.data.sum()
        return self.inner(x) * self.rule(self.scale)


def state(module):
    values = {path: x.numpy().copy() for path, x in module.state_dict().items()}
    return values, [(id(x), id(x.array), x.grad, x.requires_grad) for x in module.parameters()], dict(vars(module))


def same(state, other):
    return (
        all(np.array_equal(x, other[0][path]) for path, x in state[0].items())
        and state[1] == other[1]
        and state[2].keys() == other[2].keys()
    )


@BOTH
def test_parameters_of_a_module_are_checked_and_stay(check):
    for rule, right in ((mg.sin, True), (too_large, False)):
        module = Scaled(rule)
        (module.scale * 2).sum().backward()
        before = state(module)
        if right:
            assert check(module, point(4, 2))
        else:
            error = failing(module, point(4, 2), check)
            assert error.operations == ["wrong_sine"]
            assert " scale[" in str(error)
            error.report.sweep()
            str(error.report)
        assert same(before, state(module))


def test_parameters_have_the_names_of_their_paths():
    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.part = Scaled(too_large)
            self.tied = self.part

        def forward(self, x, k):
            return self.part(x) * self.tied.scale * k

    error = failing(Outer(), (point(3, 2), 2))
    assert {failure.input for failure in error.failures} == {2}
    assert "  part.scale[" in str(error)
    assert error.report.names[1] == ["input 0", "input 1", "part.scale", "part.inner.weight", "part.inner.bias"]


def test_parameters_without_grad_are_constants():
    module = Scaled(too_large)
    module.scale.requires_grad_(False)
    assert gradcheck(module, point(3, 2))


def test_a_module_stays_what_it_is_when_its_forward_raises():
    module = Scaled()
    before = state(module)
    with pytest.raises(ShapeError):
        gradcheck(module, point(3, 5))
    with pytest.raises(DTypeError, match=r"input 0 is float32"):
        gradcheck(module, point(3, 2).astype(np.float32))
    assert same(before, state(module))


def test_modules_of_float32_are_refused_with_advice():
    with pytest.raises(DTypeError, match=r"weight is float32.*model\.double\(\)"):
        gradcheck(nn.Linear(2, 3).float(), point(3, 2))


@BOTH
def test_modules_that_return_trees_or_take_no_numbers(check):
    mg.manual_seed(0)
    assert check(nn.LSTM(2, 2), point(2, 1, 2), fast=True)
    assert check(nn.MultiheadAttention(4, 2), (point(2, 1, 4),) * 3, fast=True)
    assert check(nn.Embedding(3, 2), np.array([0, 2]))
    assert check(nn.Tanh(), point(2))
    assert failing(nn.Dropout(0.5), point(20), check).kind == "not deterministic"


def test_errors_of_the_function_itself_come_through():
    with pytest.raises(ShapeError):
        gradcheck(lambda x: x + np.ones(2), point(3))


def test_tolerances_and_the_step_are_those_given():
    x = point(3)
    assert gradcheck(too_large, x, rtol=1e-2)
    assert gradcheck(too_large, x, atol=1e-2)
    failing(too_large, x, rtol=9e-4)
    seen = []
    gradcheck(lambda x: (seen.append(x.data.copy()), mg.sin(x))[1], np.array([0.5, 3.0]), eps=1e-4)
    steps = np.abs(np.array(seen) - [0.5, 3.0])
    assert steps.max(axis=0) == pytest.approx([2e-4, 6e-4])
