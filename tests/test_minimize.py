"""`optim.minimize` and `optim.sweep`: against loops written by hand, against SciPy, at limits, and given nonsense."""

import math
import sys
from itertools import chain

import numpy as np
import pytest

import minigrad as mg
from minigrad import objectives, optim
from minigrad.errors import ArgumentError, DTypeError, GraphError, MissingPackageError, ShapeError
from minigrad.optim.result import ends_diverged
from tests.rows import each

BOWL = objectives.bowl(1, 5)
START = [4.0, 2.5]


def line(wb, X, y):
    w, b = wb
    return ((w * X + b - y) ** 2).mean()


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=20)
    return X, 3 * X + 2 + rng.normal(0, 0.1, 20)


def by_hand(f, x, make, steps):
    """The loop that minimize stands for."""
    w = mg.tensor(x, requires_grad=True)
    optimizer = make([w])
    path = [w.data.copy()]
    for _ in range(steps):
        optimizer.zero_grad()
        f(w).backward()
        optimizer.step()
        path.append(w.data.copy())
    return np.array(path)


# What a run is


@pytest.mark.parametrize(("name", "options"), [
    ("SGD", {"lr": 0.05}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    ("Adam", {"lr": 0.3}),
    ("RMSprop", {"lr": 0.1}),
    ("Lion", {"lr": 0.1}),
])  # fmt: skip
def test_a_run_is_bit_equal_to_a_loop_by_hand(name, options):
    run = optim.minimize(BOWL, START, optimizer=name, steps=30, **options)
    path = by_hand(BOWL, START, lambda params: getattr(optim, name)(params, **options), 30)
    assert (run.path == path).all()
    assert (run.losses == [float(BOWL(x)) for x in path]).all()
    assert run.losses.shape == (31,)
    assert run.gradient_norms.shape == run.batch_losses.shape == (30,)
    assert run.gradient_norms[0] == np.linalg.norm([8.0, 25.0])
    assert (run.batch_losses == run.losses[:-1]).all()
    assert (run.recorded == np.arange(31)).all()
    assert (run.x == path[-1]).all()
    assert run.loss == run.losses[-1]
    assert run.steps == 30


OPTIMIZERS = sorted(name for name in optim.__all__ if isinstance(getattr(optim, name), type)
                    and issubclass(getattr(optim, name), optim.Optimizer)
                    and name not in ("Optimizer", "ZeroRedundancyOptimizer"))  # fmt: skip


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_goes_downhill(name):
    run = optim.minimize(lambda w: (w * w).sum(), np.full((2, 3), 0.5), optimizer=name, lr=0.05, steps=20)
    assert run.loss < run.losses[0]
    assert run.name == f"{name}(lr=0.05)"
    assert not run.diverged


def test_there_are_fifteen_optimizers():
    assert len(OPTIMIZERS) == 15


@each(("x0", "shape", "dtype"), [
    (10, (), np.float64),
    (10.0, (), np.float64),
    (np.float32(10), (), np.float32),
    ([4, 2], (2,), np.float64),
    (np.array([4, 2], np.int8), (2,), np.float64),
    (np.ones((2, 3), np.float32), (2, 3), np.float32),
    (np.ones((2, 3))[:, ::-1], (2, 3), np.float64),
    ([[1.0], [2.0]], (2, 1), np.float64),
])  # fmt: skip
def test_starts_of_all_kinds(x0, shape, dtype):
    run = optim.minimize(lambda x: (x * x).sum(), x0, lr=0.25, steps=3)
    assert isinstance(run.x, np.ndarray)
    assert run.x.shape == shape
    assert run.x.dtype == run.path.dtype == dtype
    assert run.path.shape == (4, *shape)
    assert (run.path[0] == x0).all()
    assert run.x == pytest.approx(np.asarray(x0) / 8)
    assert run.losses.dtype == np.float64


def test_integers_become_the_default_dtype():
    before = mg.get_default_dtype()
    mg.set_default_dtype(np.float32)
    try:
        assert optim.minimize(lambda x: x**2, 10, steps=1).x.dtype == np.float32
    finally:
        mg.set_default_dtype(before)


def test_the_start_is_copied():
    array, leaf = np.array(START), mg.tensor(START, requires_grad=True)
    optim.minimize(BOWL, array, lr=0.1, steps=2)
    optim.minimize(BOWL, leaf, lr=0.1, steps=2)
    assert (array == START).all()
    assert (leaf.data == START).all()
    assert leaf.grad is None


def test_trees_keep_their_form(data):
    X, y = data
    start = {"w": np.zeros((1,)), "rest": (0, np.float32(1))}

    def loss(p, X, y):
        return ((p["w"] * X + p["rest"][0] - y) ** 2).mean() + p["rest"][1] ** 2

    run = optim.minimize(loss, start, lr=0.1, steps=200, data=(X, y))
    assert set(run.x) == {"w", "rest"}
    assert run.path["w"].shape == (201, 1)
    assert run.path["rest"][0].shape == (201,)
    assert run.x["rest"][1].dtype == np.float32
    assert run.x["w"][0] == pytest.approx(3, abs=0.1)
    assert run.x["rest"][0] == pytest.approx(2, abs=0.1)


def test_a_part_of_x_that_is_not_used_stays():
    run = optim.minimize(lambda p: p[0] ** 2, (1.0, 7.0), lr=0.1, steps=5)
    assert run.x[1] == 7.0
    assert run.x[0] < 1


def test_no_step_is_a_run_too():
    run = optim.minimize(BOWL, START, steps=0)
    assert run.path.shape == (1, 2)
    assert run.steps == 0
    assert run.losses.tolist() == [47.25]
    assert run.gradient_norms.shape == (0,)
    assert not run.converged
    assert not run.diverged
    assert "slow" in repr(run)


@pytest.mark.parametrize(("every", "recorded"), [
    (1, [0, 1, 2, 3, 4, 5, 6, 7]), (3, [0, 3, 6, 7]), (7, [0, 7]), (100, [0, 7]),
])  # fmt: skip
def test_every_so_many_steps_are_recorded_and_the_last(every, recorded, data):
    for more in ({"data": data}, {"data": data, "batches": [range(20)] * 7}):
        run = optim.minimize(line, (0.0, 0.0), lr=0.1, steps=7, every=every, **more)
        assert run.recorded.tolist() == recorded
        assert run.losses == pytest.approx([float(line(wb, *data)) for wb in zip(*run.path, strict=True)], rel=1e-15)
        assert len(run.batch_losses) == 7


def test_it_works_where_recording_is_off():
    with mg.no_grad():
        run = optim.minimize(BOWL, START, lr=0.1, steps=3)
        assert not (mg.tensor(1.0, requires_grad=True) * 2).requires_grad
    assert (run.path == optim.minimize(BOWL, START, lr=0.1, steps=3).path).all()


def test_the_repr_says_how_it_ended():
    said = repr(optim.minimize(BOWL, START, lr=0.08, steps=30))
    assert said.splitlines()[0] == "Result"
    for words in ("SGD(lr=0.08)", "slow", "made 30 steps", "0.000458012, from 47.25", "[2.140122e-02"):
        assert words in said
    assert "{'a': 1." in repr(optim.minimize(lambda p: (p["a"] - 1) ** 2, {"a": 1.0}, steps=1))


# How it ends


def test_tol_stops_after_the_step_whose_gradient_was_small():
    run = optim.minimize(BOWL, [2.5, 1.5], lr=0.15, steps=100, tol=1e-9)
    assert run.gradient_norms[-1] < 1e-9 <= run.gradient_norms[-2]
    assert (run.steps, run.converged, run.verdict) == (64, True, "converged in 64")
    assert "gradient's norm was below 1e-09" in run.stop


def test_target_stops_at_the_first_loss_below_it():
    run = optim.minimize(BOWL, START, lr=0.08, steps=100, target=1e-6)
    assert run.losses[-1] < 1e-6 <= run.losses[-2]
    assert run.converged
    assert optim.minimize(BOWL, START, target=100.0).steps == 0


def test_without_a_goal_a_small_last_gradient_is_convergence():
    assert optim.minimize(BOWL, START, lr=0.1, steps=300).converged
    assert not optim.minimize(BOWL, START, lr=0.1, steps=300, tol=1e-300).converged
    assert not optim.minimize(BOWL, START, lr=0.001, steps=30).converged


def test_limits_end_a_run_as_diverged():
    steep = objectives.bowl(1, 10)
    by_x = optim.minimize(steep, START, lr=0.105, steps=50, x_limit=100)
    assert (by_x.steps, by_x.diverged, by_x.converged) == (39, True, False)
    assert by_x.verdict == "diverged after 39"
    by_loss = optim.minimize(steep, START, lr=1.0, steps=100, loss_limit=1e10)
    assert by_loss.losses[-1] == 1061472690078.5
    assert by_loss.steps == 4
    assert "passed 1e+10" in by_loss.stop


def test_divergence_is_a_result_and_no_crash_and_no_warning():
    run = optim.minimize(lambda x: x**4, 10.0, lr=1.0, steps=100)
    assert run.diverged
    assert run.steps < 100
    assert "the loss is" in run.stop
    assert not math.isfinite(run.loss)
    assert "diverged after" in repr(run)
    run = optim.minimize(BOWL, START, lr=0.5, steps=20)  # every value is finite
    assert run.diverged
    assert run.stop == "made 20 steps"


def test_a_gradient_that_is_not_finite_ends_a_run_before_its_step():
    run = optim.minimize(lambda x: mg.sqrt(mg.abs(x)), 1.0, lr=2.0, steps=10)
    assert run.diverged
    assert run.steps == 1
    assert run.stop == "the gradient's norm is nan after step 1"
    assert run.x == 0
    assert run.losses.tolist() == [1.0, 0.0]


def test_running_away_without_end_is_told_from_going_up_a_little():
    assert ends_diverged(np.array([1.0, 2.0, 5.0]))
    assert not ends_diverged(np.array([1.0, 1.5, 1.9]))
    assert not ends_diverged(np.array([1.0, 50.0, 5.0]))
    assert not ends_diverged(np.array([0.0, 0.0]))
    assert not ends_diverged(np.array([-5.0, -1.0]))
    assert ends_diverged(np.array([-5.0, 1.0]))
    assert not ends_diverged(np.array([3.0]))


# What happens to the gradient


def test_clipping_by_value_and_by_norm():
    by_value = optim.minimize(BOWL, START, lr=1.0, steps=1, clip_value=10)
    assert by_value.x.tolist() == [4 - 8, 2.5 - 10]
    by_norm = optim.minimize(BOWL, START, lr=1.0, steps=1, clip_norm=1)
    assert np.linalg.norm(by_norm.x - START) == pytest.approx(1, rel=1e-15)
    untouched = optim.minimize(BOWL, START, lr=0.1, steps=5, clip_norm=1e6)
    assert (untouched.path == optim.minimize(BOWL, START, lr=0.1, steps=5).path).all()
    assert by_norm.gradient_norms[0] == by_value.gradient_norms[0] == np.linalg.norm([8, 25])


def test_the_norm_is_that_of_all_parts_together():
    run = optim.minimize(lambda p: 3 * p[0] + 4 * p[1], (0.0, 0.0), lr=1.0, steps=1, clip_norm=1)
    assert run.x[0] == pytest.approx(-0.6, rel=1e-15)
    assert run.x[1] == pytest.approx(-0.8, rel=1e-15)


def test_noise_comes_before_clipping():
    run = optim.minimize(BOWL, START, lr=1.0, steps=1, noise=lambda shape: np.full(shape, 100.0), clip_value=10)
    assert run.x.tolist() == [-6.0, -7.5]
    assert run.gradient_norms[0] == np.linalg.norm([8, 25])


def test_noise_is_the_packages_and_repeats_with_its_seed():
    def go():
        with mg.random.using(3):
            return optim.minimize(BOWL, START, lr=0.05, steps=20, noise=1.0)

    assert (go().path == go().path).all()
    assert (go().path != optim.minimize(BOWL, START, lr=0.05, steps=20).path).any()


def test_a_schedule_makes_a_step_after_each_step():
    seen = []
    run = optim.minimize(
        BOWL, START, lr=0.1, steps=6, schedule=lambda o: optim.lr_scheduler.StepLR(o, 2, 0.5),
        callback=lambda step: seen.append(step.lr),
    )  # fmt: skip
    assert seen == pytest.approx([0.1, 0.1, 0.05, 0.05, 0.025, 0.025])
    x = np.array(START)
    for lr in seen:
        x = x - lr * np.array([2 * x[0], 10 * x[1]])
    assert run.x == pytest.approx(x, rel=1e-13)


# Rows of data


def test_batches_of_a_size_go_through_all_rows_in_each_epoch():
    seen = []

    def loss(w, rows):
        seen.append(np.sort(np.asarray(rows)).tolist())
        return (w * rows).sum()

    with mg.random.using(0):
        optim.minimize(loss, 1.0, lr=0.0, steps=6, data=(np.arange(10.0),), batches=4, every=100)
    batches = [rows for rows in seen if len(rows) < 10]
    assert [len(rows) for rows in batches] == [4, 4, 2, 4, 4, 2]
    assert sorted(chain(*batches[:3])) == sorted(chain(*batches[3:])) == list(range(10))
    assert batches[:3] != batches[3:]


def test_indices_are_used_up_one_batch_for_each_step(data):
    taken = []

    def orders():
        for i in range(20):
            taken.append(i)
            yield [i]

    run = optim.minimize(line, (0.0, 0.0), lr=0.01, steps=5, data=data, batches=orders())
    assert taken == [0, 1, 2, 3, 4]
    assert run.stop == "made 5 steps"
    run = optim.minimize(line, (0.0, 0.0), lr=0.01, data=data, batches=orders())
    assert run.steps == 20
    assert run.stop == "20 batches were used up"


def test_batch_losses_are_those_of_the_rows(data):
    X, y = data
    run = optim.minimize(line, (0.0, 0.0), lr=0.01, data=data, batches=[[0], slice(3, 7), np.arange(20) < 4])
    assert run.batch_losses[0] == y[0] ** 2
    wb = [part[1] for part in run.path]
    assert run.batch_losses[1] == pytest.approx(float(line(wb, X[3:7], y[3:7])), rel=1e-15)


def test_data_without_batches_is_used_whole(data):
    assert optim.minimize(line, (0.0, 0.0), lr=0.1, steps=3, data=data).batch_losses[0] == pytest.approx(
        np.mean(data[1] ** 2)
    )


def test_data_may_be_tensors(data):
    tensors = tuple(map(mg.tensor, data))
    a = optim.minimize(line, (0.0, 0.0), lr=0.1, steps=3, data=tensors, batches=[[0, 1], [2, 3]])
    b = optim.minimize(line, (0.0, 0.0), lr=0.1, steps=3, data=data, batches=[[0, 1], [2, 3]])
    assert a.losses.tolist() == b.losses.tolist()


# Callbacks


def test_a_callback_sees_each_step_and_may_stop():
    seen = []

    def watch(step):
        seen.append(step)
        step.x[...] = 99.0  # a copy: nothing happens
        return step.step == 4

    run = optim.minimize(BOWL, START, lr=0.05, steps=10, callback=watch)
    assert [step.step for step in seen] == [1, 2, 3, 4]
    assert run.steps == 4
    assert "callback" in run.stop
    assert seen[0].gradient_norm == np.linalg.norm([8, 25])
    assert [step.loss for step in seen] == run.losses[1:].tolist()
    assert not run.diverged


def test_with_minibatches_a_callback_sees_the_loss_of_the_batch(data):
    seen = []
    batches = [[i] for i in range(6)]
    run = optim.minimize(
        line, (0.0, 0.0), lr=0.01, data=data, batches=batches, every=2, callback=lambda step: seen.append(step.loss)
    )
    assert seen == run.batch_losses.tolist()


@pytest.mark.parametrize("method", [None, "BFGS"])
def test_numpys_true_is_true(method):
    run = optim.minimize(objectives.rosenbrock, [-1.2, 1.0], method=method, callback=lambda step: step.x[0] > -100)
    assert run.steps == 1


def test_what_a_callback_returns_otherwise_does_not_stop():
    assert optim.minimize(BOWL, START, steps=3, callback=lambda step: 1).steps == 3


def test_errors_of_the_objective_and_the_callback_pass_through():
    def fails(x):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        optim.minimize(fails, START)
    with pytest.raises(KeyError, match="mine"):
        optim.minimize(BOWL, START, callback=fails)


# Nonsense


@each(("arguments", "error", "words"), [
    ({"x0": []}, ArgumentError, "x0 holds no number"),
    ({"x0": ()}, ArgumentError, "x0 holds no number"),
    ({"x0": "here"}, DTypeError, "real numbers"),
    ({"x0": True}, DTypeError, "real numbers, not of bool"),
    ({"x0": 1j}, DTypeError, "real numbers, not of complex"),
    ({"x0": [1.0, np.nan]}, ArgumentError, "the objective is nan at x0"),
    ({"x0": [1.0, np.inf]}, ArgumentError, "the objective is inf at x0"),
    ({"f": lambda x: x * x}, ShapeError, r"shape \(2,\), and only a single number.*sum or mean"),
    ({"f": lambda x: 3.0}, GraphError, "was not computed from x"),
    ({"f": lambda x: float(x.detach()[0])}, GraphError, "was not computed from x"),
    ({"f": lambda x: x.detach().sum()}, GraphError, "requires grad"),
    ({"f": lambda x: (x * 1j).sum()}, DTypeError, r"returned complex128 .*real and varies smoothly.*np.abs\(y\)"),
    ({"f": lambda x: np.argmax(x)}, DTypeError, "returned int64 .*real and varies smoothly.*a floating-point number"),
    ({"f": lambda x: x[0] > 0}, DTypeError, "returned bool .*real and varies smoothly"),
    ({"f": lambda x: (x * 1j).sum(), "method": "BFGS"}, DTypeError, "returned complex128 .*real and varies smoothly"),
    ({"f": lambda x: mg.sqrt(x - 2.5).sum()}, ArgumentError, "the gradient's norm is inf at x0"),
    ({"f": objectives.rosenbrock, "x0": [[1.0, 2.0, 3.0]]}, ShapeError, r"shape \(3,\)"),
    ({"steps": -1}, ArgumentError, "steps must be an integer of at least 0, not -1"),
    ({"steps": 2.5}, ArgumentError, "steps must be an integer"),
    ({"steps": True}, ArgumentError, "steps must be an integer"),
    ({"every": 0}, ArgumentError, "every must be an integer of at least 1"),
    ({"tol": 0}, ArgumentError, "tol must be a number above 0"),
    ({"tol": -1e-3}, ArgumentError, "tol must be a number above 0"),
    ({"clip_norm": -1}, ArgumentError, "clip_norm must be a number above 0"),
    ({"clip_value": "a"}, ArgumentError, "clip_value must be a number above 0"),
    ({"noise": -1.0}, ArgumentError, "noise must be a number of at least 0"),
    ({"noise": lambda shape: np.zeros(3)}, ShapeError, r"noise of shape \(3,\) does not fit .* \(2,\)"),
    ({"lr": -0.1}, ArgumentError, "lr must be a number of at least 0"),
    ({"optimizer": "Adan"}, ArgumentError, "no optimizer 'Adan'; did you mean 'Adam'"),
    ({"optimizer": "L-BFGS-B"}, ArgumentError, "chosen by method="),
    ({"optimizer": 3}, DTypeError, "by its name, its class or a function"),
    ({"optimizer": lambda params: params}, DTypeError, "returned"),
    ({"optimizer": lambda params: optim.SGD(params), "lr": 0.1}, ArgumentError, "write lr into the function"),
    ({"momentun": 0.9}, ArgumentError, "SGD has no option momentun.*momentum"),
    ({"bounds": [(0, 1)] * 2}, ArgumentError, "add method="),
    ({"batches": 4}, ArgumentError, r"give data=\(X, y\) too"),
    ({"data": np.ones(3)}, DTypeError, r"data is a tuple of arrays, as in data=\(X, y\)"),
    ({"data": (np.ones(3), np.ones(4))}, ShapeError, "one row for each observation"),
    ({"data": (1.0,)}, ShapeError, "one row for each observation"),
    ({"data": (np.ones(3),), "batches": 0, "f": lambda x, r: x @ x}, ArgumentError, "batches must be an integer"),
    ({"method": "L-BFGS"}, ArgumentError, "no method 'L-BFGS'; did you mean 'L-BFGS-B'"),
    ({"method": "Adam"}, ArgumentError, "chosen by optimizer="),
    ({"method": "BFGS", "lr": 0.1}, ArgumentError, "BFGS does not take lr"),
    ({"method": "BFGS", "momentum": 0.1, "batches": 3}, ArgumentError, "does not take batches, momentum"),
    ({"method": "BFGS", "x0": [np.nan, 1]}, ArgumentError, "at x0 the objective is nan"),
])  # fmt: skip
def test_nonsense_is_refused_in_words(arguments, error, words):
    given = {"f": BOWL, "x0": START, **arguments}
    with pytest.raises(error, match=words):
        optim.minimize(given.pop("f"), given.pop("x0"), **given)


def test_a_tuple_where_a_vector_was_meant_gets_a_hint():
    with pytest.raises(TypeError) as caught:
        optim.minimize(objectives.rosenbrock, (-1.5, 2.0))
    assert "write a list for a vector" in caught.value.__notes__[0]
    with pytest.raises(TypeError) as caught:
        optim.minimize(lambda x: x[0] ** {}, (np.ones(2), 1.0))
    assert not hasattr(caught.value, "__notes__")


def test_a_row_that_is_not_there(data):
    with pytest.raises(IndexError, match="20"):
        optim.minimize(line, (0.0, 0.0), data=data, batches=[[20]])


# Sweeps


def test_a_sweep_is_one_run_for_each_rate():
    swept = optim.sweep(objectives.bowl(1, 10), START, [0.001, 0.09, 0.105], steps=100, target=1e-4)
    assert swept.lrs == (0.001, 0.09, 0.105)
    assert swept.verdicts == ("slow", "converged in 32", "diverged after 100")
    assert swept.best == 0.09
    assert len(swept) == 3
    assert [run.steps for _, run in swept] == [100, 32, 100]
    alone = optim.minimize(objectives.bowl(1, 10), START, lr=0.001, steps=100, target=1e-4)
    assert (swept.results[0].path == alone.path).all()
    lines = repr(swept).splitlines()
    assert lines[0].split() == ["lr", "steps", "loss", "verdict"]
    assert lines[-1] == "best: 0.09"
    assert len({line.index(word) for line, word in zip(lines[1:4], ("slow", "conv", "div"), strict=True)}) == 1


def test_a_sweep_in_which_everything_diverges_has_no_best():
    swept = optim.sweep(BOWL, START, [1.0, 10.0], steps=400)
    assert swept.best is None
    assert all("diverged" in verdict for verdict in swept.verdicts)
    assert "every run diverged, so try smaller rates" in repr(swept)


def test_without_convergence_the_lowest_loss_is_best():
    assert optim.sweep(BOWL, START, (lr for lr in (0.001, 0.01)), steps=10).best == 0.01


@pytest.mark.parametrize("lrs", [[], [0.0], [-0.1, 0.1], [np.nan], [np.inf]])
def test_rates_that_are_none(lrs):
    with pytest.raises(ArgumentError, match="learning rate"):
        optim.sweep(BOWL, START, lrs)


def test_a_sweep_takes_optimizers_with_options():
    swept = optim.sweep(BOWL, START, [0.01], optimizer="SGD", momentum=0.9, steps=5)
    assert swept.results[0].name == "SGD(lr=0.01, momentum=0.9)"


# The range of learning rates of a model


@pytest.fixture
def model():
    with mg.random.using(0):
        return mg.nn.Sequential(mg.nn.Linear(2, 8), mg.nn.BatchNorm1d(8), mg.nn.Tanh(), mg.nn.Linear(8, 1))


@pytest.fixture
def batches():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(64, 2))
    y = X @ np.array([[2.0], [-1.0]])
    return [(X[:32], y[:32]), (X[32:], y[32:])]


