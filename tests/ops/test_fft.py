"""Fourier transforms: their transposes in full, what convolution makes of them, precision, and misuse."""

import inspect
import subprocess
import sys

import numpy as np
import pytest

import minigrad as mg
from minigrad import core, errors, fft
from tests.op_table import A
from tests.rows import each

NORMS = ["backward", "ortho", "forward"]
RNG = np.random.default_rng(0)


def gradient(function, x, weights):
    """The gradient of the real part of a weighted sum of the results."""
    leaf = mg.tensor(x, requires_grad=True)
    mg.real(mg.sum(function(leaf) * weights)).backward()
    return leaf.grad.numpy()


def matrix(function, lines, dtype=float):
    """The matrix of a linear map, column by column."""
    return np.stack([function(column) for column in np.eye(lines, dtype=dtype)], axis=1)


# Derivatives: the conjugate of the gradient is the transposed matrix times the weights


@each("norm", NORMS)
@each("n", [1, 2, 3, 4, 5, 8])
@each("length", [1, 4, 5])
@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "ihfft"])
def test_transforms_of_real_numbers_have_the_transposed_matrix(name, length, n, norm):
    M = matrix(lambda x: getattr(np.fft, name)(x, n, norm=norm), length)
    w = RNG.normal(size=len(M)) + 1j * RNG.normal(size=len(M))
    g = gradient(lambda x: getattr(fft, name)(x, n=n, norm=norm), RNG.normal(size=length), w)
    assert g.dtype == np.float64
    np.testing.assert_allclose(g, np.real(M.T @ w), atol=1e-14)


@each("norm", NORMS)
@each("n", [1, 2, 3, 4, 5, 8])
@each("length", [1, 3, 4])
@pytest.mark.parametrize("name", ["fft", "ifft", "irfft", "hfft"])
def test_transforms_of_complex_numbers_have_the_transposed_matrix(name, length, n, norm):
    function = getattr(np.fft, name)
    re = matrix(lambda x: function(x, n, norm=norm), length)
    im = matrix(lambda x: function(1j * x, n, norm=norm), length)  # irfft and hfft are linear in real factors only
    x = RNG.normal(size=length) + 1j * RNG.normal(size=length)
    w = RNG.normal(size=len(re)) + 1j * RNG.normal(size=len(re))
    w = w if np.iscomplexobj(re) else w.real
    g = gradient(lambda x: getattr(fft, name)(x, n=n, norm=norm), x, w)
    np.testing.assert_allclose(g, np.real(re.T @ w) + 1j * np.real(im.T @ w), atol=1e-14)


@pytest.mark.parametrize("n", [4, 5])
def test_frequencies_in_the_middle_of_half_a_spectrum_count_twice(n):
    half = mg.tensor(np.fft.rfft(RNG.normal(size=n)), requires_grad=True)
    fft.irfft(half, n=n)[0].backward()
    np.testing.assert_allclose(half.grad.numpy(), np.array([1, 2, 1 if n == 4 else 2]) / n, atol=1e-15)


@pytest.mark.parametrize("n", [4, 5])
def test_imaginary_parts_that_do_not_count_have_no_gradient(n):
    half = mg.tensor(RNG.normal(size=3) + 1j * RNG.normal(size=3), requires_grad=True)
    (fft.irfft(half, n=n) ** 2).sum().backward()
    counts = half.grad.numpy().imag != 0
    assert counts.tolist() == [False, True, n == 5]


def test_what_is_cut_off_has_gradient_zero():
    x = mg.tensor([1.0, 2.0, 3.0, 4.0, 5.0], requires_grad=True)
    (mg.abs(fft.fft(x, n=3)) ** 2).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [6, 12, 18, 0, 0])


def test_parseval():
    x = mg.tensor(RNG.normal(size=(2, 6)), requires_grad=True)
    (mg.abs(fft.fft(x)) ** 2).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * 6 * x.detach().numpy())


def test_the_gradient_of_a_fit_is_the_conjugate_transpose_of_the_error():
    z, target = (RNG.normal(size=4) + 1j * RNG.normal(size=4) for _ in range(2))
    leaf = mg.tensor(z, requires_grad=True)
    (mg.abs(fft.fft(leaf) - target) ** 2).sum().backward()
    F = np.fft.fft(np.eye(4))
    np.testing.assert_allclose(leaf.grad.numpy(), 2 * F.conj().T @ (F @ z - target))


