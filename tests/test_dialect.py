"""`minigrad.torch`: expressions of programs for PyTorch give what PyTorch has stored of them."""

import copy
import json
import math
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import torch
from minigrad.errors import ArgumentError, GraphError
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
    found = []
    for f in (polar, direct):
        gx, gy = torch.autograd.grad(f(x, y).sum(), (x, y), create_graph=True)
        second = torch.autograd.grad((gx + 3 * gy).sum(), (x, y))
        found.append([v.item() for v in (gx, gy, *second)])
    np.testing.assert_allclose(*found, rtol=1e-12)


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


# Writes into memory.  Constants of up to 256 elements are copied into the graph, so these are larger.


@pytest.mark.parametrize("write", [
    lambda w: w.mul_(0.0), lambda w: w.__setitem__(0, 0.0), lambda w: w.zero_(), lambda w: w[:1].zero_(),
    lambda w: w.__isub__(3), lambda w: w.view(10, 100)[0].fill_(0.0), lambda w: w[0].fill_(0.0),
])  # fmt: skip
def test_a_constant_that_the_graph_holds_is_not_overwritten_in_silence(write):
    x, w = torch.ones(1000, requires_grad=True), torch.ones(1000) * 3
    y = (x * w).sum()
    write(w)
    with pytest.raises(mg.errors.StaleValueError, match=r"a constant of shape .* was written to.*use a clone\(\)"):
        y.backward()
    x.grad = None
    (x * w).sum().backward()
    assert x.grad.tolist() == w.tolist()


def test_other_parts_of_a_buffer_may_be_written():
    x, buffer = torch.ones(1000, requires_grad=True), torch.zeros(3, 1000)
    losses = []
    for t in range(3):
        buffer[t] = torch.ones(1000) * (t + 1)
        losses.append((x * buffer[t]).sum())
    sum(losses).backward()
    assert x.grad[0].item() == 6.0


def test_losses_gathered_in_a_constant_keep_their_history():
    x = torch.tensor(1.0, requires_grad=True)
    for add in (lambda z: z.__iadd__(x**2), lambda z: z.add_(x * x), lambda z: z.copy_(x**2)):
        total = add(torch.tensor(0.0))
        (g,) = torch.autograd.grad(3 * x + 0.1 * total, x)
        assert g.item() == pytest.approx(3.2)
    z = torch.zeros(3)
    z[1:] = x * x
    assert torch.autograd.grad(z.sum(), x)[0].item() == 4.0
    z = torch.zeros(3)
    with pytest.raises(mg.errors.GraphError, match=r"to a part of a Tensor.*or x\[index\] \+= value"):
        z[1:].add_(x)


def test_results_written_without_recording_keep_their_gradients():
    x = torch.tensor([1.0, -2.0], requires_grad=True)
    h = x * 2
    with torch.no_grad():
        h.clamp_(max=1.0)
    assert h.tolist() == [1.0, -4.0]
    (h + x).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]
    y = 1 / torch.tensor([1.0, 0.0], requires_grad=True)
    assert y.zero_().tolist() == [0.0, 0.0]


def test_views_are_written_through():
    z = torch.zeros(3)
    z[1].add_(2.0)
    z[2:].fill_(5.0)
    assert z.tolist() == [0.0, 2.0, 5.0]
    for row in z:
        row.mul_(10)
    assert z.tolist() == [0.0, 20.0, 50.0]
    m = torch.zeros(2, 2)
    m[0, 1].fill_(1.0)
    assert m.tolist() == [[0.0, 1.0], [0.0, 0.0]]
    layer, table = torch.nn.Linear(2, 1), torch.nn.Embedding(3, 2)
    with torch.no_grad():
        table.weight[0].fill_(0)
        table.weight[:, 1].mul_(0)
    assert table.weight[0].tolist() == [0.0, 0.0]
    assert table.weight[:, 1].tolist() == [0.0, 0.0, 0.0]
    layer.weight.data[0, 0].fill_(9.0)
    layer.weight.detach()[0, 1].fill_(8.0)
    assert layer.weight.tolist() == [[9.0, 8.0]]
    x = torch.ones(3, requires_grad=True)
    x.detach().add_(1.0)
    assert x.tolist() == [2.0, 2.0, 2.0]
    y = (x * x).sum()
    with torch.no_grad():
        x[0].fill_(7.0)
    with pytest.raises(mg.errors.StaleValueError):
        y.backward()


