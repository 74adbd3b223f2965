"""What the special functions share: SciPy, which computes those that NumPy lacks, and words for what they cannot do."""

from typing import Any, NoReturn

import numpy as np

from minigrad.core import Array
from minigrad.errors import DTypeError, UnsupportedError
from minigrad.errors.files import missing_package


def real_operands(name: str, *operands: Array) -> list[Array]:
    """The operands as arrays of one real dtype, the one that NumPy's functions would give the result."""
    dtype = np.result_type(*operands)
    if dtype.kind == "c":
        raise DTypeError(f"{name} takes real numbers, and here they are complex")
    return [np.asarray(x, dtype if dtype.kind == "f" else np.float64) for x in operands]


def by_scipy(name: str, *operands: Array) -> Array:
    """What the function of `scipy.special` gives for real operands, in their common dtype."""
    try:
        from scipy import special  # type: ignore[import-untyped]  # optional, so not at the top
    except ImportError as error:
        raise missing_package(f"{name}, which SciPy computes,", "scipy", "scipy") from error
    reals = real_operands(name, *operands)
    value: Any = getattr(special, name)(*reals)
    return value.astype(reals[0].dtype, copy=False)


def refuse(name: str, operand: str) -> NoReturn:
    """The rule of an operand by which there is no formula for the derivative."""
    raise UnsupportedError(
        f"{name} has no derivative by {operand} in minigrad, for which no closed formula is known: detach() the Tensor "
        f"that is given as {operand}"
    )
