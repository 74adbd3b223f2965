"""Histories of training: their numbers, that they change nothing, their memory, and training that goes on."""

import copy
import math
import pickle
import tracemalloc
import warnings

import numpy as np
import pytest

import minigrad as mg
from minigrad import errors, nn, optim
from minigrad.nn import functional as F  # noqa: N812
from minigrad.optim.series import Rows, Series
from minigrad.optim.snapshots import Snapshots
from tests.rows import each

RNG = np.random.default_rng(0)
X = RNG.normal(size=(32, 4))
Y = np.sin(X @ RNG.normal(size=(4, 2)))


def network():
    mg.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Dropout(0.2), nn.Linear(8, 2))


def train(model, optimizer, steps, history=None, epoch=5):
    for step in range(steps):
        optimizer.zero_grad()
        loss = F.mse_loss(model(X), Y)
        loss.backward()
        if history is not None:
            history.record(loss=loss)
        optimizer.step()
        if history is not None and (step + 1) % epoch == 0:
            history.end_epoch(val_loss=2 * loss.item())
    return [p.detach().numpy() for p in model.parameters()]


def equal(a, b):
    """Whether two trees of dicts, lists and arrays hold the same, NaN being NaN."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(equal, a, b))
    return np.array_equal(a, b, equal_nan=isinstance(a, (float, np.ndarray)) and np.asarray(a).dtype.kind == "f")


# Series


def by_hand(values, stride, squares):
    """What the rows of a series must be, from all its numbers."""
    rows = []
    for start in range(0, len(values), stride):
        part = values[start : start + stride]
        known = part[np.isfinite(part)]
        if not known.size:
            rows.append((start, start + len(part) - 1, 0.0, 0.0, 0.0, 0, len(part)))
            continue
        centre = np.sqrt(np.mean(known**2)) if squares else known.mean()
        counts = known.size, len(part) - known.size
        rows.append((start, start + len(part) - 1, centre, known.min(), known.max(), *counts))
    return [np.array(column) for column in zip(*rows, strict=True)]


@each("count", [1, 2, 7, 8, 9, 16, 17, 31, 33, 100, 129])
@pytest.mark.parametrize("squares", [False, True])
@pytest.mark.parametrize("limit", [8, 7, 2])
def test_rows_are_what_all_numbers_together_say(count, squares, limit):
    values = np.abs(np.random.default_rng(count).normal(size=count)) + 0.1
    values[count // 3] = np.nan
    values[count // 2] = np.inf
    series = Series(limit, squares=squares)
    for step, value in enumerate(values):
        series.add(step, value)
        assert series.length <= limit
    wanted = by_hand(values, series.stride, squares)
    for name, got, expected in zip(Rows._fields, series.rows, wanted, strict=True):
        np.testing.assert_allclose(got.ravel(), expected, rtol=1e-12, err_msg=name)
    assert (series.rows.known.sum() + series.rows.bad.sum()) == count
    at_once = Series.of(np.arange(count), values, limit, squares=squares)
    assert (at_once.stride, at_once.filled, at_once.length) == (series.stride, series.filled, series.length)
    for got, expected in zip(at_once.rows, series.rows, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_a_series_that_was_made_at_once_goes_on_like_one_that_was_not():
    one, other = Series.of(np.arange(11), np.arange(11.0), 4), Series(4)
    for step in range(11):
        other.add(step, float(step))
    for step in range(11, 40):
        one.add(step, float(step))
        other.add(step, float(step))
    assert equal(one.state_dict(), other.state_dict())


@each("size", [1e308, 1e-308, -1e308])
def test_enormous_and_tiny_numbers_are_merged_without_an_overflow(size):
    series = Series(2, squares=size > 0)
    for step in range(64):
        series.add(step, size)
    np.testing.assert_allclose(series.rows.centre, size, rtol=1e-12)


def test_columns_come_later_and_are_not_always_there():
    series = Series(4, 1, squares=True)
    series.add(0, [3.0])
    series.widen(3)
    series.add(1, [4.0, 0.0, 12.0], [True, False, True])
    series.add(2, [1.0, np.nan, np.nan], [True, True, False])
    np.testing.assert_array_equal(series.rows.known, [[1, 0, 0], [1, 0, 1], [1, 0, 0]])
    np.testing.assert_array_equal(series.rows.bad, [[0, 0, 0], [0, 0, 0], [0, 1, 0]])
    np.testing.assert_array_equal(series.rows.centre[1], [4.0, 0.0, 12.0])
    assert np.hypot(*series.rows.centre[1, [0, 2]]) == math.sqrt(160)


def test_norms_of_columns_together_are_still_known_when_rows_have_been_merged():
    norms = np.abs(RNG.normal(size=(37, 3)))
    series = Series.of(np.arange(37), norms, 8, squares=True)
    together = Series.of(np.arange(37), np.linalg.norm(norms, axis=1), 8, squares=True)
    np.testing.assert_allclose(np.linalg.norm(series.rows.centre, axis=1), together.rows.centre[:, 0])


def test_thinned_rows_leave_the_series_as_it_is():
    series = Series.of(np.arange(21), np.arange(21.0), 32)
    before = series.state_dict()
    rows = series.thinned(6)
    assert rows.first.tolist() == [0, 4, 8, 12, 16, 20]
    np.testing.assert_allclose(rows.centre.ravel(), [1.5, 5.5, 9.5, 13.5, 17.5, 20.0])
    assert equal(before, series.state_dict())


# Snapshots


def test_histograms_are_evenly_spaced_and_never_too_many():
    shots = Snapshots(limit=8, bins=4)
    for step in range(1000):
        shots.take(step, [np.array([float(step), 0.0])])
        steps = [shot.step for shot in shots.kept]
        assert len(steps) <= 8
        assert steps[0] == 0
        assert len(set(np.diff(steps))) <= 1
        assert step - steps[-1] < shots.spacing
    assert shots.spacing == 128
    assert [shot.facts[0, 1] for shot in shots.kept] == [shot.step for shot in shots.kept]


def test_no_histograms_are_taken_if_none_are_wanted():
    shots = Snapshots(limit=0, bins=4)
    shots.take(0, [np.ones(3)])
    assert shots.kept == []
    assert [part.shape for part in shots.stacked(1)] == [(0,), (0, 1, 4), (0, 1), (0, 1, 4)]


# What is recorded


def test_losses_rates_norms_and_histograms_are_those_computed_by_hand():
    model = network()
    optimizer = optim.SGD([
        {"params": model[0].parameters(), "lr": 0.1}, {"params": model[3].parameters(), "lr": 0.01},
    ], lr=1.0)  # fmt: skip
    schedule = optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    history = optim.History(model, optimizer, bins=6)
    losses, norms, values, rates = [], [], [], []
    for _ in range(5):
        optimizer.zero_grad()
        loss = F.mse_loss(model(X), Y)
        loss.backward()
        rates.append([group["lr"] for group in optimizer.param_groups])
        history.record(loss=loss, twice=2 * loss.item())
        losses.append(loss.item())
        norms.append([np.sqrt((p.grad.numpy() ** 2).sum()) for p in model.parameters()])
        values.append([p.detach().numpy() for p in model.parameters()])
        optimizer.step()
        schedule.step()
    assert history.names == ["0.weight", "0.bias", "3.weight", "3.bias"]
    assert list(history.values) == ["loss", "twice", "lr, group 0", "lr, group 1"]
    np.testing.assert_array_equal(history.values["loss"].rows.centre.ravel(), losses)
    np.testing.assert_array_equal(history.values["twice"].rows.centre.ravel(), 2 * np.array(losses))
    got = np.hstack([history.values[f"lr, group {i}"].rows.centre for i in range(2)])
    np.testing.assert_array_equal(got, rates)
    np.testing.assert_allclose(history.gradients.rows.centre, norms, rtol=1e-14)
    assert history.gradients.rows.first.tolist() == [0, 1, 2, 3, 4]
    for shot, row in zip(history.weights.kept, values, strict=True):
        for i, array in enumerate(row):
            counts, _ = np.histogram(array, bins=6)
            np.testing.assert_array_equal(shot.counts[i], counts)
            facts = [array.min(), array.max(), array.mean(), array.std()]
            np.testing.assert_allclose(shot.facts[i], facts, rtol=1e-12, atol=1e-15)


def test_epochs_have_the_means_of_their_steps():
    history = optim.History()
    for epoch in range(3):
        for step in range(4):
            history.record(loss=10.0 * epoch + step, lr=0.1)
        history.end_epoch(val_loss=epoch)
    assert history.epochs["loss"].rows.centre.ravel().tolist() == [1.5, 11.5, 21.5]
    assert history.epochs["val_loss"].rows.last.tolist() == [4, 8, 12]  # after so many steps
    assert (history.step, history.epoch) == (12, 3)


def test_the_mean_of_an_epoch_leaves_out_what_is_not_finite_and_a_number_given_stands_in_its_place():
    history = optim.History()
    for value in (1.0, math.nan, 3.0, math.inf):
        history.record(loss=value, other=math.nan, own=value)
    history.end_epoch(own=7.0)
    means = {name: series.rows.centre.item() for name, series in history.epochs.items()}
    assert means["loss"] == 2.0
    assert means["own"] == 7.0
    assert history.epochs["other"].rows.bad.item() == 1


@each("value", [2.0, 2, np.float32(2), np.array([[2.0]]), mg.tensor(2.0), mg.tensor([2.0], requires_grad=True) * 1])
def test_all_forms_of_one_number(value):
    history = optim.History()
    history.record(loss=value)
    assert history.values["loss"].rows.centre.item() == 2.0


@each(
    ("values", "kind", "words"),
    [
        ({"loss": [1.0, 2.0]}, errors.ShapeError, "loss must be one number, and has shape (2,): give its mean"),
        ({"loss": mg.ones((2, 2))}, errors.ShapeError, "shape (2, 2)"),
        ({"loss": "low"}, errors.DTypeError, "loss must be a real number"),
        ({"loss": None}, errors.DTypeError, "real number"),
        ({"loss": 1j}, errors.DTypeError, "complex128"),
        ({"fine": 1.0, "loss": []}, errors.ShapeError, "shape (0,)"),
    ],
)
def test_what_is_no_number_is_refused_and_nothing_recorded(values, kind, words):
    history = optim.History()
    for function in (history.record, history.end_epoch):
        with pytest.raises(kind) as caught:
            function(**values)
        assert words in str(caught.value)
    assert (history.step, history.epoch, history.values, history.epochs) == (0, 0, {}, {})


@each(
    ("arguments", "options", "kind", "words"),
    [
        (([1.0],), {}, errors.DTypeError, "this is a list: write History(model, optimizer)"),
        (({"w": 1.0},), {}, errors.DTypeError, "a dict of float"),
        ((None, network()), {}, errors.DTypeError, "this is a Sequential"),
        ((), {"every": 0}, errors.ArgumentError, "History: every"),
        ((), {"limit": 1}, errors.ArgumentError, "History: limit must be an integer of at least 2"),
        ((), {"histograms": -1}, errors.ArgumentError, "History: histograms"),
        ((), {"bins": 2.5}, errors.ArgumentError, "History: bins"),
    ],
)
def test_what_cannot_be_recorded(arguments, options, kind, words):
    with pytest.raises(kind) as caught:
        optim.History(*arguments, **options)
    assert words in str(caught.value)


def test_a_rate_that_is_read_is_not_given_as_well():
    model = network()
    history = optim.History(model, optim.SGD(model.parameters(), lr=0.1))
    with pytest.raises(errors.ArgumentError, match="'lr' is read from the optimizer"):
        history.record(lr=0.1)
    assert history.step == 0


def test_gradients_are_looked_at_now_and_then():
    model = network()
    history = optim.History(model, every=3)
    train(model, optim.SGD(model.parameters(), lr=0.1), 8, history)
    assert history.gradients.rows.first.tolist() == [0, 3, 6]
    assert history.values["loss"].length == 8


# Parameters of all kinds


class Kinds(nn.Module):
    def __init__(self):
        super().__init__()
        self.used = nn.Parameter(np.array([3.0, 4.0]))
        self.unused = nn.Parameter(np.zeros(3))
        self.frozen = nn.Parameter(np.ones(2), requires_grad=False)
        self.empty = nn.Parameter(np.zeros((0, 3)))
        self.half = nn.Parameter(np.full(4, 60000.0, np.float16))
        self.complex = nn.Parameter(np.array([3 + 4j, 0]))
        self.shared = self.used
        self.bad = nn.Parameter(np.array([1.0, np.nan, np.inf]))


def test_parameters_of_all_kinds():
    model = Kinds()
    history = optim.History(model, bins=4)
    model.used.grad = np.array([6.0, 8.0])
    model.half.grad = np.full(4, 60000.0, np.float16)  # whose squares are no half-precision numbers
    model.complex.grad = np.array([3 + 4j, 12])
    model.empty.grad = np.zeros((0, 3))
    model.bad.grad = np.array([1.0, np.nan, 0.0])
    history.record()
    assert history.names == ["used", "unused", "frozen", "empty", "half", "complex", "bad"]
    rows = history.gradients.rows
    np.testing.assert_array_equal(rows.known, [[1, 0, 0, 1, 1, 1, 0]])
    np.testing.assert_array_equal(rows.bad, [[0, 0, 0, 0, 0, 0, 1]])
    np.testing.assert_allclose(rows.centre[0, [0, 3, 4, 5]], [10, 0, 120000, 13], rtol=1e-6)
    (shot,) = history.weights.kept
    assert shot.bad.tolist() == [0, 0, 0, 0, 0, 0, 2]
    assert shot.counts.sum(axis=1).tolist() == [2, 3, 2, 0, 4, 2, 1]
    np.testing.assert_array_equal(shot.facts[5, :2], [0, 5])  # magnitudes
    assert np.isnan(shot.facts[3]).all()


@each("size", [1e200, 1e-200])
def test_norms_whose_squares_are_no_numbers(size):
    w = mg.tensor([1.0, 1.0], requires_grad=True)
    w.grad = np.array([3 * size, 4 * size])
    history = optim.History({"w": w})
    history.record()
    np.testing.assert_allclose(history.gradients.rows.centre, [[5 * size]])


def test_tensors_by_name():
    w, v = mg.tensor([1.0], requires_grad=True), mg.tensor([2.0], requires_grad=True)
    history = optim.History({"w": w, "v": v, "of": w * v})
    (w * v).sum().backward()
    history.record()
    np.testing.assert_array_equal(history.gradients.rows.centre, [[2.0, 1.0, 0.0]])
    np.testing.assert_array_equal(history.gradients.rows.known, [[1, 1, 0]])


def test_models_without_parameters_and_without_names():
    history = optim.History(nn.Sequential())
    history.record(loss=1.0)
    assert (history.names, history.gradients.length, history.weights.kept) == ([], 0, [])


def test_a_model_that_grows_and_loses_parts():
    model = nn.Sequential(nn.Linear(2, 2))
    history = optim.History(model, bins=4)

    def step():
        model.zero_grad()
        model(mg.ones((1, 2))).sum().backward()
        history.record()

    step()
    model.append(nn.Linear(2, 1))
    step()
    del model[0]
    model.append(nn.Linear(1, 1))  # what was 1 is 0 now
    step()
    assert history.names == ["0.weight", "0.bias", "1.weight", "1.bias"]
    assert history.gradients.rows.known.tolist() == [[1, 1, 0, 0], [1, 1, 1, 1], [1, 1, 1, 1]]
    _, facts, _, counts = history.weights.stacked(4)
    assert np.isnan(facts[0, 2:]).all()
    assert counts.sum(axis=-1).tolist() == [[4, 2, 0, 0], [4, 2, 2, 1], [2, 1, 1, 1]]


def test_a_record_without_gradients_warns_once():
    model = network()
    history = optim.History(model)
    with pytest.warns(UserWarning, match=r"found no gradient in any parameter: call it after loss\.backward\(\)"):
        history.record(loss=1.0)
    history.record(loss=1.0)  # a second warning would be an error
    assert history.gradients.rows.known.sum() == 0


def test_frozen_parameters_and_results_cause_no_warning_of_their_own():
    model = network()
    for p in model[0].parameters():
        p.requires_grad = False
    history = optim.History(model)
    train(model, optim.SGD(model[3].parameters(), lr=0.1), 1, history)
    assert history.gradients.rows.known.tolist() == [[0, 0, 1, 1]]


# It changes nothing


def test_training_is_the_same_bit_for_bit_with_a_history():
    runs = []
    for watched in (False, True):
        model = network()
        optimizer = optim.AdamW(model.parameters(), lr=0.01)
        history = optim.History(model, optimizer) if watched else None
        runs.append([*train(model, optimizer, 30, history), mg.random.generator().random(3)])
        runs[-1] += [p.grad.numpy() for p in model.parameters()]
    for plain, watched in zip(*runs, strict=True):
        assert plain.tobytes() == watched.tobytes()


def test_the_graph_of_a_recorded_loss_can_still_be_walked():
    model = network()
    loss = F.mse_loss(model(X), Y)
    loss.backward(retain_graph=True)
    history = optim.History(model)
    with mg.graph.recording() as made:
        history.record(loss=loss)
        with mg.no_grad():
            history.record(loss=loss)
    assert made == []
    gradient = model[0].weight.grad.numpy()
    loss.backward()
    np.testing.assert_array_equal(model[0].weight.grad, 2 * gradient)
    assert history.step == 2


def test_a_history_keeps_no_graph_alive_and_none_of_the_models_arrays():
    model = network()
    history = optim.History(model)
    train(model, optim.SGD(model.parameters(), lr=0.1), 3, history)
    before = copy.deepcopy(history.state_dict())
    for p in model.parameters():
        p.array[...] = 7.0
        p.grad.array[...] = 7.0
    assert equal(before, history.state_dict())


def test_it_cannot_be_called_in_a_program():
    model = network()
    history = optim.History(model)

    @mg.jit
    def step(x):
        history.record(loss=1.0)
        return x + 1

    with pytest.raises(errors.ProgramError, match=r"History\.record"):
        step(mg.ones(2))
    assert history.step == 0


def test_the_history_of_a_compiled_step_is_that_of_the_same_step():
    histories = []
    for compiled in (False, True):
        model = network().eval()
        optimizer = optim.Adam(model.parameters(), lr=0.01)

        def step(x, y, model=model, optimizer=optimizer):
            optimizer.zero_grad()
            loss = F.mse_loss(model(x), y)
            loss.backward()
            optimizer.step()
            return loss

        call = mg.jit(step) if compiled else step
        histories.append(optim.History(model, optimizer))
        for _ in range(6):
            histories[-1].record(loss=call(X, Y))
    assert equal(*(history.state_dict() for history in histories))


# Memory


def test_thousands_of_steps_take_no_more_memory_than_hundreds():
    w = mg.tensor(np.ones(3), requires_grad=True)
    w.grad = np.ones(3)
    history = optim.History({"w": w}, limit=20, histograms=4, bins=10)

    def steps(count):
        for i in range(count):
            history.record(loss=1.0 / (i + 1))

    steps(300)
    tracemalloc.start()
    try:
        steps(6000)
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert grown < 12_000  # bytes: two for each step
    assert history.values["loss"].length <= 20
    assert len(history.weights.kept) <= 4
    assert history.values["loss"].rows.known.sum() == 6300  # none was dropped


# Saving


def test_a_state_is_saved_and_loaded_and_a_run_that_goes_on_has_the_history_of_one_that_never_stopped(tmp_path):
    def parts():
        model = network()
        optimizer = optim.Adam(model.parameters(), lr=0.01)
        return model, optimizer, optim.History(model, optimizer, limit=8, histograms=4, bins=5)

    model, optimizer, whole = parts()
    train(model, optimizer, 47, whole)
    model, optimizer, first = parts()
    train(model, optimizer, 22, first)  # in the middle of an epoch
    mg.io.save_checkpoint(tmp_path / "run.npz", model=model, optimizer=optimizer, history=first)
    model, optimizer, second = parts()
    mg.manual_seed(5)
    mg.io.load_checkpoint(tmp_path / "run.npz", model=model, optimizer=optimizer, history=second)
    assert equal(first.state_dict(), second.state_dict())
    for step in range(22, 47):
        optimizer.zero_grad()
        loss = F.mse_loss(model(X), Y)
        loss.backward()
        second.record(loss=loss)
        optimizer.step()
        if (step + 1) % 5 == 0:
            second.end_epoch(val_loss=2 * loss.item())
    assert equal(whole.state_dict(), second.state_dict())


def test_a_state_holds_copies():
    model = network()
    history = optim.History(model)
    train(model, optim.SGD(model.parameters(), lr=0.1), 6, history)
    state = history.state_dict()
    other = optim.History()
    other.load_state_dict(state)
    kept = copy.deepcopy(state)
    other.record(loss=5.0)
    history.record(loss=6.0)
    state["weights"]["facts"][:] = 0
    assert other.values["loss"].rows.centre[-1] == 5
    assert equal(kept["values"], state["values"])
    assert equal(other.state_dict()["weights"], kept["weights"])


def spoiled(key, value):
    model = network()
    history = optim.History(model, histograms=4)
    train(model, optim.SGD(model.parameters(), lr=0.1), 6, history)
    state = history.state_dict()
    place = state
    *path, last = key.split("/")
    for name in path:
        place = place[name]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return state


@each(
    ("key", "value"),
    [
        ("step", None),
        ("names", ["a", "b"]),
        ("names", ["a", "a", "b", "c"]),
        ("values/loss/centre", np.zeros((3, 1))),
        ("values/loss/centre", np.zeros((6, 1), int)),
        ("values/loss/known", None),
        ("values/loss/limit", 10**12),
        ("values/loss/limit", 3),
        ("values/loss/stride", -1),
        ("values", 3),
        ("gradients/columns", 2),
        ("gradients/first", np.zeros((6, 2), int)),
        ("weights/counts", np.zeros((3, 4, 7), int)),
        ("weights/bins", -40),
        ("weights/spacing", 0),
        ("weights/steps", np.zeros(400)),
        ("means", {"loss": 1.0}),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(key, value):
    history = optim.History()
    history.record(loss=1.0)
    before = history.state_dict()
    with pytest.raises(errors.StateDictError, match="History"):
        history.load_state_dict(spoiled(key, value))
    assert equal(before, history.state_dict())


def test_the_state_of_something_else():
    with pytest.raises(errors.StateDictError, match="does not fit History"):
        optim.History().load_state_dict(network().state_dict())


def test_histories_are_pickled_and_copied_without_loss():
    model = network()
    history = optim.History(model)
    train(model, optim.SGD(model.parameters(), lr=0.1), 6, history)
    for other in (pickle.loads(pickle.dumps(history)), copy.deepcopy(history)):
        assert equal(other.state_dict(), history.state_dict())


# What it says of itself


def test_what_a_history_says_of_itself():
    assert repr(optim.History()) == "History of 0 steps"
    w = mg.tensor([1.0], requires_grad=True)
    w.grad = [1.0]
    history = optim.History({"w": w}, limit=4, histograms=0)
    for _ in range(17):
        history.record(loss=1.0)
    history.end_epoch()
    assert repr(history).splitlines() == [
        "History of 17 steps in 1 epoch", "  values     loss", "  epochs     loss",
        "  gradients  of 1 parameter", "  merged     up to 8 steps in one row",
    ]  # fmt: skip
    shown = history._repr_mimebundle_()
    assert shown["text/plain"] == repr(history)
    assert "<svg" in shown["text/html"]


def test_names_are_escaped_in_notebooks():
    history = optim.History()
    history.record(**{"<script>": math.nan})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shown = history._repr_mimebundle_()["text/html"]
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
