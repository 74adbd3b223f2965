"""What all layers have in common: precision, layout of memory, batches, copies, derivatives."""

import copy
import inspect
import pickle

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.core import leaf, name_of
from minigrad.tree import flatten
from tests.nn.table import CALLS, OTHERS
from tests.rows import each, first_name
from tests.test_ops import awkward


def over(calls):
    return each("call", calls, row=lambda call: first_name(call.name))


def is_float(x):
    return getattr(getattr(x, "dtype", None), "kind", "") == "f"


def weights(x):
    return np.cos(1 + np.arange(x.size)).reshape(x.shape).astype(x.dtype)


def outputs(layer, *inputs):
    """All that a layer gives out, always with the same random numbers."""
    mg.manual_seed(2)
    return flatten(layer(*inputs))[0]


def total(results):
    return sum((x * weights(x)).sum() for x in results if is_float(x))


def entered(arrays, same):
    """The inputs as leaves."""
    made = [name_of(x, leaf(x)) if is_float(x) else x for x in arrays]
    return made[:1] * len(made) if same else made


def gradients(call, arrays, layer=None):
    """Outputs, and the gradients of inputs and parameters."""
    layer = call.layer() if layer is None else layer
    leaves = entered(arrays, call.same)
    results = outputs(layer, *leaves)
    if any(getattr(x, "requires_grad", False) for x in results):
        total(results).backward()
    tensors = [x for x in leaves if isinstance(x, mg.Tensor)] + [*layer.parameters()]
    return [np.asarray(x.data) for x in results if x is not None], [x.grad for x in tensors]


def assert_close(actual, desired, rtol=1e-12):
    for a, b in zip(actual, desired, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_allclose(np.asarray(a.data if isinstance(a, mg.Tensor) else a), b, rtol=rtol, atol=1e-12)


def numbers(results):
    return [np.asarray(x.data) for x in results]


def taken(x, axis, index):
    return x[(slice(None),) * min(axis, x.ndim - 1) + (index,)]


# The table


def test_every_layer_is_in_the_table():
    classes = {name for name in nn.__all__ if inspect.isclass(getattr(nn, name))}
    layers = {name for name in classes if issubclass(getattr(nn, name), nn.Module)}
    assert layers - OTHERS == {call.name.partition(" ")[0] for call in CALLS}


# Values


@over(CALLS)
def test_single_precision_stays(call):
    layer = call.layer(np.float32)
    values, grads = gradients(call, call.inputs(np.float32), layer)
    assert {x.dtype for x in values if x.dtype.kind == "f"} <= {np.dtype(np.float32)}
    assert {g.dtype for g in grads if g is not None} <= {np.dtype(np.float32)}
    exact, _ = gradients(call, call.inputs())
    for x, y in zip(values, exact, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-3, atol=1e-4)


@over(CALLS)
def test_layout_of_memory_changes_nothing_and_inputs_stay(call):
    arrays = call.inputs()
    views = [awkward(x) if is_float(x) else x for x in arrays]
    before = [np.copy(x) for x in views]
    for found, expected in zip(gradients(call, views), gradients(call, arrays), strict=True):
        assert_close(found, expected)
    assert all(np.array_equal(x, y) for x, y in zip(views, before, strict=True))


def takes_integers(call):
    """Not those that tell labels from chances by their dtype, or pad with a fraction."""
    numbers = all(isinstance(x, tuple) for x in call.shapes) and call.domain is np.asarray
    return numbers and not call.name.startswith(("CrossEntropyLoss", "ConstantPad"))


@over([call for call in CALLS if takes_integers(call)])
def test_integers_are_taken_as_numbers(call):
    whole = [np.round(3 * x) for x in call.inputs()]
    found = outputs(call.layer(), *[x.astype(np.int64) for x in whole])
    assert_close(numbers(found), numbers(outputs(call.layer(), *whole)))


@over([call for call in CALLS if call.name != "Identity"])
def test_arrays_tensors_and_lists_are_taken(call):
    arrays = call.inputs()
    expected = numbers(outputs(call.layer(), *arrays))
    tensors = outputs(call.layer(), *[mg.tensor(x) for x in arrays])
    assert all(isinstance(x, mg.Tensor) for x in tensors)
    assert_close(numbers(tensors), expected)
    assert_close(numbers(outputs(call.layer(), *[x.tolist() for x in arrays])), expected)


# Batches


@over([call for call in CALLS if call.batch is not None])
def test_a_batch_may_be_empty(call):
    full = outputs(call.layer(), *call.inputs())
    values, grads = gradients(call, [taken(x, call.batch, slice(0, 0)) for x in call.inputs()])
    assert [x.size for x in values] == [0] * len(values)
    assert [sum(n == 0 for n in x.shape) for x in values] == [1] * len(values)
    assert [x.ndim for x in values] == [x.ndim for x in full]
    assert all(not g.data.any() for g in grads if g is not None)


@over([call for call in CALLS if call.single])
def test_a_batch_may_be_left_out(call):
    one = [taken(x, call.batch, slice(0, 1)) for x in call.inputs()]
    without = [taken(x, call.batch, 0) for x in call.inputs()]
    values, grads = gradients(call, one)
    found, other = gradients(call, without)
    for x, y in zip(found, values, strict=True):
        # In some outputs (weights of attention) the batch is the first axis all the same.
        assert x.size == y.size
        assert x.ndim == y.ndim - 1
        np.testing.assert_allclose(x.ravel(), y.ravel(), rtol=1e-12, atol=1e-12)
    for g, h in zip(grads, other, strict=True):
        assert (g is None) == (h is None)
        assert g is None or np.allclose(g.data.ravel(), h.data.ravel(), rtol=1e-12, atol=1e-12)


# Copies and state


@over(CALLS)
def test_copies_give_the_same_and_are_independent(call):
    layer, arrays = call.layer(), call.inputs()
    copies = [copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))]
    expected = numbers(outputs(layer, *arrays))
    for made in copies:
        assert repr(made) == repr(layer)
        assert_close(numbers(outputs(made, *arrays)), expected)
        for ours, theirs in zip(layer.state_dict(), made.state_dict(), strict=True):
            assert ours == theirs
        mine = [*layer.parameters(), *layer.buffers()]
        assert not any(
            np.shares_memory(x.data, y.data) for x, y in zip(mine, [*made.parameters(), *made.buffers()], strict=True)
        )


