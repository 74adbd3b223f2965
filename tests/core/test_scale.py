"""Graphs that are very deep, very wide, or full of paths: no recursion, no work that grows faster than they do."""

import sys
import time

import numpy as np
import pytest

import minigrad as mg


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
    def grad(doublings):
        x = mg.tensor(1.0, requires_grad=True)
        y = x
        for _ in range(doublings):
            y = y + y
        start = time.perf_counter()
        y.backward()
        return x.grad.item(), time.perf_counter() - start

    slope, seconds = grad(60)
    assert slope == 2.0**60
    assert seconds < 1.0  # 2**60 paths would take until the sun burns out


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
