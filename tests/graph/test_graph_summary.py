"""The numbers of a graph: counted by hand, and compared with what tracemalloc sees."""

import gc
import math
import tracemalloc

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.errors import DTypeError, GraphError, ReleasedGraphError
from minigrad.graph.costs import flops, is_known
from minigrad.graph.profiling import profile
from minigrad.graph.summarizing import summary
from minigrad.graph.watching import recording
from minigrad.nn import functional as F  # noqa: N812  # PyTorch's users know it by this letter
from tests.op_tables import TABLE
from tests.rows import each

RNG = np.random.default_rng(0)


def leaf(*shape, dtype=np.float64):
    return mg.tensor(RNG.normal(size=shape).astype(dtype), requires_grad=True)


def mlp():
    """3 to 5 to 2 features, for 7 rows of data."""
    return nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2)), RNG.normal(size=(7, 3))


# Sizes


def test_sizes_of_a_small_graph():
    x, w = leaf(2, 3), leaf(3)
    y = mg.exp(x * w) + x  # multiply, exp, add
    found = summary(y.sum())
    assert (found.nodes, found.leaves, found.operations, found.depth) == (6, 2, 4, 4)
    assert found.parameters == 6 + 3


def test_the_depth_is_that_of_the_longest_way():
    x = leaf(2)
    short, long = x * 2, mg.sin(mg.cos(mg.exp(x)))
    assert summary(short + long).depth == 4
    assert summary([short, long]).depth == 3


def test_a_leaf_alone():
    found = summary(leaf(4))
    assert (found.nodes, found.operations, found.depth, found.parameters, found.flops) == (1, 0, 0, 4, 0)
    assert (found.bytes_held, found.bytes_of_leaves, found.bytes_at_peak) == (0, 32, 32)
    assert found.by_operation == found.by_module == ()
    assert "operations and 1 leaf)" in str(found)


def test_scalars_numbers_and_integers():
    x = leaf()
    found = summary((x * 3 + np.arange(4)).sum())
    assert (found.flops, found.bytes_of_constants) == (1 + 4 + 4, 32)
    # The product and the sum are NumPy scalars of 8 bytes, between them are 4 elements.
    assert found.bytes_held == 8 + 32 + 8


def test_several_results_share_what_they_share():
    x = leaf(3)
    h = mg.exp(x)
    assert summary([h.sum(), h.max()]).operations == 3
    assert summary([h, h]).nodes == 2


def test_a_graph_of_a_derivative():
    x = leaf(3)
    (slope,) = mg.autograd.grad((x**3).sum(), x, create_graph=True)
    assert [share.name for share in summary(slope).by_operation] == ["pow", "zero_safe_multiply", "zero_safe_product"]


