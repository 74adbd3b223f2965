"""Pictures of a program before and after its operations are put together."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import graph, nn, optim
from minigrad.compiling.building import is_there

needs_compiler = pytest.mark.skipif(not is_there(), reason="there is no compiler")


def wave(x, y):
    return mg.mean(mg.tanh(x * y) ** 2 * mg.exp(-x))


def run(function, *inputs):
    for _ in range(3):
        function(*inputs)
    return function


def test_before_the_first_call_there_is_nothing():
    assert mg.jit(wave).program is None
    assert mg.jit(wave).fused is None


@needs_compiler
def test_kernels_and_loops_are_frames():
    x = np.linspace(0, 1, 300)
    function = run(mg.jit(mg.value_and_grad(wave)), x, np.ones(300))
    before, after = (graph.draw(p, x, np.ones(300)) for p in (function.program, function.fused))
    assert "kernel" not in before.source
    assert "kernel 1" in after.source
    assert "loop 2" in after.source
    assert graph.capture(function.fused, x, np.ones(300)).outputs == graph.capture(function.program, x, x).outputs


@needs_compiler
def test_a_loop_has_the_operations_that_it_computes():
    x = np.linspace(0, 1, 300)
    function = run(mg.jit(lambda x: mg.sum(mg.exp(-x) * x)), x)
    parts = {e.op: [str(call) for call in e.part] for e in graph.capture(function.fused, x) if e.op is not None}
    assert parts["negative"] == parts["exp"] == parts["multiply"] == ["kernel 1", "loop 1"]
    assert parts["sum"] == ["kernel 1"]  # NumPy's loop


@needs_compiler
def test_a_step_of_python_has_no_frame():
    x = np.eye(3) + 1
    function = run(mg.jit(lambda x: mg.linalg.inv(mg.exp(x)) * 2), x)
    parts = {e.op: [str(call) for call in e.part] for e in graph.capture(function.fused, x) if e.op is not None}
    assert parts["exp"] == ["kernel 1", "loop 1"]
    assert parts["inv"] == []
    assert parts["multiply"] == ["kernel 2", "loop 1"]


@needs_compiler
def test_a_training_step_whose_parameters_are_written_in_the_loop():
    layer = nn.Linear(3, 2)
    optimizer = optim.SGD(layer.parameters(), lr=0.1, momentum=0.9)

    def step(x):
        optimizer.zero_grad()
        loss = mg.mean(layer(x) ** 2)
        loss.backward()
        optimizer.step()
        return loss

    x = np.ones((4, 3))
    function = run(mg.jit(step), x)
    before = [p.detach().numpy().copy() for p in layer.parameters()]
    entries = graph.capture(function.fused, x)
    assert [e.part[-1].kind for e in entries if e.op == "subtract"] == ["loop", "loop"]
    for p, expected in zip(layer.parameters(), before, strict=True):  # a picture changes nothing
        np.testing.assert_array_equal(p.detach().numpy(), expected)


def test_without_a_compiler_frames_are_what_runs_tile_by_tile(monkeypatch):
    monkeypatch.setenv("MINIGRAD_JIT_BACKEND", "numpy")
    x = np.linspace(0, 1, 40000)
    function = run(mg.jit(lambda x: mg.sum(mg.exp(-x) * x)), x)
    parts = {e.op: [str(call) for call in e.part] for e in graph.capture(function.fused, x) if e.op is not None}
    assert parts["negative"] == parts["exp"] == parts["multiply"] == ["tiles 1"]
    assert parts["sum"] == []


def test_arguments_by_name_come_last():
    function = mg.jit(lambda x, *, y: x * y)
    for _ in range(2):
        function(np.ones(2), y=np.full(2, 3.0))
    np.testing.assert_array_equal(function.program.replay(np.full(2, 2.0), np.full(2, 5.0)), [10.0, 10.0])
