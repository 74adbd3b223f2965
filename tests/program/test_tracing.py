"""What a trace takes down, and what it refuses: effects, reading a value, leaving something behind."""

import copy
import pickle
import threading

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.errors import IndexingError, ProgramError
from minigrad.program import trace
from tests.program.same import assert_same_bits
from tests.rows import each, named


def leaf(*values):
    return mg.tensor(values, requires_grad=True)


# Arguments and results


def test_arguments_are_trees_and_results_too():
    program = trace(lambda p, x: {"y": p["w"] @ x, "n": [p["b"] + 1]}, {"w": np.eye(2), "b": 1.0}, np.ones(2))
    found = program.replay({"w": 2 * np.eye(2), "b": 3.0}, np.array([1.0, 2.0]))
    assert found["y"].tolist() == [2.0, 4.0]
    assert found["n"] == [4.0]
    assert type(found["y"]) is np.ndarray


def test_tensors_give_tensors_and_arrays_arrays():
    program = trace(mg.exp, mg.zeros(2))
    assert isinstance(program.replay(mg.zeros(2)), mg.Tensor)
    assert isinstance(trace(mg.exp, np.zeros(2)).replay(np.zeros(2)), np.ndarray)


def test_results_share_memory_with_nothing():
    x, t = np.ones(3), mg.ones(3)
    program = trace(lambda x: (mg.reshape(x, (3, 1)), x * 1, t), x)
    for y in program.replay(x):
        assert not np.shares_memory(y, x)
        assert not np.shares_memory(y, t.numpy())


def test_integers_and_strings_are_fixed_and_floats_are_not():
    program = trace(lambda x, n, kind, s: (x * s).sum(axis=n) if kind == "sum" else x, np.ones((2, 3)), 1, "sum", 2.0)
    assert program.replay(np.ones((2, 3)), 1, "sum", 3.0).tolist() == [9.0, 9.0]
    with pytest.raises(ProgramError, match="was 1 when the program was traced, and is 0 now"):
        program.replay(np.ones((2, 3)), 0, "sum", 3.0)
    with pytest.raises(ProgramError, match="was 'sum' when"):
        program.replay(np.ones((2, 3)), 1, "none", 3.0)


def test_a_float_stays_weak():
    program = trace(lambda x, s: x * s, np.ones(2, np.float32), 2.0)
    assert program.replay(np.ones(2, np.float32), 0.1).dtype == np.float32


@each(("inputs", "words"), named({
    "another shape": ((np.ones(3), 1.0), ("argument inputs[0]", "float64 of shape (2,)", "float64 (3,)")),
    "another dtype": ((np.ones(2, np.float32), 1.0), ("argument inputs[0]", "float32 (2,)")),
    "no array": ((1.0, 1.0), ("argument inputs[0]", "a float")),
    "an array for a number": ((np.ones(2), np.ones(2)), ("argument inputs[1]", "float64 (2,)")),
    "too few": ((np.ones(2),), ("(*, *)", "(*,)", "trace it again")),
    "another tree": (({"a": np.ones(2)}, 1.0), ("(*, *)", "({'a': *}, *)")),
}))  # fmt: skip
def test_other_inputs_are_refused(inputs, words):
    program = trace(lambda x, s: x * s, np.ones(2), 1.0)
    with pytest.raises(ProgramError) as caught:
        program.replay(*inputs)
    for word in words:
        assert word in str(caught.value)


# Effects


def test_a_backward_pass_gives_gradients_at_every_run():
    w = leaf(1.0, 2.0)

    def step(x):
        w.grad = None
        loss = (w * x).sum() ** 2
        loss.backward()
        return loss

    program = trace(step, np.array([1.0, 1.0]))
    assert w.grad.tolist() == [6.0, 6.0]
    assert program.replay(np.array([0.0, 1.0])) == 4.0
    assert w.grad.tolist() == [0.0, 4.0]


def test_gradients_add_up_where_they_are_not_set_to_none():
    w = leaf(1.0, 2.0)
    (w * 1.0).sum().backward()
    program = trace(lambda x: ((loss := (w * x).sum()).backward(), loss)[1], np.array([1.0, 2.0]))
    assert w.grad.tolist() == [2.0, 3.0]
    program.replay(np.array([3.0, 3.0]))
    assert w.grad.tolist() == [5.0, 6.0]
    w.grad = None
    with pytest.raises(ProgramError, match="whether there is the grad of a leaf was True"):
        program.replay(np.array([3.0, 3.0]))


