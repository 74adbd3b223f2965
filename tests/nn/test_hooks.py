"""Hooks of modules: before and after a call, on the way back, their order, and what they may answer."""

import copy
import pickle

import numpy as np
import pytest

import minigrad as mg
from minigrad import errors, nn


class Pair(nn.Module):
    """Two inputs, two outputs, and an option."""

    def forward(self, x, y, factor=1.0):
        return x * factor, x + y


class Second(nn.Module):
    """Does not use its first input."""

    def forward(self, x, y):
        return 2.0 * y


class Own(nn.Module):
    """Uses its parameter alone, twice."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter([1.0, 2.0])

    def forward(self, x):
        return {"a": self.w * 2.0, "b": [self.w * 3.0, None]}


class Double(nn.Module):
    def forward(self, x):
        return 2.0 * x


def leaf(*numbers):
    return mg.tensor(list(numbers), requires_grad=True)


def lists(gradients):
    return tuple(None if g is None else g.tolist() for g in gradients)


def watched(module):
    """A module and the list of what its backward hooks are shown."""
    seen = []
    module.register_full_backward_hook(lambda m, entered, left: seen.append((lists(entered), lists(left))))
    return module, seen


def double_after(module, args, output):
    return 2.0 * output


# Before and after


def test_a_pre_hook_sees_the_arguments_and_may_change_them():
    layer, seen = Double(), []
    handle = layer.register_forward_pre_hook(lambda module, args: seen.append((module, args)))
    x = mg.tensor(1.0)
    assert layer(x).item() == 2.0
    assert seen == [(layer, (x,))]
    layer.register_forward_pre_hook(lambda module, args: 10.0 * args[0])
    assert layer(x).item() == 20.0
    layer.register_forward_pre_hook(lambda module, args: (args[0] + 1.0,))
    assert layer(x).item() == 22.0
    handle.remove()
    layer(x)
    assert len(seen) == 3


def test_a_forward_hook_sees_the_output_and_may_change_it():
    layer, seen = Double(), []
    layer.register_forward_hook(lambda module, args, output: seen.append((module, args, output)))
    x = mg.tensor(1.0)
    y = layer(x)
    assert seen == [(layer, (x,), y)]
    layer.register_forward_hook(double_after)
    assert layer(x).item() == 4.0
    assert layer(x=x).item() == 4.0


def test_hooks_with_kwargs():
    module, seen = Pair(), []
    x, y = mg.tensor(1.0), mg.tensor(2.0)
    module.register_forward_pre_hook(lambda m, args, kw: (args, {"factor": 5.0 * kw["factor"]}), with_kwargs=True)
    module.register_forward_hook(lambda m, args, kwargs, output: seen.append((args, kwargs, output)), with_kwargs=True)
    a, b = module(x, y, factor=2.0)
    assert (a.item(), b.item()) == (10.0, 3.0)
    assert seen == [((x, y), {"factor": 10.0}, (a, b))]
    module.register_forward_pre_hook(lambda m, args: (args[1], args[0]))  # one without keeps the keywords
    a, _ = module(x, y, factor=2.0)
    assert a.item() == 20.0


def test_a_pre_hook_with_kwargs_answers_with_both():
    layer = Double()
    layer.register_forward_pre_hook(lambda module, args, kwargs: args, with_kwargs=True)
    with pytest.raises(errors.DTypeError, match=r"a forward pre-hook of Double .* a pair \(args, kwargs\)"):
        layer(mg.tensor(1.0))


def test_hooks_run_in_the_order_of_registration_unless_prepended():
    layer, order = Double(), []

    def say(word):
        return lambda *args: order.append(word)

    for word, prepend in (("a", False), ("b", False), ("c", True), ("d", False), ("e", True)):
        layer.register_forward_pre_hook(say("before " + word), prepend=prepend)
        layer.register_forward_hook(say("after " + word), prepend=prepend)
        layer.register_full_backward_hook(say("back " + word), prepend=prepend)
    layer(leaf(1.0)).sum().backward()
    assert order == [f"{when} {word}" for when in ("before", "after", "back") for word in "ecabd"]


@pytest.mark.parametrize("remove", [lambda h: h.remove(), lambda h: h(), lambda h: h.__exit__()])
def test_a_hook_is_removed_once_and_alone(remove):
    layer = Double()
    first = layer.register_forward_hook(double_after)
    second = layer.register_forward_hook(double_after)
    remove(first)
    remove(first)
    assert layer(mg.tensor(1.0)).item() == 4.0
    remove(second)
    assert layer(mg.tensor(1.0)).item() == 2.0


def test_a_hook_lasts_as_long_as_its_with_block():
    layer = Double()
    with layer.register_forward_hook(double_after):
        assert layer(mg.tensor(1.0)).item() == 4.0
    with pytest.raises(ZeroDivisionError), layer.register_forward_hook(double_after):
        _ = 1 / 0
    assert layer(mg.tensor(1.0)).item() == 2.0


def test_a_hook_may_remove_itself_and_add_others():
    layer, count = Double(), []

    def once(module, args):
        count.append(1)
        handle.remove()
        module.register_forward_pre_hook(lambda m, a: count.append(10))

    handle = layer.register_forward_pre_hook(once)
    layer(mg.tensor(1.0))
    layer(mg.tensor(1.0))
    assert count == [1, 10]


@pytest.mark.parametrize("register", [
    lambda m, h: m.register_forward_pre_hook(h), lambda m, h: m.register_forward_hook(h),
    lambda m, h: m.register_full_backward_hook(h),
])  # fmt: skip
def test_an_exception_in_a_hook_passes_and_leaves_no_trace(register):
    layer = nn.Linear(2, 2)
    before = {name: p.tolist() for name, p in layer.state_dict().items()}

    def fail(*args):
        raise KeyError("mine")

    handle = register(layer, fail)
    with pytest.raises(KeyError, match="mine"):
        layer(leaf(1.0, 2.0)).sum().backward()
    handle.remove()
    layer.zero_grad()
    layer(leaf(1.0, 2.0)).sum().backward()
    assert layer.bias.grad.tolist() == [1.0, 1.0]
    assert {name: p.tolist() for name, p in layer.state_dict().items()} == before


def test_hooks_of_parts_run_when_the_whole_is_called():
    model, order = nn.Sequential(nn.Linear(2, 2), nn.Tanh()), []
    for name, part in model.named_modules():
        part.register_forward_hook(lambda module, args, output, name=name: order.append(name or "model"))
    model(mg.ones(2))
    assert order == ["0", "1", "model"]


# On the way back


def test_a_backward_hook_sees_gradients_of_inputs_and_outputs():
    layer, seen = watched(Double())
    x = leaf(1.0, 2.0)
    (layer(x) * mg.tensor([3.0, 5.0])).sum().backward()
    assert seen == [((([6.0, 10.0],), ([3.0, 5.0],)))]
    assert x.grad.tolist() == [6.0, 10.0]


def test_what_else_is_done_with_the_tensors_is_not_seen():
    layer, seen = watched(Double())
    x = leaf(1.0)
    y = layer(x)
    (y + 10.0 * y + 100.0 * x).sum().backward()
    assert seen == [((([22.0],), ([11.0],)))]
    assert x.grad.tolist() == [122.0]


def test_a_backward_hook_may_change_the_gradient():
    layer, seen = Double(), []
    layer.register_full_backward_hook(lambda m, entered, left: (10.0 * entered[0],))
    layer.register_full_backward_hook(lambda m, entered, left: 10.0 * entered[0])  # one need not be a tuple
    layer.register_full_backward_hook(lambda m, entered, left: seen.append(lists(entered)))
    x = leaf(1.0)
    (layer(x) + x).sum().backward()
    assert seen == [([200.0],)]
    assert x.grad.tolist() == [201.0]


def test_parameters_keep_their_own_gradient():
    layer = nn.Linear(2, 1)
    layer.register_full_backward_hook(lambda m, entered, left: 0.0 * entered[0])
    x = leaf(1.0, 2.0)
    layer(x).sum().backward()
    assert layer.weight.grad.tolist() == [[1.0, 2.0]]
    assert x.grad.tolist() == [0.0, 0.0]


def test_several_inputs_and_outputs():
    module, seen = watched(Pair())
    x, y = leaf(1.0), leaf(2.0)
    a, b = module(x, y, 3.0)
    (a + 2.0 * b).sum().backward()
    assert seen == [(([5.0], [2.0], None), ([1.0], [2.0]))]
    assert (x.grad.item(), y.grad.item()) == (5.0, 2.0)


def test_arguments_without_gradient_have_none():
    module, seen = watched(Pair())
    _, b = module(mg.tensor([1.0]), leaf(2.0))
    b.sum().backward()
    assert seen == [((None, [1.0]), (None, [1.0]))]


def test_an_input_that_is_not_used_does_not_keep_the_hook_from_being_called():
    module, seen = watched(Second())
    x, y = leaf(1.0), leaf(2.0)
    module(x, y).sum().backward()
    assert seen == [((None, [2.0]), ([1.0],))]
    assert x.grad is None
    assert y.grad.tolist() == [2.0]


def test_a_module_whose_input_has_no_gradient():
    layer, seen = watched(nn.Linear(2, 1))
    layer(mg.ones(2)).sum().backward()
    assert seen == [((None,), ([1.0],))]
    assert layer.bias.grad.tolist() == [1.0]


def test_outputs_in_dicts_and_lists():
    module, seen = watched(Own())
    result = module(mg.ones(2))
    (result["a"].sum() + 2.0 * result["b"][0].sum()).backward()
    assert seen == [((None,), ([1.0, 1.0], [2.0, 2.0]))]
    assert result["b"][1] is None
    assert module.w.grad.tolist() == [8.0, 8.0]


def test_only_some_of_the_outputs_are_used():
    module, seen = watched(Own())
    module(mg.ones(2))["b"][0].sum().backward()
    assert seen == [((None,), (None, [1.0, 1.0]))]
    lstm, seen = watched(nn.LSTM(2, 2))
    _, (h, _) = lstm(mg.ones((3, 2)))
    h.sum().backward()
    assert seen == [((None,), (None, [[1.0, 1.0]], None))]


def test_each_pass_shows_its_own_gradients():
    module, seen = watched(Pair())
    x, y = leaf(1.0), leaf(2.0)
    a, b = module(x, y)
    a.sum().backward(retain_graph=True)
    b.sum().backward(retain_graph=True)
    (a + b).sum().backward()
    assert seen == [
        (([1.0], None), ([1.0], None)), (([1.0], [1.0]), (None, [1.0])), (([2.0], [1.0]), ([1.0], [1.0])),
    ]  # fmt: skip


def test_each_call_is_watched_by_itself():
    layer, seen = watched(Double())
    layer(layer(leaf(1.0))).sum().backward()
    assert seen == [(([2.0],), ([1.0],)), (([4.0],), ([2.0],))]


def test_a_backward_hook_when_gradients_are_asked_for():
    layer, seen = watched(Double())
    x = leaf(1.0)
    (g,) = mg.autograd.grad(layer(x).sum(), x)
    assert g.tolist() == [2.0]
    assert seen == [(([2.0],), ([1.0],))]


def test_gradients_that_a_hook_changed_can_be_differentiated_again():
    layer = nn.Tanh()
    layer.register_full_backward_hook(lambda m, entered, left: 3.0 * entered[0])
    x = mg.tensor(0.5, requires_grad=True)
    (g,) = mg.autograd.grad(layer(x), x, create_graph=True)
    (h,) = mg.autograd.grad(g, x)
    t = np.tanh(0.5)
    assert g.item() == pytest.approx(3 * (1 - t**2))
    assert h.item() == pytest.approx(3 * -2 * t * (1 - t**2) * 3)  # the second pass goes through the hook, too


def test_no_grad_needs_no_watch():
    layer, seen = watched(Double())
    with mg.no_grad():
        assert not layer(leaf(1.0)).requires_grad
    assert layer(mg.tensor([1.0])).tolist() == [2.0]
    assert seen == []


def test_a_backward_hook_answers_for_each_input():
    layer = Double()
    layer.register_full_backward_hook(lambda m, entered, left: (entered[0], entered[0]))
    with pytest.raises(errors.DTypeError, match="a backward hook of Double answered with 2 gradients for 1 inputs"):
        layer(leaf(1.0)).sum().backward()


def test_a_backward_hook_changes_a_single_input_only():
    module = Pair()
    module.register_full_backward_hook(lambda m, entered, left: entered)
    with pytest.raises(errors.DTypeError, match=r"a backward hook of Pair can change .* a single input only"):
        sum(module(leaf(1.0), leaf(2.0))).sum().backward()


def test_a_changed_gradient_must_fit():
    layer = Double()
    layer.register_full_backward_hook(lambda m, entered, left: mg.ones(3))
    with pytest.raises(errors.ShapeError, match=r"returned a gradient of shape \(3,\) for a Tensor of shape \(1,\)"):
        layer(leaf(1.0)).sum().backward()


# Copies


def test_a_copy_has_its_own_hooks():
    layer = nn.Linear(2, 2)
    handle = layer.register_forward_hook(double_after)
    made = copy.deepcopy(layer)
    handle.remove()
    x = mg.ones(2)
    np.testing.assert_allclose((2.0 * layer(x)).tolist(), made(x).tolist())
    with made.register_forward_hook(double_after):
        np.testing.assert_allclose((4.0 * layer(x)).tolist(), made(x).tolist())


def test_a_hook_that_belongs_to_the_module_belongs_to_its_copy():
    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.calls = 0
            self.handle = self.register_forward_pre_hook(self.count)

        @staticmethod
        def count(module, args):
            module.calls += 1

        def forward(self, x):
            return x

    one = Counting()
    other = copy.deepcopy(one)
    other(1.0)
    assert (one.calls, other.calls) == (0, 1)
    other.handle.remove()
    other(1.0)
    one(1.0)
    assert (one.calls, other.calls) == (1, 1)


def test_a_module_with_hooks_can_be_pickled():
    layer = Double()
    layer.register_forward_hook(double_after)
    assert pickle.loads(pickle.dumps(layer))(mg.tensor(1.0)).item() == 4.0


# Of a Tensor


def test_hooks_of_a_tensor_have_handles_too():
    x = leaf(1.0)
    with x.register_hook(lambda g: 3.0 * g) as handle:
        (2.0 * x).sum().backward()
        assert x.grad.tolist() == [6.0]
    assert handle.remove() is None
    x.grad = None
    (2.0 * x).sum().backward()
    assert x.grad.tolist() == [2.0]
