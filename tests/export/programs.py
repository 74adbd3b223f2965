"""What the tests of exported programs share: rows of the table as functions, models, and training steps."""

import functools

import numpy as np

import minigrad as mg
from minigrad import nn, optim
from minigrad.errors import ProgramError, UnsupportedError
from minigrad.export.as_text.routine import routine_of
from minigrad.nn import functional as F  # noqa: N812
from tests.op_table import is_float
from tests.op_tables import TABLE

# Rows of which some cases are no programs: the form of their results depends on values, or they look for zeros.
DEPENDING = {
    "nonzero", "numpy.where (indices)", "numpy.nonzero", "numpy.flatnonzero", "numpy.argwhere", "numpy.ix_",
    "numpy.unique", "unique_all", "unique_counts", "unique_inverse", "unique_values", "numpy.union1d",
    "numpy.setxor1d", "numpy.intersect1d", "numpy.setdiff1d", "numpy.setdiff1d (unique)", "numpy.trim_zeros",
    "numpy.trim_zeros (of zeros)", "polymul", "polydiv", "roots", "numpy.piecewise", "numpy.piecewise (else)",
    "numpy.pad", "numpy.resize (of nothing)",
}  # fmt: skip


def leaves(y):
    """The arrays of a result."""
    if isinstance(y, tuple | list):
        return [x for part in y for x in leaves(part)]
    return [y]


def function_of(case):
    """The operation as a function of the operands that have derivatives, with a tuple of results; and the operands."""
    operands = list(case.operands)
    places = [i for i, x in enumerate(operands) if is_float(x)]

    def f(*floats):
        given = list(operands)
        for i, x in zip(places, floats, strict=True):
            given[i] = x
        return tuple(mg.asarray(y) for y in leaves(case(*given)))

    return f, tuple(operands[i].astype(np.float64) for i in places)


def gradient_of(f, floats):
    """The gradient of a weighted sum of the real results; None if there is none."""
    wanted = f(*map(mg.asarray, floats))
    smooth = [i for i, y in enumerate(wanted) if y.dtype.kind == "f"]
    if not smooth or any(y.dtype.kind == "c" for y in wanted):
        return None
    weights = [np.random.default_rng(i).normal(size=wanted[i].shape) for i in smooth]

    def total(*xs):
        ys = f(*xs)
        return sum((ys[i] * w).sum() for i, w in zip(smooth, weights, strict=True))

    return mg.grad(total, argnums=tuple(range(len(floats))))


@functools.cache
def lowered_rows(language, gradients=False):
    """The rows of which a language has the first case, or its gradient: name, function and operands."""
    found = []
    for row in TABLE:
        f, floats = function_of(row.cases[0])
        if gradients:
            f = gradient_of(f, floats) if row.orders and floats else None
        try:
            if f is not None:
                routine_of("a test", f, floats, language)
                found.append((row.name, f, floats))
        except (UnsupportedError, ProgramError):
            pass
    return found


def joined(rows):
    """Several functions as one, of all their operands; and these."""
    operands = [x for _, _, floats in rows for x in floats]

    def f(*floats):
        rest = iter(floats)
        return [mg.tree.flatten(g(*[next(rest) for _ in own]))[0] for _, g, own in rows]

    return f, operands


def assert_close(found, wanted, what="", places=8):
    """Within a few units in the last place of the largest value."""
    found, wanted = np.asarray(found).reshape(np.shape(wanted)), np.asarray(wanted)
    if wanted.dtype.kind != "f":
        np.testing.assert_array_equal(found, wanted, err_msg=what)
        return
    scale = np.max(np.abs(wanted[np.isfinite(wanted)]), initial=0.0)
    bound = places * np.finfo(wanted.dtype).eps * scale
    np.testing.assert_allclose(found, wanted, rtol=0, atol=bound, err_msg=what)


# Models and steps of training


def digits(count=16, dtype=np.float64):
    rng = np.random.default_rng(0)
    return rng.random((count, 64)).astype(dtype), rng.integers(0, 10, count)


def mlp(dtype=np.float64):
    with mg.random.using(0):
        return nn.Sequential(nn.Linear(64, 32, dtype=dtype), nn.ReLU(), nn.Linear(32, 10, dtype=dtype))


def step_of(model, optimizer):
    """A step of training, as people write it."""

    def step(x, y):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def adam_step(dtype=np.float64):
    model = mlp(dtype)
    return model, step_of(model, optim.Adam(model.parameters(), lr=0.01))


def cnn(dtype=np.float64):
    with mg.random.using(1):
        model = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1, bias=False, dtype=dtype), nn.BatchNorm2d(8, dtype=dtype), nn.ReLU(),
            nn.MaxPool2d(2), nn.Conv2d(8, 8, 3, padding=1, dtype=dtype), nn.GELU(), nn.Flatten(),
            nn.Linear(128, 10, dtype=dtype),
        )  # fmt: skip
        model[1].running_mean[...] = np.linspace(-0.1, 0.1, 8)
    return model.eval()


class Forecaster(nn.Module):
    """An LSTM that is read at the end."""

    def __init__(self, dtype=np.float64):
        super().__init__()
        self.lstm, self.head = nn.LSTM(3, 16, batch_first=True, dtype=dtype), nn.Linear(16, 2, dtype=dtype)

    def forward(self, x):
        states, _ = self.lstm(x)
        return self.head(states[:, -1])


def lstm(dtype=np.float64):
    with mg.random.using(2):
        return Forecaster(dtype)


def transformer(dtype=np.float64):
    with mg.random.using(3):
        return nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dtype=dtype).eval()


MODELS = {"mlp": (mlp, (64,)), "cnn": (cnn, (1, 8, 8)), "lstm": (lstm, (12, 3)), "transformer": (transformer, (5, 8))}