@pytest.mark.parametrize("n", [7, 8])
def test_there_and_back_is_the_identity_to_the_second_order(n):
    def cubes(x):
        return mg.sum(fft.irfft(fft.rfft(x), n=n) ** 3)

    x = RNG.normal(size=n)
    np.testing.assert_allclose(mg.grad(cubes)(x), 3 * x**2, rtol=1e-12)
    np.testing.assert_allclose(mg.hessian(cubes)(x), np.diag(6 * x), atol=1e-12)


def test_convolution_by_transforms_has_the_derivatives_of_convolution():
    x, kernel, w = RNG.normal(size=6), RNG.normal(size=3), RNG.normal(size=8)

    def loss(x, kernel):
        product = np.fft.rfft(x, n=8) * np.fft.rfft(kernel, n=8)
        return mg.sum(np.fft.irfft(product, n=8) * w)

    left, right = mg.grad(loss, (0, 1))(x, kernel)
    np.testing.assert_allclose(left, np.correlate(w, kernel, "valid"), atol=1e-14)
    np.testing.assert_allclose(right, np.correlate(w, x, "valid"), atol=1e-14)


def test_a_filter_in_the_order_of_frequencies():
    image = mg.tensor(RNG.normal(size=(4, 5)), requires_grad=True)
    spectrum = np.fft.fftshift(np.fft.fft2(image))
    window = np.exp(-(np.arange(-2, 2)[:, None] ** 2) - np.arange(-2, 3) ** 2)
    smooth = np.real(np.fft.ifft2(np.fft.ifftshift(spectrum * window)))
    (smooth**2).sum().backward()
    H = np.fft.ifftshift(window)
    twice = np.fft.ifft2(np.fft.fft2(np.fft.ifft2(np.fft.fft2(image.detach().numpy()) * H)) * H).real
    np.testing.assert_allclose(image.grad.numpy(), 2 * twice, atol=1e-14)


# Dtypes

REAL = ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft", "fft2", "ifft2", "rfft2", "irfft2", "fftn", "rfftn", "irfftn"]


@pytest.mark.parametrize("name", REAL)
@each("dtype", [np.float32, np.float64])
def test_precision_stays_through_both_orders(name, dtype):
    x = mg.tensor(RNG.normal(size=(4, 4)).astype(dtype), requires_grad=True)
    y = getattr(fft, name)(x)
    kind = np.dtype(dtype) if name in ("irfft", "hfft", "irfft2", "irfftn") else np.result_type(dtype, np.complex64)
    assert y.dtype == kind
    (g,) = mg.autograd.grad((mg.abs(y) ** 3).sum(), x, create_graph=True)
    (h,) = mg.autograd.grad(g.sum(), x)
    assert g.dtype == h.dtype == dtype
    assert {node.value.dtype for node in core.collect([g.node])} <= {
        np.dtype(dtype),
        np.result_type(dtype, np.complex64),
    }


@pytest.mark.parametrize("name", ["fft", "ifft", "irfft", "hfft", "fftn", "irfftn"])
def test_single_complex_numbers_have_single_gradients(name):
    x = mg.tensor((RNG.normal(size=(3, 4)) + 1j * RNG.normal(size=(3, 4))).astype(np.complex64), requires_grad=True)
    y = getattr(fft, name)(x)
    assert y.dtype == (np.complex64 if name in ("fft", "ifft", "fftn") else np.float32)
    (mg.abs(y) ** 2).sum().backward()
    assert x.grad.dtype == np.complex64


@pytest.mark.parametrize("dtype", [np.int64, np.bool_, np.int8])
def test_integers_have_numpys_transform_and_no_graph(dtype):
    x = np.array([1, 0, 1], dtype)
    for name in ("fft", "rfft", "ihfft", "fftn", "fftshift"):
        y = getattr(fft, name)(mg.tensor(x))
        assert not y.requires_grad
        np.testing.assert_array_equal(y.numpy(), getattr(np.fft, name)(x), strict=True)


def test_lists_are_arrays():
    np.testing.assert_array_equal(fft.fft([1.0, 2.0], n=3), np.fft.fft([1.0, 2.0], n=3))
    np.testing.assert_array_equal(fft.irfftn([[1.0, 2.0]], axes=(1,)), np.fft.irfftn([[1.0, 2.0]], axes=(1,)))


