"""Modules as scikit-learn estimators: scikit-learn's own checks, training against loops written by hand, and misuse."""

import copy
import inspect
import os
import pickle
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")

import sklearn
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import validation
from sklearn.utils.class_weight import compute_class_weight

import minigrad as mg
from minigrad import nn, optim
from minigrad.errors import ArgumentError, DTypeError, MissingPackageError, ShapeError
from minigrad.interop.sklearn import Classifier, Regressor
from minigrad.interop.sklearn.scikit import validate_data
from minigrad.nn import functional as F  # noqa: N812  # PyTorch's users know it by this letter
from tests.interop.checks import outcomes
from tests.rows import each

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
Y = X @ [1.0, -2.0, 0.5] + 3 + 0.1 * RNG.normal(size=60)
LABELS = np.array(["ant", "bee", "cow"])[(X[:, 0] > 0.3).astype(int) + (X[:, 1] > 0.2)]
TWO = np.where(X[:, 0] + 0.8 * RNG.normal(size=60) > 0, "yes", "no")
PARTS_OF_OPTIM = [getattr(optim, name) for name in optim.__all__]
OPTIMIZERS = [x.__name__ for x in PARTS_OF_OPTIM if inspect.isclass(x) and issubclass(x, optim.Optimizer)]
OPTIMIZERS.remove("ZeroRedundancyOptimizer")  # it is made of another
ESTIMATORS = [(Regressor, Y), (Classifier, LABELS)]


def network(features, outputs, hidden=8, dropout=0.0):
    return nn.Sequential(nn.Linear(features, hidden), nn.Tanh(), nn.Dropout(dropout), nn.Linear(hidden, outputs))


def small(features, outputs):
    """A network that is the same at every call."""
    with mg.random.using(3):
        return network(features, outputs)


def values(estimator):
    return {name: parameter.data.copy() for name, parameter in estimator.module_.named_parameters()}


def assert_same(first, second, rtol=0.0):
    one, other = values(first), values(second)
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_allclose(one[name], other[name], rtol=rtol, atol=rtol)


def python(code, **environment):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
        cwd=Path(__file__).parents[2],
    )


# scikit-learn's own checks


@pytest.mark.parametrize("name", ["Regressor", "Classifier"])
def test_all_checks_of_scikit_learn_pass(name):
    # In a process of its own, since a variable that SciPy reads when it is imported decides whether one check is run.
    code = f"""
from minigrad.interop.sklearn import {name}
from tests.interop.checks import outcomes
results = list(outcomes({name}()))
print(len(results), *(f"{{check}} {{status}}: {{exception}}" for check, status, exception in results
                      if status != "passed" and "pandas" not in str(exception)), sep="\\n")
"""
    ran = python(code, SCIPY_ARRAY_API="1")
    assert ran.returncode == 0, ran.stderr
    count, *bad = ran.stdout.splitlines()
    assert bad == []
    assert int(count) >= (50 if sklearn.__version__.startswith("1.5.") else 55)


@pytest.mark.slow
@pytest.mark.parametrize("made", [
    Regressor(module=small, optimizer="SGD", lr=0.05),
    Classifier(module=small, lr=0.05, optimizer="Adam"),
    Classifier(module=small, lr=0.05, optimizer="Adam", loss="multi_margin"),
])  # fmt: skip
def test_networks_pass_the_checks_too(made):
    results = list(outcomes(made))
    assert [(check, exception) for check, status, exception in results if status == "failed"] == []
    assert {check for check, status, _ in results if status == "skipped"} <= {"check_array_api_input"}


# Training, against what is known and against loops written by hand


def test_gradient_descent_of_a_linear_model_gives_the_published_figures():
    rng = np.random.RandomState(42)
    x = rng.randn(100, 2)
    y = x @ [3, -2] + 5 + rng.randn(100) * 0.5
    model = Regressor(optimizer="SGD", lr=0.1, epochs=500).fit(x, y)
    np.testing.assert_allclose(model.module_.weight.data, [[3.095360168680332, -2.0860710515492613]], rtol=1e-12)
    np.testing.assert_allclose(model.module_.bias.data, [5.046396690621324], rtol=1e-12)
    assert len(model.loss_history_) == model.n_iter_ == 500
    expected = [32.50105837243527, 0.2775086701589165]
    np.testing.assert_allclose(np.array(model.loss_history_)[[0, -1]], expected, rtol=1e-12)


