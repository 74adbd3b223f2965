"""What workers of an executor compute: what one process computes alone, to the last bit; and what is refused."""

import multiprocessing
import multiprocessing.dummy
import os
import pickle
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial

import numpy as np
import pytest

import minigrad as mg
from minigrad import curvature, data, nn, objectives, optim
from minigrad.errors import AnomalyError, ArgumentError, DTypeError
from minigrad.executors import Packed, holds
from minigrad.threads import one_thread
from tests.rows import each

# Python 3.12 warns of fork() when there are threads, which NumPy's may be.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")

START = [4.0, 2.5]
RATES = [0.01, 0.02, 0.03, 0.09, 0.105]
X = np.random.default_rng(0).normal(size=(8, 3))
EXECUTORS = {
    "2 threads": lambda: ThreadPoolExecutor(2),
    "4 threads": lambda: ThreadPoolExecutor(4),
    "2 forked processes": lambda: ProcessPoolExecutor(2, multiprocessing.get_context("fork")),
    "4 forked processes": lambda: ProcessPoolExecutor(4, multiprocessing.get_context("fork")),
    "2 spawned processes": lambda: ProcessPoolExecutor(2, multiprocessing.get_context("spawn")),
}


def is_there(name):
    return not (name.split()[1] == "forked" and "fork" not in multiprocessing.get_all_start_methods())


@pytest.fixture(params=[name for name in EXECUTORS if is_there(name)], scope="module")
def executor(request):
    with EXECUTORS[request.param]() as made:
        yield made


@pytest.fixture
def threads():
    with ThreadPoolExecutor(2) as made:
        yield made


@pytest.fixture(scope="module")
def processes():
    with ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as made:
        yield made


needs_fork = pytest.mark.skipif(not is_there("2 forked processes"), reason="there is no fork")


def line(w, x, y):
    return ((x @ w - y) ** 2).mean()


def mean_square(model, x):
    return (model(x) ** 2).mean()


def loss_of_global():
    return mean_square(GLOBAL, X)


def root(x):
    return mg.sqrt(x).sum()


def refused(x):
    raise TypeError("what the objective says")


def leave(x):
    os._exit(1)


def threads_of_products(x):
    return (x * mg.get_num_threads()).sum()


GLOBAL = nn.Linear(3, 1)  # so to import this file is to draw random numbers, in spawned workers, too


def same(one, other):
    """Whether two runs are the same to the last bit."""
    arrays = "path", "losses", "recorded", "gradient_norms", "batch_losses"
    facts = "loss", "steps", "evaluations", "converged", "diverged", "stop", "name"
    return all(np.array_equal(getattr(one, a), getattr(other, a)) for a in arrays) and all(
        getattr(one, fact) == getattr(other, fact) for fact in facts
    )


def assert_same_sweeps(one, other):
    assert one.lrs == other.lrs
    assert all(same(a, b) for a, b in zip(one.results, other.results, strict=True))


# Runs


def test_a_sweep_on_workers_is_the_serial_one(executor):
    rows = {"data": (X, X @ [1.0, -2.0, 0.5]), "batches": 3, "steps": 20}
    for f, start, options in [
        (objectives.bowl(1, 10), START, {"target": 1e-4, "steps": 60}),
        (objectives.bowl(1, 10), START, {"noise": 0.1, "steps": 30, "optimizer": optim.Adam}),
        (line, np.zeros(3), rows),
    ]:
        mg.manual_seed(5)
        alone = optim.sweep(f, start, RATES, **options)
        after = mg.random.get_state()
        mg.manual_seed(5)
        assert_same_sweeps(alone, optim.sweep(f, start, RATES, map=executor.map, **options))
        assert mg.random.get_state() == after


def test_each_run_begins_with_the_same_random_numbers():
    mg.manual_seed(2)
    swept = optim.sweep(objectives.bowl(1, 10), START, [0.01, 0.02], noise=0.1, steps=10)
    following = mg.random.rand(1)
    for lr, run in swept:
        mg.manual_seed(2)
        assert same(run, optim.minimize(objectives.bowl(1, 10), START, lr=lr, noise=0.1, steps=10))
    assert (mg.random.rand(1) == following).all()