def test_a_result_never_shares_memory_with_a_leaf():
    x = mg.tensor([[1.0, 2.0]], requires_grad=True)
    for y in (fft.fftn(x, axes=()), fft.fftshift(x, axes=()), fft.fftn(mg.tensor(1.0, requires_grad=True), axes=None)):
        assert not np.shares_memory(y.detach().numpy(), x.data)


# Names


def test_the_module_is_not_shadowed_by_its_function():
    assert inspect.ismodule(mg.fft)
    assert mg.fft is fft
    assert inspect.isfunction(mg.fft.fft)


ONE_AXIS = {"n": None, "axis": -1, "norm": "backward"}
SEVERAL_AXES = {"s": None, "axes": None, "norm": "backward"}
STANDARD = {
    "fft": ONE_AXIS, "ifft": ONE_AXIS, "rfft": ONE_AXIS, "irfft": ONE_AXIS, "hfft": ONE_AXIS, "ihfft": ONE_AXIS,
    "fftn": SEVERAL_AXES, "ifftn": SEVERAL_AXES, "rfftn": SEVERAL_AXES, "irfftn": SEVERAL_AXES,
    "fftfreq": {"d": 1.0, "dtype": None, "device": None}, "rfftfreq": {"d": 1.0, "dtype": None, "device": None},
    "fftshift": {"axes": None}, "ifftshift": {"axes": None},
}  # fmt: skip


@each("name", STANDARD)
def test_signatures_are_the_standards(name):
    first, *others = inspect.signature(getattr(fft, name)).parameters.values()
    assert first.kind is first.POSITIONAL_ONLY
    assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in others)
    assert {parameter.name: parameter.default for parameter in others} == STANDARD[name]


@pytest.mark.parametrize("name", ["fft2", "ifft2", "rfft2", "irfft2"])
def test_other_signatures_are_numpys(name):
    ours, theirs = (inspect.signature(getattr(module, name)).parameters for module in (fft, np.fft))
    assert list(ours) == [parameter for parameter in theirs if parameter != "out"]
    assert ours["axes"].default == theirs["axes"].default == (-2, -1)


def test_the_namespace_is_complete():
    assert set(np.fft.__all__) <= set(fft.__all__)
    assert set(STANDARD) <= set(fft.__all__)


def test_numpys_arguments_by_position_and_its_default_norm():
    x = RNG.normal(size=(3, 4))
    t = mg.tensor(x, requires_grad=True)
    for call in (
        lambda x: np.fft.fft(x, 6, 0, "ortho"), lambda x: np.fft.irfft(x, 5, 0), lambda x: np.fft.fft(x, norm=None),
        lambda x: np.fft.fftn(x, (2, 2), (0, 1), "forward"), lambda x: np.fft.fftshift(x, 1),
        lambda x: np.fft.rfft(a=x), lambda x: np.fft.rfft2(x, (3, 3)),
    ):  # fmt: skip
        y = call(t)
        assert y.requires_grad
        np.testing.assert_allclose(y.detach().numpy(), call(x), atol=1e-15)