@pytest.mark.parametrize("length", [20_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_a_long_chain(length):
    y = leaf()
    for _ in range(length // 2):
        y = mg.sin(y) * 1.0
    found = summary(y)
    assert (found.nodes, found.depth, found.flops, found.bytes_held) == (length + 1, length, length, 8 * length)
    assert [(share.name, share.count) for share in found.by_operation] == [
        ("multiply", length // 2),
        ("sin", length // 2),
    ]


# Floating-point operations


def test_flops_of_an_mlp():
    model, x = mlp()
    loss = ((model(x) - np.ones((7, 2))) ** 2).mean()
    found = summary(loss)
    first, second = 2 * 7 * 3 * 5, 2 * 7 * 5 * 2
    biases, tanh, rest = 7 * 5 + 7 * 2, 7 * 5, 3 * 7 * 2  # subtract, pow, mean
    assert found.flops == first + second + biases + tanh + rest
    # The data need no gradient: that is one product for the first layer and two for the second; each with its bias.
    assert found.backward_flops == (first + 7 * 5) + 2 * (second + 7 * 2) + biases + tanh + rest
    shares = {share.name: share for share in found.by_operation}
    assert shares["linear"].count == 2
    assert shares["linear"].flops == first + second + biases
    assert sum(share.flops for share in found.by_operation) == found.flops
    assert found.estimated == ()


@pytest.mark.parametrize("groups", [1, 2])
def test_flops_of_a_convolution(groups):
    layer = nn.Conv2d(4, 6, (3, 2), stride=2, groups=groups)
    y = layer(RNG.normal(size=(5, 4, 9, 8)))
    assert y.shape == (5, 6, 4, 4)
    places = 5 * 6 * 4 * 4
    products = 2 * places * (4 // groups) * 3 * 2
    assert summary(y).flops == products + places  # and the bias


def test_the_derivatives_of_a_convolution_count_like_it():
    x, w = leaf(2, 3, 8, 8), leaf(4, 3, 3, 3)
    with recording() as nodes:
        y = F.conv2d(x, w)
        mg.autograd.grad(y.sum(), [x, w], create_graph=True)
    counts = {node.op.name: flops(node.op, node.args, node.value) for node in nodes}
    assert counts["convolve"] == counts["convolve_weight"] == counts["convolve_transposed"] == 2 * 2 * 4 * 36 * 27


@each(
    ("make", "count"),
    [
        (lambda: leaf(3, 4) @ leaf(4, 5), 2 * 3 * 4 * 5),
        (lambda: leaf(4) @ leaf(4), 2 * 4),
        (lambda: leaf(6, 3, 4) @ leaf(4, 5), 6 * 2 * 3 * 4 * 5),
        (lambda: leaf(3, 4, dtype=np.complex128) @ leaf(4, 5), 4 * 2 * 3 * 4 * 5),
        (lambda: mg.tensordot(leaf(3, 4), leaf(4, 5), axes=1), 2 * 3 * 4 * 5),
        (lambda: mg.einsum("ij,jk->ik", leaf(3, 4), leaf(4, 5)), 2 * 3 * 4 * 5),
        (lambda: mg.einsum("i,j->ij", leaf(3), leaf(4)), 3 * 4),
        # The product of the two matrices comes first: that is the order which NumPy chooses.
        (lambda: mg.einsum("ij,jk,k->i", leaf(20, 30), leaf(30, 2), leaf(2)), 2 * 20 * 30 * 2 + 2 * 20 * 2),
        (lambda: leaf(3, 1) + leaf(4), 12),
        (lambda: leaf(5, dtype=np.complex128) + 1, 10),
        (lambda: leaf(5, dtype=np.complex128) * leaf(5), 30),
        (lambda: mg.abs(leaf(5, dtype=np.complex128)), 30),
        (lambda: mg.sum(leaf(3, 4), axis=0), 12),
        (lambda: mg.var(leaf(3, 4)), 4 * 12),
        (lambda: mg.softmax(leaf(3, 4)), 5 * 12),
        (lambda: leaf(3, 4).T, 0),
        (lambda: leaf(3, 4)[1:], 0),
        (lambda: F.max_pool2d(leaf(1, 2, 4, 4), 2), 2 * 4 * 4),
        (lambda: mg.linalg.cholesky(np.eye(6) * leaf(6, 6) ** 2), 6**3 / 3 + 2 * 36),
        (lambda: mg.linalg.solve(leaf(2, 6, 6), leaf(2, 6, 3)), 2 * (2 * 6**3 / 3 + 2 * 36 * 3)),
        (lambda: mg.linalg.inv(leaf(6, 6)), 2 * 6**3),
        (lambda: mg.linalg.det(leaf(6, 6)), 2 * 6**3 / 3),
        (lambda: mg.linalg.svdvals(leaf(3, 6)), 2 * 6 * 9 + 2 * 27),
        (lambda: mg.fft.fft(leaf(3, 16, dtype=np.complex128)), 3 * 5 * 16 * 4),
        (lambda: mg.fft.rfft(leaf(16)), 2.5 * 16 * 4),
    ],
)
def test_flops_by_hand(make, count):
    assert summary(make()).flops == count


def test_qr_counts_like_the_algorithm():
    # Householder's reflections of an (m, n) matrix and their product: 4 m n^2 - 4 n^3 / 3 together.
    y = mg.linalg.qr(leaf(6, 3)).R
    assert [share.flops for share in summary(y).by_operation if share.name == "qr"] == [4 * 6 * 9 - 4 * 27 / 3]


def test_an_unknown_operation_counts_as_elementwise_and_is_listed():
    halved = mg.primitive(lambda g, y, x: g / 2)(lambda x, /: x / 2)
    found = summary(halved(leaf(3)) + 1)
    assert found.flops == 6
    assert found.estimated == ("<lambda>",)
    assert "the FLOPs of <lambda>, whose cost is not known" in str(found)


def test_a_known_name_does_not_make_an_operation_of_the_user_known():
    def reshape(x, /):
        return 2 * x

    mine = mg.primitive(lambda g, y, x: 2 * g)(reshape)
    try:
        assert summary(mine(leaf(3))).estimated == ("reshape",)
        assert summary(mine(leaf(3))).flops == 3
    finally:
        mg.core.primitives["reshape"] = mg.reshape


@each("row", TABLE)
def test_the_cost_of_every_operation_of_the_package_is_known(row):
    with recording() as nodes:
        for case in row.cases:
            case(*[mg.tensor(x) if isinstance(x, np.ndarray) else x for x in case.operands])
    for node in nodes:
        cost = flops(node.op, node.args, node.value)
        assert isinstance(cost, int)
        assert cost >= 0
        known = is_known(node.op) or node.op.primitive.facts.uncertain
        assert known, f"{node.op.name} does not say its kind or its cost"


# Memory


def test_bytes_by_hand():
    x = leaf(100)  # 800 bytes of its own
    data = np.ones(100)  # 800 bytes of a constant
    y = mg.exp(x * data)  # 1600 bytes held
    found = summary(y.reshape(10, 10).T[::2])  # views
    assert (found.bytes_held, found.bytes_of_leaves, found.bytes_of_constants) == (1600, 800, 800)
    assert {share.name: share.bytes for share in found.by_operation}["exp"] == 800


def test_a_view_keeps_all_of_its_base():
    x = leaf(10)
    piece = np.ones((1000, 10))[3]
    assert summary(x * piece).bytes_of_constants == 80_000
    windows = np.lib.stride_tricks.sliding_window_view(np.ones(1000), 10)[0]
    assert summary(x * windows).bytes_of_constants == 8_000


def test_the_same_memory_counts_once():
    x = leaf(100)
    y = mg.exp(x)
    assert summary(y * y + y).bytes_held == 3 * 800
    assert summary(x * x.data).bytes_of_constants == 0  # it is the leaf's


def test_index_arrays_are_constants():
    x, index = leaf(1000), np.arange(500)
    found = summary(x[index])
    assert (found.bytes_held, found.bytes_of_constants) == (500 * 8, 500 * 8)


def test_what_is_saved_for_the_rule_is_held():
    found = summary(F.cross_entropy(leaf(100, 10), np.arange(100) % 10))
    assert found.bytes_held == 100 * 10 * 8 + 8  # the probabilities, and the loss


def test_the_peak_of_a_chain_by_hand():
    x = leaf(1000)
    y = mg.exp(mg.exp(x)).sum()
    # The two results, 8000 bytes each, and the gradient of the first, while the sum's is 8 bytes and seen as a view.
    # Then the second result is gone.
    assert summary(y).bytes_at_peak == 2 * 8000 + 8 + 8 + 8000 - 8


def deep():
    layers = [layer for _ in range(4) for layer in (nn.Linear(128, 128), nn.Tanh())]
    return nn.Sequential(*layers, nn.Linear(128, 10)), (256, 128)


def convolutional():
    layers = nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8 * 64, 10)
    return nn.Sequential(*layers), (16, 3, 16, 16)


def normalized():
    layers = nn.Linear(64, 256), nn.BatchNorm1d(256), nn.GELU(), nn.LayerNorm(256), nn.Sigmoid(), nn.Linear(256, 10)
    return nn.Sequential(*layers), (256, 64)


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.head = nn.LSTM(16, 32, batch_first=True), nn.Linear(32, 10)

    def forward(self, x):
        return self.head(self.encoder(x)[0][:, -1])


def recurrent():
    return Recurrent(), (64, 20, 16)


@pytest.mark.parametrize("make", [deep, convolutional, normalized, recurrent])
def test_memory_agrees_with_what_tracemalloc_sees(make):
    model, shape = make()
    x, labels = mg.tensor(RNG.normal(size=shape)), RNG.integers(0, 10, shape[0])
    F.cross_entropy(model(x), labels).backward()  # what is made once is there now
    model.zero_grad(set_to_none=True)
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        loss = F.cross_entropy(model(x), labels)
        held = tracemalloc.get_traced_memory()[0] - before
        found = summary(loss)
        gc.collect()
        tracemalloc.reset_peak()
        loss.backward()
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert found.bytes_held == pytest.approx(held, rel=0.03)  # arrays, to which come nodes
    assert 0.75 * peak < found.bytes_at_peak < 1.02 * peak  # without what a rule needs in between


# Times and modules


def test_modules_and_times_of_a_profiled_graph():
    model, x = mlp()
    with profile():
        loss = model(x).sum()
        loss.backward(retain_graph=True)
    found = summary(loss)
    assert [(share.name, share.count) for share in found.by_module] == [
        ("Sequential", 3),
        ("Sequential.0", 1),
        ("Sequential.1", 1),
        ("Sequential.2", 1),
        ("", 1),
    ]
    assert found.forward > 0
    assert found.backward > 0
    assert sum(share.forward for share in found.by_operation) == pytest.approx(found.forward)
    assert found.by_module[0].flops == sum(share.flops for share in found.by_module[1:4])
    assert "  0: Linear" in str(found)
    assert "(in no module)" in str(found)
    assert "GFLOP/s" in str(found)


def test_without_a_profile_there_are_no_times():
    model, x = mlp()
    found = summary(model(x).sum())
    assert found.forward is found.backward is found.by_operation[0].forward is None
    assert found.by_module == ()
    assert "time" not in str(found)


# What is shown


def test_the_text():
    w = mg.tensor(np.ones((300, 20)), requires_grad=True)
    assert str(summary(mg.tanh(np.ones((500, 300)) @ w).sum())) == (
        "nodes       4 (3 operations and 1 leaf), depth 3\n"
        "parameters  6,000\n"
        "FLOPs       forward 6.02 M, backward about 6.02 M\n"
        "memory      held for backward 156 KiB, leaves 46.9 KiB, constants 1.14 MiB; peak of backward about 234 KiB\n"
        "\n"
        "operation  count   FLOPs   share      held\n"
        "------------------------------------------\n"
        "matmul         1     6 M  99.7 %  78.1 KiB\n"
        "sum            1  10,000   0.2 %       8 B\n"
        "tanh           1  10,000   0.2 %  78.1 KiB"
    )


def test_every_line_of_a_table_has_the_same_width():
    model, x = mlp()
    with profile():
        loss = model(x).sum()
    _, *parts = str(summary(loss)).split("\n\n")
    assert [len({len(line) for line in part.splitlines()}) for part in parts] == [1, 1]


def test_notebooks_get_a_table_and_escaped_names():
    class Odd(nn.Module):
        def forward(self, x):
            return x * 2.0

    Odd.__name__ = "<script>alert(1)</script>"
    with profile():
        y = Odd()(leaf(3))
    bundle = summary(y)._repr_mimebundle_()
    assert "<table" in bundle["text/html"]
    assert "<script>" not in bundle["text/html"]
    assert bundle["text/plain"] == str(summary(y))
    assert math.isclose(summary(y).forward, summary(y).by_module[0].forward)


# Misuse


def test_a_tensor_without_a_graph():
    with pytest.raises(GraphError, match="a summary of a graph needs a Tensor that requires grad"):
        summary(mg.tensor(1.0))


def test_a_released_graph():
    y = leaf(3).sum()
    y.backward()
    with pytest.raises(ReleasedGraphError, match="retain_graph"):
        summary(y)


@pytest.mark.parametrize("wrong", [np.ones(3), [], [1.0], None, {"loss": 1}])
def test_something_else_than_tensors(wrong):
    with pytest.raises(DTypeError, match="a summary of a graph is made of a Tensor, or of a list"):
        summary(wrong)
