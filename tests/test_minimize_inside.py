"""`optim.minimize(compiled=True)`: the same numbers as without, to the last bit, and what it refuses."""

import itertools

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, objectives, optim
from minigrad.errors import ArgumentError, ProgramError
from minigrad.optim import descent, inside
from tests.program.same import assert_same_bits
from tests.rows import each, named

ARRAYS = ("path", "losses", "recorded", "gradient_norms", "batch_losses", "x")
FACTS = ("loss", "steps", "evaluations", "stop", "converged", "diverged", "name")
START = [-1.2, 1.0, 0.5]
RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 3))
Y = X @ [1.0, -2.0, 0.5] + 0.1


def chain(x):
    return mg.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def quartic(x):
    return mg.sum(x**4) / 4 + mg.sum(mg.sin(x))


def squares(x):
    return mg.sum(x * x)


def line(p, X, y):
    return ((X @ p["w"] + p["b"] - y) ** 2).mean()


@pytest.fixture
def at_once(monkeypatch):
    """Go inside as soon as that is possible."""
    monkeypatch.setattr(descent, "PATIENCE", 0.0)
    monkeypatch.setattr(descent, "COMPILING", 0.0)


def assert_the_same_inside(f, x0, **options):
    """Run with and without the compiled loop, and compare everything."""
    outside = optim.minimize(f, x0, compiled=False, **options)
    found = optim.minimize(f, x0, compiled=True, **options)
    for name in ARRAYS:
        assert_same_bits(getattr(found, name), getattr(outside, name))
    for name in FACTS:
        a, b = getattr(found, name), getattr(outside, name)
        assert type(a) is type(b)
        assert a == b or (a != a and b != b), f"{name} is {a}, and without the loop {b}"
    return found


OPTIMIZERS = {
    "SGD": {"lr": 1e-3},
    "SGD with momentum": {"lr": 1e-4, "momentum": 0.9},
    "SGD of Nesterov": {"lr": 1e-4, "momentum": 0.9, "nesterov": True},
    "SGD with weight decay and dampening": {"lr": 1e-4, "momentum": 0.9, "weight_decay": 0.1, "dampening": 0.5},
    "SGD that goes uphill": {"lr": 1e-9, "maximize": True},
    "Adam": {"lr": 0.05},
    "Adam with the largest average": {"lr": 0.05, "amsgrad": True, "weight_decay": 0.01},
    "AdamW": {"lr": 0.05, "weight_decay": 0.1},
    "RMSprop": {"lr": 0.01},
    "RMSprop, centered": {"lr": 0.01, "centered": True, "momentum": 0.5},
    "Adagrad": {"lr": 0.1},
    "Adagrad whose rate falls": {"lr": 0.1, "lr_decay": 0.01},
    "Adadelta": {"lr": 1.0},
    "Adamax": {"lr": 0.05},
    "NAdam": {"lr": 0.05},
    "RAdam": {"lr": 0.05},
    "Rprop": {"lr": 0.01},
    "ASGD": {"lr": 1e-3},
    "Lion": {"lr": 0.01},
    "Adafactor": {"lr": 0.01},
}
ALL = {name: (name.split()[0].strip(","), options) for name, options in OPTIMIZERS.items()}
of_optimizers = pytest.mark.parametrize(("optimizer", "options"), ALL.values(), ids=ALL)


@of_optimizers
def test_every_optimizer_makes_the_same_steps_inside(optimizer, options):
    assert_the_same_inside(chain, START, optimizer=optimizer, steps=40, **options)


@of_optimizers
def test_every_optimizer_makes_the_same_steps_inside_with_clipped_gradients(optimizer, options):
    assert_the_same_inside(chain, START, optimizer=optimizer, steps=40, clip_value=2.0, **options)


def test_muon_makes_the_same_steps_inside():
    assert_the_same_inside(squares, RNG.normal(size=(3, 4)), optimizer="Muon", lr=0.05, steps=30)


def test_an_optimizer_may_be_made_by_a_function():
    def made(params):
        return optim.SGD([{"params": params[:1], "lr": 0.1}, {"params": params[1:], "lr": 0.01}], momentum=0.5)

    assert_the_same_inside(lambda p: squares(p[0]) + quartic(p[1]), (1.0, np.array(START)), optimizer=made, steps=30)


def test_all_optimizers_are_tried():
    offered = {name for name in optim.__all__ if isinstance(getattr(optim, name), type)
               and issubclass(getattr(optim, name), optim.Optimizer)}  # fmt: skip
    assert offered - {name for name, _ in ALL.values()} == {"Optimizer", "Muon", "LBFGS", "ZeroRedundancyOptimizer"}


# When it ends


