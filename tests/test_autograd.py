"""`autograd.grad`, `detect_anomaly`, operations that users define, and recording."""

import math

import numpy as np
import pytest

import minigrad as mg
from minigrad import autograd, errors
from minigrad.core import numpy_functions, primitives
from minigrad.graph import recording
from tests.rows import each


@pytest.fixture(autouse=True)
def _registry():
    """Operations that a test defines are forgotten after it."""
    known, functions = dict(primitives), dict(numpy_functions)
    yield
    for registry, before in ((primitives, known), (numpy_functions, functions)):
        registry.clear()
        registry.update(before)


def leaf(*values, **how):
    return mg.tensor(list(values), requires_grad=True, **how)


# autograd.grad


def test_grad_gives_a_tuple_and_touches_no_grad():
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    x.grad = [7.0, 7.0]
    slopes = autograd.grad((x * y * y).sum(), (x, y))
    assert type(slopes) is tuple
    assert [s.tolist() for s in slopes] == [[9.0, 16.0], [6.0, 16.0]]
    assert not any(s.requires_grad for s in slopes)
    assert (x.grad.tolist(), y.grad) == ([7.0, 7.0], None)
    (alone,) = autograd.grad((x * x).sum(), x)
    assert alone.tolist() == [2.0, 4.0]


def test_inputs_may_be_results_and_even_the_output_itself():
    x = leaf(1.0, 2.0)
    h = x * x
    y = (h * 3.0).sum()
    above, on, below = autograd.grad(y, [y, h, x])
    assert (above.item(), on.tolist(), below.tolist()) == (1.0, [3.0, 3.0], [6.0, 12.0])


def test_an_input_on_the_way_to_another_counts_for_both():
    x = leaf(2.0)
    h = x * x
    y = (h * h * x).sum()
    to_x, to_h = autograd.grad(y, [x, h])
    assert (to_x.tolist(), to_h.tolist()) == ([80.0], [16.0])


def test_one_input_may_be_asked_for_twice():
    x = leaf(3.0)
    first, second = autograd.grad((x * x).sum(), [x, x])
    assert first.tolist() == second.tolist() == [6.0]


def test_hooks_see_the_gradient_that_is_returned():
    x = leaf(1.0, 2.0)
    h = x * x
    h.register_hook(lambda g: g * 10.0)
    to_h, to_x = autograd.grad(h.sum(), [h, x])
    assert (to_h.tolist(), to_x.tolist()) == ([10.0, 10.0], [20.0, 40.0])


def test_hooks_off_the_way_are_not_called():
    x, y = leaf(1.0), leaf(2.0)
    y.register_hook(lambda g: pytest.fail("y was not asked for"))
    (slope,) = autograd.grad((x * y).sum(), x)
    assert slope.tolist() == [2.0]


@pytest.mark.parametrize("grad_outputs", [[1.0, 10.0], np.array([1.0, 10.0]), mg.tensor([1.0, 10.0])])
def test_weights_of_an_output_that_is_no_single_number(grad_outputs):
    x = leaf(1.0, 2.0)
    weights = [grad_outputs] if isinstance(grad_outputs, list) else grad_outputs
    (slope,) = autograd.grad(x * x, x, weights)
    assert slope.tolist() == [2.0, 40.0]


def test_several_outputs_are_summed_and_each_may_have_weights():
    x = leaf(1.0, 2.0)
    double, total = x * 2.0, (x * x).sum()
    (slope,) = autograd.grad([double, total, total], x, [np.array([1.0, 10.0]), None, 3.0])
    assert slope.tolist() == [2.0 + 4 * 2.0, 20.0 + 4 * 4.0]


def test_an_output_may_lie_above_another():
    x = leaf(3.0)
    h = (x * x).sum()
    (slope,) = autograd.grad([h, h * h], x)
    assert slope.tolist() == [6.0 + 2 * 9 * 6.0]


def test_an_unused_input_is_an_error_unless_it_is_allowed():
    x, unused = leaf(1.0), leaf(2.0)
    with pytest.raises(errors.GraphError, match=r"input 1.*allow_unused"):
        autograd.grad((x * x).sum(), [x, unused])
    used, missing = autograd.grad((x * x).sum(), [x, unused], allow_unused=True)
    assert (used.tolist(), missing) == ([2.0], None)
    assert autograd.grad((x * x).sum(), unused, allow_unused=True) == (None,)


def test_no_inputs_give_no_gradients():
    assert autograd.grad(leaf(1.0).sum(), []) == ()


