"""Windows: what the table of operations cannot say about them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad import errors
from minigrad.ops import windows
from tests import op_table_nn
from tests.rows import each

RNG = np.random.default_rng(0)
INF, NAN = np.inf, np.nan


def how(axes, stride=1, padding=0, dilation=1, **more):
    return {
        "stride": (stride,) * axes,
        "padding": ((padding, padding),) * axes,
        "dilation": (dilation,) * axes,
        **more,
    }


def pooled(x, kernel, **options):
    """Values, indices and gradient of the maxima of a sequence."""
    options = {"kernel": (kernel,), **how(1, **options)}
    leaf = mg.tensor(np.asarray(x)[None, None], requires_grad=True)
    y = windows.max_pool(leaf, **options)
    y.sum().backward()
    return y.detach().numpy()[0, 0], windows.which_largest(leaf.data, **options)[0, 0], leaf.grad.numpy()[0, 0]


# Convolution


@pytest.mark.parametrize("stride", [1, 2])
def test_images_are_taken_in_parts_of_any_size(stride, monkeypatch):
    x, w, options = RNG.normal(size=(7, 2, 6, 5)), RNG.normal(size=(4, 1, 3, 2)), how(2, stride, 1, groups=2)
    y = windows.convolve(x, w, **options)
    results = []
    for size in (1, 2000, 1 << 30):
        monkeypatch.setattr(windows, "_CACHE_BYTES", size)
        results.append((
            windows.convolve(x, w, **options),
            windows.convolve_transposed(y, w, lengths=(6, 5), **options),
            windows.convolve_weight(x, y, kernel=(3, 2), **options),
        ))  # fmt: skip
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("stride", [1, 2])
def test_each_operand_keeps_its_dtype(stride):
    x = mg.tensor(RNG.normal(size=(1, 1, 4, 4)), dtype=np.float32, requires_grad=True)
    w = mg.tensor(RNG.normal(size=(1, 1, 2, 2)), requires_grad=True)
    y = windows.convolve(x, w, **how(2, stride, groups=1))
    y.sum().backward()
    assert (y.dtype, x.grad.dtype, w.grad.dtype) == (np.float64, np.float32, np.float64)


@pytest.mark.parametrize("dtype", [np.float16, np.int32, np.bool_])
def test_other_dtypes_are_convolved(dtype):
    x = np.array([[[0, 0, 1, 1, 0]]], dtype)
    y = windows.convolve(x, np.ones((1, 1, 2), dtype), **how(1, groups=1))
    np.testing.assert_array_equal(y, np.array([[[0, 1, 2, 1]]]).astype(dtype), strict=True)


@pytest.mark.parametrize("stride", [1, 2])
def test_what_is_not_finite_stays_in_its_windows(stride):
    x = np.ones((1, 1, 4, 5))
    x[0, 0, 1, 4] = INF  # at the end of a row, where windows of the quick way are cut
    y = windows.convolve(x, np.ones((1, 1, 2, 2)), **how(2, stride, groups=1))
    within = np.zeros((3, 4), bool)
    within[0:2, 3] = True
    np.testing.assert_array_equal(np.isinf(y[0, 0]), within[::stride, ::stride])
    assert not np.isnan(y).any()


def test_results_do_not_share_memory_with_operands():
    x, w = np.ones((1, 1, 1, 1)), np.ones((1, 1, 1, 1))
    for y in (
        windows.convolve(x, w, **how(2, groups=1)),
        windows.unfold(x, kernel=(1, 1), **how(2)),
        windows.max_pool(x, kernel=(1, 1), **how(2)),
        windows.fold(np.ones((1, 1, 1, 1, 1, 1)), lengths=(1, 1), **how(2)),
    ):
        assert not np.shares_memory(x, y)
        y[...] = 7.0
        assert x.item() == 1.0


@each(("lengths", "kernel", "options"), [
    ((3,), (4,), how(1)), ((3, 3), (2, 4), how(2)), ((3,), (2,), how(1, dilation=3)), ((0,), (1,), how(1)),
    ((5,), (0,), how(1)), ((2,), (5,), how(1, padding=1)),
])  # fmt: skip
def test_windows_that_do_not_fit(lengths, kernel, options):
    x, w = np.ones((1, 1, *lengths)), np.ones((1, 1, *kernel))
    for call in (
        lambda: windows.convolve(x, w, **options, groups=1),
        lambda: windows.unfold(x, kernel=kernel, **options),
        lambda: windows.max_pool(x, kernel=kernel, **options),
    ):
        with pytest.raises(errors.ShapeError, match="do not fit into axes of lengths"):
            call()


def test_a_window_as_large_as_the_array_and_its_padding():
    x = np.arange(9.0).reshape(1, 1, 3, 3)
    assert windows.convolve(x, np.ones((1, 1, 3, 3)), **how(2, groups=1)).tolist() == [[[[36.0]]]]
    assert windows.convolve(x, np.ones((1, 1, 5, 5)), **how(2, padding=1, groups=1)).tolist() == [[[[36.0]]]]
    assert windows.convolve(x, np.ones((1, 1, 2, 2)), **how(2, dilation=2, groups=1)).tolist() == [[[[16.0]]]]


def test_numbers_for_the_wrong_windows():
    with pytest.raises(errors.ShapeError, match=r"there are \(4,\) windows .* and numbers for \(3,\)"):
        windows.convolve_transposed(np.ones((1, 1, 3)), np.ones((1, 1, 2)), lengths=(5,), **how(1, groups=1))


# The largest element


@each(("x", "options", "value", "index", "gradient"), [
    ([1, NAN, 3, 2], {"stride": 2}, [NAN, 3], [1, 2], [0, 1, 1, 0]),
    ([NAN, NAN, 3, 2], {"stride": 2}, [NAN, 3], [0, 2], [1, 0, 1, 0]),
    ([1, 2, NAN, 0], {}, [2, NAN, NAN], [1, 2, 2], [0, 1, 2, 0]),
    ([-INF, -INF, 1, -INF], {"stride": 2}, [-INF, 1], [0, 2], [1, 0, 1, 0]),
    ([-INF, 1, 2, -INF], {"stride": 2, "padding": 1}, [-INF, 2, -INF], [0, 2, 3], [1, 0, 1, 1]),
    ([-INF, NAN], {"stride": 2, "padding": 1}, [-INF, NAN], [0, 1], [1, 1]),
    ([INF, INF, -INF, INF], {"stride": 2}, [INF, INF], [0, 3], [1, 0, 0, 1]),
    ([0.0, -0.0, -1, -1], {"stride": 2}, [0, -1], [0, 2], [1, 0, 1, 0]),
    ([2, 2, 2, 2], {}, [2, 2, 2], [0, 1, 2], [1, 1, 1, 0]),
    ([1, 5, 2, 5], {"dilation": 2}, [2, 5], [2, 1], [0, 1, 1, 0]),
])  # fmt: skip
def test_of_equal_elements_the_first_is_taken_and_nan_is_the_largest(x, options, value, index, gradient):
    found = pooled(np.array(x, float), 2, **options)
    for a, b in zip(found, (value, index, gradient), strict=True):
        np.testing.assert_array_equal(a, b)


def test_second_derivatives_go_to_the_same_places():
    x = mg.tensor([[[1.0, NAN, -INF, -INF]]], requires_grad=True)
    y = windows.max_pool(x, kernel=(2,), **how(1, stride=2))
    weights = mg.tensor([[[3.0, 5.0]]], requires_grad=True)
    (g,) = mg.autograd.grad((y * weights).sum(), x, create_graph=True)
    assert g.tolist() == [[[0.0, 3.0, 5.0, 0.0]]]
    (back,) = mg.autograd.grad((g * mg.tensor([[[1.0, 2.0, 3.0, 4.0]]])).sum(), weights)
    assert back.tolist() == [[[2.0, 3.0]]]


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, np.float16])
def test_padding_is_never_the_largest(dtype):
    least = np.iinfo(dtype).min if np.dtype(dtype).kind in "iu" else -INF
    x = np.array([[[least, least, 3]]], dtype)
    options = {"kernel": (2,), **how(1, stride=2, padding=1)}
    y = windows.max_pool(x, **options)
    assert y.dtype == dtype
    assert y.tolist() == [[[least, 3]]]
    assert windows.which_largest(x, **options).tolist() == [[[0, 2]]]


def test_bools_have_no_largest():
    with pytest.raises(errors.MinigradError, match="max_pool of shape"):
        windows.max_pool(np.array([[[True, False]]]), kernel=(2,), **how(1))


# Any geometry


@st.composite
def geometries(draw):
    """Lengths, a kernel, and how it is moved, with at least one window."""
    axes = draw(st.integers(1, 3))

    def each(low, high):
        return tuple(draw(st.integers(low, high)) for _ in range(axes))

    kernel, dilation, stride = each(1, 3), each(1, 3), each(1, 3)
    padding = tuple(zip(each(0, 2), each(0, 2), strict=True))
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    lengths = tuple(
        max(n, span - sum(pair)) for n, span, pair in zip(each(1, 4), spans, padding, strict=True)
    )  # fmt: skip
    return lengths, kernel, {"stride": stride, "padding": padding, "dilation": dilation}


@settings(max_examples=80, deadline=None)
@given(geometries(), st.integers(0, 2), st.integers(1, 2), st.integers(1, 2), st.integers(1, 2), st.integers(0, 99))
def test_the_three_forms_of_convolution_are_one(geometry, count, groups, filters, channels, seed):
    lengths, kernel, options = geometry
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, groups * channels, *lengths))
    w = rng.normal(size=(groups * filters, channels, *kernel))
    y = windows.convolve(x, w, **options, groups=groups)
    np.testing.assert_allclose(y, op_table_nn.convolved(x, w, **options, groups=groups), rtol=1e-12, atol=1e-12)
    g = rng.normal(size=y.shape)
    total = np.sum(g * y)
    back = windows.convolve_transposed(g, w, lengths=lengths, **options, groups=groups)
    assert np.sum(back * x) == pytest.approx(total, rel=1e-9, abs=1e-9)
    back = windows.convolve_weight(x, g, kernel=kernel, **options, groups=groups)
    assert np.sum(back * w) == pytest.approx(total, rel=1e-9, abs=1e-9)


@settings(max_examples=80, deadline=None)
@given(geometries(), st.integers(0, 2), st.integers(1, 2), st.integers(0, 99))
def test_windows_and_their_maxima_are_what_loops_find(geometry, count, channels, seed):
    lengths, kernel, options = geometry
    rng = np.random.default_rng(seed)
    x = rng.integers(-2, 3, size=(count, channels, *lengths)).astype(float)  # with equal elements
    y = windows.unfold(x, kernel=kernel, **options)
    np.testing.assert_array_equal(y, op_table_nn.unfolded(x, kernel, **options))
    g = rng.normal(size=y.shape)
    np.testing.assert_allclose(
        windows.fold(g, lengths=lengths, **options), op_table_nn.folded(g, lengths, **options), rtol=1e-12, atol=1e-12
    )
    top = windows.max_pool(x, kernel=kernel, **options)
    if np.isfinite(top).all():  # no window lies in the padding alone
        np.testing.assert_array_equal(top, op_table_nn.max_pooled(x, kernel=kernel, **options))
        h = rng.normal(size=top.shape)
        found = windows.to_largest(h, x, top, kernel=kernel, **options)
        np.testing.assert_allclose(
            found, op_table_nn.given_to_largest(h, x, top, kernel=kernel, **options), rtol=1e-12, atol=1e-12
        )
        found = windows.which_largest(x, kernel=kernel, **options)
        np.testing.assert_array_equal(found, op_table_nn.numbers_of_largest(x, kernel=kernel, **options))