@each("options", named({
    "as many steps as by default": {},
    "no step": {"steps": 0},
    "one step": {"steps": 1},
    "two steps": {"steps": 2},
    "every seventh": {"steps": 40, "every": 7},
    "every seventh, and the last": {"steps": 42, "every": 7},
    "a small gradient": {"steps": 500, "tol": 1e-3},
    "no gradient so small": {"steps": 60, "tol": 1e-300},
    "a target": {"steps": 500, "target": 1e-3},
    "a target between two records": {"steps": 500, "target": 1e-3, "every": 7},
    "a target at the start": {"steps": 50, "target": 1e9},
    "a target and a small gradient": {"steps": 500, "target": 1e-2, "tol": 1e-2},
    "a limit of the loss": {"steps": 50, "loss_limit": 1.0},
    "a limit of x": {"steps": 50, "x_limit": 0.5},
    "limits that are never passed": {"steps": 50, "loss_limit": 1e9, "x_limit": 1e9},
}))  # fmt: skip
def test_it_ends_where_it_would_end_without(options):
    assert_the_same_inside(squares, START, lr=0.05, **options)
    assert_the_same_inside(squares, START, optimizer="Adam", lr=0.05, **options)


@each(("f", "x0", "options"), named({
    "slowly": (squares, START, {"lr": 1.1, "steps": 60}),
    "to a limit of the loss": (squares, START, {"lr": 1.1, "steps": 60, "loss_limit": 1e3}),
    "to a limit of x": (squares, START, {"lr": 1.1, "steps": 60, "x_limit": 1e3}),
    "to a limit of x, every seventh": (squares, START, {"lr": 1.1, "steps": 60, "x_limit": 1e3, "every": 7}),
    "to infinity": (quartic, START, {"lr": 1.0, "steps": 60}),
    "to infinity, every seventh": (quartic, START, {"lr": 1.0, "steps": 60, "every": 7}),
    "to infinity with momentum": (quartic, START, {"lr": 0.5, "momentum": 0.9, "steps": 60}),
    "to infinity by Adam": (lambda x: -mg.sum(mg.exp(x)), START, {"optimizer": "Adam", "lr": 30.0, "steps": 60}),
    "to a gradient that is no number": (lambda x: mg.sum(mg.sqrt(mg.abs(x))), [1.0], {"lr": 0.25, "steps": 60}),
    "to a logarithm of nothing": (lambda x: mg.sum(mg.log(x)), [1.0], {"lr": 0.25, "steps": 60}),
}))  # fmt: skip
def test_a_run_that_diverges_is_the_same(f, x0, options):
    assert_the_same_inside(f, x0, **options)


def test_a_start_that_is_no_number_is_refused_too():
    for compiled in (True, False):
        with pytest.raises(ArgumentError, match="the objective is nan at x0"):
            optim.minimize(squares, [np.nan], compiled=compiled)


@pytest.mark.parametrize("steps", [15, 16, 17, 18, 32, 33, 34, 50])
def test_steps_in_several_chunks(steps, monkeypatch):
    monkeypatch.setattr(inside, "MOST", 16)
    assert_the_same_inside(chain, START, optimizer="Adam", lr=0.05, steps=steps)
    assert_the_same_inside(chain, START, optimizer="SGD", lr=1e-4, momentum=0.9, steps=steps, every=7)


@pytest.mark.parametrize("limit", [1e-1, 1e-2, 1e-3, 1e-4])
def test_ends_in_the_middle_of_a_chunk(limit, monkeypatch):
    monkeypatch.setattr(inside, "MOST", 16)
    assert_the_same_inside(squares, START, optimizer="RMSprop", lr=0.02, steps=300, target=limit)
    assert_the_same_inside(squares, START, lr=0.02, steps=300, tol=limit)
    assert_the_same_inside(squares, START, lr=1.02, steps=300, x_limit=1 / limit)


@each("limit", list(np.geomspace(0.3, 1e-9, 40)))
def test_ends_at_each_step_of_a_chunk(limit):
    assert_the_same_inside(squares, START, lr=0.2, momentum=0.5, steps=300, target=limit)


# What is minimised


