"""Layers, losses and optimizers against PyTorch, whose results references/make_torch.py has written to a file."""

import json
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg

F = mg.nn.functional

with np.load(Path(__file__).parent / "references" / "torch.npz") as _archive:
    KEPT = dict(_archive)
OPTIONS = json.loads(str(KEPT["options"]))


def cases(*kinds):
    return pytest.mark.parametrize("case", [case for case in OPTIONS if case.split("-")[0] in kinds])


def shared(name):
    return KEPT[f"shared/{name}"]


def leaf(name):
    return mg.tensor(shared(name), requires_grad=True)


def close(actual, case, result):
    np.testing.assert_allclose(np.asarray(actual), KEPT[f"{case}/{result}"], rtol=1e-9, atol=1e-12)


def agrees(case, value, upstream, leaves):
    """Whether the value and the gradients of all leaves are PyTorch's."""
    close(value.detach(), case, "value")
    value.backward(upstream if value.ndim else None)
    for i, x in enumerate(leaves):
        close(x.grad, case, f"grad{i}")


@cases("linear")
def test_linear(case):
    _, name, bias = case.split("-")
    leaves = [leaf(f"linear_{part}") for part in (name, "weight", "bias")[: 3 if bias == "bias" else 2]]
    agrees(case, F.linear(*leaves), shared(f"linear_{name}_upstream"), leaves)


@cases("mse_loss")
def test_mse_loss(case):
    leaves = leaf("mse_input"), leaf("mse_target")
    agrees(case, F.mse_loss(*leaves, **OPTIONS[case]), shared("mse_upstream"), leaves)


@cases("cross_entropy")
def test_cross_entropy(case):
    _, name, kind, *_ = case.split("-")
    options = {k: shared("class_weight") if k == "weight" else v for k, v in OPTIONS[case].items()}
    logits = leaf(f"ce_{name}")
    target = leaf(f"ce_{name}_probabilities") if kind == "probabilities" else shared(f"ce_{name}_labels")
    leaves = (logits, target) if kind == "probabilities" else (logits,)
    agrees(case, F.cross_entropy(logits, target, **options), shared(f"ce_{name}_upstream"), leaves)


@cases("SGD", "Adam")
def test_optimizers_take_the_same_path(case):
    u, v = leaf("start_u"), leaf("start_v")
    optimizer = getattr(mg.optim, case.split("-")[0])([u, v], **OPTIONS[case])
    path = []
    for step in range(1, 101):
        optimizer.zero_grad()
        loss = ((u - 1.0) ** 2).sum() + (v * v).sum() + mg.cos(3.0 * v).sum() + 0.1 * u.sum() * v.sum()
        loss.backward()
        optimizer.step()
        if step % 10 == 0:
            path.append(np.concatenate([u.data, v.data.ravel()]))
    close(path, case, "path")


def test_every_case_is_compared():
    assert {case.split("-")[0] for case in OPTIONS} == {"linear", "mse_loss", "cross_entropy", "SGD", "Adam"}
