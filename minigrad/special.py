"""The commonest special functions, under `scipy.special`'s names, with derivatives to every order.

Those of normal probabilities, logarithms and entropies are computed with NumPy alone; the gamma and most Bessel
functions by SciPy, the extra `scipy`, which is imported when one of them is called.  The functions of SciPy themselves
give the same when they are called with a Tensor.  Incomplete gamma and beta functions have derivatives by their last
operand only.

>>> import minigrad as mg
>>> x = mg.tensor([0.5, 1.0], requires_grad=True)
>>> mg.special.erf(x).sum().backward()
>>> x.grad
tensor([0.87878258, 0.4151075 ])
"""

from minigrad.ops.bessel import i0, i0e, i1, i1e
from minigrad.ops.entropy import entr, kl_div, rel_entr, xlog1py, xlogy
from minigrad.ops.gamma import (
    beta,
    betainc,
    betaln,
    digamma,
    gamma,
    gammainc,
    gammaincc,
    gammaln,
    polygamma,
    psi,
    stdtr,
)
from minigrad.ops.logistic import expit, log_expit, log_softmax, logit, logsumexp, softmax, softplus
from minigrad.ops.numpy_elementwise import sinc
from minigrad.ops.special import erf, erfc, erfcx, erfinv, log_ndtr, ndtr, ndtri

__all__ = [
    "beta",
    "betainc",
    "betaln",
    "digamma",
    "entr",
    "erf",
    "erfc",
    "erfcx",
    "erfinv",
    "expit",
    "gamma",
    "gammainc",
    "gammaincc",
    "gammaln",
    "i0",
    "i0e",
    "i1",
    "i1e",
    "kl_div",
    "log_expit",
    "log_ndtr",
    "log_softmax",
    "logit",
    "logsumexp",
    "ndtr",
    "ndtri",
    "polygamma",
    "psi",
    "rel_entr",
    "sinc",
    "softmax",
    "softplus",
    "stdtr",
    "xlog1py",
    "xlogy",
]