@pytest.mark.parametrize("y", [Y, Y[:, None], np.stack([Y, X[:, 1] - 1], axis=1)], ids=["(n,)", "(n, 1)", "(n, 2)"])
@pytest.mark.parametrize("weights", [None, np.linspace(0.1, 2.0, 60)], ids=["equal", "weighted"])
def test_gradient_descent_ends_at_least_squares(y, weights):
    expected = LinearRegression().fit(X, y, weights)
    model = Regressor(optimizer="SGD", lr=0.3, epochs=300).fit(X, y, weights)
    assert model.predict(X).shape == y.shape
    np.testing.assert_allclose(model.predict(X), expected.predict(X), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(model.score(X, y), expected.score(X, y), rtol=1e-9)


@pytest.mark.parametrize("loss", ["cross_entropy", "bce_with_logits"])
@pytest.mark.parametrize("weights", [None, np.linspace(0.1, 2.0, 60)], ids=["equal", "weighted"])
def test_a_linear_classifier_ends_at_logistic_regression(loss, weights):
    expected = LogisticRegression(C=1e10, tol=1e-10, max_iter=1000).fit(X, TWO, weights)
    options = {"line_search_fn": "strong_wolfe", "tolerance_grad": 1e-12, "tolerance_change": 1e-14}
    model = Classifier(loss=loss, optimizer="LBFGS", optimizer_params=options, epochs=20).fit(X, TWO, weights)
    assert model.module_.weight.shape == (1 if loss == "bce_with_logits" else 2, 3)
    np.testing.assert_allclose(model.decision_function(X), expected.decision_function(X), atol=1e-5)
    np.testing.assert_allclose(model.predict_proba(X), expected.predict_proba(X), atol=1e-6)
    np.testing.assert_allclose(model.predict_log_proba(X), expected.predict_log_proba(X), atol=1e-5)
    assert model.predict(X).tolist() == expected.predict(X).tolist()


def test_several_classes_end_at_logistic_regression_too():
    labels = np.array(["c", "a", "b"])[np.digitize(X[:, 0] + RNG.normal(size=60), [-0.5, 0.5])]
    expected = LogisticRegression(C=1e10, tol=1e-10, max_iter=1000).fit(X, labels)
    options = {"line_search_fn": "strong_wolfe", "tolerance_grad": 1e-12, "tolerance_change": 1e-14}
    model = Classifier(optimizer="LBFGS", optimizer_params=options, epochs=30).fit(X, labels)
    assert model.classes_.tolist() == ["a", "b", "c"]
    assert model.decision_function(X).shape == (60, 3)
    np.testing.assert_allclose(model.predict_proba(X), expected.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize("batch_size", [None, 16, 60, 1000])
@pytest.mark.parametrize("weights", [None, np.linspace(0.1, 2.0, 60)], ids=["equal", "weighted"])
def test_training_is_the_loop_that_one_would_write(batch_size, weights):
    net = small(3, 3)
    model = Classifier(
        module=net, optimizer=optim.SGD, lr=0.2, optimizer_params={"momentum": 0.9}, epochs=4, batch_size=batch_size,
        shuffle=False, schedule=partial(optim.lr_scheduler.ExponentialLR, gamma=0.7),
    )  # fmt: skip
    model.fit(X, LABELS, weights)
    target, count = np.unique(LABELS, return_inverse=True)[1], np.ones(60) if weights is None else weights
    optimizer = optim.SGD(net.parameters(), lr=0.2, momentum=0.9)
    history = []
    for epoch in range(4):
        optimizer.param_groups[0]["lr"] = 0.2 * 0.7**epoch
        losses = []
        for start in range(0, 60, batch_size or 60):
            rows = slice(start, start + (batch_size or 60))
            optimizer.zero_grad()
            each = F.cross_entropy(net(mg.tensor(X[rows])), target[rows], reduction="none")
            loss = (each * count[rows]).sum() / count[rows].sum()
            loss.backward()
            optimizer.step()
            losses.append(loss.item() * count[rows].sum())
        history.append(sum(losses) / count.sum())
    np.testing.assert_allclose(model.loss_history_, history, rtol=1e-12)
    for name, parameter in net.named_parameters():
        np.testing.assert_allclose(model.module_.get_parameter(name).data, parameter.data, rtol=1e-11, atol=1e-14)


def test_batches_are_made_of_rows_in_a_new_order_in_each_epoch():
    seen = []

    def loss(output, target):
        seen.append(target[:, 0].tolist())
        return (output - target) ** 2

    Regressor(loss=loss, batch_size=4, epochs=3, random_state=0).fit(np.zeros((10, 1)), np.arange(10.0))
    epochs = [[row for batch in seen[i : i + 3] for row in batch] for i in (0, 3, 6)]
    assert [len(batch) for batch in seen] == [4, 4, 2] * 3
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2] != list(range(10))


def test_a_small_network_recognises_digits():
    x, y = load_digits(return_X_y=True)
    x, unseen, y, expected = train_test_split(x, y, random_state=0, stratify=y)
    classifier = Classifier(
        module=partial(network, hidden=32), batch_size=64, epochs=15, optimizer="Adam", lr=5e-3, random_state=0
    )
    model = make_pipeline(StandardScaler(), classifier).fit(x, y)
    assert model.score(unseen, expected) > 0.95


# Weights are repetitions


LOSSES = [
    *((Regressor, loss) for loss in ("mse", "l1", "huber", "smooth_l1", nn.HuberLoss(delta=0.5), F.poisson_nll_loss)),
    *((Classifier, loss) for loss in ("cross_entropy", "nll", "multi_margin", nn.CrossEntropyLoss)),
    (Classifier, nn.CrossEntropyLoss(weight=[1.0, 5.0, 0.2])),
    (Classifier, partial(F.cross_entropy, label_smoothing=0.2)),
]


@pytest.mark.parametrize(("estimator", "loss"), LOSSES)
def test_integer_weights_are_repeated_rows_and_zeros_are_none(estimator, loss):
    y = np.stack([Y, X[:, 1]], axis=1) if estimator is Regressor else LABELS
    weights = np.arange(60) % 4
    made = estimator(module=small(3, 2 if estimator is Regressor else 3), loss=loss, optimizer="SGD", lr=0.1, epochs=20)
    weighted = clone(made).fit(X, y, weights)
    repeated = clone(made).fit(X.repeat(weights, axis=0), y.repeat(weights, axis=0))
    ones = clone(made).fit(X, y, np.ones(60))
    assert_same(weighted, repeated, rtol=1e-12)
    np.testing.assert_allclose(weighted.loss_history_, repeated.loss_history_, rtol=1e-12)
    assert_same(ones, clone(made).fit(X, y), rtol=1e-12)
    assert abs(ones.loss_history_[-1] - weighted.loss_history_[-1]) > 1e-6


def test_rows_of_weight_zero_have_no_part_in_classes_and_held_out_rows():
    weights = (LABELS != "bee").astype(float)
    kept = weights > 0
    made = Classifier(early_stopping=True, epochs=5, random_state=0)
    weighted = clone(made).fit(X, LABELS, weights)
    assert weighted.classes_.tolist() == ["ant", "cow"]
    left = clone(made).fit(X[kept], LABELS[kept])
    assert_same(weighted, left, rtol=1e-12)
    np.testing.assert_allclose(weighted.validation_history_, left.validation_history_, rtol=1e-12)


def test_a_loss_of_one_number_for_all_rows_will_do_without_weights():
    def loss(output, target):
        return ((output - target) ** 2).mean()

    model = Regressor(loss=loss, epochs=3)
    np.testing.assert_allclose(
        clone(model).fit(X, Y).loss_history_, Regressor(epochs=3).fit(X, Y).loss_history_, rtol=1e-12
    )
    with pytest.raises(ArgumentError, match="one number for each row"):
        model.fit(X, Y, np.ones(60))


# Random numbers


@pytest.mark.parametrize(("estimator", "y"), ESTIMATORS)
@pytest.mark.parametrize("seed", [None, 0, np.random.RandomState(0), np.random.default_rng(0)], ids=str)
def test_generators_of_others_are_neither_read_nor_changed(estimator, y, seed):
    mg.manual_seed(0)
    before = mg.random.get_state(), np.random.get_state()  # noqa: NPY002
    made = estimator(module=partial(network, dropout=0.5), batch_size=7, epochs=2, early_stopping=True)
    made.set_params(random_state=seed).fit(X, y)
    after = mg.random.get_state(), np.random.get_state()  # noqa: NPY002
    assert before[0] == after[0]
    assert repr(before[1]) == repr(after[1])


@pytest.mark.parametrize(("estimator", "y"), ESTIMATORS)
@pytest.mark.parametrize("seed", [lambda: 5, lambda: np.random.RandomState(5), lambda: np.random.default_rng(5)])
def test_a_fit_is_determined_by_its_random_state(estimator, y, seed):
    def fitted(state, noise):
        mg.manual_seed(noise)
        made = estimator(module=partial(network, dropout=0.5), batch_size=7, epochs=3, early_stopping=True)
        return made.set_params(random_state=state).fit(X, y)

    first, again, other = fitted(seed(), 1), fitted(seed(), 2), fitted(6, 1)
    assert_same(first, again)
    assert first.validation_history_ == again.validation_history_
    assert first.loss_history_ != other.loss_history_


def test_a_shared_generator_gives_other_numbers_in_the_next_fit():
    shared = np.random.default_rng(0)
    made = Regressor(module=network, epochs=1, random_state=shared)
    assert made.fit(X, Y).loss_history_ != made.fit(X, Y).loss_history_


def test_a_fit_that_goes_on_draws_from_a_generator_of_its_own():
    def fitted(noise):
        shared = np.random.default_rng(0)
        model = Regressor(module=partial(network, dropout=0.5), random_state=shared).partial_fit(X, Y)
        shared.random(noise)
        return model.partial_fit(X, Y)

    assert_same(fitted(0), fitted(1))


# What modules may be


def test_a_module_is_copied_and_stays_as_it_is():
    net = small(3, 1)
    before = net.state_dict()
    model = Regressor(module=net, epochs=3)
    model.fit(X, Y)
    first = values(model)
    model.fit(X, Y)
    assert all(np.array_equal(first[name], value) for name, value in values(model).items())
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value.data, before[name].data)
        assert not np.array_equal(first[name], value.data)
    assert net.training
    assert model.module is net