def test_the_range_test_leaves_the_model_as_it_was(model, batches):
    before = {key: np.array(value.data) for key, value in model.state_dict().items()}
    found = optim.lr_range_test(lambda X, y: ((model(X) - y) ** 2).mean(), model, batches, low=1e-4, high=100.0)
    for key, value in model.state_dict().items():
        assert (value.data == before[key]).all(), key
    assert all(p.grad is None for p in model.parameters())
    assert found.lrs[0] == pytest.approx(1e-4)
    assert len(found.lrs) == len(found.losses) == len(found.smoothed) < 100
    assert np.isfinite(found.losses).all()
    assert 1e-3 < found.suggestion < found.largest < 10
    assert "falls most steeply" in repr(found)


def test_the_range_test_restores_the_model_when_the_loss_fails(model, batches):
    before = {key: np.array(value.data) for key, value in model.state_dict().items()}
    calls = []

    def loss(X, y):
        calls.append(1)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return ((model(X) - y) ** 2).mean()

    with pytest.raises(KeyboardInterrupt):
        optim.lr_range_test(loss, model, batches)
    for key, value in model.state_dict().items():
        assert (value.data == before[key]).all(), key


@pytest.mark.parametrize(("options", "words"), [
    ({"low": 1.0, "high": 0.1}, "low must be .* below 0.1"), ({"low": 0.0}, "above 0"), ({"steps": 2}, "at least 3"),
    ({"smoothing": 1.0}, "smoothing"),
])  # fmt: skip
def test_range_tests_that_make_no_sense(model, batches, options, words):
    with pytest.raises(ArgumentError, match=words):
        optim.lr_range_test(lambda X, y: model(X).sum(), model, batches, **options)