@each(("f", "x0"), named({
    "a number": (lambda x: (x - 3) ** 2, 10.0),
    "a whole number": (lambda x: (x - 3) ** 2, 10),
    "single precision": (squares, np.array(START, np.float32)),
    "a number of single precision": (lambda x: x * x, np.float32(3)),
    "a matrix": (lambda x: mg.sum((x @ x.T - np.eye(3)) ** 2), RNG.normal(size=(3, 2))),
    "an array of an unusual layout": (squares, RNG.normal(size=(4, 6))[::2, ::-1].T),
    "a Tensor": (squares, mg.tensor(START)),
    "a tuple": (lambda p: (p[0] - 1) ** 2 + (p[1] + p[0]) ** 2, (0.0, 0.0)),
    "a dict of both precisions": (
        lambda p: squares(p["a"]) + squares(p["b"][0]) + p["b"][1] ** 2,
        {"a": np.ones((2, 2)), "b": (np.ones(3, np.float32), 2.0)},
    ),
    "softmax": (lambda x: -mg.log_softmax(x)[1] + 0.1 * squares(x), START),
    "a scan": (lambda x: mg.scan(lambda c, y: (c * 0.5 + y * y, None), 0.0, x)[0], START),
    "a while loop of a constant": (lambda x: squares(x) * mg.while_loop(lambda c: c < 9, lambda c: c * 2, 1.0), START),
    "a branch": (lambda x: mg.cond(mg.sum(x) > 0, squares, lambda x: squares(x) + mg.sum(x) ** 2, x), START),
    "something of the library": (objectives.rosenbrock, [-1.2, 1.0]),
}))  # fmt: skip
def test_everything_can_be_minimised_inside(f, x0):
    assert_the_same_inside(f, x0, lr=1e-3, steps=30)
    assert_the_same_inside(f, x0, optimizer="Adam", lr=0.05, steps=30)


def test_data_without_batches():
    start = {"w": np.zeros(3), "b": 0.0}
    assert_the_same_inside(line, start, data=(X, Y), lr=0.1, steps=50)
    assert_the_same_inside(line, start, data=(mg.tensor(X), mg.tensor(Y)), optimizer="Adam", lr=0.1, steps=50)


def test_data_of_whole_numbers():
    def loss(w, X, labels):
        return nn.functional.cross_entropy(X @ w, labels)

    assert_the_same_inside(loss, np.zeros((3, 2)), data=(X, (Y > 0).astype(int)), optimizer="Adam", lr=0.1, steps=50)


def test_without_a_compiler_it_is_the_same(monkeypatch):
    monkeypatch.setenv("MINIGRAD_JIT_BACKEND", "numpy")
    assert_the_same_inside(chain, START, optimizer="Adam", lr=0.05, steps=40, every=7)


def test_what_f_finds_outside():
    w, rows = mg.tensor(3.0), np.array([1.0, 2.0, 4.0])
    assert_the_same_inside(lambda x: mg.sum((x * rows - w) ** 2), START, lr=0.01, steps=30)


@pytest.mark.parametrize("compiled", ["auto", False])
def test_a_tensor_outside_gathers_the_gradients_of_all_steps(compiled, at_once):
    w = mg.tensor(3.0, requires_grad=True)
    optim.minimize(lambda x: mg.sum(x * w), START, lr=0.0, steps=30, compiled=compiled)
    assert w.grad.item() == pytest.approx(30 * sum(START))


def test_the_start_and_the_data_stay_what_they_are():
    x0, data = np.array(START), (X.copy(), Y.copy())
    optim.minimize(squares, x0, lr=0.1, steps=20, compiled=True)
    optim.minimize(line, {"w": x0, "b": 0.0}, data=data, lr=0.1, steps=20, compiled=True)
    assert x0.tolist() == START
    assert_same_bits(data, (X, Y))


def test_points_of_a_path_share_no_memory():
    run = optim.minimize(squares, START, lr=0.1, steps=20, compiled=True)
    assert not np.shares_memory(run.path, run.x)
    assert len({point.tobytes() for point in run.path}) == 21


def test_it_works_where_recording_is_off():
    expected = optim.minimize(chain, START, lr=1e-3, steps=20)
    with mg.no_grad():
        assert_same_bits(optim.minimize(chain, START, lr=1e-3, steps=20, compiled=True).path, expected.path)


def test_few_steps_are_made_one_by_one():
    calls = []

    def counted(x):
        calls.append(0)
        return squares(x)

    optim.minimize(counted, START, lr=0.01, steps=1000, compiled=True)
    assert len(calls) < 10
    calls.clear()
    optim.minimize(counted, START, lr=0.01, steps=10)
    assert len(calls) == 11


def test_auto_gives_the_same_when_it_goes_inside(at_once):
    calls = []

    def counted(x):
        calls.append(0)
        return chain(x)

    expected = optim.minimize(chain, START, optimizer="Adam", lr=0.01, steps=60, compiled=False)
    found = optim.minimize(counted, START, optimizer="Adam", lr=0.01, steps=60)
    assert len(calls) < 30
    for name in ARRAYS:
        assert_same_bits(getattr(found, name), getattr(expected, name))


def test_auto_stays_outside_with_a_callback(at_once):
    seen = []
    optim.minimize(squares, START, lr=0.01, steps=20, callback=lambda step: seen.append(step.step))
    assert seen == list(range(1, 21))


def bent(x):
    return squares(x) if float(x.detach()[0]) < -0.5 else quartic(x)


