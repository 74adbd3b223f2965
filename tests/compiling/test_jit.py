"""What `jit` takes for the same call, what it finds again, and what it refuses."""

import copy
import dataclasses
import gc
import os
import pickle
import subprocess
import sys
import threading
import warnings
import weakref

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.compiling import disabled, jit
from minigrad.core import unwrap
from minigrad.errors import ArgumentError, ProgramError
from tests.program.same import assert_same_bits

F = nn.functional


def programs(function):
    """How many programs a function has."""
    return function.explain().count(" equations, calls: ")


# Keys


def test_one_program_serves_all_calls_of_the_same_forms():
    double = jit(lambda x: 2 * mg.asarray(x))
    for i in range(5):
        np.testing.assert_array_equal(double(np.full(3, float(i))), np.full(3, 2.0 * i))
    assert programs(double) == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (np.ones(2), np.ones(3)),
        (np.ones(2), np.ones(2, np.float32)),
        (np.ones(2), np.ones((2, 1))),
        (1, 2),
        (1, True),
        (1, 1.0),
        ([np.ones(2)], (np.ones(2),)),
        ({"a": np.ones(2)}, {"b": np.ones(2)}),
        (mg.tensor([1.0]), mg.tensor([1.0], requires_grad=True)),
    ],
)
def test_another_form_is_another_program(first, second):
    function = jit(lambda tree: mg.asarray(mg.tree.flatten(tree)[0][0]) * 2)
    for given in (first, second, first, second, first, second):
        leaf = mg.asarray(mg.tree.flatten(given)[0][0]).detach().numpy()
        np.testing.assert_array_equal(mg.asarray(function(given)).detach().numpy(), leaf * 2)
    assert programs(function) == 2


def test_floats_are_inputs():
    scale = jit(lambda x, factor: x * factor)
    for factor in (0.5, 1.5, -2.0, 1e300):
        assert_same_bits(scale(mg.tensor([1.0, 3.0]), factor), mg.tensor([1.0, 3.0]) * factor)
    assert programs(scale) == 1


def test_single_precision_stays_single_beside_floats():
    scale = jit(lambda x, factor: x * factor)
    for _ in range(3):
        assert scale(mg.tensor([1.0], dtype=mg.float32), 0.1).dtype == np.float32


def test_keywords_and_positions():
    less = jit(lambda x, y: x - y)
    x, y = mg.tensor([1.0]), mg.tensor([3.0])
    for _ in range(3):
        assert less(x, y).item() == less(x, y=y).item() == less(y=y, x=x).item() == -2.0


def test_static_arguments():
    @jit(static="how")
    def made(x, how, power=2):
        return getattr(x, how)() ** power

    x = mg.tensor([1.0, 3.0])
    for _ in range(3):
        assert made(x, "sum").item() == 16.0
        assert made(x, how="mean").item() == 4.0
        assert made(x, "mean", 3).item() == 8.0


def test_a_static_float_is_a_number_of_python():
    @jit(static=["threshold"])
    def bent(x, threshold):
        return x if threshold > 1 else -x

    for _ in range(3):
        assert bent(mg.tensor(2.0), 0.5).item() == -2.0
        assert bent(mg.tensor(2.0), 1.5).item() == 2.0


def test_a_static_argument_must_be_hashable():
    function = jit(lambda x, sizes: x * sum(sizes), static=("sizes",))
    with pytest.raises(ArgumentError, match=r"sizes \(list\).*pass a tuple"):
        function(mg.tensor(1.0), [1, 2])
    assert function(mg.tensor(1.0), (1, 2)).item() == 3.0


def test_a_static_argument_must_exist():
    with pytest.raises(ArgumentError, match=r"static names 'n', but the arguments are x, m"):
        jit(lambda x, m: x * m, static="n")


def test_the_same_argument_twice_and_then_others():
    less = jit(lambda x, y: x * 2 - y)
    x, y = mg.tensor([1.0], requires_grad=True), mg.tensor([5.0], requires_grad=True)
    for a, b in ((x, x), (x, x), (x, x), (x, y), (y, x)):
        x.grad = y.grad = None
        result = less(a, b)
        result.backward()
        assert result.item() == a.item() * 2 - b.item()
        expected = {id(x): 0.0, id(y): 0.0}
        expected[id(a)] += 2
        expected[id(b)] -= 1
        for leaf in {id(a): a, id(b): b}.values():
            assert leaf.grad.item() == expected[id(leaf)]


