"""HIPS autograd's words for minigrad: programs that are written for autograd run with their import lines changed.

``import autograd.numpy as np`` becomes ``import minigrad.hips.numpy as np``, ``from autograd import grad`` becomes
``from minigrad.hips import grad``, and so on for `misc`, `extend`, `test_util` and `scipy`.  Operators take autograd's
`argnum`, arguments of any number, and give complex gradients by its convention, the conjugate of minigrad's.
"""

import sys

import numpy as np

from minigrad import linalg, special, stats
from minigrad.hips import builtins, extend, misc, scipy, test_util
from minigrad.hips import numpy as _numpy
from minigrad.hips.differential_operators import (
    checkpoint,
    deriv,
    elementwise_grad,
    grad,
    grad_and_aux,
    grad_named,
    hessian,
    hessian_tensor_product,
    hessian_vector_product,
    holomorphic_grad,
    jacobian,
    make_ggnvp,
    make_hvp,
    make_jvp,
    make_vjp,
    multigrad_dict,
    tensor_jacobian_product,
    value_and_grad,
    vector_jacobian_product,
)

__all__ = [
    "builtins", "checkpoint", "deriv", "elementwise_grad", "extend", "grad", "grad_and_aux", "grad_named", "hessian",
    "hessian_tensor_product", "hessian_vector_product", "holomorphic_grad", "jacobian", "make_ggnvp", "make_hvp",
    "make_jvp", "make_vjp", "misc", "multigrad_dict", "scipy", "tensor_jacobian_product", "test_util",
    "value_and_grad", "vector_jacobian_product",
]  # fmt: skip

# What import lines of autograd's programs name, and where it is: `import minigrad.hips.scipy.stats.norm as norm`.
_ELSEWHERE = {
    "numpy.linalg": np.linalg,
    "numpy.fft": np.fft,
    "numpy.random": np.random,
    "numpy.numpy_wrapper": _numpy,
    "scipy.linalg": linalg,
    "scipy.special": special,
    "scipy.stats": stats,
    **{f"scipy.stats.{name}": getattr(stats, name) for name in stats.__all__},
}
sys.modules.update({f"{__name__}.{name}": module for name, module in _ELSEWHERE.items()})