def test_auto_stays_outside_where_values_decide(at_once):
    found, expected = (optim.minimize(bent, START, lr=0.1, steps=20, compiled=how) for how in ("auto", False))
    assert_same_bits(found.path, expected.path)


def test_auto_stays_outside_with_lbfgs(at_once):
    found, expected = (
        optim.minimize(chain, START, optimizer="LBFGS", steps=20, compiled=how) for how in ("auto", False)
    )
    assert_same_bits(found.path, expected.path)


def drawn_by_numpy(rng):
    return lambda x: mg.sum((x - rng.normal(size=3)) ** 2)


def rows_drawn_by_numpy(rng):
    return lambda x: mg.mean((X[rng.integers(0, 20, 4)] @ x - 1) ** 2)


def with_a_counter(rng):
    calls = itertools.count(1)
    return lambda x: squares(x) * next(calls)


@pytest.mark.parametrize("make", [drawn_by_numpy, rows_drawn_by_numpy, with_a_counter])
def test_an_objective_that_is_another_one_at_each_call_is_called_at_each_step(make, at_once):
    f, calls = make(np.random.default_rng(0)), []

    def counted(x):
        calls.append(0)
        return f(x)

    run = optim.minimize(counted, START, lr=0.01, steps=60)
    assert len(calls) > run.steps == 60


def test_auto_gives_the_same_with_random_numbers_of_minigrad(at_once):
    def run(compiled):
        with mg.random.using(0):
            f = lambda x: mg.sum((x - mg.random.randn(3)) ** 2)  # noqa: E731
            return optim.minimize(f, START, lr=0.01, steps=30, compiled=compiled)

    assert_same_bits(run("auto").path, run(False).path)


def test_a_sweep_passes_it_on():
    found, expected = (
        optim.sweep(objectives.bowl(1, 10), [4.0, 2.5], [0.01, 0.09, 0.105], target=1e-4, compiled=compiled)
        for compiled in (True, False)
    )
    assert found.best == expected.best == 0.09
    assert found.verdicts == expected.verdicts
    for a, b in zip(found.results, expected.results, strict=True):
        assert_same_bits([a.path, a.losses, a.gradient_norms], [b.path, b.losses, b.gradient_norms])
    with pytest.raises(ArgumentError, match="compiled=True"):
        optim.sweep(squares, START, [0.1], clip_norm=1.0, compiled=True)


# What is refused


@each("options", [
    {"data": (X, Y), "batches": 5},
    {"data": (X, Y), "batches": [[0, 1]] * 3},
    {"noise": 0.1},
    {"noise": lambda shape: np.zeros(shape)},
    {"schedule": lambda o: optim.lr_scheduler.StepLR(o, 2, 0.5)},
    {"callback": lambda step: None},
    {"clip_norm": 1.0},
])  # fmt: skip
def test_what_the_loop_does_not_know_is_refused(options):
    f, x0 = (line, {"w": np.zeros(3), "b": 0.0}) if "data" in options else (squares, START)
    with pytest.raises(ArgumentError, match=r"compiled=True makes all steps in one loop, which knows no batches"):
        optim.minimize(f, x0, lr=0.1, steps=3, compiled=True, **options)


def test_lbfgs_cannot_go_inside():
    with pytest.raises((ArgumentError, ProgramError), match="LBFGS"):
        optim.minimize(squares, START, optimizer="LBFGS", compiled=True)


def test_an_objective_that_looks_at_values_cannot_go_inside():
    with pytest.raises(ProgramError, match=r"test_minimize_inside.py:\d+"):
        optim.minimize(lambda x: squares(x) if x[0] > 0 else quartic(x), START, compiled=True)


def test_an_objective_that_draws_random_numbers_cannot_go_inside():
    with pytest.raises((ProgramError, ArgumentError)):
        optim.minimize(lambda x: mg.sum((x + mg.random.rand(3)) ** 2), START, lr=0.1, steps=20, compiled=True)


def test_an_objective_that_gathers_gradients_outside_cannot_go_inside():
    w = mg.tensor(3.0, requires_grad=True)
    with pytest.raises(ArgumentError, match=r"compiled=True: a step changes something outside"):
        optim.minimize(lambda x: mg.sum(x * w), START, lr=0.1, steps=20, compiled=True)


def test_a_part_of_x_that_is_not_used_cannot_go_inside():
    with pytest.raises(ProgramError, match="does not depend on all of x"):
        optim.minimize(lambda p: p[0] ** 2, (1.0, 7.0), lr=0.1, steps=5, compiled=True)


@each("compiled", [None, 2, "yes", "True"])
def test_it_is_true_false_or_auto(compiled):
    with pytest.raises(ArgumentError, match="minimize: compiled"):
        optim.minimize(squares, START, compiled=compiled)