def test_an_argument_that_is_also_outside():
    w = mg.tensor([2.0], requires_grad=True)
    product = jit(lambda x: x * w)
    for x in (w, w, w, mg.tensor([5.0], requires_grad=True)):
        w.grad = x.grad = None
        product(x).backward()
        assert x.grad.item() == (4.0 if x is w else 2.0)
        assert w.grad.item() == (4.0 if x is w else 5.0)


def test_methods_of_two_instances():
    class Scaler:
        def __init__(self, factor):
            self.factor = factor

        @jit
        def __call__(self, x):
            return x * self.factor

    double, triple = Scaler(2.0), Scaler(3.0)
    for _ in range(3):
        assert double(mg.tensor(1.0)).item() == 2.0
        assert triple(mg.tensor(1.0)).item() == 3.0


def test_equal_instances_have_programs_of_their_own():
    @dataclasses.dataclass(frozen=True)
    class Scaler:
        factor: float

        @jit
        def apply(self, x):
            return x * self.factor

        def __eq__(self, other):
            return isinstance(other, Scaler)

        def __hash__(self):
            return 0

    double, triple = Scaler(2.0), Scaler(3.0)
    for _ in range(3):
        assert double.apply(mg.tensor(1.0)).item() == 2.0
        assert triple.apply(mg.tensor(1.0)).item() == 3.0


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 1)

    @jit
    def loss(self, x):
        return mg.sum(self.linear(x) ** 2)


def test_programs_of_a_method_go_with_the_instance():
    model = Model()
    model.loss(mg.ones((1, 2)))
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copy_of_an_instance_has_a_method_of_its_own(copied):
    model, x = Model(), mg.ones((1, 2))
    for _ in range(3):
        model.loss(x)
    other = copied(model)
    with mg.no_grad():
        other.linear.weight *= 2
    for _ in range(3):
        for one in (model, other):
            assert_same_bits(one.loss(x), mg.sum(one.linear(x) ** 2))


def test_a_method_of_what_has_no_dict_is_refused():
    class Slotted:
        __slots__ = ()

        @jit
        def loss(self, x):
            return x

    with pytest.raises(ArgumentError, match=r"loss of a Slotted has no place .* Add '__dict__'"):
        Slotted().loss(mg.ones(2))


def test_a_static_argument_behind_any_number_of_others():
    total = jit(lambda *xs, n=1: sum(xs) * n, static="n")
    x = mg.tensor(1.0)
    for _ in range(3):
        assert total(x, x, x).item() == 3.0
        assert total(x, x, x, n=2).item() == 6.0


def test_many_forms_are_warned_of_once_with_what_they_were():
    total = jit(lambda x: mg.sum(x))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for n in range(1, 8):
            total(mg.tensor(np.ones(n)))
    (warning,) = caught
    assert "traced <lambda> 4 times" in str(warning.message)
    assert "(3,)" in str(warning.message)
    assert "Pad batches to one shape" in str(warning.message)
    assert warning.filename == __file__


# What it finds outside


def test_tensors_outside_are_read_at_every_call():
    w = mg.tensor([1.0, 2.0], requires_grad=True)
    loss = jit(lambda x: mg.sum((x * w) ** 2))
    for _ in range(4):
        w.grad = None
        loss(mg.tensor([1.0, 1.0])).backward()
        assert_same_bits(w.grad, 2 * w.detach())
        with mg.no_grad():
            w -= 0.25 * w.grad


def test_arrays_outside_are_read_at_every_call():
    shift = np.zeros(2)
    shifted = jit(lambda x: x + shift)
    for i in range(4):
        shift[:] = i
        np.testing.assert_array_equal(shifted(mg.tensor([1.0, 2.0])).numpy(), [1.0 + i, 2.0 + i])


def test_an_array_that_changes_before_the_backward_pass_is_what_it_was():
    w = mg.tensor([1.0, 2.0], requires_grad=True)
    shift = np.array([1.0, 1.0])
    product = jit(lambda x: mg.sum(w * x * shift))
    for _ in range(3):
        x = np.array([3.0, 4.0])
        loss = product(x)
        x[:] = 0
        shift[:] = 5
        w.grad = None
        loss.backward()
        np.testing.assert_array_equal(w.grad, [3.0, 4.0])
        shift[:] = 1


