"""Graphs that are very deep, very wide, or full of paths: no recursion, no work that grows faster than they do."""

import sys

import numpy as np
import pytest

import minigrad as mg

backprop = sys.modules["minigrad.core.backprop"]  # the package has a function of this name


def _chain(x, length):
    for _ in range(length // 2):
        x = x * 1.0 + 0.0
    return x


@pytest.mark.parametrize("length", [100_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_a_long_chain_goes_forward_and_backward_and_dies(length):
    assert sys.getrecursionlimit() < length
    x = mg.tensor(3.0, requires_grad=True)
    y = _chain(x, length)
    y.backward()
    assert (y.item(), x.grad.item()) == (3.0, 1.0)
    unused = _chain(x, length)
    assert unused.requires_grad
    del unused, y


@pytest.mark.parametrize("length", [100_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_a_long_chain_is_differentiable_with_a_graph_of_its_own(length):
    x = mg.tensor(3.0, requires_grad=True)
    y = _chain(x * x, length // 2)
    (slope,) = mg.autograd.grad(y, x, create_graph=True)
    (bend,) = mg.autograd.grad(slope, x)
    assert (slope.item(), bend.item()) == (6.0, 2.0)


def test_one_leaf_may_be_used_many_times():
    x = mg.tensor(np.ones(3), requires_grad=True)
    total = x * 0.0
    for _ in range(100_000):
        total = total + x
    total.sum().backward()
    assert x.grad.tolist() == [100_000.0] * 3


def test_many_uses_side_by_side_are_summed():
    x = mg.tensor(np.ones(3), requires_grad=True)
    mg.concat([x] * 10_000).sum().backward()
    assert x.grad.tolist() == [10_000.0] * 3


def test_the_walk_visits_nodes_and_not_paths():
    calls = []

    def rule(g, y, a, b):
        calls.append(1)
        return g

    add = mg.primitive(rule, rule)(lambda a, b, /: a + b)
    x = mg.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(60):
        y = add(y, y)
    y.backward()
    assert x.grad.item() == 2.0**60
    assert len(calls) == 2 * 60  # and not 2**60, one for each path


@pytest.mark.parametrize("join", [mg.concat, mg.stack])
def test_ten_thousand_operands_of_one_operation(join):
    leaves = [mg.tensor([float(i)], requires_grad=True) for i in range(10_000)]
    joined = join(leaves)
    (joined * joined).sum().backward()
    assert [x.grad.item() for x in leaves] == [2.0 * i for i in range(10_000)]


def test_a_loop_over_rows_costs_a_pass_over_the_rows():
    x = mg.tensor(np.ones((2_000, 2)), requires_grad=True)
    total = 0.0
    for row in x:
        total = total + row.sum()
    total.backward()
    assert (x.grad == 1.0).all()


def test_a_write_to_a_leaf_elsewhere_makes_the_walk_look_through_the_graph_once(monkeypatch):
    x, other = mg.tensor(1.0, requires_grad=True), mg.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(1000):
        y = y * 1.0
    with mg.no_grad():
        other -= 1.0
    looks = []
    collect = backprop.collect
    monkeypatch.setattr(backprop, "collect", lambda *args: looks.append(1) or collect(*args))
    y.backward()
    assert len(looks) == 1
    assert x.grad.item() == 1.0
