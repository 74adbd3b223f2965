"""What `vmap` takes, what it gives, what it is inside and outside of other transforms, and what it refuses."""

import re
import warnings
from dataclasses import dataclass

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.errors import ArgumentError, AxisError, DTypeError, ProgramError, ShapeError

F = nn.functional
RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(3, 4)), RNG.normal(size=(3, 4))


def value(x):
    return np.asarray(x.detach() if isinstance(x, mg.Tensor) else x)


def looped(f, *batches):
    return np.stack([value(f(*map(mg.asarray, row))) for row in zip(*batches, strict=True)])


# Axes and trees


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
@pytest.mark.parametrize("out", [0, 1, -1])
def test_axes(axis, out):
    x = RNG.normal(size=(5, 2, 3))
    found = mg.vmap(lambda row: mg.sin(row) * 2, axis, out)(np.moveaxis(x, 0, axis))
    np.testing.assert_array_equal(found, np.moveaxis(np.sin(x) * 2, 0, out))


def test_arguments_with_axes_of_their_own_and_without():
    found = mg.vmap(lambda a, b, c: a * b + c, in_axes=(0, None, 1))(A, B[0], B.T)
    np.testing.assert_array_equal(found, A * B[0] + B)


def test_arguments_by_name_have_the_batch_in_front():
    np.testing.assert_array_equal(mg.vmap(lambda a, *, b: a - b, in_axes=(1,))(A.T, b=B), A - B)


def test_trees_of_arguments_axes_and_results():
    def f(tree, scale):
        return {"sum": tree["a"] + tree["b"][0], "scaled": (tree["b"][1] * scale, scale)}

    tree = {"a": A, "b": (B.T, np.ones(4))}
    found = mg.vmap(f, ({"a": 0, "b": (1, None)}, None), {"sum": 1, "scaled": (None, None)})(tree, 2.0)
    np.testing.assert_array_equal(found["sum"], (A + B).T)
    np.testing.assert_array_equal(found["scaled"][0], 2 * np.ones(4))
    assert float(found["scaled"][1]) == 2.0


@dataclass
class Pair:
    left: object
    right: object


def test_dataclasses_and_lists():
    found = mg.vmap(lambda pair: Pair(pair.left + 1, [pair.right]))(Pair(A, B))
    np.testing.assert_array_equal(found.left, A + 1)
    np.testing.assert_array_equal(found.right[0], B)


def test_what_does_not_depend_on_the_batch_is_repeated():
    np.testing.assert_array_equal(mg.vmap(lambda x: mg.asarray(np.arange(2.0)))(A), [[0, 1]] * 3)
    np.testing.assert_array_equal(mg.vmap(lambda x: 7)(A), [7, 7, 7])


def test_arrays_for_arrays_and_tensors_for_tensors():
    assert isinstance(mg.vmap(mg.sin)(A), np.ndarray)
    assert isinstance(mg.vmap(mg.sin)(mg.asarray(A)), mg.Tensor)
    assert isinstance(mg.vmap(mg.grad(lambda w, x: mg.sum(w * x)), (None, 0))(np.ones(4), A), np.ndarray)
    w = mg.tensor(2.0, requires_grad=True)
    assert mg.vmap(lambda x: x * w)(A).requires_grad
    with mg.no_grad():
        assert not mg.vmap(lambda x: x * w)(A).requires_grad


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128, np.int64, bool])
def test_dtypes_are_those_of_single_samples(dtype):
    x = (RNG.normal(size=(3, 4)) > 0).astype(dtype)
    for f in (lambda r: r, lambda r: mg.sum(r), lambda r: r * 2 if dtype is not bool else r):
        found, expected = mg.vmap(f)(x), looped(f, x)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("chunk_size", [1, 2, 3, 5])
def test_chunks(chunk_size):
    f = mg.vmap(lambda x, y: (mg.sum(x * y), mg.asarray(1.0)), out_axes=(0, None), chunk_size=chunk_size)
    total, one = f(A, B)
    np.testing.assert_allclose(total, (A * B).sum(axis=1), rtol=1e-14)
    assert float(one) == 1.0


def test_a_batch_of_one():
    np.testing.assert_array_equal(mg.vmap(lambda x: mg.cumulative_sum(x))(A[:1]), np.cumsum(A[:1], axis=1))