def test_range_tests_of_nothing(model, batches):
    with pytest.raises(ArgumentError, match="no \\(more\\) batches"):
        optim.lr_range_test(lambda X, y: model(X).sum(), model, [])
    with pytest.raises(ArgumentError, match="no \\(more\\) batches"):
        optim.lr_range_test(lambda X, y: ((model(X) - y) ** 2).mean(), model, iter(batches))
    with pytest.raises(DTypeError, match="the Module to train"):
        optim.lr_range_test(lambda X, y: model(X).sum(), [1], batches)
    with pytest.raises(ArgumentError, match="not finite before the first step"):
        optim.lr_range_test(lambda X, y: model(X).sum() * np.nan, model, batches)


# SciPy's methods

scipy_optimize = pytest.importorskip("scipy.optimize")

FIRST = {"jac": scipy_optimize.rosen_der}
FULL = {**FIRST, "hess": scipy_optimize.rosen_hess}
PRODUCTS = {**FIRST, "hessp": scipy_optimize.rosen_hess_prod}
ANALYTIC = {
    "Nelder-Mead": {}, "Powell": {}, "COBYQA": {}, "CG": FIRST, "BFGS": FIRST, "L-BFGS-B": FIRST, "TNC": FIRST,
    "SLSQP": FIRST, "dogleg": FULL, "trust-exact": FULL, "Newton-CG": PRODUCTS, "trust-ncg": PRODUCTS,
    "trust-krylov": PRODUCTS, "trust-constr": PRODUCTS,
}  # fmt: skip
STARTS = [
    [-1.2, 1.0], [1.3, 0.7, 0.8, 1.9, 1.2], pytest.param(np.linspace(-0.5, 1.5, 10), marks=pytest.mark.slow),
]  # fmt: skip