def test_a_leaf_that_begins_to_require_grad_is_noticed():
    w = mg.tensor([1.0])
    product = jit(lambda x: x * w)
    for _ in range(3):
        assert not product(mg.tensor([2.0])).requires_grad
    w.requires_grad_()
    for _ in range(3):
        w.grad = None
        product(mg.tensor([2.0])).backward()
        assert w.grad.item() == 2.0


def test_without_grad_nothing_is_recorded():
    w = mg.tensor([1.0], requires_grad=True)
    product = jit(lambda x: x * w)
    for _ in range(3):
        with mg.no_grad():
            assert not product(mg.tensor([2.0])).requires_grad
        assert product(mg.tensor([2.0])).requires_grad


def test_training_and_evaluation():
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))
    use = jit(lambda x: model(x))
    x = mg.tensor(np.random.default_rng(0).normal(size=(6, 3)))
    for _ in range(3):
        for training in (True, False):
            model.train(training)
            state, before = mg.random.get_state(), [np.array(b) for b in model.buffers()]
            expected = model(x)
            after = [np.array(b) for b in model.buffers()]
            for buffer, value in zip(model.buffers(), before, strict=True):
                buffer.array = value[()]
            mg.random.set_state(state)
            assert_same_bits(use(x), expected)
            assert_same_bits(list(model.buffers()), after)


def test_an_option_or_a_part_of_a_module_that_changes_is_noticed():
    model = nn.Sequential(nn.Linear(2, 2), nn.LeakyReLU(0.1))
    use = jit(lambda x: model(x))
    x = mg.tensor([[1.0, -2.0]])
    for _ in range(3):
        assert_same_bits(use(x), model(x))
    model[1].negative_slope = 0.5
    for _ in range(3):
        assert_same_bits(use(x), model(x))
    model[0] = nn.Linear(2, 2)
    for _ in range(3):
        assert_same_bits(use(x), model(x))
    assert "'negative_slope' of a LeakyReLU changed" in use.explain()


# Stale traces

FACTOR = 2.0


def test_a_number_outside_that_changes_is_found_at_the_second_call(monkeypatch):
    scaled = jit(lambda x: x * FACTOR)
    assert scaled(mg.tensor(1.0)).item() == 2.0
    monkeypatch.setitem(globals(), "FACTOR", 3.0)
    with pytest.raises(ProgramError, match=r"result 0 was not the same \(float64 .* a global number"):
        scaled(mg.tensor(1.0))


def test_check_finds_it_later(monkeypatch):
    scaled = jit(lambda x: x * FACTOR)
    for _ in range(3):
        scaled(mg.tensor(1.0))
    assert scaled.check(mg.tensor(4.0)).item() == 8.0
    monkeypatch.setitem(globals(), "FACTOR", 3.0)
    with pytest.raises(ProgramError, match="was not the same"):
        scaled.check(mg.tensor(1.0))


def test_a_counter_of_python_is_found():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.calls = 0

        def forward(self, x):
            self.calls += 1
            return x / self.calls

    average = jit(Model())
    average(mg.tensor(6.0))
    with pytest.raises(ProgramError, match="a counter that has changed"):
        average(mg.tensor(6.0))


def test_random_numbers_that_were_drawn_outside_of_the_package_are_found():
    rng = np.random.default_rng(0)
    noisy = jit(lambda x: x + rng.normal(size=3))
    noisy(mg.tensor([1.0, 2.0, 3.0]))
    with pytest.raises(ProgramError, match="was not the same"):
        noisy(mg.tensor([1.0, 2.0, 3.0]))


# Errors


def test_reading_a_value_is_refused_with_the_line():
    @jit
    def chosen(x):
        return x if x > 0 else -x

    for _ in range(2):
        with pytest.raises(ProgramError, match=r"test_jit.py:\d+ .*where\(condition, a, b\)"):
            chosen(mg.tensor(1.0))


def test_an_exception_in_the_middle_changes_nothing():
    w = mg.tensor([1.0, 4.0], requires_grad=True)
    optimizer = optim.SGD([w], lr=0.1, momentum=0.9)

    @jit
    def step(labels):
        optimizer.zero_grad()
        loss = F.cross_entropy(w.reshape(1, 2) + mg.random.rand(1, 2), labels)
        loss.backward()
        optimizer.step()
        return loss

    for _ in range(3):
        step(np.array([1]))
    before = [w.detach().numpy().copy(), w.grad.numpy().copy(), optimizer.state[w]["momentum_buffer"].copy()]
    state = mg.random.get_state()
    with pytest.raises(mg.errors.MinigradError, match="label"):
        step(np.array([2]))
    assert_same_bits([w, w.grad, optimizer.state[w]["momentum_buffer"]], before)
    assert mg.random.get_state() == state
    step(np.array([0]))