def test_second_derivatives():
    program = trace(mg.hessian(lambda x: (x**3).sum()), mg.tensor([1.0, 2.0]))
    assert program.replay(mg.tensor([3.0, 4.0])).tolist() == [[18.0, 0.0], [0.0, 24.0]]


def test_closed_over_tensors_are_read_at_every_run():
    w, b = leaf(1.0, 2.0), mg.zeros(2)
    program = trace(lambda x: w * x + b, np.ones(2))
    w.data = np.array([3.0, 4.0])
    b += 1
    assert program.replay(np.ones(2)).tolist() == [4.0, 5.0]


def test_what_is_written_is_written_at_the_end_of_a_run():
    w, mean = leaf(1.0, 2.0), mg.zeros(2)
    memory = w.data

    def step(x):
        nonlocal mean
        mean *= 0.5
        mean += x
        with mg.no_grad():
            w[0] = x.sum()
        return w * mean

    program = trace(step, np.ones(2))
    assert memory.tolist() == [2.0, 2.0]
    assert program.replay(np.array([2.0, 4.0])).tolist() == [6.0 * 2.5, 2.0 * 4.5]
    assert mean.tolist() == [2.5, 4.5]
    assert memory.tolist() == [6.0, 2.0]  # the leaf's own memory


def test_an_exception_in_a_run_changes_nothing():
    table = leaf(1.0, 2.0, 3.0)
    seen = mg.zeros(())

    def step(x, rows):
        nonlocal seen
        seen += x.sum()
        with mg.no_grad():
            table[...] = table * 2
        drawn = mg.random.rand(2)
        return nn.functional.embedding(rows, table.reshape(3, 1)).sum() + drawn.sum()

    program = trace(step, np.ones(2), np.array([0, 1]))
    before, state = [table.tolist(), seen.tolist()], mg.random.get_state()
    with pytest.raises(IndexingError) as caught:
        program.replay(np.ones(2), np.array([0, 3]))
    assert any("in " in note and "which came from" in note for note in caught.value.__notes__)
    assert [table.tolist(), seen.tolist()] == before
    assert mg.random.get_state() == state


def test_an_exception_in_a_trace_changes_nothing():
    mg.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Dropout(0.5))
    optimizer = optim.AdamW(model.parameters())
    before = [*map(mg.Tensor.tolist, model.parameters()), *map(mg.Tensor.tolist, model.buffers())]
    state = mg.random.get_state()

    def step(x):
        model(x).sum().backward()
        optimizer.step()
        raise KeyError("half-way")

    with pytest.raises(KeyError):
        trace(step, np.random.default_rng(0).normal(size=(4, 2)))
    assert [*map(mg.Tensor.tolist, model.parameters()), *map(mg.Tensor.tolist, model.buffers())] == before
    assert all(p.grad is None for p in model.parameters())
    assert not optimizer.state
    assert mg.random.get_state() == state
    assert mg.is_grad_enabled()
    assert (model(np.ones((4, 2))) * 1).requires_grad  # and nothing is being traced


def test_random_numbers_are_drawn_at_every_run():
    program = trace(lambda x: nn.functional.dropout(x, 0.5) + mg.random.randn(1000), np.ones(1000))
    mg.manual_seed(3)
    first, second = program.replay(np.ones(1000)), program.replay(np.ones(1000))
    assert (first != second).any()
    mg.manual_seed(3)
    assert_same_bits(program.replay(np.ones(1000)), first)


def test_the_recomputation_of_a_checkpoint_draws_what_the_forward_pass_drew():
    w = leaf(*np.arange(1.0, 51.0))

    def step(x):
        w.grad = None
        y = mg.checkpoint(lambda w: nn.functional.dropout(w * x, 0.5))(w)
        y.sum().backward()
        return y.detach()

    program = trace(step, 1.0)
    y = program.replay(2.0)
    assert_same_bits(w.grad, np.where(y == 0, 0.0, 4.0))


def test_a_generator_of_ones_own():
    rng = np.random.default_rng(0)
    program = trace(lambda x: x + mg.random.rand(2, generator=rng), np.zeros(2))
    assert_same_bits(program.result, np.random.default_rng(0).random(2))
    expected = np.random.default_rng(0)
    expected.random(2)
    assert_same_bits(program.replay(np.zeros(2)), expected.random(2))


