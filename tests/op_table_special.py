"""The rows of special functions.  The references are SciPy's."""

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special as sp

from minigrad import special
from minigrad.ops import bessel
from minigrad.ops.special import _erfc_integral
from tests.op_table import ONE, TWO, A, between, row, s, spelling

N = np.array


def special_unary(name: str, low: float | None = None, high: float = 0, *more: Any, **options: Any) -> None:
    """A row of a function that has SciPy's name, and is also what SciPy's ufunc means for a Tensor."""
    domain = {} if low is None else {"domain": between(low, high)}
    row(getattr(special, name), getattr(sp, name), *ONE, *more, spelled=True, name=name, **domain, **options)


# Normal probabilities

row(special.erf, sp.erf, *ONE, s(A(-30, -7, -1, 0, 1e-9, 3)), spelled=True, name="special.erf")
special_unary("erfc", None, 0, s(A(-7, -1.1, -0.9, 0, 1e-9, 0.2, 0.3, 0.9, 1.1, 3, 5)))
special_unary("erfcx", None, 0, s(A(-3, -1.1, -0.9, 0, 0.2, 0.3, 0.9, 1.1, 3, 50)))
special_unary("erfinv", -0.99, 0.99)
special_unary("ndtr", None, 0, s(A(-9, -1.5, 0, 1.5)))
special_unary("ndtri", 0.01, 0.99)
special_unary("log_ndtr", None, 0, s(A(-50, -9, -1.5, 0, 1.5, 6)))


def erfc_integral(x: Any, n: int) -> Any:
    """By the definition, as an integral of a positive function (Abramowitz and Stegun, 7.2.3)."""
    t, weights = np.polynomial.legendre.leggauss(200)
    end = 9 + np.maximum(-x.astype(float), 0)[..., None]
    t = (t + 1) / 2 * end
    integrand = t**n * np.exp(-t * t - 2 * x[..., None] * t) / sp.factorial(n)
    return (np.sum(weights * integrand * end, axis=-1) / np.sqrt(np.pi)).astype(x.dtype)


row(
    _erfc_integral, erfc_integral,
    s((2, 3), n=1), s((3,), n=2), s(A(-2, -0.5, 0, 0.5, 0.9, 1, 1.1, 2, 4), n=3), s((0, 3), n=1), s((3,), n=4),
)  # fmt: skip

# Logistic functions

special_unary("expit")
special_unary("log_expit")
special_unary("logit", 0.03, 0.97)
if hasattr(sp, "softplus"):  # since SciPy 1.15
    special_unary("softplus")
else:
    row(special.softplus, lambda x: np.logaddexp(0, x), *ONE, name="softplus")

OVER = [
    s(()), s((3,)), s((2, 3)), s((2, 3), axis=0), s((2, 3), axis=-1, keepdims=True), s((2, 3, 2), axis=(0, 2)),
    s((2, 3, 2), 1), s((1, 3), axis=0), s((0, 3), axis=1), s(A(1000, 1001)),
]  # fmt: skip
row(
    lambda a, *b, **params: special.logsumexp(a, b=b[0], **params) if b else special.logsumexp(a, **params),
    lambda a, *b, **params: sp.logsumexp(a, b=b[0], **params) if b else sp.logsumexp(a, **params),
    *OVER[:6], *OVER[7:], s((3,), return_sign=True), s((2, 3), axis=1, keepdims=True, return_sign=True),
    name="special.logsumexp",
)  # fmt: skip
row(
    lambda a, b, **params: special.logsumexp(a, b=b, **params),
    lambda a, b, **params: sp.logsumexp(a, b=a.dtype.type(b) if np.isscalar(b) else b, **params),
    s((3,), (3,)), s((2, 3), (3,), axis=1), s((2, 3), (2, 1), axis=0, keepdims=True), s((3,), (2, 3), axis=-1),
    s((2, 3, 2), (), axis=(0, 2)), s((3,), A(1, 0, 2)), s((2, 3), 0.5), s(A(1000, 1001), A(0.5, 0.25)),
    s((2, 3), N([1, 2, 3]), axis=1),
    domain=between(0.3, 2), name="special.logsumexp (factors)",
)  # fmt: skip
row(
    lambda a, b, **params: special.logsumexp(a, b=b, return_sign=True, **params),
    lambda a, b, **params: sp.logsumexp(a, b=b, return_sign=True, **params),
    s((3,), A(1, -2, -3)), s((2, 3), A([1, 2, -3], [-1, -2, 3]), axis=1), s((3,), A(-1, 0, 2), keepdims=True),
    name="special.logsumexp (signs)",
)  # fmt: skip
SOFT = [s((3,)), s((2, 3)), s((2, 3), axis=0), s((2, 3, 2), 1), s((2, 1)), s((2, 2, 2), axis=(0, 2)), s(())]
row(special.softmax, sp.softmax, *SOFT, s(A(1000, 0, -1000)), name="special.softmax")
row(special.log_softmax, sp.log_softmax, *SOFT, s(A(1000, 0, -1000)), name="special.log_softmax")