def test_an_empty_batch_has_results_of_the_right_form():
    assert mg.vmap(lambda x: mg.sum(x[1:] * 2))(np.zeros((0, 4))).shape == (0,)
    assert mg.vmap(lambda x, y: x @ y, (0, None))(np.zeros((0, 4)), np.ones((4, 2))).shape == (0, 2)
    with pytest.raises(ArgumentError, match="the batch is empty, and with zeros"):
        mg.vmap(mg.linalg.cholesky)(np.zeros((0, 2, 2)))


# Inside and outside of other transforms


def inner(x, y):
    return mg.sum(mg.tanh(x) * y**2) + x[0] * y[1]


def test_nested():
    f = mg.vmap(mg.vmap(inner, (0, None)), (None, 0))
    expected = [[value(inner(mg.asarray(a), mg.asarray(b))) for a in A] for b in B]
    np.testing.assert_allclose(f(A, B), expected, rtol=1e-14)
    three = mg.vmap(mg.vmap(mg.vmap(lambda x, y, z: x * y + z, (0, None, None)), (None, 0, None)), (None, None, 0))
    x, y, z = RNG.normal(size=2), RNG.normal(size=3), RNG.normal(size=4)
    np.testing.assert_allclose(three(x, y, z), (x * y[:, None]) + z[:, None, None], rtol=1e-14)


TRANSFORMED = {
    "grad of vmap": lambda: (mg.grad(lambda x: mg.sum(mg.vmap(inner)(x, B) ** 2)), A),
    "vmap of grad": lambda: (mg.vmap(mg.grad(inner)), A, B),
    "vmap of hessian": lambda: (mg.vmap(mg.hessian(inner)), A, B),
    "vmap of jacobian": lambda: (mg.vmap(mg.jacobian(lambda x: mg.sin(x) * x[0])), A),
    "vmap of jacfwd": lambda: (mg.vmap(mg.jacfwd(lambda x: mg.sin(x) * x[0])), A),
    "vmap of jvp": lambda: (mg.vmap(lambda x, t: mg.jvp(mg.sin, (x,), (t,))[1]), A, B),
    "vmap of hvp": lambda: (mg.vmap(lambda x, v: mg.hvp(lambda z: mg.sum(z**3), x, v)), A, B),
    "hessian of vmap": lambda: (mg.hessian(lambda x: mg.sum(mg.vmap(lambda r: mg.sum(r) ** 3)(x))), A[:2]),
    "jacobian of vmap": lambda: (mg.jacobian(lambda x: mg.vmap(lambda r: mg.sum(mg.exp(r)))(x)), A),
    "grad of vmap of grad": lambda: (
        mg.grad(lambda x: mg.sum(mg.vmap(mg.grad(lambda r: mg.sum(mg.sin(r) * r**2)))(x) ** 2)), A
    ),
    "vmap of scan": lambda: (mg.vmap(lambda x: mg.scan(lambda c, r: (c * 0.5 + mg.sin(r), c * r), 0.3, x)[1]), A),
    "scan of vmap": lambda: (
        lambda x: mg.scan(lambda c, r: (mg.vmap(lambda a, b: a * b + 1)(c, r), mg.sum(c)), np.ones(4), x)[1], A
    ),
    "vmap of a gradient of scan": lambda: (
        mg.vmap(mg.grad(lambda x: mg.scan(lambda c, r: (c * r + mg.sin(c), None), 0.3, x)[0])), A
    ),
    "vmap of checkpoint": lambda: (mg.vmap(mg.grad(mg.checkpoint(lambda x: mg.sum(mg.sin(x) ** 2)))), A),
    "checkpoint of vmap": lambda: (mg.grad(mg.checkpoint(lambda x: mg.sum(mg.vmap(inner)(x, B)))), A),
    "vmap of jit": lambda: (mg.vmap(mg.jit(inner)), A, B),
    "vmap of vmap of grad": lambda: (mg.vmap(mg.vmap(mg.grad(inner), (0, None)), (None, 0)), A, B),
}  # fmt: skip
EXPECTED = {
    "grad of vmap": lambda: mg.grad(lambda x: sum(inner(x[i], B[i]) ** 2 for i in range(3)))(A),
    "vmap of grad": lambda: looped(mg.grad(inner), A, B),
    "vmap of hessian": lambda: looped(mg.hessian(inner), A, B),
    "vmap of jacobian": lambda: looped(mg.jacobian(lambda x: mg.sin(x) * x[0]), A),
    "vmap of jacfwd": lambda: looped(mg.jacobian(lambda x: mg.sin(x) * x[0]), A),
    "vmap of jvp": lambda: np.cos(A) * B,
    "vmap of hvp": lambda: 6 * A * B,
    "hessian of vmap": lambda: mg.hessian(lambda x: mg.sum(mg.sum(x, axis=1) ** 3))(A[:2]),
    "jacobian of vmap": lambda: np.einsum("ij,ik->ikj", np.exp(A), np.eye(3)),
    "grad of vmap of grad": lambda: mg.grad(
        lambda x: sum(mg.sum(mg.grad(lambda r: mg.sum(mg.sin(r) * r**2))(x[i]) ** 2) for i in range(3))
    )(A),
    "vmap of scan": lambda: looped(lambda x: mg.scan(lambda c, r: (c * 0.5 + mg.sin(r), c * r), 0.3, x)[1], A),
    "scan of vmap": lambda: value(mg.scan(lambda c, r: (c * r + 1, mg.sum(c)), np.ones(4), A)[1]),
    "vmap of a gradient of scan": lambda: looped(
        mg.grad(lambda x: mg.scan(lambda c, r: (c * r + mg.sin(c), None), 0.3, x)[0]), A
    ),
    "vmap of checkpoint": lambda: np.sin(2 * A),
    "checkpoint of vmap": lambda: looped(mg.grad(inner), A, B),
    "vmap of jit": lambda: looped(inner, A, B),
    "vmap of vmap of grad": lambda: np.stack([looped(mg.grad(inner), A, np.stack([b] * 3)) for b in B]),
}


