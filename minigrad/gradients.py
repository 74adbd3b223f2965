"""What a gradient is like: it has the shape and dtype of its value, and may be conjugated."""

from typing import Any

import numpy as np

from minigrad.errors.backward import bad_rule, not_a_gradient
from minigrad.operands import NUMBERS


def conform(part: Any, value: Any, name: str) -> Any:
    """Give a gradient the shape and dtype of the value that it belongs to: sum over what was broadcast, cast."""
    # By class: NumPy's doubles are floats, too, and stay what they are.
    part = np.asarray(part) if part.__class__ in (int, float, complex, bool) else part
    if not hasattr(part, "dtype") or part.dtype.kind not in NUMBERS:
        raise not_a_gradient(name, part)
    if part.shape != value.shape:
        lead = part.ndim - value.ndim
        spread = tuple(range(lead))
        if part.shape[lead:] != value.shape:  # seldom: it is a bias, nearly always
            if lead < 0 or any(n not in (1, m) for n, m in zip(value.shape, part.shape[lead:], strict=True)):
                raise bad_rule(name, f"returned a gradient of shape {part.shape}", value.shape)
            spread = tuple(i for i, n in enumerate((*(1,) * lead, *value.shape)) if i < lead or n != part.shape[i])
        part = np.reshape(np.sum(part, axis=spread), value.shape)
    if part.dtype != value.dtype:
        possible = np.real(part) if part.dtype.kind == "c" and value.dtype.kind == "f" else part
        part = possible.astype(value.dtype)
    return part


def conjugated(g: Any) -> Any:
    """A gradient as it is seen from the other side of the walk's boundary."""
    return np.conjugate(g) if g.dtype.kind == "c" else g