def test_a_loss_layer_stays_as_it_is():
    loss = nn.HuberLoss(delta=0.5)
    Regressor(loss=loss, epochs=1).fit(X, Y)
    assert loss.reduction == "mean"


def test_a_module_is_trained_in_training_mode_and_left_in_use():
    class Watching(nn.Module):
        def __init__(self, features, outputs):
            super().__init__()
            self.linear, self.modes = nn.Linear(features, outputs), []

        def forward(self, x):
            self.modes.append(self.training)
            return self.linear(x)

    model = Regressor(module=Watching, early_stopping=True, epochs=2).fit(X, Y)
    assert model.module_.modes == [True, False] * 2
    model.predict(X)
    assert model.module_.modes[-1] is False
    assert all(parameter.grad is None for parameter in model.module_.parameters())


def test_outputs_without_an_axis_of_columns_are_one_column():
    class Flat(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(np.zeros(3))

        def forward(self, x):
            return x @ self.weight

    for loss in ("mse", nn.MSELoss()):
        model = Regressor(module=Flat(), loss=loss, optimizer="SGD", lr=0.3, epochs=300).fit(X, Y)
        expected = LinearRegression(fit_intercept=False).fit(X, Y)
        np.testing.assert_allclose(model.predict(X), expected.predict(X), rtol=1e-9)
    classifier = Classifier(module=Flat(), loss=nn.BCEWithLogitsLoss(), epochs=5).fit(X, TWO)
    assert classifier.predict_proba(X).shape == (60, 2)


def test_a_module_may_begin_with_an_unflatten():
    def convolution(features, outputs):
        side = int(features**0.5)
        return nn.Sequential(nn.Unflatten(1, (1, side, side)), nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(2, outputs))

    images = RNG.normal(size=(20, 9))
    assert Classifier(module=convolution, epochs=2).fit(images, np.arange(20) % 3).predict_proba(images).shape == (
        20,
        3,
    )


def test_frozen_parameters_stay_and_batch_statistics_are_learned():
    net = nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 1))
    net[1].bias.requires_grad_(False)
    model = Regressor(module=net, epochs=3, batch_size=20).fit(X, Y)
    assert np.array_equal(model.module_[1].bias.data, net[1].bias.data)
    assert not np.array_equal(model.module_[0].running_mean.data, net[0].running_mean.data)