@pytest.mark.parametrize("x0", STARTS, ids=lambda x0: f"n={len(x0)}")
@pytest.mark.parametrize("method", ANALYTIC)
def test_scipy_finds_the_same_in_as_many_iterations_as_with_derivatives_by_hand(method, x0):
    if method == "dogleg":
        x0 = 1 + 0.01 * np.asarray(x0)  # it needs a positive definite Hessian all the way
    options = {"maxfun": 1000} if method == "TNC" else {}
    ours = optim.minimize(objectives.rosenbrock, x0, method=method, options=options)
    # Last bits can decide of a step: ours are other ones than by hand, and so are those of the nearest starts.
    starts = [np.asarray(x0) * (1 + ulps * np.finfo(float).eps) for ulps in range(-3, 4)]
    by_hand = [
        scipy_optimize.minimize(scipy_optimize.rosen, start, method=method, options=options, **ANALYTIC[method])
        for start in starts
    ]
    theirs = by_hand[3]
    assert ours.converged == theirs.success
    assert ours.scipy.nit <= max(found.nit for found in by_hand)
    if theirs.success:
        assert ours.x == pytest.approx(theirs.x, abs=1e-3)
        assert ours.loss <= theirs.fun * (1 + 1e-3) + 1e-7


def test_a_path_of_scipys_holds_its_iterates():
    seen = [np.array([-1.2, 1.0])]
    scipy_optimize.minimize(
        scipy_optimize.rosen, seen[0], method="BFGS", jac=scipy_optimize.rosen_der, callback=lambda x: seen.append(x)
    )
    run = optim.minimize(objectives.rosenbrock, [-1.2, 1.0], method="bfgs")
    assert run.path.shape == (len(seen), 2)
    assert run.path == pytest.approx(np.array(seen), rel=1e-6)
    assert run.losses == pytest.approx([scipy_optimize.rosen(x) for x in run.path])
    assert run.gradient_norms == pytest.approx([np.linalg.norm(scipy_optimize.rosen_der(x)) for x in run.path[:-1]])
    assert run.steps == len(seen) - 1
    assert run.name == "BFGS"
    assert optim.minimize(objectives.rosenbrock, [-1.2, 1.0], method="bfgs", every=5).recorded[-1] == run.steps