@pytest.mark.parametrize("name", TRANSFORMED)
def test_transforms(name):
    f, *batches = TRANSFORMED[name]()
    expected = EXPECTED[name]()
    np.testing.assert_allclose(value(f(*batches)), value(expected), rtol=1e-12, atol=1e-13)
    compiled = mg.jit(f)
    for _ in range(3):
        np.testing.assert_allclose(value(compiled(*batches)), value(expected), rtol=1e-12, atol=1e-13)


def test_gradients_are_checked_to_the_second_order():
    f = mg.vmap(lambda x, y: mg.sum(mg.softmax(x) * mg.exp(y)))
    assert mg.gradcheck(f, (A, B))
    assert mg.gradgradcheck(f, (A, B))


def test_gradients_stop_where_they_do_for_one_sample():
    f = lambda x: mg.sum(x**2 * x.detach())  # noqa: E731
    np.testing.assert_allclose(mg.grad(lambda x: mg.sum(mg.vmap(f)(x)))(A), 2 * A * A)
    np.testing.assert_allclose(
        mg.hessian(lambda x: mg.sum(mg.vmap(f)(x)))(A[:1, :2]).reshape(2, 2), 2 * np.diag(A[0, :2])
    )


def test_numpy_functions_and_indices():
    f = lambda x: np.sum(np.where(x > 0, np.sqrt(np.abs(x)), x)[::-1][1:])  # noqa: E731
    np.testing.assert_allclose(mg.vmap(f)(A), looped(f, A), rtol=1e-14)
    g = lambda x, i: x[i] + x[0]  # noqa: E731
    np.testing.assert_array_equal(mg.vmap(g)(A, np.array([0, 3, 1])), A[[0, 1, 2], [0, 3, 1]] + A[:, 0])


def test_writing_to_copies_inside():
    def f(x):
        y = x * 1
        y[1] = 0.0
        y += x
        return y

    expected = 2 * A
    expected[:, 1] = A[:, 1]
    np.testing.assert_array_equal(mg.vmap(f)(A), expected)


# Branches and loops


def test_each_sample_takes_its_own_branch():
    f = lambda x: mg.cond(mg.sum(x) > 0, lambda x: x * 2, lambda x: -x, x)  # noqa: E731
    expected = looped(f, A)
    assert len({tuple(row) for row in expected == 2 * A}) == 2
    np.testing.assert_array_equal(mg.vmap(f)(A), expected)
    compiled = mg.jit(mg.vmap(f))
    for _ in range(3):
        np.testing.assert_array_equal(compiled(A), expected)