@pytest.mark.parametrize(("estimator", "y"), ESTIMATORS)
def test_dtypes(estimator, y):
    assert estimator(epochs=1).fit(X.astype(np.float32), y).module_.weight.dtype == np.float64
    single = estimator(module=small(3, 1 if estimator is Regressor else 3), epochs=2, dtype="float32").fit(X, y)
    assert {parameter.dtype for parameter in single.module_.parameters()} == {np.dtype(np.float32)}
    found = single.predict(X) if estimator is Regressor else single.predict_proba(X)
    assert found.dtype == np.float32
    single.set_params(dtype=None).partial_fit(X, y)  # what is there already keeps its dtype
    assert single.module_[0].weight.dtype == np.float32
    with pytest.raises(ValueError, match=r"infinity|too large"):
        single.predict(np.full((1, 3), 1e300))
    if estimator is Regressor:
        with pytest.raises(ArgumentError, match="too large for float32"):
            single.partial_fit(X, 1e300 * Y)
    with pytest.raises(DTypeError, match="floating"):
        estimator(dtype=int).fit(X, y)


# Schedules and optimizers


def test_a_schedule_is_stepped_after_each_epoch():
    halving = partial(optim.lr_scheduler.StepLR, step_size=1, gamma=0.5)
    model = Regressor(schedule=halving, optimizer="SGD", lr=0.8, epochs=3, batch_size=10).fit(X, Y)
    assert model.optimizer_.param_groups[0]["lr"] == 0.1
    assert model.scheduler_.last_epoch == 3
    model.partial_fit(X, Y)
    assert model.optimizer_.param_groups[0]["lr"] == 0.05


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_plateau_is_told_the_loss(early_stopping):
    plateau = partial(optim.lr_scheduler.ReduceLROnPlateau, patience=0, threshold=0.0)
    model = Regressor(
        schedule=plateau, optimizer="SGD", lr=0.01, epochs=4, early_stopping=early_stopping, random_state=0
    ).fit(X, Y)
    history = model.validation_history_ if early_stopping else model.loss_history_
    assert model.scheduler_.best == min(history)
    assert bool(model.validation_history_) == early_stopping


@pytest.mark.parametrize("optimizer", ["Adam", optim.Adam, lambda parameters: optim.Adam(parameters, lr=0.05)])
def test_optimizers_by_name_class_and_function(optimizer):
    lr = 0.05 if isinstance(optimizer, (str, type)) else None
    model = Regressor(optimizer=optimizer, lr=lr, epochs=3).fit(X, Y)
    assert isinstance(model.optimizer_, optim.Adam)
    assert model.optimizer_.param_groups[0]["lr"] == 0.05
    assert_same(model, Regressor(lr=0.05, epochs=3).fit(X, Y))


def test_the_usual_optimizer_has_a_rate_of_its_own_and_others_theirs():
    assert Regressor(epochs=1).fit(X, Y).optimizer_.param_groups[0]["lr"] == 0.01
    assert Regressor(epochs=1, optimizer="Adam").fit(X, Y).optimizer_.param_groups[0]["lr"] == 1e-3


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_can_be_named(name):
    if name in ("Optimizer", "Muon"):  # one is the base, the other for hidden matrices only
        with pytest.raises(ArgumentError):
            Regressor(optimizer=name).fit(X, Y)
        return
    model = Regressor(optimizer=name, epochs=30).fit(X, Y)
    assert model.loss_history_[-1] < model.loss_history_[0]
    pickle.loads(pickle.dumps(model)).partial_fit(X, Y)