def test_in_place_methods_keep_their_dtype():
    for write in (lambda i: i.mul_(1.5), lambda i: i.__itruediv__(2)):
        with pytest.raises(mg.errors.DTypeError):
            write(torch.tensor([1, 2]))
    assert torch.zeros(2, 3).index_fill_(1, torch.tensor([-1]), 5.0).tolist() == [[0.0, 0.0, 5.0]] * 2


def test_set_grad_enabled_as_a_function_a_block_and_a_decorator():
    x = torch.tensor(2.0, requires_grad=True)
    try:
        torch.set_grad_enabled(False)
        assert not torch.is_grad_enabled()
        assert not (x * 2).requires_grad
    finally:
        torch.set_grad_enabled(True)
    assert (x * 2).requires_grad
    with torch.set_grad_enabled(False):
        assert not (x * 2).requires_grad
    assert torch.is_grad_enabled()

    @torch.set_grad_enabled(False)
    def double(x):
        return x * 2

    assert torch.is_grad_enabled()
    assert not double(x).requires_grad
    assert (x * 2).requires_grad


def test_a_function_that_keeps_its_argument_as_an_attribute():
    class Cubed(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.x = x
            return x**3

        @staticmethod
        def backward(ctx, grad):
            return grad * 3 * ctx.x**2

    x = torch.tensor(2.0, requires_grad=True)
    (g,) = torch.autograd.grad(Cubed.apply(x) ** 2, x, create_graph=True)
    assert torch.autograd.grad(g, x)[0].item() == 30 * 2.0**4


def test_checkpoints_call_functions_with_tensors_of_the_dialect():
    x = torch.ones(3, requires_grad=True)
    y = torch.utils.checkpoint.checkpoint(lambda x: x.unsqueeze(0).sum(dim=1), x)
    assert isinstance(y, torch.Tensor)
    y.backward()
    assert x.grad.tolist() == [1.0, 1.0, 1.0]


def test_probabilities_of_zero_are_no_nan():
    d, z = torch.distributions, torch.zeros(())
    never = d.Categorical(probs=torch.tensor([0.0, 1.0]))
    even = d.Categorical(probs=torch.tensor([0.5, 0.5]))
    assert never.entropy().item() == pytest.approx(0, abs=1e-5)
    assert d.kl_divergence(never, even).item() == pytest.approx(math.log(2), abs=1e-5)
    assert d.kl_divergence(d.Bernoulli(z), d.Bernoulli(z + 0.5)).item() == pytest.approx(math.log(2), abs=1e-5)
    assert d.Gamma(z + 1, z + 1).log_prob(z).item() == 0
    assert d.Beta(z + 1, z + 1).log_prob(z).item() == 0


def test_gradients_at_a_bound_are_those_of_pytorch():
    x = torch.tensor([0.0, 1.0], requires_grad=True)
    assert torch.autograd.grad(torch.clamp_min(x, 0.0).sum(), x)[0].tolist() == [1.0, 1.0]
    assert torch.autograd.grad(x.clamp_max(1.0).sum(), x)[0].tolist() == [1.0, 1.0]


def test_results_without_a_derivative_and_gradients_of_nothing():
    class Masked(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            mask = (x > 0).float()
            ctx.mark_non_differentiable(mask)
            ctx.save_for_backward(mask)
            return x * mask, mask

        @staticmethod
        def backward(ctx, g, _):
            return g * ctx.saved_tensors[0]

    x = torch.tensor([1.0, -1.0], requires_grad=True)
    y, mask = Masked.apply(x)
    assert (y.requires_grad, mask.requires_grad) == (True, False)
    (y * mask).sum().backward()
    assert x.grad.tolist() == [1.0, 0.0]

    class Twice(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            return grad * 2, grad

    with pytest.raises(ArgumentError, match="returned 2 gradients for the 1 argument"):
        Twice.apply(x).sum().backward()


def test_backward_of_several_at_once():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x**2
    torch.autograd.backward([y.sum(), (y * x).sum()])
    assert x.grad.tolist() == [5.0, 16.0]
    x.grad = None
    torch.autograd.backward(x * 3, torch.tensor([1.0, 10.0]))
    assert x.grad.tolist() == [3.0, 30.0]


# Views of results


def _into_a_part():
    y = torch.ones(2, 2, requires_grad=True) * 1
    y[0].mul_(5)


def _into_an_element():
    y = torch.ones(2, 2, requires_grad=True) * 1
    y[0][1] = 0


def _through_a_shape():
    y = torch.ones(2, 2, requires_grad=True) * 1
    y.view(-1)[3] = 0


def _through_a_transpose():
    y = torch.ones(2, 2, requires_grad=True) * 1
    rows = y.t()
    rows[0] = 0


def _a_mask_of_scores():
    x = torch.ones(2, 2, requires_grad=True)
    scores = x @ x.T
    scores[:, :1].fill_(-9.0)


def _a_result_into_a_view_of_a_constant():
    out = torch.zeros(2, 3)
    out.view(-1)[:3] = torch.ones(3, requires_grad=True) * 1


def _into_a_diagonal():
    y = torch.ones(2, 2, requires_grad=True) * 1
    y.diagonal().add_(1)


def _by_an_operator_on_a_name():
    y = torch.ones(2, 2, requires_grad=True) * 1
    row = y[0]
    row += 1


@pytest.mark.parametrize("write", [
    _into_a_part, _into_an_element, _through_a_shape, _through_a_transpose, _a_mask_of_scores,
    _a_result_into_a_view_of_a_constant, _into_a_diagonal, _by_an_operator_on_a_name,
])  # fmt: skip
def test_a_write_to_a_part_of_a_result_is_refused_where_it_would_be_lost(write):
    with pytest.raises(GraphError, match=r"would not reach the Tensor: write x\[index\] = value"):
        write()


def test_writes_to_results_that_are_recorded_and_warnings_for_what_keeps_the_old_value():
    x = torch.ones(2, 2, requires_grad=True)
    y = x * 1
    y[0] += 1
    y[0] *= 3
    y[1, 0] -= 1
    assert y.tolist() == [[6.0, 6.0], [0.0, 1.0]]
    (gradient,) = torch.autograd.grad(y.sum(), [x])
    assert gradient.tolist() == [[3.0, 3.0], [1.0, 1.0]]
    y = x * 1
    y = y.view(4)  # the Tensor that it was read from is gone
    y += 1
    assert y.tolist() == [2.0] * 4
    y = x * 1
    flat = y.view(4)
    with pytest.warns(UserWarning, match=r"shape \(4,\), keeps the old value"):
        y[0, 0] = 9
    assert flat.tolist() == [1.0] * 4
    y = x * 1
    row = y[0]
    with pytest.warns(UserWarning, match=r"read it again after the write"):
        y.mul_(3)
    assert row.tolist() == [1.0, 1.0]


def test_diagonals_are_views_of_constants_and_of_data():
    x = torch.ones(3, 3)
    x.diagonal().add_(2)
    torch.diagonal(x, 1).mul_(0)
    assert x.tolist() == [[3.0, 0.0, 1.0], [1.0, 3.0, 0.0], [1.0, 1.0, 3.0]]
    p = torch.nn.Parameter(torch.ones(2, 2))
    p.data.diagonal().fill_(9)
    assert p.tolist() == [[9.0, 1.0], [1.0, 9.0]]
    (p.diagonal() ** 2).sum().backward()
    assert p.grad.tolist() == [[18.0, 0.0], [0.0, 18.0]]


# Names that import lines have


@pytest.mark.parametrize(
    "line",
    [
        "from minigrad.torch.nn.parameter import Parameter",
        "from minigrad.torch.nn.init import xavier_uniform_",
        "from minigrad.torch.nn.utils.rnn import pad_sequence",
        "from minigrad.torch.nn.utils import clip_grad_norm_",
        "import minigrad.torch.nn.utils.rnn as rnn",
        "from minigrad.torch.nn.modules import Linear",
        "from minigrad.torch.optim.lr_scheduler import StepLR",
        "from minigrad.torch.optim.swa_utils import AveragedModel",
        "from minigrad.torch.utils.checkpoint import checkpoint",
        "import minigrad.torch.nn.functional as F",
        "from minigrad.torch.func import vjp, jvp, grad_and_value, functional_call, stack_module_state",
        "from minigrad.torch.autograd import grad, gradcheck, set_detect_anomaly, set_grad_enabled",
        "from minigrad.torch.autograd.functional import jacobian, hvp, vjp, jvp, hessian",
        "from minigrad.torch.distributions.normal import Normal",
        "from minigrad.torch.distributions.kl import kl_divergence",
        "from minigrad.torch.distributions.categorical import Categorical",
        "from minigrad.torch.distributions.multivariate_normal import MultivariateNormal",
    ],
)
def test_import_lines(line):
    exec(line, {})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("torch.nn.utils.rnn.pack_padded_sequence", "a mask"),
        ("torch.autograd.profiler", "autograd.profiler does not exist"),
        ("torch.autograd.functional.jvps", "autograd.functional.jvps"),
        ("x.sparse_mask", "Tensor.sparse_mask does not exist"),
        ("torch.nn.utils.prune", "nn.utils.prune does not exist"),
        ("x.data_ptr", "Tensor.data_ptr"),
        ("torch.linalg.ldl", "linalg.ldl"),
        ("torch.fft.fftx", "fft.fftx"),
        ("torch.nn.functional.grid_sample", "nn.functional.grid_sample"),
        ("torch.utils.tensorboard", "utils.tensorboard"),
        ("torch.utils.data.datapipes", "utils.data.datapipes"),
        ("torch.cuda.amp", "cuda.amp"),
    ],
)
def test_what_is_not_there_says_so_in_pytorchs_words(text, words):
    with pytest.raises(AttributeError, match=words):
        eval(text, space())


@pytest.mark.parametrize(
    "call",
    [
        "torch.ones(2, device='cuda')",
        "torch.tensor([1.0], device='cuda:0')",
        "torch.eye(2, device='mps')",
        "x.cuda()",
        "torch.arange(3, device='cuda')",
        "torch.full((2,), 1.0, device='cuda')",
        "torch.randint(3, (2,), device='cuda')",
        "torch.zeros_like(x, device='cuda')",
        "torch.linspace(0, 1, 3, device='cuda')",
        "torch.Generator('cuda')",
        "torch.nn.Linear(2, 1).cuda()",
        "torch.nn.Linear(2, 1).to('cuda')",
        "torch.nn.Linear(2, 1, device='cuda')",
        "torch.rand(2, device='cuda')",
        "torch.LongTensor([1], device='cuda')",
        "x.new_zeros(2, device='cuda')",
        "x.to('cuda')",
    ],
)
def test_other_devices_are_refused(call):
    with pytest.raises(ArgumentError, match="there is one device here, the CPU"):
        eval(call, space())


def test_numbers_of_tensors_that_require_grad_in_a_list():
    x = torch.tensor(2.5, requires_grad=True)
    with pytest.warns(UserWarning, match=r"no gradient goes through it.*torch.stack"):
        assert torch.tensor([[x, 1.0]]).tolist() == [[2.5, 1.0]]


def test_many_gradients_at_once_are_refused_by_name():
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(mg.errors.UnsupportedError, match=r"is_grads_batched.*torch.func.vmap"):
        torch.autograd.grad(x * 2, x, torch.eye(2), is_grads_batched=True)
    with pytest.raises(ArgumentError, match="the vector v may be left out"):
        torch.autograd.functional.vjp(lambda t: t * 2, x)


def test_generators_of_the_dialect_order_data():
    data, made = torch.utils.data, lambda: torch.Generator().manual_seed(42)
    parts = [data.random_split(range(10), [8, 2], generator=made()) for _ in range(2)]
    assert [len(part) for part in parts[0]] == [8, 2]
    assert [list(part) for part in parts[0]] == [list(part) for part in parts[1]]
    orders = [torch.cat(list(data.DataLoader(range(9), 2, shuffle=True, generator=made()))) for _ in range(2)]
    assert torch.equal(*orders)
    assert sorted(orders[0].tolist()) == list(range(9))
    generator = made()
    copied = copy.deepcopy(generator)
    assert torch.equal(torch.rand(3, generator=generator), torch.rand(3, generator=copied))
    assert not torch.equal(torch.rand(3, generator=generator), torch.rand(3, generator=made()))


# Distributions


@pytest.mark.parametrize(
    "text",
    [
        "Gamma(t, 1.0)",
        "Beta(t, t)",
        "Dirichlet(t)",
        "StudentT(t)",
        "Chi2(t)",
        "Poisson(t)",
        "Categorical(t)",
        "Bernoulli(t)",
    ],
)
def test_samples_that_cannot_be_differentiated_are_refused_by_name(text):
    t = torch.tensor([0.5, 0.5], requires_grad=True)
    d = eval(text, vars(torch.distributions), {"t": t})
    assert not d.sample((3,)).requires_grad
    with pytest.raises(
        NotImplementedError, match=r"no samples that can be differentiated.*sample\(\) and log_prob\(\)"
    ):
        d.rsample()


def test_samples_of_scaled_distributions_are_differentiable_by_the_scale():
    t = torch.tensor([2.0, 4.0], requires_grad=True)
    d = torch.distributions
    for made in (
        d.Gamma(3.0, 1 / t),
        d.StudentT(3.0, 0.0, t),
        d.Exponential(1 / t),
        d.Laplace(0.0, t),
        d.HalfNormal(t),
    ):
        draws = made.rsample((5,))
        (g,) = torch.autograd.grad(draws.sum(), t)
        assert torch.allclose(g, (draws / t).sum(0).detach(), rtol=1e-4)


def test_samples_have_the_moments_of_their_distributions():
    d, t = torch.distributions, torch.tensor
    torch.manual_seed(0)
    for made in (
        d.Normal(1.0, 2.0),
        d.LogNormal(0.0, 0.5),
        d.HalfNormal(2.0),
        d.Uniform(1.0, 3.0),
        d.Exponential(2.0),
        d.Laplace(1.0, 2.0),
        d.Gamma(3.0, 2.0),
        d.Beta(2.0, 3.0),
        d.Chi2(3.0),
        d.StudentT(9.0, 1.0, 2.0),
        d.Bernoulli(0.3),
        d.Geometric(0.4),
        d.Binomial(5, t(0.3)),
        d.OneHotCategorical(t([0.2, 0.8])),
        d.Poisson(2.5),
        d.Dirichlet(t([1.0, 3.0])),
        d.MultivariateNormal(t([1.0, 2.0]), t([[2.0, 0.5], [0.5, 1.0]])),
    ):
        draws = made.sample((20_000,))
        assert torch.allclose(draws.mean(0), made.mean, atol=0.05, rtol=0.05), made
        assert torch.allclose(draws.var(0), made.variance, atol=0.05, rtol=0.1), made


def test_what_distributions_lack_is_said_by_name():
    d = torch.distributions
    with pytest.raises(AttributeError, match=r"distributions.Weibull does not exist.*there are Bernoulli, Beta"):
        _ = d.Weibull
    with pytest.raises(NotImplementedError, match="Poisson has no entropy"):
        d.Poisson(1.0).entropy()
    with pytest.raises(TypeError, match="kl_divergence of Normal and Gamma"):
        d.kl_divergence(d.Normal(0.0, 1.0), d.Gamma(1.0, 1.0))
    with pytest.raises(ValueError, match=r"Normal: the parameter scale must be positive.*validate_args=False"):
        d.Normal(0.0, -1.0)
    with pytest.raises(ValueError, match="takes either probs or logits"):
        d.Bernoulli()
    with pytest.raises(ValueError, match="takes one of covariance_matrix, precision_matrix, scale_tril"):
        d.MultivariateNormal(torch.zeros(2))
    assert repr(d.Poisson(2.0)).startswith("Poisson(rate: tensor(2.")
    d.Distribution.set_default_validate_args(False)
    try:
        assert math.isnan(d.Normal(0.0, -1.0).entropy().item())
    finally:
        d.Distribution.set_default_validate_args(True)


def test_random_numbers_in_single_precision_stay_below_one():
    drawn = torch.rand(1000)
    assert torch.equal(drawn * 2**24, (drawn * 2**24).round())