@pytest.mark.parametrize(("outputs", "inputs", "message"), [
    (lambda x: mg.tensor(1.0), lambda x: x, "output 0"),
    (lambda x: [x.sum(), 3.0], lambda x: x, "output 1"),
    (lambda x: x.sum(), lambda x: [x, mg.tensor(1.0)], "input 1"),
    (lambda x: x.sum(), lambda x: x.detach(), "input 0"),
    (lambda x: x * 1.0, lambda x: x, "single number"),
])  # fmt: skip
def test_what_has_no_graph_is_named(outputs, inputs, message):
    x = leaf(1.0, 2.0)
    with pytest.raises(errors.GraphError, match=message):
        autograd.grad(outputs(x), inputs(x))


def test_weights_must_fit_in_number_and_shape():
    x = leaf(1.0, 2.0)
    with pytest.raises(ValueError, match=r"1 output.*2 grad_outputs"):
        autograd.grad(x * x, x, [mg.ones(2), mg.ones(2)])
    with pytest.raises(errors.ShapeError, match=r"\(3,\).*\(2,\)"):
        autograd.grad(x * x, x, mg.ones(3))


def test_the_graph_is_released_unless_it_is_retained():
    x = leaf(1.0, 2.0)
    y = (x * x).sum()
    autograd.grad(y, x, retain_graph=True)
    autograd.grad(y, x)
    with pytest.raises(errors.ReleasedGraphError, match=r"`autograd\.grad\(y, x\)`"):
        autograd.grad(y, x)
    z = (x * x).sum()
    autograd.grad(z, x, create_graph=True, retain_graph=False)
    with pytest.raises(errors.ReleasedGraphError):
        autograd.grad(z, x)


def test_parts_that_were_released_do_not_matter_below_the_inputs():
    x = leaf(1.0, 2.0)
    state = x * x
    state.sum().backward()
    (slope,) = autograd.grad((state * state).sum(), state)
    assert slope.tolist() == [2.0, 8.0]


def test_a_released_part_that_may_lead_to_an_input_is_an_error_and_not_a_constant():
    x = leaf(1.0, 2.0)
    released = x * x
    released.sum().backward()
    with pytest.raises(errors.ReleasedGraphError):
        autograd.grad((x * released).sum(), x)


def test_what_grad_leaves_alone_can_still_be_walked():
    x = leaf(1.0, 2.0)
    state = x * x
    autograd.grad((state * state).sum(), state)
    state.sum().backward()
    assert x.grad.tolist() == [2.0, 4.0]


def test_derivatives_of_any_order():
    x = mg.tensor(2.0, requires_grad=True)
    y, factor = x**5, 1.0
    for order in range(1, 7):
        factor *= 6 - order
        (y,) = autograd.grad(y, x, create_graph=True) if y.requires_grad else (mg.tensor(0.0),)
        assert y.item() == pytest.approx(factor * 2.0 ** (5 - order))


def test_gradients_with_a_graph_can_be_part_of_a_loss():
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    (slope,) = autograd.grad((w * x * x).sum(), x, create_graph=True)
    (slope * slope).sum().backward()
    assert w.grad.tolist() == [2 * 4 * 3.0 * 1.0, 2 * 4 * 4.0 * 4.0]
    assert x.grad.tolist() == [2 * 4 * 9.0 * 1.0, 2 * 4 * 16.0 * 2.0]


def test_weights_that_require_grad_are_differentiated_too():
    x, v = leaf(1.0, 2.0), leaf(3.0, 4.0)
    (product,) = autograd.grad(x * x * x, x, v, create_graph=True)
    (back,) = autograd.grad(product, v, mg.ones(2))
    assert back.tolist() == [3.0, 12.0]


def test_grad_works_inside_no_grad():
    x = leaf(1.0, 2.0)
    y = (x * x * x).sum()
    with mg.no_grad():
        (slope,) = autograd.grad(y, x, create_graph=True)
        assert not mg.is_grad_enabled()
    (bend,) = autograd.grad(slope.sum(), x)
    assert bend.tolist() == [6.0, 12.0]


# detect_anomaly


def test_an_anomaly_in_the_forward_pass_names_operation_line_and_operands():
    x = leaf(1.0, -4.0)
    with mg.detect_anomaly(), np.errstate(all="ignore"), pytest.raises(errors.AnomalyError) as caught:
        mg.log(x)  # here
    message = str(caught.value)
    assert message.startswith("log made NaN, in 1 of 2 elements")
    assert "test_autograd.py" in message
    assert "`mg.log(x)  # here`" in message
    assert "operand 0: float64 (2,), from -4 to 1" in message
    assert isinstance(caught.value, RuntimeError)
    assert isinstance(caught.value, FloatingPointError)


@each("f", [
    lambda x: x / 0.0, lambda x: np.sqrt(x) * np.inf, lambda x: mg.exp(x * 1e6), lambda x: x.sum() - np.inf,
    lambda x: mg.concat([x, np.array([np.nan])]), lambda x: mg.where(x > 0, np.nan, x), lambda x: x.detach() / 0.0,
])  # fmt: skip
def test_every_kind_of_operation_is_watched(f):
    with mg.detect_anomaly(), np.errstate(all="ignore"), pytest.raises(errors.AnomalyError, match="operand 0"):
        f(leaf(1.0, 4.0))