# Early stopping


@pytest.mark.parametrize(("estimator", "y"), ESTIMATORS)
def test_early_stopping_returns_to_the_best_epoch(estimator, y):
    noise = np.random.default_rng(1).permutation(y)  # nothing to learn, so that the validation loss soon rises
    made = estimator(
        module=small, optimizer="Adam", lr=0.05, epochs=500, early_stopping=True, patience=4, random_state=0
    )
    model = clone(made).fit(X, noise)
    losses = model.validation_history_
    best = int(np.argmin(losses))
    assert len(losses) == model.n_iter_ == len(model.loss_history_) < 500
    assert best < len(losses) - 1
    assert_same(model, clone(made).set_params(epochs=best + 1, patience=500).fit(X, noise))


def test_patience_and_tol_say_when_to_stop():
    steady = Regressor(optimizer="SGD", lr=1e-6, epochs=20, early_stopping=True, patience=3, random_state=0)
    assert clone(steady).set_params(tol=0.0).fit(X, Y).n_iter_ == 20  # it falls all the time
    assert clone(steady).set_params(tol=1.0).fit(X, Y).n_iter_ == 4  # but not by that much: after the first epoch, 3
    ends = clone(steady).set_params(tol=0.0).fit(X, Y).validation_history_
    assert all(np.diff(ends) < 0)


def test_the_rows_held_out_have_the_share_and_the_classes_of_all_and_come_from_the_random_state():
    labels, places = np.array([0] * 30 + [1] * 10), np.arange(40.0)[:, None]
    seen = []

    class Watching(nn.Linear):
        def forward(self, x):
            seen.append(x.data[:, 0].astype(int))
            return super().forward(x)

    made = Classifier(module=Watching, early_stopping=True, validation_fraction=0.2, epochs=1, lr=1e-6)
    held_out = []
    for seed in (0, 0, 1, 2):
        seen.clear()
        clone(made).set_params(random_state=seed).fit(places, labels)
        assert sorted([*seen[0], *seen[1]]) == list(range(40))
        assert np.bincount(labels[seen[1]]).tolist() == [6, 2]
        held_out.append(sorted(seen[1].tolist()))
    assert held_out[0] == held_out[1]
    assert held_out[0] != held_out[2] != held_out[3] != held_out[0]


# Going on


@pytest.mark.parametrize(("estimator", "y"), ESTIMATORS)
@pytest.mark.parametrize("batch_size", [None, 16])
def test_partial_fits_are_the_epochs_of_a_fit(estimator, y, batch_size):
    made = estimator(
        module=partial(network, dropout=0.3), lr=0.02, batch_size=batch_size, epochs=6, random_state=0,
        schedule=partial(optim.lr_scheduler.ExponentialLR, gamma=0.8),
    )  # fmt: skip
    whole, steps = clone(made).fit(X, y), clone(made)
    for i in range(6):
        classes = {} if estimator is Regressor or i else {"classes": ["ant", "bee", "cow"]}
        assert steps.partial_fit(X, y, **classes) is steps
        assert steps.n_iter_ == i + 1
        if i == 2:
            steps = pickle.loads(pickle.dumps(steps))
        if i == 3:
            steps = copy.deepcopy(steps)
    assert_same(whole, steps)
    assert whole.loss_history_ == steps.loss_history_


def test_warm_starts_go_on_from_the_parameters_with_a_new_optimizer():
    made = Regressor(module=small, optimizer="SGD", lr=0.05, epochs=5, warm_start=True)
    warm = clone(made).fit(X, Y)
    first = warm.module_
    before = values(warm)
    warm.set_params(lr=0.01).fit(X, Y)
    assert warm.n_iter_ == len(warm.loss_history_) == 10
    assert warm.optimizer_.param_groups[0]["lr"] == 0.01
    assert all(np.array_equal(parameter.data, before[name]) for name, parameter in first.named_parameters())
    steady = clone(made).set_params(epochs=10).fit(X, Y)
    assert_same(warm.set_params(warm_start=False, lr=0.05, epochs=10).fit(X, Y), steady)
    assert warm.n_iter_ == 10
    twice = clone(made).fit(X, Y).fit(X, Y)
    assert_same(twice, steady)