def test_a_generator_of_ones_own_goes_on_from_run_to_run():
    own = mg.manual_seed(2)
    options = {"noise": lambda shape: own.normal(0.0, 0.1, shape), "steps": 5}
    swept = optim.sweep(objectives.bowl(1, 10), START, [0.01, 0.01], **options)
    assert not same(*swept.results)
    expected = np.random.default_rng(2)
    expected.normal(size=20)
    assert own.normal() == expected.normal()


def test_settings_reach_the_workers(executor):
    mg.set_default_dtype(np.float32)
    try:
        alone = optim.sweep(objectives.bowl(1, 10), [4, 2], RATES, steps=10)
        swept = optim.sweep(objectives.bowl(1, 10), [4, 2], RATES, steps=10, map=executor.map)
    finally:
        mg.set_default_dtype(np.float64)
    assert swept.results[0].path.dtype == np.float32
    assert_same_sweeps(alone, swept)
    with mg.detect_anomaly(), pytest.raises(AnomalyError):
        optim.sweep(root, [1.0, 0.0], [0.1], map=executor.map)
    assert optim.sweep(objectives.bowl(1), [4], [0.1], steps=1, map=executor.map).results[0].x.dtype == np.float64


def test_workers_multiply_matrices_with_one_thread(executor):
    pytest.importorskip("threadpoolctl")
    before = mg.get_num_threads()
    try:
        if isinstance(executor, ProcessPoolExecutor):  # among threads, the first to set it has it to itself
            list(executor.map(mg.set_num_threads, [2] * 8))
        mg.set_num_threads(2)
        swept = optim.sweep(threads_of_products, [1.0], [0.1] * 8, steps=0, map=executor.map)
        assert [run.loss for run in swept.results] == [1.0] * 8
        assert mg.get_num_threads() == 2
    finally:
        mg.set_num_threads(before)


def test_without_threadpoolctl_there_are_as_many_threads_as_before(monkeypatch):
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    with one_thread():
        pass


@needs_fork
def test_results_of_processes_know_their_objective(processes):
    rows = {"data": (X, X @ [1.0, -2.0, 0.5]), "steps": 2000, "tol": 1e-8}
    (alone,) = optim.sweep(line, np.zeros(3), [0.5], **rows).results
    (found,) = optim.sweep(line, np.zeros(3), [0.5], map=processes.map, **rows).results
    np.testing.assert_array_equal(found.covariance(), alone.covariance())


@needs_fork
def test_optimizers_may_be_names_and_classes(processes):
    for how in ({"optimizer": "rmsprop"}, {"optimizer": optim.Adam, "betas": (0.8, 0.9)}):
        alone = optim.sweep(objectives.booth, START, RATES, steps=5, **how)
        assert_same_sweeps(alone, optim.sweep(objectives.booth, START, RATES, steps=5, map=processes.map, **how))


@needs_fork
def test_scipys_methods_run_on_workers(processes):
    pytest.importorskip("scipy")
    runs = list(processes.map(partial(optim.minimize, objectives.rosenbrock, method="BFGS"), [[0.0, 0.0], START]))
    for start, run in zip([[0.0, 0.0], START], runs, strict=True):
        assert same(run, optim.minimize(objectives.rosenbrock, start, method="BFGS"))


def backwards(function, items):
    return [function(item) for item in reversed(list(items))]


def test_any_map_will_do(threads):
    alone = optim.sweep(objectives.booth, START, RATES, steps=5)
    with multiprocessing.dummy.Pool(2) as pool:
        for how in (map, backwards, pool.map, pool.imap_unordered, lambda f, xs: [threads.submit(f, x) for x in xs]):
            assert_same_sweeps(alone, optim.sweep(objectives.booth, START, RATES, steps=5, map=how))


# Losses around a model


@pytest.fixture
def model():
    with mg.random.using(0):
        return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Tanh(), nn.Linear(4, 1))


def test_a_surface_on_workers_is_the_serial_one(executor, model):
    loss, before = partial(mean_square, model, X), pickle.dumps(model.state_dict())
    for how in ({}, {"directions": "hessian"}):
        mg.manual_seed(1)
        alone = curvature.loss_surface(loss, model, points=(4, 5), **how)
        mg.manual_seed(1)
        found = curvature.loss_surface(loss, model, points=(4, 5), map=executor.map, **how)
        np.testing.assert_array_equal(found.losses, alone.losses)
        assert found.loss == alone.loss
    assert pickle.dumps(model.state_dict()) == before


