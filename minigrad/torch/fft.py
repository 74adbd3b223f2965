"""`torch.fft`: the package's transforms with PyTorch's arguments."""

from typing import Any

import minigrad as mg
from minigrad.errors.dialects import not_in_the_dialect
from minigrad.torch.functions import tensor_of
from minigrad.torch.tensor import adopted, get_default_dtype


def _along_one(f: Any) -> Any:
    return lambda input, n=None, dim=-1, norm=None: adopted(f(tensor_of(input), n=n, axis=dim, norm=norm))


def _along_several(f: Any, axes: Any) -> Any:
    return lambda input, s=None, dim=axes, norm=None: adopted(f(tensor_of(input), s=s, axes=dim, norm=norm))


def _shifted(f: Any) -> Any:
    return lambda input, dim=None: adopted(f(tensor_of(input), axes=dim))


def _frequencies(f: Any) -> Any:
    return lambda n, d=1.0, dtype=None: adopted(f(n, d=d, dtype=dtype or get_default_dtype()))


_KINDS = {
    _along_one: "fft ifft rfft irfft hfft ihfft",
    lambda f: _along_several(f, (-2, -1)): "fft2 ifft2 rfft2 irfft2",
    lambda f: _along_several(f, None): "fftn ifftn rfftn irfftn",
    _shifted: "fftshift ifftshift",
    _frequencies: "fftfreq rfftfreq",
}
globals().update({name: kind(getattr(mg.fft, name)) for kind, names in _KINDS.items() for name in names.split()})


def __getattr__(name: str) -> Any:
    raise AttributeError(str(not_in_the_dialect(f"fft.{name}")))
