"""A printed program is a file that needs NumPy alone.

That it gives the same bits, for every operation, layer and loss, is tried in `test_replay`.
"""

import subprocess
import sys
import threading

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.program import trace
from tests.program.same import assert_prints


def step_of_training():
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.GELU(), nn.Dropout(0.5), nn.Linear(4, 2))
    optimizer = optim.AdamW(model.parameters())

    def step(x, y):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss

    x, y = np.random.default_rng(0).normal(size=(5, 3)), np.arange(5) % 2
    step(x, y)
    return trace(step, x, y), (x, y)


def test_a_step_of_training():
    program, inputs = step_of_training()
    assert_prints(program, *inputs)


def test_the_file_runs_without_minigrad(tmp_path):
    path = tmp_path / "step.py"
    path.write_text(str(step_of_training()[0]))
    code = (
        "import runpy, sys; sys.modules['minigrad'] = None\n"
        f"runpy.run_path({str(path)!r}, run_name='__main__')\n"
        "print(sorted(name for name in sys.modules if 'minigrad' in name))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "['minigrad']"
    assert "('the Tensor" in done.stdout or "('a Tensor" in done.stdout


def test_shapes_and_lines_are_comments():
    lines = str(trace(lambda x, y: mg.exp(x) * y, np.ones((2, 3)), 2.0)).splitlines()
    (first,) = [line for line in lines if "np.exp(" in line]
    assert "# float64 (2, 3)" in first
    assert "test_source.py:" in first
    assert "lambda x, y: mg.exp(x) * y" in first
    assert "    # inputs_1: float, argument inputs[1]" in lines


def scaled(x, exp):
    """A function with a parameter that is called as the operation in it is, here for `test_names_that_meet`."""
    return mg.exp(x) * exp


def test_names_that_meet():
    def rng(np, main):
        return scaled(np + mg.sum(main), mg.std(main)) + mg.random.rand(2)

    x, y = mg.tensor([1.0, 2.0], name="class"), mg.tensor([3.0, 4.0, 6.0])
    assert_prints(trace(rng, x, y), x, y)
    assert_prints(trace(lambda: x * 2 + y[0]))


def test_constants_of_any_kind():
    arrays = [
        np.array([np.nan, np.inf, -0.0]), np.zeros((0, 3), np.float32), np.arange(200).reshape(2, 100) / 7,
        np.array([True, False]), np.array([1 + 2j, np.nan]), np.array(3, np.int8),
    ]  # fmt: skip
    x = mg.tensor(2.0)
    assert_prints(trace(lambda x: [x * a for a in arrays] + [mg.where(arrays[3], x, np.float32(np.nan))], x), x)


@pytest.mark.usefixtures("_own_primitives")
def test_a_primitive_of_ones_own_is_written_out():
    @mg.primitive(lambda g, y, x: 3 * g)
    def positive(x, /):
        return doubled(x) + x

    program = trace(lambda x: positive(x).sum(), np.ones(2))
    assert "def positive(" in str(program)
    assert_prints(program, np.ones(2))


def doubled(x):
    """Called by an operation of a test."""
    return np.multiply(x, 2)


@pytest.mark.usefixtures("_own_primitives")
def test_what_no_file_can_hold_is_said():
    @mg.primitive(lambda g, y, x, **_: g)
    def guarded(x, /, *, lock):
        with lock:
            return x * 1

    program = trace(lambda x: guarded(x, lock=threading.Lock()), np.ones(2))
    first, second = str(program).splitlines()
    assert first.startswith("# no file can hold <unlocked _thread.lock")
    assert second.startswith("v1 = guarded(v0, lock=")