def test_hooks_are_a_part_of_the_program():
    w = leaf(1.0, 2.0)
    w.register_hook(lambda g: g * 10)

    def step(x):
        w.grad = None
        (w * x).sum().backward()
        return w.grad

    assert trace(step, np.ones(2)).replay(np.array([1.0, 2.0])).tolist() == [10.0, 20.0]


def test_values_without_gradient_are_a_part_of_the_program():
    with mg.no_grad():
        program = trace(lambda x: mg.exp(x.detach()) * 2, mg.zeros(2))
    assert program.replay(mg.tensor([0.0, np.log(2.0)])).tolist() == pytest.approx([2.0, 4.0])


def test_optimizers_read_rate_and_step_at_every_run():
    w = leaf(1.0)
    optimizer = optim.Adam([w], lr=0.5)

    def step():
        optimizer.zero_grad()
        (w * w).sum().backward()
        optimizer.step()
        return w * 1

    program = trace(step)
    optimizer.param_groups[0]["lr"] = 0.0
    before = w.tolist()
    program.replay()
    assert w.tolist() == before
    assert optimizer.state[w]["step"] == 2
    optimizer.param_groups[0]["maximize"] = True
    with pytest.raises(ProgramError, match="'maximize' of an optimizer was False"):
        program.replay()


# What is refused


@each(("read", "words"), named({
    "bool": (lambda x: x.sum() if x[0] > 0 else x, ("bool()", "where(condition, a, b)")),
    "item": (lambda x: x * x[0].item(), ("item()",)),
    "float": (lambda x: x * float(x[0]), ("float()",)),
    "int": (lambda x: x * int(x[0]), ("int()",)),
    "index": (lambda x: [1, 2][mg.argmax(x)] * x, ("to index by it",)),
    "range": (lambda x: sum(x for _ in range(mg.argmax(x))), ("to count",)),
    "data": (lambda x: x * x.data, ("data of",)),
    "numpy": (lambda x: x * x.numpy(), ("numpy()",)),
    "tolist": (lambda x: x * x.tolist(), ("tolist()",)),
    "asarray": (lambda x: x * np.asarray(x), ("conversion to an ndarray",)),
    "in": (lambda x: x if 1.0 in x else -x, ("`in`",)),
    "format": (lambda x: mg.tensor(float(f"{x[0]:.3f}")), ("format",)),
    "a mask": (lambda x: x[x > 0], ("number of elements that a mask leaves",)),
    "nonzero": (lambda x: mg.nonzero(x)[0], ("value, on which the form",)),
    "unique": (lambda x: mg.unique_values(x), ("value, on which the form",)),
}))  # fmt: skip
def test_reading_a_value_is_refused(read, words):
    with pytest.raises(ProgramError) as caught:
        trace(read, mg.ones(2))
    for word in (*words, "test_tracing.py", "was traced"):
        assert word in str(caught.value)


@each(("result", "words"), named({
    "a float": (lambda x: 1.0, ("returned a float (1.0)",)),
    "an array": (lambda x: (x, np.ones(2)), ("returned an ndarray",)),
    "a string": (lambda x: {"loss": x, "name": "mse"}, ("returned a str ('mse')",)),
}))  # fmt: skip
def test_results_that_are_no_tensors_are_refused(result, words):
    with pytest.raises(ProgramError) as caught:
        trace(result, mg.ones(2))
    for word in words:
        assert word in str(caught.value)


def stepping(change):
    """A step of training that does something else, too."""
    w = leaf(1.0, 2.0)
    optimizer = optim.SGD([w], lr=0.5)
    schedules = [optim.lr_scheduler.ExponentialLR(optimizer, 0.5), optim.lr_scheduler.ReduceLROnPlateau(optimizer)]
    model = nn.Linear(2, 2)

    def step(x):
        optimizer.zero_grad()
        loss = (w * x).sum()
        loss.backward()
        change(locals={"optimizer": optimizer, "schedules": schedules, "model": model, "w": w, "x": x, "loss": loss})
        optimizer.step()
        return loss

    return step, optimizer, schedules