@pytest.mark.parametrize("create_graph", [False, True])
def test_an_anomaly_in_the_backward_pass_names_the_line_of_the_operation(create_graph):
    x = leaf(4.0, 0.0)
    with mg.detect_anomaly():
        loss = mg.sqrt(x).sum()  # the root of it
        with pytest.raises(errors.AnomalyError) as caught:
            loss.backward(create_graph=create_graph)
    message = "\n".join([str(caught.value), *getattr(caught.value, "__notes__", ())])
    assert "derivative of sqrt" in message
    assert "inf, in 1 of 2 elements" in message
    assert "`loss = mg.sqrt(x).sum()  # the root of it`" in message
    if not create_graph:  # otherwise an operation of the rule may be the one that is caught, and shows its operands
        assert "gradient of the result: float64 (2,), from 1 to 1" in message
        assert "operand 0: float64 (2,), from 0 to 4" in message
    assert x.grad is None


def test_an_anomaly_names_parameters():
    with mg.detect_anomaly(), np.errstate(all="ignore"), pytest.raises(errors.AnomalyError, match="axis=1"):
        mg.prod(mg.tensor([[1e200, 1e200]], requires_grad=True), axis=1)


def test_nothing_is_raised_where_everything_is_finite_or_nobody_watches():
    x = leaf(4.0, 0.0)
    with mg.detect_anomaly():
        (x * x + mg.exp(x)).sum().backward()
    mg.sqrt(x).sum().backward()
    assert x.grad.tolist()[1] == math.inf


# Operations that users define


def test_a_primitive_is_differentiable_any_number_of_times():
    @mg.primitive(lambda g, y, x: 3 * g * x**2)
    def cube(x, /):
        """The third power."""
        return x**3

    x = leaf(1.0, 2.0)
    (first,) = autograd.grad(cube(x).sum(), x, create_graph=True)
    (second,) = autograd.grad(first.sum(), x, create_graph=True)
    assert (first.tolist(), second.tolist()) == ([3.0, 12.0], [6.0, 12.0])
    assert type(cube(np.ones(2))) is np.ndarray
    assert cube.__doc__ == "The third power."
    assert repr(cube(x)) == "tensor([1., 8.], op=cube)"
    assert not cube(mg.tensor(2.0)).requires_grad


def test_parameters_go_by_name_or_position_and_reach_the_rule():
    @mg.primitive(lambda g, y, x, *, k, shift: g * k * np.cos(k * x + shift))
    def wave(x, /, k=1.0, *, shift=0.0):
        return np.sin(k * x + shift)

    for call in (lambda x: wave(x, 2.0, shift=0.5), lambda x: wave(x, k=2.0, shift=0.5)):
        x = leaf(0.3)
        call(x).sum().backward()
        assert x.grad.tolist() == pytest.approx([2 * math.cos(1.1)])
        assert call(np.array([0.3])) == pytest.approx(math.sin(1.1))
    assert wave(leaf(0.3)).tolist() == pytest.approx([math.sin(0.3)])
    for bad in (lambda x: wave(x, 1.0, 2.0), lambda x: wave(x, speed=1.0), lambda x: wave()):
        with pytest.raises(TypeError, match="wave"):
            bad(leaf(0.3))


def test_a_joint_rule_gives_the_gradients_of_all_operands():
    @mg.primitive(joint=lambda g, y, *arrays: [g * 2 * x for x in arrays])
    def squares(*arrays):
        return sum(x * x for x in arrays)

    a, b, constant = leaf(1.0), leaf(2.0), np.array([5.0])
    squares(a, constant, b, a).sum().backward()
    assert (a.grad.tolist(), b.grad.tolist()) == ([4.0], [4.0])


def test_functions_may_return_python_numbers_and_lists():
    number = mg.primitive(lambda g, y, x: g * np.ones_like(x))(lambda x, /: float(np.sum(x)))
    items = mg.primitive(lambda g, y, x: 2 * g)(lambda x, /: [2 * value for value in x])
    x = leaf(1.0, 2.0)
    assert number(x).shape == ()
    (number(x) + items(x).sum()).backward()
    assert x.grad.tolist() == [3.0, 3.0]
    assert isinstance(number(np.ones(2)), np.ndarray | np.generic)


def test_rules_may_return_python_numbers_for_single_numbers():
    f = mg.primitive(lambda g, y, x: 3.0)(lambda x, /: 3.0 * x)
    for create_graph in (False, True):
        x = mg.tensor(1.0, requires_grad=True)
        f(x).backward(create_graph=create_graph)
        assert x.grad.item() == 3.0