def test_scipy_takes_trees_and_data(data):
    run = optim.minimize(line, (np.float32(0), 0), method="BFGS", data=data)
    w, b = np.polyfit(*data, 1)
    assert run.x[0] == pytest.approx(w, rel=1e-5)
    assert run.x[1] == pytest.approx(b, rel=1e-5)
    assert run.x[0].dtype == np.float32
    assert run.path[1].shape == (run.steps + 1,)


def test_bounds():
    run = optim.minimize(objectives.rosenbrock, [0.0, 0.0], method="L-BFGS-B", bounds=[(None, 0.5), (None, None)])
    assert run.x == pytest.approx([0.5, 0.25], abs=1e-5)


def test_constraints_get_their_derivatives_from_the_graph():
    def f(x):
        return (x[0] - 1) ** 2 + (x[1] - 2.5) ** 2

    constraints = [
        {"type": "ineq", "fun": lambda x: x[0] - 2 * x[1] + 2},
        {"type": "ineq", "fun": lambda x, c: -x[0] - 2 * x[1] + c, "args": (6,)},
    ]
    run = optim.minimize(f, [2, 0], method="SLSQP", bounds=[(0, None)] * 2, constraints=constraints)
    assert run.x == pytest.approx([1.4, 1.7])  # the example of scipy.optimize.minimize's documentation
    assert run.scipy.njev <= 4


