"""`minigrad.torch`: expressions of programs for PyTorch give what PyTorch has stored of them."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import torch
from minigrad.errors import ArgumentError, MinigradError
from tests.references.dialect import EXPRESSIONS, FUNCTIONS, NAMES
from tests.references.dialect_programs import PROGRAMS

REFERENCE = json.loads((Path(__file__).parent / "references" / "dialect.json").read_text(encoding="utf-8"))
STORED = REFERENCE["values"]


def space():
    names = {"torch": torch, "F": torch.nn.functional}
    exec(NAMES + FUNCTIONS, names)
    return names


def agree(found, stored):
    if isinstance(stored, dict):
        assert isinstance(found, torch.Tensor), type(found)
        assert str(found.dtype) == stored["dtype"], found.dtype
        assert list(found.shape) == stored["shape"]
        numbers = [math.nan if v is None else v for v in stored["numbers"]]
        np.testing.assert_allclose(found.detach().numpy().reshape(-1), numbers, rtol=1e-5, atol=1e-6)
    elif isinstance(stored, list):
        assert len(found) == len(stored)
        for a, b in zip(found, stored, strict=True):
            agree(a, b)
    elif isinstance(stored, float):
        assert found == pytest.approx(stored, rel=1e-6)
    else:
        assert (str(found) if isinstance(stored, str) else found) == stored


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_an_expression_gives_what_it_gives_in_pytorch(text):
    agree(eval(text, space()), STORED[text])


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_has_the_losses_that_it_has_in_pytorch(name):
    losses = PROGRAMS[name](torch, torch.nn, torch.nn.functional)
    np.testing.assert_allclose(losses, REFERENCE["losses"][name], rtol=1e-6, atol=1e-6)


def test_all_expressions_are_stored():
    assert set(EXPRESSIONS) == set(STORED)
    assert len(EXPRESSIONS) >= 150
    assert mg.get_default_dtype() == np.float64  # outside of the dialect
    assert issubclass(MinigradError, Exception)


# Operations with a derivative of their own


class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, scale):
        result = scale * x**3
        ctx.save_for_backward(x)
        ctx.scale = scale
        return result

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * 3 * ctx.scale * x**2, None


class Exp(torch.autograd.Function):
    """Whose result is saved, and whose context is set up apart."""

    @staticmethod
    def forward(x):
        return x.exp()

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(output)

    @staticmethod
    def backward(ctx, grad):
        (result,) = ctx.saved_tensors
        return grad * result


class Polar(torch.autograd.Function):
    """Of two arguments and with two results."""

    @staticmethod
    def forward(ctx, x, y):
        r = (x**2 + y**2).sqrt()
        ctx.save_for_backward(x, y, r)
        return r, torch.atan2(y, x)

    @staticmethod
    def backward(ctx, gr, ga):
        x, y, r = ctx.saved_tensors
        return gr * x / r - ga * y / r**2, gr * y / r + ga * x / r**2


def test_functions_with_a_backward_of_their_own():
    x = torch.tensor([1.0, -2.0], requires_grad=True)
    y = Cube.apply(x, 2.0)
    assert isinstance(y, torch.Tensor)
    assert y.tolist() == [2.0, -16.0]
    (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    assert g.tolist() == [6.0, 24.0]
    (second,) = torch.autograd.grad(g.sum(), x)
    assert second.tolist() == [12.0, -24.0]
    e = Exp.apply(x)
    (g,) = torch.autograd.grad(e.sum(), x, create_graph=True)
    for _ in range(2):  # the saved result is part of the graph
        np.testing.assert_allclose(g.detach().numpy(), np.exp([1.0, -2.0]), rtol=1e-6)
        (g,) = torch.autograd.grad(g.sum(), x, create_graph=True)
    with torch.no_grad():
        assert not Cube.apply(x, 2.0).requires_grad
    assert Cube.apply(torch.tensor(2.0), 1).item() == 8.0


def test_functions_with_several_results():
    polar = lambda x, y: Polar.apply(x, y)[0] * 2 + Polar.apply(x, y)[1]  # noqa: E731
    x, y = (torch.tensor([3.0], dtype=torch.float64, requires_grad=True) for _ in range(2))
    direct = lambda x, y: 2 * (x**2 + y**2) ** 0.5 + torch.atan2(y, x)  # noqa: E731
    for f in (polar, direct):
        gx, gy = torch.autograd.grad(f(x, y).sum(), (x, y), create_graph=True)
        second = torch.autograd.grad((gx + 3 * gy).sum(), (x, y))
        found = [v.item() for v in (gx, gy, *second)]
        expected = found if f is polar else expected  # noqa: F821
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_functions_in_programs_and_batches():
    calls = []

    class Counted(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            calls.append(1)
            ctx.save_for_backward(x)
            return x.sin()

        @staticmethod
        def backward(ctx, grad):
            return grad * ctx.saved_tensors[0].cos()

    loss = mg.jit(mg.value_and_grad(lambda x: mg.sum(Counted.apply(x) ** 2)))
    for start in (0.5, 1.5, 2.5, 3.5):
        value, gradient = loss(np.full(3, start))
        np.testing.assert_allclose([value, *gradient], [3 * np.sin(start) ** 2, *[np.sin(2 * start)] * 3], rtol=1e-12)
    assert len(calls) >= 4


def test_gradients_may_be_arrays_that_belong_to_others():
    kept = torch.tensor([1.0, 2.0])

    class Weighed(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return (x * kept).sum()

        @staticmethod
        def backward(ctx, grad):
            return kept

    for _ in range(2):
        x = torch.zeros(2, requires_grad=True)
        (Weighed.apply(x) + Weighed.apply(x) + Weighed.apply(x) + x.sum()).backward()
        assert x.grad.tolist() == [4.0, 7.0]
    assert kept.tolist() == [1.0, 2.0]
    assert "Weighed" not in mg.core.primitives


def test_a_function_that_gives_too_few_gradients():
    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            return x * y

        @staticmethod
        def backward(ctx, grad):
            return grad

    x = torch.tensor(2.0, requires_grad=True)
    with pytest.raises(ArgumentError, match=r"Wrong.backward returned 1 gradient for the 2 arguments of forward"):
        Wrong.apply(x, x).backward()
    with pytest.raises(NotImplementedError, match="needs a forward"):
        torch.autograd.Function.apply(x)


def test_transforms_call_functions_with_tensors_of_the_dialect():
    from minigrad.torch.autograd import Variable, functional
    from minigrad.torch.func import functional_call, grad, hessian, jacrev, vmap

    f = lambda w, x: torch.relu(x.unsqueeze(0) @ w.view(3, 2)).sum(dim=1, keepdim=True).squeeze()  # noqa: E731
    w, xs = torch.arange(6.0), torch.ones(4, 3)
    assert vmap(grad(f), in_dims=(None, 0))(w, xs).tolist() == [[1.0] * 6] * 4
    assert jacrev(lambda x: x.view(-1).pow(2))(torch.ones(2, 2)).size() == (4, 2, 2)
    assert hessian(lambda x: x.pow(3).sum(dim=0))(torch.tensor([1.0, 2.0])).tolist() == [[6.0, 0.0], [0.0, 12.0]]
    assert functional.jacobian(lambda x: x.exp().sum(dim=1), torch.zeros(2, 2)).sum(dim=0).tolist() == [[1, 1], [1, 1]]
    assert functional.hvp(lambda x: x.pow(2).sum(dim=0), torch.ones(2), torch.ones(2))[1].tolist() == [2.0, 2.0]
    net = torch.nn.Linear(3, 1)
    loss = lambda p, x: functional_call(net, p, (x.unsqueeze(0),)).sum(dim=1).squeeze()  # noqa: E731
    by_sample = vmap(grad(loss), in_dims=(None, 0))(dict(net.named_parameters()), xs)
    assert by_sample["weight"].size() == (4, 1, 3)
    assert repr(by_sample["weight"].shape) == "torch.Size([4, 1, 3])"
    assert Variable(torch.ones(2), requires_grad=True).requires_grad


def test_numbers_of_tensors_that_require_grad():
    x = torch.tensor(2.5, requires_grad=True)
    for kind in (float, int, complex):
        with pytest.warns(UserWarning, match=rf"{kind.__name__}\(\) of a Tensor that requires grad is a number"):
            assert kind(x) == kind(2.5)
    assert float(x.detach()) == 2.5
    assert (x * 2).grad_fn is not None
    assert x.grad_fn is None
    assert torch.eye(2, 3, requires_grad=True).is_leaf
    assert x.detach().type(torch.int64).dtype == torch.int64
