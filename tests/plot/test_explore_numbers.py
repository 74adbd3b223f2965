"""The page goes through the same numbers as Python, to 1e-12, in a real browser."""

import json

import numpy as np
import pytest

import minigrad as mg
from minigrad import objectives, optim, plot
from tests.plot import chance
from tests.plot.test_explore import Signs
from tests.rows import each

pytestmark = pytest.mark.slow

STEPS = 200
# Labels, names and options, in which a step branches in all the ways that the page offers.
OPTIMIZERS = {
    "plain": ("SGD", {}),
    "momentum": ("SGD", {"momentum": 0.9}),
    "nesterov": ("SGD", {"momentum": 0.8, "nesterov": True, "weight_decay": 0.01}),
    "RMSprop": ("RMSprop", {"alpha": 0.95}),
    "RMSprop, centered": ("RMSprop", {"centered": True, "momentum": 0.5}),
    "Adam": ("Adam", {}),
    "AMSGrad": ("Adam", {"amsgrad": True, "betas": (0.8, 0.99)}),
    "AdamW": ("AdamW", {}),
    "Adamax": ("Adamax", {}),
    "NAdam": ("NAdam", {}),
    "RAdam": ("RAdam", {"betas": (0.9, 0.99)}),
    "Adafactor": ("Adafactor", {}),
    "ASGD": ("ASGD", {"t0": 50}),
    "Adagrad": ("Adagrad", {}),
    "Adadelta": ("Adadelta", {}),
    "Lion": ("Lion", {}),
    "Rprop": ("Rprop", {}),
}


def _flat_well(w):
    return -np.exp(-(w[0] ** 2) - 0.5 * w[1] ** 2)


def _ridge(w):
    return mg.logaddexp(w[0] - w[1], w[1] - 2 * w[0]) + 0.1 * (w[0] ** 2 + w[1] ** 2)


def _kink(w):
    return np.abs(w[0] - 1) + 0.5 * np.abs(w[1] + 2)


def _matrix(w):
    a = np.array([[3.0, 1.0], [1.0, 2.0]])
    return 0.5 * w @ a @ w - np.array([1.0, 1.0]) @ w


def _network(w):
    x = np.linspace(-1, 1, 9)
    return np.mean((np.tanh(w[0] * x) * w[1] - np.sin(2 * x)) ** 2)


def _pair(w):
    return (w["a"] - 2) ** 2 + 3 * (w["b"] + 1) ** 2


def _of_tuple(w):
    x, y = w
    return np.exp(0.3 * x) + np.cosh(y - 1)


# Of each the start, and a learning rate at which plain gradient descent is not chaotic: its iterates then do not
# magnify rounding.  The rate of the others is that of the page's own choice, or a tenth of it.
CASES = {
    # The seeds' objectives
    "square": (objectives.square, 10.0, 0.1),
    "parabola": (objectives.parabola, 10.0, 0.1),
    "wavy_parabola": (objectives.wavy_parabola, 3.5, 0.02),
    "well": (objectives.well, 3.0, 0.1),
    "bowl(1, 5)": (objectives.bowl(1, 5), [4.0, 2.5], 0.08),
    "bowl(1, 10), too fast": (objectives.bowl(1, 10), [4.0, 2.5], 0.105),
    "bowl(1, 3) at (2, -1)": (objectives.bowl(1, 3, center=(2, -1)), [-0.5, 1.5], 0.3),
    "saddle": (objectives.saddle, [1.0, 1e-6], 0.1),
    "rosenbrock": (objectives.rosenbrock, [-1.5, 2.0], 0.0005),
    "wavy_bowl": (objectives.wavy_bowl, [2.5, 1.5], 0.05),
    # Others
    "beale": (objectives.beale, [2.0, 0.1], 0.01),
    "himmelblau": (objectives.himmelblau, [1.0, 1.0], 0.005),
    "booth": (objectives.booth, [-3.0, 6.0], 0.05),
    "matyas": (objectives.matyas, [8.0, -3.0], 0.5),
    "goldstein_price": (objectives.goldstein_price, [0.3, -0.7], 1e-5),
    "three_hump_camel": (objectives.three_hump_camel, [1.5, -1.0], 0.05),
    "rastrigin": (objectives.rastrigin, [0.3, -0.2], 0.002),
    "styblinski_tang": (objectives.styblinski_tang, [1.0, -1.0], 0.01),
    "flat well": (_flat_well, [1.5, -1.0], 0.1),
    "ridge": (_ridge, [3.0, -2.0], 0.1),
    "kink": (_kink, [3.0, 1.0], 0.03),
    "matrix": (_matrix, [4.0, 2.5], 0.2),
    "network": (_network, [0.5, 0.5], 0.1),
    "dict": (_pair, {"a": 4.0, "b": 2.0}, 0.05),
    "tuple": (_of_tuple, (2.0, -1.0), 0.1),
}