def test_constraints_of_several_values_and_second_derivatives():
    ring = scipy_optimize.NonlinearConstraint(lambda x: (x * x).sum(), 0.0, 1.0)
    both = scipy_optimize.NonlinearConstraint(lambda x: mg.stack([x[0] ** 2 + x[1], x[0] - x[1] ** 2]), -np.inf, 1.0)
    straight = scipy_optimize.LinearConstraint([[1.0, 2.0]], -np.inf, 1.0)
    for constraint in (ring, both, straight):
        ours = optim.minimize(objectives.rosenbrock, [0.1, 0.2], method="trust-constr", constraints=constraint)
        numeric = constraint
        if constraint is not straight:
            numeric = scipy_optimize.NonlinearConstraint(
                lambda x, c=constraint: np.asarray(c.fun(mg.tensor(x))), constraint.lb, constraint.ub
            )
        theirs = scipy_optimize.minimize(
            scipy_optimize.rosen, [0.1, 0.2], method="trust-constr", jac=scipy_optimize.rosen_der,
            hess=scipy_optimize.rosen_hess, constraints=numeric,
        )  # fmt: skip
        assert ours.loss == pytest.approx(theirs.fun, abs=1e-3)


def test_steps_and_options_reach_scipy():
    run = optim.minimize(objectives.rosenbrock, [-1.2, 1.0], method="BFGS", steps=3)
    assert run.steps == 3
    assert not run.converged
    run = optim.minimize(objectives.rosenbrock, [-1.2, 1.0], method="BFGS", options={"gtol": 10.0})
    assert run.converged
    assert run.steps < 30
    assert optim.minimize(objectives.rosenbrock, [-1.2, 1.0], method="TNC", steps=5).scipy.nfev <= 6
    assert optim.minimize(objectives.rosenbrock, [-1.2, 1.0], method="BFGS", steps=0).steps == 0