def test_warm_starts_and_partial_fits_keep_their_targets():
    model = Classifier(warm_start=True, epochs=1).fit(X, LABELS)
    model.fit(X, np.where(LABELS == "bee", "ant", LABELS))
    assert model.classes_.tolist() == ["ant", "bee", "cow"]
    for fit in (model.fit, model.partial_fit):
        with pytest.raises(ArgumentError, match="'dog'"):
            fit(X, np.where(LABELS == "bee", "dog", LABELS))
        with pytest.raises(ArgumentError, match="none of the classes"):
            fit(X, np.arange(60) % 3)
    with pytest.raises(ArgumentError, match="classes were"):
        model.partial_fit(X, LABELS, classes=["ant", "bee"])
    with pytest.raises(ArgumentError, match="needs all labels"):
        Classifier().partial_fit(X, LABELS)
    with pytest.raises(ArgumentError, match="one class"):
        Classifier().partial_fit(X, LABELS, classes=["ant"])
    one = Classifier().partial_fit(X, np.full(60, "ant"), classes=["cow", "ant"])
    assert one.classes_.tolist() == ["ant", "cow"]
    regressor = Regressor(warm_start=True, epochs=1).fit(X, Y)
    for fit in (regressor.fit, regressor.partial_fit):
        with pytest.raises(ShapeError, match="goes on"):
            fit(X, np.stack([Y, Y], axis=1))
        with pytest.raises(ValueError, match="features"):
            fit(X[:, :2], Y)


# In scikit-learn's tools


@pytest.mark.parametrize(("estimator", "y"), ESTIMATORS)
def test_pickle_and_clone(estimator, y):
    made = estimator(module=partial(network, dropout=0.5), optimizer="Adam", lr=0.01, epochs=3, random_state=0)
    model = clone(made).fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    assert type(again) is estimator
    assert again.predict(X).tolist() == model.predict(X).tolist()
    fresh = clone(model)
    with pytest.raises(NotFittedError):
        fresh.predict(X)
    assert fresh.get_params().keys() == made.get_params().keys()
    assert_same(fresh.fit(X, y), model)


def test_grid_search_over_settings_of_the_module_and_the_optimizer():
    grid = {
        "classifier__module": [None, partial(network, hidden=4)],
        "classifier__lr": [1e-5, 0.05],
    }
    pipeline = make_pipeline(StandardScaler(), Classifier(optimizer="Adam", epochs=40, random_state=0))
    search = GridSearchCV(pipeline, grid, cv=3, error_score="raise").fit(X, LABELS)
    assert search.best_params_["classifier__lr"] == 0.05
    assert search.score(X, LABELS) > 0.7
    scores = cross_val_score(Regressor(optimizer="SGD", lr=0.1), X, Y, error_score="raise")
    assert min(scores) > 0.95


def test_options_of_the_module_are_parameters():
    made = Regressor(module=network, module__hidden=5, epochs=2, random_state=0)
    assert made.get_params()["module__hidden"] == 5
    assert made.fit(X, Y).module_[0].weight.shape == (5, 3)
    copied = clone(made)
    assert copied.get_params() == made.get_params()
    assert not hasattr(copied, "module_")
    copied.set_params(module__hidden=6, module__dropout=0.25, lr=0.01)
    assert (copied.fit(X, Y).module_[0].weight.shape, copied.module_[2].p, copied.lr) == ((6, 3), 0.25, 0.01)
    assert made.get_params().keys() == copied.get_params().keys() - {"module__dropout"}
    assert "module__hidden=5" in repr(made)
    again = pickle.loads(pickle.dumps(made))
    assert again.get_params()["module__hidden"] == 5
    assert_same(Regressor(module=partial(network, hidden=5), epochs=2, random_state=0).fit(X, Y), made)


def test_grid_search_over_options_of_the_module():
    pipeline = make_pipeline(StandardScaler(), Classifier(module=network, epochs=20, random_state=0))
    grid = {"classifier__module__hidden": [1, 7], "classifier__module__dropout": [0.0, 0.1]}
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(X, LABELS)
    found = search.best_estimator_[-1]
    assert found.module_[0].weight.shape == (search.best_params_["classifier__module__hidden"], 3)


@pytest.mark.parametrize("module", [None, nn.Linear(3, 1)])
def test_options_of_a_module_that_is_not_made_are_refused(module):
    with pytest.raises(ArgumentError, match="module__hidden is an option for what makes a module"):
        Regressor(module=module, module__hidden=5).fit(X, Y)


def test_other_options_are_unknown():
    with pytest.raises(TypeError, match="unexpected keyword argument 'hidden'"):
        Regressor(hidden=5)
    with pytest.raises(TypeError, match="hiden"):
        Regressor(module=network, module__hiden=5).fit(X, Y)
    with pytest.raises(ValueError, match="hidden"):
        Regressor().set_params(hidden=5)


UNEVEN = np.array(["a"] * 40 + ["b"] * 15 + ["c"] * 5)


@pytest.mark.parametrize("weight", [None, np.linspace(0.5, 2.0, 60)])
def test_weights_of_classes_are_weights_of_rows(weight):
    def fitted(class_weight, sample_weight):
        return Classifier(class_weight=class_weight, epochs=5, random_state=0).fit(X, UNEVEN, sample_weight)

    classes, of_row = np.unique(UNEVEN, return_inverse=True)
    ones = np.ones(60) if weight is None else weight
    total = np.array([ones[classes[of_row] == label].sum() for label in classes])
    balanced = ones.sum() / (3 * total)
    if weight is None:
        np.testing.assert_allclose(balanced, compute_class_weight("balanced", classes=classes, y=UNEVEN))
    assert_same(fitted("balanced", weight), fitted(None, balanced[of_row] * ones), rtol=1e-9)
    assert_same(fitted({"b": 2.5}, weight), fitted(None, np.array([1.0, 2.5, 1.0])[of_row] * ones), rtol=1e-9)
    without = fitted({"c": 0.0}, weight)
    assert without.classes_.tolist() == ["a", "b", "c"]  # although the last one counts nothing