# Where the rate of the others would make a run chaotic: a start that is 1e-15 away ends 1e-3 away.
SLOWER = {("beale", "RMSprop"): 0.001, ("booth", "Adafactor"): 0.003}


def runs_of(browser, page, change=""):
    """The points and losses of all runs, when all steps are made; and what the page says of them."""
    opened = browser.open(str(page))
    ask = (
        "(async () => {"
        f"{change}"
        "const wait = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));"
        "do await wait(); while (!explorer.entries.every(({ run }) => run !== null && run.over));"
        "return JSON.stringify(explorer.entries.map(({ run }) => ({"
        "  points: Array.from(run.points.subarray(0, run.made * run.here.length + run.here.length), String),"
        "  losses: Array.from(run.losses.subarray(0, run.made + 1), String),"
        "  norms: Array.from(run.norms.subarray(0, run.made), String),"
        "  verdict: explorer.verdict(run, run.settings.steps).text,"
        "})));"
        "})()"
    )
    found = json.loads(opened.run(ask))
    opened.close()
    return [
        {key: value if key == "verdict" else np.array(list(map(float, value))) for key, value in run.items()}
        for run in found
    ]


def path_of(result):
    leaves = list(result.path.values()) if isinstance(result.path, dict) else result.path
    leaves = leaves if isinstance(leaves, list | tuple) else [leaves]
    return np.concatenate([leaf.reshape(len(leaf), -1) for leaf in leaves], axis=1)


def compare(run, result):
    path = path_of(result)
    points = run["points"].reshape(-1, path.shape[1])
    assert points.shape == path.shape
    scale = np.maximum.accumulate(np.abs(path).max(axis=1))[:, None]
    far = np.abs(points - path) / np.maximum(scale, np.finfo(float).tiny)
    assert far.max() <= 1e-12, f"step {far.max(axis=1).argmax()}: {far.max():.2g}"
    np.testing.assert_allclose(run["losses"], result.losses, rtol=1e-11, atol=1e-12 * abs(result.losses[0]))
    shades = ("slow", "oscillating", "converging") if result.verdict == "slow" else (result.verdict,)
    assert run["verdict"] in shades


def rate(name, lr):
    """That of the case for gradient descent; for others one that is safe."""
    return {"SGD": lr, "Adadelta": 0.5}.get(name, 0.01)


@each("name", CASES, row=str)
def test_iterates_are_those_of_python(name, browser):
    f, start, lr = CASES[name]
    chosen = {}
    for label, (method, options) in OPTIMIZERS.items():
        own = SLOWER.get((name, label)) or rate(method, lr) * (0.1 if "momentum" in options and method == "SGD" else 1)
        chosen[label] = (method, {**options, "lr": own})
    bounds = None if hasattr(f, "domain") else ((-6, 6), (-6, 6))
    page = plot.explore(f, start, bounds, optimizers=chosen, steps=STEPS)
    wrong = []
    for (label, (method, options)), run in zip(chosen.items(), runs_of(browser, page), strict=True):
        try:
            compare(run, optim.minimize(f, start, optimizer=method, steps=STEPS, **options))
        except AssertionError as error:
            wrong.append(f"{label}: {str(error)[:300]}")
    assert not wrong, "\n".join(wrong)


def _line(w, x, y):
    return np.mean((w[0] * x + w[1] - y) ** 2)


RNG = np.random.default_rng(42)
X = RNG.normal(size=50)
LINE = (X, 3 * X + 2 + RNG.normal(size=50) * 0.5)


@each("size", (1, 16, 25))
def test_batches_are_those_of_python(size, browser):
    page = plot.explore(
        _line, [0.0, 0.0], (-1, 5), data=LINE, batches=size, seed=7, optimizers=["SGD", "Adam"], lr=0.02
    )
    for method, run in zip(("SGD", "Adam"), runs_of(browser, page), strict=True):
        rows = chance.batches(7, 50, size)
        compare(run, optim.minimize(_line, [0.0, 0.0], optimizer=method, lr=0.02, steps=300, data=LINE, batches=rows))


def test_all_rows_are_those_of_python(browser):
    page = plot.explore(_line, [0.0, 0.0], (-1, 5), data=LINE, optimizers=["SGD", "Adam"], lr=0.02)
    for method, run in zip(("SGD", "Adam"), runs_of(browser, page), strict=True):
        compare(run, optim.minimize(_line, [0.0, 0.0], optimizer=method, lr=0.02, steps=300, data=LINE))


@each("seed", (0, 1, 2**32 - 1))
def test_noise_is_that_of_python(seed, browser):
    f, start = objectives.bowl(1, 5), [4.0, 2.5]
    chosen = [("SGD", {"momentum": 0.5}), ("RMSprop", {})]
    page = plot.explore(f, start, optimizers=chosen, lr=0.02, noise=3.0, seed=seed, steps=STEPS)
    for (method, options), run in zip(chosen, runs_of(browser, page), strict=True):
        noise = chance.noise(seed, 3.0)
        compare(run, optim.minimize(f, start, optimizer=method, lr=0.02, noise=noise, steps=STEPS, **options))