def test_numpys_transforms_are_not_loaded_with_minigrad():
    code = (
        "import sys, numpy; before = set(sys.modules); import minigrad\n"
        "assert not any(name.startswith('numpy.fft') for name in set(sys.modules) - before)\n"
        "import numpy as np\n"
        "x = minigrad.tensor([1.0, 2.0], requires_grad=True)\n"
        "assert np.fft.fft(x).requires_grad and minigrad.fft.rfft(x).requires_grad"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# Frequencies


@pytest.mark.parametrize("n", [1, 2, 5, 8])
@pytest.mark.parametrize("name", ["fftfreq", "rfftfreq"])
def test_frequencies(name, n):
    ours, theirs = getattr(fft, name), getattr(np.fft, name)
    f = ours(n, d=0.25)
    assert type(f) is mg.Tensor
    assert not f.requires_grad
    np.testing.assert_array_equal(f.numpy(), theirs(n, 0.25), strict=True)
    single = ours(n, dtype=np.float32, device="cpu")
    np.testing.assert_array_equal(single.numpy(), theirs(n).astype(np.float32), strict=True)


def test_frequencies_have_the_default_dtype():
    mg.set_default_dtype(np.float32)
    try:
        assert fft.fftfreq(4).dtype == fft.rfftfreq(4).dtype == np.float32
        assert fft.fftfreq(4, dtype=np.float64).dtype == np.float64
    finally:
        mg.set_default_dtype(np.float64)


def test_the_order_of_frequencies_is_put_back():
    for shape, axes in [((4,), None), ((5,), None), ((4, 5), 1), ((3, 4, 5), (0, 2))]:
        x = RNG.normal(size=shape)
        np.testing.assert_array_equal(fft.ifftshift(fft.fftshift(x, axes=axes), axes=axes), x)
    np.testing.assert_array_equal(fft.fftshift(fft.fftfreq(5)).numpy(), np.array([-2, -1, 0, 1, 2]) / 5)


# Misuse: what, why, and what to write instead

X = A([1, 2, 3], [4, 5, 6])
MISTAKES = {
    "no such axis": (lambda x: fft.fft(x, axis=2), errors.AxisError, r"fft: axis 2 is out of bounds"),
    "no axis at all": (lambda x: fft.rfft(x[0, 0]), errors.AxisError, r"rfft: axis -1"),
    "an axis twice": (lambda x: fft.fftn(x, axes=(0, -2)), errors.AxisError, r"fftn: axes \(0, -2\).*repeated"),
    "an axis twice, shifted": (lambda x: fft.fftshift(x, axes=(1, 1)), errors.AxisError, r"fftshift.*repeated"),
    "length 0": (lambda x: fft.ifft(x, n=0), errors.ArgumentError, r"ifft of shape \(2, 3\).* at least one number.* 0"),
    "length -1": (lambda x: fft.fft(x, n=-1), errors.ArgumentError, r"fft .*here it has -1"),
    "nothing": (lambda x: fft.fft(x[:, :0]), errors.ArgumentError, r"fft of shape \(2, 0\)"),
    "half of nothing": (lambda x: fft.irfft(x[:, :1]), errors.ArgumentError, r"irfft of shape \(2, 1\)"),
    "half a length": (lambda x: fft.fft(x, n=2.5), errors.DTypeError, r"fft: .* an integer, not 2.5"),
    "another norm": (lambda x: fft.rfft(x, norm="unitary"), errors.ArgumentError, r"rfft: norm is .* not 'unitary'"),
    "a list for a norm": (lambda x: fft.hfft(x, norm=[]), errors.ArgumentError, r"hfft: norm"),
    "s without axes": (lambda x: fft.fftn(x, s=(2, 2)), errors.ArgumentError, r"fftn: s .* axes="),
    "s and axes": (lambda x: fft.rfftn(x, s=(2,), axes=(0, 1)), errors.ShapeError, r"rfftn: .*s=\(2,\).*axes=\(0, 1\)"),
    "s is a number": (lambda x: fft.irfftn(x, s=2, axes=(0,)), errors.ShapeError, r"irfftn: s is one length for each"),
    "s has a length 0": (lambda x: fft.fft2(x, s=(2, 0)), errors.ArgumentError, r"fftn .*here it has 0"),
    "no axes to halve": (lambda x: fft.rfftn(x, axes=()), errors.ShapeError, r"rfftn .* needs at least one"),
    "complex numbers": (lambda x: fft.rfft(x + 1j), errors.DTypeError, r"rfft takes real numbers.*use fft"),
    "complex numbers, n": (lambda x: fft.rfftn(x + 1j), errors.DTypeError, r"rfftn takes real numbers.*use fftn"),
    "complex numbers, h": (lambda x: fft.ihfft(x + 1j), errors.DTypeError, r"ihfft takes real numbers.*use ifft"),
    "no frequencies": (lambda x: fft.fftfreq(0), errors.ArgumentError, r"fftfreq.*n is 0"),
    "half a frequency": (lambda x: fft.rfftfreq(2.5), errors.DTypeError, r"rfftfreq.*not 2.5"),
    "no distance": (lambda x: fft.fftfreq(3, d=0.0), errors.ArgumentError, r"fftfreq.*d is 0.0"),
    "complex frequencies": (lambda x: fft.fftfreq(3, dtype=complex), errors.DTypeError, r"fftfreq.*complex128"),
    "another device": (lambda x: fft.fftfreq(3, device="gpu"), errors.ArgumentError, r"fftfreq.*'gpu'"),
}  # fmt: skip


@each("tensor", [False, True])
@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_explained(mistake, tensor):
    call, error, words = MISTAKES[mistake]
    with pytest.raises(error, match=words):
        call(mg.tensor(X, requires_grad=True) if tensor else X)