def test_an_error_of_an_operation_names_the_line_it_came_from():
    @jit
    def loss(scores, labels):
        doubled = scores * 2
        return F.cross_entropy(doubled, labels)

    scores = mg.ones((2, 3))
    for _ in range(3):
        loss(scores, np.array([0, 2]))
    with pytest.raises(mg.errors.MinigradError, match="label") as caught:
        loss(scores, np.array([0, 3]))
    (note,) = caught.value.__notes__
    assert "of the program of loss" in note
    assert "F.cross_entropy(doubled, labels)" in note


@pytest.mark.parametrize("x", [np.ones(2), mg.ones(2)], ids=["array", "Tensor"])
def test_an_argument_in_place_is_refused(x):
    @jit
    def step(x):
        x += 1
        return x * 2

    with pytest.raises(ProgramError, match="changed its argument x in place"):
        step(x)
    np.testing.assert_array_equal(np.asarray(x), 1)


def test_backward_to_an_argument_is_refused():
    @jit
    def step(w):
        mg.sum(w * w).backward()
        return w * 1

    w = mg.tensor([1.0], requires_grad=True)
    with pytest.raises(ProgramError, match=r"the grad of its argument w .*Return the gradient"):
        step(w)
    assert w.grad is None


def test_what_no_argument_can_be():
    with pytest.raises(ProgramError, match="arguments are Tensors"):
        jit(lambda x: mg.tensor(1.0))(object())


def test_only_functions_are_compiled():
    with pytest.raises(ArgumentError, match="jit takes a function, not int"):
        jit(3)


# Results


def test_results_are_fresh():
    x = mg.tensor([1.0, 2.0])
    views = jit(lambda x: (x, x[:1], x, mg.exp(x)))
    for _ in range(3):
        results = [y.numpy() for y in views(x)]
        assert not any(np.shares_memory(y, x.numpy()) for y in results)
        assert not np.shares_memory(results[0], results[2])


def test_arrays_in_arrays_out_unless_there_are_tensors_outside():
    double = jit(lambda x: 2 * x)
    w = mg.tensor(3.0)
    scaled = jit(lambda x: w * x)
    for _ in range(3):
        assert type(double(np.ones(2))) is np.ndarray
        assert type(double(mg.tensor([1.0, 1.0]))) is mg.Tensor
        assert type(scaled(np.ones(2))) is mg.Tensor


def test_trees_of_results():
    function = jit(lambda x: {"a": [x + 1], "b": (x * 2, None)})
    for _ in range(3):
        found = function(mg.tensor(1.0))
        assert (found["a"][0].item(), found["b"][0].item(), found["b"][1]) == (2.0, 2.0, None)


def test_the_graph_is_released_as_without_it():
    square = jit(lambda x: x * x)
    x = mg.tensor(3.0, requires_grad=True)
    for _ in range(3):
        y = square(x)
        y.backward(retain_graph=True)
        y.backward()
        with pytest.raises(mg.errors.ReleasedGraphError):
            y.backward()


def test_hooks_of_leaves_run():
    square = jit(lambda x: x * x)
    x = mg.tensor(3.0, requires_grad=True)
    x.register_hook(lambda g: g * 10)
    for _ in range(3):
        x.grad = None
        square(x).backward()
        assert x.grad.item() == 60.0


# In company


def test_a_compiled_function_inside_of_another_is_a_part_of_it():
    inner = jit(lambda x: x * 2)
    outer = jit(lambda x: inner(x) + 1)
    for i in range(4):
        assert outer(mg.tensor(float(i))).item() == 2 * i + 1
    assert programs(inner) == 0


@jit
def halved(x):
    return x / 2


def test_copies_and_pickles():
    halved(mg.tensor(1.0))
    assert pickle.loads(pickle.dumps(halved)) is halved
    assert copy.deepcopy(halved) is halved
    local = jit(lambda x: x * 2)
    local(mg.tensor(1.0))
    again = copy.deepcopy(local)
    assert again(mg.tensor(3.0)).item() == 6.0
    assert programs(local) == programs(again) == 1
    bound = copy.deepcopy(jit(nn.Linear(2, 1)))
    assert bound(mg.ones((1, 2))).shape == (1, 1)