def test_a_loss_must_bring_its_module(threads, model):
    for loss, words in [
        (lambda: mean_square(model, X), r"loss_surface: this cannot be sent to a worker.*functools\.partial"),
        (loss_of_global, r"loss_surface: the loss does not hold the module.*functools\.partial\(function, model, X, y"),
    ]:
        with pytest.raises(ArgumentError, match=words):
            curvature.loss_surface(loss, GLOBAL if loss is loss_of_global else model, points=3, map=threads.map)


class Drawing:
    """An object that draws a random number when it is copied, as modules may when they are imported."""

    def __getstate__(self):
        return {"x": 1}

    def __setstate__(self, state):
        mg.random.rand(1)

    def draw(self, item):
        return mg.random.rand(1).item()


def test_to_copy_an_object_changes_no_random_numbers():
    with mg.random.using(0):
        alone = mg.random.rand(1).item()
    with mg.random.using(0):
        assert Packed(Drawing().draw, "a test", "")(None) == alone


def test_what_a_pickle_holds_is_found():
    inner, outer = nn.Linear(1, 1), nn.Sequential(nn.Tanh())
    assert holds(partial(mean_square, outer), [outer])
    assert holds({"a": [outer]}, outer.modules())
    assert not holds(partial(mean_square, outer), [inner])


# What is refused


@needs_fork
def test_what_cannot_be_pickled_is_refused(processes, threads):
    def inner(x):
        return (x**2).sum()

    for options in ({}, {"noise": lambda shape: np.zeros(shape)}, {"callback": inner}):
        f = objectives.booth if options else inner
        with pytest.raises(ArgumentError, match=r"sweep: this cannot be sent to a worker: .*top level.*use threads"):
            optim.sweep(f, START, [0.01], map=processes.map, **options)
    assert len(optim.sweep(inner, START, [0.01], map=threads.map)) == 1


@needs_fork
def test_what_the_objective_raises_is_raised(processes, threads):
    for how in (processes, threads):
        with pytest.raises(TypeError, match="what the objective says"):
            optim.sweep(refused, START, [0.01], map=how.map)
    with pytest.raises(TypeError, match="what the objective says"):
        optim.sweep(lambda x: refused(x), START, [0.01], map=threads.map)


@needs_fork
def test_a_worker_that_dies_is_explained():
    with (
        ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as dying,
        pytest.raises(BrokenProcessPool) as caught,
    ):
        optim.sweep(leave, START, [0.01], map=dying.map)
    assert "if __name__ == '__main__':" in caught.value.__notes__[0]


def test_a_map_is_a_function(threads, model):
    for call in (
        lambda how: optim.sweep(objectives.booth, START, [0.01], map=how),
        lambda how: curvature.loss_surface(partial(mean_square, model, X), model, points=3, map=how),
    ):
        with pytest.raises(DTypeError, match=r"map is a function.*not a ThreadPoolExecutor: write map=executor\.map"):
            call(threads)


def test_batches_that_are_used_up_are_refused(threads):
    rows = {"data": (X, X @ np.ones(3)), "batches": iter([[0, 1]])}
    with pytest.raises(ArgumentError, match=r"sweep: batches is an iterator.*a list of rows"):
        optim.sweep(line, np.zeros(3), [0.1], map=threads.map, **rows)


# What goes from process to process


@each("f", [*(f for f in vars(objectives).values() if isinstance(f, objectives.Objective)), objectives.bowl(1, 10)])
def test_objectives_can_be_pickled(f):
    copy = pickle.loads(pickle.dumps(f))
    point = np.array([0.3, -0.7]) if len(f.domain) == 2 else 0.3
    assert repr(copy) == repr(f)
    assert copy(point) == f(point)
    assert (mg.grad(copy)(point) == mg.grad(f)(point)).all()


def results():
    model = nn.Linear(3, 1)
    return [
        optim.minimize(objectives.booth, START, lr=0.01, steps=3),
        optim.sweep(objectives.booth, START, [0.01, 0.02], steps=3),
        optim.lr_range_test(partial(mean_square, model), model, data.DataLoader([*X], 4), steps=5),
        curvature.loss_surface(partial(mean_square, model, X), model, points=3),
        curvature.spectrum(objectives.booth, np.array(START)),
        curvature.HeavyBall(0.1, 0.2, 0.3),
    ]


@each("result", results(), row=lambda result: type(result).__name__)
def test_results_can_be_pickled(result):
    assert repr(pickle.loads(pickle.dumps(result))) == repr(result)