def _classes(w, x, y):
    return mg.nn.functional.cross_entropy(mg.stack([w[0] * x, w[1] - x], axis=1), y)


def test_classes_are_numbers_of_data(browser):
    labels = (X > 0.3).astype(np.int64)
    page = plot.explore(_classes, [0.0, 0.0], (-3, 3), data=(X, labels), batches=16, optimizers="SGD", lr=0.1)
    (run,) = runs_of(browser, page)
    rows = chance.batches(0, 50, 16)
    data = {"data": (X, labels), "batches": rows}
    compare(run, optim.minimize(_classes, [0.0, 0.0], lr=0.1, steps=300, **data))


def test_optimizers_of_ones_own_make_the_same_steps(browser):
    f, start = objectives.bowl(1, 5), [4.0, 2.5]
    page = plot.explore(f, start, optimizers=Signs, lr=0.03, steps=STEPS)
    (run,) = runs_of(browser, page)
    compare(run, optim.minimize(f, start, optimizer=Signs, lr=0.03, steps=STEPS))


def test_noise_is_normal():
    numbers = np.array([chance.normal(3, i) for i in range(20_000)])
    assert abs(numbers.mean()) < 0.03
    assert abs(numbers.std() - 1) < 0.02
    assert abs(np.mean(np.abs(numbers) < 1) - 0.6827) < 0.01
    assert abs(np.corrcoef(numbers[1:], numbers[:-1])[0, 1]) < 0.03


def test_optimizers_run_in_the_whole_space(browser):
    f, start = objectives.rosenbrock, np.array([-0.5, 0.8, 0.3, -0.2, 0.1])
    found = plot.project(optim.minimize(f, start, lr=0.001, steps=STEPS))
    page = plot.explore(f, start, plane=found, optimizers=["SGD", "Adam"], lr=0.001, steps=STEPS)
    for method, run in zip(("SGD", "Adam"), runs_of(browser, page), strict=True):
        compare(run, optim.minimize(f, start, optimizer=method, lr=0.001, steps=STEPS))


def _of_shapes(w):
    return mg.sum((w["a"] - 1) ** 2) + 3 * mg.sum(w["b"] ** 2) + (w["c"] - w["b"][0, 0]) ** 2


def test_parameters_of_many_shapes_and_groups_of_their_own(browser):
    start = {"a": np.array([3.0, 2.0]), "b": np.array([[1.0, -1.0]]), "c": 2.0}
    plane = (start, {"a": [1.0, 0.0], "b": [[0.0, 0.0]], "c": 0.0}, {"a": [0.0, 0.0], "b": [[1.0, 0.0]], "c": 0.0})
    plane = tuple({key: np.array(part) for key, part in place.items()} for place in plane)

    def groups(params):
        return optim.SGD([{"params": params[:1], "lr": 0.1}, {"params": params[1:], "lr": 0.02}], momentum=0.5)

    page = plot.explore(_of_shapes, start, optimizers={"groups": groups, "one": "Adam"}, lr=0.05, plane=plane)
    one, two = runs_of(browser, page)
    compare(one, optim.minimize(_of_shapes, start, optimizer=groups, steps=300))
    compare(two, optim.minimize(_of_shapes, start, optimizer="Adam", lr=0.05, steps=300))


def test_what_sliders_set_is_what_python_is_told(browser):
    f, start = objectives.wavy_bowl, [2.5, 1.5]
    page = plot.explore(f, start, optimizers=["SGD", "Adam", "Rprop"], lr=0.3, steps=100)
    change = (
        "location.hash = 'run0=lr:0.02,momentum:0.7,nesterov:1&run1=betas_0:0.5,amsgrad:1&run2=lr:0.07&start=1,-1.5';"
    )
    change += "await new Promise((done) => setTimeout(done, 200));"
    told = [
        {"optimizer": "SGD", "lr": 0.02, "momentum": 0.7, "nesterov": True},
        {"optimizer": "Adam", "lr": 0.3, "betas": (0.5, 0.999), "amsgrad": True},
        {"optimizer": "Rprop", "lr": 0.07},
    ]
    for run, options in zip(runs_of(browser, page, change), told, strict=True):
        compare(run, optim.minimize(f, [1.0, -1.5], steps=100, **options))


def test_runs_that_end_in_no_number_are_told_as_python_tells_them(browser):
    f = objectives.rosenbrock
    page = plot.explore(f, [-1.5, 2.0], optimizers=["SGD", ("SGD", {"momentum": 0.9})], lr=0.05)
    for momentum, run in zip((0.0, 0.9), runs_of(browser, page), strict=True):
        result = optim.minimize(f, [-1.5, 2.0], lr=0.05, momentum=momentum, steps=300)
        assert result.diverged
        assert run["verdict"] == result.verdict
        assert len(run["losses"]) == result.steps + 1