def test_recursion_is_unrolled():
    @jit
    def power(x, n):
        return mg.ones_like(x) if n == 0 else x * power(x, n - 1)

    for _ in range(3):
        assert power(mg.tensor(2.0), 5).item() == 32.0


def test_hooks_inside():
    def loss_of(x):
        w = x * 2
        w.register_hook(lambda g: g * 3)
        return mg.sum(w * w)

    gradient, compiled = mg.grad(loss_of), jit(mg.grad(loss_of))
    for _ in range(3):
        np.testing.assert_array_equal(compiled(mg.tensor([1.0, 2.0])).numpy(), gradient(np.array([1.0, 2.0])))


def test_checkpoint_inside():
    w = mg.tensor([1.0, 2.0], requires_grad=True)

    def loss_of(x):
        return mg.sum(mg.checkpoint(lambda y: F.dropout(mg.tanh(y * w), 0.5))(x))

    compiled = jit(loss_of)
    for seed in range(3):
        found = []
        for function in (loss_of, compiled):
            mg.manual_seed(seed)
            w.grad = None
            function(mg.tensor([0.5, -0.5])).backward()
            found.append(w.grad.numpy())
        assert_same_bits(*found)


def test_disabled():
    seen = []

    @jit
    def noted(x):
        seen.append(1)
        return x * 2

    for _ in range(4):
        noted(mg.tensor(1.0))
    assert len(seen) == 2  # the trace, and the comparison
    with disabled():
        for _ in range(3):
            assert noted(mg.tensor(1.0)).item() == 2.0
    assert len(seen) == 5


def test_disabled_in_one_thread():
    double = jit(lambda x: x * 2)
    with disabled():
        thread = threading.Thread(target=lambda: double(mg.tensor(1.0)))
        thread.start()
        thread.join()
    assert programs(double) == 1


def test_disabled_from_outside():
    code = "import minigrad as mg; f = mg.jit(lambda x: x * 2); f(mg.ones(1)); assert f.program is None"
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"MINIGRAD_JIT": "0"})


def test_under_detect_anomaly_the_function_itself_runs():
    divide = jit(lambda x: mg.log(x - x))

    def fails():
        with mg.detect_anomaly(), pytest.raises(mg.errors.AnomalyError, match="log"), np.errstate(all="ignore"):
            divide(mg.tensor([1.0], requires_grad=True))

    with pytest.warns(UserWarning, match="<lambda> runs as it was written") as said:
        fails()
    assert [warning.filename for warning in said] == [__file__]
    fails()  # and does not say so again
    assert programs(divide) == 0


def test_a_long_loop_of_python_is_told_to_be_a_scan():
    def total(x):
        for _ in range(2600):
            x = mg.cos(x) * 0.5
        return x

    compiled = jit(total)
    with pytest.warns(UserWarning, match=r"total to a program of 5200 .* 5200 of them from .*test_jit.py.*cos.*scan"):
        compiled(mg.tensor([1.0]))


@pytest.mark.parametrize(
    "function",
    [mg.tensor, mg.asarray, lambda x: mg.astype(mg.asarray(x), np.float32), lambda x: mg.reshape(x, (1,)),
     lambda x: mg.expand_dims(x, 0), lambda x: mg.stack([x, x]), lambda x: mg.broadcast_to(x, (3,))],
)  # fmt: skip
@pytest.mark.parametrize("default", [np.float32, np.float64])
def test_numbers_of_python_become_arrays(function, default):
    mg.set_default_dtype(default)
    try:
        compiled = jit(lambda x: 2 * function(x))
        for x in (1.5, -0.5, 1e300, 2.5):
            with np.errstate(over="ignore"):
                found, expected = (np.asarray(unwrap(value)) for value in (compiled(x), 2 * function(x)))
            assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
            np.testing.assert_array_equal(found, expected)
    finally:
        mg.set_default_dtype(np.float64)


def test_threads():
    w = mg.tensor(np.linspace(0, 1, 50), requires_grad=True)
    loss = jit(lambda x: mg.sum(mg.tanh(x * w) ** 2))
    wrong = []

    def work(seed):
        x = mg.tensor(np.random.default_rng(seed).normal(size=50))
        expected = mg.autograd.grad(mg.sum(mg.tanh(x * w) ** 2), w)[0].numpy()
        for _ in range(50):
            (found,) = mg.autograd.grad(loss(x), w)
            if found.numpy().tobytes() != expected.tobytes():
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_explain_and_the_program():
    square = jit(lambda x: x * x)
    assert square.program is None
    assert "no call yet" in square.explain()
    square(mg.tensor([1.0, 2.0]))
    square(mg.tensor([1.0, 2.0, 3.0]))
    assert "<lambda>, programs: 2" in square.explain()
    assert "(3,)" in square.explain()
    assert "np.multiply" in str(square.program) or "*" in str(square.program)
    assert repr(square) == "<jit of <lambda>>"