def test_a_function_may_stand_for_one_of_numpys():
    @mg.primitive(lambda g, y, x: np.zeros_like(g), numpy=np.spacing)
    def spacing(x, /):
        return np.spacing(x)

    assert np.spacing(leaf(1.0)).tolist() == [np.spacing(1.0)]
    assert np.spacing(leaf(1.0)).requires_grad


def test_an_operation_without_rules_never_requires_grad():
    rank = mg.primitive()(lambda x, /: np.argsort(np.argsort(x)) * 1.0)
    assert not rank(leaf(2.0, 1.0)).requires_grad


@each(("rules", "joint", "function"), [
    ((), None, lambda x: x),
    ((abs,), None, lambda x: x),
    ((abs,), None, lambda a, b, /: a),
    ((abs, abs), None, lambda x, /: x),
    ((abs,), None, lambda *arrays: arrays),
    ((), abs, lambda a, b: a),
    ((abs,), abs, lambda x, /: x),
    ((abs,), None, np.sin),
])  # fmt: skip
def test_a_primitive_whose_rules_do_not_fit_its_operands_is_refused_when_it_is_made(rules, joint, function):
    with pytest.raises(TypeError, match=r"operand|rule|function"):
        mg.primitive(*rules, joint=joint)(function)


@each("returned", [np.ones((3, 2)), np.ones(4), np.ones((5, 3)), np.ones((0, 3)), "three", None])
@each("create_graph", [False, True])
def test_a_rule_of_the_wrong_shape_is_named_or_summed(returned, create_graph):
    wrong = mg.primitive(lambda g, y, x: returned)(_wrong)
    x = leaf(1.0, 2.0, 3.0)
    if isinstance(returned, np.ndarray) and returned.shape[1:] == (3,):
        wrong(x).sum().backward(create_graph=create_graph)
        assert x.grad.tolist() == [float(len(returned))] * 3
        return
    numbers = isinstance(returned, np.ndarray)
    with pytest.raises(errors.ShapeError if numbers else errors.DTypeError, match=r"rule of wrong"):
        wrong(x).sum().backward(create_graph=create_graph)
    assert x.grad is None


def _wrong(x, /):
    return x * 1.0


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_joint_rule_with_the_wrong_number_of_gradients_is_named(count):
    wrong = mg.primitive(joint=lambda g, y, a, b: (g,) * count)(lambda a, b, /: a + b)
    a, b = leaf(1.0), leaf(2.0)
    with pytest.raises(errors.MinigradError, match=f"{count} gradients"):
        wrong(a, b).sum().backward()
    assert a.grad is None
    assert b.grad is None


@pytest.mark.parametrize("how", ["joint", "rules"])
def test_an_operand_without_derivative_gets_none_of_the_gradient(how):
    rules = {"joint": lambda g, y, a, b: (g, None)} if how == "joint" else {}
    choose = mg.primitive(*() if rules else (lambda g, y, a, b: g, None), **rules)(lambda a, b, /: a + np.sign(b))
    a, b = leaf(1.0), leaf(2.0)
    h = b * 1.0
    choose(a, h).sum().backward()
    assert a.grad.tolist() == [1.0]
    assert b.grad is None


def test_conditions_and_indices_that_require_grad_are_no_obstacle():
    x = leaf(1.0, 0.0, 2.0)
    mg.where(x, x * 3.0, x * 5.0).sum().backward()
    assert x.grad.tolist() == [3.0, 5.0, 3.0]


def test_the_users_own_exceptions_pass_through_unchanged():
    class MyError(ValueError):
        pass

    def fail(x, /):
        raise MyError("my words")

    with pytest.raises(MyError, match="my words"):
        mg.primitive(lambda g, y, x: g)(fail)(leaf(1.0))


# Recording


def test_recording_lists_all_operations_in_order_and_those_of_a_derivative():
    x = leaf(0.5)
    with recording() as nodes:
        y = mg.sin(x).sum()
        constant = mg.tensor(1.0) + 2.0
        (slope,) = autograd.grad(y, x, create_graph=True)
    names = [node.op.name for node in nodes]
    assert names[:3] == ["sin", "sum", "add"]
    assert "cos" in names[3:]
    assert [node.seq for node in nodes] == sorted(node.seq for node in nodes)
    assert (constant.requires_grad, slope.requires_grad) == (False, True)
    mg.exp(x)
    assert len(nodes) == len(names)


def test_recording_under_no_grad_and_one_within_another():
    x = leaf(0.5)
    with recording() as outer:
        with mg.no_grad(), recording() as inner:
            assert not mg.exp(x).requires_grad
        mg.sin(x)
    assert [node.op.name for node in inner] == ["exp"]
    assert [node.op.name for node in outer] == ["sin"]