@each(("change", "words"), named({
    "schedule": (lambda locals: locals["schedules"][0].step(), ("ExponentialLR.step", "reads the new rate")),
    "plateau": (lambda locals: locals["schedules"][1].step(locals["loss"]), ("ReduceLROnPlateau.step", "returns")),
    "rate": (lambda locals: locals["optimizer"].param_groups[0].__setitem__("lr", 0.1), ("'lr'", "at every run")),
    "rates": (lambda locals: locals["optimizer"].param_groups[0].update(lr=0.1), ("options", "at every run")),
    "group": (lambda locals: locals["optimizer"].add_param_group({"params": [leaf(1.0)]}), ("add_param_group",)),
    "state": (lambda locals: locals["optimizer"].load_state_dict({}), ("load_state_dict",)),
    "weights": (lambda locals: locals["model"].load_state_dict({}), ("load_state_dict",)),
    "seed": (lambda locals: mg.manual_seed(0), ("manual_seed", "Call it outside")),
    "generator": (lambda locals: mg.random.using(0).__enter__(), ("a generator with a seed", "give it to `using`")),
    "random state": (lambda locals: mg.random.set_state({}), ("random.set_state",)),
    "file": (lambda locals: mg.save("never.npz", {}), ("save", "Return what is to be saved")),
    "check": (lambda locals: mg.gradcheck(np.sin, np.ones(2)), ("a gradient check",)),
    "minimize": (lambda locals: optim.minimize(np.sum, np.ones(2)), ("minimize",)),
    "deep copy": (lambda locals: copy.deepcopy(locals["x"]), ("a deep copy",)),
    "pickle": (lambda locals: pickle.dumps(locals["w"].detach()), ("pickling",)),
    "parameter": (lambda locals: setattr(locals["model"], "weight", nn.Parameter(locals["x"])), ("still held",)),
}))  # fmt: skip
def test_what_python_would_do_once_only_is_refused(change, words):
    step, optimizer, schedules = stepping(change)
    state = mg.random.get_state()
    with pytest.raises(ProgramError) as caught:
        trace(step, np.ones(2))
    for word in words:
        assert word in str(caught.value)
    assert optimizer.param_groups[0]["lr"] == 0.5
    assert len(optimizer.param_groups) == 1
    assert [schedule.last_epoch for schedule in schedules] == [0, 0]
    assert mg.random.get_state() == state


def test_a_mode_that_was_changed_is_refused():
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5))
    program = trace(model, np.ones((3, 2)))
    model.eval()
    with pytest.raises(ProgramError, match="whether Sequential is in training was True"):
        program.replay(np.ones((3, 2)))
    model.train()
    program.replay(np.ones((3, 2)))


def test_a_mode_that_the_function_sets_is_its_own_affair():
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5))

    def evaluated(x):
        model.eval()
        y = model(x)
        model.train()
        return y

    program = trace(evaluated, np.ones((3, 2)))
    assert_same_bits(program.replay(2 * np.ones((3, 2))), evaluated(2 * mg.ones((3, 2))).detach())


def test_parameters_that_an_optimizer_gets_later_are_refused():
    step, optimizer, _ = stepping(lambda locals: None)
    program = trace(step, np.ones(2))
    program.replay(np.ones(2))
    optimizer.add_param_group({"params": [leaf(3.0)]})
    with pytest.raises(ProgramError, match="which parameters an optimizer has"):
        program.replay(np.ones(2))


def test_nothing_at_all_may_be_returned():
    assert trace(lambda x: None, mg.ones(2)).replay(mg.ones(2)) is None


def test_a_tensor_in_a_list_outside_is_refused():
    losses = []

    def step(x):
        losses.append((x * x).sum())
        return losses[-1]

    def leave(x):
        losses.append(x + 1)
        return x * 2

    trace(step, mg.ones(2))  # it is returned, too
    with pytest.raises(ProgramError, match=r"still held when it has returned.*Return it"):
        trace(leave, mg.ones(2))


def test_a_tensor_in_an_attribute_is_refused_and_forgotten_circles_are_not():
    module = nn.Module()

    def keep(x):
        module.last = x * 2
        return x + 1

    def circle(x):
        inside = [x * 2]
        inside.append(inside)
        return x + 1

    with pytest.raises(ProgramError, match="still held"):
        trace(keep, mg.ones(2))
    trace(circle, mg.ones(2))