@pytest.mark.parametrize("transform", [mg.grad, lambda f: mg.jvp(f, (3.0,), (1.0,)) and mg.grad(f)])
def test_derivatives_by_floats_are_not_those_of_the_first_call(transform):
    slope = jit(transform(lambda x: x * x * x))
    assert [float(slope(x)) for x in (1.0, 1.0, 2.0, 3.0)] == [3.0, 3.0, 12.0, 27.0]


def test_functions_whose_kernels_differ_in_what_they_call_alone():
    sine, cosine = jit(lambda x: mg.sin(x)), jit(lambda x: mg.cos(x))
    x = np.array([0.5, 1.0])
    for _ in range(3):
        assert_same_bits(sine(x), np.sin(x))
        assert_same_bits(cosine(x), np.cos(x))


def test_a_parameter_that_only_its_step_reads_is_read_at_every_call():
    w = mg.tensor([0.0, 0.0], requires_grad=True)
    optimizer = mg.optim.SGD([w], lr=1.0)

    @jit
    def step(g):
        w.grad = g
        optimizer.step()

    for count in range(1, 5):
        step(np.ones(2))
        np.testing.assert_array_equal(w.detach(), [-count, -count])


@pytest.mark.parametrize("tree", [lambda x, y: [x, y], lambda x, y: (x, y), lambda x, y: {"a": x, "b": [y]}])
def test_trees_of_arguments_go_the_short_way(tree):
    def product(parts):
        x, y = mg.tree.flatten(parts)[0]
        return {"product": x * y, "sum": (x + y,)}

    compiled = jit(product)
    for i in range(6):
        x, y = np.arange(3.0) + i, np.arange(3.0) * i
        assert_same_bits(compiled(tree(x, y)), product(tree(x, y)))
    with pytest.raises((TypeError, ValueError, AttributeError, mg.errors.MinigradError)):
        compiled(tree(x, y)[:1] if isinstance(tree(x, y), list) else None)


def test_what_is_written_to_may_lie_in_an_argument():
    def course(wrap):
        w = mg.tensor([1.0, 2.0, 4.0], requires_grad=True)
        optimizer = mg.optim.SGD([w], lr=0.5)

        @wrap
        def step(x):
            optimizer.zero_grad()
            mg.sum(w * x).backward()
            optimizer.step()

        for _ in range(5):
            step(w.data[::-1])
        return w.detach()

    assert_same_bits(course(jit), course(lambda f: f))


def test_errors_that_numpy_is_to_raise_are_raised():
    quotient = jit(lambda x, y: x / y)
    for _ in range(4):
        quotient(np.ones(3), np.ones(3))
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        quotient(np.ones(3), np.zeros(3))


def test_indices_beyond_the_end_are_refused_as_without_jit():
    pick = jit(lambda x, i: x[i])
    for _ in range(4):
        pick(np.arange(4.0), np.array([0, 3, -4]))
    with pytest.raises(IndexError):
        pick(np.arange(4.0), np.array([0, 4, 1]))


def test_fast_numerics_are_a_few_units_off_at_most():
    x = np.linspace(-3, 3, 1001)
    functions = [mg.exp, mg.expm1, mg.sin, mg.cos, mg.tanh, mg.sinh, mg.cosh, mg.atan, lambda x: mg.log1p(x * x)]
    for dtype in (np.float32, np.float64):
        for f in functions:
            fast = jit(f, numerics="fast")
            for _ in range(3):
                found = fast(x.astype(dtype))
            expected = f(x.astype(dtype))
            assert np.all(np.abs(found - expected) <= 4 * np.spacing(np.abs(expected)))


def test_there_are_two_kinds_of_numerics():
    with pytest.raises(mg.errors.ArgumentError, match="'exact' or 'fast'"):
        jit(mg.sin, numerics="quick")


def test_info_says_how_functions_run():
    assert set(jit.info()) == {"backend", "compiler", "cache", "compiled", "failure"}