def test_balanced_weights_end_at_logistic_regression():
    rows = np.r_[np.flatnonzero(TWO == "yes"), np.flatnonzero(TWO == "no")[:9]]
    x, y = X[rows], TWO[rows]
    theirs = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000, class_weight="balanced").fit(x, y)
    ours = Classifier(class_weight="balanced", optimizer="LBFGS", lr=1.0, epochs=100, dtype=np.float64).fit(x, y)
    np.testing.assert_allclose(ours.predict_proba(x), theirs.predict_proba(x), atol=1e-3)


@each(("weights", "words"), [
    ("even", "dict, 'balanced' or None"), ([1, 2, 3], "dict, 'balanced' or None"), ({"a": np.nan}, "finite"),
    ({"d": 2.0}, "'d', which is none of the classes"), ({"a": -1.0}, "none below zero"),
    ({"a": 0, "b": 0, "c": 0}, "no row of y counts"),
])  # fmt: skip
def test_weights_of_classes_that_make_no_sense(weights, words):
    with pytest.raises(ArgumentError, match=words):
        Classifier(class_weight=weights).fit(X, UNEVEN)


def test_partial_fit_takes_weights_of_classes_as_a_dict():
    with pytest.raises(ArgumentError, match="needs all rows"):
        Classifier(class_weight="balanced").partial_fit(X, UNEVEN, classes=["a", "b", "c"])
    options = {"epochs": 3, "random_state": 0, "class_weight": {"a": 0.1, "c": 7.0}}
    model = Classifier(**options)
    for _ in range(3):
        model.partial_fit(X, UNEVEN, classes=["a", "b", "c"])
    assert_same(model, Classifier(**options).fit(X, UNEVEN))


def test_threads_do_not_disturb_each_other():
    alone = cross_val_score(Regressor(module=network, batch_size=8, epochs=5, random_state=0), X, Y, cv=4)
    made = Regressor(module=network, batch_size=8, epochs=5, random_state=0)
    from joblib import parallel_config

    with parallel_config("threading"):
        together = cross_val_score(made, X, Y, cv=4, n_jobs=2)
    assert alone.tolist() == together.tolist()


def test_names_of_columns_are_kept():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "b", "c"])
    model = Classifier(epochs=1).fit(frame, pandas.Series(LABELS), sample_weight=pandas.Series(np.ones(60)))
    assert model.feature_names_in_.tolist() == ["a", "b", "c"]
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[["b", "a", "c"]])


def test_progress_is_shown_when_asked(capsys):
    Regressor(epochs=2).fit(X, Y)
    assert capsys.readouterr().err == ""
    pytest.importorskip("tqdm")
    Regressor(epochs=2, verbose=True, early_stopping=True).fit(X, Y)
    shown = capsys.readouterr().err
    assert "Regressor" in shown
    assert "validation" in shown


# Misuse


@each(("options", "kind", "words"), [
    ({"loss": "msee"}, ArgumentError, "no loss 'msee'.*'mse', 'l1', 'huber', 'smooth_l1'"),
    ({"loss": 3}, DTypeError, "loss must be"),
    ({"loss": nn.MSELoss(reduction="sum")}, ArgumentError, "MSELoss has the reduction 'sum'"),
    ({"loss": partial(F.mse_loss, reduction="sum")}, ArgumentError, "mse_loss has the reduction 'sum'"),
    ({"loss": lambda output, target: 0.0}, DTypeError, "not a Tensor"),
    ({"loss": lambda output, target: (output - target)[:-1]}, ShapeError, "one number for each row"),
    ({"optimizer": "adan"}, ArgumentError, "no optimizer 'adan'.*'Adam'"),
    ({"optimizer": "Optimizer"}, ArgumentError, "no optimizer 'Optimizer'"),
    ({"optimizer": 3}, DTypeError, "an optimizer is given by its name"),
    ({"optimizer": list}, DTypeError, "returned a list, and no Optimizer"),
    ({"optimizer": lambda parameters: optim.SGD(parameters), "lr": 0.1}, ArgumentError, "write lr into the function"),
    ({"optimizer": "SGD", "lr": -1.0}, ArgumentError, "lr"),
    ({"module": 3}, DTypeError, "module must be"),
    ({"module": lambda features, outputs: np.zeros(3)}, DTypeError, "module must be"),
    ({"module": nn.Linear(3, 2)}, ShapeError, r"shape \(60, 2\), and not \(60, 1\)"),
    ({"module": nn.ReLU()}, ArgumentError, "no parameters"),
    ({"epochs": 0}, ArgumentError, "epochs must be"),
    ({"epochs": 1.5}, ArgumentError, "epochs must be"),
    ({"batch_size": 0}, ArgumentError, "batch_size must be"),
    ({"patience": 0}, ArgumentError, "patience must be"),
    ({"early_stopping": True, "validation_fraction": 1.5}, ValueError, "test_size"),
    ({"random_state": "today"}, ValueError, "seed"),
])  # fmt: skip
def test_settings_that_make_no_sense(options, kind, words):
    with pytest.raises(kind, match=words):
        Regressor(**options).fit(X, Y)