def test_limits_and_callbacks_stop_scipy():
    run = optim.minimize(objectives.rosenbrock, [-1.2, 1.0], method="Newton-CG", target=1.0)
    assert run.losses[-1] < 1.0 <= run.losses[-2]
    assert run.converged
    run = optim.minimize(objectives.rosenbrock, [-1.2, 1.0], method="BFGS", callback=lambda step: step.step == 2)
    assert run.steps == 2
    assert "callback" in run.stop
    away = optim.minimize(objectives.saddle, [0.1, 1.0], method="CG", x_limit=1e3)
    assert away.diverged


def test_without_scipy_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy", None)
    with pytest.raises(MissingPackageError, match=r"pip install scipy .*`scipy`"):
        optim.minimize(BOWL, START, method="BFGS")


def test_a_run_converged_when_its_gradient_was_small_for_good_whatever_the_number_of_steps():
    short, long = (optim.minimize(lambda x: x**2, 5.0, lr=0.3, steps=steps) for steps in (40, 400))
    norms = 2 * 5 * 0.4 ** np.arange(40.0)
    expected = int(np.flatnonzero(norms >= 1e-6)[-1]) + 1
    assert short.steps_to_converge == long.steps_to_converge == expected
    assert short.verdict == long.verdict == f"converged in {expected}"
    assert optim.minimize(lambda x: x**2, 0.0, steps=5).verdict == "converged in 0"
    assert optim.minimize(lambda x: x**2, 5.0, lr=0.3, steps=400, tol=1e-3).verdict == "converged in 12"
    swept = optim.sweep(lambda x: x**2, 5.0, [0.05, 0.3, 0.9], steps=400)
    assert swept.best == 0.3