def test_an_argument_in_place_is_refused():
    def step(x):
        x += 1
        return x

    with pytest.raises(ProgramError, match=r"changed its argument inputs\[0\]"):
        trace(step, mg.ones(2))


def test_the_grad_of_an_argument_is_refused():
    def step(w):
        (w * w).sum().backward()
        return w * 1

    w = leaf(1.0, 2.0)
    with pytest.raises(ProgramError, match=r"the grad of its argument inputs\[0\].*Return the gradient"):
        trace(step, w)
    assert w.grad is None


def test_one_array_for_two_arguments_is_two_inputs():
    x = mg.tensor([1.0, 2.0])
    program = trace(lambda a, b: a * 2 - b, x, x)
    np.testing.assert_array_equal(program.replay(x, mg.tensor([5.0, 5.0])).numpy(), [-3.0, -1.0])


def test_an_argument_that_is_also_outside_is_two_inputs():
    w = mg.tensor([2.0])
    program = trace(lambda x: x * w, w)
    assert program.replay(mg.tensor([5.0])).item() == 10.0


def test_the_first_step_with_momentum_is_a_program():
    w = leaf(1.0, 2.0)
    optimizer = optim.SGD([w], lr=0.5, momentum=0.5)

    def step():
        optimizer.zero_grad()
        (w * w).sum().backward()
        optimizer.step()
        return mg.sum(w)

    assert trace(step).result.item() == 0.0
    np.testing.assert_array_equal(optimizer.state[w]["momentum_buffer"], [2.0, 4.0])


def test_a_function_that_traces_itself_is_refused():
    def again(x):
        return trace(again, x).result

    with pytest.raises(ProgramError, match="cannot be traced inside"):
        trace(again, mg.ones(2))


def test_a_graph_from_outside_is_refused():
    w = leaf(1.0, 2.0)
    loss = (w * w).sum()
    with pytest.raises(ProgramError, match="was computed before"):
        trace(lambda: loss.backward())
    assert w.grad is None
    loss.backward()
    assert w.grad.tolist() == [2.0, 4.0]


def test_arrays_that_are_written_to_are_refused():
    array = np.zeros(2)

    def step(x):
        nonlocal array
        array += x
        return x

    with pytest.raises(ProgramError, match="written into an ndarray"):
        trace(step, mg.ones(2))
    with pytest.raises(ProgramError, match="written into an ndarray"):
        trace(lambda x: nn.functional.batch_norm(x, array, None, training=True), mg.tensor([[1.0, 2.0], [2.0, 3.0]]))


def test_an_input_of_no_known_kind_is_refused():
    with pytest.raises(ProgramError, match=r"with an object as inputs\[1\]"):
        trace(lambda x, y: x, mg.ones(2), object())


def test_a_constant_that_was_changed_is_refused():
    table = np.array([1.0, 2.0])
    program = trace(lambda x: x * table, mg.ones(2))
    table[0] = 5.0
    with pytest.raises(ProgramError, match="was written to after the trace"):
        program.replay(mg.ones(2))


@pytest.mark.usefixtures("_own_primitives")
def test_a_primitive_of_ones_own_is_computed_by_its_function():
    @mg.primitive(lambda g, y, x: 3 * g)
    def positive(x, /):
        return 3 * x

    program = trace(lambda x: positive(x).sum(), np.ones(2))
    assert program.replay(np.array([1.0, 2.0])) == 9.0
    assert [equation.operation.primitive for equation in program.equations][:1] == [positive.primitive]


def test_several_results_of_a_function_of_numpys():
    program = trace(np.modf, mg.tensor([1.5, 2.25]))
    whole = [x.tolist() for x in program.replay(mg.tensor([3.5, 4.75]))]
    assert whole == [[0.5, 0.75], [3.0, 4.0]]


def test_the_trace_names_the_line_of_every_equation():
    program = trace(lambda x: mg.exp(x) + 1, mg.ones(2))
    assert [equation.operation.name for equation in program.equations] == ["exp", "add"]
    assert all("test_tracing.py" in str(equation.place) for equation in program.equations)


def test_threads_do_not_see_each_others_trace():
    found = []

    def other():
        found.append(float((mg.ones(2) * 2).sum()))

    def step(x):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        return x * 2

    assert len(trace(step, mg.ones(2)).equations) == 1
    assert found == [4.0]