@each(("options", "labels", "kind", "words"), [
    ({"loss": "mse"}, TWO, ArgumentError, "no loss 'mse'.*'cross_entropy'"),
    ({"loss": "bce_with_logits"}, LABELS, ArgumentError, "two classes, and y has 3"),
    ({"module": nn.Linear(3, 1)}, TWO, ArgumentError, "'bce_with_logits'"),
    ({"module": nn.Linear(3, 1), "loss": nn.CrossEntropyLoss()}, TWO, ArgumentError, "'bce_with_logits'"),
    ({"module": nn.Linear(3, 1)}, LABELS, ShapeError, r"\(60, 3\)"),
    ({"module": nn.Linear(3, 3)}, TWO, ShapeError, r"\(60, 2\) or \(60, 1\)"),
    ({}, np.full(60, "ant"), ArgumentError, "one class"),
    ({}, Y, ValueError, "continuous"),
])  # fmt: skip
def test_classifiers_that_make_no_sense(options, labels, kind, words):
    with pytest.raises(kind, match=words):
        Classifier(**options).fit(X, labels)


@pytest.mark.parametrize(("weights", "kind", "words"), [
    (np.ones(59), ShapeError, "one number for each"),
    (np.ones((60, 1)), ShapeError, "one number for each"),
    (np.zeros(60), ArgumentError, "all are zero"),
    (-np.ones(60), ArgumentError, "negative"),
    (np.full(60, np.nan), ValueError, "NaN"),
])  # fmt: skip
@pytest.mark.parametrize(("estimator", "y"), ESTIMATORS)
def test_weights_that_make_no_sense(estimator, y, weights, kind, words):
    with pytest.raises(kind, match=words):
        estimator().fit(X, y, weights)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_training_that_diverges_is_an_error_and_leaves_no_model(early_stopping):
    model = Regressor(optimizer="SGD", lr=1e3, early_stopping=early_stopping, tol=-np.inf)
    with pytest.raises(ArgumentError, match=r"Regressor: training diverged: the .* loss of epoch \d+ is (inf|nan)"):
        model.fit(X, Y)
    assert not hasattr(model, "module_")


def test_a_last_step_that_diverges_is_found_as_well():
    model = Regressor(optimizer="SGD", lr=1e308, epochs=1)
    with pytest.raises(ArgumentError, match="largest number in weight after the last step of epoch 1 is inf"):
        model.fit(X, 1e5 * Y)


def test_partial_fit_does_not_stop_early():
    with pytest.raises(ArgumentError, match="early_stopping=False"):
        Regressor(early_stopping=True).partial_fit(X, Y)


# The package scikit-learn


def test_without_scikit_learn_the_error_says_what_to_install():
    code = """
import sys
sys.modules["sklearn"] = None
import minigrad.interop
from minigrad.errors import MissingPackageError
try:
    import minigrad.interop.sklearn
except MissingPackageError as error:
    print(error)
"""
    said = python(code).stdout
    assert "pip install scikit-learn" in said
    assert "extra `sklearn`" in said
    assert issubclass(MissingPackageError, ImportError)


def test_only_the_module_itself_imports_scikit_learn():
    ran = python("import sys, minigrad, minigrad.interop; print('sklearn' in sys.modules)")
    assert ran.stdout.strip() == "False"


def test_scikit_learn_1_5_is_asked_by_its_own_name(monkeypatch):
    class Old:
        def _validate_data(self, **options):
            return options

    monkeypatch.delattr(validation, "validate_data", raising=False)
    assert validate_data(Old(), X=1, reset=False) == {"X": 1, "reset": False}


# Several processes


@pytest.fixture
def _joblibs_workers():
    """Let the processes end that joblib keeps for later."""
    yield
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor().shutdown(wait=True)


@pytest.mark.usefixtures("_joblibs_workers")
@each(("estimator", "targets"), [
    (Regressor(module=network, epochs=5, batch_size=16, random_state=0), Y),
    (Classifier(module=network, epochs=5, optimizer="Adam", early_stopping=True, random_state=0), LABELS),
])  # fmt: skip
def test_joblibs_processes_come_to_the_serial_scores(estimator, targets):
    alone = cross_val_score(estimator, X, targets, cv=3)
    np.testing.assert_array_equal(cross_val_score(estimator, X, targets, cv=3, n_jobs=2), alone)
    grid = {"lr": [0.01, 0.1], "module__hidden": [4, 8]}
    searches = [GridSearchCV(estimator, grid, cv=2, n_jobs=n).fit(X, targets) for n in (None, 2)]
    one, other = searches
    np.testing.assert_array_equal(one.cv_results_["mean_test_score"], other.cv_results_["mean_test_score"])
    assert one.best_params_ == other.best_params_
    assert_same(one.best_estimator_, other.best_estimator_)