def test_no_nan_comes_from_the_branch_that_is_not_taken():
    w = np.array([0.5, 2.0])

    def f(x, w):  # where x is 0 the root has an infinite derivative, by x and by the matrix
        return mg.cond(x[0] > 0, lambda x: mg.sum(mg.sqrt(x * w)), lambda x: mg.sum(x) * 0.0, x)

    x = np.array([[4.0, 1.0], [0.0, 0.0], [-1.0, -2.0], [9.0, 3.0]])
    gradient = mg.grad(lambda x, w: mg.sum(mg.vmap(f, (0, None))(x, w)), (0, 1))
    for g in (gradient, mg.jit(gradient)):
        of_x, of_w = g(x, w)
        np.testing.assert_allclose(of_x[[1, 2]], 0)
        np.testing.assert_allclose(of_x[[0, 3]], np.sqrt(w) / (2 * np.sqrt(x[[0, 3]])))
        np.testing.assert_allclose(of_w, np.sqrt(x[[0, 3]]).sum(axis=0) / (2 * np.sqrt(w)))
    each = mg.vmap(mg.grad(f), (0, None))
    for g in (each, mg.jit(each)):
        np.testing.assert_allclose(g(x, w)[[1, 2]], 0)


def test_no_sample_takes_a_branch():
    f = lambda x: mg.cond(x > 0, mg.log, lambda x: x * 3, x)  # noqa: E731
    x = np.array([-1.0, -2.0])
    g = mg.grad(lambda x: mg.sum(mg.vmap(f)(x)))
    np.testing.assert_array_equal(g(x), [3, 3])
    np.testing.assert_array_equal(mg.jit(g)(x), [3, 3])


def test_a_condition_that_is_the_same_for_all():
    f = mg.vmap(lambda x, flag: mg.cond(flag, mg.sin, mg.cos, x), (0, None))
    np.testing.assert_array_equal(f(A, mg.asarray(True)), np.sin(A))
    np.testing.assert_array_equal(f(A, mg.asarray(False)), np.cos(A))


def test_each_sample_ends_its_loop_by_itself():
    f = lambda x: mg.while_loop(lambda c: c[0] < 100, lambda c: (c[0] * c[1], c[1]), (x, 2.0))[0]  # noqa: E731
    x = np.array([3.0, 200.0, 1.0])
    np.testing.assert_array_equal(mg.vmap(f)(x), [192, 200, 128])
    np.testing.assert_array_equal(mg.jit(mg.vmap(f))(x), [192, 200, 128])


def test_a_loop_over_an_empty_batch():
    assert mg.vmap(lambda x: mg.while_loop(lambda c: c < 1, lambda c: c + 1, x))(np.zeros(0)).shape == (0,)


# Random numbers


def test_random_numbers():
    f = lambda x: x + mg.random.randn(2)  # noqa: E731
    with pytest.raises(ProgramError, match='random="different"'):
        mg.vmap(f)(np.zeros((3, 2)))
    mg.manual_seed(0)
    same = mg.vmap(f, random="same")(np.zeros((3, 2)))
    assert (same == same[0]).all()
    mg.manual_seed(0)
    different = mg.vmap(f, random="different")(np.zeros((3, 2)))
    mg.manual_seed(0)
    np.testing.assert_array_equal(different, [value(f(mg.zeros(2))) for _ in range(3)])  # as a loop draws them


def test_dropout_and_other_draws():
    mg.manual_seed(0)
    layer = nn.Dropout(0.5)
    rows = mg.vmap(lambda x: layer(x), random="different")(np.ones((4, 100)))
    assert len({tuple(row) for row in np.asarray(rows)}) == 4
    assert set(np.unique(rows)) == {0.0, 2.0}
    found = mg.vmap(lambda x: F.gumbel_softmax(x), random="different")(np.zeros((4, 3)))
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_a_compiled_function_draws_anew():
    f = mg.jit(mg.vmap(lambda x: x + mg.random.rand(2), random="different"))
    results = [np.asarray(f(np.zeros((2, 2)))) for _ in range(4)]
    assert len({x.tobytes() for x in results}) == 4


# Modules