# Entropies


def special_binary(name: str, *more: Any, **options: Any) -> None:
    row(getattr(special, name), getattr(sp, name), *TWO[:-2], *more, spelled=True, name=name, **options)


POSITIVE = {"domain": between(0.3, 3)}
special_binary("xlogy", s((3,), N([1, 2, 3])), s(N([0, 1, 2]), (2, 3)), **POSITIVE)
special_binary("xlog1py", s((3,), N([1, 2, 3])), s((3,), A(-0.5, 1e-9, 2)), **POSITIVE)
special_unary("entr", 0.3, 3)
special_binary("rel_entr", s(A(1, 2, 3), A(1.0001, 1.9, 3)), **POSITIVE)
special_binary("kl_div", s(A(1, 2, 3), A(1.0001, 1.9, 3)), **POSITIVE)

# The gamma function


def in_the_dtype_of_x(function: Callable[..., Any]) -> Callable[..., Any]:
    """SciPy's function, which gives doubles if an order is an integer."""
    return spelling(function, lambda x, **orders: np.asarray(function(*orders.values(), x)).astype(x.dtype)[()])


special_unary("gamma", 0.3, 4, s(A(-0.5, -1.5, -2.3)))
special_unary("gammaln", 0.3, 4, s(A(-0.5, -1.5, 30)))
special_unary("digamma", 0.3, 4, s(A(-0.5, -1.5, 30)))
row(
    lambda x, *, n: special.polygamma(n, x), in_the_dtype_of_x(sp.polygamma),
    *(s((2, 3), n=n) for n in (0, 1, 2)), s((), n=1), s((0, 3), n=1), s((2, 3), n=N([1, 2, 3])), s((3,), n=[[0], [3]]),
    s(A(-0.5, -1.5, 30), n=1), domain=between(0.4, 4), name="polygamma",
)  # fmt: skip
special_binary("beta", **POSITIVE)
special_binary("betaln", s(A(100, 1e-3), A(200, 1e-3)), **POSITIVE)


ORDERS = [
    s((2, 3), a=N(2.5)), s((), a=N(1)), s((3,), a=N(0.4)), s((0, 3), a=[2]), s((3,), a=[[1, 2, 3]]),
    s((2, 1), a=[1.5, 30]),
]  # fmt: skip
row(
    lambda x, *, a: special.gammainc(a, x), lambda x, *, a: sp.gammainc(a, x), *ORDERS,
    name="gammainc", spelled=True, **POSITIVE,
)  # fmt: skip
row(
    lambda x, *, a: special.gammaincc(a, x), lambda x, *, a: sp.gammaincc(a, x), *ORDERS,
    name="gammaincc", spelled=True, **POSITIVE,
)  # fmt: skip
row(
    lambda x, *, a, b: special.betainc(a, b, x), lambda x, *, a, b: sp.betainc(a, b, x),
    s((2, 3), a=N(2.5), b=1.5), s((), a=N(1), b=1), s((3,), a=[0.4], b=0.7), s((0, 3), a=[2], b=3),
    s((3,), a=[[1], [2]], b=3), s((2, 1), a=[1.5, 30], b=20.0), domain=between(0.1, 0.9), name="betainc", spelled=True,
)  # fmt: skip
row(
    lambda x, *, df: special.stdtr(df, x), lambda x, *, df: sp.stdtr(df, x),
    s((2, 3), df=N(2.5)), s((), df=N(1)), s((3,), df=[0.4]), s((0, 3), df=[2]), s((3,), df=[[1], [1e6]]),
    name="stdtr", spelled=True,
)  # fmt: skip

# Bessel functions

special_unary("i0", None, 0, s(A(-9, -7.9, 0, 8.1, 30)))
special_unary("i1", None, 0, s(A(-9, -7.9, 0, 8.1, 30)))
special_unary("i0e", None, 0, s(A(-9, -7.9, 8.1, 300)))
special_unary("i1e", None, 0, s(A(-9, -7.9, 8.1, 300)))
row(np.i0, np.i0, s((2, 3)), s((3,)), name="numpy.i0")
row(
    bessel.bessel_i, lambda x, n, scaled: np.asarray((sp.ive if scaled else sp.iv)(n, x)).astype(x.dtype)[()],
    *(s((3,), n=n, scaled=scaled) for n in range(4) for scaled in (False, True)),
)  # fmt: skip