# What is not finite on the way, and estimates that are none


def test_a_method_of_scipy_goes_on_after_a_point_that_is_not_finite():
    pytest.importorskip("scipy")
    rng = np.random.default_rng(0)
    t = np.linspace(0, 5, 200)
    y = 2.5 * np.exp(-1.3 * t) + 0.5 + 0.1 * rng.normal(size=200)

    def nll(p):
        return -mg.stats.norm.logpdf(y, p[0] * np.exp(-p[1] * t) + p[2], np.exp(p[3])).sum()

    run = mg.optim.minimize(nll, [1.0, 1.0, 0.0, 0.0], method="SLSQP")
    assert run.converged
    assert run.loss == pytest.approx(-185.658, abs=1e-3)


@pytest.mark.parametrize("method", ["trust-exact", "SLSQP"])
def test_a_run_of_scipy_that_ends_where_nothing_is_finite_has_diverged(method):
    pytest.importorskip("scipy")
    run = mg.optim.minimize(lambda x: -np.exp(x[0] ** 2) + 0 * x[1] ** 2, [5.0, 1.0], method=method, steps=30)
    assert run.diverged


def test_an_error_of_the_function_is_no_end_of_a_run():
    pytest.importorskip("scipy")

    def f(x):
        if np.shape(x) == (2,):
            raise ValueError("no such point")
        return x**2

    with pytest.raises(ValueError, match="no such point"):
        mg.optim.minimize(f, [5.0, 1.0], method="BFGS")


def test_covariances_of_what_is_no_minimum():
    pytest.importorskip("scipy")
    run = mg.optim.minimize(lambda w: ((w - 3) ** 2).sum() * 5, [0.0, 0.0], method="L-BFGS-B", bounds=[(0, 1), (0, 9)])
    with pytest.warns(UserWarning, match=r"6\.3 standard errors away.*at one of its bounds"):
        errors = run.standard_errors()
    assert errors == pytest.approx([1 / np.sqrt(10)] * 2)
    early = mg.optim.minimize(lambda x: 50 * (x - 1) ** 2, 0.0, lr=1e-3, steps=2)
    with pytest.warns(UserWarning, match=r"make more steps"):
        early.covariance()
    flat = mg.optim.minimize(lambda w: (w[0] + w[1] - 1) ** 2, [0.3, 0.3], method="BFGS")
    with pytest.raises(ValueError, match="not positive definite"):
        flat.covariance()
    badly_scaled = mg.optim.minimize(lambda w: 1e12 * w[0] ** 2 + 1e-12 * w[1] ** 2, [0.0, 0.0], steps=1)
    assert np.diagonal(badly_scaled.covariance()) == pytest.approx([0.5e-12, 0.5e12])