def test_modules_are_the_same_for_all_samples():
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    found = mg.vmap(net)(A)
    np.testing.assert_allclose(value(found), value(net(mg.asarray(A))), rtol=1e-13)
    mg.sum(found**2).backward()
    own = [p.grad.numpy().copy() for p in net.parameters()]
    net.zero_grad()
    mg.sum(net(mg.asarray(A)) ** 2).backward()
    for p, g in zip(net.parameters(), own, strict=True):
        np.testing.assert_allclose(p.grad.numpy(), g, rtol=1e-12)


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: nn.Sequential(nn.Conv2d(1, 3, 3), nn.MaxPool2d(2), nn.Flatten(0), nn.Linear(12, 2)), (1, 6, 6)),
        (lambda: nn.Sequential(nn.LayerNorm(4), nn.GELU(), nn.Linear(4, 3)), (4,)),
        (lambda: nn.GroupNorm(2, 4), (1, 4, 3)),
        (lambda: nn.BatchNorm1d(4).eval(), (2, 4)),
        (lambda: nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True), (1, 3, 4)),
        (lambda: nn.LSTM(3, 4), (5, 3)),
        (lambda: nn.ConvTranspose2d(2, 3, 2, stride=2), (1, 2, 3, 3)),
    ],
)
def test_gradients_by_sample(make, shape):
    mg.manual_seed(0)
    net = make()
    params = dict(net.named_parameters())
    x = RNG.normal(size=(3, *shape)).astype(np.float32)

    def loss(params, x):
        result = nn.functional_call(net, params, x)
        return mg.sum((result[0] if isinstance(result, tuple) else result) ** 2)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = mg.vmap(mg.grad(loss), (None, 0))(params, x)
    for i in range(3):
        expected = mg.grad(loss)(params, mg.asarray(x[i]))
        for name, g in expected.items():
            scale = np.abs(value(g)).max() + 1e-6
            np.testing.assert_allclose(value(found[name])[i], value(g), rtol=1e-4, atol=1e-5 * scale)


def test_cross_entropy_by_sample_and_its_weights():
    labels = np.array([1, 0, 2])
    logits = RNG.normal(size=(3, 5, 3))
    for options in ({}, {"weight": mg.asarray(np.array([1.0, 2.0, 0.5]))}, {"label_smoothing": 0.1}):
        g = lambda z, y, options=options: F.cross_entropy(z[0], y, **options)  # noqa: E731
        rows = np.stack([labels] * 5, axis=1)
        h = lambda z, y, options=options: F.cross_entropy(z, y, **options)  # noqa: E731
        np.testing.assert_allclose(mg.vmap(g)(logits, labels), looped(g, logits, labels), rtol=1e-12)
        np.testing.assert_allclose(mg.vmap(h)(logits, rows), looped(h, logits, rows), rtol=1e-12)
        gradient = mg.vmap(mg.grad(h))(logits, rows)
        np.testing.assert_allclose(gradient, looped(mg.grad(h), logits, rows), rtol=1e-11, atol=1e-14)
    ignoring = np.array([[1, -100, 0, 2, 1], [-100] * 5, [0, 1, 2, 0, 1]])
    h = lambda z, y: F.cross_entropy(z, y)  # noqa: E731
    np.testing.assert_allclose(mg.vmap(h)(logits, ignoring), looped(h, logits, ignoring), rtol=1e-12)


# Memory, and who looks on


def test_results_share_memory_with_nothing():
    w = mg.tensor(A, requires_grad=True)
    same, part, flags = mg.vmap(lambda r: (r, r[1:], r[:2]))(w)
    before = [value(same).copy(), value(part).copy()]
    with mg.no_grad():
        w[...] = 0.0
    np.testing.assert_array_equal(value(same), before[0])
    np.testing.assert_array_equal(value(part), before[1])
    mg.sum(same * 2).backward()
    np.testing.assert_array_equal(w.grad.numpy(), np.full((3, 4), 2.0))
    assert flags.shape == (3, 2)
    x = A.copy()
    first, second = mg.vmap(lambda r: (r, r))(x)
    first[...] = 7.0
    assert not (second == 7).any()
    assert not (x == 7).any()
    assert mg.vmap(lambda r: r)(x > 0).dtype == bool
    constant = mg.vmap(lambda r: mg.asarray(np.ones(2)))(x)
    value(constant)[0] = 5.0