@over([call for call in CALLS if [*call.make().state_dict()]])
def test_the_state_is_all_that_a_layer_knows(call):
    layer, other, arrays = call.layer(), call.make(), call.inputs()
    outputs(layer, *arrays)  # moves running statistics
    other.load_state_dict(layer.state_dict())
    assert_close(numbers(outputs(other.eval(), *arrays)), numbers(outputs(layer.eval(), *arrays)))


@over(CALLS)
def test_a_layer_says_what_it_is(call):
    layer = call.layer()
    assert repr(layer).startswith(f"{type(layer).__name__}(")
    assert "object at 0x" not in repr(layer).replace("<function", "")
    assert layer.training is not call.name.endswith("in use")
    assert all(p.name and p.requires_grad for p in layer.parameters())


@over([call for call in CALLS if not call.random and "BatchNorm" not in call.name])
def test_use_and_training_are_the_same(call):
    layer, arrays = call.layer(), call.inputs()
    assert_close(numbers(outputs(layer.eval(), *arrays)), numbers(outputs(layer.train(), *arrays)))


@over([call for call in CALLS if call.random])
def test_random_layers_draw_in_training_only_and_from_the_seed(call):
    layer, arrays = call.layer(), call.inputs()
    same = numbers(outputs(layer, *arrays))
    assert_close(numbers(outputs(layer, *arrays)), same)
    state = mg.random.get_state()
    layer.eval()
    assert_close(numbers(flatten(layer(*arrays))[0]), numbers(flatten(layer(*arrays))[0]))
    assert mg.random.get_state() == state
    layer.train()
    layer(*arrays)
    assert mg.random.get_state() != state


# Derivatives


def function_of(call):
    """A function of the floating-point inputs and the parameters."""
    layer, arrays = call.layer(), call.inputs()
    paths = [path for path, _ in layer.named_parameters()]
    free = [i for i, x in enumerate(arrays) if is_float(x)][: 1 if call.same else None]

    def function(*operands):
        given = dict(zip(free, operands, strict=False))
        inputs = [given.get(0 if call.same else i, x) for i, x in enumerate(arrays)]
        mg.manual_seed(2)
        found = nn.functional_call(layer, dict(zip(paths, operands[len(free) :], strict=True)), *inputs)
        return [x for x in flatten(found)[0] if is_float(x)]

    return lambda *operands: mg.concat([x.reshape(-1) for x in function(*operands)]), (
        *(arrays[i] for i in free),
        *(p.detach() for p in layer.parameters()),
    )


MANY = 100  # inputs and parameters that are not moved one by one


@over([call for call in CALLS if call.orders])
def test_first_derivatives(call):
    function, operands = function_of(call)
    assert mg.gradcheck(function, operands, fast=sum(x.size for x in operands) > MANY)


@pytest.mark.slow
@over([call for call in CALLS if call.orders])
def test_all_first_derivatives(call):
    assert mg.gradcheck(*function_of(call))


@over([call for call in CALLS if call.orders > 1])
def test_second_derivatives(call):
    function, operands = function_of(call)
    assert mg.gradgradcheck(function, operands, fast=sum(x.size for x in operands) > MANY)


@pytest.mark.slow
@over([call for call in CALLS if call.orders > 1])
def test_all_second_derivatives(call):
    assert mg.gradgradcheck(*function_of(call))
