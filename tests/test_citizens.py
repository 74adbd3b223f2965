"""Packages that know nothing of minigrad compute with its Tensors, and gradients come back through them.

They meet a Tensor as an object of the Python Array API standard, by NumPy's protocols, or by the names of its module's
functions.  SciPy and scikit-learn take such objects only if the environment says so before SciPy is imported, so theirs
are checked in a process of their own.
"""

import json
import os
import subprocess
import sys
import traceback
from functools import cache, partial
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad.gradcheck import gradcheck
from tests.rows import each


def array(*shape, low=0.2, high=2.0):
    """Numbers in no order, all different and positive."""
    count = int(np.prod(shape))
    order = np.random.default_rng(count).permutation(count)
    return (low + (high - low) * (order + 0.4) / count).reshape(shape)


def check(function, *arrays):
    """Whether a function gives for Tensors what it gives for arrays, and a derivative that differences confirm."""
    result = function(*[mg.tensor(x, requires_grad=True) for x in arrays])
    assert isinstance(result, mg.Tensor), f"the result is of {type(result)}"
    assert result.requires_grad
    expected = np.asarray(function(*arrays))
    assert (result.shape, result.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(result.detach().numpy(), expected, rtol=1e-12, atol=1e-14)
    assert gradcheck(function, arrays)


# einops


EINOPS = {
    "rearrange": lambda xp, x: xp.rearrange(x, "b (h k) w -> w k (b h)", k=3),
    "rearrange a list": lambda xp, x: xp.rearrange([x, 2 * x, x * x], "n b h w -> b (n h) w"),
    "repeat": lambda xp, x: xp.repeat(x, "b h w -> b (h twice) w c", twice=2, c=3),
    "reduce sum": lambda xp, x: xp.reduce(x, "b h w -> h", "sum"),
    "reduce mean": lambda xp, x: xp.reduce(x, "b (h k) w -> b k", "mean", k=2),
    "reduce max": lambda xp, x: xp.reduce(x, "b h w -> b () w", "max"),
    "reduce min": lambda xp, x: xp.reduce(x, "b h w -> ", "min"),
    "reduce prod": lambda xp, x: xp.reduce(x, "b h w -> b w", "prod"),
    "pack": lambda xp, x: xp.pack([x, x[:, 0, 0]], "b *")[0],
    "unpack": lambda xp, x: xp.unpack(x, [[3], [1]], "b h *")[0],
}


@pytest.mark.parametrize("name", EINOPS)
def test_einops(name):
    einops = pytest.importorskip("einops.array_api")
    check(lambda x: EINOPS[name](einops, x), array(2, 6, 4))


# opt_einsum looks for functions in the module of the first operand's class


LENGTHS = dict(zip("abcde", (2, 3, 4, 2, 3), strict=True))
OPTIMIZERS = ["greedy", "optimal", "dp", False]


@each("optimize", OPTIMIZERS)
@each(
    "subscripts",
    ["ab,bc->ac", "ab,bc,cd->da", "abc,cd,de,eb->a", "ab,ab->", "a,b,c->cba", "aab,bc->c", "ab,cb,cd,ed->ae"],
)
def test_opt_einsum(subscripts, optimize):
    opt_einsum = pytest.importorskip("opt_einsum")
    operands = [array(*(LENGTHS[i] for i in term)) + k for k, term in enumerate(subscripts.split("->")[0].split(","))]
    check(lambda *operands: opt_einsum.contract(subscripts, *operands, optimize=optimize), *operands)


def test_opt_einsum_with_arrays_among_the_operands():
    opt_einsum = pytest.importorskip("opt_einsum")
    a, b, c = array(2, 3), array(3, 4), array(4, 2)
    check(lambda x: opt_einsum.contract("ab,bc,cd->ad", a, x, c), b)
    expression = opt_einsum.contract_expression("ab,bc,cd->ad", a.shape, b, c, constants=[1, 2])
    check(expression, a)


# The standard, as other packages ask for it


def relative_spread(xp, x):
    """A function for any namespace, in functions that other libraries have under other names."""
    flat = xp.reshape(xp.permute_dims(x, (1, 0)), (-1,))
    powers = xp.pow(xp.concat([flat, xp.asin(flat / 4)]), xp.asarray(1.5, dtype=x.dtype))
    return xp.std(powers, correction=1) / xp.max(xp.cumulative_sum(powers))


def test_array_api_compat():
    compat = pytest.importorskip("array_api_compat")
    x = mg.tensor(array(3, 4), requires_grad=True)
    assert compat.is_array_api_obj(x)
    assert not compat.is_lazy_array(x)
    assert compat.array_namespace(x, mg.ones(2), 1.0, None) is mg
    assert compat.size(x) == 12
    assert compat.to_device(x, compat.device(x)).requires_grad
    check(lambda x: relative_spread(compat.array_namespace(x), x), array(3, 4))


# jaxtyping


def test_jaxtyping():
    jaxtyping = pytest.importorskip("jaxtyping")
    inputs, weights = jaxtyping.Float[np.ndarray, "n d"], jaxtyping.Float[mg.Tensor, "d k"]
    outputs, mistaken = jaxtyping.Float[mg.Tensor, "n k"], jaxtyping.Float[mg.Tensor, "k n"]
    x, w = array(5, 3), mg.tensor(array(3, 2), requires_grad=True)
    with jaxtyping.jaxtyped("context"):  # in which the letters keep their values
        y = np.tanh(x @ w)
        y.sum().backward()
        assert isinstance(x, inputs)
        assert isinstance(w, weights)
        assert isinstance(y, outputs)
        assert not isinstance(y, mistaken)
        assert isinstance(w.grad, weights)
    np.testing.assert_allclose(w.grad.numpy(), x.T @ (1 - y.detach().numpy() ** 2))


@pytest.mark.parametrize(
    ("kind", "dtype", "is_right"),
    [
        ("Float", np.float64, True),
        ("Float", np.float32, True),
        ("Float64", np.float64, True),
        ("Float64", np.float32, False),
        ("Float", np.int64, False),
        ("Int", np.int64, True),
        ("Bool", np.bool_, True),
        ("Complex", np.complex128, True),
        ("Float", np.complex128, False),
    ],
)
def test_jaxtyping_tells_dtypes(kind, dtype, is_right):
    jaxtyping = pytest.importorskip("jaxtyping")
    annotation = getattr(jaxtyping, kind)
    x = mg.zeros((2, 3), dtype=dtype)
    assert isinstance(x, annotation[mg.Tensor, "2 3"]) == is_right
    assert not isinstance(x, annotation[mg.Tensor, "3 2"])
    assert not isinstance(x, annotation[mg.Tensor, "n"])


# SciPy and scikit-learn

VERSIONS = {"scipy": "1.17", "sklearn": "1.9"}  # older ones let fewer of these functions take other arrays
CALLS = {}  # by name: a function and arrays for it


def calls(module, names, *arrays, **options):
    """Cases of functions of a module, which is imported when they are called."""

    def call(name, *operands):
        result = getattr(import_module(module), name)(*operands, **options)
        return result.statistic + result.pvalue if hasattr(result, "pvalue") else result

    for name in names.split():
        CALLS[f"{module}.{name}"] = partial(call, name), arrays


calls("scipy.special", "logsumexp softmax log_softmax", array(2, 3), axis=1)
calls(
    "scipy.special",
    "erf erfc erfinv expit logit gammaln psi entr i0 i0e i1 i1e log_ndtr ndtr ndtri sinc",
    array(2, 3, high=0.9),
)
calls("scipy.special", "xlogy xlog1py rel_entr kl_div betaln", array(2, 3), array(3, low=1.0))

calls("scipy.stats", "zscore gmean hmean skew kurtosis variation sem gstd gzscore", array(9, 2), axis=0)
calls("scipy.stats", "tmean tvar tstd tsem tmin tmax circmean circvar circstd iqr", array(9, 2), axis=0)
calls("scipy.stats", "kstat kstatvar lmoment differential_entropy entropy", array(9, 2), axis=0)
calls("scipy.stats", "moment", array(9, 2), order=3)
calls("scipy.stats", "trim_mean", array(9, 2), proportiontocut=0.2)
calls("scipy.stats", "zmap", array(4, 2), array(9, 2))
calls("scipy.stats", "pearsonr", array(9, 2), array(9, 2, low=1.0), axis=0)
calls("scipy.stats", "quantile", array(9, 2), array(3, 2, high=0.8), axis=0)
calls("scipy.stats", "ttest_1samp", array(9), popmean=0.4)
calls("scipy.stats", "ttest_ind bartlett", array(9), array(8, low=1.0))
calls("scipy.stats", "skewtest kurtosistest jarque_bera power_divergence", array(21) ** 2)

calls("scipy.fft", "fft ifft rfft irfft fftn", array(5, 3))

calls("scipy.integrate", "trapezoid cumulative_trapezoid cumulative_simpson", array(7))
calls("scipy.optimize", "rosen", array(5))
calls("scipy.cluster.vq", "whiten", array(5, 2))
CALLS["scipy.spatial.transform.Rotation"] = (
    lambda axis, x: import_module("scipy.spatial.transform").Rotation.from_rotvec(axis).apply(x),
    [array(3), array(4, 3)],
)

PAIRS = array(5, 3), array(4, 3, low=0.5)
calls("sklearn.metrics.pairwise", "euclidean_distances manhattan_distances cosine_distances", *PAIRS)
calls("sklearn.metrics.pairwise", "linear_kernel polynomial_kernel rbf_kernel laplacian_kernel sigmoid_kernel", *PAIRS)
calls("sklearn.metrics.pairwise", "cosine_similarity additive_chi2_kernel chi2_kernel", *PAIRS)
calls("sklearn.metrics.pairwise", "paired_euclidean_distances paired_cosine_distances", PAIRS[0][:4], PAIRS[1])


def fitted(module, name, result, *arrays, **options):
    """A case of an estimator: what comes of it and of the arrays."""

    def call(*operands):
        return result(getattr(import_module(module), name)(**options), *operands)

    CALLS[f"{module}.{name}"] = call, arrays


for name in ("MinMaxScaler", "MaxAbsScaler", "Normalizer", "PolynomialFeatures"):
    fitted("sklearn.preprocessing", name, lambda scaler, x: scaler.fit_transform(x), array(6, 3))
fitted("sklearn.decomposition", "PCA", lambda pca, x: pca.fit_transform(x), array(6, 3), svd_solver="full")
fitted("sklearn.linear_model", "Ridge", lambda ridge, x, y: ridge.fit(x, y).coef_, array(6, 3), array(6), solver="svd")


def outcome(function, arrays):
    """What is wrong with a call, or nothing."""
    try:
        check(function, *arrays)
    except Exception:
        return traceback.format_exc()
    return ""


def report(package):
    """Print the outcomes of a package's calls: what the other process does."""
    if package == "sklearn":
        import_module("sklearn").set_config(array_api_dispatch=True)
    calls = {name: call for name, call in CALLS.items() if name.split(".")[0] == package}
    print(json.dumps({name: outcome(*call) for name, call in calls.items()}))


@cache
def outcomes(package):
    run = subprocess.run(
        [sys.executable, "-c", f"from tests.test_citizens import report; report({package!r})"],
        cwd=Path(__file__).parent.parent,
        env={**os.environ, "SCIPY_ARRAY_API": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.mark.parametrize("name", CALLS)
def test_scipy_and_scikit_learn(name):
    package = name.split(".")[0]
    pytest.importorskip(package, VERSIONS[package])
    problem = outcomes(package)[name]
    assert not problem, problem