def test_who_looks_on_sees_the_operations_on_the_batch_once():
    w = mg.tensor(A, requires_grad=True)
    with mg.graph.recording() as nodes:
        mg.vmap(lambda r: mg.sin(r * 2))(w)
    assert [(node.op.name, node.value.shape) for node in nodes] == [("multiply", (3, 4)), ("sin", (3, 4))]
    with mg.detect_anomaly(), pytest.raises(mg.errors.AnomalyError, match="log"):
        mg.vmap(lambda x: mg.log(x))(np.array([1.0, -1.0]))


# What has no rule


def test_a_primitive_of_the_users_own_is_looped_with_a_warning_or_has_a_kind():
    @mg.primitive(lambda g, y, x: g * 2 * x)
    def squares_of_rows(x, /):
        return x * x

    with pytest.warns(UserWarning, match=r"vmap computes squares_of_rows \(at .*test_vmap.py.* 3 times"):
        np.testing.assert_array_equal(mg.vmap(squares_of_rows)(A), A * A)

    @mg.primitive(lambda g, y, x: g * 2 * x, kind="elementwise")
    def squares(x, /):
        return x * x

    np.testing.assert_array_equal(mg.vmap(squares)(A), A * A)
    np.testing.assert_allclose(mg.grad(lambda x: mg.sum(mg.vmap(squares)(x)))(A), 2 * A)


def test_what_a_value_decides_is_computed_for_one_sample_after_another():
    singular, regular = np.ones((2, 2)), np.array([[1.0, 2.0], [0.0, 3.0]])
    slope = mg.grad(mg.linalg.det)
    with pytest.warns(UserWarning, match="depends on a value"):
        found = mg.vmap(mg.grad(lambda x: mg.sum(slope(x) ** 2)))(np.stack([regular, singular]))
    expected = looped(mg.grad(lambda x: mg.sum(slope(x) ** 2)), np.stack([regular, singular]))
    np.testing.assert_allclose(found, expected, atol=1e-12)


# Bad input


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: mg.vmap(3), DTypeError, "vmap"),
        (lambda: mg.vmap(mg.sin, random="maybe"), ArgumentError, "random"),
        (lambda: mg.vmap(mg.sin, chunk_size=0), ArgumentError, "chunk_size"),
        (lambda: mg.vmap(mg.add)(A, B[:2]), ShapeError, "argument 0 has 3 along axis 0, argument 1 has 2 along axis 0"),
        (lambda: mg.vmap(mg.sin, 2)(A), AxisError, r"axis 2 of argument 0, which has shape \(3, 4\)"),
        (lambda: mg.vmap(mg.sin, 0, 2)(A), AxisError, "out_axes names axis 2 of result 0"),
        (lambda: mg.vmap(mg.sin, (0, 0))(A), ArgumentError, "in_axes is .* 1 arguments"),
        (lambda: mg.vmap(mg.add, (0, 1.5))(A, B), DTypeError, "in_axes of argument 1 is 1.5"),
        (lambda: mg.vmap(lambda t: t["a"], ({"b": 0},))({"a": A}), ArgumentError, "has not the form"),
        (lambda: mg.vmap(mg.add)(A, 2.0), DTypeError, "argument 1 is a float .* in_axes with None"),
        (lambda: mg.vmap(lambda t: t["a"] + t["b"])({"a": A, "b": 1}), DTypeError, r"argument 0\['b'\] is an int"),
        (lambda: mg.vmap(mg.sin, None)(A), ArgumentError, "no array among the arguments to map over"),
        (lambda: mg.vmap(lambda x: x, 0, None)(A), ArgumentError, "out_axes is None for result 0"),
        (lambda: mg.vmap(lambda x: x if x[0] > 0 else -x)(A), ProgramError, r"inside of vmap\(<lambda>\).*where"),
        (lambda: mg.vmap(lambda x: x * float(x[0]))(A), ProgramError, "all samples at once"),
        (lambda: mg.vmap(lambda x: x[x > 0])(A), ProgramError, "number of elements"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_effects_are_refused_and_change_nothing():
    norm = nn.BatchNorm1d(4)
    before = {name: x.numpy().copy() for name, x in norm.named_buffers()}
    with pytest.raises(ProgramError, match=r"BatchNorm in training .* track_running_stats=False"):
        mg.vmap(norm)(RNG.normal(size=(3, 5, 4)))
    for name, x in norm.named_buffers():
        np.testing.assert_array_equal(x.numpy(), before[name])
    w = mg.tensor(np.ones(4), requires_grad=True)

    def step(x):
        loss = mg.sum(w * x)
        loss.backward()
        return loss

    with pytest.raises(ProgramError, match=r"mg\.grad\(f\) instead of backward"):
        mg.vmap(step)(A)
    assert w.grad is None
    counter = mg.tensor(0.0)

    def count(x):
        counter.data[...] += 1
        return x

    with pytest.raises(ProgramError):
        mg.vmap(count)(A)
    assert counter.item() == 0


def test_a_hook_inside_is_refused():
    def f(x):
        y = x * 2
        if y.requires_grad:
            y.register_hook(lambda g: g)
        return mg.sum(y)

    with pytest.raises(ProgramError, match="registers a hook"):
        mg.grad(lambda x: mg.sum(mg.vmap(f)(x)))(A)


def test_an_error_leaves_the_generator_as_it_was():
    mg.manual_seed(0)
    state = mg.random.get_state()

    def f(x):
        mg.random.rand(3)
        raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        mg.vmap(f, random="same")(A)
    assert mg.random.get_state() == state


def test_numpy_does_not_warn_but_raises_if_it_shall():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isneginf(mg.vmap(lambda x: mg.log(x))(np.zeros(3))).all()
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        mg.vmap(lambda x: mg.log(x))(np.zeros(3))


# Ensembles


def nets(count):
    mg.manual_seed(0)
    return [nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2)) for _ in range(count)]


def test_stacked_modules_compute_what_each_does():
    members = nets(3)
    ensemble = mg.stack_modules(members)
    x = mg.asarray(RNG.normal(size=(6, 4)))
    expected = np.stack([value(net(x)) for net in members])
    np.testing.assert_allclose(value(ensemble(x)), expected, rtol=1e-12)
    own = mg.asarray(RNG.normal(size=(3, 6, 4)))
    expected = np.stack([value(net(own[i])) for i, net in enumerate(members)])
    np.testing.assert_allclose(value(ensemble(own, in_axes=0)), expected, rtol=1e-12)
    assert [p.shape for p in ensemble.parameters()] == [(3, 5, 4), (3, 5), (3, 2, 5), (3, 2)]


def test_stacked_recurrent_layers():
    members = [nn.LSTM(3, 4) for _ in range(3)]
    ensemble, x = mg.stack_modules(members), mg.asarray(RNG.normal(size=(5, 2, 3)))
    output, (h, _) = ensemble(x)
    np.testing.assert_allclose(value(output), np.stack([value(net(x)[0]) for net in members]), rtol=1e-12)
    mg.sum(h**2).backward()
    assert all(p.grad is not None for p in ensemble.parameters())


def test_stacked_modules_are_trained_as_each_would_be():
    members = nets(3)
    ensemble = mg.stack_modules(members)
    x, y = mg.asarray(RNG.normal(size=(8, 4))), RNG.integers(0, 2, 8)
    optimizer = mg.optim.Adam(ensemble.parameters(), lr=0.01)
    loss = mg.vmap(lambda net, x, y: F.cross_entropy(net(x), y), (0, None, None))
    for _ in range(5):
        optimizer.zero_grad()
        mg.sum(loss(ensemble, x, y)).backward()
        optimizer.step()
    for i, net in enumerate(members):
        own = mg.optim.Adam(net.parameters(), lr=0.01)
        for _ in range(5):
            own.zero_grad()
            F.cross_entropy(net(x), y).backward()
            own.step()
        for p, q in zip(net.parameters(), ensemble.parameters(), strict=True):
            np.testing.assert_allclose(value(q)[i], value(p), rtol=1e-10, atol=1e-12)


def test_stacked_modules_keep_ties_buffers_frozen_parameters_and_states():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(3, 3), nn.Linear(3, 3)
            self.second.weight = self.first.weight
            self.first.bias.requires_grad_(False)
            self.register_buffer("scale", mg.ones(3))

        def forward(self, x):
            return self.second(self.first(x)) * self.scale

    members = [Tied(), Tied()]
    ensemble = mg.stack_modules(members)
    assert ensemble.members.first.weight is ensemble.members.second.weight
    assert not ensemble.members.first.bias.requires_grad
    x = mg.ones(3)
    np.testing.assert_allclose(value(ensemble(x)), [value(net(x)) for net in members], rtol=1e-6)
    again = mg.stack_modules([Tied(), Tied()])
    again.load_state_dict(ensemble.state_dict())
    np.testing.assert_array_equal(value(again(x)), value(ensemble(x)))
    members[0].first.weight.data[...] = 0  # they were copied
    assert np.asarray(ensemble.members.first.weight.detach()).any()


@pytest.mark.parametrize(
    ("modules", "message"),
    [
        (list, "no module"),
        (lambda: [nn.Linear(2, 3), nn.Linear(2, 4)], "module 1"),
        (lambda: [nn.Linear(2, 3), nn.ReLU()], "module 1 is"),
        (lambda: [nn.Linear(2, 3), nn.Linear(2, 3, bias=False)], "module 1"),
    ],
)
def test_modules_that_cannot_be_stacked(modules, message):
    with pytest.raises(ArgumentError, match=re.compile(message)):
        mg.stack_modules(modules())


# Random numbers that are the same, in parts of a batch and sample by sample


def test_the_same_random_numbers_in_all_parts_of_a_batch():
    x = np.zeros(5)
    for chunk_size in (None, 1, 2, 5):
        mg.manual_seed(0)
        drawn = mg.vmap(lambda v: v + mg.random.randn(), random="same", chunk_size=chunk_size)(x)
        assert len(set(drawn.tolist())) == 1
        mg.manual_seed(0)
        assert drawn[0] == mg.random.randn().item()


def test_random_numbers_where_samples_are_computed_one_by_one():
    h = mg.grad(lambda q: mg.sum(mg.grad(mg.linalg.det)(q) ** 2))
    matrices = np.stack([np.array([[1.0, 2.0], [0.0, 3.0]]), np.ones((2, 2))])
    mg.manual_seed(0)
    first, second = mg.random.randn().item(), mg.random.randn().item()
    for how, expected in (("same", [first, first]), ("different", [first, second])):
        mg.manual_seed(0)
        with pytest.warns(UserWarning, match="one sample after another"):
            drawn = mg.vmap(lambda q: mg.sum(h(q)) * 0 + mg.random.randn(), random=how)(matrices)
        assert np.asarray(drawn).tolist() == expected


def test_plain_numbers_among_the_results_leave_arrays_arrays():
    x = np.ones((3, 2))
    assert type(mg.vmap(lambda v: 7)(x)) is np.ndarray
    assert [type(y) for y in mg.vmap(lambda v: (mg.sin(v), 7))(x)] == [np.ndarray] * 2
    w = mg.tensor(2.0)
    assert isinstance(mg.vmap(lambda v: v * w)(x), mg.Tensor)


def test_a_branch_of_an_empty_batch():
    f = mg.vmap(lambda k: mg.cond(k > 0, lambda: k * 2, lambda: k - 1))
    for g in (f, mg.jit(f)):
        assert np.asarray(g(np.zeros(0, int))).shape == (0,)


def test_the_message_of_an_axis_has_the_shape_of_the_result():
    with pytest.raises(mg.errors.AxisError, match=r"axis -3 of result 0, which has shape \(5, 3\)"):
        mg.vmap(lambda v: v, out_axes=-3)(np.ones((5, 3)))
    with pytest.raises(mg.errors.AxisError, match=r"axis 3 of result 0, which has shape \(5, 2\)"):
        mg.vmap(lambda v: mg.ones(2), out_axes=3)(np.ones((5, 3)))


def test_modules_that_are_trained_otherwise_are_not_stacked():
    frozen, other = nn.Linear(2, 2), nn.Linear(2, 2)
    frozen.weight.requires_grad_(False)
    with pytest.raises(
        ArgumentError, match=r"module 1 has weight of the form .*requires grad.*and module 0 .*constant"
    ):
        mg.stack_modules([frozen, other])
    with pytest.raises(ArgumentError, match="module 1 is in training mode where module 0 is not"):
        mg.stack_modules([nn.Linear(2, 2).eval(), other])


def test_members_with_dropout_drop_on_their_own():
    mg.manual_seed(0)
    ensemble = mg.stack_modules([nn.Sequential(nn.Linear(1000, 1000), nn.Dropout(0.5)) for _ in range(2)])
    one, two = ensemble(mg.ones(1000)).tolist()
    assert 300 < sum((a == 0) != (b == 0) for a, b in zip(one, two, strict=True)) < 700
